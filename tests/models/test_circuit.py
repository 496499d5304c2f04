"""Circuits: surgery on idle circuits made on purpose, against a walk over the graph of the net."""

from fractions import Fraction

import networkx as nx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proof_of_absence.models.circuit import (
    Unit,
    fires,
    free,
    hardcode,
    hidden_units,
    idle_value,
    is_idle,
    prune,
    readers,
    reassign,
    to_graph,
)
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from tests.conftest import SMALL, datasets, idle_nets, nets, vectors


def walk(net, z):
    """Every unit's value, by a walk over the graph in topological order."""
    graph = to_graph(net)
    values = {}
    for unit in nx.topological_sort(graph):
        if graph.nodes[unit]["kind"] == "input":
            values[unit] = Fraction(z[unit.index])
            continue
        total = graph.nodes[unit]["bias"]
        for source, _, weight in graph.in_edges(unit, data="weight"):
            total += weight * values[source]
        values[unit] = max(total, Fraction(0)) if graph.nodes[unit]["kind"] == "hidden" else total
    return values


def sent(net, circuit, z):
    """What each unit outside the circuit receives from it, by the graph."""
    graph, values = to_graph(net), walk(net, z)
    result = {}
    for source, target, weight in graph.out_edges(circuit, data="weight"):
        if target not in circuit:
            result[target] = result.get(target, 0) + weight * values[source]
    return result


@st.composite
def deep_idle_nets(draw):
    """(net, circuit, data): a net of two or three hidden layers with a lane of one unit a layer,
    constant on the data.
    """
    data = draw(datasets())
    net = draw(
        nets((len(data.inputs[0]), *draw(st.lists(st.integers(1, 2), min_size=2, max_size=3)), len(data.targets[0])))
    )
    layers, last = [], len(net.layers) - 1
    for number, layer in enumerate(net.layers):
        rows = [(*row, draw(SMALL)) if number else row for row in layer.weights]
        bias = list(layer.bias)
        if number == 0:
            w = draw(vectors(net.widths[0]))
            reach = max(sum(a * b for a, b in zip(w, z, strict=True)) for z in data.inputs)
            rows.append(w)
            bias.append(-reach)
        elif number < last:
            # Reads the lane alone, so it is constant too, at relu of its bias.
            rows.append((*[0] * net.widths[number], draw(SMALL)))
            bias.append(draw(SMALL))
        layers.append(Affine(rows, bias))
    circuit = frozenset(Unit(layer, net.widths[layer]) for layer in range(1, last + 1))
    return MLP(tuple(layers)), circuit, data


ANY_IDLE = st.one_of(idle_nets(), idle_nets(d=2, m=2), deep_idle_nets())


@given(st.data())
def test_the_graph_computes_the_net(data):
    net = data.draw(nets())
    z = data.draw(vectors(net.widths[0]))
    values, graph = walk(net, z), to_graph(net)
    last = len(net.layers)
    assert tuple(values[Unit(last, k)] for k in range(net.widths[-1])) == net(z)
    assert graph.number_of_nodes() == sum(net.widths)
    assert {u for u, kind in graph.nodes(data="kind") if kind == "hidden"} == set(hidden_units(net))


@given(ANY_IDLE)
def test_hardcoding_an_idle_circuit_keeps_every_train_output(case):
    net, circuit, data = case
    value = idle_value(net, circuit, data.inputs)
    assert value == sent(net, circuit, data.inputs[0]) and is_idle(net, circuit, data.inputs)
    cut = hardcode(net, circuit, value)
    assert [cut(z) for z in data.inputs] == [net(z) for z in data.inputs]
    assert data.loss(cut) == data.loss(net) and cut.widths == net.widths


@given(ANY_IDLE, st.data())
def test_a_hardcoded_copy_differs_only_where_the_circuit_fires(case, more):
    net, circuit, data = case
    z = more.draw(vectors(net.widths[0], st.integers(-50, 50)))
    value = idle_value(net, circuit, data.inputs)
    firing = fires(net, circuit, data.inputs, z)
    assert firing == (sent(net, circuit, z) != value)
    same = hardcode(net, circuit, value)(z) == net(z)
    assert same or firing
    if len(net.layers) == 2:
        assert same != firing


@given(ANY_IDLE, st.data())
def test_freed_parameters_change_nothing_anywhere(case, more):
    net, circuit, data = case
    cut = hardcode(net, circuit, idle_value(net, circuit, data.inputs))
    freed = free(cut, {u: (more.draw(vectors(net.widths[u.layer - 1])), more.draw(SMALL)) for u in sorted(circuit)})
    z = more.draw(vectors(net.widths[0], st.integers(-50, 50)))
    assert freed(z) == cut(z)
    small = prune(cut, circuit)
    assert small(z) == cut(z)
    assert sum(small.widths[1:-1]) == sum(net.widths[1:-1]) - len(circuit)


