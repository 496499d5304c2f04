"""The constants of rounding against the machine's own, and gamma against its definition."""

from fractions import Fraction

import numpy as np
import pytest

from proof_of_absence.checker.numbers.rounding import SUBNORMAL, TINY, U64, UP, gamma


def test_the_constants_are_the_machines():
    info = np.finfo(np.float64)
    assert float(info.eps) / 2 == U64 and float(info.tiny) == TINY
    assert float(info.smallest_subnormal) == SUBNORMAL
    # 2^20 sums of nonnegative terms, the root and the products of a bound.
    assert Fraction(UP) > (1 + Fraction(U64)) ** (2**20 + 2**10)


@pytest.mark.parametrize("steps", [1, 2, 3, 1000, 2**20, 2**40, 2**51])
def test_gamma_is_at_least_what_it_stands_for(steps):
    exact = steps * Fraction(U64) / (1 - steps * Fraction(U64))
    assert exact <= gamma(steps) <= exact * Fraction(UP) ** 2


def test_gamma_of_too_many_steps_says_nothing():
    assert gamma(2**24, 2.0**-24) == float("inf")
