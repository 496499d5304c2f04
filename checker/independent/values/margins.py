"""How far outputs are from another class: the least move that makes another output as large as the largest.

Half of the margin is taken from the largest output, and half is given to the second.
"""

from fractions import Fraction

import numpy as np

from proof_of_absence.checker.independent.values.floats import Bounded, Exact, Floats
from proof_of_absence.checker.independent.values.rounding import TINY, UP


def class_squares(outputs: Bounded) -> tuple[Floats, Floats]:
    """Bounds of the squared length of that move, for each row of outputs."""
    value, radius = outputs
    with np.errstate(all="ignore"):
        low, high = np.sort(value - radius, axis=1), np.sort(value + radius, axis=1)
        least = np.maximum(low[:, -1] - high[:, -2], 0) / UP
        most = (high[:, -1] - low[:, -2]) * UP
        below, above = least**2 / 2 / UP, most**2 / 2 * UP + TINY
    return np.where(np.isfinite(below), below, 0), np.where(np.isfinite(above), above, np.inf)


def exact_class_squares(outputs: Exact) -> list[Fraction]:
    """The same squared length itself."""
    whole, exponent, divisor = outputs
    unit = Fraction(2) ** exponent / divisor
    ordered = np.sort(whole, axis=1)
    return [(margin * unit) ** 2 / 2 for margin in (ordered[:, -1] - ordered[:, -2]).tolist()]
