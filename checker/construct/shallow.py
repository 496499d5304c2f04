"""The constructive proofs as algorithms: direction, separating unit, descent, reassignment, elimination. No solver.

All is exact; the cost is one sort and one pass over the data for each direction tried.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from proof_of_absence.models.circuit import Unit, add_unit, hardcode, idle_value, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, Layer, relu
from proof_of_absence.models.rational import Vector

__all__ = [
    "Reassignment",
    "SeparatingUnit",
    "distinct_direction",
    "dot",
    "eliminate",
    "hardcoded",
    "reassignment",
    "residual_sums",
    "separating_unit",
    "widening",
]


class SeparatingUnit(NamedTuple):
    """w, b and the inner products sum_i r_ik relu(w . z_i + b), one for each output k, not all zero."""

    weights: Vector
    bias: Fraction
    inner_products: Vector


class Reassignment(NamedTuple):
    """The net with its circuit reassigned, and by how much its loss is lower."""

    net: MLP
    drop: Fraction


def dot(left: Iterable[Fraction], right: Iterable[Fraction]) -> Fraction:
    """The inner product."""
    return sum((a * b for a, b in zip(left, right, strict=True)), start=Fraction(0))


def distinct_direction(points: Sequence[Vector]) -> Vector:
    """A direction along which the distinct points have distinct projections.

    Two points project alike along (1, t, t^2, ..) for at most d - 1 values of t, so one of the first
    (d - 1) G (G - 1) / 2 + 1 naturals serves.

    Raises
    ------
    ValueError
        If two points are equal.

    Examples
    --------
    >>> distinct_direction([(0, 1), (1, 0)])
    (1, 0)
    """
    if len(set(points)) < len(points):
        raise ValueError("two of the points are equal: no direction tells them apart")
    dimension = len(points[0])
    for t in range((dimension - 1) * len(points) * (len(points) - 1) // 2 + 1):
        direction = tuple(t**k for k in range(dimension))
        if len({dot(direction, point) for point in points}) == len(points):
            return direction
    raise AssertionError("the moment curve left every candidate degenerate")


def separating_unit(points: Sequence[Vector], residuals: Sequence[Vector]) -> SeparatingUnit | None:
    """A hidden unit whose inner product with the residuals is not zero (C4), or None if they all are.

    Parameters
    ----------
    points
        Distinct inputs, shape (G, d).
    residuals
        Residual sums at these inputs, shape (G, m).
    """
    if not any(any(row) for row in residuals):
        return None
    direction = distinct_direction(points)
    line = sorted((dot(direction, point), row) for point, row in zip(points, residuals, strict=True))
    top = max(i for i, (_, row) in enumerate(line) if any(row))
    # Above the threshold stand the top group, and groups whose residual is zero.
    below = line[top - 1][0] if top else line[top][0] - 2
    threshold = Fraction(line[top][0] + below) / 2
    weight = line[top][0] - threshold
    return SeparatingUnit(tuple(map(Fraction, direction)), -threshold, tuple(weight * r for r in line[top][1]))


def residual_sums(net: MLP, data: Dataset) -> list[Vector]:
    """The sum of the residuals at each distinct input, in the order of the groups; shape (G, m)."""
    return [
        tuple(group.multiplicity * r for r in row)
        for group, row in zip(data.groups, data.group_residuals(net), strict=True)
    ]


def _best_unit(net: MLP, data: Dataset) -> tuple[SeparatingUnit, Vector, Fraction] | None:
    """A separating unit, its optimal output weights s/<phi, phi> (C5), and the drop of the loss."""
    points = [group.input for group in data.groups]
    unit = separating_unit(points, residual_sums(net, data))
    if unit is None:
        return None
    norm = sum(group.multiplicity * relu(dot(unit.weights, group.input) + unit.bias) ** 2 for group in data.groups)
    outgoing = tuple(s / norm for s in unit.inner_products)
    return unit, outgoing, sum(s * s for s in unit.inner_products) / norm / len(data)


def hardcoded(net: MLP, circuit: Iterable, data: Dataset) -> tuple[frozenset[Unit], MLP]:
    """A train-idle circuit, and the net with what it sends hardcoded, so that its parameters are free (C2, C3).

    Raises
    ------
    ValueError
        If the circuit is not train-idle on the data.
    """
    circuit = frozenset(Unit(*unit) for unit in circuit)
    value = idle_value(net, circuit, [group.input for group in data.groups])
    if value is None:
        raise ValueError("the circuit is not train-idle on the data")
    return circuit, hardcode(net, circuit, value)


def reassignment(net: MLP, circuit: Iterable, data: Dataset) -> Reassignment | None:
    """Reuse a train-idle circuit of a shallow net to lower its loss (C7); None where the loss is the noise floor.

    One unit of the circuit becomes a separating unit; the others are disconnected.

    Raises
    ------
    ValueError
        If the net is not shallow, or the circuit is not train-idle on the data.
    """
    if len(net.layers) != 2:
        raise ValueError("reassignment is proved for one hidden layer")
    circuit, cut = hardcoded(net, circuit, data)
    if (best := _best_unit(net, data)) is None:
        return None
    unit, outgoing, drop = best
    return Reassignment(reassign(cut, {min(circuit): (unit.weights, unit.bias, outgoing)}), drop)


def eliminate(net: MLP, unit: Unit, coefficients: Sequence[Fraction], inputs: Iterable[Vector]) -> MLP:
    """Give a unit of a shallow net output weight 0 without changing an output on the inputs (C9).

    Parameters
    ----------
    coefficients
        (v_0, v_1 .. v_n) with v_0 + sum_j v_j phi_j(z) = 0 at every input z, and v_j not 0 for the unit to eliminate.

    Raises
    ------
    ValueError
        If the net is not shallow, or the coefficients are not such.
    """
    if len(net.layers) != 2:
        raise ValueError("elimination is proved for one hidden layer")
    constant, *rest = coefficients
    if len(rest) != net.widths[1] or not rest[unit.index]:
        raise ValueError(
            "the relation needs a coefficient for each unit, and one that is not 0 for the eliminated unit"
        )
    hidden, output = net.layers
    if any(constant + dot(rest, map(relu, hidden(z))) for z in inputs):
        raise ValueError("the relation does not hold at every input")
    shares = [row[unit.index] / rest[unit.index] for row in output.weights]
    rows = [
        [a - v * share for a, v in zip(row, rest, strict=True)]
        for row, share in zip(output.weights, shares, strict=True)
    ]
    bias = [c - constant * share for c, share in zip(output.bias, shares, strict=True)]
    return MLP((hidden, Layer(rows, bias)))


def widening(net: MLP, data: Dataset) -> Reassignment | None:
    """Add one hidden unit to a shallow net so that its loss is lower (C6); None where it is the noise floor."""
    if len(net.layers) != 2:
        raise ValueError("widening is proved for one hidden layer")
    if (best := _best_unit(net, data)) is None:
        return None
    unit, outgoing, drop = best
    return Reassignment(add_unit(net, unit.weights, unit.bias, outgoing), drop)
