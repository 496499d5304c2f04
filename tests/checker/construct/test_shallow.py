"""The construction of C4-C7 on random data: what it promises is what is measured."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.shallow import (
    distinct_direction,
    eliminate,
    reassignment,
    separating_unit,
    widening,
)
from proof_of_absence.models.circuit import Unit, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from tests.conftest import SMALL, WILD, datasets, idle_nets, nets, vectors

ANY_IDLE = st.one_of(idle_nets(m=1), idle_nets(m=2), idle_nets(d=2, m=1), idle_nets(d=2, m=2))


def at_floor(net, data):
    return not any(any(row) for row in data.group_residuals(net))


@given(st.integers(1, 3).flatmap(lambda d: st.lists(vectors(d, SMALL), min_size=1, max_size=6, unique=True)))
def test_a_direction_tells_distinct_points_apart(points):
    direction = distinct_direction(points)
    assert len({sum(a * b for a, b in zip(direction, p, strict=True)) for p in points}) == len(points)


def test_a_direction_where_the_first_ones_fail():
    # (1, 0), (1, 1) and (1, 2) each confuse two of the points.
    points = [(Fraction(x), Fraction(y)) for x, y in ((0, 0), (0, 1), (1, -1), (2, -1))]
    assert distinct_direction(points) == (1, 3)


@given(st.data(), st.integers(1, 3), st.integers(1, 2), st.sampled_from([SMALL, WILD]))
def test_separating_units_separate(data, d, m, entries):
    points = data.draw(st.lists(vectors(d, SMALL), min_size=1, max_size=5, unique=True))
    residuals = [data.draw(vectors(m, st.one_of(st.just(Fraction(0)), entries))) for _ in points]
    unit = separating_unit(points, residuals)
    if unit is None:
        assert not any(any(row) for row in residuals)
        return
    phi = [max(sum((a * b for a, b in zip(unit.weights, z, strict=True)), start=unit.bias), 0) for z in points]
    inner = tuple(sum(p * row[k] for p, row in zip(phi, residuals, strict=True)) for k in range(m))
    assert inner == unit.inner_products and any(inner)


def test_equal_points_are_refused():
    with pytest.raises(ValueError, match="no direction tells them apart"):
        separating_unit([(Fraction(0),), (Fraction(0),)], [(Fraction(1),), (Fraction(1),)])


@given(ANY_IDLE)
def test_the_drop_is_the_measured_drop_and_none_means_the_floor(case):
    net, circuit, data = case
    result = reassignment(net, circuit, data)
    assert (result is None) == at_floor(net, data) == (data.loss(net) == data.noise_floor)
    if result:
        assert result.drop == data.loss(net) - data.loss(result.net) > 0


@given(ANY_IDLE)
def test_only_the_circuit_and_the_output_bias_change(case):
    net, circuit, data = case
    result = reassignment(net, circuit, data)
    if result is None:
        return
    assert result.net.widths == net.widths
    kept = [j for j in range(net.widths[1]) if Unit(1, j) not in circuit]
    (old, old_output), (new, new_output) = net.layers, result.net.layers
    for j in kept:
        assert (old.weights[j], old.bias[j]) == (new.weights[j], new.bias[j])
        assert [row[j] for row in old_output.weights] == [row[j] for row in new_output.weights]
    for j in {unit.index for unit in circuit} - {min(circuit).index}:
        assert not any(row[j] for row in new_output.weights)


@given(ANY_IDLE, st.data())
def test_no_other_output_weight_of_the_new_unit_does_better(case, more):
    net, circuit, data = case
    result = reassignment(net, circuit, data)
    if result is None:
        return
    hidden, output = result.net.layers
    j = min(circuit).index
    rows = [list(row) for row in output.weights]
    for row in rows:
        row[j] += more.draw(SMALL)
    units = [(hidden.weights[i], hidden.bias[i], [row[i] for row in rows]) for i in range(net.widths[1])]
    assert data.loss(shallow(units, output.bias)) >= data.loss(result.net)


@given(datasets(), st.data())
def test_widening(data, more):
    net = more.draw(nets((len(data.inputs[0]), 2, len(data.targets[0]))))
    result = widening(net, data)
    assert (result is None) == at_floor(net, data)
    if result is None:
        return
    assert result.drop == data.loss(net) - data.loss(result.net) > 0
    assert result.net.widths == (net.widths[0], 3, net.widths[2])
    (old, old_output), (new, new_output) = net.layers, result.net.layers
    assert (new.weights[:-1], new.bias[:-1], new_output.bias) == (old.weights, old.bias, old_output.bias)
    assert tuple(row[:-1] for row in new_output.weights) == old_output.weights


@given(datasets(d=1, m=1))
def test_reassigning_again_and_again_never_goes_below_the_floor(data):
    net = shallow([([0], 0, [0])] * 4, [0])
    losses = [data.loss(net)]
    for j in range(4):
        result = reassignment(net, {Unit(1, j)}, data)
        if result is None:
            break
        net = result.net
        losses.append(data.loss(net))
    assert losses == sorted(set(losses), reverse=True) and losses[-1] >= data.noise_floor


@st.composite
def redundant(draw):
    """(net, coefficients, data): one unit copies another, up to a factor,
    or is 1 plus two others on the nonnegative inputs.
    """
    m = draw(st.integers(1, 2))
    data = draw(datasets(d=2, m=m))
    inputs = [tuple(map(abs, z)) for z in data.inputs]
    send = st.lists(SMALL, min_size=m, max_size=m)
    factor = draw(st.fractions(1, 3, max_denominator=3))
    w, b = draw(vectors(2)), draw(SMALL)
    copy = [(w, b), ([factor * x for x in w], factor * b), (draw(vectors(2)), draw(SMALL))], (0, -factor, 1, 0)
    sums = [([1, 0], 0), ([0, 1], 0), ([1, 1], 1)], (1, 1, 1, -1)
    units, coefficients = draw(st.sampled_from([copy, sums]))
    net = shallow([(*unit, draw(send)) for unit in units], draw(send))
    return net, [Fraction(v) for v in coefficients], Dataset(inputs, data.targets)


@given(redundant())
def test_any_unit_of_a_relation_can_be_eliminated(case):
    net, coefficients, data = case
    for j, v in enumerate(coefficients[1:]):
        if not v:
            with pytest.raises(ValueError, match="one that is not 0 for the eliminated unit"):
                eliminate(net, Unit(1, j), coefficients, data.inputs)
            continue
        cut = eliminate(net, Unit(1, j), coefficients, data.inputs)
        assert cut.outputs(data.inputs) == net.outputs(data.inputs)
        assert cut.layers[0] == net.layers[0] and not any(row[j] for row in cut.layers[1].weights)
        result = reassignment(cut, {Unit(1, j)}, data)
        assert (result is None) == at_floor(net, data)
        assert result is None or data.loss(net) - data.loss(result.net) == result.drop > 0


def test_only_a_relation_eliminates():
    net = shallow([([1], 0, [2]), ([2], 0, [1])], [0])
    deep = type(net)((net.layers[0], net.layers[1], net.layers[1].__class__([[1]], [0])))
    for coefficients, match in (([0, 1, 1], "does not hold at every input"), ([0, 1], "a coefficient for each unit")):
        with pytest.raises(ValueError, match=match):
            eliminate(net, Unit(1, 0), [Fraction(v) for v in coefficients], DATA.inputs)
    with pytest.raises(ValueError, match="proved for one hidden layer"):
        eliminate(deep, Unit(1, 0), [Fraction(0), Fraction(-2), Fraction(1)], DATA.inputs)


DATA = Dataset([[0], [1]], [[0], [1]])


def test_what_is_not_covered_is_refused():
    net = shallow([([1], 0, [2])], [0])
    assert not is_idle(net, {(1, 0)}, DATA.inputs)
    with pytest.raises(ValueError, match="the circuit is not train-idle on the data"):
        reassignment(net, {(1, 0)}, DATA)
    with pytest.raises(ValueError, match="not hidden units"):
        reassignment(net, {(1, 1)}, DATA)
    deep = type(net)((net.layers[0], net.layers[0], net.layers[1]))
    for surgery in (lambda: reassignment(deep, {(1, 0)}, DATA), lambda: widening(deep, DATA)):
        with pytest.raises(ValueError, match="proved for one hidden layer"):
            surgery()
