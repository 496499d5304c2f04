"""Lower losses of graphs: what a reuse gives is accepted, exactly and by bounds; every other statement is refused."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.graph.engine import examine
from proof_of_absence.checker.independent.kinds import graph_losses as limits
from proof_of_absence.checker.independent.kinds.graph_idle import graph_idle
from proof_of_absence.checker.independent.kinds.graph_lower_loss import graph_lower_loss
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.graph_facts import lower_loss_fact
from proof_of_absence.checker.numbers.enclosure import point
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import AveragePool, Clip, Conv, Dense, LeakyRelu, Rearrange, Relu, Sum
from proof_of_absence.models.objective import Loss, Objective
from proof_of_absence.models.windows import Window
from tests.checker.changed import changed
from tests.checker.independent.kinds import graph_losses as losses_oracle
from tests.checker.independent.kinds import graph_lower_loss as oracle
from tests.checker.independent.kinds.test_graph_idle import accepted, changes, found, subject

ROWS = np.array([[1.0, 2, 3], [4, 0, 8], [2, 2, 0], [1, 1, 1]])
TARGETS = np.array([[1.0, 0], [0, 2], [1, 1], [0.5, 0]])


def net(*, between=None, act=None, dtype=np.float32, conv=False):
    """On averages of pairs: units 1 and 2 of three are idle."""
    weights = np.array([[1.0, 1], [-1, -2], [0, 0]])
    pool = AveragePool(Window((2,), (2,)), [2, 2])
    hidden = [Node(Conv(weights.reshape(3, 1, 2), [0.5, 0, 5], Window((2,), (1,))), (1,)), ] if conv else [
        Node(Rearrange([0, 1]), (1,)), Node(Dense(weights, [0.5, 0, 5]), (2,))]  # fmt: skip
    nodes = [Node(pool, (0,)), *hidden]
    nodes.append(Node(act or Relu(), (len(nodes),), "r"))
    if between is not None:
        nodes.append(Node(between, (len(nodes),)))
    elif conv:
        nodes.append(Node(Rearrange([0, 1, 2]), (len(nodes),)))
    return Graph((1, 3), [*nodes, Node(Dense([[1.0, 1, 2], [0.5, 0, 1]], [0.5, -1]), (len(nodes),))], dtype)


NET = net()


def known(graph, rows=ROWS, targets=TARGETS):
    """The graph with its idle units, as the checker has them."""
    pair = subject(graph, rows, targets=targets)
    graph_idle(pair, *(found(graph, rows, node) for node in graph.activations))
    return pair


def fact_of(graph, targets=TARGETS, loss=Loss.SQUARED):
    """The fact of an audit's improvement."""
    better = examine(graph, ROWS, Objective(loss, targets, "as said")).improvement
    assert better is not None
    units = [(one.unit, one.weights, one.bias, one.outgoing) for one in better.units]
    return lower_loss_fact(loss, better.node, units, better.output_bias, better.loss_before, better.loss_after)


@pytest.mark.parametrize("exactly", [True, False], ids=["exact", "bounds"])
def test_reuses_of_all_ends_are_accepted(exactly, monkeypatch):
    graphs = [NET, net(conv=True), net(between=Rearrange([0, 1, 2])), net(dtype=np.float64)]
    facts = [fact_of(graph) for graph in graphs]
    if not exactly:
        monkeypatch.setattr(limits, "EXACT", 0)
        monkeypatch.setattr(limits, "PATIENT", 0)
        # Exact numbers as stated are not confirmed by bounds.
        room = Fraction(1, 2**30)
        for fact in facts:
            for part in ("loss_before", "loss_after"):
                low, high = map(Fraction, fact[part])
                fact[part] = [str(low - room), str(high + room)]
    for graph, fact in zip(graphs, facts, strict=True):
        graph_lower_loss(known(graph), fact)


def test_classes_are_decided_by_bounds():
    hot = np.eye(2)[[0, 1, 0, 0]]
    fact = fact_of(NET, hot, Loss.CROSS_ENTROPY)
    graph_lower_loss(known(NET, targets=hot), fact)
    for part in ("loss_before", "loss_after"):
        with pytest.raises(Refused):
            graph_lower_loss(known(NET, targets=hot), fact | {part: ["1/8", "1/8"]})


FACT = fact_of(NET)


@given(st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.lists(st.integers(-4, 4), min_size=7, max_size=7)),
                min_size=1, max_size=2), st.integers(-4, 4), st.booleans())  # fmt: skip
def test_any_numbers_are_decided_as_fractions_say(units, shift, true):
    listed = [(unit, [Fraction(x, 2) for x in own[:2]], Fraction(own[2], 2), [Fraction(x, 2) for x in own[3:5]])
              for unit, own in units]  # fmt: skip
    bias = [Fraction(shift, 2), Fraction(1, 2)]
    zero = point(Fraction(0))
    fact = lower_loss_fact(Loss.SQUARED, len(NET.nodes) - 1, listed, bias, zero, zero)
    both = (NET, oracle.changed(NET, fact))
    before, after = (point(losses_oracle.squared(one, ROWS, TARGETS)[0]) for one in both)
    fact = lower_loss_fact(Loss.SQUARED, len(NET.nodes) - 1, listed, bias, before, after if true else before)
    assert accepted(graph_lower_loss, known(NET), fact) == oracle.graph_lower_loss(NET, ROWS, TARGETS, fact)


def _at(fact, path):
    for key in path:
        fact = fact[key]
    return fact


def test_every_change_of_the_fact_is_refused_or_so():
    pair, refused = known(NET), 0
    for path, value in [pair for pair in changes(FACT) if _at(FACT, pair[0]) != pair[1]]:
        other = changed(FACT, path, value)
        if accepted(graph_lower_loss, pair, other):
            assert oracle.graph_lower_loss(NET, ROWS, TARGETS, other), (path, value)
        else:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    ("graph", "match"),
    [
        (net(act=LeakyRelu(Fraction(1, 2))), "no ReLU|no hidden"),
        (net(act=Clip(Fraction(0), Fraction(6))), "no ReLU"),
        (net(between=Sum((1,))), "no hidden layer|no ReLU"),
    ],
)
def test_a_graph_with_another_end_is_refused(graph, match):
    with pytest.raises(Refused, match=match):
        graph_lower_loss(known(graph), FACT)


def test_idle_units_and_targets_have_to_be_known():
    with pytest.raises(Refused, match="is not stated"):
        graph_lower_loss(subject(NET, ROWS, targets=TARGETS), FACT)
    with pytest.raises(Refused, match="names no targets"):
        graph_lower_loss(known(NET, targets=None), FACT)
    busy = changed(FACT, ("units", 0, "unit"), 0)
    with pytest.raises(Refused, match="unit 0 is not idle"):
        graph_lower_loss(known(NET), busy)
    tenth = changed(FACT, ("output_bias", 0), "1/a")
    with pytest.raises(Refused, match="no float32"):
        graph_lower_loss(known(NET), tenth)
