"""Over a box of inputs: do the idle units of a graph send there what they send in training?

Linear bounds show that some do; a corner or a row of the box, evaluated rigorously, that some do not. What is left is
divided where that is small enough (`divide`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.graph.divide import LATE, Decided, divide
from proof_of_absence.checker.graph.findings import BoxFinding, NodeFinding
from proof_of_absence.checker.numbers.deadline import OutOfTime, in_force, left, look, within
from proof_of_absence.checker.passes.graph_bounds import bounded, upper
from proof_of_absence.checker.passes.graph_enclosure import GraphPass
from proof_of_absence.checker.passes.graph_forms import surely_constant
from proof_of_absence.checker.passes.graph_intervals import Span
from proof_of_absence.checker.passes.graph_reads import moves
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.graph import Graph

__all__ = ["floats_around", "over_box"]

# Units whose corners are tried at a time.
CORNERS = 64
ROOTS = "what it sends in training is not known as a rational number"


def over_box(
    graph: Graph, nodes: Sequence[NodeFinding], box: Region, inputs: np.ndarray, tried: np.ndarray
) -> tuple[BoxFinding, ...]:
    """For each node with idle units what they do over the box.

    Parameters
    ----------
    nodes
        What is known of the units at the training inputs.
    inputs, tried
        The training inputs, and inputs that are tried as witnesses where they lie in the box, such as deployment
        inputs; shapes (rows, d).

    Raises
    ------
    OutOfTime
        If the deadline in force passes; `so_far` has all nodes, the rest as undecided.

    Examples
    --------
    >>> from proof_of_absence.checker.graph.engine import unit_findings
    >>> from proof_of_absence.models.graph import Node
    >>> from proof_of_absence.models.graph_layers import Dense, Relu
    >>> graph = Graph((1,), [Node(Dense([[1.0], [1.0]], [-3.0, -9.0]), (0,)), Node(Relu(), (1,)),
    ...                      Node(Dense([[1.0, 1.0]], [0.0]), (2,))])
    >>> rows = np.array([[0.0], [1.0]])
    >>> nodes = unit_findings(graph, rows)
    >>> (found,) = over_box(graph, nodes, Region("box", ((Fraction(0), Fraction(5)),)), rows, rows[:0])
    >>> found.still, found.acts
    ((1,), {0: (Fraction(5, 1),)})
    """
    idle = [node for node in nodes if node.idle]
    work = _Work(graph, box, inputs[0])
    found: list[BoxFinding] = []
    left_open: list[dict[int, Fraction]] = []
    try:
        for node in idle:
            one, values = work.of(node, tried)
            found.append(one)
            left_open.append(values)
    except OutOfTime as late:
        rest = (BoxFinding(box.name, one.node, (), {}, one.idle, LATE, box.bounds) for one in idle[len(found) :])
        late.so_far = (*found, *rest)
        raise
    for place, values in enumerate(left_open):
        if values:
            # Every unit that is open has an equal share of the time.
            share = left() * len(values) / sum(map(len, left_open[place:]))
            with within(in_force().sooner(share)):
                found[place] = work.divided(found[place], values)
    return tuple(found)


def floats_around(box: Region) -> tuple[Span, Span]:
    """The least box of floats that holds the box, and the largest one within it, whose sides may be empty."""
    ends = [(_float(low), _float(high)) for low, high in box.bounds]
    low, high = (np.array([side[k] for side in ends]) for k in (0, 1))
    held = [[Fraction(a) == x, Fraction(b) == y] for (a, b), (x, y) in zip(ends, box.bounds, strict=True)]
    below = [[Fraction(a) < x, Fraction(b) < y] for (a, b), (x, y) in zip(ends, box.bounds, strict=True)]
    same, under = np.array(held), np.array(below)
    down = [np.where(same[:, k] | under[:, k], x, np.nextafter(x, -np.inf)) for k, x in enumerate((low, high))]
    up = [np.where(same[:, k] | ~under[:, k], x, np.nextafter(x, np.inf)) for k, x in enumerate((low, high))]
    return Span(down[0], up[1]), Span(up[0], down[1])


def _float(number: Fraction) -> float:
    """The nearest float.

    Raises
    ------
    ValueError
        If there is none.
    """
    try:
        return float(number)
    except OverflowError as error:
        raise ValueError("a bound of the box is beyond the floats") from error


class _Work:
    """What all nodes share: the spans over the box, and the pass that replays inputs."""

    def __init__(self, graph: Graph, box: Region, first: np.ndarray):
        self.graph, self.box, self.first = graph, box, first
        self.outer, self.inner = floats_around(box)
        self.replay = GraphPass(graph)
        self.spans: list[Span] | None = None
        self.moved: list[np.ndarray] = []

    def of(self, node: NodeFinding, tried: np.ndarray) -> tuple[BoxFinding, dict[int, Fraction]]:
        """What bounds and inputs show of a node, and what the units that are left send in training."""
        if self.spans is None:
            self.spans = bounded(self.graph, self.outer)
            ends = zip(self.box.bounds, self.first.tolist(), strict=True)
            self.moved = moves(self.graph, np.array([not low == x == high for (low, high), x in ends]), {})
        # What rests on no input that is elsewhere than at the first training row is what it is there.
        same = [entry for entry in node.idle if not self.moved[node.node][entry]]
        moved = [entry for entry in node.idle if self.moved[node.node][entry]]
        known = {entry: value for entry in moved if (value := node.sent(entry)) is not None}
        entries, values = np.array(list(known), dtype=np.int64), list(known.values())
        still = self._still(node.node, entries, values)
        open_ = {int(entries[k]): values[k] for k in range(len(entries)) if not still[k]}
        bound = [entry for entry, so in zip(known, still, strict=True) if so]
        close = self._close(node.node, bound)
        inside = ((tried >= self.inner.low) & (tried <= self.inner.high)).all(axis=1)
        acts = self._acting(node.node, open_, tried[inside])
        open_ = {entry: value for entry, value in open_.items() if entry not in acts}
        reasons = {entry: ROOTS for entry in moved if entry not in known}
        found = BoxFinding(self.box.name, node.node, tuple(sorted((*same, *bound))), acts, bounds=self.box.bounds)
        return _opened(found, reasons | dict.fromkeys(open_, LATE)), open_ | {entry: known[entry] for entry in close}

    def divided(self, found: BoxFinding, values: Mapping[int, Fraction]) -> BoxFinding:
        """The same finding, with what dividing the box decides of the units that are left."""
        assert self.spans is not None
        done: Decided = divide(self.graph, self.box, self.spans, self.inner, found.node, values)
        reasons = {entry: ROOTS for entry in found.undecided if entry not in values}
        # What bounds show stands, if only just.
        reasons |= {entry: reason for entry, reason in done.open.items() if entry not in found.still}
        still = tuple(sorted({*found.still, *done.trees}))
        made = replace(found, still=still, acts={**found.acts, **done.acts}, trees=done.trees)
        return _opened(made, reasons)

    def _still(self, number: int, entries: np.ndarray, values: list[Fraction]) -> list[bool]:
        """Whether the span of the activation, whose argument is bounded by lines, is one point: that of training."""
        assert self.spans is not None
        low, high = self.spans[number]
        points = zip(low[entries].tolist(), high[entries].tolist(), values, strict=True)
        return [a == b and np.isfinite(a) and Fraction(a) == value for a, b, value in points]

    def _close(self, number: int, entries: list[int]) -> list[int]:
        """Of units that bounds show to be constant those of which the checker's own bounds may not show it."""
        assert self.spans is not None
        sure = surely_constant(self.graph, self.spans, number, entries)
        return [entry for entry, so in zip(entries, sure, strict=True) if not so]

    def _acting(
        self, number: int, values: dict[int, Fraction], inside: np.ndarray
    ) -> dict[int, tuple[Fraction, ...]]:
        """For some of these units an input of the box at which they surely send something else."""
        assert self.spans is not None
        acts: dict[int, tuple[Fraction, ...]] = {}
        reads = self.graph.nodes[number - 1].reads[0]
        asked = list(values)
        for start in range(0, len(inside), 1024):
            self._try(number, inside[start : start + 1024], values, acts)
        for start in range(0, len(asked), CORNERS):
            look()
            some = np.array([entry for entry in asked[start : start + CORNERS] if entry not in acts], dtype=np.int64)
            for sign in (1, -1):
                if some.size and (self.inner.low <= self.inner.high).all():
                    corners = upper(self.graph, self.spans, reads, some, sign=sign)[1]
                    self._try(number, np.clip(corners, self.inner.low, self.inner.high), values, acts)
        return acts

    def _try(
        self, number: int, points: np.ndarray, values: dict[int, Fraction], acts: dict[int, tuple[Fraction, ...]]
    ) -> None:
        asked = np.array([entry for entry in values if entry not in acts], dtype=np.int64)
        if not (asked.size and len(points)):
            return
        ball = self.replay(points, number)[number]
        lower, higher = ball.lower[:, asked], ball.upper[:, asked]
        # Compared as fractions where a float is near: the value may be none.
        for place, entry in enumerate(asked.tolist()):
            value = float(values[entry])
            sure = (lower[:, place] > np.nextafter(value, np.inf)) | (higher[:, place] < np.nextafter(value, -np.inf))
            if sure.any():
                acts[entry] = tuple(map(Fraction, points[int(sure.argmax())].tolist()))


def _opened(found: BoxFinding, reasons: Mapping[int, str]) -> BoxFinding:
    """The finding, with the units that are open for these reasons."""
    counted = Counter(reasons.values())
    told = [reason if len(counted) == 1 else f"{count:,}: {reason}" for reason, count in sorted(counted.items())]
    return replace(found, undecided=tuple(sorted(reasons)), reason="; ".join(told))
