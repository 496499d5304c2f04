"""Bounds of leverages against exact rationals, on features ill-conditioned, of low rank, or with a ridge."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.leverage_bounds import ridge_rows, whitened, whitened_by_gram
from proof_of_absence.checker.numbers import costs
from proof_of_absence.checker.numbers.deadline import Deadline, within
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.numbers.linear_algebra import solve_some

SIZES = st.sampled_from([0, 1, 2**-20, 2**30, 3])
PENALTIES = st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(2**40)])


@st.composite
def tables(draw, sizes=SIZES):
    """Features with the constant, in training and at one input: columns of all sizes, near copies, and true ones."""
    count = draw(st.integers(1, 4))
    entry = st.integers(-4, 4)
    rows = np.array(draw(st.lists(st.lists(entry, min_size=count, max_size=count), min_size=1, max_size=7)), float)
    rows = rows * [draw(sizes) for _ in range(count)]
    if draw(st.booleans()):
        copy = rows[:, :1] + draw(st.sampled_from([0, 2**-18])) * np.arange(len(rows))[:, None] ** 2
        rows = np.hstack([rows, copy])
    there = rows[draw(st.integers(0, len(rows) - 1))] + draw(st.sampled_from([0, 1, 2**-12]))
    return np.column_stack([np.ones(len(rows)), rows]), np.array([1.0, *there])


def exactly(table, there, penalty):
    """h, or None where the features at the input are not in the row space."""
    rows = [[Fraction(v) for v in row] for row in table.tolist()]
    gram = [[sum(r[i] * r[j] for r in rows) for j in range(len(there))] for i in range(len(there))]
    for j in range(1, len(there)):
        gram[j][j] += penalty
    phi = list(map(Fraction, there.tolist()))
    solution = solve_some(gram, phi)
    return None if solution is None else sum(u * v for u, v in zip(solution, phi, strict=True))


def both(table, penalty, radius):
    """The factor by QR and that by Cholesky, of which either may be missing."""
    data = Interval(table, np.abs(table) * radius)
    yield whitened(lambda: [data[:2], data[2:]] if len(table) > 2 else [data], penalty)
    gram = table.T @ table
    yield whitened_by_gram(Interval(gram, (np.abs(table).T @ np.abs(table)) * (2.0**-48 + 3 * radius)), penalty)


@settings(deadline=None)
@given(tables(), PENALTIES, st.sampled_from([0.0, 2.0**-40]))
def test_the_bounds_hold_the_exact_leverage(case, penalty, radius):
    table, there = case
    exact = exactly(table, there, penalty)
    for found in both(table, penalty, radius):
        if found is None:
            continue
        (low,), (high,) = found.bounds(Interval.of(there[None]))
        if exact is None:
            assert high == np.inf
            continue
        assert Fraction(float(low)) <= exact and (high == np.inf or exact <= Fraction(float(high)))
        assert found.full_rank or high == np.inf


@settings(deadline=None)
@given(tables(st.sampled_from([1, 3])), PENALTIES)
def test_the_bounds_are_narrow_where_the_features_are_independent(case, penalty):
    table, there = case
    found = whitened(lambda: [Interval.of(table)], penalty)
    independent = penalty > 0 or sympy.Matrix(table.astype(int)).rank() == table.shape[1]
    if (table % 1).any() or not independent:
        return
    (low,), (high,) = found.bounds(Interval.of(there[None]))
    assert high <= low * (1 + 1e-7)


@given(tables(st.sampled_from([1])))
def test_no_rank_is_claimed_that_is_not_there(case):
    table, _ = case
    twice = np.hstack([table, table[:, :1]])
    for found in both(twice, Fraction(0), 0.0):
        assert found is None or not found.full_rank


def test_dependent_features_still_have_lower_bounds():
    table = np.array([[1.0, 2.0, 2.0], [1.0, 3.0, 3.0], [1.0, 5.0, 5.0], [1.0, 7.0, 7.0]])
    for found in both(table, Fraction(0), 0.0):
        (low,), (high,) = found.bounds(Interval.of([[1.0, 4.0, 4.0]]))
        exact = exactly(table, np.array([1.0, 4.0, 4.0]), Fraction(0))
        assert exact * (1 - Fraction(1, 10**6)) < Fraction(float(low)) <= exact and high == np.inf
        assert found.factor.shape == (3, 2)


def test_a_leverage_that_is_known_by_hand():
    found = whitened(lambda: [Interval.of([[1.0, 0.0], [1.0, 1.0], [1.0, 3.0]])])
    low, high = found.bounds(Interval.of([[1.0, 4.0]]))
    assert low[0] < 13 / 7 <= high[0] and high[0] - low[0] < 1e-7


def test_features_that_are_nowhere_near_known_give_no_upper_bound():
    data = Interval(np.eye(2), np.full((2, 2), 1.0))
    found = whitened(lambda: [data])
    assert found.bounds(Interval.of([[1.0, 1.0]]))[1][0] == np.inf


def test_what_overflows_has_no_factor():
    assert whitened(lambda: [Interval.of([[1.0, np.inf]])]) is None
    huge = whitened(lambda: [Interval.of([[1.0, 1e300], [1.0, -1e300], [1.0, 5.0]])])
    assert huge is None or huge.bounds(Interval.of([[1.0, 1e308]]))[0][0] >= 0


@pytest.mark.parametrize("penalty", [Fraction(-1), Fraction(2) ** 1001, Fraction(2) ** -1001])
def test_a_penalty_out_of_reach_is_refused(penalty):
    with pytest.raises(ValueError, match="penalty"):
        ridge_rows(3, penalty)


@settings(deadline=None, max_examples=30)
@given(tables(), PENALTIES, st.integers(1, 12))
def test_a_product_in_parts_says_the_same_and_looks_at_the_clock_before_each(case, penalty, size):
    """Between two looks no more multiplications than there may be, but those of one column."""
    table, there = case
    whole = whitened(lambda: [Interval.of(table)], penalty)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "PANEL", size)
        work, most = [0], [0]

        class Counted(Interval):
            def __matmul__(self, matrix):
                most[0] = max(most[0], self.value.size * (matrix.shape[1] if matrix.shape[1] > 1 else 0))
                work[0] += self.value.size * matrix.shape[1]
                return super().__matmul__(matrix)

        looks = [0]

        def clock():
            looks[0] += 1
            return 0.0

        with within(Deadline(1e9, clock)):
            parts = whitened(lambda: [Counted(table, 0 * table)], penalty)
    assert (whole is None) == (parts is None)
    if whole is None:
        return
    assert most[0] <= size and looks[0] >= work[0] // max(size, table.size)
    for one in (whole, parts):
        (low,), (high,) = one.bounds(Interval.of(there[None]))
        exact = exactly(table, there, penalty)
        assert exact is None or low <= exact <= high
