"""The deception tax under a scaling law: what the k parameters of a detector are worth, L(N - k, D) - L(N, D),
in ball arithmetic.

The analogue of C11's L*(n - k) - L*(n), with a fitted law in place of the infima: measured, not proved.
"""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from flint import arb, ctx

from proof_of_absence.checker.numbers.balls import ball, whole
from proof_of_absence.checker.numbers.enclosure import Enclosure
from proof_of_absence.models.scaling import ScalingLaw

__all__ = ["loss", "power", "rounded", "tax", "tax_fact", "threshold", "threshold_fact"]

# Powers are enclosed between neighbouring multiples of 2^-BITS; balls carry more than that.
BITS, WORKING = 128, 256


def power(base: int, exponent: Fraction) -> Enclosure:
    """base^-exponent.

    Examples
    --------
    >>> half = power(4, Fraction(1, 2))
    >>> half.low <= Fraction(1, 2) <= half.high, half.high - half.low < Fraction(1, 2**126)
    (True, True)
    """
    with ctx.workprec(WORKING):
        scaled = arb(base) ** -ball(exponent) * arb(2) ** BITS
        low, high = whole(scaled.lower().floor()), whole(scaled.upper().ceil())
    return Enclosure(Fraction(low, 2**BITS), Fraction(high, 2**BITS))


def loss(law: ScalingLaw, parameters: int, tokens: int) -> Enclosure:
    """L(N, D) in nats a token."""
    capacity, data = power(parameters, law.alpha), power(tokens, law.beta)
    return Enclosure(
        law.irreducible + law.capacity * capacity.low + law.data * data.low,
        law.irreducible + law.capacity * capacity.high + law.data * data.high,
    )


def tax(law: ScalingLaw, parameters: int, detector: int) -> Enclosure:
    """L(N - k, D) - L(N, D), which is the same for every D, in nats a token.

    Raises
    ------
    ValueError
        If the detector has not between 0 and N - 1 parameters.

    Examples
    --------
    >>> from proof_of_absence.models.scaling import HOFFMANN
    >>> rounded(tax(HOFFMANN, 70 * 10**9, 10**6), 6)
    '4.05514e-7'
    """
    if not 0 <= detector < parameters:
        raise ValueError(f"a detector of {detector} parameters does not fit in a model of {parameters}")
    return _difference(law, power(parameters, law.alpha), power(parameters - detector, law.alpha))


def _difference(law: ScalingLaw, whole: Enclosure, left: Enclosure) -> Enclosure:
    return Enclosure(law.capacity * (left.low - whole.high), law.capacity * (left.high - whole.low))


def threshold(law: ScalingLaw, parameters: int, tolerance: Fraction) -> int | None:
    """The least number of parameters whose tax exceeds the tolerance; None if that of N - 1 does not.

    Raises
    ------
    ValueError
        If the tolerance is not positive.
    ArithmeticError
        If a tax is so close to the tolerance that the enclosures do not tell.

    Examples
    --------
    >>> from proof_of_absence.models.scaling import HOFFMANN
    >>> threshold(HOFFMANN, 70 * 10**9, Fraction(1, 1000))
    2408953632
    """
    if tolerance <= 0:
        raise ValueError(f"a tolerance of {tolerance} is not positive")
    if not _exceeds(law, parameters, parameters - 1, tolerance):
        return None
    with ctx.workprec(WORKING):
        left = (arb(parameters) ** -ball(law.alpha) + ball(tolerance / law.capacity)) ** (-1 / ball(law.alpha))
        guess = whole((arb(parameters) - left).mid().floor())
    size = max(1, min(guess, parameters - 1))
    while not _exceeds(law, parameters, size, tolerance):
        size += 1
    while _exceeds(law, parameters, size - 1, tolerance):
        size -= 1
    return size


def _exceeds(law: ScalingLaw, parameters: int, detector: int, tolerance: Fraction) -> bool:
    if not detector:
        return False
    worth = tax(law, parameters, detector)
    if worth.low <= tolerance < worth.high:
        raise ArithmeticError(f"whether {detector} of {parameters} parameters are worth {tolerance} is not decided")
    return worth.low > tolerance


def rounded(value: Enclosure, digits: int) -> str:
    """The number to that many significant digits, each of them correct: both ends round to it.

    Raises
    ------
    ArithmeticError
        If the ends do not round to one number.

    Examples
    --------
    >>> rounded(Enclosure(Fraction(1, 3), Fraction(1, 3)), 4)
    '3.333e-1'
    """
    low, high = _rounded(value.low, digits), _rounded(value.high, digits)
    if low != high:
        raise ArithmeticError(f"between {low} and {high}: {digits} digits are not certain")
    return low


def _rounded(value: Fraction, digits: int) -> str:
    # Decimal's division rounds correctly.
    with localcontext(prec=digits):
        return f"{Decimal(value.numerator) / Decimal(value.denominator):.{digits - 1}e}"


def tax_fact(
    law: ScalingLaw,
    parameters: int,
    tokens: int,
    detector: int,
    *,
    digits: int = 6,
    below: Fraction | None = None,
    above: Fraction | None = None,
) -> dict[str, Any]:
    """The fact about L(N, D) and the tax of k parameters; a number of nats may be given that it is below or above."""
    whole, left = power(parameters, law.alpha), power(parameters - detector, law.alpha)
    value, price = loss(law, parameters, tokens), tax(law, parameters, detector)
    return {
        "kind": "scaling-tax",
        "law": _law_json(law),
        "parameters": parameters,
        "tokens": tokens,
        "detector": detector,
        "powers": {"whole": _text(whole), "left": _text(left), "tokens": _text(power(tokens, law.beta))},
        "loss": rounded(value, digits),
        "tax": rounded(price, digits),
        **{side: str(limit) for side, limit in (("below", below), ("above", above)) if limit is not None},
    }


def threshold_fact(law: ScalingLaw, parameters: int, tolerance: Fraction) -> dict[str, Any]:
    """The fact that a detector of k parameters is worth more than the tolerance, and one of k - 1 is not.

    Raises
    ------
    ValueError
        If no detector is worth more, or `threshold` raises it.
    """
    size = threshold(law, parameters, tolerance)
    if size is None:
        raise ValueError(f"no detector in a model of {parameters} parameters is worth more than {tolerance}")
    return {
        "kind": "scaling-threshold",
        "law": _law_json(law),
        "parameters": parameters,
        "tolerance": str(tolerance),
        "detector": size,
        "powers": {
            "whole": _text(power(parameters, law.alpha)),
            "left": _text(power(parameters - size, law.alpha)),
            "fewer": _text(power(parameters - size + 1, law.alpha)),
        },
    }


def _law_json(law: ScalingLaw) -> dict[str, Any]:
    return {field: str(getattr(law, field)) for field in ("irreducible", "capacity", "alpha", "data", "beta")}


def _text(value: Enclosure) -> list[str]:
    return [str(value.low), str(value.high)]
