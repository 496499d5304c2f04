"""Logistic losses in ball arithmetic and the construction's step, against floating point and the independent bounds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.logistic import group_gradients, logistic_descent, logistic_loss
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from tests.conftest import SMALL, vectors


@given(st.data(), SMALL, SMALL, SMALL)
def test_a_silent_unit_is_reused_exactly_if_some_group_sum_is_not_zero(data, w, a, c):
    inputs = data.draw(st.lists(vectors(1), min_size=1, max_size=5))
    examples = Dataset(inputs, [[data.draw(st.integers(0, 1))] for _ in inputs])
    net = shallow([([w], 0, [a]), ([0], -1, [1])], [c])
    total = sum(
        math.log1p(math.exp(f)) - y * f for (f,), (y,) in zip(net.outputs(inputs), examples.targets, strict=True)
    )
    assert float(logistic_loss(net, examples).mid()) == pytest.approx(float(total) / len(inputs))
    result = logistic_descent(net, {Unit(1, 1)}, examples)
    balanced = all(net(g.input)[0] == 0 and g.mean_target[0] * 2 == 1 for g in examples.groups)
    assert (result is None) == balanced
    if result is not None:
        difference = logistic_loss(net, examples) - logistic_loss(result.net, examples)
        assert float(difference.mid()) >= float(result.drop) >= 0


def test_gradients_are_those_of_the_loss():
    net, examples = shallow([([1], 0, [1])], [0]), Dataset([[0], [1], [1]], [[0], [1], [0]])
    assert [float(g.mid()) for g in group_gradients(net, examples)] == pytest.approx([0.5, 2 / (1 + math.exp(-1)) - 1])


def test_what_the_loss_is_not_for():
    net = shallow([([1], 0, [1])], [0])
    with pytest.raises(ValueError, match="one output and targets 0 and 1"):
        logistic_loss(net, Dataset([[0]], [[2]]))
    with pytest.raises(ValueError, match="not train-idle"):
        logistic_descent(net, {Unit(1, 0)}, Dataset([[0], [1]], [[0], [1]]))
