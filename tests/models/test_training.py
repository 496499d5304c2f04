"""The gradient against the definition that Coq uses, against exact difference quotients,
and gradient steps on dead units.
"""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proof_of_absence.models.circuit import Unit, hidden_units
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.training import gradient, gradient_step, is_dead, weight_decay
from tests.conftest import SMALL, datasets, nets, vectors


@st.composite
def cases(draw):
    data = draw(datasets())
    return draw(nets((len(data.inputs[0]), draw(st.integers(1, 3)), len(data.targets[0])))), data


def dot(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True))


def scaled_sum(scale, vectors_):
    return tuple(scale * sum(column) for column in zip(*vectors_, strict=True))


def by_the_coq_definition(net: MLP, data: Dataset, eta) -> MLP:
    """`gd drelu z y eta theta` of c18_dead_units.v, term by term, with drelu 0 = 0."""
    (hidden, output), coef = net.layers, Fraction(2, len(data))
    inw, bias, shift = hidden.weights, hidden.bias, output.bias
    outw = [tuple(row[j] for row in output.weights) for j in range(net.widths[1])]
    wrong = [
        [f - y for f, y in zip(net(z), target, strict=True)]
        for z, target in zip(data.inputs, data.targets, strict=True)
    ]
    units = []
    for j in range(net.widths[1]):
        pre = [dot(inw[j], z) + bias[j] for z in data.inputs]
        send = [int(p > 0) * dot(outw[j], e) for p, e in zip(pre, wrong, strict=True)]
        grad_inw = scaled_sum(coef, [[s * x for x in z] for s, z in zip(send, data.inputs, strict=True)])
        grad_outw = scaled_sum(coef, [[max(p, 0) * x for x in e] for p, e in zip(pre, wrong, strict=True)])
        units.append(
            (
                [w - eta * g for w, g in zip(inw[j], grad_inw, strict=True)],
                bias[j] - eta * coef * sum(send),
                [a - eta * g for a, g in zip(outw[j], grad_outw, strict=True)],
            )
        )
    return shallow(units, [c - eta * g for c, g in zip(shift, scaled_sum(coef, wrong), strict=True)])


@given(cases(), SMALL)
def test_a_step_is_the_step_of_the_coq_definition(case, eta):
    net, data = case
    assert gradient_step(net, data, eta) == by_the_coq_definition(net, data, eta)


def pre_activations(net, data):
    return [layer for z in data.inputs for layer in net.layers[0](z)]


@given(cases(), st.data())
def test_the_gradient_is_the_derivative_where_no_pre_activation_is_0(case, more):
    net, data = case
    before = pre_activations(net, data)
    assume(all(before))
    architecture = Architecture(net.widths)
    values = architecture.parameters(net)
    at = more.draw(st.integers(0, len(values) - 1))
    # On one activation pattern L is quadratic in each parameter, so the central difference is the derivative.
    step = min(map(abs, before)) / (1 + max((abs(x) for z in data.inputs for x in z), default=0)) / 2
    moved = [architecture.net([v + side * step if k == at else v for k, v in enumerate(values)]) for side in (1, -1)]
    for one in moved:
        assert [p > 0 for p in pre_activations(one, data)] == [p > 0 for p in before]
    quotient = (data.loss(moved[0]) - data.loss(moved[1])) / (2 * step)
    assert architecture.parameters(gradient(net, data))[at] == quotient


@given(cases(), st.lists(st.tuples(SMALL.filter(lambda r: r > 0), SMALL), min_size=1, max_size=3))
def test_dead_units_only_shrink(case, steps):
    net, data = case
    dead = [unit for unit in hidden_units(net) if is_dead(net, unit, data)]
    assert dead == [
        Unit(1, j) for j in range(net.widths[1]) if all(row[j] < 0 for row in map(net.layers[0], data.inputs))
    ]
    kept = net
    for rho, eta in steps:
        net, kept = gradient_step(weight_decay(net, rho), data, eta), weight_decay(kept, rho)
        for unit in dead:
            assert is_dead(net, unit, data)
            assert net.layers[0].weights[unit.index] == kept.layers[0].weights[unit.index]
            assert net.layers[0].bias[unit.index] == kept.layers[0].bias[unit.index]
            assert [r[unit.index] for r in net.layers[1].weights] == [r[unit.index] for r in kept.layers[1].weights]


@given(cases(), SMALL)
def test_decay_multiplies_every_parameter(case, rho):
    net, _ = case
    assert Architecture.parameters(weight_decay(net, rho)) == tuple(rho * v for v in Architecture.parameters(net))


@given(vectors(2), SMALL)
def test_a_step_by_hand(z, y):
    # f = 0 on a silent unit: only c moves, by 2 eta (y - 0).
    net = shallow([([0, 0], -1, [1])], [0])
    after = gradient_step(net, Dataset([z], [[y]]), "1/4")
    assert after == shallow([([0, 0], -1, [1])], [y / 2])


def test_other_depths_and_numbers_are_refused():
    net = shallow([([1], 0, [1])], [0])
    deep = MLP((net.layers[0], net.layers[0], net.layers[1]))
    data = Dataset([[0]], [[1]])
    with pytest.raises(ValueError, match="implemented for one hidden layer"):
        gradient(deep, data)
    with pytest.raises(ValueError, match="is not a finite number"):
        gradient_step(net, data, float("nan"))
    with pytest.raises(ValueError, match="is not a finite number"):
        weight_decay(net, float("inf"))
