"""Floats as integers, against Fraction, which reads a float's value by itself."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.dyadic import MANTISSA, integers, mantissas

FLOATS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5)


@given(FLOATS)
def test_mantissas_are_the_very_floats(values):
    whole, exponents = mantissas(values)
    pairs = list(zip(whole.tolist(), exponents.tolist(), strict=True))
    assert [m * Fraction(2) ** e for m, e in pairs] == list(map(Fraction, values))
    assert all(abs(m) < 2**MANTISSA for m, _ in pairs)


@given(FLOATS)
def test_integers_are_the_very_floats(values):
    numbers, exponent = integers(np.array([values, values]))
    assert numbers.shape == (2, len(values)) and all(type(n) is int for n in numbers.ravel())
    assert [n * Fraction(2) ** exponent for n in numbers[1]] == list(map(Fraction, values))


def test_zeros_need_no_exponent():
    assert integers([0.0, -0.0])[0].tolist() == [0, 0] and integers([0.0])[1] == 0
