"""How facts write numbers, nets, data and circuits; the encoders are those of `checker.kernel.certificate`."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

__all__ = ["Circuit", "Data", "Fact", "Net", "Row", "Table", "Units", "row"]

# Exact numbers as text.
Row = list[str]
Table = list[Row]
Net = list[dict[str, Any]]
Data = dict[str, Any]
# Pairs of layer and index: as they are written, and as they are given.
Circuit = list[list[int]]
Units = Iterable[tuple[int, int]]
# What a producer returns: its TypedDict as a plain dict, which an Evidence holds.
Fact = dict[str, Any]


def row(values: Iterable[Fraction | int]) -> Row:
    """A vector as text.

    Examples
    --------
    >>> row([Fraction(1, 2), Fraction(3)])
    ['1/2', '3']
    """
    return [str(value) for value in values]
