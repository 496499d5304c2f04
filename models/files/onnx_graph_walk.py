"""What a walk over an ONNX graph knows: the values reached so far, the constants, and the nodes of ours made so far.

The batch axis is held apart: a value has rows along one axis, and no operator may mix them.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite, prod

import numpy as np
import onnx

from proof_of_absence.models.files.constants import FLOATS, label
from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.files.graph_sources import Held
from proof_of_absence.models.files.onnx_graph_constants import GraphConstants
from proof_of_absence.models.graph import Node
from proof_of_absence.models.graph_layers import GraphLayer, Rearrange, Shape, shape_after

__all__ = ["MOST_ENTRIES", "Value", "Walk"]

# Entries of one value, of all rearrangements together, and exact numbers of one constant: before memory is taken.
MOST_ENTRIES = 2**24
MOST_MOVED = 2**25
MOST_EXACT = 2**20


@dataclass(frozen=True)
class Value:
    """A value that depends on the input.

    Parameters
    ----------
    node
        Whose value it is in our graph, 0 for the input.
    shape
        As the model has it, with 1 where the rows of the batch are counted.
    rows
        The axis of the batch; None if the model is called with one input at a time, and no axis is the batch's.
    kind
        The float type, as ONNX numbers them.
    """

    node: int
    shape: Shape
    rows: int | None
    kind: int

    @property
    def dropped(self) -> int | None:
        """The axis that our graph does not have: the batch's, or a first one of size 1."""
        if self.rows is not None:
            return self.rows
        return 0 if len(self.shape) > 1 and self.shape[0] == 1 else None

    @property
    def own(self) -> Shape:
        """The shape in our graph; never without an axis."""
        return tuple(size for axis, size in enumerate(self.shape) if axis != self.dropped) or (1,)

    @property
    def written(self) -> str:
        """The shape in words."""
        sizes = ("batch" if axis == self.rows else str(size) for axis, size in enumerate(self.shape))
        return f"({', '.join(sizes)})"


