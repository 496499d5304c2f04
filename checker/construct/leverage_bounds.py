"""Bounds of the leverage (C21) from floats, rigorous for any features that are known to within a bound.

A matrix T makes the training features Phi nearly orthonormal. Any T gives bounds; a good one makes them narrow.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

import numpy as np

from proof_of_absence.checker.numbers.costs import INVERSE, QR, SVD, cost, panel
from proof_of_absence.checker.numbers.deadline import afford, looking
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.numbers.rounding import TINY, U64, UP, gamma

__all__ = ["SLACK", "Blocks", "Whitened", "ridge_rows", "whitened", "whitened_by_gram"]

# The rows of the features, in blocks of shape (rows, p), the constant first; called once for each pass.
Blocks = Callable[[], Iterable[Interval]]
# What the rounding of a bound downwards may lose, with room to spare.
DOWN = 1 - 2.0**-30
# Bounds are stated wider by this share, so that other rigorous bounds can confirm them.
SLACK = 2.0**-24
# Seconds to make and to look at an entry of the factor, of which there may be many more than of what it is made of.
ENTRY = 2.5e-8
# With such a spread no other factor is tried.
ENOUGH = 2.0**-10


@dataclass(frozen=True, eq=False)
class Whitened:
    """`factor` T, shape (p, k <= p): every eigenvalue of T^T M T is within `spread` of 1, M = Phi^T Phi + penalty D."""

    factor: np.ndarray
    spread: float

    @property
    def full_rank(self) -> bool:
        """Whether M is shown to be invertible, so that every input has a leverage."""
        return self.spread < 1 and self.factor.shape[0] == self.factor.shape[1]

    @property
    def order(self) -> tuple[bool, float]:
        """The less, the more it shows."""
        return not self.full_rank, self.spread

    def bounds(self, features: Interval) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of the leverage of inputs with these features, shape (D, p); (D,) each.

        The upper one is infinite where none is shown. Where M is singular, and an input's features do not lie in its
        range, every move there is free: any lower bound holds.

        Notes
        -----
        With psi = T^T phi and G = T^T M T, h = psi^T G^-1 psi where T is invertible. For any T, h >= (u . phi)^2 /
        (u^T M u) for every u; u = T psi gives |psi|^4 / (psi^T G psi).

        Examples
        --------
        >>> found = whitened(lambda: [Interval.of([[1, 0], [1, 1], [1, 3]])])
        >>> low, high = found.bounds(Interval.of([[1, 2]]))
        >>> bool(low[0] <= 3 / 7 <= high[0] <= low[0] * (1 + 1e-7))
        True
        """
        psi = _product(features, self.factor)
        with np.errstate(over="ignore", invalid="ignore"):
            least = np.maximum(np.abs(psi.value) - psi.error, 0) * DOWN
            most = np.abs(psi.value) + psi.error
            below = np.maximum((least**2).sum(axis=1) * DOWN - psi.value.shape[1] * TINY, 0)
            above = ((most * UP) ** 2).sum(axis=1) * UP + psi.value.shape[1] * TINY
            low = below / (1 + self.spread) * DOWN
            high = above / ((1 - self.spread) * DOWN) * UP if self.full_rank else np.full(len(above), np.inf)
        return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, np.inf)


def ridge_rows(columns: int, penalty: Fraction) -> Interval:
    """Rows that are to the features what the penalty is to M: sqrt(penalty) for each feature but the constant.

    Raises
    ------
    ValueError
        If the penalty is negative, or no normal float is near it.
    """
    root = float(penalty) ** 0.5 if 0 <= penalty < Fraction(2) ** 1000 else float("nan")
    if not isfinite(root) or (penalty and penalty < Fraction(2) ** -1000):
        raise ValueError(f"penalty {float(penalty):g} is negative, or out of reach of floats")
    rows = root * np.eye(columns)[1:]
    # The penalty is rounded, then its root.
    return Interval(rows, rows * 2 * U64 * UP)


def whitened(blocks: Blocks, penalty: Fraction = Fraction(0)) -> Whitened | None:
    """T from a QR decomposition of the features, one block after the other; None where they overflow.

    Memory is of the order p^2, however many rows there are. Error of the bounds: about cond(Phi) times 1e-16. Where the
    features are nearly dependent, there are lower bounds only.

    Raises
    ------
    OutOfTime
        If the deadline in force is over, or a factorization takes longer than is left.
    """
    with_ridge = _with_ridge(blocks, penalty)
    upper: np.ndarray | None = None
    for block in with_ridge():
        rows = block.value if upper is None else np.vstack([upper, block.value])
        if not np.isfinite(rows).all():
            return None
        afford(cost(QR, *rows.shape))
        upper = np.asarray(np.linalg.qr(rows, mode="r"))
    return None if upper is None else _best(upper, lambda factor: _spread(with_ridge, factor), 1e-13)


