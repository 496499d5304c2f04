"""Bounds contain the exact pre-activations, whatever the magnitudes;
one that is too low by an ulp would be found here.
"""

import itertools
from fractions import Fraction
from math import nextafter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.region.bounds import OFF, ON, Bounds, Multipliers, round_down, round_up
from proof_of_absence.checker.region.question import question
from proof_of_absence.models.floatnet import FloatNet

TINY, HUGE = 5e-324, 1.7976931348623157e308
SMALL = st.integers(-8, 8).map(lambda k: k / 4)
ROUGH = st.floats(-3, 3, allow_subnormal=True)
WILD = st.one_of(ROUGH, st.sampled_from([TINY, -TINY, 1e-300, -1e-200, 1e200, -1e160, HUGE, -HUGE, 1e16, 2.0**-60]))


@st.composite
def any_nets(draw, entries, widths=None):
    if widths is None:
        widths = draw(st.lists(st.integers(1, 3), min_size=3, max_size=5))
    return FloatNet([
        (draw(st.lists(st.lists(entries, min_size=a, max_size=a), min_size=b, max_size=b)),
         draw(st.lists(entries, min_size=b, max_size=b)))
        for a, b in itertools.pairwise(widths)
    ])  # fmt: skip


@st.composite
def questions(draw, entries):
    net = draw(any_nets(entries))
    ends = [sorted(draw(st.tuples(st.fractions(-3, 3), st.fractions(-3, 3)))) for _ in range(net.widths[0])]
    unit = (len(net.widths) - 2, draw(st.integers(0, net.widths[-2] - 1)))
    return question(net, [unit], [e[0] for e in ends], [e[1] for e in ends])


def pre_activations(asked, z):
    """Exactly, from the definitions."""
    found = []
    for layer in asked.net.exact().layers[: asked.depth]:
        weights, bias = layer.weights, layer.bias
        found.append(
            [sum((w * v for w, v in zip(row, z, strict=True)), b) for row, b in zip(weights, bias, strict=True)]
        )
        z = [max(x, Fraction(0)) for x in found[-1]]
    return found


def points(asked, draw):
    """Corners, and points between."""
    shares = draw(st.lists(st.lists(st.sampled_from([0, 1, Fraction(1, 2), Fraction(1, 7)]), min_size=len(asked.low),
                                    max_size=len(asked.low)), min_size=4, max_size=4))  # fmt: skip
    return [[a + s * (b - a) for a, b, s in zip(asked.low, asked.high, row, strict=True)] for row in shares]


def contains(bounds, pres):
    for low, high, row in zip(bounds.low, bounds.high, pres, strict=True):
        for a, b, x in zip(low.tolist(), high.tolist(), row, strict=True):
            assert a == -np.inf or Fraction(a) <= x
            assert b == np.inf or x <= Fraction(b)


@given(st.data(), st.sampled_from([SMALL, ROUGH, WILD]))
@settings(max_examples=150)
def test_bounds_contain_the_exact_values(data, entries):
    asked = data.draw(questions(entries))
    bounds = Bounds(asked)
    bounds.tighten()
    for z in points(asked, data.draw):
        contains(bounds, pre_activations(asked, z))


@given(st.data(), st.sampled_from([SMALL, ROUGH]))
@settings(max_examples=100)
def test_bounds_under_sign_conditions_and_any_multipliers(data, entries):
    asked = data.draw(questions(entries))
    bounds = Bounds(asked)
    bounds.tighten()
    for m, row in enumerate(bounds.sign[:-1]):
        for i in range(len(row)):
            bounds.sign[m][i] = data.draw(st.sampled_from([ON, OFF, 0]))
    bounds.tighten(2)
    share, price = st.floats(0, 1), st.sampled_from([0.0, 0.5, 3.0])
    alpha = tuple(np.array([data.draw(share) for _ in row]) for row in bounds.low)
    beta = tuple(
        np.where(bounds.status(m) != 0, [data.draw(price) for _ in row], 0) for m, row in enumerate(bounds.low)
    )
    layer = len(bounds.low)
    weights, bias = bounds.layers[layer - 1]
    proved, _ = bounds.upper(layer, weights, bias, Multipliers(alpha, beta))
    for z in points(asked, data.draw):
        pres = pre_activations(asked, z)
        inside = all(
            s * x >= 0
            for sign, row in zip(bounds.sign, pres, strict=True)
            for s, x in zip(sign.tolist(), row, strict=True)
        )
        if inside:
            contains(bounds, pres)
            assert all(x <= Fraction(b) for x, b in zip(pres[-1], proved.tolist(), strict=True) if b != np.inf)


@given(st.data())
@settings(max_examples=40)
def test_parts_together_are_bounded_like_each_alone(data):
    asked = data.draw(questions(ROUGH))
    whole = Bounds(asked)
    free = asked.free
    if not free or whole.box[0][free[0]] >= whole.box[1][free[0]]:
        return
    at = float(whole.box[0][free[0]] + (whole.box[1][free[0]] - whole.box[0][free[0]]) / 2)
    parts = list(whole.cut(free[0], at))
    batch = Bounds.together(parts)
    batch.tighten(exactly=False)
    for i, part in enumerate(parts):
        part.tighten(exactly=False)
        for m in range(len(part.low)):
            np.testing.assert_allclose(batch.high[m][i], part.high[m], rtol=1e-9, atol=1e-9)


def test_a_sign_in_the_first_layer_is_settled_exactly():
    # 3 z_0 + 0.1 z_1 - 1.1 on [0, top] x [0, 1] has its largest value, 0, at a corner that is no float.
    net = FloatNet([([[3.0, 0.1]], [-1.1]), ([[1.0]], [0.0])])
    top = (Fraction(1.1) - Fraction(0.1)) / 3
    for more in (0, Fraction(1, 10**40)):
        bounds = Bounds(question(net, [(1, 0)], [0, 0], [top + more, 1]))
        bounds.tighten()
        assert bounds.high[0][0] == 0.0 if more == 0 else 0 < bounds.high[0][0] < 1e-39


@given(st.one_of(st.fractions(), st.integers(-(10**400), 10**400).map(Fraction),
                 st.builds(Fraction, st.integers(-9, 9), st.just(10**330))))  # fmt: skip
def test_rounding_goes_outward_by_one_float_at_most(value):
    up, down = round_up(value), round_down(value)
    assert up == np.inf or Fraction(up) >= value
    assert down == -np.inf or Fraction(down) <= value
    assert down == up or nextafter(down, np.inf) == up


def test_overflow_gives_infinite_bounds():
    net = FloatNet([([[HUGE]], [HUGE]), ([[HUGE]], [0.0]), ([[1.0]], [0.0])])
    bounds = Bounds(question(net, [(2, 0)], [-2], [2]))
    bounds.tighten()
    assert bounds.high[1][0] == np.inf


@pytest.mark.parametrize("scale", [1.0, 1e-310, 1e150])
def test_scaling_keeps_signs(scale):
    net = FloatNet([([[scale], [-scale]], [-2 * scale, 0.0]), ([[1.0, 1.0]], [0.0])])
    bounds = Bounds(question(net, [(1, 0)], [0], [2]))
    bounds.tighten()
    assert bounds.status(0).tolist() == [OFF, OFF]
