"""States of units and where they fire, against brute force over Fractions; roots against a + b sqrt(2)."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.graph import firing as firing_module
from proof_of_absence.checker.graph import idle
from proof_of_absence.checker.graph.findings import State
from proof_of_absence.checker.graph.firing import firing
from proof_of_absence.checker.graph.idle import OUT_OF_TIME, checked_inputs, unit_states
from proof_of_absence.checker.numbers import deadline
from proof_of_absence.checker.passes import graph_enclosure, graph_exact
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import BatchNorm, Clip, Conv, Dense, LeakyRelu, Relu, Scale, Sum
from proof_of_absence.models.windows import Window
from tests.checker.passes.test_graph_exact import WITH_ROOTS, doubled, many_roots, surds
from tests.graphs import LAYERS, graphs

# Activations are what it is about.
NAMES = (*LAYERS, "Relu", "Relu", "Clip", "Dense")


def agrees(found, exact, rational=lambda x: x):
    """One node's states against the exact values of its units, a list of rows."""
    for unit, (state, *rows) in enumerate(zip(found.states.tolist(), *exact, strict=True)):
        if state == State.VARIES:
            one, other = found.witness[unit].tolist()
            assert rows[one] != rows[other] and unit not in found.values
        else:
            assert state == (State.DEAD if rational(rows[0]) == 0 else State.CONSTANT) and set(rows) == {rows[0]}
            assert found.values.get(unit) == rational(rows[0]) and found.witness[unit].tolist() == [-1, -1]
    return not found.reasons


@settings(max_examples=250, deadline=None)
@given(graphs(names=NAMES, rows=6))
def test_states_are_those_of_brute_force(case):
    graph, inputs = case
    exact = [graph.values(row.tolist()) for row in inputs]
    found = unit_states(graph, inputs.reshape(-1, *graph.input_shape))
    assert [one.node for one in found] == list(graph.activations)
    assert all(agrees(one, [row[one.node] for row in exact]) for one in found)


@settings(max_examples=60, deadline=None)
@given(graphs(names=NAMES, rows=6))
def test_so_they_are_in_blocks_of_one_row_and_where_no_float_decides(case):
    graph, inputs = case
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(graph_enclosure, "ENTRIES", 1)
        patched.setattr(idle, "MANY", 2)
        exact = [graph.values(row.tolist()) for row in inputs]
        assert all(agrees(one, [row[one.node] for row in exact]) for one in unit_states(graph, inputs))
        # Every radius is infinite.
        patched.setattr(graph_enclosure, "UP32", np.inf)
        assert all(agrees(one, [row[one.node] for row in exact]) for one in unit_states(graph, inputs))


@settings(max_examples=80, deadline=None)
@given(graphs(names=(*WITH_ROOTS, "Relu", "Clip"), kinds=("halves", "near"), most=5))
def test_with_roots_too(case):
    graph, inputs = case
    graph = doubled(graph, np.random.default_rng(1))
    exact = [surds(graph, row) for row in inputs]
    found = unit_states(graph, inputs)
    for one in found:
        assert agrees(one, [row[one.node] for row in exact], lambda x: x.a if x.b == 0 else None)
    fires = firing(graph, inputs, found, inputs + 1)
    later = [surds(graph, row) for row in inputs + 1]
    check_firing(found, fires, exact, later)


def check_firing(found, fires, exact, later):
    for one, other in zip(found, fires, strict=True):
        sends_one = ((one.states == State.DEAD) | (one.states == State.CONSTANT)) & one.read
        expected = {
            int(unit): tuple(k for k, row in enumerate(later) if row[one.node][unit] != exact[0][one.node][unit])
            for unit in np.flatnonzero(sends_one)
        }
        assert other.rows == {unit: rows for unit, rows in expected.items() if rows} and not other.undecided


@settings(max_examples=150, deadline=None)
@given(graphs(names=NAMES, rows=3), st.integers(0, 2**32 - 1))
def test_units_fire_where_they_send_another_value(case, seed):
    graph, inputs = case
    rng = np.random.default_rng(seed)
    deployment = inputs[rng.integers(0, len(inputs), 4)] + rng.choice([0, 0, 1, -0.5], (4, inputs.shape[1]))
    found = unit_states(graph, inputs)
    exact, later = ([graph.values(row.tolist()) for row in rows] for rows in (inputs, deployment))
    check_firing(found, firing(graph, inputs, found, deployment), exact, later)


def test_a_unit_that_nothing_reads_is_idle():
    nodes = [Node(Dense(np.eye(2), [0, 0]), (0,)), Node(Relu(), (1,)), Node(Dense([[1.0, 0]], [0]), (2,))]
    [found] = unit_states(Graph((2,), nodes), np.array([[0.0, 0], [1, 1]]))
    assert found.states.tolist() == [State.VARIES] * 2 and found.idle.tolist() == [False, True]


