"""Hardened graphs: what is cut of idle units is accepted; another change is refused, or changes no output."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.graph.engine import unit_findings
from proof_of_absence.checker.graph.harden import harden
from proof_of_absence.checker.graph.idle import unit_states
from proof_of_absence.checker.independent.kinds import graph_hardened as checker
from proof_of_absence.checker.independent.kinds.graph_hardened import graph_hardened
from proof_of_absence.checker.independent.kinds.graph_idle import graph_idle
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.graph_facts import hardened_fact
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import BatchNorm, Conv, Dense, MaxPool, Rearrange, Relu
from proof_of_absence.models.windows import Window
from tests.checker.changed import changed
from tests.checker.independent.kinds import graph_hardened as oracle
from tests.checker.independent.kinds import graph_idle as idle_oracle
from tests.checker.independent.kinds.test_graph_idle import (
    NAMES,
    accepted,
    changes,
    found,
    stated,
    still_at_times,
    subject,
)
from tests.graphs import graphs


def known(before, after, rows):
    """The hardened graph with the one before, and what is known of its units."""
    pair = subject(after, rows)
    pair.before = subject(before, rows).graph
    graph_idle(pair, *(found(after, rows, node) for node in after.activations))
    return pair


def fact_of(before, after, rows, deviation=Fraction(0)):
    left = {}
    for node in after.activations:
        skipped = idle_oracle.unread(after, node)
        every = enumerate(idle_oracle.columns(after, rows, node))
        left[node] = [e for e, values in every if len(set(values)) == 1 and e not in skipped]
    return hardened_fact(before, after, left, deviation)


def with_layer(net, number, **arrays):
    """The net with other weights or biases at a node."""
    old = net.nodes[number - 1].layer
    own = {"weights": old.weights, "bias": old.bias} | arrays
    new = Dense(**own) if isinstance(old, Dense) else Conv(**own, window=old.window, groups=old.groups)
    nodes = [replace(node, layer=new) if k == number else node for k, node in enumerate(net.nodes, 1)]
    return Graph(net.input_shape, nodes, net.dtype)


@given(graphs(names=NAMES, kinds=("halves", "near"), rows=3), st.data())
def test_any_weight_that_is_zeroed_is_decided_as_the_rationals_say(problem, data):
    net, rows = problem
    rows = still_at_times(data, rows)
    layers = [k for k, node in enumerate(net.nodes, 1) if isinstance(node.layer, Dense | Conv)]
    number = data.draw(st.sampled_from(layers))
    weights, bias = net.nodes[number - 1].layer.weights.copy(), net.nodes[number - 1].layer.bias.copy()
    at = data.draw(st.integers(0, weights[0].size - 1))
    first = net.values(list(map(Fraction, rows[0].tolist())))
    if isinstance(net.nodes[number - 1].layer, Dense) and data.draw(st.booleans()):
        # What the column sends at the first row goes into the bias.
        value = float(first[net.nodes[number - 1].reads[0]][at])
        bias += weights[:, at] * value
    weights.reshape(len(weights), -1)[:, at] = 0
    after = with_layer(net, number, weights=weights, bias=bias)
    fact = fact_of(net, after, rows)
    so = oracle.graph_hardened(net, after, rows, fact)
    assert accepted(graph_hardened, known(net, after, rows), fact) == so
    with pytest.MonkeyPatch.context() as patch:
        # Without exact outputs what is not made up node by node is not shown.
        patch.setattr(checker, "PATIENT", 0)
        assert so or not accepted(graph_hardened, known(net, after, rows), fact)
    path, value = data.draw(st.sampled_from([pair for pair in changes(fact) if pair[0]]))
    other = changed(fact, path, value) if repr(value) != repr(_at(fact, path)) else fact
    if accepted(graph_hardened, known(net, after, rows), other):
        assert oracle.graph_hardened(net, after, rows, other), (path, value)


@given(graphs(names=(*NAMES, "BatchNorm"), kinds=("halves", "near"), rows=3), st.data())
def test_what_a_hardening_cuts_is_shown_node_by_node(problem, data):
    net, rows = problem
    rows = still_at_times(data, rows)
    states = unit_findings(net, rows)
    if any(node.undecided for node in states):
        return
    made = harden(net, rows, states)
    pair = subject(made.graph, rows)
    pair.before = subject(net, rows).graph
    graph_idle(pair, *(stated(one, len(rows)) for one in unit_states(made.graph, rows)))
    left = {node: [one.entry for one in made.left if one.node == node] for node in net.activations}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checker, "PATIENT", 0)
        graph_hardened(pair, hardened_fact(net, made.graph, left))


def _at(fact, path):
    for key in path:
        fact = fact[key]
    return fact


# Channel 1 of the first convolution is dead; a pool and a convolution read it; unit 2 of the last layer sends 5.
NET = Graph((1, 4), [
    Node(Conv([[[1.0, -1.0]], [[1.0, 0.0]]], [0.5, -9.0], Window((2,), (3,))), (0,), "c"), Node(Relu(), (1,), "r"),
    Node(MaxPool(Window((2,), (2,))), (2,)), Node(Conv([[[1.0], [3.0]]], [0.25], Window((1,), (2,))), (3,)),
    Node(Rearrange([0, 1]), (4,)), Node(Dense([[1.0, 1], [-1, -2], [0, 0]], [0, 0, 5.0]), (5,)), Node(Relu(), (6,)),
    Node(Dense([[1.0, 1, 2]], [0.5]), (7,)),
], np.float32)  # fmt: skip
ROWS = np.array([[1.0, 2, 3, 0], [4, 0, 8, 1], [2, 2, 0, 5]])


def hardened():
    """The channel cut, and what sends 0 or 5, with the 10 in the bias."""
    one = with_layer(NET, 4, weights=np.array([[[1.0], [0.0]]]))
    return with_layer(one, 8, weights=np.array([[1.0, 0, 0]]), bias=np.array([10.5]))


@pytest.fixture
def made_up(monkeypatch):
    """Nothing is decided but node by node."""
    monkeypatch.setattr(checker, "PATIENT", 0)


@pytest.mark.usefixtures("made_up")
def test_what_is_cut_and_folded_is_shown_node_by_node():
    fact = fact_of(NET, hardened(), ROWS)
    assert fact["left"] == [] and fact["weights"] == [[4, 1], [8, 2]] and fact["biases"] == [[8, 1]]
    graph_hardened(known(NET, hardened(), ROWS), fact)
    one = with_layer(NET, 8, weights=np.array([[1.0, 0, 2.0]]))
    fact = fact_of(NET, one, ROWS)
    assert fact["left"] == [[2, [3, 4, 5]], [7, [2]]]
    graph_hardened(known(NET, one, ROWS), fact)


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize(
    ("after", "match"),
    [
        (with_layer(NET, 4, weights=np.array([[[0.0], [3.0]]])), "bounds do not show"),
        (with_layer(NET, 8, weights=np.array([[1.0, 1, 0]])), "bounds do not show"),
        (with_layer(NET, 8, weights=np.array([[1.0, 1, 0]]), bias=np.array([10.25])), "bounds do not show"),
        (with_layer(NET, 8, bias=np.array([0.75])), "bounds do not show"),
        (with_layer(NET, 8, weights=np.array([[1.0, 1, 3]])), "a weight of node 8 is another, and not 0"),
        (with_layer(NET, 8, bias=np.array([0.1])), "a bias of node 8 is no float32"),
        (Graph(NET.input_shape, NET.nodes), "the types of float differ"),
        (Graph(NET.input_shape, [*NET.nodes[:4], Node(Rearrange([1, 0]), (4,)), *NET.nodes[5:]], np.float32),
         "node 5 is another"),
        (Graph(NET.input_shape, [*NET.nodes, Node(Relu(), (8,))], np.float32), "the shapes of the values"),
    ],
)  # fmt: skip
def test_another_change_is_refused(after, match):
    pair = known(NET, after, ROWS)
    fact = fact_of(NET, after, ROWS) if len(after.nodes) == len(NET.nodes) else fact_of(NET, NET, ROWS)
    with pytest.raises(Refused, match=match):
        graph_hardened(pair, fact)


FACT = fact_of(NET, hardened(), ROWS)


@pytest.mark.parametrize(("path", "value"), [pair for pair in changes(FACT) if _at(FACT, pair[0]) != pair[1]])
def test_every_change_of_the_fact_is_refused_but_a_wider_bound(path, value):
    other = changed(FACT, path, value)
    assert accepted(graph_hardened, known(NET, hardened(), ROWS), other) == (path == ("deviation",) and value == "01")


def test_a_deviation_is_decided_exactly_or_by_bounds(monkeypatch):
    after = with_layer(NET, 8, bias=np.array([0.75]))
    for patient in (0, checker.PATIENT):
        monkeypatch.setattr(checker, "PATIENT", patient)
        graph_hardened(known(NET, after, ROWS), fact_of(NET, after, ROWS, Fraction(1, 4) + Fraction(1, 2**20)))
        with pytest.raises(Refused):
            graph_hardened(known(NET, after, ROWS), fact_of(NET, after, ROWS, Fraction(1, 5)))


def test_a_graph_before_and_facts_about_units_are_needed():
    pair = subject(hardened(), ROWS)
    with pytest.raises(Refused, match="names no graph before"):
        graph_hardened(pair, fact_of(NET, hardened(), ROWS))
    pair.before = subject(NET, ROWS).graph
    with pytest.raises(Refused, match="is not stated of each node"):
        graph_hardened(pair, fact_of(NET, hardened(), ROWS))


def test_roots_that_are_left_do_not_hinder():
    norm = BatchNorm([1, 1], [0, 9], [2, 3], [0, 0])
    net = Graph((2,), [Node(norm, (0,)), Node(Relu(), (1,)), Node(Dense([[1.0, 1.0]], [0]), (2,))])
    after, rows = with_layer(net, 3, weights=np.array([[1.0, 0.0]])), np.array([[1.0, 2], [3, 4]])
    pair = subject(after, rows)
    pair.before = subject(net, rows).graph
    pair.idle = {2: np.array([False, True])}
    graph_hardened(pair, hardened_fact(net, after, {}))
