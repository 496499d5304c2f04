"""Tallies: enclosures hold the exact masses, and a crossing is one at every temperature that is tried."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models.posterior import Census
from proof_of_absence.models.tally import Tally, beta

CELLS = ("a", "b", "c")
COUNTS = st.tuples(*[st.integers(0, 50)] * 3)
LEVELS = st.dictionaries(st.integers(0, 60), COUNTS.filter(any), min_size=1, max_size=8)
RATIOS = st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=50)


def tally(levels):
    return Tally.of(list(levels.items()), Fraction(1, 6), CELLS)


def exact(found, t, *cells):
    """The mass from its definition."""
    places = [CELLS.index(cell) for cell in cells]
    weights = [(t ** (loss - found.levels[0][0]), counts) for loss, counts in found.levels]
    total = sum(w * sum(counts) for w, counts in weights)
    return Fraction(sum(w * counts[place] for w, counts in weights for place in places), total)


@given(LEVELS, RATIOS, st.integers(0, 4))
def test_a_tally_gives_the_census_of_each_set(levels, ratio, power):
    found = tally(levels)
    census = found.census("a", "c")
    assert isinstance(census, Census) and census.unit == found.unit
    assert (census.nets, census.members) == (found.nets, found.count("a", "c"))
    assert census.mass(ratio, power) == exact(found, ratio**power, "a", "c")
    least = found.least("a", "c")
    assert (least is None) == (census.members == 0)
    if least:
        assert least[0] == min(level.loss for level in census.levels if level.members)


@given(LEVELS, RATIOS)
def test_masses_are_enclosed(levels, t):
    found = tally(levels)
    for cell, (low, high) in zip(CELLS, found.masses(t), strict=True):
        assert low <= exact(found, t, cell) <= high <= low + Fraction(1, 10**30)


@given(LEVELS, st.lists(RATIOS, min_size=3, max_size=3).map(sorted), st.sampled_from([("a",), ("a", "b"), CELLS]))
def test_an_enclosure_holds_all_along_the_interval(levels, ts, cells):
    found, (start, middle, end) = tally(levels), ts
    low, high = found.enclosure(start, end, *cells)
    for t in (start, middle, end):
        assert low <= exact(found, t, *cells) <= high


@given(LEVELS, RATIOS, st.lists(RATIOS, max_size=20))
def test_below_a_crossing_the_mass_is_below_delta_at_every_temperature(levels, delta, ts):
    found = tally(levels)
    crossing = found.crossing(delta, "a")
    if crossing is None:
        # In the limit of minimisers it is not below.
        assert found.levels[0][1][0] * delta.denominator >= delta.numerator * sum(found.levels[0][1])
        return
    for t in [*ts, crossing.below]:
        if t <= crossing.below:
            assert exact(found, t, "a") < delta
    if crossing.above is None:
        return
    assert exact(found, crossing.above, "a") >= delta
    assert crossing.below < crossing.above


@given(LEVELS, RATIOS)
def test_where_the_bound_is_below_delta_so_is_the_mass(levels, delta):
    found = tally(levels)
    t = found.certain(delta, "a")
    if t is None:
        assert found.levels[0][1][0]
        return
    assert exact(found, t, "a") < delta
    if found.count("a"):
        assert found.census("a").bound(t, 1) < delta


def test_a_mass_that_rises_before_it_falls_crosses_where_it_falls():
    # Many nets of a cell in the middle: 1/3 of the prior, most of the mass at some beta, none of the minimisers.
    found = Tally.of([(0, (0, 1, 0)), (4, (100, 0, 0)), (40, (0, 0, 200))], Fraction(1), CELLS)
    crossing = found.crossing(Fraction(1, 2), "a")
    assert exact(found, Fraction(1), "a") < Fraction(1, 2) <= exact(found, crossing.above, "a")
    assert Fraction(31, 100) < crossing.below < crossing.above < Fraction(32, 100)  # 100 t^4 = 1
    assert 1.14 < beta(crossing.above, found.unit) < 1.17


def test_what_makes_no_tally():
    with pytest.raises(ValueError, match="at least one loss"):
        Tally.of([], Fraction(1), CELLS)
    with pytest.raises(ValueError, match="each of them once"):
        Tally.of([(1, (1, 0, 0)), (1, (0, 1, 0))], Fraction(1), CELLS)
    found = tally({1: (1, 1, 1)})
    with pytest.raises(ValueError, match="0 < delta < 1"):
        found.crossing(Fraction(1), "a")
    with pytest.raises(ValueError, match="0 < delta < 1"):
        found.certain(Fraction(0), "a")
    with pytest.raises(ValueError, match="not an interval"):
        found.enclosure(Fraction(1, 2), Fraction(1, 3), "a")
