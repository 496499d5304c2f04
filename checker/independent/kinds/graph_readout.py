"""C9 and C21 on what the outputs of a graph read: independence, leverages and prices; and sets that are idle together.

The theorems are those of `readout` and `rank`; what `float_readout` decides is decided of the graph's last affine map.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.kinds.float_readout import (
    Direction,
    Places,
    Truths,
    combined,
    lone,
    readout_prices,
    rounded,
)
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import Bounded, Exact, Floats, integers
from proof_of_absence.checker.independent.values.graph_bounded import bounded
from proof_of_absence.checker.independent.values.graph_compare import as_at, value_at
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, apart_from, blocks_of
from proof_of_absence.checker.independent.values.graph_end import end_of
from proof_of_absence.checker.independent.values.graph_exact import exact
from proof_of_absence.checker.independent.values.graph_masks import moving
from proof_of_absence.checker.independent.values.graph_settled import Asked, apart, at_row, settle
from proof_of_absence.checker.independent.values.graphs import Dense, Graph, Node, Rearrange
from proof_of_absence.checker.independent.values.margins import class_squares, exact_class_squares
from proof_of_absence.checker.independent.values.reported import require_same
from proof_of_absence.checker.independent.values.rounding import TINY, UP, U

# Training rows whose price is told, and sets that are looked at together.
LISTED, SETS = 2048, 64


class EndFeatures:
    """(1, phi_1 .. phi_n) at the training and the deployment inputs: `float_readout.Features`."""

    def __init__(self, subject: GraphSubject):
        self.subject, self.graph = subject, subject.graph
        self.node, self.weights = end_of(subject.graph)
        self.width = self.graph.sizes[self.node] + 1
        parts = {"training": subject.train, "deployment": subject.deploy}
        self.parts: Mapping[str, Floats] = {part: rows for part, rows in parts.items() if rows is not None}
        self.counts = {part: len(rows) for part, rows in self.parts.items()}
        self._first = self.bounded("training", [0])
        self._changing = moving(self.graph, apart_from(subject.train[:1], subject.train), subject.idle)[self.node]

    def bounded(self, part: str, rows: Sequence[int]) -> Bounded:
        value, radius = self._bounded(self.parts[part][list(rows)], self.node)
        ones = np.ones((len(rows), 1))
        return Bounded(np.hstack([ones, value]), np.hstack([0 * ones, radius]))

    def _bounded(self, inputs: Floats, node: int) -> Bounded:
        if not node:
            return Bounded(inputs, np.zeros_like(inputs))
        found = [next(bounded(self.graph, inputs[block], [node]))[1] for block in blocks_of(self.graph, inputs)]
        return Bounded(np.vstack([one.value for one in found]), np.vstack([one.radius for one in found]))

    def free(self, part: str, rows: Sequence[int], directions: Sequence[Direction]) -> Places:
        features, inputs = self.bounded(part, rows), self.parts[part][list(rows)]
        found = np.full(len(rows), -1)
        for k, direction in reversed(list(enumerate(directions))):
            found[self._moves(features, inputs, direction)] = k
        return found

    def _moves(self, features: Bounded, inputs: Floats, direction: Direction) -> Truths:
        """At which rows the direction, which is 0 in training, is not."""
        members = [j for j in direction if j]
        if not members:
            return np.full(len(inputs), bool(direction[0]))
        value, radius = (x[:, members] for x in features)
        moved = np.zeros(len(inputs), dtype=bool)
        open_ = np.arange(len(inputs))
        if len(members) == 1 and direction.get(0):
            moved = self._apart(value[:, 0], radius[:, 0], -direction[0] / direction[members[0]])
            open_ = np.flatnonzero(~moved)
        elif 0 not in direction:
            # One that acts among others that are surely silent.
            moved, open_ = lone(value, radius, np.array([bool(direction[j]) for j in members]))
        if open_.size:
            moved[open_] = self._exactly_moves(inputs[open_], direction, members)
        return moved

    @staticmethod
    def _apart(value: Floats, radius: Floats, wanted: Fraction) -> Truths:
        """Where a feature surely has another value."""
        try:
            near = float(wanted)
        except OverflowError:
            return np.zeros(len(value), dtype=bool)
        with np.errstate(all="ignore"):
            return np.asarray(np.abs(value - near) > (radius + 2 * U * abs(near) + TINY) * UP**2)

    def _exactly_moves(self, inputs: Floats, direction: Direction, members: list[int]) -> Truths:
        if len(members) == 1 and self.node:
            entries = np.array(members) - 1
            return np.asarray(~as_at(self.graph, self.subject.train[:1], inputs, self.node, entries)[:, 0])
        return np.asarray(combined(*self._exact(inputs, np.array(members) - 1), direction).astype(bool))

    def vanishes_in_training(self, direction: Direction) -> bool:
        train, members = self.subject.train, [j for j in direction if j]
        if len(members) == 1 and self.node:
            entries = np.array(members) - 1
            wanted = -direction.get(0, Fraction(0)) / direction[members[0]]
            value, radius = (float(x[0, members[0]]) for x in self._first)
            known = (Fraction(value),) * 2 if not radius else value_at(self.graph, train[:1], self.node, entries)[0]
            if known != (wanted, wanted):
                return False
            return not self._changing[entries[0]] or self._is_still(entries)
        for block in blocks_of(self.graph, train):
            if combined(*self._exact(train[block], np.array(members) - 1), direction).any():
                return False
        return True

    def _is_still(self, entries: Places) -> bool:
        train = self.subject.train
        if self.node in self.subject.idle and self.subject.idle[self.node][entries].all():
            return True
        blocks = blocks_of(self.graph, train)
        return all(as_at(self.graph, train[:1], train[block], self.node, entries).all() for block in blocks)

    def exact(self, part: str, rows: Sequence[int]) -> Exact:
        return self._exact(self.parts[part][list(rows)], np.arange(self.width - 1))

    def _exact(self, inputs: Floats, entries: Places, node: int | None = None) -> Exact:
        at = self.node if node is None else node
        if not at:
            return integers(inputs[:, entries])
        part = exact(self.graph, inputs, at, entries)
        return Exact(part.of(entries) * part.scale.numerator, 0, part.scale.denominator)

    def squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> tuple[Floats, Floats]:
        if move is not None:
            return rounded(move**2, len(rows))
        self._classes()
        return class_squares(self._bounded(self.parts[part][list(rows)], len(self.graph.nodes)))

    def exact_squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> list[Fraction]:
        if move is not None:
            return [move**2] * len(rows)
        self._classes()
        last = len(self.graph.nodes)
        return exact_class_squares(self._exact(self.parts[part][list(rows)], np.arange(self.graph.sizes[last]), last))

    def _classes(self) -> None:
        require(self.graph.sizes[-1] > 1, "one output has no classes")


def graph_readout(subject: GraphSubject, fact: Fact) -> None:
    """Leverages and prices at all deployment rows, and at some of training, in order: see `float_readout`.

    `independent` says that the columns are independent in training, so that all others are combinations of them.
    """
    features = EndFeatures(subject)
    require_same("the node that the outputs read", fact["layer"], features.node)
    listed = {part: [entry["row"] for entry in entries] for part, entries in fact["rows"].items()}
    require_same("the rows that are priced", listed, {part: _told(part, n) for part, n in features.counts.items()})
    known = readout_prices(fact, features, subject.factor)
    require(type(fact["independent"]) is bool, "independent: neither true nor false")
    shown = not fact["independent"] or (known.independent and fact["penalty"] == "0")
    require(shown, "that the columns are independent is not shown")


def _told(part: str, count: int) -> list[int]:
    """The rows that are listed: all, but some at even distances of training."""
    return list(range(count)) if part != "training" or count <= LISTED else [i * count // LISTED for i in range(LISTED)]


def graph_together(subject: GraphSubject, fact: Fact) -> None:
    """Each output receives one value from the features of a set at all training rows, though each of them varies.

    A set of one feature is one that has one value. `fires` are all deployment rows at which an output receives another
    value; null says nothing. In `witness` each feature of a larger set has two training rows where it differs.
    """
    graph = subject.graph
    node, weights = end_of(graph)
    require_same("the node that the outputs read", fact["node"], node)
    sets = fact["sets"]
    require(isinstance(sets, list) and len(sets) > 0, "there are no sets")
    members = [_members(graph, node, one) for one in sets]
    require(len({tuple(one.tolist()) for one in members}) == len(members), "a set is listed twice")
    for one, listed in zip(sets, members, strict=True):
        _varying(subject, node, listed, one["witness"], weights)
    for start in range(0, len(sets), SETS):
        _decide(subject, node, weights, members[start : start + SETS], sets[start : start + SETS])


def _members(graph: Graph, node: int, one: Any) -> Places:
    require(isinstance(one, dict) and set(one) == {"features", "fires", "witness"}, "parts of a set are others")
    listed = [graph.entry(node, entry) for entry in one["features"]]
    require(bool(listed) and all(a < b for a, b in pairwise(listed)), "features are not in order")
    return np.array(listed, dtype=np.int64)


def _varying(subject: GraphSubject, node: int, members: Places, witness: Any, weights: Floats) -> None:
    require(bool((weights[:, members] != 0).any(axis=0).all()), "a feature of a set is read by no output")
    if len(members) == 1:
        require(witness == [], "one feature that has one value does not vary")
        return
    require(len(witness) == len(members), "not two rows for each feature of a set")
    for entry, pair in zip(members.tolist(), witness, strict=True):
        one, other = (subject.row(i) for i in pair)
        rows, at = subject.train[[one, other]], np.array([entry])
        same = (
            as_at(subject.graph, rows[:1], rows[1:], node, at).all() if node else rows[0, entry] == rows[1, entry]
        )
        require(not same, f"feature {entry} has one value at rows {one} and {other}")


def _decide(subject: GraphSubject, node: int, weights: Floats, members: list[Places], sets: list[Any]) -> None:
    """What the outputs receive from the sets, as the outputs of one more layer."""
    graph = _sending(subject.graph, node, weights, members)
    last, outputs = len(graph.nodes), len(weights)
    train, entries = subject.train, np.arange(graph.sizes[last])
    first = at_row(graph, train[:1], {last: entries})
    for block in blocks_of(graph, train):
        every = np.ones((block.stop - block.start, len(entries)), dtype=bool)
        settle(graph, train[:1], train[block], {last: Asked(entries, every, every)},
               bounded(graph, train[block], [last]), first)  # fmt: skip
    asked = [k for k, one in enumerate(sets) if one["fires"] is not None]
    if not asked:
        return
    deploy, fires = subject.deployment, np.stack([_fires(subject, sets[k]["fires"]) for k in asked], axis=1)
    own = np.concatenate([np.arange(k * outputs, (k + 1) * outputs) for k in asked])
    for block in blocks_of(graph, deploy):
        # Where a set is silent no output receives anything else; where it fires some does.
        silent = np.repeat(~fires[block], outputs, axis=1)
        found = dict(bounded(graph, deploy[block], [last]))
        settle(graph, train[:1], deploy[block], {last: Asked(own, np.ones_like(silent), silent)}, found.items(), first)
        for k, marks in zip(asked, fires[block].T, strict=True):
            here = np.arange(k * outputs, (k + 1) * outputs)
            pairs = (one[:, here] for one in (*found[last], *first[last]))
            for i in np.flatnonzero(marks & ~apart(*pairs).any(axis=1)).tolist():
                at = deploy[block][i : i + 1]
                require(not as_at(graph, train[:1], at, last, here).all(), "a set fires where it sends what it sent")


def _sending(graph: Graph, node: int, weights: Floats, members: list[Places]) -> Graph:
    """The graph with two nodes more: what each output receives from each set."""
    rows = np.zeros((len(members), *weights.shape))
    for k, one in enumerate(members):
        rows[k][:, one] = weights[:, one]
    flat = Rearrange(np.arange(graph.sizes[node]), Fraction(0))
    layer = Dense(rows.reshape(-1, weights.shape[1]), np.zeros(len(members) * len(weights)))
    count = len(graph.nodes)
    nodes = (*graph.nodes, Node(flat, (node,), "", {}), Node(layer, (count + 1,), "", {}))
    return Graph((*graph.shapes, (graph.sizes[node],), (len(layer.bias),)), nodes, graph.dtype)


def _fires(subject: GraphSubject, rows: Any) -> Truths:
    count = len(subject.deployment)
    if not (isinstance(rows, list) and all(type(i) is int and 0 <= i < count for i in rows)):
        raise Refused("no such deployment row")
    require(all(a < b for a, b in pairwise(rows)), "deployment rows are not in order")
    found = np.zeros(count, dtype=bool)
    found[rows] = True
    return found


KINDS: dict[str, Callable[[GraphSubject, Fact], None]] = {
    "graph-readout": graph_readout,
    "graph-together": graph_together,
}
