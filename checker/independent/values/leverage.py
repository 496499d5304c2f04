"""The leverage of an input as a quotient of two determinants of integers, with no inverse and no solution.

phi^T M^-1 phi = -det [[M, phi], [phi^T, 0]] / det M, by the Schur complement.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from flint import fmpz_mat

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.floats import Exact, Integers

# Columns, entries of training, and binary digits of all determinants together: beyond, floats are to show bounds.
WIDEST, ENTRIES, DIGITS = 40, 2**21, 2**24


class Determinants:
    """Leverages on some columns of [1 | phi], with a penalty on all but the constant.

    Raises
    ------
    Refused
        If there is too much to decide, or the columns are dependent in training.
    """

    def __init__(self, training: Exact, columns: Sequence[int], penalty: Fraction):
        table, unit = _with_ones(training)
        require(len(columns) <= WIDEST and table.size <= ENTRIES, "too many features for exact leverages")
        self.columns = list(columns)
        shift = penalty / unit**2
        chosen = fmpz_mat(table[:, self.columns].tolist())
        self.normal = [[int(x) * shift.denominator for x in row] for row in (chosen.transpose() * chosen).tolist()]
        for k, j in enumerate(columns):
            self.normal[k][k] += shift.numerator if j else 0
        self.scale = shift.denominator / unit**2
        self.size = sum(self.normal[k][k].bit_length() for k in range(len(columns)))
        require(self.size <= DIGITS, "too many digits for exact leverages")
        self.below = int(fmpz_mat(self.normal).det())
        require(self.below != 0, "the columns are dependent in training")
        self._left = DIGITS

    def of(self, rows: Exact) -> list[Fraction]:
        """h at each of the rows."""
        table, unit = _with_ones(rows)
        self._left -= self.size * len(table)
        require(self._left >= 0, "too many digits for exact leverages")
        return [self._one(row) * unit**2 * self.scale for row in table[:, self.columns].tolist()]

    def _one(self, row: list[int]) -> Fraction:
        bordered = [[*line, x] for line, x in zip(self.normal, row, strict=True)]
        return Fraction(-int(fmpz_mat([*bordered, [*row, 0]]).det()), self.below)


def _with_ones(features: Exact) -> tuple[Integers, Fraction]:
    """[1 | phi] in integers, and what they are to be multiplied by."""
    whole, exponent, divisor = features
    one = divisor << max(-exponent, 0)
    ones = np.full((len(whole), 1), one, dtype=object)
    return np.hstack([ones, whole << max(exponent, 0)]), Fraction(1, one)