class Walk:
    """The state of a walk.

    Parameters
    ----------
    uses
        How often each name of the model is read, by nodes that are followed or as the output.
    batch
        How many rows the model is made for; None for any number.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        constants: GraphConstants,
        opset: int,
        uses: Counter[str],
        batch: int | None,
    ):
        self.path = path
        self.constants = constants
        self.opset = opset
        self.uses = uses
        self.batch = batch
        self.values: dict[str, Value] = {}
        self.shapes: list[Shape] = []
        self.nodes: list[Node] = []
        self.labels: list[str] = []
        self.notes: list[str] = []
        # Whether the model computes some layer of ours in several steps, each of which rounds.
        self.multiplied = False
        # Of a constant that is an arrangement of an initializer: whose, and which entries.
        self.origins: dict[str, tuple[str, np.ndarray]] = {}
        self.weights: dict[int, Held] = {}
        self.bias: dict[int, Held] = {}
        self.shift: dict[int, Held] = {}
        self._moved = 0

    def refused(self, reason: object) -> InputError:
        return refused(self.path, reason)

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    # What a node of the model says.

    def reads(self, node: onnx.NodeProto) -> list[str]:
        """Its operands that depend on the input."""
        return [name for name in node.input if name in self.values]

    def running(self, node: onnx.NodeProto, *counts: int) -> Value:
        """Its first operand, which depends on the input, all others being constants; how many it may have."""
        value = self.values.get(node.input[0]) if node.input else None
        if value is None or len(self.reads(node)) != 1:
            raise self.refused(f"{label(node)} needs a value for its first operand, and constants for the others")
        if counts:
            self.counted(node, *counts)
        return value

    def counted(self, node: onnx.NodeProto, *counts: int) -> None:
        if len(node.input) not in counts or not all(node.input[: min(counts)]):
            raise self.refused(f"{label(node)} has {len(node.input)} operands")

    def operand(self, node: onnx.NodeProto, place: int) -> str:
        """The name of an operand, empty where there is none."""
        return str(node.input[place]) if place < len(node.input) else ""

    def floats(self, node: onnx.NodeProto, name: str, kind: int) -> np.ndarray:
        """A constant of a float type as float64, finite."""
        array = self.constants.array(node, name, {FLOATS[kind]})
        if not np.isfinite(array).all():
            raise self.refused(f"{label(node)} holds NaN or infinity")
        if not array.size:
            raise self.refused(f"{label(node)} reads {name}, which is empty")
        return array

    def integers(self, node: onnx.NodeProto, name: str) -> np.ndarray:
        """A constant of integers, int64; a size that only the running model knows is `BATCH`."""
        return self.constants.array(node, name, {np.dtype(np.int64)})

    def sizes(self, node: onnx.NodeProto, place: int, attribute: str = "") -> list[int] | None:
        """A list of integers, an operand in newer models and an attribute in older ones; None if there is none."""
        found = self._attribute(node, attribute) if attribute else None
        if name := self.operand(node, place):
            if found is not None:
                raise self.refused(f"{label(node)} has {attribute} twice")
            found = np.atleast_1d(self.integers(node, name)).tolist()
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(x, int) for x in found):
            raise self.refused(f"{label(node)} has {attribute} that are no list of integers")
        return found

    def axes(self, node: onnx.NodeProto, rank: int, place: int = 1) -> list[int] | None:
        """Its axes, each once and counted from 0; None if it names none."""
        told = self.sizes(node, place, "axes")
        return None if told is None else [self.axis(node, axis, rank) for axis in self._once(node, told, rank)]

    def _once(self, node: onnx.NodeProto, told: list[int], rank: int) -> list[int]:
        if len({axis % rank if rank else axis for axis in told}) != len(told):
            raise self.refused(f"{label(node)} names an axis twice")
        return told

    def axis(self, node: onnx.NodeProto, axis: int, rank: int) -> int:
        """An axis counted from 0."""
        if not -rank <= axis < rank:
            raise self.refused(f"{label(node)} has axis {axis} of a value of {rank} axes")
        return axis + rank if axis < 0 else axis

    def integer(self, node: onnx.NodeProto, name: str, default: int) -> int:
        found = self._attribute(node, name)
        if not isinstance(found, int | None):
            raise self.refused(f"{label(node)} has an attribute {name} that is no integer")
        return default if found is None else found

    def flag(self, node: onnx.NodeProto, name: str, default: int) -> bool:
        """An attribute that is 0 or 1."""
        found = self.integer(node, name, default)
        if found not in (0, 1):
            raise self.refused(f"{label(node)} has {name} {found}, which is neither 0 nor 1")
        return found == 1

    def number(self, node: onnx.NodeProto, name: str, default: float) -> Fraction:
        found = self._attribute(node, name)
        found = default if found is None else found
        if not isinstance(found, int | float) or not isfinite(found):
            raise self.refused(f"{label(node)} has an attribute {name} that is no number")
        return Fraction(found)

    def text(self, node: onnx.NodeProto, name: str, default: str) -> str:
        found = self._attribute(node, name)
        if not isinstance(found, bytes | None):
            raise self.refused(f"{label(node)} has an attribute {name} that is no text")
        return default if found is None else found.decode("ascii", "replace")

    def _attribute(self, node: onnx.NodeProto, name: str) -> object:
        found = [attribute for attribute in node.attribute if attribute.name == name]
        value: object = self.constants.value_of(node, found[0]) if found else None
        return value

    # What our graph gets.

    def words(self) -> tuple[str, ...]:
        """The nodes so far in words, with the shapes of what they read first and give."""
        shapes = [(self.shapes[node.reads[0]], own) for node, own in zip(self.nodes, self.shapes[1:], strict=True)]
        pairs = zip(self.labels, shapes, strict=True)
        return tuple(f"{name} {_times(below)} -> {_times(own)}" for name, (below, own) in pairs)

    def afford(self, node: onnx.NodeProto, shape: Sequence[int]) -> None:
        """Refuse a value of too many entries before it is made."""
        if prod(shape) > MOST_ENTRIES or prod(shape) == 0:
            raise self.refused(
                f"{label(node)} gives a value of {prod(shape)} entries; from 1 to {MOST_ENTRIES} are followed"
            )

    def put(
        self,
        node: onnx.NodeProto,
        layer: GraphLayer,
        reads: Sequence[Value],
        shape: Shape | None = None,
        rows: int | None = None,
    ) -> Value:
        """A new node of our graph; its value has the shape of what it reads where none is told."""
        first = reads[0]
        below = [self.shapes[value.node] for value in reads]
        try:
            own = shape_after(layer, below)
        except ValueError as error:
            raise self.refused(f"{label(node)}: {error}") from error
        value = Value(len(self.shapes), *((first.shape, first.rows) if shape is None else (shape, rows)), first.kind)
        if own != value.own:
            raise self.refused(f"{label(node)} gives {own} where {value.own} is expected")
        if len({one.kind for one in reads}) != 1:
            raise self.refused(f"{label(node)} reads values of several types")
        self.afford(node, own)
        self.nodes.append(Node(layer, tuple(one.node for one in reads), node.output[0]))
        self.shapes.append(own)
        self.labels.append(label(node))
        return value

    def index(self, value: Value) -> np.ndarray:
        """The number of each entry in the flattened value, in the model's shape."""
        return np.arange(prod(value.shape), dtype=np.int64).reshape(value.shape)

    def rearrange(
        self,
        node: onnx.NodeProto,
        value: Value,
        index: np.ndarray,
        rows: int | None,
        fill: Fraction = Fraction(0),
        name: str = "",
    ) -> Value:
        """The value whose entries are those at an index; no new node where nothing changes in our graph."""
        self.afford(node, index.shape)
        found = replace(value, shape=index.shape, rows=rows)
        layer = Rearrange(index.reshape(found.own), name or node.op_type, fill)
        if layer.keeps_order and found.own == value.own:
            return found
        self._moved += index.size
        if self._moved > MOST_MOVED:
            raise self.refused(f"{label(node)}: more than {MOST_MOVED} entries are moved about, too many to follow")
        return self.put(node, layer, [value], found.shape, rows)

    def as_own(self, node: onnx.NodeProto, value: Value, shape: Shape) -> Value:
        """The value in another shape, with no axis held apart; the same entries in the same order."""
        if self.shapes[value.node] == shape:
            return value
        self._moved += prod(shape)
        layer = Rearrange(np.arange(prod(shape)).reshape(shape), "Reshape")
        return self.put(node, layer, [value], (1, *shape))

    def broadcast(self, node: onnx.NodeProto, value: Value, shape: Shape) -> Value:
        """The value repeated to a larger shape."""
        if shape == value.shape:
            return value
        self.afford(node, shape)
        more = len(shape) - len(value.shape)
        rows = None if value.rows is None else value.rows + more
        if rows is not None and shape[rows] != 1:
            raise self.refused(f"{label(node)} has numbers of its own for each row of {value.written}")
        return self.rearrange(node, value, np.broadcast_to(self.index(value), shape), rows, name="Expand")

    def together(self, node: onnx.NodeProto, shapes: Sequence[Shape]) -> Shape:
        """The shape to which shapes broadcast."""
        try:
            found = np.broadcast_shapes(*shapes)
        except ValueError as error:
            raise self.refused(f"{label(node)} has operands of shapes {', '.join(map(str, shapes))}") from error
        self.afford(node, found)
        return found

    def own_constant(self, node: onnx.NodeProto, array: np.ndarray, value: Value) -> np.ndarray:
        """A constant that broadcasts to a value of the model, as it broadcasts to that of our graph."""
        wide = array.reshape((1,) * (len(value.shape) - array.ndim) + array.shape)
        if value.dropped is not None:
            if wide.shape[value.dropped] != 1:
                raise self.refused(f"{label(node)} has numbers of its own for each row of {value.written}")
            wide = np.squeeze(wide, value.dropped)
        return wide.reshape(wide.shape or (1,))

    def exact(self, node: onnx.NodeProto, array: np.ndarray) -> np.ndarray:
        """Floats as Fractions."""
        if array.size > MOST_EXACT:
            raise self.refused(f"{label(node)} reads a constant of {array.size} numbers, and {MOST_EXACT} are allowed")
        found = np.empty(array.shape, dtype=object)
        found.reshape(-1)[:] = list(map(Fraction, array.reshape(-1).tolist()))
        return found

    def held(self, name: str, shape: Shape) -> tuple[str, np.ndarray] | None:
        """The initializer that a constant is an arrangement of, and which entries; None if it was computed."""
        if name in self.origins:
            return self.origins[name]
        if not self.constants.is_stored(name):
            return None
        return name, np.arange(prod(shape), dtype=np.int64).reshape(shape)


def _times(shape: Shape) -> str:
    return "x".join(map(str, shape))
