"""Exact digits and float bounds against the definition over Fraction, with huge, denormal and mixed magnitudes."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.passes.enclosure import enclose
from proof_of_absence.checker.passes.exact import activations, denominator, digit_width, split
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import PLAIN, WILD, any_nets, matrices

PRIME = 2**31 - 1


def pre_activations(net, inputs):
    """(layer, row, unit) -> exact number."""
    result = [[] for _ in net.layers]
    for z in inputs.tolist():
        values = tuple(map(Fraction, z))
        for number, layer in enumerate(net.exact().layers):
            pre = layer(values)
            result[number].append(pre)
            values = tuple(max(v, Fraction(0)) for v in pre)
    return result


def sign(x):
    return (x > 0) - (x < 0)


@given(any_nets())
def test_digits_are_the_exact_values(case):
    net, inputs = case
    for layer, rows in enumerate(pre_activations(net, inputs), 1):
        digits = activations(net, inputs, layer, pre=True)
        signs, same, remainders = digits.signs(), digits.equals_row(0), digits.modulo(PRIME)
        numbers, exponent, below = digits.integers()
        assert below == denominator(net, layer)
        for i, row in enumerate(rows):
            for j, x in enumerate(row):
                assert digits.fraction(i, j) == x == Fraction(int(numbers[i, j]), below) * Fraction(2) ** exponent
                assert signs[i, j] == sign(x)
                assert same[i, j] == (x == rows[0][j])
                x *= below
                assert remainders[i, j] == x.numerator * pow(x.denominator, -1, PRIME) % PRIME


@given(any_nets(), st.data())
def test_some_units_are_those_of_the_whole_layer(case, data):
    """Asked twice, since the digits of a layer of rationals are kept."""
    net, inputs = case
    layer = data.draw(st.integers(1, len(net.layers)))
    width = net.widths[layer]
    whole = activations(net, inputs, layer, pre=True)
    for _ in range(2):
        units = data.draw(st.lists(st.integers(0, width - 1), min_size=1, unique=True))
        some = activations(net, inputs, layer, units, pre=True)
        for i in range(len(inputs)):
            assert [some.fraction(i, k) for k in range(len(units))] == [whole.fraction(i, j) for j in units]


@given(any_nets(), st.sampled_from([np.float32, np.float64]))
def test_bounds_hold_and_decided_signs_are_right(case, precision):
    net, inputs = case
    for ball, rows in zip(enclose(net, inputs, precision), pre_activations(net, inputs), strict=True):
        radius = ball.radius
        signs, decided = ball.signs()
        for (i, j), bound in np.ndenumerate(radius):
            if np.isfinite(bound):
                assert abs(Fraction(float(ball.values[i, j])) - rows[i][j]) <= Fraction(float(bound))
            if decided[i, j]:
                assert signs[i, j] == sign(rows[i][j])


def test_overflow_below_leaves_nothing_decided_above():
    # In float64 the first unit is -inf, so relu would make it 0; exactly it is positive.
    net = FloatNet([([[-1.0, -1.0, 1.0, 1.0]], [0.0]), ([[1.0]], [0.0]), ([[1.0]], [0.0])])
    inputs = np.array([[1.7e308, 1.7e308, 1.7e308, 1.75e308]])
    for precision in (np.float32, np.float64):
        for ball in enclose(net, inputs, precision):
            assert not ball.signs()[1].any() or ball.radius.max() < np.inf
    assert activations(net, inputs, 3).fraction(0, 0) == Fraction(inputs[0, 3]) - Fraction(1.7e308)


def test_a_bound_is_useful_and_exact_data_have_none():
    rng = np.random.default_rng(5)
    weights, inputs = rng.standard_normal((20, 30)), rng.standard_normal((50, 30))
    net = FloatNet([(weights, rng.standard_normal(20))])
    assert enclose(net, inputs)[0].radius.max() < 1e-11
    integers = FloatNet([(np.rint(weights * 9), np.zeros(20))])
    assert enclose(integers, np.rint(inputs * 9), np.float32)[0].is_exact


@given(matrices(2, 3, st.one_of(PLAIN, WILD)), st.integers(18, 26))
def test_split_loses_nothing(array, width):
    parts = split(array, width)
    assert all(np.abs(part).max() <= 2**width for part in parts.values())
    for at, x in np.ndenumerate(array):
        assert sum(Fraction(part[at]) * Fraction(2) ** (width * s) for s, part in parts.items()) == Fraction(x)


@pytest.mark.parametrize("fan_in", [1, 2, 3, 64, 65, 1000])
def test_sums_of_products_of_digits_stay_below_54_bits(fan_in):
    width = digit_width(fan_in)
    assert fan_in * 4**width <= 2**53 < fan_in * 2 * 4 ** (width + 1)
