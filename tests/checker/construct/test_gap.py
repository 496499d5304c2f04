"""The gauge and the units along it: what C12 promises is what is measured, and no unit of the proof does better."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.gap import (
    Gauge,
    best_unit,
    gauge,
    reassignment_along,
    uniform_gap,
    widening_along,
)
from proof_of_absence.checker.construct.separating_unit import distinct_direction
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.models.circuit import Unit, add_unit, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from tests.conftest import SMALL, datasets, idle_nets, nets, vectors

ANY_IDLE = st.one_of(idle_nets(m=1), idle_nets(m=2), idle_nets(d=2, m=1), idle_nets(d=2, m=2))
POINTS = st.integers(1, 3).flatmap(lambda d: st.lists(vectors(d, SMALL), min_size=1, max_size=6, unique=True))


def along(data):
    return gauge([group.input for group in data.groups])


def dot(w, z):
    return sum(a * b for a, b in zip(w, z, strict=True))


@given(POINTS, st.data())
def test_a_gauge_measures_every_pair(points, more):
    direction = more.draw(st.one_of(st.none(), vectors(len(points[0]))))
    if direction is not None and len({dot(direction, z) for z in points}) < len(points):
        with pytest.raises(ValueError, match="two points have the same projection along the direction"):
            gauge(points, direction)
        return
    w, h, spread = gauge(points, direction)
    apart = [abs(dot(w, u) - dot(w, v)) for u, v in combinations(points, 2)]
    assert (h, spread) == ((min(apart), max(apart)) if apart else (1, 0))


@given(POINTS)
def test_the_gauge_that_is_chosen_is_at_least_as_good_as_that_of_c4(points):
    assert gauge(points).gap(1) >= gauge(points, distinct_direction(points)).gap(1)


def test_coordinates_of_few_values_get_a_mixed_radix():
    # 2 * 3 * 2 points on a grid: the projections are evenly spaced. The fourth coordinate adds nothing.
    points = [(a, b, c, a + c) for a in (0, 1) for b in (0, 5, 10) for c in (0, 1)]
    found = gauge(points)
    assert found.separation * 11 == found.spread and found.direction[3] == 0


@given(SMALL.filter(bool).map(abs), SMALL.map(abs), st.integers(1, 9), st.integers(1, 5))
def test_the_gap_is_below_one_and_does_not_depend_on_the_scale(h, more, count, scale):
    spread = h + more
    gap = Gauge((Fraction(1),), h, spread).gap(count)
    assert 0 < gap < Fraction(1, 18)
    assert gap == Gauge((Fraction(1),), scale * h, scale * spread).gap(count)
    assert gap * 18 * (count * (spread + h)) ** 2 == h**2


def test_a_gap_by_hand():
    # Projections 0, 1, 3: h = 1, D = 3, N = 4.
    data = Dataset([[0], [1], [3], [3]], [[0], [1], [2], [2]])
    assert along(data) == ((1,), 1, 3)
    assert along(data).gap(len(data)) == Fraction(1, 18 * 16 * 16)


@given(datasets(), st.data())
def test_the_best_unit_gains_the_gap_and_no_unit_of_the_proof_more(data, more):
    net = more.draw(nets((len(data.inputs[0]), 2, len(data.targets[0]))))
    w, h, _ = chosen = along(data)
    best = best_unit(net, data, chosen)
    excess = data.loss(net) - data.noise_floor
    assert (best is None) == (excess == 0)
    if best is None:
        return
    after = widening_along(net, data, chosen)
    assert after.net == add_unit(net, w, best.bias, best.outgoing)
    assert after.drop == best.drop == data.loss(net) - data.loss(after.net) >= chosen.gap(len(data)) * excess > 0
    check_fact(uniform_gap(net, after.net, data, chosen))
    for group in data.groups:
        for shift in (-h, 0, h):
            bias = shift - dot(w, group.input)
            phi = [max(dot(w, z) + bias, 0) for z in data.inputs]
            if norm := sum(p * p for p in phi):
                columns = zip(*data.residuals(net), strict=True)
                outgoing = [sum(p * r for p, r in zip(phi, column, strict=True)) / norm for column in columns]
                assert data.loss(net) - data.loss(add_unit(net, w, bias, outgoing)) <= best.drop


@given(ANY_IDLE)
def test_an_idle_circuit_reassigned_along_a_gauge(case):
    net, circuit, data = case
    chosen = along(data)
    result = reassignment_along(net, circuit, data, chosen)
    excess = data.loss(net) - data.noise_floor
    assert (result is None) == (excess == 0)
    if result is None:
        return
    assert result.drop == data.loss(net) - data.loss(result.net) >= chosen.gap(len(data)) * excess
    check_fact(uniform_gap(net, result.net, data, chosen, circuit))
    for j in range(net.widths[1]):
        if Unit(1, j) not in circuit:
            assert result.net.layers[0].weights[j] == net.layers[0].weights[j]
            assert [row[j] for row in result.net.layers[1].weights] == [row[j] for row in net.layers[1].weights]


@given(datasets(d=2), st.data())
def test_any_direction_that_keeps_the_inputs_apart_serves(data, more):
    direction = more.draw(vectors(2))
    points = [group.input for group in data.groups]
    assume(len({dot(direction, z) for z in points}) == len(points))
    net = more.draw(nets((2, 1, len(data.targets[0]))))
    chosen = gauge(points, direction)
    if result := widening_along(net, data, chosen):
        check_fact(uniform_gap(net, result.net, data, chosen))


def test_what_is_not_covered_is_refused():
    data = Dataset([[0], [1]], [[0], [1]])
    net = shallow([([1], 0, [2])], [0])
    deep = type(net)((net.layers[0], net.layers[0], net.layers[1]))
    assert not is_idle(net, {(1, 0)}, data.inputs)
    with pytest.raises(ValueError, match="a gauge needs at least one point"):
        gauge([])
    with pytest.raises(ValueError, match="no direction tells them apart"):
        gauge([(0,), (0,)])
    with pytest.raises(ValueError, match="the circuit is not train-idle on the data"):
        reassignment_along(net, {(1, 0)}, data, along(data))
    with pytest.raises(ValueError, match="proved for one hidden layer"):
        widening_along(deep, data, along(data))
