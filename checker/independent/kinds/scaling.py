"""What parameters are worth under a scaling law: real powers between rationals, decided by integer powers.

low <= x^-(p/q) <= high exactly if low^q x^p <= 1 <= high^q x^p.
"""

import re
from fractions import Fraction
from functools import lru_cache

from proof_of_absence.checker.independent.refusal import Refused, require, shown
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import number

LARGEST = 10**15  # parameters and tokens
ROOT = 10_000  # denominators of exponents
_ROUNDED = re.compile(r"([0-9])(?:\.([0-9]{1,30}))?e([+-][0-9]{1,2})")


def scaling_tax(fact: Fact) -> None:
    """By the law, the loss of N parameters and D tokens, and L(N - k, D) - L(N, D), round to what is stated.

    With ``below`` or ``above`` t, the latter is below or above t.
    """
    law = _Law(fact["law"])
    whole, tokens, detector = (_count(fact[key]) for key in ("parameters", "tokens", "detector"))
    require(detector < whole, "the detector leaves no parameter")
    powers = fact["powers"]
    low, high = _power(powers["whole"], whole, law.alpha)
    left = _power(powers["left"], whole - detector, law.alpha)
    data = _power(powers["tokens"], tokens, law.beta)
    total = [law.irreducible + law.capacity * c + law.data * d for c, d in zip((low, high), data, strict=True)]
    tax = [law.capacity * (left[0] - high), law.capacity * (left[1] - low)]
    _require_rounds("the loss", total, fact["loss"])
    _require_rounds("the tax", tax, fact["tax"])
    require("below" not in fact or tax[1] < number(fact["below"]), "the tax is not below that")
    require("above" not in fact or tax[0] > number(fact["above"]), "the tax is not above that")


def scaling_threshold(fact: Fact) -> None:
    """By the law, k parameters of N are worth more than the tolerance, and k - 1 are not: the worth grows with k."""
    law, tolerance = _Law(fact["law"]), number(fact["tolerance"])
    whole, detector = _count(fact["parameters"]), _count(fact["detector"])
    require(detector < whole and tolerance > 0, "the detector leaves no parameter, or the tolerance is not positive")
    powers = fact["powers"]
    low, high = _power(powers["whole"], whole, law.alpha)
    left = _power(powers["left"], whole - detector, law.alpha)
    fewer = _power(powers["fewer"], whole - detector + 1, law.alpha)
    require(law.capacity * (left[0] - high) > tolerance, "the detector is not worth more than the tolerance")
    # One parameter fewer than one is none, worth nothing.
    require(detector == 1 or law.capacity * (fewer[1] - low) <= tolerance, "a smaller detector is worth more too")


class _Law:
    """irreducible + capacity / N^alpha + data / D^beta, all coefficients positive."""

    def __init__(self, fields: Fact):
        names = ("irreducible", "capacity", "alpha", "data", "beta")
        require(isinstance(fields, dict) and set(fields) == set(names), "a law has five coefficients")
        self.irreducible, self.capacity, self.alpha, self.data, self.beta = (number(fields[name]) for name in names)
        require(all(number(fields[name]) > 0 for name in names), "a coefficient is not positive")


def _count(value: object) -> int:
    if not (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST):
        raise Refused(f"{value!r} is not a number of parameters or tokens")
    return value


def _power(ends: object, base: int, exponent: Fraction) -> tuple[Fraction, Fraction]:
    """The stated bounds of base^-exponent, once they are seen to be such."""
    if not (isinstance(ends, list) and len(ends) == 2):
        raise Refused("a power has two bounds")
    low, high = map(number, ends)
    require(exponent.denominator <= ROOT and exponent <= 1, "an exponent is out of range")
    # The power is at most 1.
    require(0 < low <= high <= 2 and max(low.denominator, high.denominator) <= 2**256, "a bound is out of range")
    require(_side(low, base, exponent) <= 0, "a power is below its lower bound")
    require(_side(high, base, exponent) >= 0, "a power is above its upper bound")
    return low, high


@lru_cache(maxsize=1024)
def _side(bound: Fraction, base: int, exponent: Fraction) -> int:
    """The sign of bound^q base^p - 1, which is that of bound - base^-(p/q)."""
    p, q = exponent.as_integer_ratio()
    left, right = int(bound.numerator**q * base**p), int(bound.denominator**q)
    return int(left > right) - int(left < right)


def _require_rounds(what: str, ends: list[Fraction], text: object) -> None:
    """Refuse unless all between the ends is within half a unit of the last digit of the stated number."""
    match = _ROUNDED.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Refused(f"{text!r} is not a number of stated digits")
    whole, decimals, exponent = match[1], match[2] or "", int(match[3])
    unit = Fraction(10) ** (exponent - len(decimals))
    value = int(whole + decimals) * unit
    rounds = all(abs(end - value) <= unit / 2 for end in ends)
    require(rounds, f"{what}: stated {text}, recomputed between {shown(ends[0])} and {shown(ends[1])}")


KINDS = {
    "scaling-tax": scaling_tax,
    "scaling-threshold": scaling_threshold,
}
