"""Balls over graphs against the definition over Fractions; roots against mpmath with many digits."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.passes.graph_enclosure import GraphPass, balls, blocks
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import BatchNorm, Clip, Conv, Dense, LeakyRelu, Relu, Scale, Sum
from proof_of_absence.models.windows import Window
from tests.graphs import graphs, rationals


def exact_values(graph, inputs):
    """[node][row] -> exact numbers of the flattened value."""
    return list(zip(*(graph.values(row.tolist()) for row in inputs), strict=True))


def holds(ball, exact):
    """Whether each exact number lies in its ball, and between its bounds."""
    lower, upper = ball.lower, ball.upper
    for i, row in enumerate(exact):
        for j, x in enumerate(row):
            radius = float(ball.radius[i, j])
            if np.isfinite(radius):
                assert abs(Fraction(float(ball.values[i, j])) - x) <= Fraction(radius)
                assert lower[i, j] <= x <= upper[i, j]
            else:
                assert (lower[i, j], upper[i, j]) == (-np.inf, np.inf)
    return True


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_the_exact_value_lies_in_the_ball(case):
    graph, inputs = case
    found = balls(graph, inputs)
    assert len(found) == len(graph.shapes)
    for ball, exact in zip(found, exact_values(graph, inputs), strict=True):
        assert ball.values.shape == ball.radius.shape == (len(inputs), len(exact[0]))
        assert holds(ball, exact)


@settings(max_examples=100, deadline=None)
@given(graphs(kinds=("floats",)))
def test_on_plain_floats_the_radius_is_small(case):
    """In relation to what is added up: weights and inputs are of the order of 1, layers at most 9."""
    graph, inputs = case
    for ball in balls(graph, inputs):
        assert (ball.radius <= 1e-9 * (1 + np.abs(ball.values).max()) * 10.0 ** len(graph.nodes)).all()


def test_a_radius_is_a_few_roundings():
    rng, window = np.random.default_rng(0), Window((3, 3), (6, 6), before=(1, 1))
    nodes = [
        Node(Conv(rng.standard_normal((8, 3, 3, 3)), rng.standard_normal(8), window), (0,)),
        Node(Relu(), (1,)),
    ]
    found = balls(Graph((3, 6, 6), nodes), rng.standard_normal((5, 108)))
    assert 0 < found[1].radius.max() < 1e-12
    assert (found[2].radius[found[1].values < -1e-12] == 0).all() and (found[2].values[found[1].values < 0] == 0).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_roots_lie_in_the_ball(seed, channels):
    """mpmath with 60 digits is the oracle; what it is off by is far below any radius."""
    rng = np.random.default_rng(seed)
    factor, mean, shift = (rationals(rng, channels) for _ in range(3))
    square = rationals(rng, channels, positive=True)
    graph = Graph((channels, 2), [Node(BatchNorm(factor, mean, square, shift), (0,)), Node(Relu(), (1,))])
    inputs = rng.integers(-3, 4, (3, 2 * channels)) / 2
    ball = balls(graph, inputs)[1]
    with mpmath.workdps(60):
        for (row, entry), near in np.ndenumerate(ball.values):
            c = entry // 2
            a, m, s, b = (mpmath.mpf(x.numerator) / x.denominator for x in (factor[c], mean[c], square[c], shift[c]))
            exact = a * (mpmath.mpf(inputs[row, entry]) - m) / mpmath.sqrt(s) + b
            assert abs(exact - mpmath.mpf(near)) <= mpmath.mpf(float(ball.radius[row, entry])) + mpmath.mpf(10) ** -55
            assert ball.radius[row, entry] < 1e-12


def test_a_shift_that_a_rational_root_cancels_is_bounded():
    """3 - 2 * 3 / sqrt(4) is 0, which a ball of the root does not tell."""
    graph = Graph((1,), [Node(BatchNorm([3], [2], [4], [3]), (0,)), Node(Relu(), (1,))])
    ball = balls(graph, np.array([[0.0], [1.0], [-1.0]]))[1]
    assert np.abs(ball.values[:, 0] - [0, 1.5, -1.5]).max() < 1e-15 and (ball.radius < 1e-14).all()
    assert ball.lower[0, 0] <= 0 <= ball.upper[0, 0]


def test_overflow_leaves_nothing_decided_above():
    # In float64 the first unit is -inf, so relu would make it 0; exactly it is positive.
    big = np.array([[1.7e308, 1.7e308, 1.7e308, 1.75e308]])
    first, last = Dense([[-1.0, -1, 1, 1]], [0]), Dense([[0.0]], [1])
    graph = Graph((4,), [Node(first, (0,)), Node(Relu(), (1,)), Node(last, (2,))])
    _, first, sent, out = balls(graph, big)
    assert np.isinf(first.radius).all() and np.isinf(sent.radius).all()
    assert out.lower[0, 0] == -np.inf or out.values[0, 0] == 1


@pytest.mark.parametrize("layer", [
    Scale([Fraction(1, 10**400)], [0]), Scale([Fraction(10**400)], [0]), Scale([1], [Fraction(1, 2**1060)]),
    Clip(Fraction(1, 10**400), None), LeakyRelu(Fraction(1, 10**400)), LeakyRelu(Fraction(-(10**400))),
    BatchNorm([Fraction(10**200)], [0], [Fraction(1, 10**300)], [0]),
])  # fmt: skip
def test_a_constant_that_no_float_is_near_decides_nothing(layer):
    ball = balls(Graph((1,), [Node(layer, (0,))]), np.array([[-1.0], [0.25]]))[1]
    exact = layer.slope * -1 if isinstance(layer, LeakyRelu) else None
    assert np.isinf(ball.radius[0]).all()
    assert exact is None or ball.lower[0, 0] <= exact


def test_a_tie_is_left_open_and_zeros_are_exact():
    one = np.nextafter(1, 2)
    nodes = [Node(Dense([[one, -one], [1, 0]], [0, 0]), (0,)), Node(Relu(), (1,)), Node(Sum((1, -1)), (2, 2))]
    graph = Graph((2,), nodes)
    ball = balls(graph, np.array([[3.0, 3.0], [0, 0]]))
    assert ball[1].radius[0, 0] > 0 and (ball[2].radius[1] == 0).all() and (ball[3].upper[1] == 0).all()


def test_blocks_cover_the_rows_and_a_pass_is_prepared_once():
    graph = Graph((2,), [Node(Relu(), (0,))])
    assert [b for part in blocks(graph, 2500) for b in range(part.start, part.stop)] == list(range(2500))
    whole, inputs = GraphPass(graph), np.arange(6.0).reshape(3, 2)
    assert np.array_equal(whole(inputs)[1].values, inputs) and len(whole(inputs, upto=0)) == 1
    with pytest.raises(ValueError, match="reads rows of 2 numbers"):
        whole(np.zeros((1, 3)))
