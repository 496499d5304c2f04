"""Columns of a recording that have one value at all training rows, and where they have another in deployment.

One pass, block by block; minima and maxima are exact, so there is nothing to round.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns", "moved"]

Floats = NDArray[np.floating[Any]]


class Columns:
    """The least and the greatest number of each column, over the rows that were seen."""

    def __init__(self, count: int):
        self.low, self.high = np.full(count, np.inf), np.full(count, -np.inf)

    def see(self, block: Floats) -> None:
        """Take more rows into account.

        Raises
        ------
        ValueError
            If one of the numbers is NaN or infinite.
        """
        # A NaN is the least and the greatest of what it is among.
        with np.errstate(invalid="ignore"):
            low, high = block.min(axis=0), block.max(axis=0)
        strange = ~(np.isfinite(low) & np.isfinite(high))
        if strange.any():
            raise ValueError(f"holds NaN or infinity in column {int(strange.argmax())}")
        self.merge(low, high)

    def merge(self, low: Floats, high: Floats) -> None:
        """Take rows into account of which these are the least and the greatest."""
        np.minimum(self.low, low, out=self.low)
        np.maximum(self.high, high, out=self.high)

    @property
    def constant(self) -> NDArray[np.intp]:
        """The columns that have a single value."""
        return np.flatnonzero(self.low == self.high)


def moved(block: Floats, constant: NDArray[np.intp], values: Floats) -> NDArray[np.bool_]:
    """Where these columns have other values than these: shape (rows, columns named)."""
    return np.asarray(block[:, constant] != values)
