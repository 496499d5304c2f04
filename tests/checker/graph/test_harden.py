"""Hardened graphs against brute force: no output changes, nothing is read that sleeps but what is named, bits stay."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from proof_of_absence.checker.graph.engine import unit_findings
from proof_of_absence.checker.graph.harden import harden
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import Conv, Dense, MaxPool, Rearrange, Relu
from proof_of_absence.models.windows import Window
from tests.graphs import graphs


def hardened(graph, inputs):
    return harden(graph, inputs, unit_findings(graph, inputs))


@settings(max_examples=200, deadline=None)
@given(graphs(kinds=("halves", "near")))
def test_no_output_changes_and_only_weights_and_biases_do(asked):
    graph, inputs = asked
    found = hardened(graph, inputs)
    for z in inputs.tolist():
        assert graph(z).tolist() == found.graph(z).tolist()
    for before, after in zip(graph.nodes, found.graph.nodes, strict=True):
        assert before.reads == after.reads and type(before.layer) is type(after.layer)
        if isinstance(before.layer, Dense | Conv):
            changed = before.layer.weights != after.layer.weights
            assert not after.layer.weights[changed].any()


@settings(max_examples=200, deadline=None)
@given(graphs(kinds=("halves",)))
def test_what_sleeps_is_removed_or_named(asked):
    graph, inputs = asked
    found = hardened(graph, inputs)
    again = unit_findings(found.graph, inputs)
    assert {(node.node, entry) for node in again for entry in node.idle} == {(x.node, x.entry) for x in found.left}
    assert all(x.reason for x in found.left)
    # A second time there is nothing to cut.
    assert harden(found.graph, inputs, again).cuts == ()


def conv_net(bias, pad=0, then=None):
    """Two channels, the second one sends what the bias says, read by a convolution."""
    first = Conv([[[1.0]], [[0.0]]], [0.0, bias], Window((1,), (4,)))
    second = Conv([[[1.0, 1.0], [2.0, 0.5]]], [0.25], Window((2,), (3 + 2 * pad,), before=(pad,)))
    nodes = [Node(first, (0,)), Node(Relu(), (1,)), Node(second, (2,)), Node(Relu(), (3,))]
    size = 3 + 2 * pad
    nodes += [Node(Rearrange(np.arange(size)), (4,)), Node(Dense(np.ones((1, size)), [0]), (5,))]
    return Graph((1, 4), nodes, np.float32)


ROWS = np.array([[1.0, 2, 3, 4], [2, 0, 1, 1]])


def test_a_dead_channel_is_cut_from_the_kernel_that_reads_it():
    found = hardened(conv_net(-1.0, pad=1), ROWS)
    assert found.graph.nodes[2].layer.weights.tolist() == [[[1, 1], [0, 0]]] and found.left == ()
    assert found.removed == {2: (4, 5, 6, 7)} and found.same_in_float32


def test_a_constant_channel_is_folded_where_no_padding_stands_in_for_it():
    found = hardened(conv_net(2.0), ROWS)
    assert found.graph.nodes[2].layer.bias.tolist() == [0.25 + 2 * 2.5] and found.left == ()
    assert not found.same_in_float32 and found.cuts[0].value == 2
    found = hardened(conv_net(2.0, pad=1), ROWS)
    assert not found.cuts and {x.reason for x in found.left} == {"at the border 0 stands in for what it sends"}


def test_a_constant_that_no_bias_holds_is_left_and_named():
    found = hardened(conv_net(float(np.float32(0.1))), ROWS)
    assert not found.cuts and {x.reason for x in found.left} == {"no bias there holds what it sends"}


def test_a_single_position_of_a_shared_channel_is_left():
    graph = conv_net(-1.0)
    rows = ROWS.copy()
    rows[:, 3] = 0
    found = hardened(graph, rows)
    assert [(x.entry, x.reason) for x in found.left] == [(3, "its weights are shared with positions where it works")]


def test_a_pool_is_read_only_with_its_neighbours():
    first = Conv([[[1.0]]], [-2.0], Window((1,), (4,)))
    nodes = [Node(first, (0,)), Node(Relu(), (1,)), Node(MaxPool(Window((2,), (2,), strides=(2,))), (2,)),
             Node(Rearrange([0, 1]), (3,)), Node(Dense([[1.0, 1.0]], [0.0]), (4,))]  # fmt: skip
    graph = Graph((1, 4), nodes)
    found = hardened(graph, np.array([[1.0, 1, 1, 5], [1, 0, 1, 3]]))
    # Both units of the first pool sleep, so their pool does; the third unit's neighbour works.
    assert found.removed == {2: (0, 1)} and [x.entry for x in found.left] == [2]
    assert found.left[0].reason == "MaxPool reads it together with what works"


def test_outputs_off_the_data_change_where_it_fired():
    graph = conv_net(0.0)
    conv = Conv([[[1.0]], [[1.0]]], [0.0, -9.0], Window((1,), (4,)))
    graph = Graph((1, 4), [Node(conv, (0,)), *graph.nodes[1:]], np.float32)
    found = hardened(graph, ROWS)
    z = [12, 0, 0, 0]
    assert graph(z)[0] - found.graph(z)[0] == 2 * Fraction(12 - 9)


def test_an_open_unit_is_refused():
    graph = conv_net(-1.0)
    nodes = unit_findings(graph, ROWS)
    nodes[0].states[0] = 0
    with pytest.raises(ValueError, match="not decided"):
        harden(graph, ROWS, nodes)


def test_weights_and_biases_that_cannot_be_changed_are_not():
    graph = conv_net(-1.0)
    found = harden(graph, ROWS, unit_findings(graph, ROWS), ((6,), (6,)))
    assert not found.cuts and {x.reason for x in found.left} == {
        "the file has no array of its own for the weights that read it"
    }
    graph = conv_net(2.0)
    found = harden(graph, ROWS, unit_findings(graph, ROWS), ((3, 6), (6,)))
    assert not found.cuts and {x.reason for x in found.left} == {"no bias there holds what it sends"}
