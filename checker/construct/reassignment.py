"""C5 to C7 as algorithms: one more unit, or a train-idle circuit reassigned, lowers the loss.
No solver; all is exact.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from proof_of_absence.checker.construct.separating_unit import SeparatingUnit, residual_sums, separating_unit
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.circuit import Unit, add_unit, hardcode, idle_value, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, relu
from proof_of_absence.models.rational import Vector

__all__ = ["Lowered", "hardcoded", "reassignment", "widening"]


class Lowered(NamedTuple):
    """A net, and by how much exactly its loss is lower than that of the net it was made from."""

    net: MLP
    drop: Fraction


def reassignment(net: MLP, circuit: Iterable[tuple[int, int]], data: Dataset) -> Lowered | None:
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
    return Lowered(reassign(cut, {min(circuit): (unit.weights, unit.bias, outgoing)}), drop)


def widening(net: MLP, data: Dataset) -> Lowered | None:
    """Add one hidden unit to a shallow net so that its loss is lower (C6); None where it is the noise floor."""
    if len(net.layers) != 2:
        raise ValueError("widening is proved for one hidden layer")
    if (best := _best_unit(net, data)) is None:
        return None
    unit, outgoing, drop = best
    return Lowered(add_unit(net, unit.weights, unit.bias, outgoing), drop)


def hardcoded(net: MLP, circuit: Iterable[tuple[int, int]], data: Dataset) -> tuple[frozenset[Unit], MLP]:
    """A train-idle circuit, and the net with what it sends hardcoded, so that its parameters are free (C2, C3).

    Raises
    ------
    ValueError
        If the circuit is not train-idle on the data.
    """
    units = frozenset(Unit(*unit) for unit in circuit)
    value = idle_value(net, units, [group.input for group in data.groups])
    if value is None:
        raise ValueError("the circuit is not train-idle on the data")
    return units, hardcode(net, units, value)


def _best_unit(net: MLP, data: Dataset) -> tuple[SeparatingUnit, Vector, Fraction] | None:
    """A separating unit, its optimal output weights s/<phi, phi> (C5), and the drop of the loss."""
    points = [group.input for group in data.groups]
    unit = separating_unit(points, residual_sums(net, data))
    if unit is None:
        return None
    phi = [relu(inner(unit.weights, group.input) + unit.bias) for group in data.groups]
    norm = sum((group.multiplicity * p**2 for group, p in zip(data.groups, phi, strict=True)), Fraction(0))
    outgoing = tuple(s / norm for s in unit.inner_products)
    return unit, outgoing, inner(unit.inner_products, unit.inner_products) / norm / len(data)
