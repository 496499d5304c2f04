"""Circuits: sets of hidden units on the graph of a net, and the surgery on them (docs/DESIGN.md, section 2).

It is train-idle when each unit outside that reads it receives a constant from it on the training inputs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple, assert_never

import networkx as nx

from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import Affine, FloatAffine, RationalAffine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Number, Numbers, Vector, dot, rational, vector

__all__ = [
    "Unit",
    "add_unit",
    "fires",
    "free",
    "hardcode",
    "hidden_units",
    "idle_value",
    "is_idle",
    "prune",
    "readers",
    "reassign",
    "to_graph",
]


class Unit(NamedTuple):
    """Unit `index` of `layer`: layer 0 is the input, the last layer the output, hidden ones between."""

    layer: int
    # Hides the method that every tuple has, which no unit needs.
    index: int  # type: ignore[assignment]


Circuit = frozenset[Unit]


def to_graph(net: MLP) -> nx.DiGraph:
    """The net as a graph: units as nodes (attributes `kind`, `bias`), weights as edges (`weight`)."""
    graph = nx.DiGraph()
    last = len(net.layers)
    for layer, width in enumerate(net.widths):
        kind = "input" if layer == 0 else "output" if layer == last else "hidden"
        for index in range(width):
            bias = net.layers[layer - 1].bias[index] if layer else None
            graph.add_node(Unit(layer, index), kind=kind, bias=bias, layer=layer)
    for unit in list(graph):
        for reader in readers(net, unit):
            graph.add_edge(unit, reader, weight=_weight(net, unit, reader))
    return graph


def readers(net: MLP | FloatNet, unit: Unit) -> tuple[Unit, ...]:
    """The units that read this one's value, whatever the weight; no other place knows which they are.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> readers(shallow([([1], 0, [1, 0])], [0, 0]), Unit(1, 0))
    (Unit(layer=2, index=0), Unit(layer=2, index=1))
    """
    if unit.layer == len(net.layers):
        return ()
    above = net.layers[unit.layer]
    match above:
        case Affine() | FloatAffine() | RationalAffine():
            return tuple(Unit(unit.layer + 1, k) for k in range(above.fan_out))
        case _:
            assert_never(above)


def _weight(net: MLP, unit: Unit, reader: Unit) -> Fraction:
    """What the reader multiplies the unit's value by."""
    above = net.layers[unit.layer]
    match above:
        case Affine():
            return above.weights[reader.index][unit.index]
        case _:
            assert_never(above)


def hidden_units(net: MLP) -> tuple[Unit, ...]:
    """The hidden units, layer by layer."""
    return tuple(Unit(layer, i) for layer, width in enumerate(net.widths[1:-1], 1) for i in range(width))


def _circuit(net: MLP, circuit: Iterable[tuple[int, int]]) -> Circuit:
    units = frozenset(Unit(*unit) for unit in circuit)
    if not units:
        raise ValueError("a circuit has at least one unit")
    if strangers := units - set(hidden_units(net)):
        raise ValueError(f"not hidden units of the net: {sorted(strangers)}")
    return units


def _boundary(net: MLP, circuit: Circuit) -> dict[Unit, list[Unit]]:
    """Each unit outside the circuit that reads from it, with the units it reads."""
    boundary: dict[Unit, list[Unit]] = {}
    for unit in sorted(circuit):
        for reader in readers(net, unit):
            if reader not in circuit:
                boundary.setdefault(reader, []).append(unit)
    return boundary


def _received(net: MLP, boundary: Mapping[Unit, list[Unit]], z: Vector) -> dict[Unit, Fraction]:
    """What each boundary unit receives from the circuit at input z."""
    values = net.activations(z)
    return {
        reader: dot([_weight(net, u, reader) for u in sources], [values[u.layer][u.index] for u in sources])
        for reader, sources in boundary.items()
    }


def idle_value(net: MLP, circuit: Iterable[tuple[int, int]], inputs: Iterable[Numbers]) -> dict[Unit, Fraction] | None:
    """What every unit outside receives from the circuit, if that is constant on `inputs`; else None.

    Raises
    ------
    ValueError
        If the circuit is empty or not made of hidden units, or there is no input.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> net = shallow([([1], -9, [1]), ([1], 0, [1])], [0])
    >>> idle_value(net, {(1, 0)}, [[0], [1]])
    {Unit(layer=2, index=0): Fraction(0, 1)}
    >>> idle_value(net, {(1, 1)}, [[0], [1]]) is None
    True
    """
    boundary = _boundary(net, _circuit(net, circuit))
    received = [_received(net, boundary, vector(z)) for z in inputs]
    if not received:
        raise ValueError("idleness needs at least one input")
    return received[0] if all(row == received[0] for row in received) else None


