"""Networks in ONNX files that are no chain of dense layers: a graph of convolutions, sums, pools, and what moves about.

Each operator is one row of a table here; shapes are followed by us, and compared with onnx's own inference.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np
import onnx
import onnx.checker
import onnx.shape_inference
from onnx import TensorProto

from proof_of_absence.models.files import onnx_graph_activations as activations
from proof_of_absence.models.files import onnx_graph_maps as maps
from proof_of_absence.models.files import onnx_graph_windows as windows
from proof_of_absence.models.files.constants import BATCH, FLOATS, label, type_name
from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.files.ending import Ending, ending
from proof_of_absence.models.files.external import inlined
from proof_of_absence.models.files.graph import SOFTMAX_LAST, opset
from proof_of_absence.models.files.graph_sources import Sources
from proof_of_absence.models.files.onnx_graph_constants import GraphConstants
from proof_of_absence.models.files.onnx_graph_layout import LAYOUT, moved
from proof_of_absence.models.files.onnx_graph_walk import MOST_ENTRIES, Value, Walk
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import ACTIVATIONS, Clip, LeakyRelu, Relu
from proof_of_absence.models.reading import Reading

__all__ = ["follow"]

Operator: TypeAlias = Callable[[Walk, onnx.NodeProto], Value]
OPERATORS: dict[str, Operator] = {
    "Abs": activations.absolute,
    "Add": maps.total,
    "AveragePool": windows.average_pool,
    "BatchNormalization": maps.batch_normalization,
    "Cast": activations.cast,
    "Clip": activations.clip,
    "Concat": maps.concat,
    "Conv": windows.conv,
    "Div": maps.divide,
    "Dropout": activations.dropout,
    "Gemm": maps.gemm,
    "GlobalAveragePool": windows.global_pool,
    "GlobalMaxPool": windows.global_pool,
    "LeakyRelu": activations.leaky_relu,
    "MatMul": maps.matmul,
    "Max": activations.bounded,
    "MaxPool": windows.max_pool,
    "Min": activations.bounded,
    "Mul": maps.multiply,
    "Neg": maps.negate,
    "PRelu": activations.prelu,
    "ReduceMax": windows.reduced,
    "ReduceMean": windows.reduced,
    "ReduceSum": windows.reduced,
    "Relu": activations.relu,
    "Sub": maps.subtract,
    "Sum": maps.total,
}
# Operators of constants and of shapes alone.
FOLDED = ("Constant", "ConstantOfShape", "Shape")
# No piecewise linear map: what a net of these does is decided on what was recorded.
CURVED = {
    "Attention", "Celu", "Cos", "Einsum", "Elu", "Erf", "Exp", "GRU", "Gelu", "GroupNormalization", "HardSigmoid",
    "HardSwish", "InstanceNormalization", "LSTM", "LayerNormalization", "Log", "LogSoftmax", "LpNormalization", "Mish",
    "MultiHeadAttention", "Pow", "RMSNormalization", "RNN", "Reciprocal", "Selu", "Sigmoid",
    "SimplifiedLayerNormalization", "Sin", "SkipLayerNormalization", "Softmax", "Softplus", "Softsign", "Sqrt", "Swish",
    "Tanh",
}  # fmt: skip
# Entries of an initializer whose numbers shape inference is shown: such as a shape.
SHOWN = 64


def follow(path: str | os.PathLike[str], model: onnx.ModelProto) -> tuple[Graph, Sources]:
    """The graph that a model computes for one row of its input, and where its weights lie.

    The batch is the first axis of the input: free, or fixed at 1, or at a number of rows that no operator mixes. Of
    several outputs the first one is taken.

    Raises
    ------
    InputError
        If an operator or an attribute is another one than this module's table has, rows are mixed, the file is
        damaged, or onnx finds other shapes.
    """
    return _Reader(path, model).follow()


class _Reader:
    def __init__(self, path: str | os.PathLike[str], model: onnx.ModelProto):
        self.path, self.model, self.version = path, model, opset(path, model)
        self.constants = GraphConstants(path, model.graph)
        self.notes: list[str] = []
        self.end = self._end()
        inputs = [value for value in model.graph.input if value.name not in self.constants]
        if len(inputs) != 1 or not inputs[0].name:
            names = ", ".join(value.name for value in inputs)
            raise self.refused(f"has {len(inputs)} inputs ({names}); a net with one named input is needed")
        self.input = inputs[0]
        self.nodes = self._read_nodes()
        for node in self.nodes:
            self._check(node)
        uses = Counter(name for node in self.nodes for name in node.input) + Counter([self.end.output])
        shape, rows, batch = self._start()
        self.walk = Walk(path, self.constants, self.version, uses, batch)
        first = Value(0, shape, rows, self.input.type.tensor_type.elem_type)
        self.walk.values[self.input.name] = first
        self.walk.shapes.append(first.own)

    def refused(self, reason: object) -> InputError:
        return refused(self.path, reason)

    def _end(self) -> Ending:
        """Where the net ends; of several outputs it is the first one."""
        graph = self.model.graph
        if (found := ending(graph, self.constants)) is not None:
            return found
        names = [value.name for value in graph.output]
        if not names or not names[0]:
            raise self.refused("has no output with a name")
        self.notes.append(f"Of the outputs {', '.join(names)} the first one is audited, {names[0]}.")
        nodes = _needed(graph.node, names[0])
        alone = onnx.GraphProto(node=nodes, output=graph.output[:1])
        return ending(alone, self.constants) or Ending(nodes, names[0], None)

    def _read_nodes(self) -> list[onnx.NodeProto]:
        """The nodes that the output depends on."""
        nodes = _needed(self.end.nodes, self.end.output)
        if len(nodes) < len(self.end.nodes):
            self.notes.append(f"{len(self.end.nodes) - len(nodes)} nodes that the output does not read are left out.")
        return nodes

    def _check(self, node: onnx.NodeProto) -> None:
        """Refuse what is not in the tables, before anything is computed."""
        name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        called = f"operator {name} ({node.name or ', '.join(node.output)})"
        if node.op_type in CURVED:
            raise self.refused(
                f"{called} is not piecewise linear, so no graph with it is followed exactly; record activations and "
                "audit those: absence audit --activations"
            )
        if node.domain not in ("", "ai.onnx") or node.op_type not in (*OPERATORS, *LAYOUT, *FOLDED):
            raise self.refused(
                f"{called} is not supported; record activations and audit those (absence audit --activations), or "
                f"build the net from {', '.join(sorted({*OPERATORS, *LAYOUT}))}"
            )
        # The definitions of onnx: attributes that the operator does not have, or of another type.
        context = onnx.checker.C.CheckerContext()
        context.ir_version, context.opset_imports = onnx.IR_VERSION, {"": self.version}
        try:
            onnx.checker.check_node(node, context)
        except Exception as error:
            raise self.refused(f"{label(node)} is not as opset {self.version} has it: {error}") from error

    def _start(self) -> tuple[tuple[int, ...], int | None, int | None]:
        """The shape of the input with 1 for the rows, the axis of these, and how many there are, None for any."""
        tensor = self.input.type.tensor_type
        if tensor.elem_type not in FLOATS:
            raise self.refused(f"input {self.input.name} is {type_name(tensor.elem_type)}; export it in float32")
        sizes = [int(dim.dim_value) if dim.dim_value > 0 else None for dim in tensor.shape.dim]
        free = [axis for axis, size in enumerate(sizes) if size is None]
        rows = free[0] if len(sizes) == 2 and free else 0
        if not sizes or (len(sizes) == 1 and free) or any(axis != rows for axis in free):
            names = [dim.dim_param or str(dim.dim_value or "?") for dim in tensor.shape.dim]
            raise self.refused(
                f"input {self.input.name} has shape ({', '.join(names)}); all but the batch dimension must be fixed"
            )
        shape = tuple(1 if axis == rows and len(sizes) > 1 else size or 1 for axis, size in enumerate(sizes))
        self._too_large(shape)
        if len(sizes) == 1 or sizes[rows] == 1:
            return shape, None, 1
        if sizes[rows] is not None:
            self.notes.append(
                f"The model reads {sizes[rows]} rows at a time, and no operator mixes them: the graph is that of one."
            )
        return shape, rows, sizes[rows]

    def _too_large(self, shape: Sequence[int]) -> None:
        if np.prod([float(size) for size in shape]) > MOST_ENTRIES:
            raise self.refused(f"input {self.input.name} has {shape} entries; at most {MOST_ENTRIES} are read")

    def follow(self) -> tuple[Graph, Sources]:
        walk = self.walk
        before: set[str] = set()
        later = {name for node in self.model.graph.node for name in node.output}
        for node in self.nodes:
            for name in filter(None, node.input):
                if name not in walk.values and name not in self.constants:
                    where = "a later node computes: sort the nodes" if name in later else "nothing defines"
                    where = "is a further output of a node, which is not followed" if name in before else where
                    raise self.refused(f"{label(node)} reads {name}, which {where}")
            if not node.output or not node.output[0]:
                raise self.refused(f"{label(node)} has no output with a name")
            if any(name in walk.values or name in self.constants for name in node.output if name):
                raise self.refused(f"{label(node)} gives a value a name that is taken")
            self._step(node)
            before.update(node.output)
        value = walk.values.get(self.end.output)
        if value is None:
            raise self.refused(f"nothing computes the output {self.end.output} from the input")
        self._cut(value)
        self._compare()
        return self._graph(value)

    def _step(self, node: onnx.NodeProto) -> None:
        walk = self.walk
        reads = walk.reads(node)
        if node.op_type == "Shape" and reads:
            value = walk.values[reads[0]]
            sizes = [BATCH if axis == value.rows else size for axis, size in enumerate(value.shape)]
            start, end = walk.integer(node, "start", 0), walk.integer(node, "end", len(sizes))
            self.constants.put(node.output[0], np.array(sizes[start:end], np.int64))
        elif node.op_type in LAYOUT and node.input and node.input[0] in walk.values:
            value = walk.running(node)
            for name, (index, rows, fill) in zip(node.output, moved(walk, node, value.shape, value.rows), strict=True):
                walk.values[name] = walk.rearrange(node, value, index, rows, fill)
        elif reads and node.op_type in OPERATORS:
            walk.values[node.output[0]] = OPERATORS[node.op_type](walk, node)
        elif reads:
            raise self.refused(f"{label(node)} reads a value where constants alone are supported")
        elif node.op_type in LAYOUT and node.input and node.input[0]:
            self._arrange(node)
        else:
            self.constants.fold(node)

    def _arrange(self, node: onnx.NodeProto) -> None:
        """A constant that is an arrangement of another one."""
        name = node.input[0]
        array = self.constants.as_it_is(name)
        held = self.walk.held(name, array.shape)
        for output, (index, _, fill) in zip(node.output, moved(self.walk, node, array.shape, None), strict=True):
            filled = np.concatenate([array.reshape(-1), np.array([float(fill)], array.dtype)])
            self.constants.put(output, np.asarray(filled[index]))
            if held is not None and (index >= 0).all():
                self.walk.origins[output] = held[0], held[1].reshape(-1)[index]

    def _cut(self, value: Value) -> None:
        """Leave off what makes probabilities of the last value, if it does so row by row."""
        node = self.end.cut
        if node is None:
            return
        axis = self.walk.integer(node, "axis", -1 if self.version >= SOFTMAX_LAST else 1)
        rank, whole = len(value.shape), int(np.prod(value.shape))
        axis += rank if axis < 0 else 0
        if not 0 <= axis < rank:
            fits = False
        elif self.version >= SOFTMAX_LAST:
            fits = value.shape[axis] == whole and axis != value.rows
        else:
            fits = int(np.prod(value.shape[axis:])) == whole and (value.rows is None or value.rows < axis)
        if node.op_type != "Sigmoid" and not fits:
            raise self.refused(f"{label(node)} does not run over all features of a value of shape {value.written}")
        self.walk.notes.append(self.end.note)

    def _compare(self) -> None:
        """Refuse a model of which onnx finds other shapes than we did."""
        graph = onnx.GraphProto(node=self.nodes, name="g", input=[self.input])
        for tensor in self.model.graph.initializer:
            if int(np.prod([float(size) for size in tensor.dims])) <= SHOWN:
                elsewhere = tensor.data_location == TensorProto.EXTERNAL
                graph.initializer.append(inlined(self.path, tensor) if elsewhere else tensor)
            else:
                graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
        small = onnx.ModelProto(ir_version=onnx.IR_VERSION, graph=graph)
        small.opset_import.append(onnx.helper.make_opsetid("", self.version))
        try:
            found = onnx.shape_inference.infer_shapes(small, data_prop=True)
        except Exception as error:
            raise self.refused(f"onnx infers no shapes: {error}") from error
        for info in found.graph.value_info:
            value = self.walk.values.get(info.name)
            if value is None or not info.type.tensor_type.HasField("shape"):
                continue
            sizes = [int(dim.dim_value) if dim.dim_value > 0 else None for dim in info.type.tensor_type.shape.dim]
            ours = [None if axis == value.rows else size for axis, size in enumerate(value.shape)]
            if len(sizes) != len(ours) or any(a and b and a != b for a, b in zip(sizes, ours, strict=True)):
                raise self.refused(f"onnx gives {info.name} the shape {sizes}, we give it {value.written}")

    def _graph(self, value: Value) -> tuple[Graph, Sources]:
        walk = self.walk
        # What was followed for its shape alone is left out.
        wanted = {value.node}
        for number in range(value.node, 0, -1):
            if number in wanted:
                wanted.update(walk.nodes[number - 1].reads)
        kept = sorted(wanted - {0})
        if not kept:
            raise self.refused("the output is the input: nothing is computed")
        numbers = {old: new for new, old in enumerate(kept, 1)} | {0: 0}
        nodes = [replace(walk.nodes[old - 1], reads=_renamed(walk.nodes[old - 1].reads, numbers)) for old in kept]
        kinds = {one.kind for one in walk.values.values()}
        for kind in sorted(kinds - {TensorProto.FLOAT, TensorProto.DOUBLE}):
            walk.note(f"Weights of type {type_name(kind)} are taken as float32, which holds them exactly.")
        words, notes = walk.words(), (*self.notes, *walk.notes)
        cut = self.end.cut.op_type if self.end.cut else ""
        layers = tuple(words[old - 1] for old in kept)
        reading = Reading(layers, _activation(nodes), "the graph", notes, cut, walk.multiplied)
        held = (
            {numbers[old]: place for old, place in places.items() if old in numbers}
            for places in (walk.weights, walk.bias, walk.shift)
        )
        try:
            graph = Graph(walk.shapes[0], nodes, max(FLOATS[kind] for kind in kinds), reading)
        except ValueError as error:
            raise self.refused(error) from error
        return graph, Sources(*held)


def _renamed(reads: Iterable[int], numbers: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(numbers[below] for below in reads)


def _needed(nodes: Sequence[onnx.NodeProto], output: str) -> list[onnx.NodeProto]:
    """Those of the nodes that a value depends on, in their order."""
    wanted, found = {output}, []
    for node in reversed(nodes):
        if wanted.intersection(filter(None, node.output)):
            wanted.update(filter(None, node.input))
            found.append(node)
    return found[::-1]


def _activation(nodes: Iterable[Node]) -> str:
    """The activations in words."""
    names = [_called(node.layer) for node in nodes if isinstance(node.layer, ACTIVATIONS)]
    return ", ".join(dict.fromkeys(names)) or "nothing: the graph holds no activation"


def _called(layer: Relu | LeakyRelu | Clip) -> str:
    match layer:
        case Relu():
            return "ReLU"
        case LeakyRelu(slope=slope):
            return f"LeakyReLU {_short(slope)}"
        case Clip(low=low, high=high):
            return f"Clip from {_short(low)} to {_short(high)}"


def _short(number: Fraction | None) -> str:
    """The shortest decimal number that is the same float32: 0.1 for the slope that a file means by it."""
    return "any number" if number is None else str(np.float32(float(number))).removesuffix(".0")
