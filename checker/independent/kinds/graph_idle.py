"""Facts about the hidden units of a graph: which send one value at all training rows, which two, and what is read.

All activation nodes are decided together, in one pass over the rows in float64. A unit that rests on nothing that
changes is not evaluated at all; what bounds leave open is decided exactly. The facts are about the graph of a folder,
so they are in the table of results/graph.py.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Bounded
from proof_of_absence.checker.independent.values.graph_bounded import bounded
from proof_of_absence.checker.independent.values.graph_compare import as_at, value_at
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, apart_from, blocks_of
from proof_of_absence.checker.independent.values.graph_masks import Truths, moving, read
from proof_of_absence.checker.independent.values.graph_settled import (
    DIGITS,
    Asked,
    apart,
    at_row,
    settle,
    sharpened,
)
from proof_of_absence.checker.independent.values.graphs import Graph, Places
from proof_of_absence.checker.independent.values.reported import require_same


class Claim(NamedTuple):
    """What is said of a node's entries: idle ones, and of the others that vary two rows each."""

    node: int
    idle: Places
    varies: Places
    witness: Places


def graph_idle(subject: GraphSubject, *facts: Fact) -> None:
    """The listed units send at all training rows the value that is stated, and no unit is left out.

    `dead` are the entries that send 0, `constant` pairs of entry and value, `undecided` those nothing is said of; all
    others have in `witness`, in order, two rows at which they send different values. `unread` are all entries that
    nothing reads with a weight other than 0.
    """
    nodes = [subject.graph.activation(fact["node"]) for fact in facts]
    require(len(set(nodes)) == len(nodes), "two facts about one node")
    claims = {node: _claim(subject, fact) for node, fact in zip(nodes, facts, strict=True)}
    seen, idle = read(subject.graph), {node: claim.idle for node, claim in claims.items()}
    first = at_row(subject.graph, subject.train[:1], idle)
    for node, fact in zip(nodes, facts, strict=True):
        unread = np.flatnonzero(~seen[node]).tolist()
        require_same(f"the entries of node {node} that nothing reads", fact["unread"], unread)
        _first_values(subject, claims[node], fact, first[node])
    still = {node: mask_of(subject.graph, node, claim.idle) for node, claim in claims.items()}
    _pass(subject, claims, still, first)
    subject.idle |= still


def mask_of(graph: Graph, node: int, entries: Places) -> Truths:
    """The entries of a node as a mask."""
    found = np.zeros(graph.sizes[node], dtype=bool)
    found[entries] = True
    return found


def entries_of(graph: Graph, node: int, listed: object) -> Places:
    """Entries of a node's value, from a list in order."""
    if not isinstance(listed, list):
        raise Refused("a list of units is missing")
    found = [graph.entry(node, entry) for entry in pausing(listed)]
    require(all(a < b for a, b in pairwise(found)), f"units of node {node} are not in order")
    return np.array(found, dtype=np.int64)


def _claim(subject: GraphSubject, fact: Fact) -> Claim:
    node = fact["node"]
    require_same("the number of rows", fact["rows"], len(subject.train))
    constant = [entry for entry, _ in fact["constant"]]
    listed = [entries_of(subject.graph, node, part) for part in (fact["dead"], constant, fact["undecided"])]
    marks = np.sum([mask_of(subject.graph, node, part) for part in listed], axis=0)
    require(marks.max() <= 1, f"a unit of node {node} is listed twice")
    varies = np.flatnonzero(marks == 0)
    pairs = [[subject.row(i) for i in pair] for pair in fact["witness"]]
    require(all(len(pair) == 2 for pair in pairs), "a witness is not two rows")
    require_equal(f"the number of units of node {node} that vary", len(pairs), len(varies))
    witness = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Claim(node, np.sort(np.concatenate(listed[:2])), varies, witness)


def _first_values(subject: GraphSubject, claim: Claim, fact: Fact, first: Bounded) -> None:
    """At the first row the idle units send what is stated."""
    stated = dict.fromkeys(fact["dead"], "0") | dict(fact["constant"])
    require(all(value != "0" for _, value in fact["constant"]), "a unit that sends 0 is dead")
    known = first.radius[0] == 0
    found = {e: (Fraction(first.value[0, e]),) * 2 for e in claim.idle[known[claim.idle]].tolist()}
    if (left := claim.idle[~known[claim.idle]]).size:
        for entry in left.tolist():
            _near(claim, entry, stated[entry], first)
        found |= dict(zip(left.tolist(), value_at(subject.graph, subject.train[:1], claim.node, left), strict=True))
    for entry, (low, high) in found.items():
        value, what = stated[entry], f"what unit {entry} of node {claim.node} sends"
        # A number with roots is stated between bounds, or not at all; it is not 0 all the same.
        if value is None:
            require(low < high, f"{what} is rational, and is not stated")
        elif isinstance(value, list):
            below, above = map(hexadecimal, value)
            require(below <= low < high <= above, f"{what} is rational, or not between the stated bounds")
        else:
            require(low == high, f"{what} is no rational number")
            require_equal(what, hexadecimal(value), low)


