"""Numbers as a report has them: exact ones as text ``p/q`` in lowest terms, however long, and beside some a float."""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact

# Bytes of a report.
LARGEST = 2**31

Bounds = tuple[Fraction, Fraction]

_RATIONAL = re.compile(r"(-?)(0|[1-9][0-9]*)(?:/([1-9][0-9]*))?")
TRUTHS = ("idle", "empty", "decided", "full", "multiplied", "same_in_float32")
FLOATS = ("approximate", "seconds")
# Python reads no more digits at a time.
_DIGITS = 4000


def read_report_file(path: Path, form: str, parts: set[str]) -> Fact:
    """The object in a report's file of this format, which has these parts.

    Raises
    ------
    Refused
        If it is no such report, or a key stands twice.
    """
    try:
        require(path.stat().st_size <= LARGEST, f"larger than {LARGEST} bytes")
        found = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise Refused(f"not readable: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"not readable as JSON: {error}") from error
    require(isinstance(found, dict) and found.get("format") == form, f"not in the format {form}")
    require(set(found) == parts, "parts are missing or unknown")
    return dict(found)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    require(len(found) == len(pairs), "a key stands twice")
    return found


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


def require_types(value: object, key: str = "") -> None:
    """Refuse truth values and floats but under the keys that have them: to Python 1, 1.0 and true are equal.

    Examples
    --------
    >>> require_types({"idle": True, "units": [[1, 0]]})
    >>> require_types({"idle": True, "units": [[True, 0]]})
    Traceback (most recent call last):
    ...
    proof_of_absence.checker.independent.refusal.Refused: units: True is no whole number or text
    """
    if isinstance(value, dict):
        for name, entry in value.items():
            require_types(entry, f"{key}.{name}" if key == "seconds" else name)
    elif isinstance(value, list):
        for entry in value:
            require_types(entry, key)
            require(type(entry) not in (bool, float), f"{key}: {entry!r} is no whole number or text")
    elif type(value) is bool:
        require(key in TRUTHS, f"{key}: {value!r} is no whole number or text")
    elif type(value) is float:
        require(key in FLOATS or key.startswith("seconds."), f"{key}: {value!r} is no whole number or text")


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
