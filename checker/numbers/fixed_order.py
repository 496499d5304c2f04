"""Linear algebra in floats, always in one order of operations: what it guides goes the same way everywhere.

BLAS and LAPACK add up in an order that depends on the processor; where two minimisers tie, the last bit decides.
"""

from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["dot", "solve", "times"]


def dot(a: Iterable[float], b: Iterable[float]) -> float:
    """The inner product, term by term. (`sum` of floats is compensated since Python 3.12.)"""
    total = 0.0
    for x, y in zip(a, b, strict=True):
        total += float(x) * float(y)
    return total


def times(matrix: np.ndarray, vector: Sequence[float] | np.ndarray) -> np.ndarray:
    """matrix @ vector, of shape (R, K) and (K,), the columns added up one by one.

    Examples
    --------
    >>> times(np.array([[1.0, 2.0], [3.0, 4.0]]), [1.0, -1.0])
    array([-1., -1.])
    """
    total = np.zeros(len(matrix))
    for column, x in zip(matrix.T, vector, strict=True):
        total += column * x
    return total


def solve(matrix: np.ndarray, right: Sequence[float] | np.ndarray) -> np.ndarray:
    """The x with matrix x = right, by elimination with partial pivoting; for small systems.

    Raises
    ------
    np.linalg.LinAlgError
        If a pivot is 0.

    Examples
    --------
    >>> solve(np.array([[0.0, 2.0], [1.0, 1.0]]), [4.0, 3.0])
    array([1., 2.])
    """
    rows = [[*row, float(y)] for row, y in zip(matrix.tolist(), right, strict=True)]
    for k in range(len(rows)):
        at = max(range(k, len(rows)), key=lambda i: abs(rows[i][k]))
        rows[k], rows[at] = rows[at], rows[k]
        pivot = rows[k]
        if not pivot[k]:
            raise np.linalg.LinAlgError("singular matrix")
        for row in rows[k + 1 :]:
            if factor := row[k] / pivot[k]:
                for j in range(k + 1, len(pivot)):
                    row[j] -= factor * pivot[j]
    found = [0.0] * len(rows)
    for k in reversed(range(len(rows))):
        rest = rows[k][-1]
        for j in range(k + 1, len(rows)):
            rest -= rows[k][j] * found[j]
        found[k] = rest / rows[k][k]
    return np.array(found)
