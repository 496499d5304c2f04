"""A net in integers computes what the net over the rationals does, at any rational inputs."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.kernel.certificate import net_json
from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, within
from proof_of_absence.checker.passes.integers import Integers
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import any_nets

NUMBERS = st.one_of(
    st.fractions(-9, 9), st.sampled_from([Fraction(1, 3), Fraction(0), Fraction(2**80), Fraction(1, 2**80)])
)


@given(any_nets(), st.data())
def test_values_are_those_of_the_rational_net(case, data):
    net, _ = case
    points = data.draw(st.lists(st.tuples(*[NUMBERS] * net.widths[0]), min_size=1, max_size=4))
    integers, depth = Integers(net), len(net.layers) - 1
    layers = integers.forward(points, depth)
    for place, z in enumerate(points):
        for number, layer in enumerate(net.exact().layers[:depth]):
            z = tuple(
                max(sum((w * v for w, v in zip(row, z, strict=True)), b), Fraction(0))
                for row, b in zip(layer.weights, layer.bias, strict=True)
            )
            assert layers[number].vector(place) == z
            assert layers[number].at(len(z) - 1, place) == z[-1]


@given(any_nets())
def test_rows_and_text_are_the_nets_own(case):
    net, _ = case
    integers, exact = Integers(net), net.exact()
    for number, layer in enumerate(exact.layers, 1):
        assert integers.bias(number) == tuple(layer.bias)
        assert [integers.row(number, j) for j in range(len(layer.bias))] == [tuple(row) for row in layer.weights]
    assert integers.json == net_json(exact)
    assert pickle.loads(pickle.dumps(integers)).json == integers.json


def test_another_box_is_not_taken_for_the_last():
    net = FloatNet([([[1.0]], [0.5]), ([[1.0]], [0.0])])
    integers = Integers(net)
    assert [integers.shared("x", of, lambda of=of: of + 1) for of in (1, 1, 2, 1)] == [2, 2, 3, 2]
    assert [integers.forward([(Fraction(x),)], 1)[0].at(0, 0) for x in (1, 1, -1)] == [Fraction(3, 2)] * 2 + [0]
    assert np.array_equal(integers.net.layers[0].weights, net.layers[0].weights)


def test_a_pass_looks_at_the_clock():
    integers = Integers(FloatNet([([[1.0]], [0.5]), ([[1.0]], [0.0])]))
    with within(Deadline(0)), pytest.raises(OutOfTime):
        integers.forward([(Fraction(1),)], 1)
