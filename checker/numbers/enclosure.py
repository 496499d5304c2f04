"""A real number between two rationals."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Enclosure", "around", "ends_text", "of_ends", "point", "total"]

# Numbers of more binary digits than this are written as bounds of fewer.
DIGITS = 4096


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


def ends_text(low: Fraction, high: Fraction) -> list[str]:
    """Both as text; rounded outwards where that would be too long to read back.

    Examples
    --------
    >>> ends_text(Fraction(1, 3), Fraction(1, 2))
    ['1/3', '1/2']
    """
    result = []
    for value, away in ((low, -1), (high, 1)):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > DIGITS:
            # To a multiple of 2^-shift, some 200 binary digits below the number's first.
            shift = 200 + value.denominator.bit_length() - abs(value.numerator).bit_length()
            scaled = value * Fraction(2) ** shift
            value = Fraction(scaled.__floor__() if away < 0 else scaled.__ceil__()) / Fraction(2) ** shift
        result.append(str(value))
    return result


def of_ends(texts: Sequence[str]) -> Enclosure:
    """What lies between two numbers that `ends_text` wrote.

    Raises
    ------
    ValueError
        If they are not two numbers.
    """
    low, high = map(Fraction, texts)
    return Enclosure(low, high)
