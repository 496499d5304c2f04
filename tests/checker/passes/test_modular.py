"""Residues, pivots and nullspaces modulo a prime against Fractions and one elimination by hand."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.passes.modular import PRIMES, nullspace, pivots, product, residues

PRIME = PRIMES[0]


@st.composite
def matrices(draw):
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    entry = st.sampled_from([0, 0, 1, 2, PRIME - 1, 12345])
    matrix = np.array(draw(st.lists(entry, min_size=rows * columns, max_size=rows * columns))).reshape(rows, columns)
    if draw(st.booleans()) and columns > 2:
        matrix[:, 2] = (matrix[:, 0] + 3 * matrix[:, 1]) % PRIME
    return matrix


def rank(matrix):
    """Its rank modulo the prime."""
    rows, found = [[int(x) for x in row] for row in matrix], 0
    for j in range(matrix.shape[1]):
        place = next((i for i in range(found, len(rows)) if rows[i][j]), None)
        if place is None:
            continue
        rows[found], rows[place] = rows[place], rows[found]
        inverse = pow(rows[found][j], -1, PRIME)
        for i in range(found + 1, len(rows)):
            share = rows[i][j] * inverse
            rows[i] = [(a - share * b) % PRIME for a, b in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


@given(matrices())
def test_pivots_are_the_columns_that_raise_the_rank(matrix):
    ranks = [0, *(rank(matrix[:, : j + 1]) for j in range(matrix.shape[1]))]
    assert pivots(matrix, PRIME) == [j for j in range(matrix.shape[1]) if ranks[j + 1] > ranks[j]]


@given(matrices())
def test_a_nullspace_is_all_there_is(matrix):
    basis = nullspace(matrix, PRIME)
    assert not product(matrix, basis, PRIME).any()
    assert rank(basis) == basis.shape[1] == matrix.shape[1] - rank(matrix)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=6))
def test_residues_are_those_of_the_numbers(values):
    for value, found in zip(values, residues(np.array(values), PRIME).tolist(), strict=True):
        own = Fraction(value)
        assert found == own.numerator * pow(own.denominator, -1, PRIME) % PRIME
