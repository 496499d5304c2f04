"""The row space of [1 | X] modulo a prime, seen block by block: rows that span it, and the relations that are left.

What is independent modulo a prime is independent. Relations found here are only candidates: see `relations`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.passes.modular import PRIMES, nullspace, pivots, product, residues

__all__ = ["RowSpace", "with_ones"]

Floats = NDArray[np.floating[Any]]
Whole = NDArray[np.int64]

# Rows beyond the width that are gathered before the first elimination: rows are rarely all independent.
SPARE = 32


def with_ones(block: Floats) -> Floats:
    """The rows with a 1 before each, float64."""
    return np.column_stack([np.ones(len(block)), block])


class RowSpace:
    """Rows of [1 | X] that span the row space of all that was seen, modulo the prime.

    `rows` are their numbers, `values` the rows themselves, shape (r, p). Memory is of the order p^2.
    """

    prime = PRIMES[0]

    def __init__(self, columns: int):
        self.columns = columns
        self.rows: Whole = np.zeros(0, np.int64)
        self.values: Floats = np.zeros((0, columns))
        # Rows that were not yet looked at.
        self._waiting: list[tuple[Whole, Floats]] = []
        self._count = 0
        self._basis: Whole = np.eye(columns + 1, dtype=np.int64)
        self._random = np.random.default_rng(0)

    def see(self, rows: Whole, block: Floats) -> None:
        """Take rows with these numbers into account."""
        if not self._basis.shape[1]:
            return
        # The first rows are enough to begin with; of the others only those count that are new.
        begin = 0 if len(self.rows) else self.columns + SPARE - self._count
        if 0 < begin < len(block):
            self.see(rows[:begin], block[:begin])
            self.see(rows[begin:], block[begin:])
            return
        new = self._new(block) if len(self.rows) else np.arange(len(block))
        if len(new):
            self._waiting.append((rows[new], block[new].astype(np.float64)))
            self._count += len(new)
        # Each elimination takes as long as p^3 steps, so rows are gathered for it.
        if self._count >= self.columns + SPARE - len(self.rows):
            self.settle()

    def settle(self) -> None:
        """Look at all rows that wait; `rows` and `values` then span."""
        if not self._waiting:
            return
        rows, values = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting, self._count = [], 0
        support = np.flatnonzero(self._basis.any(axis=1))
        broken = self._residues(values, support)
        # At first nothing is asked of rows, and the basis is that of all columns.
        if len(self.rows):
            broken = product(broken, self._basis[support], self.prime)
        kept = pivots(broken.T, self.prime)
        self.rows = np.concatenate([self.rows, rows[kept]])
        self.values = np.vstack([self.values, values[kept]])
        if len(self.rows) > self.columns:
            self._basis = self._basis[:, :0]
        elif kept:
            left = nullspace(broken[kept], self.prime)
            self._basis = product(self._basis, left, self.prime) if len(self.rows) > len(kept) else left

    @property
    def rank(self) -> int:
        """The rank modulo the prime, at most the rank."""
        self.settle()
        return len(self.rows)

    def _new(self, block: Floats) -> NDArray[np.intp]:
        """Rows that break a random combination of the relations: each that breaks one, but for one chance in 2^31."""
        mixed = product(self._basis, self._random.integers(1, self.prime, (self._basis.shape[1], 1)), self.prime)
        support = np.flatnonzero(mixed[:, 0])
        return np.flatnonzero(product(self._residues(block, support), mixed[support], self.prime)[:, 0])

    def _residues(self, block: Floats, support: NDArray[np.intp]) -> Whole:
        """[1 | X] of some of its columns modulo the prime."""
        ones = np.ones((len(block), int(0 in support)), dtype=np.int64)
        return np.hstack([ones, residues(block[:, support[support > 0] - 1], self.prime)])