@given(st.data())
def test_idleness_by_the_definition(data):
    net = data.draw(nets((1, 2, 2, 1), st.integers(-2, 2)))
    circuit = data.draw(st.sets(st.sampled_from(hidden_units(net)), min_size=1))
    inputs = data.draw(st.lists(vectors(1, st.integers(-2, 2)), min_size=1, max_size=3))
    received = [sent(net, circuit, z) for z in inputs]
    assert is_idle(net, circuit, inputs) == all(row == received[0] for row in received)


def test_a_circuit_that_is_idle_only_jointly():
    bump = shallow([([1], 1, [1]), ([1], 0, [-2]), ([1], -1, [1])], [7])
    inputs = [[-5], [-1], [1], [2], [9]]
    units = set(hidden_units(bump))
    assert idle_value(bump, units, inputs) == {Unit(2, 0): 0}
    assert not any(is_idle(bump, {u}, inputs) for u in units)
    assert fires(bump, units, inputs, [0]) and not fires(bump, units, inputs, ["7/3"])
    with pytest.raises(ValueError, match="firing is not defined"):
        fires(bump, {(1, 0)}, inputs, [0])


def test_a_constant_that_is_not_zero_goes_to_the_bias():
    net = shallow([([0], 3, [2, -1]), ([1], 0, [1, 1])], [5, 5])
    cut = hardcode(net, {(1, 0)}, idle_value(net, {(1, 0)}, [[0], [4]]))
    assert cut == shallow([([0], 3, [0, 0]), ([1], 0, [1, 1])], [11, 2])


@given(nets((2, 3, 2)), st.data())
def test_reassign_sets_exactly_the_units_parameters(net, data):
    chosen = data.draw(st.sets(st.integers(0, 2), min_size=1))
    new = {j: (data.draw(vectors(2)), data.draw(SMALL), data.draw(vectors(2))) for j in chosen}
    hidden, output = net.layers
    old = {j: (hidden.weights[j], hidden.bias[j], [row[j] for row in output.weights]) for j in range(3)}
    expected = shallow([(old | new)[j] for j in range(3)], output.bias)
    assert reassign(net, {Unit(1, j): parameters for j, parameters in new.items()}) == expected


@given(nets((2, 3, 2)), vectors(2), st.data())
def test_hardcoding_other_constants_sends_those(net, z, data):
    circuit = {Unit(1, 0), Unit(1, 2)}
    value = {Unit(2, k): data.draw(SMALL) for k in range(2)}
    shift = sent(net, circuit, z)
    expected = tuple(f - shift[Unit(2, k)] + value[Unit(2, k)] for k, f in enumerate(net(z)))
    assert hardcode(net, circuit, value)(z) == expected


NET = shallow([([1], 0, [1]), ([1], -1, [1])], [0])


@pytest.mark.parametrize("circuit", [{(0, 0)}, {(2, 0)}, {(1, 2)}, {(1, -1)}, {(1, 0), (3, 0)}])
def test_strangers_are_refused(circuit):
    for surgery in (
        lambda: idle_value(NET, circuit, [[0]]),
        lambda: hardcode(NET, circuit, {}),
        lambda: prune(NET, circuit),
    ):
        with pytest.raises(ValueError, match="not hidden units of the net"):
            surgery()


def test_empty_circuits_inputs_and_layers_are_refused():
    with pytest.raises(ValueError, match="at least one unit"):
        is_idle(NET, set(), [[0]])
    with pytest.raises(ValueError, match="at least one input"):
        is_idle(NET, {(1, 0)}, [])
    with pytest.raises(ValueError, match="disconnect the net"):
        prune(NET, {(1, 0), (1, 1)})


@pytest.mark.parametrize("unit", [(0, 0), (1, -1), (2, 0)])
def test_only_hidden_units_can_be_freed(unit):
    with pytest.raises(ValueError, match="not hidden units of the net"):
        free(NET, {unit: ([0] * (1 if unit[0] == 1 else 2), 1)})


def test_reassigning_too_few_outgoing_weights_is_refused():
    net = shallow([([1], 0, [1, 1])], [0, 0])
    with pytest.raises(ValueError):
        reassign(net, {(1, 0): ([1], 0, [5])})


def test_freeing_with_other_fan_in_is_refused():
    with pytest.raises(ValueError):
        free(shallow([([1], 0, [1])], [0]), {(1, 0): ([1, 2, 3], 0)})


@given(idle_nets(), st.data())
def test_a_silent_unit_fires_beyond_the_data(case, more):
    _, _, data = case
    threshold = max(z[0] for z in data.inputs)
    send = more.draw(SMALL)
    assume(send != 0)
    net = shallow([([1], -threshold, [send])], [0])
    assert fires(net, {(1, 0)}, data.inputs, [threshold + 1])
    assert not fires(net, {(1, 0)}, data.inputs, [threshold - 1])


@given(nets())
def test_readers_are_the_units_of_the_layer_above(net):
    for unit in to_graph(net):
        width = (*net.widths, 0)[unit.layer + 1]
        assert readers(net, unit) == tuple(Unit(unit.layer + 1, k) for k in range(width))
