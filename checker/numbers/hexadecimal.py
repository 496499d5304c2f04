"""Exact rationals as the text of certificates: in hexadecimal, since Python limits the digits of decimal text."""

from fractions import Fraction

__all__ = ["hexadecimal", "of_hexadecimal"]


def hexadecimal(value: Fraction) -> str:
    """The text of a rational.

    Examples
    --------
    >>> hexadecimal(Fraction(-31, 10)), hexadecimal(Fraction(0))
    ('-1f/a', '0')
    """
    return f"{value.numerator:x}" + (f"/{value.denominator:x}" if value.denominator != 1 else "")


def of_hexadecimal(text: str) -> Fraction:
    """The rational of such a text.

    Raises
    ------
    ValueError, ZeroDivisionError
        If it is none.

    Examples
    --------
    >>> of_hexadecimal("-1f/a")
    Fraction(-31, 10)
    """
    top, _, bottom = text.partition("/")
    return Fraction(int(top, 16), int(bottom or "1", 16))
