"""The mean squared error from residuals within radii, and its noise floor E, below which no function comes."""

from fractions import Fraction

import numpy as np

from proof_of_absence.checker.numbers.enclosure import Enclosure, around, total
from proof_of_absence.checker.numbers.rounding import TINY, U64, UP
from proof_of_absence.checker.passes.enclosure import blocks
from proof_of_absence.checker.passes.residuals import Evaluation
from proof_of_absence.checker.passes.rows import groups
from proof_of_absence.models.dyadic import integers

__all__ = ["enclosed_loss", "noise_floor"]


def noise_floor(inputs: np.ndarray, targets: np.ndarray) -> Fraction:
    """E = (1/N) sum |y_i - mean of y over the rows with the same input|^2, exactly.

    Only rows whose input repeats count: a group of nu rows adds sum y^2 - (sum y)^2 / nu.
    """
    number = groups(inputs)
    counts = np.bincount(number)
    repeated = np.flatnonzero(counts[number] > 1)
    if not repeated.size:
        return Fraction(0)
    numbers, exponent = integers(targets[repeated])
    sums: dict[int, list[int]] = {}
    squares = 0
    for row, group in zip(numbers.tolist(), number[repeated].tolist(), strict=True):
        squares += sum(y * y for y in row)
        old = sums.get(group)
        sums[group] = row if old is None else [a + b for a, b in zip(old, row, strict=True)]
    # Groups of one size share a denominator.
    by_size: dict[int, int] = {}
    for group, row in sums.items():
        size = int(counts[group])
        by_size[size] = by_size.get(size, 0) + sum(s * s for s in row)
    spread = squares - sum((Fraction(s, size) for size, s in by_size.items()), Fraction(0))
    return spread * Fraction(2) ** (2 * exponent) / len(inputs)


def enclosed_loss(evaluation: Evaluation, floor: Fraction) -> Enclosure:
    """The mean squared error from residuals r within radii rho.

    |L N - sum r^2| <= sum (2 |r| rho + rho^2), and the sum is rounded.

    Raises
    ------
    OverflowError
        If a sum leaves the range of float64.
    """
    residuals, radius = evaluation.residuals, evaluation.radius
    rows, outputs = residuals.shape
    squares, errors = [], []
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        for part in blocks(rows):
            r, rho = residuals[part], radius[part]
            squares.extend(np.einsum("ij,ij->i", r, r).tolist())
            errors.extend((rho * (2 * np.abs(r) + rho)).sum(axis=1).tolist())
        square = total(squares)
        # Each row's sum of squares: products and sums of m terms in any order; then one rounding of the whole.
        error = (total(errors) + (outputs + 3) * U64 * square) * UP + 4.0 * rows * outputs * TINY
    whole = around(square, error)
    return Enclosure(max(whole.low / rows, floor), whole.high / rows)
