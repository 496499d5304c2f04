"""C12 on a dataset: a gauge of its inputs with a large gap, verified exactly, and what the gap says about this net."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from proof_of_absence.checker.audit.findings import CircuitFinding, Enclosure, Prices
from proof_of_absence.checker.construct.gap import Gauge
from proof_of_absence.checker.construct.separating_unit import distinct_direction
from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.passes.enclosure import enclose
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["gauge", "priced", "prices"]

STEPS = 3
SEED = 20261124
# Projections that float64 cannot order are computed exactly, up to this many entries of the inputs for one direction.
EXACT = 2**20
# The moment curve takes exact projections of all inputs for each t.
CURVE = 2**15


def prices(
    net: FloatNet,
    inputs: np.ndarray,
    loss: Enclosure,
    floor: Enclosure,
    circuits: Sequence[CircuitFinding] = (),
) -> Prices | None:
    """What C12 says about a net with this loss and these idle circuits; None if it is not shallow or no gauge is found.

    C12 (Coq: C12_gain) says of every theta in S_n that some net of S_(n+1) has loss at most L - c (L - E), c the gap.
    Taken k times, some net of S_(n+k) has loss at most E + (1 - c)^k (L - E), which is `steps[k-1]` = (1 - (1 - c)^k)
    (L - E) below L. Two readings:

    - if idle circuits free at least k units, theta has the loss of a net of S_(n-k) (C2, C3), so that bound is reached
      within S_n itself: theta overpays at least `steps[k-1]` for them. `freed` says up to which k that holds.
    - for k beyond `freed`, it takes a class of k - `freed` more units than this one, and says nothing of overpayment.

    `margin` is `steps[0]`, c (L - E). Of any net of S_n with a train-idle circuit and loss L', C12 says that some
    net of S_n has loss at most L' - c (L' - E); with L*(n-1) in place of L' on the right this is
    C12_not_eps_minimiser. L*(n-1) is unknown here and no bound on it is used. The deception tax L*(n-k) - L*(n) is
    at least (1 - (1 - c)^k) (L*(n-k) - E).

    Parameters
    ----------
    inputs
        Shape (N, d), float64, finite.
    loss, floor
        What `losses` returned.
    circuits
        Train-idle, by whoever found them.
    """
    found = gauge(inputs) if len(net.layers) == 2 else None
    return None if found is None else priced(found, len(inputs), loss, floor, circuits)


def priced(found: Gauge, rows: int, loss: Enclosure, floor: Enclosure, circuits: Sequence[CircuitFinding]) -> Prices:
    """What `prices` makes of a gauge of the inputs, of which there are so many rows."""
    # Equal inputs count as often as they occur.
    c = found.gap(rows)
    taken: set = set()
    for circuit in circuits:
        if taken.isdisjoint(circuit.units):
            taken.update(circuit.units)
    excess = Enclosure(max(loss.low - floor.high, Fraction(0)), loss.high - floor.low)
    parts = [1 - (1 - c) ** k for k in range(1, STEPS + 1)]
    steps = tuple(Enclosure(part * excess.low, part * excess.high) for part in parts)
    return Prices(
        gap=c,
        direction=found.direction,
        spacing=found.separation,
        spread=found.spread,
        margin=steps[0],
        steps=steps,
        freed=len(taken),
    )


def gauge(inputs: np.ndarray) -> Gauge | None:
    """The gauge with the largest h / (D + h) among the directions tried, h and D exact.

    None if none tells the inputs apart.

    Tried: axes, the principal direction, digits of mixed radix (for inputs on a grid), random directions and
    changes of the best; on small data C4's moment curve, which cannot fail. Floats rank them; every number of
    the one returned is exact.
    """
    distinct = inputs[distinct_rows(inputs)]
    if len(distinct) == 1:
        return Gauge(tuple(map(Fraction, np.eye(inputs.shape[1])[0].tolist())), Fraction(1), Fraction(0))
    ranked = sorted(_ranked(distinct), key=lambda pair: -pair[0])
    for _, direction in looking(ranked[:4]):
        if (found := measure(distinct, direction)) is not None:
            return found
    if distinct.size <= CURVE:
        curve = distinct_direction([tuple(map(Fraction, z)) for z in distinct.tolist()])
        return _exactly(distinct, list(map(Fraction, curve)), range(len(distinct)))
    return None


def measure(distinct: np.ndarray, direction: np.ndarray) -> Gauge | None:
    """The exact h and D along a direction, for distinct inputs.

    None if two project alike, or too many cannot be ordered.

    Projections p are known to within rho. If g is the smallest distance of neighbours in floating-point order, the two
    inputs that are closest in truth have only distances of at most g + 4 rho between them in that order; so the exact
    projections of the inputs beside such a distance, and of those within 2 rho of either end, give h and D.
    """
    (ball,) = enclose(FloatNet(((direction[None], np.zeros(1)),)), distinct)
    p, rho = ball.values[:, 0], float(ball.radius.max())
    if not np.isfinite(rho) or not np.isfinite(p).all():
        return None
    order = np.argsort(p, kind="stable")
    line = p[order]
    steps = np.diff(line)
    # Wide enough for the roundings here: of differences and of this sum.
    limit = (float(steps.min()) + 4 * rho) * (1 + 2.0**-50)
    close = np.flatnonzero(steps <= limit)
    width = 2 * rho * (1 + 2.0**-50)
    ends = np.flatnonzero((line - line[0] <= width) | (line[-1] - line <= width))
    places = np.unique(np.concatenate([close, close + 1, ends]))
    if len(places) * distinct.shape[1] > EXACT:
        return None
    return _exactly(distinct, list(map(Fraction, direction.tolist())), order[places].tolist())


def _exactly(distinct: np.ndarray, direction: Sequence[Fraction], rows: Sequence[int]) -> Gauge | None:
    used = [k for k, w in enumerate(direction) if w]
    line = sorted(
        sum((direction[k] * Fraction(z[k]) for k in used), Fraction(0)) for z in (distinct[i].tolist() for i in rows)
    )
    spacing = min(b - a for a, b in pairwise(line))
    return Gauge(tuple(direction), spacing, line[-1] - line[0]) if spacing > 0 else None


def _ranked(distinct: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    """Directions with what floats make of h / (D + h); those under which they see two inputs coincide are left out."""
    rng = np.random.default_rng(SEED)
    best = (0.0, None)
    with np.errstate(all="ignore"):
        for direction in looking(_directions(distinct, rng)):
            scored = _score(distinct, direction)
            if scored[0] > 0:
                yield scored
                best = max(best, scored, key=lambda pair: pair[0])
        for scale in looking(np.geomspace(0.5, 1e-3, 24)):
            if best[1] is None:
                return
            noise = rng.standard_normal(len(best[1])) * np.abs(best[1]).max() * scale
            scored = _score(distinct, best[1] + noise)
            if scored[0] > best[0]:
                best = scored
                yield scored


def _directions(distinct: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    dimension = distinct.shape[1]
    centred = distinct - distinct.mean(axis=0)
    yield from np.eye(dimension)[np.argsort(-centred.std(axis=0), kind="stable")[:16]]
    if np.isfinite(centred).all():
        sample = centred[rng.permutation(len(centred))[:512]]
        yield np.linalg.svd(sample, full_matrices=False)[2][0]
    yield _digits(distinct)
    yield _digits(distinct[:, ::-1])[::-1]
    for _ in range(16):
        yield rng.standard_normal(dimension)


def _digits(distinct: np.ndarray) -> np.ndarray:
    """Weights of a number system in which each input of a grid is a number of its own."""
    weights, place = np.zeros(distinct.shape[1]), 1.0
    for k, column in enumerate(distinct.T):
        values = np.unique(column)
        if len(values) > 1:
            step = np.diff(values).min()
            weights[k] = place / step
            place *= (values[-1] - values[0]) / step + 1
    return weights


def _score(distinct: np.ndarray, direction: np.ndarray) -> tuple[float, np.ndarray]:
    """h / (D + h) as floats see it, for the direction cut to 24 binary digits of its largest entry."""
    largest = np.abs(direction).max()
    if not np.isfinite(largest) or largest == 0:
        return 0.0, direction
    power = 24 - int(np.frexp(largest)[1])
    direction = np.ldexp(np.rint(np.ldexp(direction, power)), -24)
    line = np.sort(distinct @ direction)
    spread = line[-1] - line[0]
    spacing = np.diff(line).min()
    score = spacing / (spread + spacing)
    return (float(score) if np.isfinite(score) else 0.0), direction
