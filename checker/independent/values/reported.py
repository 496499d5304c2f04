"""Numbers as a report has them: exact ones as text ``p/q`` in lowest terms, however long, and beside some a float."""

import json
import re
from fractions import Fraction
from typing import Any

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal

Bounds = tuple[Fraction, Fraction]

_RATIONAL = re.compile(r"(-?)(0|[1-9][0-9]*)(?:/([1-9][0-9]*))?")
# Python reads no more digits at a time.
_DIGITS = 4000


def rational(text: object) -> Fraction:
    """The number that a text states in lowest terms.

    Examples
    --------
    >>> rational("-3/4")
    Fraction(-3, 4)
    """
    match = _RATIONAL.fullmatch(text) if isinstance(text, str) and text.isascii() else None
    if match is None:
        raise Refused(f"{str(text)[:40]!r} is no exact number")
    sign, top, bottom = match.groups()
    denominator = _whole(bottom or "1")
    result = Fraction((-1 if sign else 1) * _whole(top), denominator)
    lowest = result.denominator == denominator and bottom != "1" and not (sign and not result)
    require(lowest, f"{str(text)[:40]!r} is not in lowest terms")
    return result


def rationals(texts: object) -> list[Fraction]:
    """The numbers of a list of texts."""
    if not isinstance(texts, list):
        raise Refused("a list of numbers is missing")
    return [rational(text) for text in texts]


def exact(stated: Any) -> Fraction:
    """The number that is stated exactly and beside it as a float."""
    require(isinstance(stated, dict) and set(stated) == {"exact", "approximate"}, "a number is not stated exactly")
    value = rational(stated["exact"])
    _require_near(stated["approximate"], value)
    return value


def bounds(stated: Any) -> Bounds:
    """The bounds that are stated, and beside them their middle as a float."""
    require(isinstance(stated, dict) and set(stated) == {"low", "high", "approximate"}, "a number has two bounds")
    low, high = rational(stated["low"]), rational(stated["high"])
    require(low <= high, "the bounds of a number are crossed")
    _require_near(stated["approximate"], (low + high) / 2)
    return low, high


def require_same(what: str, stated: object, recomputed: object) -> None:
    """Refuse unless both are the same as JSON, where 1 is not true."""
    require_equal(what, stated, recomputed)
    one, other = (json.dumps(value, sort_keys=True) for value in (stated, recomputed))
    require(one == other, f"{what}: {str(stated)[:40]} is of another type")


def _whole(digits: str) -> int:
    value = 0
    for start in range(0, len(digits), _DIGITS):
        part = digits[start : start + _DIGITS]
        value = value * 10 ** len(part) + int(part)
    return value


def _require_near(stated: object, value: Fraction) -> None:
    """The nearest float; none where it would be infinite, or 0 for a number that is not."""
    near: float | None
    try:
        near = float(value)
    except OverflowError:
        near = None
    near = None if near == 0 and value else near
    require(type(stated) is type(near) and stated == near, f"{stated!r} is not the float next to the exact number")
