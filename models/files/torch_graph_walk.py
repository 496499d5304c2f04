"""What a walk over an exported torch module knows: running values, constants, and the nodes of our graph made so far.

What moves numbers about is done by torch itself, on codes: each says which row and which entry of a node's value it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
import torch

from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.files.graph_sources import Held
from proof_of_absence.models.graph import Node
from proof_of_absence.models.graph_layers import GraphLayer, Rearrange, Shape, shape_after

__all__ = ["MOST_ENTRIES", "SOURCE", "Constant", "Placed", "Told", "Value", "Walk", "named"]

SOURCE = "the module"
# Entries of one value, and exact numbers of one constant: before memory is taken.
MOST_ENTRIES = 2**24
MOST_EXACT = 2**20
# The arguments of an operator by the names of its schema.
Told: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Value:
    """A value that depends on the input, in the shape that torch gives it.

    Parameters
    ----------
    node
        The node of our graph that its entries come from.
    codes
        ``row * size + entry`` of that node's value of `size` entries, -1 where `fill` stands; float64.
    moved
        What moved the entries since that node.
    """

    node: int
    codes: torch.Tensor
    fill: Fraction = Fraction(0)
    moved: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor that does not depend on the input.

    `name` is the parameter or buffer that it is an arrangement of, and `index` tells which entries; None if computed.
    """

    tensor: torch.Tensor
    name: str = ""
    index: torch.Tensor | None = None


class Placed(NamedTuple):
    """A value as the value of a node of our graph.

    `rows` is the axis of the torch shape along which the rows of the batch lie, `each` how many entries of that axis
    belong to one row; None if no axis is the batch's.
    """

    node: int
    shape: Shape
    rows: int | None
    each: int

    @property
    def full(self) -> Shape:
        """The shape of one row, with the axis of the rows."""
        return tuple(self.each if axis == self.rows else size for axis, size in enumerate(self.shape))

    @property
    def dropped(self) -> int | None:
        """The axis that our graph does not have."""
        return self.rows if self.each == 1 else None

    @property
    def own(self) -> Shape:
        """The shape in our graph; never without an axis."""
        return tuple(size for axis, size in enumerate(self.full) if axis != self.dropped) or (1,)

    def axis(self, axis: int) -> int:
        """An axis of the torch shape, as our graph counts it."""
        return axis - (self.dropped is not None and axis > self.dropped)


