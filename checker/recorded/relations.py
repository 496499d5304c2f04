"""Exact relations v_0 + sum_j v_j x_j = 0 among recorded columns: found modulo primes, then shown at every row.

Candidates come from rows that span the row space. A sum of integers that is 0 modulo primes whose product is larger
than it can be is 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, gcd, isqrt, lcm
from typing import Any

import numpy as np
from flint import fmpq_mat, fmpz, fmpz_mat, nmod_mat
from numpy.typing import NDArray

from proof_of_absence.checker.passes.modular import PRIMES, product, residues
from proof_of_absence.checker.passes.modular import pivots as eliminated
from proof_of_absence.checker.recorded.row_space import with_ones
from proof_of_absence.models.dyadic import integers, mantissas

__all__ = ["Relation", "candidates", "pivot_columns", "primes", "zero"]

Floats = NDArray[np.floating[Any]]
# Coefficients by columns of [1 | X]: the constant is 0, the column j is j + 1.
Relation = Mapping[int, Fraction]

# Primes tried for short coefficients, and rows and columns of the entries that are tried first.
MOST, PROBE = 12, 4
# By how much the square of a true coefficient is below the modulus, where a residue at random is about at it.
CHANCE = 2**16
# Binary digits of all coefficients together that are looked for; and these times the rows where they are shown.
LONGEST, WORK = 2**25, 2**38
# Primes beyond which integers are multiplied instead.
MANY = 32
# Binary digits that each prime is sure to have, and those of a float64.
DIGITS, MANTISSA = 30, 53


def pivot_columns(values: Floats, prime: int = PRIMES[0]) -> list[int]:
    """The columns of [1 | X] that are no combinations of columns before them, on independent rows."""
    return eliminated(residues(with_ones(values), prime), prime)


def candidates(values: Floats, pivots: Sequence[int], others: Sequence[int], rows: int) -> list[Relation] | None:
    """For each other column the relation that makes it of the pivots, exactly so on independent rows; None if too long.

    Those of few digits are found modulo primes. Longer ones are a solution over the rationals, if all of them, by
    Hadamard's bound of determinants, have at most `LONGEST` binary digits, and these times the rows are at most `WORK`.

    Parameters
    ----------
    values
        As many independent rows as there are pivots, shape (r, p).
    rows
        At how many rows the relations are to be shown.
    """
    if not others:
        return []
    short = _short(values, pivots, others)
    if short is not None:
        return short
    whole, _ = integers(with_ones(values))
    size = _length(whole[:, list(pivots)], whole[:, list(others)]) * len(pivots) * len(others)
    if size > LONGEST or size * rows > WORK:
        return None
    left, right = (fmpz_mat(whole[:, list(chosen)].tolist()) for chosen in (pivots, others))
    solution = left.solve(right)
    assert isinstance(solution, fmpq_mat)
    top, divisor = solution.numer_denom()
    entries = np.array([int(x) for x in top.entries()], dtype=object).reshape(len(pivots), len(others))
    return [_coprime(pivots, other, entries[:, k].tolist(), int(divisor)) for k, other in enumerate(others)]


def _length(left: NDArray[np.object_], right: NDArray[np.object_]) -> int:
    """Binary digits that a determinant of the columns, one of them in the place of another, can have (Hadamard)."""
    longest = max((sum(int(x) ** 2 for x in column) for column in right.T), default=1)
    return sum((int((row * row).sum()).bit_length() + 1) // 2 for row in left) + (longest.bit_length() + 1) // 2


def _coprime(pivots: Sequence[int], other: int, entries: Sequence[int], divisor: int) -> Relation:
    """In integers, for numbers of so many digits are shorter that way."""
    share = gcd(divisor, *entries)
    return {j: Fraction(x // share) for j, x in zip(pivots, entries, strict=True) if x} | {
        other: Fraction(-divisor // share)
    }


def _short(values: Floats, pivots: Sequence[int], others: Sequence[int]) -> list[Relation] | None:
    """Relations that hold at these rows, of the few digits that some primes tell apart; None if they have more."""
    table = with_ones(values)
    modulus, found = 1, np.zeros((len(pivots), len(others)), dtype=object)
    for prime in primes(MOST):
        solution = _solved(table, pivots, others, prime)
        if solution is None:
            continue
        step = (solution - found % prime) * pow(modulus, -1, prime) % prime
        found, modulus = found + step * modulus, modulus * prime
        # A few entries first: most often they tell that there are too few primes yet.
        if _reconstructed(found[:PROBE, :PROBE], modulus) and (whole := _reconstructed(found, modulus)):
            relations = [_relation(pivots, other, column) for other, column in zip(others, whole, strict=True)]
            if zero(values, relations).all():
                return relations
    return None


def _reconstructed(found: NDArray[Any], modulus: int) -> list[list[Fraction]] | None:
    """Rationals that these are modulo it, a column each; None unless all are shorter than chance would have them."""
    known: dict[int, Fraction | None] = {}
    columns = []
    for column in found.T.tolist():
        rationals = []
        for x in column:
            if x not in known:
                known[x] = _rational(x, modulus)
            if (value := known[x]) is None or max(abs(value.numerator), value.denominator) ** 2 * CHANCE > modulus:
                return None
            rationals.append(value)
        columns.append(rationals)
    return columns


def _relation(pivots: Sequence[int], other: int, column: Sequence[Fraction]) -> Relation:
    return {j: x for j, x in zip(pivots, column, strict=True) if x} | {other: Fraction(-1)}


def _solved(table: Floats, pivots: Sequence[int], others: Sequence[int], prime: int) -> NDArray[Any] | None:
    """C with table[:, pivots] C = table[:, others] modulo the prime, of Python integers; None if it is singular."""
    left, right = (_matrix(residues(table[:, list(chosen)], prime), prime) for chosen in (pivots, others))
    try:
        solution = left.solve(right)
    except ZeroDivisionError:
        return None
    return np.array([int(x) for x in solution.entries()], dtype=object).reshape(len(pivots), len(others))


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
    table: Floats = block[:, [j - 1 for j in support if j]].astype(np.float64)
    table = with_ones(table) if support[0] == 0 else table
    scales = [lcm(*(x.denominator for x in relation.values())) for relation in relations]
    matrix = [
        [int(relation.get(j, Fraction(0)) * scale) for relation, scale in zip(relations, scales, strict=True)]
        for j in support
    ]
    largest = max(sum(abs(row[k]) for row in matrix) for k in range(len(relations)))
    count = _needed(table, largest)
    if count > MANY:
        sums = fmpz_mat(integers(table)[0].tolist()) * fmpz_mat(matrix)
        return np.array([not x for x in sums.entries()], dtype=np.bool_).reshape(holds.shape)
    for prime in primes(count):
        left = np.array([[x % prime for x in row] for row in matrix], dtype=np.int64)
        holds &= product(residues(table, prime), left, prime) == 0
    return holds


def _needed(table: Floats, largest: int) -> int:
    """Primes enough: the entries are integers times one power of 2, their combinations at most `largest` times that."""
    whole, exponents = mantissas(table)
    there = exponents[whole != 0]
    digits = int(there.max() - there.min()) + MANTISSA if there.size else 1
    return ceil((digits + largest.bit_length() + 1) / DIGITS)


def primes(count: int) -> Iterator[int]:
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
