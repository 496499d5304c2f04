"""Exact values against the definition over Fractions; with roots against a + b sqrt(2), compared by squaring."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.numbers import deadline
from proof_of_absence.checker.passes import graph_exact
from proof_of_absence.checker.passes.graph_enclosure import balls
from proof_of_absence.checker.passes.graph_exact import (
    DIFFERS,
    OPEN,
    SAME,
    differing,
    sharp_blocks,
    sharp_pass,
    values,
)
from proof_of_absence.models.graph import Graph, Node, value_of
from proof_of_absence.models.graph_layers import BatchNorm, Dense, Relu, Scale
from tests.checker.passes.test_graph_part import asked
from tests.graphs import LAYERS, graphs


@settings(max_examples=200, deadline=None)
@given(graphs(), st.data())
def test_values_are_those_of_the_definition(case, data):
    graph, inputs = case
    wanted = data.draw(asked(graph))
    found = values(graph, inputs, wanted)
    for number, entries in wanted.items():
        expected = [graph.values(row.tolist())[number][entries].tolist() for row in inputs]
        assert found[number].tolist() == expected
        assert all(type(x) is Fraction for x in found[number].reshape(-1))


@settings(max_examples=100, deadline=None)
@given(graphs(), st.data())
def test_what_differs(case, data):
    """From the first input, and from one of the values met."""
    graph, inputs = case
    (number, entries), *_ = data.draw(asked(graph)).items()
    exact = [graph.values(row.tolist())[number][entries] for row in inputs]
    reference = [data.draw(st.sampled_from([None, *(row[k] for row in exact)])) for k in range(len(entries))]
    found = differing(graph, inputs, number, entries, reference)
    against = [exact[0][k] if one is None else one for k, one in enumerate(reference)]
    for row, told in zip(exact, found.tolist(), strict=True):
        assert told == [DIFFERS if x != one else SAME for x, one in zip(row, against, strict=True)]


@dataclass(frozen=True)
class Surd:
    """a + b sqrt(2)."""

    a: Fraction
    b: Fraction = Fraction(0)

    def __add__(self, other):
        other = other if isinstance(other, Surd) else Surd(Fraction(other))
        return Surd(self.a + other.a, self.b + other.b)

    def __mul__(self, other):
        other = other if isinstance(other, Surd) else Surd(Fraction(other))
        return Surd(self.a * other.a + 2 * self.b * other.b, self.a * other.b + self.b * other.a)

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, other):
        return self + other * Fraction(-1)

    def __truediv__(self, other):
        return self * (1 / Fraction(other))

    def sign(self):
        if self.a * self.b >= 0:
            return (self.a + self.b > 0) - (self.a + self.b < 0)
        larger = self.a if self.a**2 > 2 * self.b**2 else self.b
        return 1 if larger > 0 else -1

    def __ge__(self, other):
        return (self - other).sign() >= 0

    def __gt__(self, other):
        return (self - other).sign() > 0

    def __le__(self, other):
        return (self - other).sign() <= 0

    def __lt__(self, other):
        return (self - other).sign() < 0


def surds(graph, row):
    """The values of a graph whose variances are twice squares of rationals."""
    found = [np.array([Surd(Fraction(x)) for x in row.tolist()], dtype=object)]
    for node in graph.nodes:
        below = [found[k].reshape(graph.shapes[k]) for k in node.reads]
        if isinstance(node.layer, BatchNorm):
            layer, ends = node.layer, (1,) * (below[0].ndim - 1)
            # 1 / sqrt(2 q^2) = sqrt(2) / (2 q).
            pairs = zip(layer.factor, layer.square, strict=True)
            scales = [Surd(Fraction(0), factor / (2 * root(square / 2))) for factor, square in pairs]
            scale = np.array(scales, dtype=object).reshape(-1, *ends)
            value = (below[0] - layer.mean.reshape(-1, *ends)) * scale + layer.shift.reshape(-1, *ends)
        else:
            value = value_of(node.layer, below)
        numbers = [x if isinstance(x, Surd) else Surd(Fraction(x)) for x in value.reshape(-1)]
        found.append(np.array(numbers, dtype=object))
    return found


def root(square):
    found = Fraction(round(square.numerator**0.5), round(square.denominator**0.5))
    assert found**2 == square
    return found


def doubled(graph, rng):
    """The graph with variances that are twice squares."""
    nodes = []
    for node in graph.nodes:
        layer = node.layer
        if isinstance(layer, BatchNorm):
            squares = [2 * Fraction(int(rng.integers(1, 4)), int(rng.integers(1, 4))) ** 2 for _ in layer.factor]
            layer = BatchNorm(layer.factor, layer.mean, squares, layer.shift)
        nodes.append(Node(layer, node.reads, node.name))
    return Graph(graph.input_shape, nodes, graph.dtype)


WITH_ROOTS = (*LAYERS, "BatchNorm", "BatchNorm", "BatchNorm", "Relu")


@settings(max_examples=150, deadline=None)
@given(graphs(names=WITH_ROOTS, kinds=("halves", "near"), most=5), st.data())
def test_with_roots_every_sign_is_found(case, data):
    graph, inputs = case
    graph = doubled(graph, np.random.default_rng(0))
    (number, entries), *_ = data.draw(asked(graph)).items()
    exact = [surds(graph, row)[number][entries] for row in inputs]
    found = values(graph, inputs, {number: entries})[number]
    assert found.tolist() == [[x.a if x.b == 0 else None for x in row] for row in exact]
    rational = [next((row[k].a for row in exact if row[k].b == 0), None) for k in range(len(entries))]
    for reference in ([None] * len(entries), rational):
        against = [exact[0][k] if one is None else Surd(one) for k, one in enumerate(reference)]
        for row, told in zip(exact, differing(graph, inputs, number, entries, reference).tolist(), strict=True):
            assert told == [DIFFERS if (x - one).sign() else SAME for x, one in zip(row, against, strict=True)]


@settings(max_examples=100, deadline=None)
@given(graphs(names=WITH_ROOTS, kinds=("halves", "near"), most=5))
def test_with_roots_the_exact_value_lies_in_the_ball(case):
    graph, inputs = case
    graph = doubled(graph, np.random.default_rng(2))
    found = balls(graph, inputs)
    for i, row in enumerate(inputs):
        for ball, exact in zip(found, surds(graph, row), strict=True):
            for value, radius, x in zip(ball.values[i].tolist(), ball.radius[i].tolist(), exact, strict=True):
                off = x - Surd(Fraction(value))
                assert np.isfinite(radius) and off <= Surd(Fraction(radius)) and off >= Surd(-Fraction(radius))


def many_roots(count):
    primes = [Fraction(p) for p in range(2, 500) if all(p % q for q in range(2, p))][:count]
    nodes = [
        Node(BatchNorm([1] * count, [0] * count, primes, [0] * count), (0,)), Node(Relu(), (1,)),
        Node(Dense(np.array([[1.0] * count, [1.0] + [0] * (count - 1)]), [0, 0]), (2,)),
    ]  # fmt: skip
    return Graph((count,), nodes)


def test_what_has_too_many_roots_is_open_where_balls_do_not_tell(monkeypatch):
    monkeypatch.setattr(graph_exact, "BITS", (64,))
    monkeypatch.setattr(graph_exact, "LAST_BITS", 128)
    graph = many_roots(70)
    inputs = np.ones((3, 70))
    inputs[2, 5] = 2
    found = differing(graph, inputs, 3, np.array([0, 1]), [None, None])
    assert found.tolist() == [[SAME, SAME], [OPEN, SAME], [DIFFERS, SAME]]
    assert values(graph, inputs, {3: np.array([0])})[3].tolist() == [[None]] * 3


@settings(max_examples=100, deadline=None)
@given(graphs(names=WITH_ROOTS, kinds=("halves", "near"), most=5), st.data())
def test_with_roots_the_exact_value_lies_in_the_sharp_ball(case, data):
    graph, inputs = case
    graph = doubled(graph, np.random.default_rng(4))
    wanted = data.draw(asked(graph))
    for rows in sharp_blocks(graph, len(inputs)):
        found = sharp_pass(graph, inputs[rows], wanted)
        for i, row in enumerate(inputs[rows]):
            for number, exact in ((number, surds(graph, row)[number]) for number in wanted):
                for value, radius, x in zip(found[number].values[i], found[number].radius[i], exact, strict=True):
                    off, size = x - Surd(Fraction(float(value))), Surd(Fraction(float(radius)))
                    assert off <= size and off + size >= Surd(Fraction(0))
                    assert radius <= 2.0**-50 * max(abs(value), 2.0**-30)


@given(st.integers(0, 40), st.integers(1, 7))
def test_every_row_is_in_one_sharp_block(rows, entries):
    graph = many_roots(entries)
    blocks = list(sharp_blocks(graph, rows))
    assert [i for block in blocks for i in range(rows)[block]] == list(range(rows))


def test_what_a_relu_cuts_is_0_however_many_roots_it_is_made_of():
    graph = many_roots(70)
    nodes = [*graph.nodes, Node(Scale([-1], [0]), (3,)), Node(Relu(), (4,))]
    found = values(Graph((70,), nodes), np.ones((1, 70)), {5: np.array([0, 1])})
    assert found[5].tolist() == [[0, 0]]


def test_the_deadline_is_looked_at():
    graph = many_roots(3)
    with deadline.within(deadline.Deadline(-1)), pytest.raises(deadline.OutOfTime):
        differing(graph, np.ones((2, 3)), 3, np.array([0]), [None])
