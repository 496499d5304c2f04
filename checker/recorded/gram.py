"""The Gram matrix of [1 | X] in float64, block by block, with a bound of how far it is off.

N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, 3.1: sums in whatever order.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.numbers.rounding import TINY, UP, gamma

__all__ = ["Gram"]

Floats = NDArray[np.floating[Any]]


class Gram:
    """The sum of the products of all rows that were seen; `depth` bounds the roundings on the way to each entry.

    On a `device` of torch each block is multiplied there, in float64: the bound holds for sums in any order, fused or
    not, and the independent checker does without the device.
    """

    def __init__(self, columns: int, device: str | None = None):
        self.device = device
        self.value = np.zeros((columns + 1, columns + 1))
        self.depth = 1
        self.rows = 0

    def see(self, block: Floats) -> None:
        """Take more rows into account."""
        rows = np.asarray(block, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            sums = rows.sum(axis=0)
            self.value[1:, 1:] += self._product(rows)
            self.value[0, 1:] += sums
            self.value[1:, 0] = self.value[0, 1:]
        self.value[0, 0] += len(rows)
        self.depth = max(self.depth, len(rows) + 1) + 1
        self.rows += len(rows)

    def _product(self, rows: Floats) -> Floats:
        if self.device is None:
            return rows.T @ rows
        import torch

        there = torch.tensor(rows, device=self.device)
        found: Floats = (there.T @ there).cpu().numpy()
        return found

    def merge(self, other: "Gram") -> None:
        """Take into account what another one has seen."""
        with np.errstate(over="ignore", invalid="ignore"):
            self.value += other.value
        self.depth = max(self.depth, other.depth) + 1
        self.rows += other.rows

    def interval(self, columns: list[int]) -> Interval:
        """Of some of the columns of [1 | X].

        Notes
        -----
        An entry is off by gamma times the sum of |x_ij x_ik|, which is at most the root of the product of two diagonal
        entries (Cauchy-Schwarz); those are off by gamma times themselves.
        """
        value, relative = self.value[np.ix_(columns, columns)], gamma(self.depth)
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt((np.diagonal(value) * UP + self.rows * TINY) / (1 - min(relative, 0.5))) * UP
            error = (relative * np.outer(lengths, lengths) + 2 * self.rows * TINY) * UP
        return Interval(value, error)
