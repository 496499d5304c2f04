"""What idle units of a graph do over a box of inputs: whether they send there what they send at all training rows.

That a unit does is shown by bounds over the box, by intervals and lines, or by a tree of parts of the box, over the
dense chain that the unit is there; that it does not, by an input of the box.
"""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.independent.kinds.graph_idle import entries_of
from proof_of_absence.checker.independent.kinds.region import Prepared, irrelevant_region
from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Floats
from proof_of_absence.checker.independent.values.graph_bounded import bounded
from proof_of_absence.checker.independent.values.graph_chain import chain_of
from proof_of_absence.checker.independent.values.graph_compare import as_at, value_at
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, blocks_of
from proof_of_absence.checker.independent.values.graph_lines import Span, spans
from proof_of_absence.checker.independent.values.graph_masks import moving
from proof_of_absence.checker.independent.values.graph_settled import at_row
from proof_of_absence.checker.independent.values.graphs import Graph, Places
from proof_of_absence.checker.independent.values.rounding import UP

# A box as it is written.
Key = tuple[tuple[str, ...], tuple[str, ...]]
Point = list[Fraction]
# What shows a unit by a tree: the chain's inputs, pieces, and what bends as they do; and the tree.
PARTS = {"inputs", "layers", "multiples", "tree"}


def graph_irrelevant(subject: GraphSubject, *facts: Fact) -> None:
    """Over the box `low` to `high` the units `still` send what they send in training; those in `acts` do not.

    Each of `acts` comes with an input of the box at which it sends something else. Of other units nothing is said. Of
    units `still` those in `trees` come with the pieces of a dense chain, and a tree as of the fact `irrelevant-region`.
    """
    graph, open_ = subject.graph, dict[Key, dict[int, Places]]()
    trees: dict[Key, list[tuple[int, int, Fact]]] = {}
    for fact in pausing(facts):
        node = graph.activation(fact["node"])
        low, high = ([hexadecimal(x) for x in fact[end]] for end in ("low", "high"))
        require(len(low) == len(high) == graph.sizes[0], "the box does not fit the graph")
        require(all(a <= b for a, b in zip(low, high, strict=True)), "the box is empty")
        still, acting = (
            entries_of(graph, node, part) for part in (fact["still"], [entry for entry, _ in fact["acts"]])
        )
        for entry in (*still, *acting):
            idle = node in subject.idle and subject.idle[node][entry]
            require(idle, f"unit {entry} of node {node} is not known to be idle in training")
        points = [_point(graph, point) for _, point in fact["acts"]]
        for point in pausing(points):
            inside = all(a <= x <= b for a, x, b in zip(low, point, high, strict=True))
            require(inside, f"an input at which a unit of node {node} is to act is not in the box")
        _acts(subject, node, acting, points)
        shown = entries_of(graph, node, [entry for entry, _ in fact["trees"]])
        require(np.isin(shown, still).all(), f"a unit of node {node} with a tree is not said to be still")
        for entry, tree in fact["trees"]:
            trees.setdefault(_key(fact), []).append((node, entry, tree))
        still = np.setdiff1d(still, shown)
        # What rests on no input that moves, or is elsewhere than at the first training row, is what it is there.
        here = [Fraction(x) for x in subject.train[0].tolist()]
        elsewhere = np.array([not a == x == b for a, x, b in zip(low, here, high, strict=True)])
        still = still[moving(graph, elsewhere, {})[node][still]] if still.size else still
        if still.size:
            wanted = open_.setdefault(_key(fact), {})
            wanted[node] = np.union1d(wanted[node], still) if node in wanted else still
    for key in pausing({**open_, **trees}):
        low, high = ([hexadecimal(x) for x in end] for end in key)
        wanted, rest = open_.get(key, {}), trees.get(key, [])
        both = dict(wanted)
        for node, entry, _ in rest:
            both[node] = np.union1d(both.get(node, np.zeros(0, np.int64)), [entry]).astype(np.int64)
        found = spans(graph, _floats(low, -1), _floats(high, 1), both)
        for node, still in wanted.items():
            _still(subject, node, still, found[node])
        for node, entry, tree in pausing(rest):
            _divided(subject, (low, high), found, node, entry, tree)


def _key(fact: Fact) -> Key:
    return tuple(fact["low"]), tuple(fact["high"])


