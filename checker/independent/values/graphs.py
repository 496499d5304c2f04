"""Graphs of layers as the checker has them: what each node computes, and how large its value is.

`graph_files.py` reads them without trust; `graph_bounded.py` and `graph_exact.py` evaluate them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.floats import Floats

Shape = tuple[int, ...]
Places = NDArray[np.int64]
# Arrays of objects: Fractions, or Python integers.
Numbers = NDArray[np.object_]
Slices = tuple[slice, ...]


@dataclass(frozen=True)
class Window:
    """Where a kernel looks: position p of an axis reads entry p stride - before + k dilation, for k in the kernel."""

    kernel: Shape
    counts: Shape
    strides: Shape
    dilations: Shape
    before: Shape

    def ranges(self, axis: int, k: int, size: int) -> tuple[slice, slice]:
        """The positions of an axis whose k-th entry is there, and these entries, in order."""
        stride, shift = self.strides[axis], k * self.dilations[axis] - self.before[axis]
        # 0 <= p stride + shift < size.
        first = max(0, -(shift // stride))
        end = min(self.counts[axis], (size - 1 - shift) // stride + 1)
        if first >= end:
            return slice(0, 0), slice(0, 0)
        start = first * stride + shift
        return slice(first, end), slice(start, start + (end - first - 1) * stride + 1, stride)

    def offsets(self, spatial: Shape) -> Iterator[tuple[Shape, Slices, Slices]]:
        """For each entry of the kernel the positions at which it meets an entry of a channel, and these entries."""
        axes = [
            [(k, *self.ranges(axis, k, spatial[axis])) for k in range(size)] for axis, size in enumerate(self.kernel)
        ]
        present = [[found for found in axis if found[1] != slice(0, 0)] for axis in axes]
        for chosen in product(*present):
            yield tuple(k for k, _, _ in chosen), tuple(p for _, p, _ in chosen), tuple(q for _, _, q in chosen)

    def meets(self, spatial: Shape) -> bool:
        """Whether every position reads an entry that is there."""
        for axis, size in enumerate(spatial):
            met = np.zeros(self.counts[axis], dtype=bool)
            for k in range(self.kernel[axis]):
                met[self.ranges(axis, k, size)[0]] = True
            if not met.all():
                return False
        return True


@dataclass(frozen=True, eq=False)
class Dense:
    """weights h + bias on the last axis."""

    weights: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class Conv:
    """Weights (channels out, channels in / groups, kernel...) and bias; what is not there counts as 0."""

    weights: Floats
    bias: Floats
    window: Window
    groups: int


@dataclass(frozen=True, eq=False)
class AveragePool:
    """The sum of what a position reads of a channel, over a divisor of the position's own."""

    window: Window
    divisors: Places


@dataclass(frozen=True)
class MaxPool:
    """The greatest of what a position reads of a channel."""

    window: Window


@dataclass(frozen=True, eq=False)
class Scale:
    """(gain h + moved) sqrt(radicand) + shift: arrays of one shape that broadcasts; radicands are positive integers.

    A batch normalisation is such; one of which all radicands are squares is written with radicands of 1.
    """

    gain: Numbers
    moved: Numbers
    radicand: Numbers
    shift: Numbers


@dataclass(frozen=True)
class LeakyRelu:
    """h where it is not negative, else slope h."""

    slope: Fraction


@dataclass(frozen=True)
class Clip:
    """min(max(h, low), high); None is no bound. ReLU is that of 0 and None."""

    low: Fraction | None
    high: Fraction | None


@dataclass(frozen=True)
class Sum:
    """Values of one shape added, each times 1 or -1."""

    signs: tuple[int, ...]


@dataclass(frozen=True)
class Concat:
    """Values side by side along an axis."""

    axis: int


@dataclass(frozen=True, eq=False)
class Rearrange:
    """Entries of the flattened value in another order; `fill` where the index is -1."""

    index: Places
    fill: Fraction


Layer = Dense | Conv | AveragePool | MaxPool | Scale | LeakyRelu | Clip | Sum | Concat | Rearrange


@dataclass(frozen=True, eq=False)
class Node:
    """A layer, the values it reads (0 is the input), its name, and its attributes as they are written."""

    layer: Layer
    reads: tuple[int, ...]
    name: str
    attributes: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in an order in which each reads what comes before it; the last one is the output."""

    shapes: tuple[Shape, ...]
    nodes: tuple[Node, ...]
    dtype: str

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many entries the input and each value have."""
        return tuple(map(prod, self.shapes))

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """The nodes that read the input, and the value of each node."""
        found: list[list[int]] = [[] for _ in self.shapes]
        for number, node in enumerate(self.nodes, 1):
            for below in sorted(set(node.reads)):
                found[below].append(number)
        return tuple(map(tuple, found))

    @cached_property
    def activations(self) -> tuple[int, ...]:
        """The nodes whose entries are hidden units: ReLU, leaky ReLU and clipping that something reads."""
        return tuple(
            number
            for number, node in enumerate(self.nodes, 1)
            if isinstance(node.layer, LeakyRelu | Clip) and self.readers[number]
        )

    @cached_property
    def is_rational(self) -> bool:
        """Whether no root is left."""
        scales = (node.layer for node in self.nodes)
        return all(m == 1 for one in scales if isinstance(one, Scale) for m in one.radicand.reshape(-1).tolist())

    @property
    def widest(self) -> int:
        """The most entries that a value has."""
        return max(self.sizes)

    def activation(self, value: object) -> int:
        """The number of an activation node."""
        if not (type(value) is int and value in self.activations):
            raise Refused(f"{value!r} is no activation node")
        return value

    def entry(self, node: int, value: object) -> int:
        """The number of an entry of a node's value."""
        if not (type(value) is int and 0 <= value < self.sizes[node]):
            raise Refused(f"{value!r} is no entry of node {node}")
        return value

    def inputs(self, array: Floats) -> Floats:
        """Rows of inputs in the input's shape."""
        rows = array.reshape(len(array), -1)
        if rows.shape[1] != self.sizes[0]:
            raise Refused(f"inputs of {rows.shape[1]} numbers, the net reads {self.sizes[0]}")
        return rows.reshape(len(array), *self.shapes[0])