def test_one_ulp_is_told_from_a_tie():
    up = np.nextafter(1, 2)
    weights = [[up, -1], [1, -1], [1, -up], [3, -3]]
    nodes = [Node(Dense(weights, [0, 0, 0, 1]), (0,)), Node(Relu(), (1,)), Node(Dense([[1.0] * 4], [0]), (2,))]
    [found] = unit_states(Graph((2,), nodes), np.array([[x, x] for x in (0.1, 0.7, 3.3)]))
    assert found.states.tolist() == [State.VARIES, State.DEAD, State.DEAD, State.CONSTANT]
    assert found.values == {1: 0, 2: 0, 3: 1}


def test_what_reads_only_constants_is_constant_without_a_look_at_all_rows(monkeypatch):
    """The lower units are dead by their bias alone, which no weight of 0 tells."""
    asked = []
    differing = graph_exact.differing
    monkeypatch.setattr(idle, "differing", lambda *some: asked.append(len(some[1])) or differing(*some))
    nodes = [
        Node(Dense(np.full((2, 2), 0.1), [-100, -100]), (0,)), Node(Relu(), (1,)),
        Node(Dense([[0.1, 0.2], [0.1, 0.3]], [0.3, -0.1]), (2,)), Node(Clip(Fraction(1, 3), None), (3,)),
        Node(Dense([[1.0, 1]], [0]), (4,)),
    ]  # fmt: skip
    _, found = unit_states(Graph((2,), nodes), np.random.default_rng(0).random((50, 2)))
    assert found.states.tolist() == [State.CONSTANT] * 2 and found.values == {0: Fraction(1, 3), 1: Fraction(1, 3)}
    assert all(rows == 1 for rows in asked)


def test_a_sum_that_cancels_is_decided_exactly():
    nodes = [
        Node(Conv(np.full((1, 1, 2), 0.1), [0.3], Window((2,), (3,), before=(0,))), (0,)), Node(Sum((1, -1)), (1, 1)),
        Node(Scale([Fraction(1, 3)], [Fraction(1, 7)]), (2,)), Node(Relu(), (3,)),
        Node(Dense(np.ones((1, 3)), [0]), (4,)),
    ]  # fmt: skip
    [found] = unit_states(Graph((1, 4), nodes), np.random.default_rng(0).random((300, 4)))
    assert found.values == dict.fromkeys(range(3), Fraction(1, 7)) and (found.states == State.CONSTANT).all()


def test_what_there_is_no_time_for_is_undecided():
    graph = many_roots(3)
    with deadline.within(deadline.Deadline(-1)):
        [found] = unit_states(graph, np.ones((2, 3)))
    assert (found.states == State.UNDECIDED).all() and found.reasons == dict.fromkeys(range(3), OUT_OF_TIME)


def test_what_has_too_many_roots_is_undecided_with_its_reason(monkeypatch):
    monkeypatch.setattr(graph_exact, "BITS", (64,))
    monkeypatch.setattr(graph_exact, "LAST_BITS", 128)
    nodes = [*many_roots(70).nodes, Node(Sum((1, -1)), (3, 3)), Node(Relu(), (4,)), Node(Dense([[1.0, 1]], [0]), (5,))]
    inputs = np.ones((3, 70)) * [[1], [2], [3]]
    _, found = unit_states(Graph((70,), nodes), inputs)
    assert found.states.tolist() == [State.UNDECIDED, State.DEAD] and found.reasons == {0: graph_exact.TOO_MANY}


def test_an_irrational_constant_has_no_value_and_still_fires():
    nodes = [
        Node(BatchNorm([1, 1], [0, 0], [2, 2], [0, 0]), (0,)), Node(Relu(), (1,)), Node(Dense([[1.0, 1]], [0]), (2,))
    ]  # fmt: skip
    graph, inputs = Graph((2,), nodes), np.array([[1.0, 0], [1, 1]])
    [found] = unit_states(graph, inputs)
    assert found.states.tolist() == [State.CONSTANT, State.VARIES] and found.values == {}
    [fires] = firing(graph, inputs, [found], np.array([[1.0, 0], [np.nextafter(1, 2), 0]]))
    assert fires.rows == {0: (1,)}


@pytest.mark.parametrize("inputs, message", [
    (np.zeros((0, 2)), "at least one row"), (np.zeros((2, 3)), r"shape \(2,\)"), (np.array([[np.nan, 0]]), "NaN"),
    (np.array([[2**60, 0]]), "int64"), (np.array([["a", "b"]]), "float64 numbers"),
])  # fmt: skip
def test_inputs_that_do_not_fit_are_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        checked_inputs(Graph((2,), [Node(Relu(), (0,))]), inputs)


