"""Boxes: bounds hold at every point that is tried, what the audit finds is confirmed, and what is not so is refused."""

from fractions import Fraction
from functools import reduce
from operator import getitem

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proof_of_absence.checker.graph.certify import Audited, facts_of
from proof_of_absence.checker.graph.engine import examine
from proof_of_absence.checker.independent.kinds.graph_idle import graph_idle
from proof_of_absence.checker.independent.kinds.graph_irrelevant import graph_irrelevant
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.graph_lines import spans
from proof_of_absence.checker.kernel.graph_facts import irrelevant_fact
from proof_of_absence.checker.passes.graph_bounds import bounded
from proof_of_absence.checker.passes.graph_intervals import Span
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import Clip, Dense, Relu
from proof_of_absence.models.objective import NO_TARGETS, Objective
from tests import solved
from tests.checker.changed import changed
from tests.checker.independent.kinds import graph_irrelevant as oracle
from tests.checker.independent.kinds.graph_idle import number
from tests.checker.independent.kinds.test_graph_idle import NAMES, accepted, changes, found, subject
from tests.graphs import LAYERS, graphs

TAME = ("halves", "floats", "near")


@st.composite
def boxes(draw, size, around):
    """A box around a row, of which some sides are points."""
    sides = [draw(st.sampled_from([0.0, 0.0, 0.25, 1.0])) for _ in range(size)]
    return around - np.array(sides), around + np.array([draw(st.sampled_from([0.5, 1.0])) for _ in sides]) * sides


def every(net):
    """All entries of all nodes."""
    return {k: np.arange(size) for k, size in enumerate(net.sizes) if k}


@given(graphs(names=(*NAMES, *LAYERS), kinds=TAME), st.data())
def test_bounds_hold_over_the_box(problem, data):
    net, rows = problem
    low, high = data.draw(boxes(net.sizes[0], rows[0]))
    known = spans(subject(net, rows).graph, low, high, every(net))
    for point in oracle.points(*([Fraction(x) for x in end.tolist()] for end in (low, high))):
        for span, values in zip(known, net.values(list(point)), strict=True):
            ends = zip(span.low.reshape(-1).tolist(), values.tolist(), span.high.reshape(-1).tolist(), strict=True)
            assert all((a == -np.inf or Fraction(a) <= x) and (b == np.inf or x <= Fraction(b)) for a, x, b in ends)


@given(graphs(names=(*NAMES, *LAYERS, "BatchNorm"), kinds=("halves", "floats")), st.data())
def test_bounds_are_about_as_close_as_those_of_the_audit(problem, data):
    """So that what it shows is confirmed: but for rounding none of the spans is wider."""
    net, rows = problem
    low, high = data.draw(boxes(net.sizes[0], rows[0]))
    theirs = bounded(net, Span(low, high))
    ours = spans(subject(net, rows).graph, low, high, every(net))
    for one, other in zip(ours, theirs, strict=True):
        slack = 1e-8 * len(net.nodes) * (1 + max(np.abs(other.low).max(), np.abs(other.high).max()))
        assert (one.low.reshape(-1) >= other.low - slack).all() and (one.high.reshape(-1) <= other.high + slack).all()


@given(graphs(names=NAMES, kinds=("halves", "floats"), rows=2), st.data())
def test_what_is_shown_is_accepted_and_a_change_refused_or_so(problem, data):
    net, rows = problem
    assume(net.activations)
    node = data.draw(st.sampled_from(net.activations))
    low, high = data.draw(boxes(net.sizes[0], rows[0]))
    known = subject(net, rows)
    fact = found(net, rows, node)
    graph_idle(known, fact)
    idle = np.flatnonzero(known.idle[node]).tolist()
    first = net.values(list(map(Fraction, rows[0].tolist())))[node]
    span = spans(known.graph, low, high, {node: np.arange(net.sizes[node])})[node]
    ends = [end.reshape(-1).tolist() for end in span]
    points = {e: Fraction(ends[0][e]) for e in idle if ends[0][e] == ends[1][e] and np.isfinite(ends[0][e])}
    still = [e for e, value in points.items() if value == first[e]]
    corner = net.values(list(map(Fraction, high.tolist())))[node]
    acts = {e: list(map(Fraction, high.tolist())) for e in idle if corner[e] != first[e]}
    assert not set(still) & set(acts)
    bounds = [(Fraction(a), Fraction(b)) for a, b in zip(low.tolist(), high.tolist(), strict=True)]
    box = irrelevant_fact(node, "box", bounds, still, acts)
    assert oracle.graph_irrelevant(net, rows, box)
    graph_irrelevant(known, box)
    path, value = data.draw(st.sampled_from([pair for pair in changes(box) if pair[0][0] not in ("node", "box")]))
    assume(reduce(getitem, path, box) != value)
    other = changed(box, path, value)
    if accepted(graph_irrelevant, known, other):
        assert oracle.graph_irrelevant(net, rows, other), (path, value)


# max(x, 0) - max(x - 1, 0) - 2 is below 0 everywhere, which lines show and intervals do not.
NET = Graph((1,), [
    Node(Dense([[1.0], [1.0]], [0.0, -1.0]), (0,)), Node(Relu(), (1,)),
    Node(Dense([[1.0, -1.0], [-1.0, 0.0], [0.0, 0.0]], [-6.0, 1.0, 2.0]), (2,)),
    Node(Clip(Fraction(0), Fraction(6)), (3,)), Node(Dense([[1.0, 1.0, 1.0]], [0]), (4,)),
])  # fmt: skip
ROWS = np.array([[2.0], [3.0]])


