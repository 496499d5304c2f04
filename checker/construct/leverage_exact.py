"""The leverage (C21) as an exact rational, where features are few and short; beyond that see `leverage_bounds`.

Integers all the way: one inverse of the normal equations, without fractions, and a product for each input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpq_mat, fmpz, fmpz_mat
from numpy.typing import NDArray

from proof_of_absence.models.dyadic import integers

__all__ = ["ALL", "ENTRIES", "LONGEST", "WIDEST", "Inverse", "Scaled", "inverse", "kernel", "moderate", "scaled"]

# Features with the constant, and entries of the table of training features.
WIDEST, ENTRIES = 33, 2**20
# Binary digits of the determinant of the normal equations, at most; and of all leverages that are told together.
LONGEST, ALL = 2**13, 2**21

Whole = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Scaled:
    """Rows of features (1, phi_1 ..): Python integers `whole`, shape (rows, width), times one positive `unit`."""

    whole: Whole
    unit: Fraction

    @classmethod
    def of(cls, whole: Whole, exponent: int, denominator: int = 1) -> "Scaled":
        """From the features M 2^e / d without the constant, shape (rows, n)."""
        up, one = max(exponent, 0), denominator << max(-exponent, 0)
        table = np.hstack([np.full((len(whole), 1), one, dtype=object), whole << up])
        # What all entries have in common only makes integers longer.
        spare = (
            0 if not table.size else int((union := np.bitwise_or.reduce(table, axis=None)) & -union).bit_length() - 1
        )
        shortened: Whole = np.asarray(table >> spare, dtype=object)
        return cls(shortened, Fraction(1 << spare, one))

    @property
    def length(self) -> int:
        """Binary digits of the product of the squared lengths of the columns, about: those of Hadamard's bound."""
        sizes = [max((int(x).bit_length() for x in column), default=0) for column in self.whole.T]
        return sum(2 * size - 1 for size in sizes if size)


def scaled(values: NDArray[np.floating]) -> Scaled:
    """Rows of floats without the constant, shape (rows, n).

    Examples
    --------
    >>> found = scaled(np.array([[0.5, 2.0]]))
    >>> (found.whole.tolist(), found.unit)
    ([[2, 1, 4]], Fraction(1, 2))
    """
    return Scaled.of(*integers(values))


def moderate(rows: int, width: int) -> bool:
    """Whether exact leverages are tried on so many training features at all; how long they are is told by `inverse`."""
    return width <= WIDEST and rows * width <= ENTRIES


@dataclass(frozen=True, eq=False)
class Inverse:
    """The inverse of M = Phi^T Phi + penalty D for some columns, times a positive number: h = z^T A z / divisor.

    `unit` is that of z; shape of A, the `matrix`: (columns, columns), Python integers.
    """

    columns: tuple[int, ...]
    matrix: Whole
    divisor: Fraction

    def leverages(self, rows: Scaled) -> list[Fraction]:
        """h at inputs with these features, which are in the row space of the training features.

        Examples
        --------
        >>> table = scaled(np.array([[0.0], [1.0], [3.0]]))
        >>> inverse(table, [0, 1]).leverages(scaled(np.array([[2.0]])))
        [Fraction(3, 7)]
        """
        if not len(rows.whole):
            return []
        chosen = rows.whole[:, list(self.columns)]
        images = (fmpz_mat(chosen.tolist()) * fmpz_mat(self.matrix.tolist())).tolist()
        scale = rows.unit**2 / self.divisor
        sums = [int(sum((a * b for a, b in zip(*pair, strict=True)), fmpz(0)))
                for pair in zip(images, chosen.tolist(), strict=True)]  # fmt: skip
        return [total * scale for total in sums]


def inverse(table: Scaled, columns: Sequence[int], penalty: Fraction = Fraction(0), told: int = 1) -> Inverse | None:
    """From the training features, for `told` leverages; None where they would have too many digits in all.

    Raises
    ------
    ZeroDivisionError
        If M is singular.

    Notes
    -----
    By Hadamard's bound the determinant has at most as many digits as the diagonal entries have together.
    """
    normal, scale = _normal(table, columns, penalty)
    length = sum(int(normal[j, j]).bit_length() for j in range(len(columns)))
    if length > LONGEST or length * told > ALL:
        return None
    inverted = normal.inv()
    assert isinstance(inverted, fmpq_mat)
    top, divisor = inverted.numer_denom()
    matrix = np.array([int(x) for x in top.entries()], dtype=object).reshape(len(columns), len(columns))
    return Inverse(tuple(columns), matrix, Fraction(int(divisor)) / scale)


def _normal(table: Scaled, columns: Sequence[int], penalty: Fraction) -> tuple[fmpz_mat, Fraction]:
    """M times one positive number in integers, and that number."""
    chosen = fmpz_mat(table.whole[:, list(columns)].tolist())
    shift = penalty / table.unit**2
    normal = chosen.transpose() * chosen * shift.denominator
    for k, j in enumerate(columns):
        if j:
            normal[k, k] += shift.numerator
    return normal, shift.denominator / table.unit**2


def kernel(table: Scaled) -> tuple[list[int], list[dict[int, Fraction]]]:
    """Columns of the training features that are independent, and for each other one a relation that makes it of these.

    Examples
    --------
    >>> kernel(scaled(np.array([[1.0, 2.0], [3.0, 6.0]])))
    ([0, 1], [{1: Fraction(2, 1), 2: Fraction(-1, 1)}])
    """
    width = table.whole.shape[1]
    # Phi v = 0 just where Phi^T Phi v = 0.
    normal, _ = _normal(table, range(width), Fraction(0))
    reduced, divisor, rank = normal.rref()
    rows = [[int(x) for x in row] for row in reduced.tolist()[:rank]]
    pivots = [next(j for j, x in enumerate(row) if x) for row in rows]
    others = [j for j in range(width) if j not in pivots]
    return pivots, [
        {p: Fraction(row[j], int(divisor)) for p, row in zip(pivots, rows, strict=True) if row[j]} | {j: Fraction(-1)}
        for j in others
    ]
