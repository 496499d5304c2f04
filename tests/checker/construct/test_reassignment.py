"""Reassignment and widening (C5 to C7) on random data: what they promise is what is measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.reassignment import reassignment, widening
from proof_of_absence.models.circuit import Unit, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from tests.conftest import SMALL, datasets, idle_nets, nets

ANY_IDLE = st.one_of(idle_nets(m=1), idle_nets(m=2), idle_nets(d=2, m=1), idle_nets(d=2, m=2))


def at_floor(net, data):
    return not any(any(row) for row in data.group_residuals(net))


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
