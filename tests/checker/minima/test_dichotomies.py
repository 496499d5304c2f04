"""Cells and rays against what random weights do, and against Cover's count."""

import random
from fractions import Fraction
from math import comb, lcm

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.kinds import global_minimum as independent
from proof_of_absence.checker.minima.dichotomies import dichotomies
from proof_of_absence.checker.minima.nonnegative import solve
from proof_of_absence.checker.numbers.linear_algebra import inner, rank, solve_some
from tests.checker.minima.line_minimum import patterns


def inputs_of(dimension, most):
    coordinate = st.integers(-2, 2)
    return st.lists(st.tuples(*[coordinate] * dimension), min_size=1, max_size=most, unique=True)


def gram_of(columns):
    return [[int(inner(a, b)) for b in columns] for a in columns]


INPUTS = st.one_of(inputs_of(1, 5), inputs_of(2, 6), inputs_of(3, 5))


@given(INPUTS, st.integers(0, 10**6))
@settings(max_examples=40)
def test_any_weights_have_the_signs_of_a_cell_whose_rays_make_the_unit(inputs, seed):
    found, draw = dichotomies(inputs), random.Random(seed)
    for _ in range(5):
        v = [Fraction(draw.randint(-9, 9), draw.randint(1, 9)) for _ in range(len(inputs[0]) + 1)]
        values = [inner(v, (*u, 1)) for u in inputs]
        inside = [c for c in found.cells if all(s * x >= 0 for s, x in zip(c.signs, values, strict=True))]
        assert inside
        assert len(inside) == 1 or 0 in values
        rays = sorted(inside[0].rays)
        columns = [[max(x, 0) for x in found.heights[r]] for r in rays]
        unit = [max(x, 0) for x in values]
        scale = lcm(*(x.denominator for x in unit))
        right = [int(scale * inner(a, unit)) for a in columns]
        chosen = solve(gram_of(columns), right, range(len(rays)), [])
        sent = [sum(value * columns[k][g] for k, value in chosen.items()) / scale for g in range(len(inputs))]
        assert sent == unit


@given(INPUTS)
@settings(max_examples=40)
def test_rays_vanish_at_as_many_inputs_as_they_can_and_have_the_heights_they_say(inputs):
    found = dichotomies(inputs)
    lifted = [(1, *u) for u in inputs]
    for ray, heights in zip(found.rays, found.heights, strict=True):
        assert [inner(ray, (*u, 1)) for u in inputs] == list(heights)
        through = [p for p, x in zip(lifted, heights, strict=True) if x == 0]
        assert any(heights) and (rank(through) if through else 0) == rank(lifted) - 1


@given(INPUTS)
@settings(max_examples=40)
def test_the_independent_checker_knows_every_cell(inputs):
    found = dichotomies(inputs)
    table = independent._heights([tuple(map(Fraction, u)) for u in inputs])

    def directions(rows):
        return {tuple(Fraction(x, max(map(abs, row))) for x in row) for row in rows}

    assert directions(table) == directions(found.heights)
    theirs = [directions(table[k] for k in cone) for cone in independent._cones(table)]
    ours = [directions(found.heights[k] for k in cell.rays) for cell in found.cells]
    assert all(cell in theirs for cell in ours)
    assert all(any(cone <= cell for cell in ours) for cone in theirs)


@pytest.mark.parametrize(("dimension", "count"), [(1, 4), (1, 7), (2, 5), (2, 7), (3, 6)])
def test_in_general_position_there_are_as_many_as_cover_counts(dimension, count):
    # Points on the moment curve: Cover (1965), theorem 1.
    found = dichotomies([[t**k for k in range(1, dimension + 1)] for t in range(count)])
    assert len(found.cells) == 2 * sum(comb(count - 1, k) for k in range(dimension + 1))
    assert len(found.rays) == 2 * comb(count, dimension)


def test_on_the_line_they_are_the_runs_that_begin_or_end_it():
    for count in range(1, 6):
        cells = dichotomies([[x] for x in range(count)]).cells
        on = [[g for g, s in enumerate(cell.signs) if s > 0] for cell in cells]
        runs = {(min(run), max(run) + 1) if run else (0, 0) for run in on}
        assert runs == {(first, end) for ((first, end, _),) in patterns(count, 1)}


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ([], "distinct inputs, at least one"),
        ([[0], [0]], "distinct inputs, at least one"),
        ([[t, 0] for t in range(13)] + [[0, 1]], "13 inputs lie in one hyperplane"),
    ],
)
def test_what_has_no_list_of_dichotomies(inputs, says):
    with pytest.raises(ValueError, match=says):
        dichotomies(inputs)


@given(st.lists(st.tuples(*[st.integers(-3, 3)] * 4), min_size=1, max_size=6), st.tuples(*[st.integers(-3, 3)] * 4))
def test_nonnegative_least_squares_meets_its_optimality_conditions(columns, target):
    gram, right = gram_of(columns), [int(inner(a, target)) for a in columns]
    for start in ([], list(range(len(columns)))):
        found = solve(gram, right, range(len(columns)), start)
        fitted = [sum((v * columns[k][i] for k, v in found.items()), Fraction(0)) for i in range(4)]
        slopes = [inner(a, [t - f for t, f in zip(target, fitted, strict=True)]) for a in columns]
        assert all(v > 0 for v in found.values()) and max(slopes) <= 0
        assert all(slopes[k] == 0 for k in found)
        assert not found or solve_some([[gram[i][j] for j in found] for i in found], [right[k] for k in found]) == list(
            found.values()
        )
