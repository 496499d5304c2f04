"""Whether an entry of a graph has one value at several rows, exactly, and what that value is.

Without roots integers are compared. With roots enclosures of more and more digits show that two values differ, and sums
of roots that they are one; what they leave open is refused.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.values.floats import Floats
from proof_of_absence.checker.independent.values.graph_exact import Part, Roots, evaluated, rests_on
from proof_of_absence.checker.independent.values.graphs import Graph, Numbers, Places
from proof_of_absence.checker.independent.values.roots import BITS, Between, Enclosing, Number, Sum, Summing, each

Truths = NDArray[np.bool_]
# Numbers of a value that are held at a time, and bits of the last enclosure before sums of roots are tried.
HELD, LAST = 2**20, 2**10


def as_at(graph: Graph, first: Floats, rows: Floats | Numbers, node: int, entries: Places) -> Truths:
    """Whether these entries of a node have the values that they have at the first row (1, size); (rows, entries).

    The rows are floats or Fractions.
    """
    at_first: Floats | Numbers = each(Fraction, first) if rows.dtype == object else first
    chosen, same = np.unique(entries), np.ones((len(rows), len(entries)), dtype=bool)
    wanted = rests_on(graph, node, chosen)
    size = max(1, HELD // max(map(len, wanted.values())))
    for start in pausing(range(0, len(rows), size)):
        part: NDArray[Any] = np.vstack([at_first, rows[start : start + size]])
        found = _compared(graph, part, node, wanted)
        same[start : start + size] = found[:, np.searchsorted(chosen, entries)]
    return same


def _compared(graph: Graph, rows: NDArray[Any], node: int, wanted: dict[int, Places]) -> Truths:
    """Whether the value at each row but the first is that at the first."""
    same = np.zeros((len(rows) - 1, len(wanted[node])), dtype=bool)
    open_ = np.ones_like(same)
    for roots in _roots(graph):
        left = np.flatnonzero(open_.any(axis=1))
        if not left.size:
            break
        whole = evaluated(graph, rows[[0, *(left + 1)]], node, wanted, roots).whole
        # 1 and 0, and -1 where it stays open.
        found = each(_same, whole[1:], whole[:1]).astype(np.int64)
        same[left] |= open_[left] & (found == 1)
        open_[left] &= found < 0
    return same


def value_at(graph: Graph, row: Floats, node: int, entries: Places) -> list[tuple[Fraction, Fraction]]:
    """Bounds of the values of these entries at a row (1, size); both are the value where it is rational.

    Where it is not, 0 is not between them.
    """
    wanted = rests_on(graph, node, entries)
    part = evaluated(graph, row, node, wanted, Enclosing(LAST))
    ends = [_ends(x, LAST) for x in part.of(entries)[0].tolist()]
    # What a clip cuts is known, however many roots it is made of: no sum of them is needed.
    if all(low == high for low, high in ends):
        return [(low * part.scale / 2**LAST,) * 2 for low, _ in ends]
    part = evaluated(graph, row, node, wanted, Summing())
    return [_bounds(x, part.scale) for x in part.of(entries)[0].tolist()]


def enclosed(graph: Graph, rows: Floats, node: int, bits: int = BITS) -> tuple[Part, Part]:
    """Lower and upper bounds of all entries of a node at these rows; they are equal where there is no root."""
    entries = np.arange(graph.sizes[node])
    part = evaluated(graph, rows, node, rests_on(graph, node, entries), Enclosing(bits))
    low, high = (each(lambda x: _ends(x, bits)[0], part.whole), each(lambda x: _ends(x, bits)[1], part.whole))
    return Part(entries, low, part.scale / 2**bits), Part(entries, high, part.scale / 2**bits)


def _roots(graph: Graph) -> Iterator[Roots]:
    """Ways to take roots, the fast ones first."""
    bits = BITS
    while not graph.is_rational and bits <= LAST:
        yield Enclosing(bits)
        bits *= 4
    yield Summing()


def _same(one: Number, other: Number) -> int:
    """Whether two numbers are one; -1 if enclosures leave it open."""
    apart = other * -1 + one
    sign = apart if isinstance(apart, int) else apart.sign()
    return -1 if sign is None else int(sign == 0)


def _ends(x: Number, bits: int) -> tuple[int, int]:
    if isinstance(x, int):
        return x << bits, x << bits
    if not isinstance(x, Between):
        raise TypeError("a sum of roots is no enclosure")
    return x.low, x.high


def _bounds(x: Number, scale: Fraction) -> tuple[Fraction, Fraction]:
    if isinstance(x, int):
        return x * scale, x * scale
    if not isinstance(x, Sum):
        raise TypeError("an enclosure is no sum of roots")
    bits = BITS
    while (ends := x.bounds(bits))[0] <= 0 <= ends[1] and x.terms:
        bits *= 2
    return ends[0] * scale, ends[1] * scale
