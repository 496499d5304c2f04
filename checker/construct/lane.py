"""C16 as an algorithm: reassign a train-idle circuit of a deep net by a lane, one unit a layer,
that carries a new unit to the output.
"""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from proof_of_absence.checker.construct.reassignment import Lowered, hardcoded
from proof_of_absence.checker.construct.separating_unit import separating_unit
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.circuit import Unit, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, relu
from proof_of_absence.models.rational import Vector

__all__ = ["lane_of", "lane_reassignment"]


def lane_of(net: MLP, circuit: Iterable[tuple[int, int]]) -> list[Unit]:
    """The longest lane in the circuit: one unit on each layer from some layer up to the last hidden one,
    the foot first.

    Raises
    ------
    ValueError
        If the circuit has no unit on the last hidden layer: its values then reach the output through other units only.
    """
    first: dict[int, Unit] = {}
    for unit in sorted(Unit(*unit) for unit in circuit):
        first.setdefault(unit.layer, unit)
    lane: list[Unit] = []
    for layer in range(len(net.layers) - 1, 0, -1):
        if layer not in first:
            break
        lane.insert(0, first[layer])
    if not lane:
        raise ValueError("the circuit has no unit on the last hidden layer: there is no lane to the output")
    return lane


def lane_reassignment(net: MLP, circuit: Iterable[tuple[int, int]], data: Dataset) -> Lowered | None:
    """Lower the loss in the circuit's parameters and the biases that read from it.

    The foot of the lane becomes a separating unit of the values on the layer below it; every later unit of the lane
    reads the one before with weight 1, and the output reads the last with the best weight (C5). None where the
    residuals sum to 0 on each group of examples that agree on those values: no unit at the foot can help then.

    Raises
    ------
    ValueError
        If the circuit is not train-idle on the data, or holds no lane.
    """
    circuit, cut = hardcoded(net, circuit, data)
    lane = lane_of(net, circuit)
    below = [cut.activations(z)[lane[0].layer - 1] for z in data.inputs]
    sums: dict[Vector, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * net.widths[-1])
    for features, row in zip(below, data.residuals(cut), strict=True):
        sums[features] = [a + r for a, r in zip(sums[features], row, strict=True)]
    unit = separating_unit(list(sums), [tuple(row) for row in sums.values()])
    if unit is None:
        return None
    norm = sum((relu(inner(unit.weights, features) + unit.bias) ** 2 for features in below), Fraction(0))
    parameters = {}
    for at, here in enumerate(lane):
        weights, bias, outgoing = unit.weights, unit.bias, tuple(s / norm for s in unit.inner_products)
        if at > 0:
            weights, bias = _only(lane[at - 1].index, net.widths[here.layer - 1]), Fraction(0)
        if here != lane[-1]:
            outgoing = _only(lane[at + 1].index, net.widths[here.layer + 1])
        parameters[here] = (weights, bias, outgoing)
    drop = inner(unit.inner_products, unit.inner_products) / norm / len(data)
    return Lowered(reassign(cut, parameters), drop)


def _only(index: int, size: int) -> Vector:
    """1 at one place, 0 elsewhere."""
    return tuple(Fraction(int(j == index)) for j in range(size))
