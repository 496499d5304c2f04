"""How facts write numbers, nets, data and circuits; the encoders are those of `checker.kernel.certificate`."""

from collections.abc import Iterable
from fractions import Fraction

__all__ = ["Circuit", "Data", "Fact", "Net", "Row", "Table", "row"]

# Exact numbers as text.
Row = list[str]
Table = list[Row]
Net = list[dict]
Data = dict
# Pairs of layer and index.
Circuit = list[list[int]]
# What a producer returns: its TypedDict as a plain dict, which an Evidence holds.
Fact = dict


def row(values: Iterable[Fraction]) -> Row:
    """A vector as text.

    Examples
    --------
    >>> row([Fraction(1, 2), Fraction(3)])
    ['1/2', '3']
    """
    return [str(value) for value in values]
