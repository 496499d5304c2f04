"""What idle units of a graph do over a box of inputs: whether they send there what they send at all training rows.

That a unit does is shown by bounds over the box, by intervals and lines; that it does not, by an input of the box.
"""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.independent.kinds.graph_idle import entries_of
from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Floats
from proof_of_absence.checker.independent.values.graph_bounded import bounded
from proof_of_absence.checker.independent.values.graph_compare import as_at, value_at
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, blocks_of
from proof_of_absence.checker.independent.values.graph_lines import Span, spans
from proof_of_absence.checker.independent.values.graph_masks import moving
from proof_of_absence.checker.independent.values.graph_settled import at_row
from proof_of_absence.checker.independent.values.graphs import Graph, Places
from proof_of_absence.checker.independent.values.rounding import UP

# A box as it is written.
Key = tuple[tuple[str, ...], tuple[str, ...]]


def graph_irrelevant(subject: GraphSubject, *facts: Fact) -> None:
    """Over the box `low` to `high` the units `still` send what they send in training; those in `acts` do not.

    Each of `acts` comes with an input of the box at which it sends something else. Of other units nothing is said.
    """
    graph, open_ = subject.graph, dict[Key, dict[int, Places]]()
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
        if acting.size:
            points = np.array([_point(graph, point) for _, point in fact["acts"]])
            # The floats in the box are those between these.
            inside = (points >= _floats(low, 1)) & (points <= _floats(high, -1))
            require(inside.all(), f"an input at which a unit of node {node} is to act is not in the box")
            _acts(subject, node, acting, points)
        # What rests on no input that moves, or is elsewhere than at the first training row, is what it is there.
        here = [Fraction(x) for x in subject.train[0].tolist()]
        elsewhere = np.array([not a == x == b for a, x, b in zip(low, here, high, strict=True)])
        still = still[moving(graph, elsewhere, {})[node][still]] if still.size else still
        if still.size:
            wanted = open_.setdefault(_key(fact), {})
            wanted[node] = np.union1d(wanted[node], still) if node in wanted else still
    for key, wanted in pausing(open_.items()):
        low, high = ([hexadecimal(x) for x in end] for end in key)
        found = spans(graph, _floats(low, -1), _floats(high, 1), wanted)
        for node, still in wanted.items():
            _still(subject, node, still, found[node])


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


def _point(graph: Graph, texts: object) -> list[float]:
    """An input in hexadecimal floats, one for each entry."""
    if not (isinstance(texts, list) and len(texts) == graph.sizes[0] and all(isinstance(x, str) for x in texts)):
        raise Refused("an input of the box is not stated")
    found = [float.fromhex(text) for text in texts]
    require(all(map(math.isfinite, found)), "an input of the box is not finite")
    return found


def _acts(subject: GraphSubject, node: int, entries: Places, points: Floats) -> None:
    """Each unit sends at its own input another value than at the first training row, by bounds or exact numbers."""
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
