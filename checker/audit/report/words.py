"""The words of a report: how circuits, rows, numbers and counts are written, the same on every page."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction
from itertools import groupby

from proof_of_absence.checker.audit.findings import Enclosure
from proof_of_absence.checker.audit.report.json_report import short
from proof_of_absence.models.circuit import Unit

__all__ = ["count", "enclosure", "names", "row_ranges", "unit_name", "vector"]


def unit_name(unit: Unit) -> str:
    """Layer and index."""
    return f"{unit.layer}.{unit.index}"


def names(units: Iterable[Unit], most: int = 8) -> str:
    """A circuit's units, the first few if there are many."""
    units = tuple(units)
    shown = ", ".join(map(unit_name, units[:most]))
    return "{" + shown + (f", … {len(units) - most} more" if len(units) > most else "") + "}"


def enclosure(value: Enclosure) -> str:
    """The number, or what it lies between, the ends rounded outwards."""
    if value.is_exact:
        return short(value.low)
    return f"{short(value.low, ROUND_FLOOR)} to {short(value.high, ROUND_CEILING)}"


def vector(entries: tuple[Fraction, ...], most: int = 6) -> str:
    """The first entries of a vector."""
    shown = ", ".join(map(short, entries[:most]))
    return f"({shown}" + (f", … {len(entries) - most} more)" if len(entries) > most else ")")


def row_ranges(rows: Iterable[int], most: int = 6) -> str:
    """Rows as ranges, the first few if there are many.

    Examples
    --------
    >>> row_ranges([0, 1, 2, 7, 9, 8]), row_ranges([3]), row_ranges([]), row_ranges(range(0, 40, 2), 2)
    ('0-2, 7-9', '3', 'none', '0, 2, … 18 more')
    """
    ordered = sorted(set(rows))
    runs = [[row for _, row in run] for _, run in groupby(enumerate(ordered), lambda pair: pair[1] - pair[0])]
    shown = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs[:most]) or "none"
    left = sum(map(len, runs[most:]))
    return shown + (f", … {left} more" if left else "")


def count(number: int, noun: str) -> str:
    """A number with its noun.

    Examples
    --------
    >>> count(1, "row"), count(2, "row")
    ('1 row', '2 rows')
    """
    return f"{number} {noun}" + ("" if number == 1 else "s")
