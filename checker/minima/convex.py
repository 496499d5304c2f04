"""Two-layer training with weight decay through its convex reformulation (Pilanci and Ergen 2020),
with a certificate of the value reached.

The search runs in floating point and need not be trusted: it leaves a rational net, a dual point and multipliers, which
say by how much the net can miss the optimum of training, at any width, and of the convex program.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import isqrt, sqrt
from typing import NamedTuple

import numpy as np

from proof_of_absence.checker.numbers.fixed_order import dot, solve, times
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import Number, Vector, rational

__all__ = ["ConvexOptimum", "convex_optimum", "decayed_loss", "dual_bound", "multipliers_json"]

# Every set of distinct inputs is a pattern to be bounded, in both signs.
MOST_INPUTS = 8
ROUNDS = 200
# Shares of the penalty and of the value below which another round is not worth it, a length that counts as
# 0, and a relative ridge.
# Rational parameters have DIGITS binary places.
ENOUGH, STALLED, NOTHING, RIDGE = 1e-9, 1e-14, 1e-7, 1e-13
DIGITS = 32
UNIT = 1 << DIGITS


class ConvexOptimum(NamedTuple):
    """A net without output bias, a dual point with its multipliers, and the bound below every net of any width.

    `multipliers` maps a sign and a pattern, as in ``"+0110"``, to lambda >= 0 at the distinct inputs; patterns
    that need none are left out.
    """

    net: MLP
    dual: Vector
    multipliers: dict[str, Vector]
    value: Fraction
    bound: Fraction


def decayed_loss(net: MLP, data: Dataset, penalty: Number) -> Fraction:
    """Half the summed squared error, and penalty / 2 times the sum of all squared parameters but the output bias.

    Examples
    --------
    >>> decayed_loss(shallow([([3], 4, [5])], [0]), Dataset([[1]], [[30]]), 2)
    Fraction(125, 2)
    """
    hidden, output = net.layers
    rows = (*hidden.weights, hidden.bias, *output.weights)
    squares = sum((x * x for row in rows for x in row), start=Fraction(0))
    return data.loss(net) * len(data) / 2 + rational(penalty) / 2 * squares


def dual_bound(data: Dataset, dual: Sequence[Fraction]) -> Fraction:
    """sum_i nu_i y_i - nu_i^2 / 2, below every net's decayed loss if the dual point is feasible."""
    return sum((n * y - n * n / 2 for n, (y,) in zip(dual, data.targets, strict=True)), start=Fraction(0))


def convex_optimum(data: Dataset, penalty: Number) -> ConvexOptimum:
    """A net of nearly least `decayed_loss` over all widths, no output bias, and what certifies it.

    Cutting planes on the dual: the residuals ask, pattern by pattern, for the unit that gains most; the best weights on
    the units found so far give the next residuals.

    Raises
    ------
    ValueError
        If the data have several outputs or more than MOST_INPUTS distinct inputs, or the penalty is not positive.
    """
    penalty = rational(penalty)
    if penalty <= 0:
        raise ValueError(f"penalty {penalty} is not positive")
    if len(data.targets[0]) != 1 or len(data.groups) > MOST_INPUTS:
        raise ValueError(f"the convex reformulation is for one output and at most {MOST_INPUTS} distinct inputs")
    beta = float(penalty)
    points = np.array([[*map(float, group.input), 1.0] for group in data.groups])
    rows = {i: g for g, group in enumerate(data.groups) for i in group.rows}
    at = np.array([rows[i] for i in range(len(data))])
    targets = np.array([float(y) for (y,) in data.targets])
    patterns = [np.array(p, dtype=bool) for p in product((False, True), repeat=len(points)) if any(p)]
    found: list[tuple[str, np.ndarray]] = []
    columns = np.zeros((len(data), 0))
    weights = np.zeros(0)
    residuals, before = targets, np.inf
    for _ in range(ROUNDS):
        sums = np.bincount(at, weights=residuals, minlength=len(points))
        fresh = [
            (_name(sign, on), projected / length)
            for on in patterns
            for sign in (1, -1)
            for projected in [_project(points, on, sign * sums)[0]]
            for length in [sqrt(dot(projected, projected))]
            if length > beta * (1 + ENOUGH)
        ]
        if not fresh:
            break
        found += fresh
        columns = np.array([(1 if name[0] == "+" else -1) * np.maximum(times(points, u), 0)[at] for name, u in found]).T
        weights = _nonnegative(_gram(columns.T), times(columns.T, targets) - beta)
        found = [pair for pair, weight in zip(found, weights, strict=True) if weight > 0]
        columns, weights = columns[:, weights > 0], weights[weights > 0]
        residuals = targets - times(columns, weights)
        now = dot(residuals, residuals) / 2 + beta * dot(weights, np.ones(len(weights)))
        if now > before * (1 - STALLED):
            break
        before = now
    net = _net(found, weights, points.shape[1] - 1)
    dual, multipliers = _feasible(data, penalty, points, patterns, at, residuals)
    return ConvexOptimum(net, dual, multipliers, decayed_loss(net, data, penalty), dual_bound(data, dual))


