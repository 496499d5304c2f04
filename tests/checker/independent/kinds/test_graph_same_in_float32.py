"""That hardening changed no bit in float32: accepted where it is so, and any other edit is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.graph.engine import unit_findings
from proof_of_absence.checker.graph.harden import harden
from proof_of_absence.checker.independent.kinds.graph_same_in_float32 import graph_same_in_float32
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.graph_facts import same_in_float32_fact
from tests.checker.graph.test_harden import ROWS, conv_net
from tests.checker.independent.kinds import graph_same_in_float32 as oracle
from tests.checker.independent.kinds.test_graph_hardened import with_layer
from tests.checker.independent.kinds.test_graph_idle import subject
from tests.graphs import graphs

LAYERS = ("Dense", "Conv", "AveragePool", "MaxPool", "Relu", "Relu", "Clip", "Sum", "Concat", "Rearrange")


def accepted(before, after, rows, fact=None):
    pair = subject(after, rows)
    pair.before = subject(before, rows).graph
    try:
        graph_same_in_float32(pair, fact or same_in_float32_fact())
    except Refused:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(graphs(names=LAYERS, kinds=("halves",), dtype=np.float32))
def test_what_hardening_says_is_accepted_and_so(asked):
    graph, rows = asked
    made = harden(graph, rows, unit_findings(graph, rows))
    if made.same_in_float32:
        assert accepted(graph, made.graph, rows)
    if made.cuts and accepted(graph, made.graph, rows):
        assert oracle.graph_same_in_float32(graph, made.graph, rows, same_in_float32_fact())


@settings(max_examples=150, deadline=None)
@given(graphs(names=LAYERS, kinds=("halves",), dtype=np.float32), st.data())
def test_another_edit_is_refused_or_changes_no_bit(asked, data):
    graph, rows = asked
    numbers = [k for k, node in enumerate(graph.nodes, 1) if hasattr(node.layer, "weights")]
    number = data.draw(st.sampled_from(numbers))
    layer = graph.nodes[number - 1].layer
    place = data.draw(st.sampled_from(list(np.ndindex(layer.weights.shape))))
    weights = layer.weights.copy()
    weights[place] = np.copysign(0.0, weights[place])
    edited = with_layer(graph, number, weights=weights)
    if accepted(graph, edited, rows):
        assert oracle.graph_same_in_float32(graph, edited, rows, same_in_float32_fact())


def hardened(bias=-1.0):
    graph = conv_net(bias, pad=1)
    return graph, harden(graph, ROWS, unit_findings(graph, ROWS)).graph


def test_a_dead_channel_is_accepted():
    assert accepted(*hardened(), ROWS)


@pytest.mark.parametrize("field", ["weights", "bias"])
def test_a_sign_of_zero_or_a_bias_that_differs_is_refused(field):
    before, after = hardened()
    array = getattr(after.nodes[2].layer, field).copy()
    flat = array.reshape(-1)
    flat[-1] = -flat[-1] if field == "weights" else flat[-1] + 1
    assert not accepted(before, with_layer(after, 3, **{field: array}), ROWS)


def test_what_is_not_dead_in_float32_is_refused():
    before, after = hardened(-1.0)
    alive = with_layer(before, 1, bias=np.array([0.0, 2.0**-30]))
    assert not accepted(alive, with_layer(after, 1, bias=np.array([0.0, 2.0**-30])), ROWS)
    assert not accepted(before, before, ROWS)
    assert not accepted(before, after, ROWS, {"kind": "graph-same-in-float32", "more": 1})
