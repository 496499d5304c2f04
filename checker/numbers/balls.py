"""Between exact rationals and balls, flint's arb: what a ball says is sure, its midpoint is only near."""

from fractions import Fraction

from flint import arb, fmpq

__all__ = ["ball", "middle", "whole"]


def ball(value: Fraction) -> arb:
    """A ball that holds the number, at the precision of the context."""
    return arb(fmpq(value.numerator, value.denominator))


def middle(value: arb) -> Fraction:
    """The midpoint of a ball."""
    mantissa, exponent = value.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def whole(value: arb) -> int:
    """The one whole number in a ball.

    Raises
    ------
    ArithmeticError
        If there is none, or more than one.
    """
    found = value.unique_fmpz()
    if found is None:
        raise ArithmeticError(f"{value} holds no whole number, or more than one")
    return int(found)
