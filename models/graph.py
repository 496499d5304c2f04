"""Nets that are no chain of dense layers: a graph of layers with float weights, each an exact dyadic rational.

`exact` is what a graph means: its value at rational inputs, by the plain definition of each layer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import NamedTuple, assert_never

import numpy as np
from numpy.typing import DTypeLike

from proof_of_absence.models.graph_layers import (
    ACTIVATIONS,
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
    shape_after,
)
from proof_of_absence.models.rational import Numbers, vector
from proof_of_absence.models.reading import Reading

__all__ = ["Graph", "GraphUnit", "Node", "same_graph", "value_of"]


class GraphUnit(NamedTuple):
    """Entry `entry` of the flattened value of activation node `node`: a channel at a position."""

    node: int
    entry: int


@dataclass(frozen=True)
class Node:
    """A layer and the nodes whose values it reads, by number: 0 is the input, and 1 the first node.

    `name` is what the source calls the value.
    """

    layer: GraphLayer
    reads: tuple[int, ...]
    name: str = ""


@dataclass(frozen=True, eq=False)
class Graph:
    """A network as a graph of layers in an order in which each reads only what comes before it.

    Parameters
    ----------
    input_shape
        Of one input, without the batch axis.
    nodes
        The last one is the output.
    dtype
        ``float32`` or ``float64``, what the source held. The arrays are float64 either way.
    reading
        How a reader came to it; None for a graph that no reader made.

    Raises
    ------
    ValueError
        If there is no node, one reads what does not come before it, or shapes do not fit; the message names the node.

    Examples
    --------
    >>> net = Graph((1,), [Node(Dense([[1.0], [-1.0]], [0.0, 0.0]), (0,)), Node(Relu(), (1,)),
    ...                    Node(Dense([[1.0, 1.0]], [0.5]), (2,))])
    >>> net.shapes, net([-3]).tolist()
    (((1,), (2,), (2,), (1,)), [Fraction(7, 2)])
    """

    input_shape: Shape
    nodes: tuple[Node, ...]
    dtype: np.dtype
    reading: Reading | None
    shapes: tuple[Shape, ...]

    def __init__(
        self,
        input_shape: Iterable[int],
        nodes: Iterable[Node],
        dtype: DTypeLike = np.float64,
        reading: Reading | None = None,
    ) -> None:
        shapes: list[Shape] = [tuple(input_shape)]
        object.__setattr__(self, "input_shape", shapes[0])
        object.__setattr__(self, "nodes", tuple(nodes))
        object.__setattr__(self, "dtype", np.dtype(dtype))
        object.__setattr__(self, "reading", reading)
        if not self.nodes:
            raise ValueError("a graph needs at least one node")
        for number, node in enumerate(self.nodes, 1):
            called = f"node {number}" + (f" ({node.name})" if node.name else "")
            if not node.reads or not all(0 <= below < number for below in node.reads):
                raise ValueError(f"{called} reads {node.reads}, which does not come before it")
            try:
                shapes.append(shape_after(node.layer, [shapes[below] for below in node.reads]))
            except ValueError as error:
                raise ValueError(f"{called}: {error}") from error
        object.__setattr__(self, "shapes", tuple(shapes))

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many entries the input and the value of each node have."""
        return tuple(map(prod, self.shapes))

    @property
    def parameter_count(self) -> int:
        """Weights and biases of the dense layers and convolutions together."""
        layers = (node.layer for node in self.nodes)
        return sum(one.weights.size + one.bias.size for one in layers if isinstance(one, Dense | Conv))

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """For the input and each node, the nodes that read its value."""
        found: list[list[int]] = [[] for _ in self.shapes]
        for number, node in enumerate(self.nodes, 1):
            for below in sorted(set(node.reads)):
                found[below].append(number)
        return tuple(map(tuple, found))

    @property
    def activations(self) -> tuple[int, ...]:
        """The nodes whose entries are the hidden units: activations that are read."""
        return tuple(
            number
            for number, node in enumerate(self.nodes, 1)
            if isinstance(node.layer, ACTIVATIONS) and self.readers[number]
        )

    @property
    def is_rational(self) -> bool:
        """Whether its values at rational inputs are rational: no root of a batch normalisation is left."""
        return not any(isinstance(node.layer, BatchNorm) and None in node.layer.roots for node in self.nodes)

    def values(self, z: Numbers) -> list[np.ndarray]:
        """The input and the value of each node at one input, flattened: arrays of Fractions.

        Raises
        ------
        ValueError
            If the input has another length, or a root is not rational.
        """
        first = np.array(vector(z), dtype=object)
        if first.size != self.sizes[0]:
            raise ValueError(f"an input of {first.size} numbers, the net reads {self.sizes[0]}")
        found = [first]
        for node in self.nodes:
            below = [found[k].reshape(self.shapes[k]) for k in node.reads]
            found.append(value_of(node.layer, below).reshape(-1))
        return found

    def __call__(self, z: Numbers) -> np.ndarray:
        """The outputs at one input, flattened: an array of Fractions."""
        return self.values(z)[-1]