def whitened_by_gram(gram: Interval, penalty: Fraction = Fraction(0)) -> Whitened | None:
    """T from the eigenvalues of Phi^T Phi, shape (p, p), which is known to within a bound; None where it overflows.

    Error of the bounds: about cond(Phi)^2 times 1e-16, and what the Gram matrix is off by.
    """
    columns = len(gram.value)
    ridge = ridge_rows(columns, penalty)
    squares, shift = np.zeros(columns), float(penalty)
    squares[1:] = shift
    whole = gram + Interval(np.diag(squares), np.diag(squares) * U64 * UP) if len(ridge.value) and shift else gram
    if not np.isfinite(whole.value).all():
        return None
    values, vectors = np.linalg.eigh((whole.value + whole.value.T) / 2)
    # A square root of the matrix, whose singular values are not below 0.
    upper = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T

    def spread(factor: np.ndarray) -> float:
        right = whole @ factor
        # (M T)^T T, whose transpose is T^T M T.
        both = Interval(right.value.T, right.error.T) @ factor
        return (_norm(_off_identity(both.value)) + _norm(both.error)) * UP

    return _best(upper, spread, 1e-6)


def _with_ridge(blocks: Blocks, penalty: Fraction) -> Blocks:
    def both() -> Iterable[Interval]:
        columns = 0
        for block in blocks():
            columns = block.value.shape[1]
            yield block
        if penalty and columns > 1:
            yield ridge_rows(columns, penalty)

    if penalty < 0:
        raise ValueError(f"penalty {penalty} is negative")
    return both


def _best(root: np.ndarray, spread: Callable[[np.ndarray], float], noise: float) -> Whitened | None:
    """Of the inverse of a square root of M, and of its pseudo-inverse, the one that is nearer to whitening M.

    Singular values below the `noise`, as a part of the largest, are taken for 0 in the second.
    """
    found: list[Whitened] = []
    for factor in _inverses(root, noise):
        one = Whitened(factor, spread(factor))
        if one.full_rank and one.spread < ENOUGH:
            return one
        found += [one] if isfinite(one.spread) else []
    return min(found, key=lambda one: one.order, default=None)


def _inverses(root: np.ndarray, noise: float) -> Iterator[np.ndarray]:
    with np.errstate(all="ignore"):
        if len(root) == root.shape[1]:
            afford(cost(INVERSE, *root.shape))
            with suppress(np.linalg.LinAlgError):
                inverse = np.linalg.inv(root)
                if np.isfinite(inverse).all():
                    yield inverse
        # To make short columns as long as others costs nothing, and lets small singular values be told from none.
        afford(cost(SVD, *root.shape) + ENTRY * root.shape[1] ** 2)
        lengths = np.linalg.norm(root, axis=0)
        lengths = np.where((lengths > 0) & np.isfinite(lengths), lengths, 1)
        with suppress(np.linalg.LinAlgError):
            _, values, vectors = np.linalg.svd(root / lengths, full_matrices=False)
            kept = values > noise * values.max(initial=0)
            inverse = vectors[kept].T / values[kept] / lengths[:, None]
            if np.isfinite(inverse).all():
                yield inverse


def _off_identity(gram: np.ndarray) -> np.ndarray:
    """|G - I| entry by entry, rounded upwards."""
    return np.abs(gram - np.eye(len(gram))) * UP


def _spread(blocks: Blocks, factor: np.ndarray) -> float:
    """At least the norm of T^T M T - I.

    Notes
    -----
    Psi = Phi T is known to within e in the Frobenius norm, and has the norm F itself. The computed Psi^T Psi then is
    off by 2 e F + e^2 and by what its own sums lose, gamma F^2 at most.
    """
    columns = factor.shape[1]
    gram, error, size, steps, rows = np.zeros((columns, columns)), 0.0, 0.0, 1, 0
    with np.errstate(over="ignore", invalid="ignore"):
        for block in blocks():
            psi = _product(block, factor)
            for part in _panels(columns, len(psi.value), columns):
                gram[part] += psi.value[:, part].T @ psi.value
            error += float(np.sum(psi.error**2)) * UP
            size += float(np.sum(psi.value**2)) * UP
            steps, rows = max(steps, len(psi.value) + 1) + 1, rows + len(psi.value)
        e, f = (error * UP + TINY) ** 0.5 * UP, (size * UP + TINY) ** 0.5 * UP
        own = gamma(steps) * f**2 + 4.0 * rows * columns**2 * TINY
        return float((_norm(_off_identity(gram)) + own + 2 * e * f + e**2) * UP**2)


def _product(block: Interval, matrix: np.ndarray) -> Interval:
    """The product, with a look at the deadline before each part of it."""
    parts = [block @ matrix[:, part] for part in _panels(matrix.shape[1], *block.value.shape)]
    if not parts:
        return block @ matrix
    return Interval(np.hstack([part.value for part in parts]), np.hstack([part.error for part in parts]))


def _panels(columns: int, rows: int, inner: int) -> Iterator[slice]:
    width = panel(rows, inner)
    return (slice(start, start + width) for start in looking(range(0, columns, width)))


def _norm(matrix: np.ndarray) -> float:
    """At least the Frobenius norm, of up to 2^32 entries."""
    return float(np.linalg.norm(matrix)) * (1 + 2.0**-20) + 2.0**-500
