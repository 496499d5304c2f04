"""The loss of a float network on its training data and the noise floor:
exact where that is cheap, enclosed where it is not.
"""

from fractions import Fraction

import numpy as np

from proof_of_absence.checker.audit.findings import Enclosure
from proof_of_absence.checker.construct.squared_loss import enclosed_loss, noise_floor
from proof_of_absence.checker.numbers.deadline import afford, looking
from proof_of_absence.checker.numbers.enclosure import point
from proof_of_absence.checker.passes.residuals import Evaluation, evaluate
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.rational import Matrix, Vector

__all__ = [
    "AFFORDABLE",
    "SMALL",
    "exact_loss",
    "exact_residuals",
    "loss_above",
    "losses",
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
            return enclosed_loss(evaluation or evaluate(net, inputs, targets), floor)
        except OverflowError:
            if work > AFFORDABLE:
                raise
    return point(exact_loss(net, inputs, targets))


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
