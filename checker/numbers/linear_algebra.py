"""Exact linear algebra over Q, by python-flint."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm

from flint import fmpq, fmpq_mat

from proof_of_absence.models.rational import dot

__all__ = ["fraction", "inner", "kernel_vector", "pivots", "rank", "solve_some"]

Rows = Sequence[Sequence[Fraction]]


def _matrix(rows: Rows) -> fmpq_mat:
    return fmpq_mat([[fmpq(x.numerator, x.denominator) for x in map(Fraction, row)] for row in rows])


def fraction(value: fmpq) -> Fraction:
    """The same number as a Fraction."""
    return Fraction(int(value.p), int(value.q))


def inner(left: Iterable[Fraction], right: Iterable[Fraction]) -> Fraction:
    """The inner product."""
    return dot(left, right)


def rank(rows: Rows) -> int:
    """The rank of a matrix.

    Examples
    --------
    >>> rank([[1, 2], [2, 4]])
    1
    """
    return _matrix(rows).rank()


def solve_some(rows: Rows, right: Sequence[Fraction]) -> list[Fraction] | None:
    """Some x with rows x = right (free unknowns are 0), or None if there is none.

    Examples
    --------
    >>> solve_some([[1, 1]], [3])
    [Fraction(3, 1), Fraction(0, 1)]
    >>> solve_some([[0, 0]], [1]) is None
    True
    """
    unknowns = len(rows[0])
    reduced, pivots = _matrix([[*row, b] for row, b in zip(rows, right, strict=True)]).rref()
    solution = [Fraction(0)] * unknowns
    for i in range(pivots):
        lead = next(j for j in range(unknowns + 1) if reduced[i, j] != 0)
        if lead == unknowns:
            return None
        solution[lead] = fraction(reduced[i, unknowns])
    return solution


def pivots(rows: Rows) -> list[int]:
    """The first columns that span the column space.

    Examples
    --------
    >>> pivots([[1, 2, 0], [1, 2, 1]])
    [0, 2]
    """
    reduced, count = _matrix(rows).rref()
    return [next(j for j in range(len(rows[0])) if reduced[i, j] != 0) for i in range(count)]


def kernel_vector(rows: Rows) -> list[Fraction] | None:
    """Some nonzero v with rows v = 0, in coprime integers, or None if the columns are independent.

    Examples
    --------
    >>> [int(x) for x in kernel_vector([[1, 2, 3], [0, 2, 1]])]
    [-4, -1, 2]
    >>> kernel_vector([[1, 2], [0, 1]]) is None
    True
    """
    unknowns = len(rows[0])
    reduced, pivots = _matrix(rows).rref()
    leads = [next(j for j in range(unknowns) if reduced[i, j] != 0) for i in range(pivots)]
    free = next((j for j in range(unknowns) if j not in leads), None)
    if free is None:
        return None
    vector = [Fraction(0)] * unknowns
    vector[free] = Fraction(1)
    for i, lead in enumerate(leads):
        vector[lead] = -fraction(reduced[i, free])
    denominator = lcm(*(x.denominator for x in vector))
    divisor = gcd(*(int(x * denominator) for x in vector))
    return [x * denominator / divisor for x in vector]
