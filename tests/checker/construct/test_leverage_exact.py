"""Exact leverages against normal equations over Fractions: ill-conditioned, of low rank, of all sizes, with a ridge."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.leverage_exact import Scaled, inverse, kernel, moderate, scaled
from proof_of_absence.checker.independent.values.floats import Exact
from proof_of_absence.checker.independent.values.leverage import Determinants
from proof_of_absence.models.dyadic import integers
from tests.checker.construct.test_leverage_bounds import PENALTIES, exactly, tables

WILD = st.sampled_from([0, 1, 2**-20, 2.0**-300, 2.0**200, 3])


@settings(deadline=None)
@given(tables(WILD), PENALTIES)
def test_leverages_are_those_of_the_rationals_and_of_determinants(case, penalty):
    table, there = case
    own = exactly(table, there, penalty)
    columns, relations = kernel(scaled(table[:, 1:]))
    for relation in relations:
        assert not any(sum(v * Fraction(row[j]) for j, v in relation.items()) for row in table.tolist())
    assert len(columns) + len(relations) == len(there)
    broken = any(sum(v * Fraction(there[j]) for j, v in relation.items()) for relation in relations)
    assert broken == (own is None) or penalty
    if penalty:
        columns = list(range(len(there)))
    found = inverse(scaled(table[:, 1:]), columns, penalty)
    if own is None or found is None:
        return
    assert found.leverages(scaled(there[None, 1:])) == [own]
    anew = Determinants(Exact(*integers(table[:, 1:])), columns, penalty)
    assert anew.of(Exact(*integers(there[None, 1:]))) == [own]


def test_a_denominator_of_the_features_plays_no_part():
    whole = np.array([[1, 4], [2, 9], [5, 7], [3, 3]], dtype=object)
    by_thirds, same = Scaled.of(whole, -1, 3), Scaled.of(whole * 8, -4, 3)
    assert by_thirds.unit == same.unit and (by_thirds.whole == same.whole).all()
    phi = [[Fraction(1), *(Fraction(int(x), 6) for x in row)] for row in whole]
    assert [[x * by_thirds.unit for x in row] for row in by_thirds.whole.tolist()] == phi
    found = inverse(by_thirds, range(3), Fraction(1, 7)).leverages(same)
    assert found == [exactly(np.array(phi, dtype=object), np.array(row, dtype=object), Fraction(1, 7)) for row in phi]
    assert found == Determinants(Exact(whole, -1, 3), range(3), Fraction(1, 7)).of(Exact(whole * 8, -4, 3))


def test_what_is_wide_or_long_is_left_to_bounds():
    assert moderate(100, 33) and not moderate(100, 34) and not moderate(2**20, 2)
    rows = scaled(np.arange(6.0)[:, None] ** 2 * [1, 2**-300, 2**300] + np.eye(6)[:, :3])
    assert inverse(rows, range(4)) is not None and inverse(rows, range(4), told=10**5) is None
    with pytest.raises(ZeroDivisionError):
        inverse(scaled(np.ones((3, 1))), range(2))