def _near(claim: Claim, entry: int, value: object, first: Bounded) -> None:
    """Refuse a rational number that the bounds at the first row exclude: exact numbers would take long to."""
    near, radius = float(first.value[0, entry]), float(first.radius[0, entry])
    if isinstance(value, str) and math.isfinite(radius):
        within = abs(hexadecimal(value) - Fraction(near)) <= Fraction(radius)
        require(within, f"what unit {entry} of node {claim.node} sends is {near}, within {radius}, and not {value}")


def _pass(
    subject: GraphSubject, claims: Mapping[int, Claim], still: dict[int, Truths], first: Mapping[int, Bounded]
) -> None:
    """Idle units have one value at all rows, and those that vary have two."""
    graph, train = subject.graph, subject.train
    changing = moving(graph, apart_from(train[:1], train), subject.idle | still)
    # What rests on nothing that changes has one value; what it rests on is shown without it.
    moved = {node: claim.idle[changing[below_of(graph, node)][claim.idle]] for node, claim in claims.items()}
    ends = {node: Bounded(np.zeros(c.witness.shape), np.full(c.witness.shape, np.inf)) for node, c in claims.items()}

    def noted(block: slice) -> Iterator[tuple[int, Bounded]]:
        for node, found in bounded(graph, train[block], claims):
            _fill(ends[node], claims[node], found, np.arange(block.start, block.stop))
            yield node, found

    for block in blocks_of(graph, train):
        every = {node: np.ones((block.stop - block.start, len(entries)), bool) for node, entries in moved.items()}
        asked = {node: Asked(entries, every[node], every[node]) for node, entries in moved.items()}
        settle(graph, train[:1], train[block], asked, noted(block), first)
    _varying(subject, claims, ends)


def below_of(graph: Graph, node: int) -> int:
    """What an activation node reads, entry by entry."""
    (below,) = graph.nodes[node - 1].reads
    return below


def _fill(ends: Bounded, claim: Claim, found: Bounded, rows: Places) -> None:
    """Note the bounds at the witnesses that are among the rows, which are in order."""
    for side in (0, 1):
        own = claim.witness[:, side]
        here = np.flatnonzero(np.isin(own, rows))
        place = np.searchsorted(rows, own[here]), claim.varies[here]
        ends.value[here, side], ends.radius[here, side] = found.value[place], found.radius[place]


def _varying(subject: GraphSubject, claims: Mapping[int, Claim], ends: Mapping[int, Bounded]) -> None:
    """The witnesses have different values: bounds show it, of more and more digits, or exact numbers."""
    open_ = _unshown(claims, ends)
    for count in DIGITS:
        if not open_:
            return
        rows = np.unique(np.concatenate([claims[node].witness[some].reshape(-1) for node, some in open_.items()]))
        for part, node, found in sharpened(subject.graph, subject.train[rows], open_, count):
            _fill(ends[node], claims[node], found, rows[part])
        open_ = _unshown(claims, ends)
    for node, some in pausing(open_.items()):
        _exactly(subject, claims[node], some)


def _unshown(claims: Mapping[int, Claim], ends: Mapping[int, Bounded]) -> dict[int, Places]:
    """Of each node with such the places of the witnesses that bounds do not show to differ."""
    found = {}
    for node in claims:
        (value, other), (radius, off) = (one.T for one in ends[node])
        found[node] = np.flatnonzero(~apart(value, radius, other, off))
    return {node: some for node, some in found.items() if some.size}


def _exactly(subject: GraphSubject, claim: Claim, some: Places) -> None:
    """These witnesses have different values; those of the same two rows are looked at together."""
    pairs, which = np.unique(claim.witness[some], axis=0, return_inverse=True)
    for k, (one, other) in enumerate(pausing(pairs.tolist())):
        entries = claim.varies[some[which.reshape(-1) == k]]
        left, right = (subject.train[i : i + 1] for i in (one, other))
        same = as_at(subject.graph, left, right, claim.node, entries)[0]
        require(
            not same.any(), f"unit {entries[same][:1]} of node {claim.node} has one value at rows {one} and {other}"
        )


KINDS: dict[str, Callable[..., None]] = {"graph-idle": graph_idle}
