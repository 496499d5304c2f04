"""The loss of a float network on its training data and the noise floor:
exact where that is cheap, enclosed where it is not.
"""

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.audit.findings import Enclosure
from proof_of_absence.checker.audit.rows import groups
from proof_of_absence.checker.numbers.deadline import afford, looking
from proof_of_absence.checker.numbers.rounding import TINY, U64, UP
from proof_of_absence.checker.passes.enclosure import blocks
from proof_of_absence.checker.passes.residuals import Evaluation, evaluate
from proof_of_absence.models.dyadic import integers
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.rational import Matrix, Vector

__all__ = [
    "AFFORDABLE",
    "SMALL",
    "around",
    "exact_loss",
    "exact_residuals",
    "loss_above",
    "losses",
    "noise_floor",
    "point",
    "total",
]

# Rows times parameters: up to SMALL (a second) always exact; up to AFFORDABLE (some seconds)
# where floats decide nothing.
SMALL, AFFORDABLE = 2**22, 2**25
# Rows of one exact pass.
ROWS = 1024


def losses(
    net: FloatNet, inputs: np.ndarray, targets: np.ndarray, *, evaluation: Evaluation | None = None
) -> tuple[Enclosure, Enclosure]:
    """The loss L = (1/N) sum |f(z_i) - y_i|^2 and the noise floor E, of the exact network on the exact data.

    E is always exact. L is exact where N times the parameter count is at most `SMALL` = 2^22; beyond that, it is
    enclosed by one float64 pass, its residuals' error bounds and a sum that rounds once; if that pass overflows, L is
    exact up to `AFFORDABLE` = 2^25.

    Parameters
    ----------
    inputs, targets
        Shapes (N, d) and (N, m), float64, finite.
    evaluation
        What `evaluate` returned for the same arguments, to save the pass.

    Raises
    ------
    OverflowError
        If values leave the range of float64 and the data are too many for exact arithmetic.
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> net = FloatNet([([[1.0]], [0.0]), ([[1.0]], [0.0])])
    >>> losses(net, np.array([[1.0], [1.0]]), np.array([[1.0], [2.0]]))[0].low
    Fraction(1, 2)
    """
    floor = noise_floor(inputs, targets)
    return loss_above(floor, net, inputs, targets, evaluation=evaluation), point(floor)


def loss_above(
    floor: Fraction, net: FloatNet, inputs: np.ndarray, targets: np.ndarray, *, evaluation: Evaluation | None = None
) -> Enclosure:
    """The loss, as `losses` has it, where the noise floor is known."""
    work = len(inputs) * net.parameter_count
    if work > SMALL:
        try:
            return _enclosed(evaluation or evaluate(net, inputs, targets), floor)
        except OverflowError:
            if work > AFFORDABLE:
                raise
    return point(exact_loss(net, inputs, targets))


def point(value: Fraction) -> Enclosure:
    """The enclosure of an exact number."""
    return Enclosure(value, value)


def around(center: float, error: float) -> Enclosure:
    """[center - error, center + error], exactly.

    Raises
    ------
    OverflowError
        If either is not finite.
    """
    if not (math.isfinite(center) and math.isfinite(error)):
        raise OverflowError("a sum leaves the range of float64")
    return Enclosure(Fraction(center) - Fraction(error), Fraction(center) + Fraction(error))


def total(terms: Iterable[float]) -> float:
    """The correctly rounded sum; infinite or NaN where the terms are."""
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):
        return math.nan


def exact_residuals(net: FloatNet, inputs: np.ndarray, targets: np.ndarray) -> Matrix:
    """y - f(z) at every row in rational arithmetic, shape (N, m).

    N times the parameter count says how long it takes.
    """
    # Some microseconds a parameter to make it rational.
    afford(4e-6 * net.parameter_count)
    whole = net.exact()
    residuals: list[Vector] = []
    for start in looking(range(0, len(inputs), ROWS)):
        outputs = whole.outputs(inputs[start : start + ROWS].tolist())
        for wanted, row in zip(targets[start : start + ROWS].tolist(), outputs, strict=True):
            residuals.append(tuple(Fraction(y) - f for y, f in zip(wanted, row, strict=True)))
    return tuple(residuals)


def exact_loss(net: FloatNet, inputs: np.ndarray, targets: np.ndarray) -> Fraction:
    """L in rational arithmetic, as `exact_residuals`."""
    residuals = exact_residuals(net, inputs, targets)
    return sum((r * r for row in residuals for r in row), Fraction(0)) / len(residuals)


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


def _enclosed(evaluation: Evaluation, floor: Fraction) -> Enclosure:
    """L from residuals r with |exact - r| <= rho: |L N - sum r^2| <= sum (2 |r| rho + rho^2)
    and the rounding of the sum.
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
