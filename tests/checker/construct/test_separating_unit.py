"""C4's direction and separating unit on random points: what they promise is what is measured."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.separating_unit import distinct_direction, separating_unit
from tests.conftest import SMALL, WILD, vectors


@given(st.integers(1, 3).flatmap(lambda d: st.lists(vectors(d, SMALL), min_size=1, max_size=6, unique=True)))
def test_a_direction_tells_distinct_points_apart(points):
    direction = distinct_direction(points)
    assert len({sum(a * b for a, b in zip(direction, p, strict=True)) for p in points}) == len(points)


def test_a_direction_where_the_first_ones_fail():
    # (1, 0), (1, 1) and (1, 2) each confuse two of the points.
    points = [(Fraction(x), Fraction(y)) for x, y in ((0, 0), (0, 1), (1, -1), (2, -1))]
    assert distinct_direction(points) == (1, 3)


@given(st.data(), st.integers(1, 3), st.integers(1, 2), st.sampled_from([SMALL, WILD]))
def test_separating_units_separate(data, d, m, entries):
    points = data.draw(st.lists(vectors(d, SMALL), min_size=1, max_size=5, unique=True))
    residuals = [data.draw(vectors(m, st.one_of(st.just(Fraction(0)), entries))) for _ in points]
    unit = separating_unit(points, residuals)
    if unit is None:
        assert not any(any(row) for row in residuals)
        return
    phi = [max(sum((a * b for a, b in zip(unit.weights, z, strict=True)), start=unit.bias), 0) for z in points]
    inner = tuple(sum(p * row[k] for p, row in zip(phi, residuals, strict=True)) for k in range(m))
    assert inner == unit.inner_products and any(inner)


def test_equal_points_are_refused():
    with pytest.raises(ValueError, match="no direction tells them apart"):
        separating_unit([(Fraction(0),), (Fraction(0),)], [(Fraction(1),), (Fraction(1),)])