def _name(sign: int, on: np.ndarray) -> str:
    return ("+" if sign > 0 else "-") + "".join("01"[int(x)] for x in on)


def _project(points: np.ndarray, on: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The projection of sum_(g on) sums_g x_g to the vectors whose units are on at `on` and off elsewhere,
    and its multipliers.
    """
    sides = np.where(on[:, None], points, -points)
    gain = times(points.T, sums * on)
    multipliers = _nonnegative(_gram(sides), -times(sides, gain))
    return gain + times(sides.T, multipliers), multipliers


def _gram(rows: np.ndarray) -> np.ndarray:
    return np.array([times(rows, row) for row in rows])


def _nonnegative(gram: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """The x >= 0 of least x.gram x / 2 - linear.x, by active sets (Lawson and Hanson 1974)."""
    # Dependent columns: the ridge lets a step go far along what they leave open, until some x is 0.
    gram = gram + RIDGE * (1 + np.trace(gram)) * np.eye(len(gram))
    x, active = np.zeros(len(linear)), np.zeros(len(linear), dtype=bool)
    tolerance = 1e-13 * (1 + abs(linear).max(initial=0))
    for _ in range(10 * len(linear) + 10):
        slope = np.where(active, -np.inf, linear - times(gram, x))
        if slope.max(initial=-np.inf) <= tolerance:
            break
        active[slope.argmax()] = True
        while True:
            free = np.flatnonzero(active)
            ideal = np.zeros(len(x))
            ideal[free] = solve(gram[np.ix_(free, free)], linear[free])
            if ideal[free].min(initial=0) >= 0:
                break
            falling = free[ideal[free] < 0]
            x = x + min(x[falling] / (x[falling] - ideal[falling])) * (ideal - x)
            active[falling[np.argmin(x[falling])]] = False
            active &= x > 0
            x[~active] = 0
        x = ideal
    return x


def _net(found: Sequence[tuple[str, np.ndarray]], weights: np.ndarray, inputs: int) -> MLP:
    """One unit for each pattern and sign: vectors of one pattern add up,
    and the sum is no longer than they are together.
    """
    totals: dict[str, np.ndarray] = {}
    for (name, u), weight in zip(found, weights, strict=True):
        totals[name] = totals.get(name, 0) + weight * u
    units = []
    for name, total in sorted(totals.items()):
        if (length := sqrt(dot(total, total))) < NOTHING:
            continue
        out = _dyadic(length**0.5)
        *w, b = [_dyadic(v / float(out)) for v in total]
        units.append((w, b, [out if name[0] == "+" else -out]))
    return shallow(units or [([0] * inputs, 0, [0])], [0])


def _feasible(
    data: Dataset,
    penalty: Fraction,
    points: np.ndarray,
    patterns: Sequence[np.ndarray],
    at: np.ndarray,
    residuals: np.ndarray,
) -> tuple[Vector, dict[str, Vector]]:
    """The residuals as a rational dual point, made smaller until the multipliers show it feasible, exactly."""
    nu = [_dyadic(r) for r in residuals]
    sums = [Fraction(0)] * len(points)
    for n, g in zip(nu, at, strict=True):
        sums[g] += n
    exact = [(*group.input, Fraction(1)) for group in data.groups]
    multipliers: dict[str, list[Fraction]] = {}
    longest = penalty**2
    for on in patterns:
        for sign in (1, -1):
            lam = [Fraction(0)] * len(points)
            length = _length(exact, on, [sign * s for s in sums], lam)
            if length > penalty**2:
                lam = [_dyadic(x) for x in _project(points, on, sign * np.array([float(s) for s in sums]))[1]]
                length = _length(exact, on, [sign * s for s in sums], lam)
                multipliers[_name(sign, on)] = lam
            longest = max(longest, length)
    factor = Fraction(isqrt(int(UNIT * UNIT * penalty**2 / longest)), UNIT)
    scaled = {name: tuple(factor * x for x in lam) for name, lam in multipliers.items()}
    return tuple(factor * n for n in nu), scaled


def _length(points: Sequence[Vector], on: np.ndarray, sums: Sequence[Fraction], lam: Sequence[Fraction]) -> Fraction:
    """The squared length of sum_(g on) sums_g x_g + sum_g lam_g (x_g if on, else -x_g)."""
    scales = [s + x if o else -x for o, s, x in zip(on, sums, lam, strict=True)]
    return sum(
        (
            sum((k * v for k, v in zip(scales, column, strict=True)), start=Fraction(0)) ** 2
            for column in zip(*points, strict=True)
        ),
        start=Fraction(0),
    )


def _dyadic(value: float) -> Fraction:
    return Fraction(round(value * UNIT), UNIT)


def multipliers_json(multipliers: Mapping[str, Vector]) -> dict[str, list[str]]:
    """The multipliers as a certificate writes them."""
    return {name: [str(x) for x in lam] for name, lam in multipliers.items()}
