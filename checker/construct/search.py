"""Where to look for a unit that lowers the loss much: directions and thresholds, in floats.

Nothing found here is trusted.

Along a direction the best threshold costs one sort and prefix sums; what comes out is certified elsewhere.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from proof_of_absence.checker.numbers.costs import EIGH, PRODUCT, SOLVE, SVD, cost
from proof_of_absence.checker.numbers.deadline import affordable, looking

__all__ = ["Candidate", "candidates", "directions"]

# The search sees at most this many outputs, those with the largest residuals; the unit then serves all.
OUTPUTS = 8
SAMPLE = 512
# Products for one matrix of second moments, rows being left out to keep to it; outputs it is done for.
WORK = 2**28
REFITS = 2
# How many of the best units are refined, and how often at most.
REFINED = 2
ROUNDS = 6
# Directions that take more than this part of the time that is left are left out.
PART = 1 / 4
SEED = 20261124


class Candidate(NamedTuple):
    """A unit relu(w . z + b) and its gain, as floats have it and in units of the search's own."""

    gain: float
    weights: np.ndarray
    bias: float


def candidates(inputs: np.ndarray, residuals: np.ndarray, dtype: np.dtype, *, keep: int = 8) -> list[Candidate]:
    """The best units found, best first, at most one for each direction and orientation.

    Weights and bias are of type `dtype`.

    The gain of phi is sum_k <r_k, phi - mean>^2 / |phi - mean|^2 for centred r: what phi with its best output weights
    and the best output bias takes off the sum of squares. By C4 some threshold at a data point has a positive one,
    along any direction with distinct projections, unless all centred group residuals are 0.
    """
    with np.errstate(all="ignore"):
        # Far from 1 squares leave the range of floats; a power of two changes nothing else.
        residual = np.ldexp(residuals, -int(np.frexp(np.abs(residuals).max())[1]))
        energy = np.einsum("ij,ij->j", residual, residual)
        residual = residual[:, np.argsort(-energy, kind="stable")[:OUTPUTS]]
        residual = residual - residual.mean(axis=0)
        power = int(np.frexp(np.abs(inputs).max())[1])
        if abs(power) <= 100:
            return _search(inputs, residual, dtype)[:keep]
        found = _search(np.ldexp(inputs, -power), residual, dtype)
        found = [c._replace(weights=np.ldexp(c.weights, -power)) for c in found]
        kept = [c for c in found if np.array_equal(c.weights.astype(dtype), c.weights) and np.isfinite(c.weights).all()]
        return kept[:keep]


def _search(inputs: np.ndarray, residual: np.ndarray, dtype: np.dtype) -> list[Candidate]:
    found = []
    for weights in looking(directions(inputs, residual)):
        found.extend(_along(weights, inputs, residual, dtype))
    found.sort(key=lambda c: -c.gain)
    for start in found[:REFINED]:
        best = start
        for _ in looking(range(ROUNDS)):
            better = [c for w in _refits(best, inputs, residual) for c in _along(w, inputs, residual, dtype)]
            found.extend(better)
            if not better or max(c.gain for c in better) <= 1.01 * best.gain:
                break
            best = max(better, key=lambda c: c.gain)
    return sorted(found, key=lambda c: -c.gain)


def directions(inputs: np.ndarray, residual: np.ndarray) -> Iterator[np.ndarray]:
    """Directions worth a try: residual-weighted moments, principal directions, differences of rows, axes,
    random ones.
    """
    rows, dimension = inputs.shape
    rng = np.random.default_rng(SEED)
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1)
    sample = inputs[rng.permutation(rows)[:SAMPLE]]
    # sum_i r_i z_i: along it the residual correlates most with a linear unit; and the same for units of equal variance.
    for k in range(residual.shape[1]):
        linear = residual[:, k] @ inputs
        yield linear
        yield linear / scale**2
    yield from _curvature(inputs, residual, scale)
    # Where the residual is large in either sense, and where it is largest.
    size = np.einsum("ij,ij->i", residual, residual)
    yield (size @ inputs - size.sum() * mean) / scale**2
    for row in np.argsort(-size, kind="stable")[:4]:
        yield (inputs[row] - mean) / scale**2
    with suppress(np.linalg.LinAlgError):
        if affordable(cost(SVD, *sample.shape) / PART):
            yield from np.linalg.svd(_finite(sample - mean), full_matrices=False)[2][:4]
    correlation = np.abs(residual.T @ inputs).max(axis=0) / scale
    for axis in np.argsort(-correlation, kind="stable")[:8]:
        yield np.eye(1, dimension, axis)[0]
    for _ in range(6):
        one, other = rng.integers(rows, size=2)
        yield inputs[one] - inputs[other]
    for _ in range(8):
        yield rng.standard_normal(dimension) / scale


def _along(weights: np.ndarray, inputs: np.ndarray, residual: np.ndarray, dtype: np.dtype) -> list[Candidate]:
    weights = _rounded(weights, dtype)
    projection = inputs @ weights
    if not np.isfinite(projection).all() or not weights.any():
        return []
    return _scan(projection, weights, residual, dtype)


