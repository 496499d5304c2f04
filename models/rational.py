"""Exact numbers: turn what a user writes into `fractions.Fraction`, losing nothing.

A float is a dyadic rational, so it is converted exactly; NaN and infinities are refused.
"""

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from math import gcd, isqrt
from typing import Any, Protocol

__all__ = ["Matrix", "Number", "Numbers", "Vector", "dot", "matrix", "rational", "root", "vector"]


class Wrapped(Protocol):
    """A number of numpy or torch."""

    def item(self) -> Any:
        """The number as Python's own."""


# What a user may write for an exact number, and for a vector of them.
Number = Fraction | int | float | str | Wrapped
Numbers = Iterable[Number]

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]

# As many digits as Python reads in a number by default; 1e999999999 would take all memory.
LARGEST_EXPONENT = 4300
_EXPONENT = re.compile(r"e([-+]?[0-9]+(?:_[0-9]+)*)\s*\Z", re.I)


def rational(value: Number) -> Fraction:
    """The exact value of an int, Fraction, finite float, or string such as ``"-3/4"``.

    Raises
    ------
    ValueError
        If `value` is NaN, infinite, a bool, no number, or text with an exponent beyond 4300.

    Examples
    --------
    >>> rational("1/3"), rational(0.5)
    (Fraction(1, 3), Fraction(1, 2))
    """
    if isinstance(value, Fraction):
        return value
    item = getattr(value, "item", None)
    number: Any = value if item is None else item()
    if isinstance(number, bool):
        raise ValueError(f"{number!r} is a truth value, not a number")
    if (
        isinstance(number, str)
        and (found := _EXPONENT.search(number))
        and not -LARGEST_EXPONENT <= float(found[1]) <= LARGEST_EXPONENT
    ):
        raise ValueError(f"{number!r} has an exponent beyond {LARGEST_EXPONENT}")
    try:
        return Fraction(number)
    except (OverflowError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"{number!r} is not a finite number") from error


@lru_cache(maxsize=2**14)
def root(value: Fraction) -> Fraction | None:
    """The square root of a positive number, where it is rational."""
    if value <= 0:
        return None
    found = Fraction(isqrt(value.numerator), isqrt(value.denominator))
    return found if found * found == value else None


def dot(left: Iterable[Fraction], right: Iterable[Fraction], start: Fraction = Fraction(0)) -> Fraction:
    """The inner product of two vectors of one length, plus `start`; brought to lowest terms once, at the end.

    Raises
    ------
    ValueError
        If the lengths differ.

    Examples
    --------
    >>> dot([Fraction(1, 2), Fraction(2)], [Fraction(1, 3), Fraction(1, 4)])
    Fraction(2, 3)
    """
    above, below = start.numerator, start.denominator
    for a, b in zip(left, right, strict=True):
        if product := a.numerator * b.numerator:
            other = a.denominator * b.denominator
            if other == below:
                above += product
            else:
                common = gcd(below, other)
                above = above * (other // common) + product * (below // common)
                below *= other // common
    return Fraction(above, below)


def vector(values: Numbers) -> Vector:
    """A tuple of exact numbers."""
    return tuple(map(rational, values))


def matrix(rows: Iterable[Numbers]) -> Matrix:
    """A rectangular tuple of rows of exact numbers.

    Raises
    ------
    ValueError
        If the rows differ in length.
    """
    result = tuple(map(vector, rows))
    if len({len(row) for row in result}) > 1:
        raise ValueError(f"rows of different lengths: {[len(row) for row in result]}")
    return result
