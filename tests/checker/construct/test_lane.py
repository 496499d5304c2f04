"""Lanes in deep nets: the promised drop is the measured one, and a lane carries what stands at its foot."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.lane import lane_of, lane_reassignment
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.models.circuit import Unit, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.proofs import facts
from tests.checker.independent.kinds.read import only_in
from tests.conftest import SMALL, datasets, nets, vectors


@st.composite
def idle_deep_nets(draw):
    """(net, circuit, data): a net of two or three hidden layers.

    The last unit of each from some layer up is silent or constant.
    """
    data = draw(datasets())
    hidden = draw(st.integers(2, 3))
    widths = (len(data.inputs[0]), *[draw(st.integers(2, 3)) for _ in range(hidden)], len(data.targets[0]))
    net = draw(nets(widths))
    foot = draw(st.integers(1, hidden))
    circuit = frozenset(Unit(layer, widths[layer] - 1) for layer in range(foot, hidden + 1))
    layers = list(net.layers)
    for unit in circuit:
        layer = layers[unit.layer - 1]
        flat = [Fraction(0)] * widths[unit.layer - 1]
        bias = draw(st.sampled_from([Fraction(-1), Fraction(2)]))
        layers[unit.layer - 1] = Affine((*layer.weights[:-1], flat), (*layer.bias[:-1], bias))
    return MLP(tuple(layers)), circuit, data


@given(idle_deep_nets())
def test_the_drop_is_the_measured_drop(case):
    net, circuit, data = case
    assert is_idle(net, circuit, data.inputs)
    result = lane_reassignment(net, circuit, data)
    foot = lane_of(net, circuit)[0]
    below = [net.activations(z)[foot.layer - 1] for z in data.inputs]
    regrouped = Dataset(below, data.residuals(net))
    sums = [group.mean_target for group in regrouped.groups]
    assert (result is None) == (not any(map(any, sums)))
    if result is None:
        return
    assert result.drop == data.loss(net) - data.loss(result.net) > 0
    assert only_in(net, result.net, circuit)
    check_fact(facts.reassigned(net, circuit, result, data))


@given(idle_deep_nets(), st.data())
def test_the_lane_carries_its_foot_at_every_input(case, more):
    net, circuit, data = case
    result = lane_reassignment(net, circuit, data)
    if result is None:
        return
    values = result.net.activations(more.draw(vectors(net.widths[0], SMALL)))
    lane = lane_of(net, circuit)
    assert len({values[unit.layer][unit.index] for unit in lane}) == 1
    assert [unit.layer for unit in lane] == list(range(lane[0].layer, len(net.layers)))


def test_what_is_not_covered_is_refused():
    data = Dataset([[0], [1]], [[0], [1]])
    net = MLP((Affine([[1], [0]], [0, 1]), Affine([[1, 0], [1, 1]], [0, 0]), Affine([[1, 1]], [0])))
    with pytest.raises(ValueError, match="no unit on the last hidden layer: there is no lane to the output"):
        lane_reassignment(net, {(1, 1)}, data)
    with pytest.raises(ValueError, match="the circuit is not train-idle on the data"):
        lane_reassignment(net, {(2, 1)}, data)
