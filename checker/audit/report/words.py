"""The words of a report: how circuits, rows, numbers and counts are written, the same on every page."""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction

import numpy as np

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
    ordered = np.unique(np.fromiter(rows, dtype=np.int64))
    if not ordered.size:
        return "none"
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 2) > 1)
    ends = np.append(starts[1:], len(ordered))
    runs = [(ordered[a], ordered[b - 1]) for a, b in zip(starts[:most], ends, strict=False)]
    shown = ", ".join(str(one) if one == last else f"{one}-{last}" for one, last in runs)
    left = len(ordered) - ends[: len(runs)][-1]
    return shown + (f", … {left} more" if left else "")


def count(number: int, noun: str) -> str:
    """A number with its noun.

    Examples
    --------
    >>> count(1, "row"), count(2, "row")
    ('1 row', '2 rows')
    """
    return f"{number} {noun}" + ("" if number == 1 else "s")
