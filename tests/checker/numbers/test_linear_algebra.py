"""Linear algebra over Q against elimination in plain fractions."""

from fractions import Fraction
from math import gcd

from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.numbers.linear_algebra import kernel_vector, rank, solve_some
from tests.conftest import SMALL, WILD, vectors

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4))


@st.composite
def matrices(draw, entries=SMALL):
    """Matrices, often of less than full rank: rows are drawn from few, and combined."""
    count, width = draw(SHAPES)
    rows = [draw(vectors(width, entries)) for _ in range(count)]
    if draw(st.booleans()):
        rows.append(tuple(sum(c) for c in zip(*rows, strict=True)))
    return rows


def eliminate(rows):
    """How many pivots elimination finds."""
    rows, pivots = [list(map(Fraction, row)) for row in rows], 0
    for column in range(len(rows[0])):
        lead = next((i for i in range(pivots, len(rows)) if rows[i][column]), None)
        if lead is None:
            continue
        rows[pivots], rows[lead] = rows[lead], rows[pivots]
        for i in range(pivots + 1, len(rows)):
            factor = rows[i][column] / rows[pivots][column]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[pivots], strict=True)]
        pivots += 1
    return pivots


def times(rows, x):
    return [sum(a * b for a, b in zip(row, x, strict=True)) for row in rows]


@given(matrices(st.one_of(SMALL, WILD)))
def test_rank(rows):
    assert rank(rows) == eliminate(rows)


@given(matrices(), st.data())
def test_solvable_systems_are_solved(rows, data):
    right = times(rows, data.draw(vectors(len(rows[0]))))
    assert times(rows, solve_some(rows, right)) == right


@given(matrices(), st.data())
def test_a_solution_exists_exactly_where_the_rank_does_not_grow(rows, data):
    right = data.draw(vectors(len(rows)))
    solution = solve_some(rows, right)
    grows = eliminate([(*row, b) for row, b in zip(rows, right, strict=True)]) > eliminate(rows)
    assert (solution is None) == grows
    assert solution is None or times(rows, solution) == list(right)


@given(matrices(st.one_of(SMALL, WILD)))
def test_a_kernel_vector_exists_exactly_where_the_columns_are_dependent(rows):
    vector = kernel_vector(rows)
    assert (vector is None) == (eliminate(rows) == len(rows[0]))
    if vector is not None:
        assert not any(times(rows, vector)) and gcd(*map(int, vector)) == 1
        assert all(x.denominator == 1 for x in vector)
