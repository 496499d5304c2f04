"""Sums of square roots against mpmath with many digits, and sums that are 0 by construction."""

from fractions import Fraction
from math import isqrt

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.numbers.roots import MOST, Roots, TooManyRoots

SMALL = st.fractions(min_value=-3, max_value=3, max_denominator=6)
RADICANDS = st.fractions(min_value=Fraction(1, 4), max_value=12, max_denominator=4)
TERMS = st.lists(st.tuples(SMALL, RADICANDS), max_size=4)


def made(roots, terms):
    total = roots.rational(Fraction(0))
    for times, of in terms:
        total += roots.rational(times) * roots.root(of)
    return total


def near(terms):
    pairs = [tuple(mpmath.mpf(x.numerator) / x.denominator for x in pair) for pair in terms]
    return mpmath.fsum(times * mpmath.sqrt(of) for times, of in pairs)


@settings(max_examples=200, deadline=None)
@given(TERMS, TERMS)
def test_signs_of_sums_and_products(one, other):
    """What is not 0 among such numbers is far above 10^-80."""
    roots = Roots()
    a, b = made(roots, one), made(roots, other)
    with mpmath.workdps(120):
        x, y = near(one), near(other)
        for ours, theirs in ((a + b, x + y), (a - b, x - y), (a * b, x * y)):
            sign = 0 if abs(theirs) < mpmath.mpf(10) ** -80 else int(mpmath.sign(theirs))
            assert ours.sign() == sign


@given(TERMS)
def test_what_is_the_same_number_differs_by_0(terms):
    roots = Roots()
    total = made(roots, terms)
    assert (total * total - total * total).sign() == 0
    assert (made(roots, [*terms, *((-c, r) for c, r in reversed(terms))])).rational() == 0


def test_near_ties_are_told():
    roots = Roots()
    root, n = roots.root(Fraction(2)), 10**300
    below = Fraction(7, 5)
    assert (root - roots.rational(below)).sign() == 1
    whole = Fraction(isqrt(2 * n * n), n)
    assert (root - roots.rational(whole)).sign() == 1
    assert (root - roots.rational(whole + Fraction(1, n))).sign() == -1


def test_too_many_roots_are_refused():
    roots, primes = Roots(), [p for p in range(2, 400) if all(p % q for q in range(2, p))]
    with pytest.raises(TooManyRoots, match=f"more than {MOST} square roots"):
        made(roots, [(Fraction(1), Fraction(p)) for p in primes[: MOST + 1]])


def test_too_many_products_are_refused(monkeypatch):
    monkeypatch.setattr("proof_of_absence.checker.numbers.roots.PRODUCTS", 10)
    number = made(Roots(), [(Fraction(1), Fraction(2)), (Fraction(1), Fraction(3))])
    with pytest.raises(TooManyRoots, match="more than 10 products"):
        for _ in range(4):
            number = number * number
