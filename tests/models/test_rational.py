"""Exact numbers from what a user writes."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.rational import LARGEST_EXPONENT, dot, rational
from tests.conftest import SMALL, WILD


@pytest.mark.parametrize(
    "text, value", [("1e-2", Fraction(1, 100)), (" 2E+1_0 ", 2 * 10**10), ("-3/4", Fraction(-3, 4))]
)
def test_text(text, value):
    assert rational(text) == value


def test_the_greatest_exponents_are_taken():
    assert rational(f"1e{LARGEST_EXPONENT}") * rational(f"1e-{LARGEST_EXPONENT}") == 1


@pytest.mark.parametrize("sign", ["", "+", "-"])
@pytest.mark.parametrize("exponent", [str(LARGEST_EXPONENT + 1), "999999999", "9" * 10_000])
def test_what_would_take_all_memory_is_refused(sign, exponent):
    with pytest.raises(ValueError, match="has an exponent beyond 4300"):
        rational(f"1e{sign}{exponent}")


@pytest.mark.parametrize("value", ["nan", "inf", "1e", "e5", "1e_5", "1/0", float("nan"), None, True])
def test_no_number(value):
    with pytest.raises(ValueError, match=r"is not a finite number|is a truth value"):
        rational(value)


@given(pairs=st.lists(st.tuples(st.one_of(SMALL, WILD), st.one_of(SMALL, WILD))), start=SMALL)
def test_an_inner_product_is_the_sum_of_the_products(pairs, start):
    assert dot([a for a, _ in pairs], [b for _, b in pairs], start) == start + sum(a * b for a, b in pairs)


def test_vectors_of_an_inner_product_are_of_one_length():
    with pytest.raises(ValueError, match="shorter"):
        dot([1, 2], [1])