class Walk:
    """The state of a walk with a batch of `batch` rows; 1 means that the module was exported for one row alone."""

    def __init__(self, batch: int):
        self.batch = batch
        self.shapes: list[Shape] = []
        self.nodes: list[Node] = []
        self.labels: list[str] = []
        self.notes: list[str] = []
        # Whether the module computes some layer of ours in several steps, each of which rounds.
        self.multiplied = False
        self.weights: dict[int, Held] = {}
        self.bias: dict[int, Held] = {}
        self.shift: dict[int, Held] = {}
        # The operator at hand: in words, the name of its place, and the types of its result and its first operand.
        self.called, self.name, self.dtype, self.before = "", "", torch.float32, torch.float32
        # Values that are read at several places.
        self.shared: WeakSet[Value] = WeakSet()
        self._taken: set[str] = set()
        self._placed: WeakKeyDictionary[Value, Placed] = WeakKeyDictionary()

    def refused(self, reason: str) -> InputError:
        return refused(SOURCE, f"{self.called} {reason}" if self.called else reason)

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    # Values.

    def start(self, shape: Shape) -> Value:
        """The input, of this shape for one row."""
        self.shapes.append(shape or (1,))
        return self.fresh(Placed(0, (self.batch, *shape), 0, 1))

    def fresh(self, place: Placed) -> Value:
        """The value of a node, just as it is."""
        if place.rows is None:
            codes = torch.arange(prod(place.shape), dtype=torch.float64).view(place.shape)
        else:
            codes = torch.arange(prod(place.shape), dtype=torch.float64).view(self.batch, *place.full)
            codes = codes.movedim(0, place.rows).flatten(place.rows, place.rows + 1)
        found = Value(place.node, codes)
        self._placed[found] = place
        return found

    def place(self, value: Value) -> Placed:
        """The value as that of a node of our graph, which is made where entries were moved."""
        if (known := self._placed.get(value)) is not None:
            return known
        rows, each, block = self._block(value)
        found = Placed(value.node, tuple(value.codes.shape), rows, each)
        index = np.array(block.numpy().reshape(found.own), dtype=np.int64)
        layer = Rearrange(index, " ".join(dict.fromkeys(value.moved)) or "view", value.fill)
        same = layer.keeps_order and index.size == prod(self.shapes[value.node])
        if not same or found.own != self.shapes[value.node]:
            found = found._replace(node=self._append(layer, (value.node,), f"{self.name}.{value.moved[-1]}"))
        self._placed[value] = found
        return found

    def _block(self, value: Value) -> tuple[int | None, int, torch.Tensor]:
        """The axis of the rows, how many of its entries are one row's, and the codes of the first row."""
        codes, size = value.codes, prod(self.shapes[value.node])
        if self.batch == 1:
            return (0 if codes.ndim and codes.shape[0] == 1 else None), 1, codes
        for axis in (axis for axis, length in enumerate(codes.shape) if length % self.batch == 0):
            parts = codes.tensor_split(self.batch, axis)
            first = parts[0]
            wanted = (torch.where(first < 0, first, first + row * size) for row in range(self.batch))
            if bool((first < size).all()) and all(map(torch.equal, parts, wanted)):
                return axis, parts[0].shape[axis], first
        raise self.refused("mixes the rows of a batch")

    def own_place(self, value: Value, axes: int) -> Placed:
        """A value of shape (batch, channels, ...) with some axes, as that of a node."""
        found = self.place(value)
        if len(found.shape) != axes or found.rows != 0 or found.each != 1:
            raise self.refused(f"reads a value of shape {found.shape}; (batch, channels, ...) with {axes} axes is read")
        return found

    # What our graph gets.

    def put(self, layer: GraphLayer, reads: Sequence[Placed], shape: Iterable[int] | None = None) -> Value:
        """A new node; its value has the torch shape of what it reads first where none is told."""
        first = reads[0]
        place = first if shape is None else first._replace(shape=tuple(shape))
        number = self._append(layer, tuple(one.node for one in reads), self.name)
        if self.shapes[number] != place.own:
            raise self.refused(f"gives {self.shapes[number]} where {place.own} is expected")
        return self.fresh(place._replace(node=number))

    def _append(self, layer: GraphLayer, reads: tuple[int, ...], name: str) -> int:
        try:
            own = shape_after(layer, [self.shapes[below] for below in reads])
        except ValueError as error:
            raise self.refused(str(error)) from error
        if prod(own) > MOST_ENTRIES:
            raise self.refused(f"gives {prod(own)} entries, too many to follow")
        called, again = name, 1
        while called in self._taken:
            again += 1
            called = f"{name}:{again}"
        self._taken.add(called)
        self.nodes.append(Node(layer, reads, called))
        self.shapes.append(own)
        self.labels.append(f"{layer.name} ({called})" if isinstance(layer, Rearrange) else self.called)
        return len(self.nodes)

    def words(self) -> tuple[str, ...]:
        """The nodes so far in words, with the shapes of what they read first and give."""
        return tuple(
            f"{label} {_times(self.shapes[node.reads[0]])} -> {_times(own)}"
            for label, node, own in zip(self.labels, self.nodes, self.shapes[1:], strict=True)
        )

    def rebuilt(self, number: int, layer: GraphLayer) -> None:
        """Put another layer of the same shapes in the place of a node's."""
        self.nodes[number - 1] = replace(self.nodes[number - 1], layer=layer)

    # Numbers.

    def number(self, given: Any) -> Fraction:
        """A number in the program, as the type that torch computes with holds it."""
        if isinstance(given, Constant):
            array = self.floats(given)
            if array.size != 1:
                raise self.refused(f"has {array.size} numbers where one is needed")
            given = array.item()
        kind = torch.float64 if self.dtype == torch.float64 else torch.float32
        found = torch.tensor(given, dtype=kind).double().item() if isinstance(given, int | float) else float("nan")
        if not np.isfinite(found):
            raise self.refused(f"has {given!r} where a finite number is needed")
        return Fraction(found)

    def floats(self, given: Constant) -> np.ndarray:
        """A constant as float64, each number the one that torch computes with."""
        kind = self.dtype if self.dtype.is_floating_point else given.tensor.dtype
        try:
            array = np.asarray(given.tensor.detach().cpu().to(kind).double().numpy())
        # Sparse, quantised and meta tensors have no numpy array; the exception depends on which.
        except Exception as error:
            raise self.refused(f"reads {given.name or 'a constant'}, which is no plain tensor of numbers") from error
        if not array.size or not np.isfinite(array).all():
            raise self.refused(f"reads {given.name or 'a constant'}, which is empty or holds NaN or infinity")
        return array

    def beside(self, given: Any, place: Placed) -> tuple[np.ndarray, np.ndarray | None]:
        """A constant that broadcasts to a value, as it broadcasts in our graph: Fractions, and where they come from."""
        if not isinstance(given, Constant):
            return np.array([self.number(given)], dtype=object), None
        array = self.one_row(self.floats(given), place)
        if array.size > MOST_EXACT:
            raise self.refused(f"reads a constant of {array.size} numbers; {MOST_EXACT} are allowed")
        index = None if given.index is None else self.one_row(given.index.numpy(), place).astype(np.int64)
        return exact(array), index

    def one_row(self, array: np.ndarray, place: Placed) -> np.ndarray:
        """What of a constant meets one row."""
        wide = array.reshape((1,) * (len(place.shape) - array.ndim) + array.shape)
        if place.rows is None:
            return wide.reshape(wide.shape or (1,))
        if wide.shape[place.rows] > 1:
            parts = np.split(wide, self.batch, place.rows)
            if any(not np.array_equal(part, parts[0]) for part in parts):
                raise self.refused("has numbers of its own for each row of a batch")
            wide = parts[0]
        wide = np.squeeze(wide, place.rows) if place.dropped is not None else wide
        return wide.reshape(wide.shape or (1,))

    def held(self, given: Any) -> Held | None:
        """The parameter or buffer that a constant is an arrangement of, and which entries."""
        if not isinstance(given, Constant) or given.index is None:
            return None
        return Held(given.name, given.index.numpy().astype(np.int64))


def named(name: str, tensor: torch.Tensor) -> Constant:
    """A parameter or a buffer."""
    return Constant(tensor, name, torch.arange(tensor.numel(), dtype=torch.float64).view(tensor.shape))


def exact(array: np.ndarray) -> np.ndarray:
    """Floats as Fractions."""
    found = np.empty(array.shape, dtype=object)
    found.reshape(-1)[:] = list(map(Fraction, array.reshape(-1).tolist()))
    return found


def _times(shape: Shape) -> str:
    return "x".join(map(str, shape))
