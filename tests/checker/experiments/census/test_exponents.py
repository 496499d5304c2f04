"""The exponents of a census, against exact masses and numpy's line, and by hand."""

from fractions import Fraction
from math import exp

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.experiments.census.exponents import FARTHEST, POINTS, exponents, exponents_table
from proof_of_absence.checker.experiments.census.problem import CELLS
from proof_of_absence.checker.experiments.census.result import SETS
from proof_of_absence.models.tally import Tally
from tests.checker.screen.narrow import assert_whole, narrow

HONEST, IDLE = CELLS.index("imitator"), CELLS.index("deceptive-idle")


def tally_of(best, more):
    """Nets of least loss in one honest cell; further levels have (loss above it, honest nets, idle nets)."""

    def row(honest, idle):
        return tuple({HONEST: honest, IDLE: idle}.get(k, 0) for k in range(len(CELLS)))

    levels = {loss: row(honest, idle) for loss, honest, idle in more}
    return Tally.of([(1, row(best, 0)), *sorted((1 + loss, counts) for loss, counts in levels.items())],
                    Fraction(1, 8), CELLS)  # fmt: skip


LEVELS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 50), st.integers(1, 500)),
    min_size=1,
    max_size=4,
    unique_by=lambda x: x[0],
)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20), LEVELS)
def test_it_is_the_slope_of_the_exact_masses(best, more):
    tally = tally_of(best, more)
    found = exponents(tally)
    for e in found:
        assert e.gap == Fraction(min(loss for loss, _, _ in more), 8)
        census, betas = tally.census(*SETS[e.name]), np.linspace(e.first, e.last, POINTS)
        masses = []
        for beta in betas:
            weights = [(exp(-beta * float(level.loss)), level) for level in census.levels]
            whole = sum(w * level.nets for w, level in weights)
            masses.append(sum(w * level.members for w, level in weights) / whole)
        assert abs(e.fitted + np.polyfit(betas, np.log(masses), 1)[0]) <= 1e-6 * max(e.fitted, 1)
    for name in {e.name for e in found}:
        (*_, cold) = [e for e in found if e.name == name]
        assert cold.last == FARTHEST * cold.first


def test_two_levels_by_hand():
    # One net at the least loss, one idle at 1 above it: the mass is 1 / (1 + exp(beta)).
    (*_, cold) = exponents(tally_of(1, [(8, 0, 1)]))
    assert cold.gap == 1 and abs(cold.first - np.log(99)) < 1e-3 and abs(cold.fitted - 1) < 0.01


def test_nothing_falls_where_the_best_nets_are_idle():
    row = tuple(int(k == IDLE) for k in range(len(CELLS)))
    assert exponents(Tally.of([(1, row), (2, row)], Fraction(1), CELLS)) == []


def test_the_table_fits_80_columns():
    assert_whole(
        narrow(exponents_table(exponents(tally_of(3, [(1, 2, 400), (5, 1, 9)])))), ["fitted", "of C26", "idle"]
    )
