"""What the outputs of a graph weigh: the features of its last affine map, in bounds and exactly.

Of these the theorems on a readout speak whatever the layers below are (C9, C21, C27).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm, prod

import numpy as np

from proof_of_absence.checker.construct.leverage_exact import Scaled
from proof_of_absence.checker.construct.pricing import Direction, class_squares, first_moved, move_squares
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.passes.graph_enclosure import GraphPass, blocks
from proof_of_absence.checker.passes.graph_exact import DIFFERS, OPEN, differing, values
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import Conv, Dense, Rearrange

__all__ = ["End", "ExactTable", "GraphFeatures", "NoEnd", "end_of", "products"]

# How much wider bounds are taken than they are: those of the independent checker lie within.
WIDER, ROUNDED = 8, 2.0**-49
# Entries of exact features that are held.
HELD = 2**21


class NoEnd(ValueError):
    """The outputs are not those of one affine map; the message says what stands there."""


@dataclass(frozen=True, eq=False)
class End:
    """The last affine map: the outputs are `weights` (m, n) times the n flattened entries of a node, and a bias."""

    node: int
    weights: np.ndarray


def end_of(graph: Graph) -> End:
    """The last affine map of a graph.

    Where what it reads only rearranges a value, all of its entries once each, the features are that value's.

    Raises
    ------
    NoEnd
        If there is none, or its weights are shared between positions.

    Examples
    --------
    >>> from proof_of_absence.models.graph import Node
    >>> net = Graph((1, 2), [Node(Rearrange([1, 0], "Flatten"), (0,)), Node(Dense([[1.0, 5.0]], [0.0]), (1,))])
    >>> found = end_of(net)
    >>> found.node, found.weights.tolist()
    (0, [[5.0, 1.0]])
    """
    last = len(graph.nodes)
    while last and isinstance(layer := graph.nodes[last - 1].layer, Rearrange) and _permutes(layer, graph, last):
        (last,) = graph.nodes[last - 1].reads
    if not last:
        raise NoEnd("the outputs are the inputs")
    layer, (below, *_) = graph.nodes[last - 1].layer, graph.nodes[last - 1].reads
    if not isinstance(layer, Dense | Conv):
        raise NoEnd("the outputs are not those of one affine map of a value")
    if graph.sizes[last] != len(layer.bias):
        raise NoEnd("the outputs share weights between positions")
    weights = np.zeros((len(layer.bias), graph.sizes[below]))
    if isinstance(layer, Dense):
        weights[:] = layer.weights
    else:
        each = len(layer.bias) // layer.groups
        for group, (matrix, index) in enumerate(zip(layer.matrices, layer.index(graph.shapes[below]), strict=True)):
            there = index[0] >= 0
            weights[np.ix_(range(group * each, (group + 1) * each), index[0][there])] = matrix[:, there]
    while below and isinstance(layer := graph.nodes[below - 1].layer, Rearrange) and _permutes(layer, graph, below):
        order = np.argsort(layer.index.reshape(-1))
        weights, (below,) = weights[:, order], graph.nodes[below - 1].reads
    return End(below, weights)


def _permutes(layer: Rearrange, graph: Graph, node: int) -> bool:
    (below,) = graph.nodes[node - 1].reads
    return np.array_equal(np.sort(layer.index.reshape(-1)), np.arange(graph.sizes[below]))


def products(graph: Graph) -> int:
    """About how many products an evaluation at one input takes."""
    found = 0
    for number, node in enumerate(graph.nodes, 1):
        layer = node.layer
        found += graph.sizes[number] * (prod(layer.weights.shape[1:]) if isinstance(layer, Dense | Conv) else 1)
    return found


class GraphFeatures:
    """(1, phi_1 .. phi_n) of a graph's end at inputs by part, (rows, d) each: `pricing.ExactFeatures`.

    `move` is by how much an answer is moved; None for the least that makes another output as large.
    """

    def __init__(self, graph: Graph, end: End, parts: Mapping[str, np.ndarray], move: Fraction | None = None):
        self.graph, self.end, self.parts, self.move = graph, end, parts, move
        self.width = graph.sizes[end.node] + 1
        self.counts = {part: len(rows) for part, rows in parts.items()}
        self._run = GraphPass(graph)
        # A block is asked for twice: once for what moves freely there.
        self._latest = lru_cache(maxsize=1)(self._rows)

    def rows(self, part: str, rows: Sequence[int]) -> Interval:
        return self._latest(part, tuple(rows))

    def _rows(self, part: str, rows: tuple[int, ...]) -> Interval:
        found = self._of(part, rows, self.end.node)
        one = np.ones((len(rows), 1))
        return Interval(np.hstack([one, found.value]), np.hstack([0 * one, found.error]))

    def _of(self, part: str, rows: Sequence[int], node: int) -> Interval:
        """A node's value at some rows, in bounds a little wider than they are known."""
        inputs = self.parts[part][list(rows)]
        found = [self._run(inputs[block], node)[node] for block in blocks(self.graph, len(inputs))]
        value = np.vstack([np.zeros((0, self.graph.sizes[node])), *(ball.values for ball in found)])
        radius = np.vstack([np.zeros(value.shape), *(ball.radius for ball in found)][1:] or [np.zeros(value.shape)])
        # At a value that is known to be 0 nothing is rounded.
        return Interval(value, WIDER * radius + ROUNDED * np.abs(value))

    def free(self, part: str, rows: Sequence[int], directions: Sequence[Direction]) -> np.ndarray:
        return first_moved(
            self.rows(part, rows), directions, lambda some, one: self._moves(part, [rows[i] for i in some], one)
        )

    def _moves(self, part: str, rows: list[int], direction: Direction) -> np.ndarray:
        """At which rows the direction is not 0, exactly."""
        if not rows:
            return np.zeros(0, dtype=bool)
        members = [j for j in sorted(direction) if j]
        inputs, constant = self.parts[part][rows], direction.get(0, Fraction(0))
        if not members:
            return np.full(len(rows), bool(constant))
        entries = np.array(members) - 1
        if len(members) == 1:
            # Roots and all.
            told = differing(self.graph, inputs, self.end.node, entries, [-constant / direction[members[0]]])
            if (told == OPEN).any():
                raise ValueError("whether a feature has its value of training: roots of a batch normalisation are open")
            return np.asarray(told[:, 0] == DIFFERS)
        table = _exact(self.graph, inputs, self.end.node, entries)
        return np.asarray(table.dot(np.array([direction[j] for j in members], dtype=object)) + constant != 0)

    def exactly(self, part: str, rows: Sequence[int]) -> Scaled:
        table = _exact(self.graph, self.parts[part][list(rows)], self.end.node, np.arange(self.width - 1))
        whole, divisor = _whole(table)
        return Scaled.of(whole, 0, divisor)

    def squares(self, part: str, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        if self.move is not None:
            return move_squares(self.move, len(rows))
        return class_squares(self._of(part, rows, len(self.graph.nodes)))

    def exact_squares(self, part: str, rows: Sequence[int]) -> list[Fraction]:
        if self.move is not None:
            return [self.move**2] * len(rows)
        last = len(self.graph.nodes)
        ordered = np.sort(_exact(self.graph, self.parts[part][list(rows)], last, np.arange(self.graph.sizes[last])))
        return [margin**2 / 2 for margin in (ordered[:, -1] - ordered[:, -2]).tolist()]


class ExactTable:
    """1 and some features, by their entries, at inputs (N, d), as rational numbers: `dependence.Table`.

    Raises
    ------
    ValueError
        If a feature is not rational, or there are too many to be held.
    """

    def __init__(self, graph: Graph, node: int, inputs: np.ndarray, entries: np.ndarray):
        if not graph.is_rational:
            raise ValueError("features are known within bounds alone, since roots of batch normalisations are left")
        if len(inputs) * len(entries) > HELD:
            raise ValueError(f"{len(entries):,} features at {len(inputs):,} inputs are more than are asked exactly")
        self.graph, self.node, self.inputs, self.entries = graph, node, inputs, entries
        self.rows, self.columns = len(inputs), len(entries) + 1
        self._held = np.zeros((self.rows, len(entries)), dtype=object)
        self._known = np.zeros(self.rows, dtype=bool)

    def integers(self, rows: Sequence[int] | np.ndarray, columns: np.ndarray) -> np.ndarray:
        rows = np.asarray(rows, dtype=np.int64)
        found = self.fractions(rows)[:, columns[columns > 0] - 1]
        whole, divisor = _whole(found)
        return np.hstack([np.full((len(rows), int(0 in columns)), divisor, dtype=object), whole])

    def residues(self, rows: Sequence[int] | np.ndarray, columns: np.ndarray, prime: int) -> np.ndarray:
        return np.asarray(self.integers(rows, columns) % prime).astype(np.int64)

    def fractions(self, rows: np.ndarray) -> np.ndarray:
        """All features at some rows, dtype object; those at a row are computed once."""
        new = np.unique(rows[~self._known[rows]])
        if new.size:
            self._held[new] = _exact(self.graph, self.inputs[new], self.node, self.entries)
            self._known[new] = True
        return np.asarray(self._held[rows])


def _exact(graph: Graph, inputs: np.ndarray, node: int, entries: np.ndarray) -> np.ndarray:
    """Entries of a node, Fractions, shape (rows, entries).

    Raises
    ------
    ValueError
        If one is not rational.
    """
    if not (len(inputs) and len(entries)):
        return np.zeros((len(inputs), len(entries)), dtype=object)
    found = inputs[:, entries] if not node else values(graph, inputs, {node: entries})[node]
    if any(x is None for x in found.reshape(-1)):
        raise ValueError("a feature is no rational number")
    return np.asarray(np.frompyfunc(Fraction, 1, 1)(found), dtype=object) if not node else found


def _whole(table: np.ndarray) -> tuple[np.ndarray, int]:
    """Fractions as integers over one divisor."""
    divisor = lcm(*{x.denominator for x in table.reshape(-1).tolist()})
    whole = np.frompyfunc(lambda x: x.numerator * (divisor // x.denominator), 1, 1)(table)
    return np.asarray(whole, dtype=object).reshape(table.shape), divisor
