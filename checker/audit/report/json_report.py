"""The audit as JSON: exact numbers as text "p/q", a float beside those that are looked at; see `report.schema.json`.

Written and read by the types of `checker.audit.findings`: the report and the stages kept between runs have one form.
"""

import base64
import dataclasses
import types
import typing
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from flint import fmpz

from proof_of_absence.checker.audit.findings import (
    Audit,
    CircuitFinding,
    DeploymentFinding,
    Enclosure,
    Replacement,
    Replacements,
    UnitFinding,
)
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["FORMAT", "clean", "decode", "encode", "exact_text", "from_json", "schema_text", "short", "to_json"]

FORMAT = "absence-audit/1"
_fields = dataclasses.fields
_PLAIN = frozenset({types.NoneType, bool, int})


def exact_text(value: Fraction) -> str:
    """``p`` or ``p/q``, however many digits it takes (`str` of a Python int stops at 4300).

    >>> exact_text(Fraction(-3, 4)), len(exact_text(Fraction(10**5000)))
    ('-3/4', 5001)
    """
    numerator = str(fmpz(value.numerator))
    return numerator if value.denominator == 1 else f"{numerator}/{fmpz(value.denominator)}"


def short(value: Fraction, rounding: str = ROUND_HALF_EVEN, digits: int = 6) -> str:
    """The number to some digits, for reading; `rounding` as `decimal` names it.

    >>> short(Fraction(2, 3)), short(Fraction(5)), short(Fraction(1, 10**400))
    ('0.666667', '5', '1e-400')
    """
    # No exponent is out of reach.
    context = Context(prec=digits, rounding=rounding, Emax=MAX_EMAX, Emin=MIN_EMIN)
    near = context.divide(Decimal(value.numerator), Decimal(value.denominator)).normalize(context)
    if near and not -5 <= near.adjusted() < 7:
        return str(near).lower().replace("e+", "e")
    return f"{near:f}" if near else "0"


def to_json(audit: Audit) -> dict[str, Any]:
    """The report: format, scope, exit code and findings, then the parts of the audit under their own names."""
    head = {
        "format": FORMAT,
        "scope": "instance",
        "exit_code": audit.exit_code,
        "findings": [clean(line) for line in audit.findings],
    }
    parts = encode(audit)
    if audit.units:
        parts |= {"units": parts["units"]["findings"], "replacements": parts["units"]["replacements"]}
    return head | {"replacements": []} | parts


def _units(units: tuple[UnitFinding, ...]) -> dict[str, Any]:
    """Units, and apart from them their replacements, which are few and long: each unit names the number of its own."""
    shared = Replacements()
    findings = []
    for unit in units:
        finding = {
            field.name: encode(getattr(unit, field.name)) for field in _fields(unit) if field.name != "replacement"
        }
        if unit.replacement is not None:
            finding["replacement"] = shared.number(unit.replacement)
        else:
            finding["replacement"] = None
        findings.append(finding)
    return {"findings": findings, "replacements": encode(shared.all())}


def _from_units(data: dict) -> tuple[UnitFinding, ...]:
    shared = decode(tuple[Replacement, ...], data["replacements"])
    units = []
    for entry in data["findings"]:
        unit = decode(UnitFinding, entry | {"replacement": None})
        place = entry["replacement"]
        units.append(unit if place is None else dataclasses.replace(unit, replacement=shared[place]))
    return tuple(units)


def from_json(report: dict[str, Any]) -> Audit:
    """The audit that a report tells of.

    Raises
    ------
    ValueError
        If the report is no audit in this format.
    """
    try:
        if report["format"] != FORMAT:
            raise ValueError(f"the report's format is {report['format']!r}, this program reads {FORMAT!r}")
        units = report["units"] and {"findings": report["units"], "replacements": report["replacements"]}
        return decode(Audit, report | {"units": units})
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no audit report: {error!r}") from error


def schema_text() -> str:
    """The JSON Schema (draft 2020-12) of the report."""
    return files("proof_of_absence.checker.audit.report").joinpath("report.schema.json").read_text(encoding="utf-8")


