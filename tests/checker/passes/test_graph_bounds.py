"""Bounds of a graph over a box against its values in fractions, at corners and inside."""

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.passes.graph_bounds import bounded, upper
from proof_of_absence.checker.passes.graph_intervals import Span, intervals
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import Dense, Relu
from tests.graphs import graphs


def boxes(inputs, seed):
    """A box around the first input, some of its sides of length 0."""
    rng = np.random.default_rng(seed)
    width = np.where(rng.random(inputs.shape[1]) < 0.3, 0, rng.integers(0, 4, inputs.shape[1]) / 2)
    with np.errstate(over="ignore"):
        return Span(inputs[0] - width, inputs[0] + width)


def points(box, seed, count=6):
    """Corners and rational points between."""
    rng = np.random.default_rng(seed)
    low, high = ([Fraction(x) for x in end.tolist()] for end in box)
    for _ in range(count):
        share = [Fraction(int(k), 4) for k in rng.choice([0, 0, 4, 4, 1, 3], len(low))]
        yield [a + (b - a) * s for a, b, s in zip(low, high, share, strict=True)]


@settings(max_examples=150, deadline=None)
@given(graphs(), st.integers(0, 2**32 - 1))
def test_every_value_lies_in_its_span(asked, seed):
    graph, inputs = asked
    box = boxes(inputs, seed)
    for spans in (intervals(graph, box), bounded(graph, box)):
        for z in points(box, seed):
            for value, span in zip(graph.values(z), spans, strict=True):
                for exact, low, high in zip(value.tolist(), *map(np.ndarray.tolist, span), strict=True):
                    assert low == -np.inf or Fraction(low) <= exact
                    assert high == np.inf or exact <= Fraction(high)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(graphs(), graphs(names=("MaxPool", "MaxPool", "Relu", "Conv"), kinds=("halves",), most=3)),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, -1]),
)
def test_no_value_is_above_its_linear_bound(asked, seed, sign):
    graph, inputs = asked
    box = boxes(inputs, seed)
    spans = bounded(graph, box)
    last = len(graph.nodes)
    bounds, corners = upper(graph, spans, last, np.arange(graph.sizes[last]), sign=sign)
    assert ((corners == box.low) | (corners == box.high)).all()
    for z in [*points(box, seed), *corners.tolist()]:
        for exact, bound in zip(graph(z).tolist(), bounds.tolist(), strict=True):
            assert bound == np.inf or sign * exact <= Fraction(bound)


def test_a_box_of_one_point_is_almost_exact():
    graph = Graph((2,), [Node(Dense([[1, 2], [3, -1]], [0.5, 0]), (0,)), Node(Relu(), (1,)),
                         Node(Dense([[1, 1]], [0]), (2,))])  # fmt: skip
    z = np.array([0.25, 1.0])
    span = intervals(graph, Span(z, z))[-1]
    assert span.low < 2.75 < span.high < span.low + 1e-12


def test_lines_are_closer_than_intervals():
    """relu(x) - relu(x) is 0, which intervals do not see; the lines of both are the same."""
    graph = Graph((1,), [Node(Dense([[1.0], [1.0]], [0, 0]), (0,)), Node(Dense([[1.0, -1.0]], [0]), (1,)),
                         Node(Relu(), (2,)), Node(Dense([[1.0]], [0]), (3,))])  # fmt: skip
    box = Span(np.array([-1.0]), np.array([1.0]))
    assert intervals(graph, box)[2].high[0] >= 2
    assert bounded(graph, box)[2].high[0] < 1e-12
