"""A real number between two rationals."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Enclosure", "around", "point", "total"]


@dataclass(frozen=True)
class Enclosure:
    """A real number known to lie in [low, high]; exact where the two are equal."""

    low: Fraction
    high: Fraction

    @property
    def is_exact(self) -> bool:
        """Whether the number itself is known."""
        return self.low == self.high


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