def is_idle(net: MLP, circuit: Iterable[tuple[int, int]], inputs: Iterable[Numbers]) -> bool:
    """Whether the circuit is train-idle on `inputs`."""
    return idle_value(net, circuit, inputs) is not None


def fires(net: MLP, circuit: Iterable[tuple[int, int]], inputs: Iterable[Numbers], z: Numbers) -> bool:
    """Whether a train-idle circuit sends at z something else than it sends on `inputs`.

    Raises
    ------
    ValueError
        If the circuit is not train-idle.
    """
    value = idle_value(net, circuit, inputs)
    if value is None:
        raise ValueError("the circuit is not train-idle, so firing is not defined")
    return _received(net, _boundary(net, _circuit(net, circuit)), vector(z)) != value


def hardcode(net: MLP, circuit: Iterable[tuple[int, int]], value: Mapping[Unit, Number]) -> MLP:
    """Cut the circuit's outgoing edges and add to each reader's bias what it used to receive.

    `value` is what `idle_value` returned; any other mapping of the boundary gives other constants.
    """
    for target, sources in _boundary(net, _circuit(net, circuit)).items():
        row = list(net.layers[target.layer - 1].weights[target.index])
        for unit in sources:
            row[unit.index] = Fraction(0)
        bias = net.layers[target.layer - 1].bias[target.index] + rational(value[target])
        net = _with_unit(net, target, row, bias)
    return net


def free(net: MLP, incoming: Mapping[Unit, tuple[Numbers, Number]]) -> MLP:
    """Give the units other incoming weights and biases: {unit: (w, b)}.

    Raises
    ------
    ValueError
        If a unit is no hidden unit of the net, or its weights are not one for each unit of the layer below.
    """
    if incoming:
        _circuit(net, incoming)
    for unit, (weights, bias) in incoming.items():
        net = _with_unit(net, Unit(*unit), vector(weights), rational(bias))
    return net


def reassign(net: MLP, units: Mapping[Unit, tuple[Numbers, Number, Numbers]]) -> MLP:
    """Give the units other parameters altogether: {unit: (w, b, outgoing weights)}.

    Raises
    ------
    ValueError
        As `free`, and if the outgoing weights are not one for each unit of the layer above.
    """
    net = free(net, {unit: (w, b) for unit, (w, b, _) in units.items()})
    for (layer, index), (_, _, outgoing) in units.items():
        for k, weight in enumerate(_of_length(net.widths[layer + 1], outgoing)):
            row = list(net.layers[layer].weights[k])
            row[index] = weight
            net = _with_unit(net, Unit(layer + 1, k), row, net.layers[layer].bias[k])
    return net


def add_unit(net: MLP, weights: Numbers, bias: Number, outgoing: Numbers) -> MLP:
    """A shallow net with one more hidden unit, the last: (w, b, outgoing weights).

    Raises
    ------
    ValueError
        If the net has not one hidden layer, or the weights do not fit it.
    """
    if len(net.layers) != 2:
        raise ValueError("a unit is added to a net of one hidden layer")
    hidden, output = net.layers
    column = _of_length(net.widths[-1], outgoing)
    return MLP(
        (
            Affine((*hidden.weights, vector(weights)), (*hidden.bias, bias)),
            Affine([(*row, a) for row, a in zip(output.weights, column, strict=True)], output.bias),
        )
    )


def prune(net: MLP, circuit: Iterable[tuple[int, int]]) -> MLP:
    """Remove the units: the net of the smaller architecture that a hardcoded circuit leaves.

    Raises
    ------
    ValueError
        If a layer would keep no unit.
    """
    gone = _circuit(net, circuit)
    keep = [[i for i in range(width) if Unit(layer, i) not in gone] for layer, width in enumerate(net.widths)]
    if not all(keep):
        raise ValueError("the circuit is a whole layer: pruning would disconnect the net")
    return MLP(
        tuple(
            Affine([[layer.weights[i][j] for j in keep[below]] for i in keep[below + 1]],
                  [layer.bias[i] for i in keep[below + 1]])
            for below, layer in enumerate(net.layers)
        )
    )  # fmt: skip


def _of_length(length: int, values: Numbers) -> Vector:
    found = vector(values)
    if len(found) != length:
        raise ValueError(f"{len(found)} weights where the net has {length}")
    return found


def _with_unit(net: MLP, unit: Unit, weights: Numbers, bias: Fraction) -> MLP:
    layer = net.layers[unit.layer - 1]
    rows, biases = list(layer.weights), list(layer.bias)
    rows[unit.index], biases[unit.index] = _of_length(net.widths[unit.layer - 1], weights), bias
    layers = list(net.layers)
    layers[unit.layer - 1] = Affine(tuple(rows), tuple(biases))
    return replace(net, layers=tuple(layers))