def _floats(ends: list[Fraction], sign: int) -> Floats:
    """The nearest floats that are no less, or no greater."""
    found = []
    for x in ends:
        try:
            near = float(x)
        except OverflowError as error:
            raise Refused("the box is beyond the floats") from error
        outside = Fraction(near) * sign >= x * sign
        found.append(near if outside else math.nextafter(near, sign * math.inf))
    require(bool(np.isfinite(found).all()), "the box is beyond the floats")
    return np.array(found)


def _still(subject: GraphSubject, node: int, entries: Places, span: Span) -> None:
    low, high = (end.reshape(-1)[entries] for end in span)
    graph, first = subject.graph, subject.train[:1]
    found = at_row(graph, first, {node: entries})[node]
    values = {e: (Fraction(found.value[0, e]),) * 2 for e in entries.tolist() if not found.radius[0, e]}
    if left := [entry for entry in entries.tolist() if entry not in values]:
        values |= dict(zip(left, value_at(graph, first, node, np.array(left)), strict=True))
    for entry, a, b in zip(entries.tolist(), low.tolist(), high.tolist(), strict=True):
        least, most = values[entry]
        shown = a == b and math.isfinite(a) and least == most == Fraction(a)
        require(shown, f"unit {entry} of node {node} is not shown to be still over the box: it lies in {a} to {b}")


def _divided(
    subject: GraphSubject, box: tuple[Point, Point], found: list[Span], node: int, entry: int, stated: Fact
) -> None:
    """The unit is still: the tree shows it of the chain that the unit is over the box."""
    require(set(stated) == PARTS, f"the tree of unit {entry} of node {node} has other parts")
    ((least, most),) = value_at(subject.graph, subject.train[:1], node, np.array([entry]))
    require(least == most, f"unit {entry} of node {node} sends no rational number")
    chain = chain_of(subject.graph, box, found, node, entry, stated)
    depth = len(chain.net.layers) - 1
    told = {
        "circuit": [[depth, k] for k in range(len(stated["layers"][-1]))],
        "low": [str(x) for x in chain.low],
        "high": [str(x) for x in chain.high],
        "value": [[depth + 1, 0, str(least - chain.constant)]],
        "tree": stated["tree"],
    }
    try:
        irrelevant_region(told, Prepared(chain.net))
    except Refused as error:
        raise Refused(f"unit {entry} of node {node} is not shown to be still over the box: {error}") from error


def _point(graph: Graph, texts: object) -> Point:
    """An input in hexadecimal rationals, one for each entry."""
    if not (isinstance(texts, list) and len(texts) == graph.sizes[0]):
        raise Refused("an input of the box is not stated")
    return list(map(hexadecimal, texts))


def _acts(subject: GraphSubject, node: int, entries: Places, points: list[Point]) -> None:
    """Each unit sends at its own input another value than at the first training row, by bounds or exact numbers."""
    single = np.array([all(map(_is_float, point)) for point in points], dtype=bool)
    if single.any():
        _act_at(subject, node, entries[single], np.array([points[k] for k in np.flatnonzero(single)], dtype=np.float64))
    for k in pausing(np.flatnonzero(~single).tolist()):
        row = np.array([points[k]], dtype=object)
        same = as_at(subject.graph, subject.train[:1], row, node, entries[k : k + 1]).any()
        require(not same, f"unit {entries[k]} of node {node} does not act at the input")


def _is_float(x: Fraction) -> bool:
    try:
        return Fraction(float(x)) == x
    except OverflowError:
        return False


def _act_at(subject: GraphSubject, node: int, entries: Places, points: Floats) -> None:
    """The same at inputs that are floats."""
    graph, first = subject.graph, subject.train[:1]
    ((_, own),) = bounded(graph, first, [node])
    for block in blocks_of(graph, points):
        at = np.arange(block.stop - block.start), entries[block]
        for _, found in bounded(graph, points[block], [node]):
            with np.errstate(all="ignore"):
                off = (found.radius[at] + own.radius[0, at[1]]) * UP**2
                shown = np.abs(found.value[at] - own.value[0, at[1]]) > off
            for k in pausing(np.flatnonzero(~shown).tolist()):
                row, entry = points[block][k : k + 1], at[1][k : k + 1]
                same = as_at(graph, first, row, node, entry).any()
                require(not same, f"unit {entry[0]} of node {node} does not act at the input")


KINDS: dict[str, Callable[..., None]] = {"graph-irrelevant": graph_irrelevant}
