"""Which entries of a graph have at some rows the value that they have at a first row: bounds tell, or exact numbers.

Bounds in float64 come first, those of more and more digits then, all nodes in one pass; what these leave open is
decided exactly.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.floats import Bounded, Floats
from proof_of_absence.checker.independent.values.graph_bounded import bounded
from proof_of_absence.checker.independent.values.graph_compare import as_at
from proof_of_absence.checker.independent.values.graph_digits import OutOfRange, sharp, sharp_rows
from proof_of_absence.checker.independent.values.graph_masks import Truths
from proof_of_absence.checker.independent.values.graphs import Graph, Places
from proof_of_absence.checker.independent.values.rounding import UP

# Digits to the base 2^16 that are tried one after the other: a hundred layers rarely cost more than the last.
DIGITS = (8, 24)
# Entries that are compared exactly at a time.
TOGETHER = 64


class Asked(NamedTuple):
    """Of some entries of a node what is claimed at each row, (rows, entries): that they have the first row's value.

    `open` is where this is asked at all.
    """

    entries: Places
    same: Truths
    open: Truths


def settle(
    graph: Graph,
    first: Floats,
    rows: Floats,
    asked: Mapping[int, Asked],
    found: Iterable[tuple[int, Bounded]],
    at_first: Mapping[int, Bounded],
) -> None:
    """Refuse unless each entry has at each row the value of the first row (1, size) just where `same` says so.

    `found` and `at_first` are bounds of the whole nodes at the rows and at the first one.
    """
    left = {node: asked[node].open.copy() for node in asked}
    for node, bounds in found:
        _told(node, asked[node], left[node], np.arange(len(rows)), bounds, at_first[node])
    for count in DIGITS:
        open_ = {node: marks for node, marks in left.items() if marks.any()}
        if not open_:
            return
        some = np.flatnonzero(np.any([marks.any(axis=1) for marks in open_.values()], axis=0))
        own = {node: bounds for _, node, bounds in sharpened(graph, first, open_, count)}
        for part, node, bounds in sharpened(graph, rows[some], own, count):
            _told(node, asked[node], left[node], some[part], bounds, own[node])
    for node, marks in left.items():
        _decide(graph, first, rows, node, asked[node], marks)


def sharpened(graph: Graph, rows: Floats, nodes: Iterable[int], count: int) -> Iterator[tuple[slice, int, Bounded]]:
    """Slices of the rows with the bounds of some nodes there, of so many digits; none where digits do not hold them."""
    size, wanted = sharp_rows(graph, count), list(nodes)
    for start in pausing(range(0, len(rows), size)):
        part = slice(start, min(start + size, len(rows)))
        try:
            yield from ((part, node, found) for node, found in sharp(graph, rows[part], wanted, count))
        except OutOfRange:
            continue


def at_row(graph: Graph, row: Floats, wanted: Mapping[int, Places]) -> dict[int, Bounded]:
    """Bounds of nodes at one row (1, size), by digits where floats do not tell the wanted entries as they are."""
    found = dict(bounded(graph, row, wanted))
    left = [node for node, entries in wanted.items() if found[node].radius[0, entries].any()]
    if left:
        found |= {node: bounds for _, node, bounds in sharpened(graph, row, left, DIGITS[0])}
    return found


def apart(value: Floats, radius: Floats, other: Floats, off: Floats) -> Truths:
    """Where bounds show that two numbers differ."""
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(value - other) > (radius + off) * UP**2)


def _told(node: int, asked: Asked, left: Truths, rows: Places, bounds: Bounded, at_first: Bounded) -> None:
    """Take away what bounds tell at these rows."""
    value, radius, own, off = (one[:, asked.entries] for one in (*bounds, *at_first))
    equal = (radius == 0) & (off == 0) & (value == own)
    known = equal | apart(value, radius, own, off)
    _confirm(node, asked, rows, left[rows] & known & (equal != asked.same[rows]))
    left[rows] &= ~known


def _decide(graph: Graph, first: Floats, rows: Floats, node: int, asked: Asked, left: Truths) -> None:
    """What is left, exactly."""
    for start in pausing(range(0, len(asked.entries), TOGETHER)):
        columns = np.arange(start, min(start + TOGETHER, len(asked.entries)))
        here = columns[left[:, columns].any(axis=0)]
        some = np.flatnonzero(left[:, here].any(axis=1))
        if some.size:
            wrong = np.zeros_like(left)
            place = np.ix_(some, here)
            same = as_at(graph, first, rows[some], node, asked.entries[here])
            wrong[place] = left[place] & (same != asked.same[place])
            _confirm(node, asked, np.arange(len(rows)), wrong)


def _confirm(node: int, asked: Asked, rows: Places, wrong: Truths) -> None:
    """Refuse what is wrong at some of the rows."""
    if wrong.any():
        at, k = (int(x[0]) for x in np.nonzero(wrong))
        said = "the same value as at the first training row" if asked.same[rows[at], k] else "another value"
        require(False, f"unit {asked.entries[k : k + 1].tolist()} of node {node} has not {said} at a row")