def deep(depth, width=4):
    """Dense layers and batch normalisations, so many that float64 balls tell nothing at the end; entry 0 sleeps."""
    rng = np.random.default_rng(1)
    nodes = []
    for k in range(depth):
        dense = Dense(rng.standard_normal((width, width)), np.zeros(width))
        squares = [Fraction(int(n), 7) for n in rng.integers(8, 200, width)]
        norm = BatchNorm([3] * width, np.zeros(width), squares, [-1000] + [1] * (width - 1))
        nodes += [Node(dense, (3 * k,)), Node(norm, (3 * k + 1,)), Node(LeakyRelu(Fraction(1, 2)), (3 * k + 2,))]
    last = len(nodes)
    nodes += [Node(BatchNorm([1] * width, [0] * width, [7] * width, [-(10**6)] * width), (last - 3,))]
    nodes += [Node(Relu(), (last + 1,)), Node(Dense(np.ones((1, width)), [0]), (last + 2,))]
    return Graph((width,), nodes)


def test_what_float64_lost_in_many_layers_is_decided_without_sums_of_roots(monkeypatch):
    def refuse():
        raise AssertionError("sums of roots")

    monkeypatch.setattr(graph_exact, "RootSums", refuse)
    graph, inputs = deep(60), np.random.default_rng(2).standard_normal((6, 4))
    number = graph.activations[-1]
    assert np.abs(graph_enclosure.balls(graph, inputs)[number - 1].radius).min() > 10**6
    *found, last = unit_states(graph, inputs)
    assert all((one.states == State.VARIES).all() for one in found) and (last.states == State.DEAD).all()
    for one in found:
        with mpmath.workdps(60):
            for unit, (i, j) in enumerate(one.witness):
                first, other = (in_mpmath(graph, inputs[row])[one.node][unit] for row in (i, j))
                assert abs(first - other) > mpmath.mpf(10) ** -30


def in_mpmath(graph, row):
    """The values of a net of these layers in 60 digits."""
    found = [[mpmath.mpf(float(x)) for x in row]]
    exact = lambda x: mpmath.mpf(x.numerator) / x.denominator  # noqa: E731
    for node in graph.nodes:
        h, layer = found[node.reads[0]], node.layer
        match layer:
            case Dense():
                value = [mpmath.fdot(w, h) for w in layer.weights.tolist()]
            case BatchNorm():
                told = zip(h, layer.factor, layer.mean, layer.square, layer.shift, strict=True)
                value = [exact(f) * (x - exact(m)) / mpmath.sqrt(exact(s)) + exact(b) for x, f, m, s, b in told]
            case LeakyRelu():
                value = [x if x >= 0 else x / 2 for x in h]
            case Relu():
                value = [max(x, mpmath.mpf(0)) for x in h]
        found.append(value)
    return found


def test_where_deep_units_fire_is_decided_by_sharp_balls(monkeypatch):
    """A unit that sleeps in training is open in float64 at every deployment row, and at none in more digits."""
    graph, inputs = deep(60), np.random.default_rng(2).standard_normal((6, 4))
    found = unit_states(graph, inputs)

    def refuse(*arguments):
        raise AssertionError("exact numbers")

    monkeypatch.setattr(firing_module, "differing", refuse)
    fires = firing(graph, inputs, found, np.concatenate([inputs, -inputs * 2.0**40]))
    with mpmath.workdps(60):
        sent = [in_mpmath(graph, row)[graph.activations[-1]] for row in (*inputs, *(-inputs * 2.0**40))]
    assert fires[-1].rows == {
        unit: rows for unit in range(4) if (rows := tuple(k for k, row in enumerate(sent) if row[unit] > 0))
    }
    assert fires[-1].rows and not any(one.undecided for one in fires)


def test_what_float64_lost_without_roots_is_decided_without_long_rationals(monkeypatch):
    graph, inputs = deep(60), np.random.default_rng(2).standard_normal((6, 4))
    rational = [
        Node(Scale(np.array([Fraction(4, 3)] * 4), np.array([Fraction(1)] * 4)), node.reads)
        if isinstance(node.layer, BatchNorm) and number < len(graph.nodes) - 2
        else node
        for number, node in enumerate(graph.nodes, 1)
    ]
    rational[-3] = Node(Scale(np.array([Fraction(1)] * 4), np.array([Fraction(-(10**60))] * 4)), rational[-3].reads)
    graph = Graph((4,), rational)
    assert graph.is_rational

    def refuse(*arguments):
        raise AssertionError("rationals")

    monkeypatch.setattr(idle, "differing", refuse)
    *found, last = unit_states(graph, inputs)
    assert all((one.states == State.VARIES).all() for one in found) and (last.states == State.DEAD).all()
