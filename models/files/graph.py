"""From an ONNX graph to a chain of exact affine maps and ReLU: one path from the input to the logits, or why not.

Shapes are followed as onnxruntime would broadcast them, with the batch dimension apart; what mixes rows is refused.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto

from proof_of_absence.models.files.chain import Chain
from proof_of_absence.models.files.constants import BATCH, FLOATS, Constants, label, type_name
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.ending import Ending, ending
from proof_of_absence.models.files.operators import ATTRIBUTES, Operators
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["SOFTMAX_LAST", "Interface", "follow", "opset"]

# Before it, Add and Gemm broadcast by rules of their own.
OLDEST_OPSET = 7
# Since then Softmax takes the last axis, where it is told none.
SOFTMAX_LAST = 13


@dataclass(frozen=True)
class Interface:
    """How a model is called.

    The input has shape (batch, d), (batch, ...) before a Flatten, (d) without a batch, or (d, batch) where weights
    stand on the left of MatMul. `batch` is the model's name for that dimension.
    """

    input: str
    output: str
    batch: str
    batch_first: bool
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


def follow(path: str | os.PathLike[str], model: onnx.ModelProto) -> tuple[FloatNet, Interface]:
    """The net that the model computes, and how the model is called.

    Raises
    ------
    InputError
        If the graph is not one path of the operators in `ATTRIBUTES`, or something in it is not as they need it.
    """
    return _Path(path, model.graph, opset(path, model)).follow()


def opset(path: str | os.PathLike[str], model: onnx.ModelProto) -> int:
    """The version of the operators, of a model that may be followed at all."""
    if not model.HasField("graph"):
        raise refused(path, "holds no graph; it is no ONNX model, or it is truncated")
    versions = {entry.domain: entry.version for entry in model.opset_import}
    version = versions.get("", versions.get("ai.onnx", 0))
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST_OPSET <= version <= newest:
        raise refused(path, f"has opset {version or 'none'}; export it with an opset from {OLDEST_OPSET} to {newest}")
    for function in model.functions:
        if function.domain in ("", "ai.onnx"):
            raise refused(path, f"redefines the operator {function.name}; export it without local functions")
    if model.graph.sparse_initializer:
        raise refused(path, "holds sparse weights; save them dense")
    return int(version)


class _Path(Operators):
    """The walk from the input: the value reached so far, its shape, and the constants known."""

    def __init__(self, path: str | os.PathLike[str], graph: onnx.GraphProto, opset: int):
        constants = Constants(path, graph)
        super().__init__(path, constants, Chain(path, np.dtype(np.float32)))
        self.opset = opset
        # Older files list the weights among the inputs too.
        inputs = [value for value in graph.input if value.name not in constants]
        self.one("input", inputs)
        self.end: Ending = ending(graph, constants) or self.one("output", graph.output)
        self.value = self.input = inputs[0].name
        tensor_type = inputs[0].type.tensor_type
        if tensor_type.elem_type not in FLOATS:
            raise self.refused(
                f"input {self.input} is {type_name(tensor_type.elem_type)}; export it in float32 or float64"
            )
        self.chain.dtype = FLOATS[tensor_type.elem_type]
        self.kind = tensor_type.elem_type
        self.start(tensor_type)
        self.seen = {self.value: self.vector()}

    def one(self, kind: str, values: Sequence[onnx.ValueInfoProto]) -> Ending:
        """Refuse a graph without one input or output that has a name."""
        if len(values) != 1 or not values[0].name:
            listed = f" ({', '.join(value.name for value in values)})" if values else ""
            raise self.refused(f"has {len(values)} {kind}s{listed}; a net with one named {kind} is needed")
        return Ending([], values[0].name, None)

    def start(self, tensor_type: onnx.TypeProto.Tensor) -> None:
        """Read the input's shape: `shape` has 1 at `batch_axis`."""
        sizes: list[int | None] = [
            dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in tensor_type.shape.dim
        ]
        names = [dim.dim_param or "batch" for dim in tensor_type.shape.dim]
        written = f"({', '.join(str(size or name) for size, name in zip(sizes, names, strict=True))})"
        free = [axis for axis, size in enumerate(sizes) if size is None]
        self.batch_axis = 0 if len(sizes) > 1 else None
        if len(sizes) == 2 and free == [1]:
            self.batch_axis = 1
        if not sizes or any(axis != self.batch_axis for axis in free):
            raise self.refused(f"input {self.input} has shape {written}; all but the batch dimension must be fixed")
        # Whether (5, 1) is a column of 5 or five rows of one feature is for the first MatMul to say.
        self.perhaps_column = sizes[0] if self.batch_axis == 0 and sizes[1:] == [1] else None
        self.sizes, self.names = sizes, names
        self.shape = tuple(1 if axis == self.batch_axis or size is None else size for axis, size in enumerate(sizes))

    def follow(self) -> tuple[FloatNet, Interface]:
        nodes = self.end.nodes
        for node in nodes:
            self.check(node)
        defined = {self.input}
        computed_later = {name for node in nodes for name in node.output}
        for node in nodes:
            for name in filter(None, node.input):
                if name not in defined and name not in self.constants:
                    where = "a later node computes: sort the nodes" if name in computed_later else "nothing defines"
                    raise self.refused(f"{label(node)} reads {name}, which {where}")
            output = node.output[0] if node.output else ""
            extra = len(node.output) > (2 if node.op_type == "Dropout" else 1)
            if extra or not output or output in defined or output in self.constants:
                raise self.refused(f"{label(node)} must have one output, with a name of its own")
            defined.add(output)
            self.step(node)
        if self.end.output != self.value:
            raise self.refused(
                f"output {self.end.output} is not the last value computed, so the graph branches; cut what follows it"
                if self.end.output in defined
                else f"nothing computes the output {self.end.output}"
            )
        self.cut()
        if self.kind not in (TensorProto.FLOAT, TensorProto.DOUBLE):
            kind = type_name(self.kind)
            self.chain.notes.append(f"Weights of type {kind} are taken as float32, which holds them exactly.")
        net = self.chain.net()
        interface = Interface(
            self.input,
            self.end.output,
            "batch" if self.batch_axis is None else self.names[self.batch_axis],
            self.batch_axis == 0,
            tuple(size for axis, size in enumerate(self.sizes) if axis != self.batch_axis and size),
            tuple(size for axis, size in enumerate(self.shape) if axis != self.batch_axis) or (1,),
        )
        return net, interface

    def cut(self) -> None:
        """Leave off what makes probabilities of the last value, if it does so row by row."""
        node = self.end.cut
        if node is None:
            return
        axis = self.constants.attributes(node).get("axis", -1 if self.opset >= SOFTMAX_LAST else 1)
        if node.op_type != "Sigmoid" and (self.batch_axis != 0 or len(self.shape) != 2 or axis not in (-1, 1)):
            raise self.refused(f"{label(node)} does not run over the features of a value of shape {self.written()}")
        self.chain.cut = node.op_type
        self.chain.notes.append(self.end.note)

    def vector(self) -> list[int]:
        """The running value's shape as the model itself would compute it."""
        return [BATCH if axis == self.batch_axis else size for axis, size in enumerate(self.shape)]

    def check(self, node: onnx.NodeProto) -> None:
        if node.domain not in ("", "ai.onnx") or node.op_type not in ATTRIBUTES:
            domain = f"{node.domain}." if node.domain else ""
            raise self.refused(
                f"operator {domain}{node.op_type} ({node.name or 'no name'}) is not supported; "
                f"absence audits fully connected ReLU nets: {', '.join(ATTRIBUTES)}"
            )
        left = set(ATTRIBUTES[node.op_type])
        for attribute in node.attribute:
            if attribute.name not in left:
                raise self.refused(
                    f"{label(node)} has an attribute {attribute.name}, which is not supported or there twice"
                )
            left.remove(attribute.name)

    def step(self, node: onnx.NodeProto) -> None:
        reads = [name for name in node.input if name and name not in self.constants]
        if node.op_type == "Constant" and node.input:
            raise self.refused(f"{label(node)} has operands")
        if not reads:
            self.constants.fold(node)
            return
        if node.op_type == "Shape" and len(reads) == 1 and reads[0] in self.seen:
            ends = self.constants.attributes(node)
            start, stop = (None if ends.get(name) is None else int(ends[name]) for name in ("start", "end"))
            self.constants.put(node.output[0], np.array(self.seen[reads[0]][start:stop], np.int64))
            return
        if reads != [self.value]:
            raise self.refused(
                f"{label(node)} reads {', '.join(reads)}, so the graph branches; "
                "only a single path of operators is supported"
            )
        getattr(self, f"do_{node.op_type.lower()}", self.do_nothing_known)(node)
        self.value = node.output[0]
        if node.op_type not in ("Identity", "Cast", "Dropout"):
            self.perhaps_column = None
        self.seen[self.value] = self.vector()
