"""Exact relations v_0 + sum_j v_j x_j = 0 among recorded columns: found modulo primes, then shown at every row.

Candidates come from rows that span the row space. A sum of integers that is 0 modulo primes whose product is larger
than it can be is 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, isqrt, lcm
from typing import Any

import numpy as np
from flint import fmpz, nmod_mat
from numpy.typing import NDArray

from proof_of_absence.checker.passes.modular import PRIMES, product, residues
from proof_of_absence.checker.recorded.row_space import with_ones
from proof_of_absence.models.dyadic import mantissas

__all__ = ["Relation", "candidates", "pivot_columns", "zero"]

Floats = NDArray[np.floating[Any]]
# Coefficients by columns of [1 | X]: the constant is 0, the column j is j + 1.
Relation = Mapping[int, Fraction]

# Primes tried before relations are given up: coefficients of more digits are no finding that anybody can read.
MOST = 12
# Binary digits that each prime is sure to have, and those of a float64.
DIGITS, MANTISSA = 30, 53


def pivot_columns(values: Floats, prime: int = PRIMES[0]) -> list[int]:
    """The columns of [1 | X] that are no combinations of columns before them, on independent rows."""
    reduced, rank = _matrix(residues(with_ones(values), prime), prime).rref()
    flat = np.array([int(x) for x in reduced.entries()], dtype=np.int64).reshape(reduced.nrows(), -1)
    return [int(row.nonzero()[0][0]) for row in flat[:rank]]


def candidates(values: Floats, pivots: Sequence[int], others: Sequence[int]) -> list[Relation] | None:
    """For each other column the relation that makes it of the pivots, on independent rows; None if too long.

    Parameters
    ----------
    values
        As many independent rows as there are pivots, shape (r, p).
    """
    if not others:
        return []
    table = with_ones(values)
    modulus, found = 1, np.zeros((len(pivots), len(others)), dtype=object)
    last: list[list[Fraction | None]] | None = None
    for prime in _primes(MOST):
        solution = _solved(table, pivots, others, prime)
        if solution is None:
            continue
        if last is not None and _agree(last, solution, prime):
            return [_relation(pivots, other, column) for other, column in zip(others, last, strict=True)]
        step = (solution - found % prime) * pow(modulus, -1, prime) % prime
        found, modulus = found + step * modulus, modulus * prime
        last = [[_rational(int(x), modulus) for x in found[:, k]] for k in range(len(others))]
    return None


def _relation(pivots: Sequence[int], other: int, column: Sequence[Fraction | None]) -> Relation:
    return {j: x for j, x in zip(pivots, column, strict=True) if x} | {other: Fraction(-1)}


def _solved(table: Floats, pivots: Sequence[int], others: Sequence[int], prime: int) -> NDArray[Any] | None:
    """C with table[:, pivots] C = table[:, others] modulo the prime, of Python integers; None if it is singular."""
    left, right = (_matrix(residues(table[:, list(chosen)], prime), prime) for chosen in (pivots, others))
    try:
        solution = left.solve(right)
    except ZeroDivisionError:
        return None
    return np.array([int(x) for x in solution.entries()], dtype=object).reshape(len(pivots), len(others))


def _agree(columns: Sequence[Sequence[Fraction | None]], solution: NDArray[Any], prime: int) -> bool:
    """Whether the rationals are the solution modulo another prime."""
    return all(
        x is not None and x.denominator % prime and (x.numerator - int(solution[i, k]) * x.denominator) % prime == 0
        for k, column in enumerate(columns)
        for i, x in enumerate(column)
    )


def _rational(residue: int, modulus: int) -> Fraction | None:
    """The rational of numerator and denominator below the root of half the modulus, by Euclid's algorithm (Wang 1981).

    Examples
    --------
    >>> _rational(5 * pow(7, -1, 10007) % 10007, 10007)
    Fraction(5, 7)
    """
    bound = isqrt(modulus // 2)
    high, low, top, bottom = modulus, residue % modulus, 0, 1
    while low > bound:
        share = high // low
        high, low = low, high - share * low
        top, bottom = bottom, top - share * bottom
    if bottom == 0 or abs(bottom) > bound:
        return None
    return Fraction(low, bottom)


def zero(block: Floats, relations: Sequence[Relation]) -> NDArray[np.bool_]:
    """At which of the rows each relation holds exactly, shape (rows, relations).

    Examples
    --------
    >>> zero(np.array([[0.5, 1.0], [0.25, 1.0]]), [{1: Fraction(2), 2: Fraction(-1)}]).tolist()
    [[True], [False]]
    """
    holds = np.ones((len(block), len(relations)), dtype=bool)
    support = sorted({j for relation in relations for j in relation})
    if not support:
        return holds
    table = with_ones(block)[:, support]
    scales = [lcm(*(x.denominator for x in relation.values())) for relation in relations]
    matrix = [
        [int(relation.get(j, Fraction(0)) * scale) for relation, scale in zip(relations, scales, strict=True)]
        for j in support
    ]
    largest = max(sum(abs(row[k]) for row in matrix) for k in range(len(relations)))
    for prime in _primes(_needed(table, largest)):
        left = np.array([[x % prime for x in row] for row in matrix], dtype=np.int64)
        holds &= product(residues(table, prime), left, prime) == 0
    return holds


def _needed(table: Floats, largest: int) -> int:
    """Primes enough: the entries are integers times one power of 2, their combinations at most `largest` times that."""
    whole, exponents = mantissas(table)
    there = exponents[whole != 0]
    digits = int(there.max() - there.min()) + MANTISSA if there.size else 1
    return ceil((digits + largest.bit_length() + 1) / DIGITS)


def _primes(count: int) -> Iterator[int]:
    """The largest primes below 2^31, one after the other."""
    candidate, left = 2**31 + 1, count
    while left:
        candidate -= 2
        if fmpz(candidate).is_prime():
            left -= 1
            yield candidate


def _matrix(entries: NDArray[np.int64], prime: int) -> nmod_mat:
    rows, columns = entries.shape
    return nmod_mat(rows, columns, entries.ravel().tolist(), prime)
