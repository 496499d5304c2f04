"""Least squares with nonnegative coefficients, by active sets (Lawson and Hanson 1974):
floats guess the set, integers decide.

Columns are given by their Gram matrix. Each step lowers the error strictly, so in exact arithmetic the method ends.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from flint import fmpq_mat, fmpz_mat

from proof_of_absence.checker.numbers import fixed_order
from proof_of_absence.checker.numbers.linear_algebra import fraction

__all__ = ["guess", "solve"]

# In floats, on columns of length 1 and a target of length 1: what counts as 0, and where to give up.
TOLERANCE, STEPS = 1e-10, 200


def guess(gram: np.ndarray, right: np.ndarray, columns: np.ndarray) -> dict[int, float]:
    """Positive coefficients of some of the columns, near the best, as far as floats can tell.

    Parameters
    ----------
    gram, right
        Inner products of all columns, shape (K, K), and with the target, shape (K,).
    columns
        Those that may be used, as positions.
    """
    used: list[int] = []
    values = np.zeros(0)
    for _ in range(STEPS):
        slopes = right[columns] - fixed_order.times(gram[columns[:, None], used], values)
        best = int(np.argmax(slopes)) if len(columns) else 0
        if not len(columns) or slopes[best] <= TOLERANCE or columns[best] in used:
            break
        used.append(int(columns[best]))
        values = np.append(values, 0.0)
        while used:
            try:
                at = np.array(used)
                goal = fixed_order.solve(gram[at[:, None], at], right[at])
            except np.linalg.LinAlgError:
                used, values = used[:-1], values[:-1]
                return dict(zip(used, values.tolist(), strict=True))
            falls = goal <= 0
            if not falls.any():
                values = goal
                break
            share = np.min(values[falls] / np.maximum(values[falls] - goal[falls], TOLERANCE**2))
            values = values + min(share, 1.0) * (goal - values)
            keep = ~(falls & (values <= TOLERANCE))
            if keep.all():  # rounding kept what should have gone
                keep[int(np.argmin(goal))] = False
            used, values = [k for k, stays in zip(used, keep, strict=True) if stays], values[keep]
    return dict(zip(used, values.tolist(), strict=True))


def solve(
    gram: Sequence[Sequence[int]], right: Sequence[int], columns: Sequence[int], start: Sequence[int]
) -> dict[int, Fraction]:
    """The positive coefficients of a best nonnegative combination; `start` is the set of columns that is tried first.

    Examples
    --------
    >>> solve([[1, 0], [0, 4]], [3, -1], [0, 1], [])
    {0: Fraction(3, 1)}
    """
    used = list(start)
    values = _unconstrained(gram, right, used)
    if values is None or min(values, default=Fraction(1)) <= 0:
        used, values = [], []
    while True:
        slopes = [right[k] - sum(gram[k][p] * v for p, v in zip(used, values, strict=True)) for k in columns]
        best = max(range(len(columns)), key=slopes.__getitem__, default=None)
        if best is None or slopes[best] <= 0:
            return dict(sorted(zip(used, values, strict=True)))
        used, values = [*used, columns[best]], [*values, Fraction(0)]
        # The new column has a positive slope where the others have none: it is independent of them,
        # and its coefficient grows.
        goal = _independent(gram, right, used)
        while min(goal) <= 0:
            share = min(v / (v - g) for v, g in zip(values, goal, strict=True) if g <= 0)
            moved = [v + share * (g - v) for v, g in zip(values, goal, strict=True)]
            used = [k for k, v in zip(used, moved, strict=True) if v > 0]
            values = [v for v in moved if v > 0]
            goal = _independent(gram, right, used)
        values = goal


def _independent(gram: Sequence[Sequence[int]], right: Sequence[int], used: list[int]) -> list[Fraction]:
    """As `_unconstrained`, for columns that are independent."""
    values = _unconstrained(gram, right, used)
    if values is None:
        raise ArithmeticError("columns that must be independent are not")
    return values


def _unconstrained(gram: Sequence[Sequence[int]], right: Sequence[int], used: list[int]) -> list[Fraction] | None:
    """Coefficients of least squares; None if the columns are dependent."""
    if not used:
        return []
    square = fmpz_mat([[gram[i][j] for j in used] for i in used])
    try:
        return [fraction(x) for x in fmpq_mat(square).solve(fmpq_mat(fmpz_mat([[right[k]] for k in used]))).entries()]
    except ZeroDivisionError:
        return None