def _refits(candidate: Candidate, inputs: np.ndarray, residual: np.ndarray) -> Iterator[np.ndarray]:
    """The direction of least squares on the rows where the unit is on:
    the best one as long as those rows stay the same.
    """
    on = np.flatnonzero(inputs @ candidate.weights + candidate.bias > 0)
    on = on[:: max(1, len(on) * inputs.shape[1] ** 2 // WORK + 1)]
    if len(on) < 2 or not affordable(_of_moments(SOLVE, len(on), inputs.shape[1])):
        return
    mean = inputs[on].mean(axis=0)
    centred = _finite(inputs[on] - mean)
    covariance = centred.T @ centred
    ridge = 1e-9 * np.trace(covariance) / len(covariance) + np.finfo(np.float64).tiny
    covariance[np.diag_indices_from(covariance)] += ridge
    r = residual[on] - residual[on].mean(axis=0)
    with suppress(np.linalg.LinAlgError):
        yield from np.linalg.solve(covariance, centred.T @ r[:, :REFITS]).T


def _curvature(inputs: np.ndarray, residual: np.ndarray, scale: np.ndarray) -> Iterator[np.ndarray]:
    """Directions along which the residual bends most: extreme eigenvectors of sum_i r_i z_i z_i^T, z standardised."""
    step = max(1, len(inputs) * inputs.shape[1] ** 2 // WORK + 1)
    standard = _finite((inputs[::step] - inputs.mean(axis=0)) / scale)
    if not affordable(_of_moments(EIGH, *standard.shape)):
        return
    for column in residual[::step].T[:REFITS]:
        column = column - column.mean()
        with suppress(np.linalg.LinAlgError):
            values, vectors = np.linalg.eigh((standard * column[:, None]).T @ standard)
            yield from vectors.T[np.argsort(-np.abs(values))[:3]] / scale


def _of_moments(kind: float, rows: int, columns: int) -> float:
    """Time that there is to be for a matrix of second moments and its factorization."""
    return (cost(PRODUCT, columns, columns) * rows / columns + cost(kind, columns, columns)) / PART


def _finite(array: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(array), array, 0)


def _rounded(weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The weights scaled by a power of two to at most 1, as values of `dtype` that are not subnormal."""
    largest = np.abs(weights).max()
    if not np.isfinite(largest) or largest == 0:
        return np.zeros(len(weights))
    weights = np.ldexp(weights, -int(np.frexp(largest)[1]))
    weights = np.where(np.abs(weights) < 2.0**-60, 0, weights)
    return weights.astype(dtype).astype(np.float64)


def _scan(projection: np.ndarray, weights: np.ndarray, residual: np.ndarray, dtype: np.dtype) -> list[Candidate]:
    """The best threshold for relu(p - t) and for relu(t - p), t among the projections."""
    order = np.argsort(projection, kind="stable")
    line, r = projection[order], residual[order]
    result = []
    for sign in (1, -1):
        p = line if sign > 0 else -line[::-1]
        rr = r if sign > 0 else r[::-1]
        center = p[-1]
        gain, at = _best_threshold(p - center, rr)
        if gain > 0:
            candidate = _scaled(gain, sign * weights, p[at], p[-1], dtype)
            if candidate is not None:
                result.append(candidate)
    return result


def _best_threshold(p: np.ndarray, r: np.ndarray) -> tuple[float, int]:
    """The largest gain over t = p[i], and i.

    p ascending, at most 0 so that little is lost to cancellation near the top.
    """
    count = np.arange(1, len(p) + 1, dtype=np.float64)
    top = p[::-1]
    first, second = np.cumsum(top), np.cumsum(top * top)
    sums = np.cumsum(r[::-1], axis=0)
    moments = np.cumsum(r[::-1] * top[:, None], axis=0)
    # At t = top[i] the rows 0..i of `top` are those with p >= t.
    inner = moments - top[:, None] * sums
    norm = second - 2 * top * first + top * top * count
    norm -= (first - top * count) ** 2 / len(p)
    gains = np.einsum("ij,ij->i", inner, inner) / norm
    gains[~(norm > 1e-12 * second[-1])] = 0
    gains[~np.isfinite(gains)] = 0
    best = int(np.argmax(gains))
    if gains[best] == 0 and len(p) > 1 and top[0] > top[-1]:
        # Nothing but noise to floats: the unit that only the topmost input switches on, for exact arithmetic to judge.
        below = int(np.flatnonzero(top < top[0])[0])
        return np.finfo(np.float64).tiny, len(p) - 1 - below
    return float(gains[best]), len(p) - 1 - best


def _scaled(gain: float, weights: np.ndarray, threshold: float, top: float, dtype: np.dtype) -> Candidate | None:
    """The unit scaled by a power of two so that its largest value is between 1/2 and 1, if its parameters allow it."""
    power = -int(np.frexp(top - threshold)[1])
    scaled, bias = np.ldexp(weights, power), float(np.ldexp(-threshold, power).astype(dtype))
    kept = scaled.astype(dtype).astype(np.float64)
    if not (np.isfinite(kept).all() and np.isfinite(bias) and np.array_equal(kept, scaled)):
        return None
    return Candidate(gain, kept, bias)