def same_graph(one: Graph, other: Graph) -> bool:
    """Whether two graphs have the very same layers, input and type; names and readings are not compared."""
    if (one.shapes, one.dtype, len(one.nodes)) != (other.shapes, other.dtype, len(other.nodes)):
        return False
    pairs = zip(one.nodes, other.nodes, strict=True)
    return all(a.reads == b.reads and _same(a.layer, b.layer) for a, b in pairs)


def _same(one: GraphLayer, other: GraphLayer) -> bool:
    if type(one) is not type(other):
        return False
    pairs = ((getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


def value_of(layer: GraphLayer, below: Sequence[np.ndarray]) -> np.ndarray:
    """What a layer makes of values of Fractions (dtype object), in its own shape.

    Raises
    ------
    ValueError
        If a root is not rational.
    """
    h = below[0]
    match layer:
        case Dense(weights=weights, bias=bias):
            return np.asarray(h @ _exact(weights).T + _exact(bias))
        case Conv(bias=bias, window=window):
            read = _entries(h, layer.index(h.shape), Fraction(0))
            out = np.einsum("gpf,gof->gop", read, _exact(layer.matrices)).reshape(len(bias), -1)
            return np.asarray(out + _exact(bias)[:, None]).reshape(-1, *window.counts)
        case AveragePool(window=window, divisors=divisors):
            read = _entries(h.reshape(len(h), -1).T, window.index(h.shape[1:]), Fraction(0), axis=True)
            return np.asarray(read.sum(axis=1).T.reshape(-1, *window.counts) / _exact(divisors))
        case MaxPool(window=window):
            index = window.index(h.shape[1:])
            flat = h.reshape(len(h), -1)
            best = [[max(row[k] for k in places if k >= 0) for places in index.tolist()] for row in flat]
            return np.array(best, dtype=object).reshape(-1, *window.counts)
        case Scale(factor=factor, shift=shift):
            return np.asarray(h * factor + shift)
        case BatchNorm(factor=factor, mean=mean, roots=roots, shift=shift):
            if None in roots:
                raise ValueError("a root of a batch normalisation is not rational")
            gain = (factor / np.array(roots, dtype=object)).reshape(-1, *(1 for _ in h.shape[1:]))
            return np.asarray((h - mean.reshape(gain.shape)) * gain + shift.reshape(gain.shape))
        case Relu():
            return np.asarray(np.maximum(h, _exact(np.zeros(1))))
        case LeakyRelu(slope=slope):
            return np.asarray(np.where(h >= 0, h, slope * h))
        case Clip(low=low, high=high):
            h = h if low is None else np.maximum(h, np.full(1, low, dtype=object))
            return np.asarray(h if high is None else np.minimum(h, np.full(1, high, dtype=object)))
        case Sum(signs=signs):
            return np.asarray(sum(sign * value for sign, value in zip(signs, below, strict=True)))
        case Concat(axis=axis):
            return np.concatenate(list(below), axis=axis)
        case Rearrange(index=index, fill=fill):
            return _entries(h, index, fill)
        case _:
            assert_never(layer)


def _exact(array: np.ndarray) -> np.ndarray:
    found = np.empty(array.shape, dtype=object)
    found.reshape(-1)[:] = [Fraction(x) for x in array.reshape(-1).tolist()]
    return found


def _entries(h: np.ndarray, index: np.ndarray, fill: Fraction, *, axis: bool = False) -> np.ndarray:
    """The entries of the flattened value at an index, `fill` where it is -1; with `axis` the rows of h."""
    flat = h if axis else h.reshape(-1)
    padded = np.concatenate([flat, np.full((1, *flat.shape[1:]), fill, dtype=object)])
    return np.asarray(padded[index])
