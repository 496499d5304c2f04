"""C12 as an algorithm: a gauge of the inputs, the explicit constant c(X),
and a unit along the gauge that gains c(X) (L - E) at least.

All is exact; the cost is one sort and one sweep over the distinct inputs.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from proof_of_absence.checker.construct.reassignment import Lowered, hardcoded
from proof_of_absence.checker.construct.separating_unit import distinct_direction, residual_sums
from proof_of_absence.checker.kernel.certificate import data_json, net_json, units_json
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.circuit import add_unit, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Numbers, Vector, vector

__all__ = ["Gauge", "best_unit", "gauge", "reassignment_along", "uniform_gap", "widening_along"]


class Gauge(NamedTuple):
    """A direction along which distinct inputs project at least `separation` (h) and at most `spread` (D) apart."""

    direction: Vector
    separation: Fraction
    spread: Fraction

    def gap(self, count: int) -> Fraction:
        """c(X) = h^2 / (18 N^2 (D + h)^2) for `count` = N examples.

        Examples
        --------
        >>> gauge([(0,), (1,), (3,)]).gap(3)
        Fraction(1, 2592)
        """
        return self.separation**2 / (18 * count**2 * (self.spread + self.separation) ** 2)


def gauge(points: Sequence[Vector], direction: Numbers | None = None) -> Gauge:
    """The gauge of distinct points along a direction.

    Any direction that keeps the points apart serves; c(X) is the larger, the more even the projections are. If none is
    given, that of C4 and one in mixed radix are tried: the latter is better where the coordinates take few values.

    Raises
    ------
    ValueError
        If there is no point, or two points have the same projection.

    Examples
    --------
    >>> gauge([(0, 0), (0, 1), (1, 0), (1, 1)]).direction
    (Fraction(1, 1), Fraction(2, 1))
    """
    points = [vector(point) for point in points]
    if not points:
        raise ValueError("a gauge needs at least one point")
    if direction is not None:
        return _gauge(points, vector(direction))
    tried = [_gauge(points, vector(w)) for w in (distinct_direction(points), _mixed_radix(points))]
    return max(tried, key=lambda found: found.gap(1))


def _gauge(points: list[Vector], w: Vector) -> Gauge:
    line = sorted(inner(w, point) for point in points)
    if any(a == b for a, b in pairwise(line)):
        raise ValueError("two points have the same projection along the direction")
    # One point alone is separated from nothing; then c(X) is 1 / (18 N^2) whatever h is.
    return Gauge(w, min((b - a for a, b in pairwise(line)), default=Fraction(1)), line[-1] - line[0])


def _mixed_radix(points: list[Vector]) -> Vector:
    """Each coordinate weighs so much that its least step exceeds the spread of those before it by their least step.

    A coordinate that tells no points apart which those before it do not is left out.
    """
    line = [Fraction(0)] * len(points)
    w = []
    for column in zip(*points, strict=True):
        known = sorted(set(line))
        if len(set(zip(line, column, strict=True))) == len(known):
            w.append(Fraction(0))
            continue
        step = min(b - a for a, b in pairwise(sorted(set(column))))
        least = min((b - a for a, b in pairwise(known)), default=step)
        w.append((known[-1] - known[0] + least) / step)
        line = [at + w[-1] * x for at, x in zip(line, column, strict=True)]
    return tuple(w)


class _Best(NamedTuple):
    """Bias and output weights of a unit along the gauge, and by how much it lowers the loss."""

    bias: Fraction
    outgoing: Vector
    drop: Fraction


def best_unit(net: MLP, data: Dataset, along: Gauge) -> _Best | None:
    """The unit of the proof of C12 that gains most; None where every group residual is 0.

    The proof bends a unit at the projection of some input, or h below or above it: 3 G units are tried.
    """
    if len(net.layers) != 2:
        raise ValueError("the uniform gap is proved for one hidden layer")
    w, h, _ = along
    sums = residual_sums(net, data)
    rest = sorted((inner(w, g.input), g.multiplicity, row) for g, row in zip(data.groups, sums, strict=True))
    bends = sorted({p + e for p, _, _ in rest for e in (-h, Fraction(0), h)}, reverse=True)
    # Over the inputs above the bend: sums of nu, nu p, nu p^2, of the residuals, and of p times the residuals.
    weight, first, second = 0, Fraction(0), Fraction(0)
    plain, moment = [Fraction(0)] * len(sums[0]), [Fraction(0)] * len(sums[0])
    best = None
    for bend in bends:
        while rest and rest[-1][0] > bend:
            p, nu, row = rest.pop()
            weight, first, second = weight + nu, first + nu * p, second + nu * p * p
            plain = [a + r for a, r in zip(plain, row, strict=True)]
            moment = [a + p * r for a, r in zip(moment, row, strict=True)]
        if not weight:
            continue
        s = [m - bend * r for m, r in zip(moment, plain, strict=True)]
        norm = second - 2 * bend * first + bend**2 * weight
        drop = sum(x * x for x in s) / norm / len(data)
        if best is None or drop > best.drop:
            best = _Best(-bend, tuple(x / norm for x in s), drop)
    return best if best and best.drop else None


def widening_along(net: MLP, data: Dataset, along: Gauge) -> Lowered | None:
    """One more unit, along the gauge, that lowers the loss by c(X) (L - E) at least; None where L = E."""
    if (best := best_unit(net, data, along)) is None:
        return None
    return Lowered(add_unit(net, along.direction, best.bias, best.outgoing), best.drop)


def reassignment_along(net: MLP, circuit: Iterable[tuple[int, int]], data: Dataset, along: Gauge) -> Lowered | None:
    """Reuse a train-idle circuit so that the loss is lower by c(X) (L - E) at least; None where L = E.

    Raises
    ------
    ValueError
        If the net is not shallow, or the circuit is not train-idle on the data.
    """
    circuit, cut = hardcoded(net, circuit, data)
    if (best := best_unit(net, data, along)) is None:
        return None
    return Lowered(reassign(cut, {min(circuit): (along.direction, best.bias, best.outgoing)}), best.drop)


def uniform_gap(
    net: MLP, after: MLP, data: Dataset, along: Gauge, circuit: Iterable[tuple[int, int]] | None = None
) -> dict[str, Any]:
    """The fact that `after` gains c(X) (L - E) at least: by one more unit, or in the parameters of an idle circuit."""
    fact = {
        "kind": "uniform-gap",
        "net": net_json(net),
        "after": net_json(after),
        "data": data_json(data),
        "direction": [str(x) for x in along.direction],
        "separation": str(along.separation),
        "spread": str(along.spread),
        "gap": str(along.gap(len(data))),
        "drop": str(data.loss(net) - data.loss(after)),
    }
    return fact if circuit is None else fact | {"circuit": units_json(circuit)}
