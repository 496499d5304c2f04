"""Bounds on float32 evaluations of graphs: what the audit states is confirmed, and torch stays within own bounds."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.kinds.graph_float32 import graph_float32
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.graph_singles import deviation
from proof_of_absence.checker.kernel.graph_facts import float32_fact
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import BatchNorm, Dense, Relu
from tests.checker.independent.kinds.test_graph_idle import subject
from tests.graphs import LAYERS, graphs

pytest.importorskip("torch")
from proof_of_absence.checker.graph.deviation import float32_deviation
from tests.checker.independent.kinds import graph_float32 as oracle

SINGLES = {"dtype": np.float32}


def own(net, rows):
    """The checker's own bound; None where float32 may overflow."""
    try:
        return Fraction(float(deviation(subject(net, rows).graph, rows).max()))
    except Refused:
        return None


@given(graphs(**SINGLES))
def test_torch_is_within_the_bound(problem):
    net, rows = problem
    if (bound := own(net, rows)) is not None:
        assert oracle.graph_float32(net, rows, float32_fact(bound))


@given(graphs(kinds=("halves", "floats", "near"), **SINGLES), st.sampled_from([Fraction(1, 10), Fraction(9, 10)]))
def test_what_the_audit_states_is_confirmed_and_less_is_not(problem, part):
    net, rows = problem
    known, bound = subject(net, rows), float32_deviation(net, rows)
    fact = float32_fact(bound)
    graph_float32(known, fact)
    least = own(net, rows)
    assert least <= bound
    if least:
        with pytest.raises(Refused, match="a float32 evaluation may be off by"):
            graph_float32(known, float32_fact(least * part))


@given(graphs(names=(*LAYERS, "BatchNorm", "BatchNorm"), kinds=("halves", "floats"), **SINGLES))
def test_what_is_stated_of_roots_is_confirmed(problem):
    net, rows = problem
    if (bound := float32_deviation(net, rows)) is not None:
        graph_float32(subject(net, rows), float32_fact(bound))


@pytest.mark.parametrize(
    ("layer", "match"),
    [
        (Dense([[1e38]], [0]), "might overflow"),
        (Dense([[1e39]], [0]), "beyond float32"),
        (BatchNorm([2], [Fraction(2) ** 70], [2], [0]), "its mean is beyond float32"),
        (BatchNorm([Fraction(1, 2**110)], [0], [2], [0]), "its factor is beyond float32"),
        (BatchNorm([2], [0], [Fraction(1, 2**70)], [0]), "its square is beyond float32"),
        (BatchNorm([2], [0], [2], [Fraction(1, 2**120)]), "its shift is beyond float32"),
        (BatchNorm([Fraction(2) ** 50], [0], [Fraction(1, 2**50)], [0]), "a number is large for float32"),
    ],
)
def test_what_may_leave_float32_is_refused(layer, match):
    net = Graph((1,), [Node(layer, (0,)), Node(Relu(), (1,)), Node(Dense([[1.0]], [0]), (2,))])
    with pytest.raises(Refused, match=match):
        graph_float32(subject(net, np.array([[100.0]])), float32_fact(Fraction(10) ** 30))


def test_a_bound_that_is_none_is_refused():
    net = Graph((1,), [Node(Dense([[1.0]], [0]), (0,))])
    for bound in ("", "-1", "0.5", None, 1, "1/0"):
        with pytest.raises(Refused):
            graph_float32(subject(net, np.array([[0.1]])), {"kind": "graph-float32", "bound": bound})
