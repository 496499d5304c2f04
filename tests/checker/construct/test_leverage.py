"""Leverage against sympy's row spaces and against every other output layer that is tried: moves at their price."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.leverage import FreeMove, Leverage, leverage
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.minima.ridge import minimum_norm, ridge
from proof_of_absence.models.circuit import fires
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.proofs import facts
from tests.conftest import SMALL, idle_nets, nets, vectors

PENALTIES = st.sampled_from([0, Fraction(1, 3), 2])


@st.composite
def cases(draw):
    """(net, data, point): a shallow net, inputs that repeat, and an input that may be one of them."""
    net = draw(nets(widths=[draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 2))]))
    pool = draw(st.lists(vectors(net.widths[0]), min_size=1, max_size=5))
    inputs = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=7))
    targets = [draw(vectors(net.widths[2])) for _ in inputs]
    return net, Dataset(inputs, targets), draw(st.one_of(st.sampled_from(pool), vectors(net.widths[0])))


def by_definition(net, z):
    return [Fraction(1), *net.activations(z)[1]]


def least(net, data, penalty):
    """Its features with the output layer of least cost."""
    if penalty:
        return ridge(net, data, penalty, intercept=True)
    return minimum_norm(net, data, intercept=True).net


def cost(net, data, penalty):
    squares = sum(a * a for row in net.layers[1].weights for a in row)
    return data.loss(net) * len(data) + penalty * squares


@settings(deadline=None)
@given(cases(), PENALTIES)
def test_an_input_has_a_leverage_just_if_its_features_are_in_the_row_space(case, penalty):
    net, data, point = case
    table = sympy.Matrix([by_definition(net, z) for z in data.inputs])
    there = sympy.Matrix([by_definition(net, point)])
    found = leverage(net, data.inputs, point, penalty)
    inside = table.rank() == table.col_join(there).rank()
    assert isinstance(found, Leverage) == (inside or penalty > 0)
    if isinstance(found, FreeMove):
        assert not any(table * sympy.Matrix(found.direction)) and (there * sympy.Matrix(found.direction))[0] == 1
        check_fact(facts.free_readout(net, data.inputs, point, found))
        return
    gram = table.T * table + penalty * sympy.diag(0, *[1] * net.widths[1])
    assert gram * sympy.Matrix(found.solution) == there.T
    assert found.value == (there * sympy.Matrix(found.solution))[0] > 0
    check_fact(facts.leverage_at(net, data.inputs, point, found, penalty))
    same = sum(by_definition(net, z) == by_definition(net, point) for z in data.inputs)
    assert same * found.value <= 1 <= len(data) * found.value


@settings(deadline=None)
@given(cases(), PENALTIES, st.data())
def test_a_move_is_at_its_price_and_no_other_output_layer_is_cheaper(case, penalty, more):
    features, data, point = case
    net = least(features, data, penalty)
    by = more.draw(vectors(net.widths[2]))
    found = leverage(net, data.inputs, point, penalty)
    moved = found.moved(net, by)
    assert moved.layers[0] == net.layers[0]
    assert moved(point) == tuple(f + w for f, w in zip(net(point), by, strict=True))
    if isinstance(found, FreeMove):
        assert moved.outputs(data.inputs) == net.outputs(data.inputs)
        return
    square = sum(w * w for w in by)
    assert cost(moved, data, penalty) - cost(net, data, penalty) == square / found.value
    fact = facts.readout_price(net, moved, data, point, found, penalty)
    assert fact["attained"]
    check_fact(fact)
    rows = [more.draw(vectors(net.widths[1], SMALL)) for _ in by]
    other = MLP((net.layers[0], Affine(rows, more.draw(vectors(net.widths[2], SMALL)))))
    deviation = sum((a - b) ** 2 for a, b in zip(other(point), net(point), strict=True))
    assert deviation <= found.value * (cost(other, data, penalty) - cost(net, data, penalty))
    check_fact(facts.readout_price(net, other, data, point, found, penalty))


@given(idle_nets(d=2, hidden=1), vectors(2))
def test_where_an_idle_circuit_fires_a_move_is_free(case, point):
    net, circuit, data = case
    if fires(net, circuit, data.inputs, point):
        assert isinstance(leverage(net, data.inputs, point), FreeMove)


def test_what_has_no_leverage():
    net, deep = shallow([([1], 0, [1])], [0]), MLP((Affine([[1]], [0]),) * 3)
    for arguments, match in (
        ((deep, [[0]], [1]), "for one hidden layer"),
        ((net, [], [1]), "at least one input"),
        ((net, [[0]], [1], -1), "penalty -1 is negative"),
        ((net, [[0]], [1, 2]), "dimension 2, the net reads 1"),
    ):
        with pytest.raises(ValueError, match=match):
            leverage(*arguments)
