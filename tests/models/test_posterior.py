"""The posterior of quantised classes: counts by another enumeration, masses against floating-point exponentials,
the bound of C14.
"""

import math
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture, Family, Grid, Reals
from proof_of_absence.models.posterior import Census, Level, census, members_of
from tests.conftest import datasets

LEVELS = st.lists(
    st.tuples(st.fractions(0, 5, max_denominator=4), st.integers(0, 5), st.integers(0, 5)),
    min_size=1,
    max_size=5,
    unique_by=lambda level: level[0],
).map(lambda levels: Census(tuple(Level(loss, 1 + rest + members, members) for loss, rest, members in sorted(levels))))
RATIOS = st.fractions("1/9", "8/9", max_denominator=9)


@settings(max_examples=15)
@given(datasets(d=1, m=1, rows=3), st.sampled_from([(-1, 1), (0, 1), (-1, 0, 2)]))
def test_the_census_counts_what_a_plain_loop_counts(data, grid):
    def silent(net):
        return not any(net.layers[1].weights[0])

    found = census(Family(Architecture((1, 1, 1)), Grid(grid)), data, silent)
    losses = []
    for w, b, a, c in product(grid, repeat=4):
        outputs = [c + a * max(w * z[0] + b, 0) for z in data.inputs]
        errors = [(f - y[0]) ** 2 for f, y in zip(outputs, data.targets, strict=True)]
        losses.append((Fraction(sum(errors)) / len(data), a == 0))
    assert (found.nets, found.members) == (len(losses), sum(member for _, member in losses))
    for level in found.levels:
        assert level.nets == sum(loss == level.loss for loss, _ in losses)
        assert level.members == sum(loss == level.loss and member for loss, member in losses)
    assert [level.loss for level in found.levels] == sorted({loss for loss, _ in losses})


@given(LEVELS, RATIOS, st.integers(0, 6))
def test_the_mass_is_that_of_the_gibbs_posterior(found, ratio, power):
    beta = -power * math.log(ratio) / found.unit
    weights = [math.exp(-beta * float(level.loss - found.levels[0].loss)) for level in found.levels]
    total = sum(w * level.nets for w, level in zip(weights, found.levels, strict=True))
    mass = sum(w * level.members for w, level in zip(weights, found.levels, strict=True)) / total
    assert math.isclose(found.mass(ratio, power), mass, rel_tol=1e-9, abs_tol=1e-12)
    if power == 0:
        assert found.mass(ratio, 0) == Fraction(found.members, found.nets)


@given(LEVELS, RATIOS, st.integers(0, 6))
def test_the_bound_of_the_claim(found, ratio, power):
    if not found.members:
        with pytest.raises(ValueError, match="no net of the class is in the set"):
            found.bound(ratio, power)
        return
    assert found.mass(ratio, power) <= found.bound(ratio, power)
    assert found.bound(ratio, power + 1) <= found.bound(ratio, power)
    assert (found.gap == 0) == (found.levels[0].members > 0)


@given(LEVELS.filter(lambda found: found.members and found.gap), RATIOS, st.fractions("1/50", 1, max_denominator=50))
def test_a_crossover_is_where_the_mass_stays_below_delta(found, ratio, delta):
    power, certain = found.crossover(ratio, delta)
    assert power == 0 or found.mass(ratio, power - 1) >= delta
    assert all(found.mass(ratio, at) < delta for at in range(power, certain + 3))
    assert found.bound(ratio, certain) < delta and (certain == 0 or found.bound(ratio, certain - 1) >= delta)


def test_a_crossover_that_rises_first():
    # Nets of D sit in the middle: cooling first lifts them above those of high loss.
    found = Census((Level(Fraction(0), 1, 0), Level(Fraction(1), 4, 4), Level(Fraction(3), 4, 0)))
    masses = [found.mass(Fraction(1, 2), power) for power in range(3)]
    assert masses[0] < masses[1] > masses[2] and masses[0] < Fraction(1, 2)
    assert found.crossover(Fraction(1, 2), Fraction(1, 2))[0] > 1


def test_what_cannot_be_enumerated_or_promised_is_refused():
    with pytest.raises(TypeError, match="over the reals cannot be enumerated"):
        next(members_of(Family(Architecture((1, 1, 1)), Reals())))
    with pytest.raises(TypeError, match="over the reals cannot be enumerated"):
        census(Family(Architecture((1, 1, 1))), Dataset([[0]], [[0]]), bool)
    flat = Census((Level(Fraction(0), 2, 1),))
    for ratio, delta in (
        (Fraction(1, 2), Fraction(1, 2)),
        (Fraction(1), Fraction(1, 2)),
        (Fraction(1, 2), Fraction(0)),
    ):
        with pytest.raises(ValueError, match="a crossover needs"):
            flat.crossover(ratio, delta)
