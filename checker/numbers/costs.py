"""What a step costs that cannot be interrupted: its operations, at the speed of this machine. See `deadline.afford`.

The operations of LAPACK's factorizations are told in products: how many multiplications of a product take as long.
"""

import time
from functools import cache

import numpy as np

__all__ = ["EIGH", "INVERSE", "PANEL", "PINV", "PRODUCT", "QR", "SOLVE", "SVD", "cost", "panel"]

# For each of rows * columns * min(rows, columns), as measured for 300 to 1500 columns.
PRODUCT, SOLVE, INVERSE, QR, EIGH, SVD, PINV = 1.5, 1.0, 3.0, 2.5, 6.0, 12.0, 13.0

# Multiplications between two looks at the clock, of a product that is computed in parts: a fraction of a second.
PANEL = 2**31
SIZE, TIMES = 60, 40


def cost(kind: float, rows: int, columns: int) -> float:
    """About how many seconds of a core a factorization of a matrix of this shape takes."""
    return kind * rows * columns * min(rows, columns) * _multiplication()


def panel(rows: int, inner: int) -> int:
    """Columns of a product (rows, inner) @ (inner, columns) that are computed between two looks at the clock."""
    return max(1, PANEL // max(1, rows * inner))


@cache
def _multiplication() -> float:
    """Seconds for one of a product that is too small to be shared among cores."""
    matrix, taken = np.ones((SIZE, SIZE)), []
    for _ in range(TIMES):
        started = time.perf_counter()
        matrix @ matrix
        taken.append(time.perf_counter() - started)
    return min(taken) / SIZE**3