def told(low, high, still, acts=None):
    return irrelevant_fact(4, "box", [(Fraction(low), Fraction(high))], still, acts or {})


def test_lines_show_what_intervals_do_not():
    known = subject(NET, ROWS)
    graph_idle(known, found(NET, ROWS, 4))
    graph_irrelevant(known, told(0, 8, [0, 2], {1: [Fraction(1, 2)]}))
    # The float next to 1 / 3 lies below it.
    graph_irrelevant(known, told(0, Fraction(1, 3), [0, 2], {1: [Fraction(1 / 3)]}))
    graph_irrelevant(known, told(2, 3, [0, 1, 2]), told(0, 8, []), told(-3, Fraction(1, 3), [0, 2]))
    # No float lies in the box.
    graph_irrelevant(known, told(Fraction(1, 3), Fraction(1, 3), [0, 2], {1: [Fraction(1, 3)]}))


@pytest.mark.parametrize(
    ("fact", "match"),
    [
        (told(0, 8, [1]), "unit 1 of node 4 is not shown to be still"),
        (told(0, 8, [], {1: [Fraction(3)]}), "does not act at the input"),
        (told(0, 8, [], {1: [Fraction(-1)]}), "is not in the box"),
        (told(0, 8, [], {1: []}), "is not stated"),
        (told(0, 8, [], {1: [Fraction(0)]}) | {"acts": [[1, ["nan"]]]}, "not a hexadecimal rational"),
        (told(Fraction(1, 3), Fraction(1, 3), [], {2: [Fraction(1, 3)]}), "does not act at the input"),
        (told(0, 8, [1]) | {"trees": [[0, {}]]}, "with a tree is not said to be still"),
        (told(0, 8, [1]) | {"trees": [[1, {"inputs": [0]}]]}, "has other parts"),
        (told(Fraction(1, 3), 1, [], {1: [Fraction(1 / 3)]}), "is not in the box"),
        (told(8, 0, []), "the box is empty"),
        (told(0, Fraction(10) ** 400, [0]), "beyond the floats"),
        (told(0, 8, []) | {"low": ["0", "0"]}, "the box does not fit"),
        (told(0, 8, [3]), "is no entry of node 4"),
        (told(0, 8, [0]) | {"node": 2}, "is not known to be idle"),
        (told(0, 8, [0]) | {"node": 3}, "is no activation"),
    ],
)
def test_what_is_not_so_is_refused(fact, match):
    known = subject(NET, ROWS)
    graph_idle(known, found(NET, ROWS, 4))
    with pytest.raises(Refused, match=match):
        graph_irrelevant(known, fact)


# relu(2 max(|x|, |y|) - 2) is 0 where neither is more than 1, which bounds do not show; relu(2 x) varies.
SQUARE = Graph((2,), [
    Node(Dense([[1.0, 1], [-1, -1], [1, -1], [-1, 1]], [0.0] * 4), (0,)), Node(Relu(), (1,)),
    Node(Dense([[1.0] * 4, [1, 1, -1, -1]], [-2.0, 0]), (2,)), Node(Relu(), (3,)), Node(Dense([[1.0, 1]], [0]), (4,)),
])  # fmt: skip
NEAR = np.array([[0.25, 0.5], [-0.25, 0.125]])


@pytest.fixture(scope="module")
def divided():
    """The fact about the square, and what is known of the units in training."""
    box = Region("box", ((Fraction(-1), Fraction(1)),) * 2)
    facts, _ = facts_of(Audited(examine(SQUARE, NEAR, Objective(None, None, NO_TARGETS), regions=[box]), SQUARE, NEAR))
    known = subject(SQUARE, NEAR)
    graph_idle(known, *(fact for fact in facts if fact["kind"] == "graph-idle"))
    return next(fact for fact in facts if fact["kind"] == "graph-irrelevant" and fact["node"] == 4), known


def test_a_tree_shows_what_bounds_do_not(divided):
    fact, known = divided
    assert fact["still"] == [0] and fact["trees"]
    graph_irrelevant(known, fact)
    with pytest.raises(Refused, match="unit 0 of node 4 is not shown to be still"):
        graph_irrelevant(known, fact | {"trees": []})
    with pytest.raises(Refused, match="unit 0 of node 4 is not shown to be still"):
        graph_irrelevant(known, fact | {"high": ["1", "1000001/1000000"]})


def test_a_tree_that_is_changed_is_refused_or_so(divided):
    fact, known = divided
    kept = 0
    for path, value in changes(fact):
        if path[0] in ("box", "kind") or repr(reduce(getitem, path, fact)) == repr(value):
            continue
        other = changed(fact, path, value)
        if accepted(graph_irrelevant, known, other):
            kept += 1
            low, high = ([number(x) for x in other[end]] for end in ("low", "high"))
            still = [solved.others(SQUARE, other["node"], e, 0, low, high) for e in other["still"]]
            assert still == [None] * len(still) and oracle.graph_irrelevant(SQUARE, NEAR, other), (path, value)
    # Some bounds of a tree play no part.
    assert kept
