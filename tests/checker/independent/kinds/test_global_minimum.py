"""The signs that units can have on points: what the checker accepts at rays holds for units that are drawn at will."""

from fractions import Fraction
from itertools import product
from math import comb

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.kinds.global_minimum import Signs
from proof_of_absence.checker.independent.refusal import Refused

COORDINATE = st.fractions(-3, 3, max_denominator=2)
WEIGHT = st.integers(-4, 4).map(Fraction)


@st.composite
def cases(draw):
    """Distinct points on a line or in a plane, functionals over them, and weights (w, b) of units."""
    d = draw(st.sampled_from([1, 2]))
    points = draw(st.lists(st.tuples(*[COORDINATE] * d), min_size=1, max_size=5, unique=True))
    weighted = draw(st.lists(st.lists(WEIGHT, min_size=len(points), max_size=len(points)), min_size=1, max_size=6))
    # With its opposite, so that more is accepted.
    weighted += [[-x for x in row] for row in weighted]
    units = draw(st.lists(st.tuples(*[COORDINATE] * (d + 1)), min_size=8, max_size=8))
    return sorted(points), weighted, units


def sent(unit, points):
    *w, b = unit
    return [max(sum(a * x for a, x in zip(w, z, strict=True)) + b, Fraction(0)) for z in points]


@settings(max_examples=150, deadline=None)
@given(cases(), st.integers(1, 2))
def test_what_serves_at_rays_serves_for_every_unit(case, n):
    points, weighted, units = case
    try:
        Signs(points).every_net(n, weighted)
    except Refused:
        assume(False)
    kinds = [[sign * x for x in sent(unit, points)] for unit in units for sign in (1, -1)]
    for chosen in product(kinds, repeat=n):
        assert any(all(sum(h * x for h, x in zip(row, kind, strict=True)) <= 0 for kind in chosen) for row in weighted)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_a_unit_that_nothing_serves_is_enough_to_refuse(case):
    points, weighted, units = case
    kinds = [[sign * x for x in sent(unit, points)] for unit in units for sign in (1, -1)]
    served = [any(sum(h * x for h, x in zip(row, k, strict=True)) <= 0 for row in weighted[::2]) for k in kinds]
    assume(not all(served))
    with pytest.raises(Refused, match="no residual bounds"):
        Signs(points).every_net(1, weighted[::2])


@pytest.mark.parametrize(("d", "count"), [(1, 2), (1, 6), (2, 3), (2, 6)])
def test_there_are_as_many_signs_as_hyperplanes_cut(d, count):
    # Points on the moment curve are in general position: Cover's number of dichotomies, which no other unit has.
    points = [tuple(Fraction(k) ** (j + 1) for j in range(d)) for k in range(count)]
    cells = Signs(points)._cones
    assert len(set(map(tuple, cells))) == 2 * sum(comb(count - 1, j) for j in range(d + 1))
