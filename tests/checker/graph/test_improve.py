"""A lower loss of a graph, against plain Fractions: idle units of the last hidden layer reused, or why not."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.graph import improve as module
from proof_of_absence.checker.graph.engine import examine
from proof_of_absence.checker.graph.improve import Unimproved, improve
from proof_of_absence.checker.graph.losses import losses
from proof_of_absence.checker.graph.tail import NoTail, reassigned, tail
from proof_of_absence.checker.numbers.deadline import Deadline
from proof_of_absence.models.graph import Graph, Node, same_graph
from proof_of_absence.models.graph_layers import BatchNorm, Conv, Dense, MaxPool, Rearrange, Relu, Sum
from proof_of_absence.models.objective import Loss, Objective
from proof_of_absence.models.windows import Window
from tests.checker.independent.kinds import graph_losses as oracle

BELOW = (
    Node(Conv([[[1.0, -1.0]], [[1.0, 0.5]]], [0.5, -1.0], Window((2,), (3,))), (0,), "c"), Node(Relu(), (1,)),
)  # fmt: skip
ROWS = np.array([[1.0, 2, 3, 0], [4, 0, 8, 1], [2, 2, 0, 5], [1, 1, 1, 1], [0, 3, 0, 0.5], [7, 0, 0, 2]])
HIDDEN = np.array([[1.0, 0, 0.5, 0, 0, 1], [0, 0, 0, 0, 0, 0], [-1.0, 0, 0, 0, 0, -1]])


def net(last, bias=(0.25, 3.0, -1.0), *, conv=False, order=(2, 0, 1), dtype=np.float32, hidden=HIDDEN):
    """Three hidden units on a convolution: the second sends 3, the third nothing; the outputs read them in an order."""
    if conv:
        layer = [Node(Conv(hidden.reshape(3, 2, 3), bias, Window((3,), (1,))), (2,), "h"), Node(Relu(), (3,), "r")]
    else:
        layer = [Node(Rearrange(np.arange(6)), (2,)), Node(Dense(hidden, bias), (3,), "h"), Node(Relu(), (4,), "r")]
    nodes = [*BELOW, *layer]
    nodes.append(Node(Rearrange(list(order)), (len(nodes),)))
    return Graph((1, 4), [*nodes, Node(Dense(last, np.zeros(len(last))), (len(nodes),), "y")], dtype)


TWO = np.array([[1.0, 0.5, -1.0], [0.0, 1.0, 0.5]])


def asked(graph, targets, loss=Loss.SQUARED, **given):
    """`improve` on the rows, with what an audit finds first."""
    aim = Objective(loss, np.asarray(targets, dtype=np.float64), "as said")
    nodes = examine(graph, ROWS, aim).nodes
    return improve(graph, ROWS, aim, nodes, losses(graph, ROWS, aim)[0], **given)


@pytest.mark.parametrize("conv", [True, False], ids=["conv", "dense"])
@given(
    st.sampled_from([(2, 0, 1), (0, 1, 2), (1, 1, 2, 0, -1)]),
    st.sampled_from([np.float32, np.float64]),
    st.lists(st.sampled_from([-3.0, -0.5, 0.0, 1.0, 2.5]), min_size=12, max_size=12),
    st.booleans(),
)
def test_a_lower_loss_is_so_in_fractions_and_nothing_else_is_changed(conv, order, dtype, targets, small):
    weights = np.array([[0.5, -1.0, 0.25, 1.0, 2.0], [1.0, 1.0, -0.5, 0.0, 1.0]])[:, : len(order)]
    graph, targets = net(weights, conv=conv, order=order, dtype=dtype), np.reshape(targets, (6, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SMALL", module.SMALL if small else 0)
        found = asked(graph, targets)
    loss, floor = oracle.squared(graph, ROWS, targets)
    if isinstance(found, Unimproved):
        assert not small or loss == floor or loss < Fraction(1, 10**9)
        return
    end = tail(graph)
    after = reassigned(graph, end, found.units, found.output_bias)
    lower, _ = oracle.squared(after, ROWS, targets)
    assert found.loss_before.low <= loss <= found.loss_before.high and lower < loss
    assert found.loss_after.low <= lower <= found.loss_after.high < found.loss_before.low
    assert found.loss_before.is_exact == small and {one.unit for one in found.units} <= {1, 2}
    for number, (old, new) in enumerate(zip(graph.nodes, after.nodes, strict=True), 1):
        if number not in (end.hidden, end.output):
            assert old is new
            continue
        for array in (new.layer.weights, new.layer.bias):
            assert np.array_equal(array.astype(dtype), array)
    works = graph.nodes[end.hidden - 1].layer, after.nodes[end.hidden - 1].layer
    assert np.array_equal(works[0].weights[0], works[1].weights[0])
    assert np.array_equal(graph.nodes[-1].layer.weights[:, end.columns == 0],
                          after.nodes[-1].layer.weights[:, end.columns == 0])  # fmt: skip


@pytest.mark.parametrize("outputs", [1, 2, 3])
@given(st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_a_lower_cross_entropy_is_so_in_a_hundred_digits(outputs, labels):
    weights = np.array([[1.0, 0.5, -1.0], [0.0, 1.0, 0.5], [0.5, 0.5, 0.5]])[:outputs]
    graph = net(weights)
    labels = np.minimum(labels, max(outputs - 1, 1))
    targets = labels[:, None].astype(float) if outputs == 1 else np.eye(outputs)[labels]
    found = asked(graph, targets, Loss.LOGISTIC if outputs == 1 else Loss.CROSS_ENTROPY)
    assert not isinstance(found, Unimproved)
    after = reassigned(graph, tail(graph), found.units, found.output_bias)
    before, least = (oracle.of_classes(one, ROWS, targets)[0] for one in (graph, after))
    assert oracle.real(found.loss_before.low) <= before <= oracle.real(found.loss_before.high)
    assert oracle.real(found.loss_after.low) <= least <= oracle.real(found.loss_after.high)
    assert found.loss_after.high < found.loss_before.low


def test_the_noise_floor_is_told_and_what_bounds_cannot_tell_is_undecided(monkeypatch):
    graph = net(TWO)
    perfect = np.array([[float(x) for x in graph(list(map(Fraction, row)))] for row in ROWS.tolist()])
    found = asked(graph, perfect)
    assert isinstance(found, Unimproved) and "noise floor" in found.reason and not found.undecided
    monkeypatch.setattr(module, "SMALL", 0)
    found = asked(graph, perfect)
    assert isinstance(found, Unimproved) and found.undecided


GRAPH = net(TWO)
LAST = GRAPH.nodes[-1]


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (Graph((1, 4), [*GRAPH.nodes, Node(Relu(), (7,))]), "not those of one dense layer"),
        (Graph((1, 4), [*GRAPH.nodes[:4], replace(LAST, reads=(4,))]), "no ReLU stands before"),
        (Graph((1, 4), [*GRAPH.nodes[:6], LAST, Node(Sum((1,)), (7,)), replace(LAST, reads=(6,))]), "something else"),
        (Graph((1, 4), [*BELOW, Node(Rearrange(np.arange(6)), (2,)), Node(Dense(np.ones((1, 6)), [0]), (3,))]),
         "share weights"),
        (Graph((1, 4), [Node(MaxPool(Window((2,), (3,))), (0,)), Node(Relu(), (1,)), Node(Rearrange([0, 1, 2]), (2,)),
                        Node(Dense(np.ones((1, 3)), [0]), (3,))]), "no dense layer stands before"),
        (Graph((1, 4), [Node(Relu(), (0,)), Node(Rearrange([0, 1, 2]), (1,)), Node(Dense(np.ones((1, 3)), [0]), (2,))]),
         "no hidden layer"),
        (Graph((3,), [Node(Dense(np.ones((1, 3)), [0]), (0,))]), "no hidden layer"),
        (Graph((2, 1), [Node(Conv(np.ones((2, 1, 1)), [0, 0], Window((1,), (1,)), 2), (0,)), Node(Relu(), (1,)),
                        Node(Rearrange([0, 1]), (2,)), Node(Dense(np.ones((1, 2)), [0]), (3,))]), "in groups"),
        (Graph((2, 3), [Node(Dense(np.ones((2, 3)), [0, 0]), (0,)), Node(Relu(), (1,)),
                        Node(Dense(np.ones((1, 2)), [0]), (2,))]), "not those of one dense layer"),
    ],
)  # fmt: skip
def test_another_end_is_told(graph, reason):
    with pytest.raises(NoTail, match=reason):
        tail(graph)


def test_a_reason_that_is_known_before_the_search_is_no_open_question():
    everything = frozenset(range(1, 8))
    for name, what, pair in (("h", "weights", (everything - {4}, everything)),
                             ("y", "bias", (everything, everything - {7}))):  # fmt: skip
        found = asked(GRAPH, np.ones((6, 2)), changeable=pair)
        assert isinstance(found, Unimproved) and not found.undecided
        assert found.reason.startswith(f"idle units are not reused: no array of its own holds the {what} of {name}")
    assert not isinstance(asked(GRAPH, np.ones((6, 2)), changeable=(everything, everything)), Unimproved)
    busy = net(TWO, bias=(0.25, 3.0, 30.0), hidden=np.vstack([HIDDEN[0], HIDDEN[0] * 2, HIDDEN[2]]))
    found = asked(busy, np.ones((6, 2)))
    assert isinstance(found, Unimproved) and "no unit of the last hidden layer, r, is train-idle" in found.reason


def test_a_root_below_leaves_bounds_that_tell_the_losses_apart():
    nodes = [Node(BatchNorm([1, 1], [0, 0], [2, 2], [0, 0]), (1,)),
             Node(Relu(), (2,)), Node(Rearrange(np.arange(6)), (3,)), Node(Dense(HIDDEN, [0.25, 3, -1]), (4,)),
             Node(Relu(), (5,)), Node(Dense(TWO, [0, 0]), (6,))]  # fmt: skip
    found = asked(Graph((1, 4), [BELOW[0], *nodes]), np.ones((6, 2)))
    assert not isinstance(found, Unimproved) and not found.loss_before.is_exact


def test_the_engine_tells_it_and_without_time_it_is_undecided():
    aim = Objective(Loss.SQUARED, np.ones((6, 2)), "as said")
    found = examine(GRAPH, ROWS, aim)
    assert found.improvement is not None and found.unimproved == "" and found.undecided == ()
    shared = examine(GRAPH, ROWS, aim, changeable=((), ()))
    assert shared.improvement is None and "no array of its own" in shared.unimproved and shared.undecided == ()
    late = examine(GRAPH, ROWS, aim, deadline=Deadline(0))
    assert late.improvement is None and late.undecided
    assert same_graph(GRAPH, net(TWO))
