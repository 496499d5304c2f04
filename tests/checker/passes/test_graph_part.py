"""Parts of graphs, and what depends on what: against the whole graph's values over Fractions."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.passes.graph_part import part
from proof_of_absence.checker.passes.graph_reads import cone, met, moves
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import Concat, Conv, Dense, MaxPool, Relu, Scale, Sum
from proof_of_absence.models.windows import Window
from tests.graphs import graphs

TAME = ("halves", "near")


@st.composite
def asked(draw, graph):
    """Some entries of one or two nodes."""
    numbers = draw(st.lists(st.integers(0, len(graph.nodes)), min_size=1, max_size=2, unique=True))
    entries = [st.lists(st.integers(0, graph.sizes[n] - 1), min_size=1, max_size=5, unique=True) for n in numbers]
    return {number: np.array(draw(some)) for number, some in zip(numbers, entries, strict=True)}


@settings(max_examples=300, deadline=None)
@given(graphs(), st.data())
def test_a_part_has_the_wanted_entries(case, data):
    graph, inputs = case
    wanted = data.draw(asked(graph))
    some, nodes = part(graph, wanted)
    for row in inputs[:2]:
        whole, found = graph.values(row.tolist()), some.values(row.tolist())
        for number, entries in wanted.items():
            assert found[nodes[number]].tolist() == whole[number][entries].tolist()


@settings(max_examples=100, deadline=None)
@given(graphs(kinds=TAME), st.data())
def test_what_is_not_in_the_cone_changes_nothing(case, data):
    graph, inputs = case
    wanted = data.draw(asked(graph))
    masks = cone(graph, wanted)
    row = inputs[0]
    other = np.where(masks[0], row, row + np.random.default_rng(0).integers(1, 4, row.shape))
    one, two = graph.values(row.tolist()), graph.values(other.tolist())
    for mask, a, b in zip(masks, one, two, strict=True):
        assert a[mask].tolist() == b[mask].tolist()


@settings(max_examples=100, deadline=None)
@given(graphs(kinds=TAME), st.data())
def test_what_does_not_move_does_not_change(case, data):
    graph, inputs = case
    moving = np.array(data.draw(st.lists(st.booleans(), min_size=graph.sizes[0], max_size=graph.sizes[0])))
    row = inputs[0]
    values = [graph.values(one.tolist()) for one in (row, row + moving, row - 2.5 * moving)]
    masks = moves(graph, moving, {})
    for mask, *three in zip(masks, *values, strict=True):
        assert all(len({one[k] for one in three}) == 1 for k in np.flatnonzero(~mask))
    number = data.draw(st.integers(1, len(graph.nodes)))
    stopped = moves(graph, moving, {number: np.ones(graph.sizes[number], dtype=bool)})
    assert not stopped[number].any() and all((a <= b).all() for a, b in zip(stopped, masks, strict=True))


def test_a_part_of_a_convolution_is_no_larger_than_it_must_be():
    rng = np.random.default_rng(0)
    conv = Conv(rng.standard_normal((8, 4, 3, 3)), np.zeros(8), Window((3, 3), (8, 8), before=(1, 1)), groups=2)
    graph = Graph((8, 8, 8), [Node(conv, (0,)), Node(Relu(), (1,)), Node(MaxPool(Window((2, 2), (7, 7))), (2,))])
    some, _ = part(graph, {3: np.array([0])})
    assert max(some.sizes[1:]) == 4 * 36
    channel, _ = part(graph, {2: np.arange(64)})
    kept = [number for number, node in enumerate(channel.nodes, 1) if isinstance(node.layer, Conv)]
    assert [channel.shapes[number] for number in kept] == [(4, 8, 8)]


def test_what_reads_an_entry():
    nodes = [
        Node(Dense(np.eye(3), np.zeros(3)), (0,)), Node(Relu(), (1,)), Node(Sum((1, -1)), (2, 0)),
        Node(Scale([0, 1, 1], [0, 0, 0]), (3,)), Node(Dense([[1.0, 0, 0]], [0]), (3,)),
        Node(Dense([[1.0, 1, 0]], [0]), (4,)), Node(Concat(0), (5, 6)),
    ]  # fmt: skip
    assert met(Graph((3,), nodes))[2].tolist() == [True, True, True]
    nodes[3] = Node(Scale([0, 1, 0], [0, 0, Fraction(1, 3)]), (3,))
    assert met(Graph((3,), nodes))[2].tolist() == [True, True, False]
    # A unit that nobody reads reads all the same.
    assert met(Graph((3,), nodes))[0].tolist() == [True, True, True]
