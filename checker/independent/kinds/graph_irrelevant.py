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
from proof_of_absence.checker.independent.values.graph_compare import as_at, value_at
from proof_of_absence.checker.independent.values.graph_data import GraphSubject
from proof_of_absence.checker.independent.values.graph_lines import Span, spans
from proof_of_absence.checker.independent.values.graph_masks import moving
from proof_of_absence.checker.independent.values.graphs import Places

Box = tuple[list[Fraction], list[Fraction]]


def graph_irrelevant(subject: GraphSubject, *facts: Fact) -> None:
    """Over the box `low` to `high` the units `still` send what they send in training; those in `acts` do not.

    Each of `acts` comes with an input of the box at which it sends something else. Of other units nothing is said.
    """
    graph, known = subject.graph, dict[tuple[tuple[str, ...], ...], list[Span]]()
    upto: dict[tuple[tuple[str, ...], ...], int] = {}
    for fact in facts:
        node = graph.activation(fact["node"])
        upto[_key(fact)] = max(upto.get(_key(fact), 0), node)
    for fact in pausing(facts):
        key, node = _key(fact), fact["node"]
        low, high = box = [hexadecimal(x) for x in fact["low"]], [hexadecimal(x) for x in fact["high"]]
        require(len(low) == len(high) == graph.sizes[0], "the box does not fit the graph")
        require(all(a <= b for a, b in zip(low, high, strict=True)), "the box is empty")
        still, acting = (
            entries_of(graph, node, part) for part in (fact["still"], [entry for entry, _ in fact["acts"]])
        )
        for entry in (*still, *acting):
            idle = node in subject.idle and subject.idle[node][entry]
            require(idle, f"unit {entry} of node {node} is not known to be idle in training")
        # What rests on no input that moves, or is elsewhere than at the first training row, is what it is there.
        here = [Fraction(x) for x in subject.train[0].tolist()]
        elsewhere = np.array([not a == x == b for a, x, b in zip(low, here, high, strict=True)])
        still = still[moving(graph, elsewhere, {})[node][still]]
        if still.size and key not in known:
            known[key] = spans(graph, _floats(low, -1), _floats(high, 1), upto[key])
        if still.size:
            _still(subject, node, still, known[key][node])
        for entry, (_, point) in zip(acting, fact["acts"], strict=True):
            _acts(subject, node, int(entry), [hexadecimal(x) for x in point], box)


def _key(fact: Fact) -> tuple[tuple[str, ...], ...]:
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
    values = value_at(subject.graph, subject.train[:1], node, entries)
    for entry, a, b, (least, most) in zip(entries.tolist(), low.tolist(), high.tolist(), values, strict=True):
        shown = a == b and math.isfinite(a) and least == most == Fraction(a)
        require(shown, f"unit {entry} of node {node} is not shown to be still over the box: it lies in {a} to {b}")


def _acts(subject: GraphSubject, node: int, entry: int, point: list[Fraction], box: Box) -> None:
    inside = len(point) == len(box[0]) and all(a <= x <= b for a, x, b in zip(box[0], point, box[1], strict=True))
    require(inside, f"the input at which unit {entry} of node {node} acts is not in the box")
    floats = _floats(point, 1)
    require(all(Fraction(x) == y for x, y in zip(floats.tolist(), point, strict=True)), "an input is not of floats")
    same = as_at(subject.graph, subject.train[:1], floats[None], node, np.array([entry]))
    require(not same.any(), f"unit {entry} of node {node} does not act at the input")


KINDS: dict[str, Callable[..., None]] = {"graph-irrelevant": graph_irrelevant}