def encode(value: Any) -> Any:
    """A finding, or anything made of findings, as JSON values."""
    # Most of what a long report holds.
    if type(value) in _PLAIN:
        return value
    if type(value) is DeploymentFinding:
        return _by_field(value)
    match value:
        case Fraction():
            if not value:
                return {"exact": "0", "approximate": 0.0}
            return {"exact": exact_text(value), "approximate": _approximate(value)}
        case Enclosure():
            middle = (value.low + value.high) / 2
            ends = {"low": exact_text(value.low), "high": exact_text(value.high)}
            return ends | {"approximate": _approximate(middle)}
        case FloatNet():
            layers = [[_array(weights), _array(bias)] for weights, bias in value.float_layers]
            return {"dtype": value.dtype.name, "layers": layers}
        case np.ndarray():
            return _array(value)
        case Enum():
            return value.value
        case str():
            return clean(value)
        case CircuitFinding():
            told = {"units": encode(value.units), "value": _received(value.value), "fires": encode(value.fires)}
            return told | {"empty": value.empty}
        case dict():
            return {clean(key): encode(entry) for key, entry in value.items()}
        case tuple() if value and isinstance(value[0], UnitFinding):
            return _units(value)
        # A vector is text alone: its entries are many, and are read by programs.
        case tuple() | list():
            return [exact_text(entry) if isinstance(entry, Fraction) else encode(entry) for entry in value]
        case _ if dataclasses.is_dataclass(value):
            return _by_field(value)
        case np.generic():
            return value.item()
    return value


def _received(value: dict[Unit, Fraction]) -> list[dict[str, Any]]:
    """What each reader receives; many circuits have one dictionary, that of those which send 0."""
    latest = _LATEST[0]
    if latest[0] is not value:
        _LATEST[0] = latest = value, [{"unit": list(unit), "value": encode(value[unit])} for unit in sorted(value)]
    return latest[1]


_LATEST: list[tuple[dict[Unit, Fraction], list[dict[str, Any]]]] = [({}, [])]


def _by_field(value: Any) -> dict[str, Any]:
    return {
        name: part if type(part := getattr(value, name)) in _PLAIN else encode(part) for name in _names(type(value))
    }


def decode(kind: Any, data: Any) -> Any:
    """What `encode` made the JSON values from; `kind` is its type."""
    if kind is Any:
        return data
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if data is None else decode(next(k for k in inner if k is not types.NoneType), data)
    if kind == tuple[UnitFinding, ...] and data:
        return _from_units(data)
    if origin is tuple and inner[-1] is Ellipsis:
        return tuple(decode(inner[0], entry) for entry in data)
    if origin is tuple:
        return tuple(decode(k, entry) for k, entry in zip(inner, data, strict=True))
    if origin is dict:
        if inner[0] is str:
            return {key: decode(inner[1], entry) for key, entry in data.items()}
        return {decode(inner[0], entry["unit"]): decode(inner[1], entry["value"]) for entry in data}
    if kind is Fraction:
        return _exact(data["exact"] if isinstance(data, dict) else data)
    if kind is Enclosure:
        return Enclosure(_exact(data["low"]), _exact(data["high"]))
    if kind is FloatNet:
        return FloatNet([(_from_array(w), _from_array(b)) for w, b in data["layers"]], np.dtype(data["dtype"]))
    if kind is np.ndarray:
        return _from_array(data)
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{field.name: decode(hints[field.name], data[field.name]) for field in _fields(kind)})
    if issubclass(kind, tuple):
        return kind(*data)
    return kind(data)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in _fields(kind))


_hints = cache(typing.get_type_hints)


def _exact(text: str) -> Fraction:
    numerator, _, denominator = text.partition("/")
    return Fraction(int(fmpz(numerator)), int(fmpz(denominator or "1")))


def _approximate(value: Fraction) -> float | None:
    """The nearest float; None where that would be infinite, or 0 for a number that is not."""
    try:
        near = float(value)
    except OverflowError:
        return None
    return near if near or not value else None


def clean(text: str) -> str:
    """File names may hold bytes that are no text; JSON and HTML may not."""
    return text.encode("utf-8", "backslashreplace").decode()


def _array(array: np.ndarray) -> dict[str, Any]:
    return {"shape": list(array.shape), "float64": base64.b64encode(array.astype("<f8").tobytes()).decode()}


def _from_array(data: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(data["float64"]), "<f8").reshape(data["shape"])
