"""The part of a graph that some entries depend on, as a graph of its own: what a pass need not compute is left out.

Of a convolution or a pool of which few positions are wanted, these become rows of a dense layer or a pool of one.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import NamedTuple, assert_never

import numpy as np

from proof_of_absence.checker.passes.graph_reads import cone
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import (
    AveragePool,
    BatchNorm,
    Clip,
    Concat,
    Conv,
    Dense,
    GraphLayer,
    LeakyRelu,
    MaxPool,
    Rearrange,
    Relu,
    Scale,
    Shape,
    Sum,
)
from proof_of_absence.models.windows import Window

__all__ = ["Part", "part"]


class Part(NamedTuple):
    """A graph on the same inputs; for each wanted node, its own node whose flattened value are the wanted entries."""

    graph: Graph
    nodes: dict[int, int]


def part(graph: Graph, wanted: Mapping[int, np.ndarray]) -> Part:
    """The graph of what some entries depend on.

    Parameters
    ----------
    wanted
        For some nodes, entries (indices) of the flattened value; at least one in all.

    Notes
    -----
    The value of each entry is the very sum that it is in the whole graph, but for terms whose weight is 0.
    """
    made = _Made(graph, cone(graph, wanted))
    for number in range(1, len(graph.nodes) + 1):
        if made.masks[number].any():
            made.add(number)
    return Part(*made.finish(wanted))


class _Made:
    """The nodes made so far; `places[k]` are the node that holds entries of node k, and where, -1 where it does not."""

    def __init__(self, graph: Graph, masks: list[np.ndarray]) -> None:
        self.graph, self.masks = graph, masks
        self.nodes: list[Node] = []
        self.places: dict[int, tuple[int, np.ndarray]] = {0: (0, np.arange(graph.sizes[0]))}
        self.shapes: dict[int, Shape] = {0: graph.input_shape}

    def finish(self, wanted: Mapping[int, np.ndarray]) -> tuple[Graph, dict[int, int]]:
        """The graph, and the nodes of the wanted entries."""
        ends = {number: self._take(number, np.asarray(entries), always=True) for number, entries in wanted.items()}
        return Graph(self.graph.input_shape, self.nodes, self.graph.dtype), ends

    def _append(self, layer: GraphLayer, *reads: int, shape: Shape) -> int:
        self.nodes.append(Node(layer, reads))
        self.shapes[len(self.nodes)] = shape
        return len(self.nodes)

    def _take(self, number: int, entries: np.ndarray, *, always: bool = False) -> int:
        """A node that holds these entries of a node, in this shape; 0 where an entry is -1, or is not needed."""
        node, place = self.places.get(number, (0, np.full(self.graph.sizes[number], -1)))
        index = np.where(entries < 0, -1, place[entries])
        same = index.shape == self.shapes[node] and np.array_equal(index.reshape(-1), np.arange(index.size))
        return node if same and not always else self._append(Rearrange(index), node, shape=index.shape)

    def _hold(self, number: int, node: int, entries: np.ndarray) -> None:
        """The node holds these entries of a node of the graph; only those that are needed are right."""
        place = np.full(self.graph.sizes[number], -1)
        place[entries.reshape(-1)] = np.arange(entries.size)
        self.places[number] = node, np.where(self.masks[number], place, -1)

    def add(self, number: int) -> None:
        """Make what is needed of a node."""
        node, shape = self.graph.nodes[number - 1], self.graph.shapes[number]
        layer, first = node.layer, node.reads[0]
        mask = self.masks[number].reshape(shape)
        entries = np.flatnonzero(mask)
        whole = len(entries) == mask.size
        match layer:
            case Dense():
                self._dense(number, layer, first, mask.reshape(-1, shape[-1]))
            case Conv(window=window) | AveragePool(window=window) | MaxPool(window=window):
                asked = mask.reshape(shape[0], -1)
                if 2 * asked.any(axis=0).sum() > window.positions:
                    self._channels(number, layer, first, np.flatnonzero(asked.any(axis=1)))
                elif isinstance(layer, Conv):
                    self._positions(number, layer, first, asked)
                else:
                    self._pooled(number, layer, first, entries)
            case Scale() | BatchNorm() if whole:
                kept = self._take(first, np.arange(mask.size).reshape(shape))
                self._hold(number, self._append(layer, kept, shape=shape), entries)
            case Scale(factor=factor, shift=shift):
                some = (np.broadcast_to(array, shape).reshape(-1)[entries] for array in (factor, shift))
                self._each(number, Scale(*some), (first,), entries)
            case BatchNorm(factor=factor, mean=mean, square=square, shift=shift):
                channel = entries // prod(shape[1:])
                some = (array[channel] for array in (factor, mean, square, shift))
                self._each(number, BatchNorm(*some), (first,), entries)
            case Relu() | LeakyRelu() | Clip() | Sum():
                self._each(number, layer, node.reads, entries)
            case Concat(axis=axis):
                self._joined(number, node.reads, axis, entries)
            case Rearrange(index=index, fill=fill):
                kept = self._take(first, np.where(index.reshape(-1)[entries] < 0, 0, index.reshape(-1)[entries]))
                order = np.where(index.reshape(-1)[entries] < 0, -1, np.arange(len(entries)))
                self._hold(number, self._append(Rearrange(order, layer.name, fill), kept, shape=order.shape), entries)
            case _:
                assert_never(layer)

    def _each(self, number: int, layer: GraphLayer, reads: Sequence[int], entries: np.ndarray) -> None:
        """A layer that makes each entry of those in its place."""
        below = [self._take(k, entries) for k in reads]
        self._hold(number, self._append(layer, *below, shape=entries.shape), entries)

    def _dense(self, number: int, layer: Dense, first: int, mask: np.ndarray) -> None:
        positions, units = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        out, fan_in = layer.weights.shape
        columns = _columns(layer.weights[units])
        below = self._take(first, positions[:, None] * fan_in + columns)
        some = Dense(layer.weights[np.ix_(units, columns)], layer.bias[units])
        shape = (len(positions), len(units))
        self._hold(number, self._append(some, below, shape=shape), positions[:, None] * out + units)

    def _channels(self, number: int, layer: Conv | AveragePool | MaxPool, first: int, channels: np.ndarray) -> None:
        """Some channels at all positions: the layer keeps its form."""
        below, counts = self.graph.shapes[first], layer.window.counts
        read = channels
        if isinstance(layer, Conv):
            groups, out, _ = layer.matrices.shape
            if groups > 1:
                kept = np.unique(channels // out)
                channels = (kept[:, None] * out + np.arange(out)).reshape(-1)
                each = layer.channels_in // groups
                read, groups = (kept[:, None] * each + np.arange(each)).reshape(-1), len(kept)
            else:
                read = np.arange(below[0])
            layer = Conv(layer.weights[channels], layer.bias[channels], layer.window, groups)
        size = prod(below[1:])
        source = self._take(first, (read[:, None] * size + np.arange(size)).reshape(-1, *below[1:]))
        node = self._append(layer, source, shape=(len(channels), *counts))
        self._hold(number, node, channels[:, None] * prod(counts) + np.arange(prod(counts)))

    def _positions(self, number: int, layer: Conv, first: int, asked: np.ndarray) -> None:
        """Some positions of a convolution: for each group a dense layer on what they read."""
        below, found, held = self.graph.shapes[first], [], []
        _, out, _ = layer.matrices.shape
        windows = layer.window.index(below[1:])
        size, each = prod(below[1:]), layer.channels_in // layer.groups
        for group, weights in enumerate(layer.matrices):
            mask = asked[group * out : (group + 1) * out]
            if not mask.any():
                continue
            units, positions = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            columns = _columns(weights[units])
            channel, tap = columns // layer.window.size + group * each, columns % layer.window.size
            where = windows[positions][:, tap]
            source = self._take(first, np.where(where < 0, -1, channel * size + where))
            some = Dense(weights[np.ix_(units, columns)], layer.bias[group * out + units])
            node = self._append(some, source, shape=(len(positions), len(units)))
            held.append(((group * out + units) * len(windows) + positions[:, None]).reshape(-1))
            found.append(self._append(Rearrange(np.arange(held[-1].size)), node, shape=held[-1].shape))
        entries = np.concatenate(held)
        self._hold(number, self._append(Concat(0), *found, shape=entries.shape), entries)

    def _pooled(self, number: int, layer: AveragePool | MaxPool, first: int, entries: np.ndarray) -> None:
        """Some entries of a pool, each a channel of one position."""
        below, window = self.graph.shapes[first], layer.window
        channel, position = np.divmod(entries, window.positions)
        where = window.index(below[1:])[position]
        if isinstance(layer, MaxPool):
            # Padding is never the greatest; another entry of the same position instead makes no difference.
            where = np.where(where < 0, where.max(axis=1, keepdims=True), where)
        source = self._take(first, np.where(where < 0, -1, channel[:, None] * prod(below[1:]) + where))
        one, shape = Window((window.size,), (1,)), (len(entries), 1)
        if isinstance(layer, MaxPool):
            node = self._append(MaxPool(one), source, shape=shape)
        else:
            total = self._append(AveragePool(one, [1]), source, shape=shape)
            divisors = 1 / _fractions(layer.divisors.reshape(-1)[position])
            node = self._append(Scale(divisors[:, None], [[0]]), total, shape=shape)
        self._hold(number, node, entries)

    def _joined(self, number: int, reads: Sequence[int], axis: int, entries: np.ndarray) -> None:
        """Some entries of several values side by side."""
        shapes = [self.graph.shapes[k] for k in reads]
        source = np.concatenate([np.full(shape, k) for k, shape in enumerate(shapes)], axis).reshape(-1)[entries]
        inner = np.concatenate([np.arange(prod(shape)).reshape(shape) for shape in shapes], axis).reshape(-1)[entries]
        some = [k for k in range(len(reads)) if (source == k).any()]
        below = [self._take(reads[k], inner[source == k]) for k in some]
        order = np.concatenate([entries[source == k] for k in some])
        self._hold(number, self._append(Concat(0), *below, shape=order.shape), order)


def _columns(weights: np.ndarray) -> np.ndarray:
    """The columns that hold a weight other than 0; the first one where there is none."""
    found = np.flatnonzero((weights != 0).any(axis=0))
    return found if found.size else np.zeros(1, dtype=np.int64)


def _fractions(integers: np.ndarray) -> np.ndarray:
    return np.array([Fraction(n) for n in integers.tolist()], dtype=object)
