"""From an ONNX graph to a chain of exact affine maps and ReLU: one path from one input to one output, or why not.

Shapes are followed as onnxruntime would broadcast them, with the batch dimension apart; what mixes rows is refused.
"""

import math
import os
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from proof_of_absence.models.files.chain import Chain, exact_array
from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.files.external import inlined
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["Interface", "follow"]

# The attributes of each operator; any other one is refused.
ATTRIBUTES: dict[str, set[str]] = {
    "Gemm": {"alpha", "beta", "transA", "transB"},
    "MatMul": set(),
    "Add": set(),
    "Sub": set(),
    "Relu": set(),
    "Flatten": {"axis"},
    "Reshape": {"allowzero"},
    "Identity": set(),
    "Constant": {"value", "value_float", "value_floats", "value_int", "value_ints"},
}
# Before it, Add and Gemm broadcast by rules of their own.
OLDEST_OPSET = 7
TYPES: dict[int, np.dtype] = {TensorProto.FLOAT: np.dtype(np.float32), TensorProto.DOUBLE: np.dtype(np.float64)}


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
    _check_header(path, model)
    return _Path(path, model.graph).follow()


def _check_header(path: str | os.PathLike[str], model: onnx.ModelProto) -> None:
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


class _Path:
    """The walk from the input: the value reached so far, its shape, and the constants known."""

    def __init__(self, path: str | os.PathLike[str], graph: onnx.GraphProto):
        self.path = path
        self.graph = graph
        self.constants: dict[str, TensorProto | onnx.NodeProto] = {}
        for tensor in graph.initializer:
            if tensor.name in self.constants:
                raise self.refused(f"initializer {tensor.name} is there twice")
            self.constants[tensor.name] = tensor
        # Older files list the weights among the inputs too.
        inputs = [value for value in graph.input if value.name not in self.constants]
        for kind, values in (("input", inputs), ("output", graph.output)):
            if len(values) != 1 or not values[0].name:
                raise self.refused(f"has {len(values)} {kind}s; a net with one named {kind} is needed")
        self.value = self.input = inputs[0].name
        self.output = graph.output[0].name
        tensor_type = inputs[0].type.tensor_type
        if tensor_type.elem_type not in TYPES:
            raise self.refused(
                f"input {self.input} is {_type_name(tensor_type.elem_type)}; export it in float32 or float64"
            )
        self.dtype = TYPES[tensor_type.elem_type]
        self.chain = Chain(path, self.dtype)
        self.start(tensor_type)

    def refused(self, reason: object) -> InputError:
        return refused(self.path, reason)

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
        for node in self.graph.node:
            self.check(node)
        defined = {self.input, *self.constants}
        computed_later = {name for node in self.graph.node for name in node.output}
        for node in self.graph.node:
            for name in filter(None, node.input):
                if name not in defined:
                    where = "a later node computes: sort the nodes" if name in computed_later else "nothing defines"
                    raise self.refused(f"{_label(node)} reads {name}, which {where}")
            if len(node.output) != 1 or not node.output[0] or node.output[0] in defined:
                raise self.refused(f"{_label(node)} must have one output, with a name of its own")
            defined.add(node.output[0])
            self.step(node)
        if self.output != self.value:
            raise self.refused(
                f"output {self.output} is not the last value computed, so the graph branches; cut what follows it"
                if self.output in defined
                else f"nothing computes the output {self.output}"
            )
        net = self.chain.net()
        interface = Interface(
            self.input,
            self.output,
            "batch" if self.batch_axis is None else self.names[self.batch_axis],
            self.batch_axis == 0,
            tuple(size for axis, size in enumerate(self.sizes) if axis != self.batch_axis and size),
            tuple(size for axis, size in enumerate(self.shape) if axis != self.batch_axis),
        )
        return net, interface

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
                    f"{_label(node)} has an attribute {attribute.name}, which is not supported or there twice"
                )
            left.remove(attribute.name)

    def step(self, node: onnx.NodeProto) -> None:
        reads = [name for name in node.input if name and name not in self.constants]
        output = node.output[0]
        if node.op_type == "Constant" and node.input:
            raise self.refused(f"{_label(node)} has operands")
        if not reads:
            if node.op_type == "Constant":
                self.constants[output] = node
            elif node.op_type == "Identity" and len(node.input) == 1 and node.input[0]:
                self.constants[output] = self.constants[node.input[0]]
            else:
                raise self.refused(
                    f"{_label(node)} computes from constants alone; export the model with constants folded"
                )
            return
        if reads != [self.value]:
            raise self.refused(
                f"{_label(node)} reads {', '.join(reads)}, so the graph branches; "
                "only a single path of operators is supported"
            )
        getattr(self, f"do_{node.op_type.lower()}")(node)
        self.value = output
        if node.op_type != "Identity":
            self.perhaps_column = None

    # One method for each operator that has the running value among its inputs.

    def do_identity(self, node: onnx.NodeProto) -> None:
        self.operands(node, 1)

    def do_relu(self, node: onnx.NodeProto) -> None:
        self.operands(node, 1)
        self.chain.relu(_label(node))

    def do_gemm(self, node: onnx.NodeProto) -> None:
        weights, constant = self.operands(node, 2, 3)
        if self.batch_axis != 0 or len(self.shape) != 2 or node.input[0] != self.value:
            raise self.refused(f"{_label(node)} must have the value of shape (batch, features) as its first operand")
        attributes = self.attributes(node)
        if attributes.get("transA", 0):
            raise self.refused(f"{_label(node)} transposes its input (transA), which is not supported")
        matrix = self.matrix(node, weights)
        matrix = matrix if attributes.get("transB", 0) else matrix.T
        bias = self.spread(node, constant, (1, len(matrix))) if constant else np.zeros(len(matrix))
        matrix = self.scaled(node, "alpha", attributes, matrix)
        bias = self.scaled(node, "beta", attributes, bias)
        self.affine(node, matrix, bias)
        self.shape = (1, len(matrix))

    def do_matmul(self, node: onnx.NodeProto) -> None:
        (weights,) = self.operands(node, 2)
        matrix = self.matrix(node, weights)
        if node.input[0] == self.value:
            features = len(self.shape) - 1
            fits = self.batch_axis != features and math.prod(self.shape[:-1]) == 1
            matrix = matrix.T
        else:
            if self.perhaps_column:
                self.batch_axis, self.shape = 1, (self.perhaps_column, 1)
            features = 0
            fits = self.batch_axis is None or (self.batch_axis == 1 and len(self.shape) == 2)
        if not fits:
            raise self.refused(
                f"{_label(node)} multiplies weights {matrix.shape} with a value of shape {self.written()}"
            )
        self.affine(node, matrix, np.zeros(len(matrix)))
        self.shape = tuple(len(matrix) if axis == features else size for axis, size in enumerate(self.shape))

    def do_add(self, node: onnx.NodeProto) -> None:
        (name,) = self.operands(node, 2)
        self.chain.shift(self.spread(node, name, self.shape), _label(node))

    def do_sub(self, node: onnx.NodeProto) -> None:
        (name,) = self.operands(node, 2)
        if node.input[0] != self.value:
            raise self.refused(f"{_label(node)} subtracts from a constant; only subtracting one is supported")
        self.chain.shift(-self.spread(node, name, self.shape), _label(node))

    def do_flatten(self, node: onnx.NodeProto) -> None:
        self.operands(node, 1)
        axis = self.attributes(node).get("axis", 1)
        if not isinstance(axis, int):
            raise self.refused(f"{_label(node)} has an attribute axis that is no integer")
        axis += len(self.shape) if axis < 0 else 0
        if self.batch_axis != 0 or not 1 <= axis < len(self.shape) or math.prod(self.shape[:axis]) != 1:
            raise self.refused(f"{_label(node)} with axis {axis} mixes rows of the value of shape {self.written()}")
        self.shape = (1, math.prod(self.shape))

    def do_reshape(self, node: onnx.NodeProto) -> None:
        (name,) = self.operands(node, 2)
        target = self.array(node, name, {np.dtype(np.int64)}).tolist()
        fixed = self.sizes[0]
        features = math.prod(self.shape)
        # -1 stands for what is left, 0 for the batch. (1, -1) merges the rows of a batch, (1, features) fails on one.
        whole = [[-1, features], [0, features], [0, -1], [fixed or 1, features], *([[fixed, -1]] if fixed else [])]
        if self.batch_axis != 0 or target not in whole or (0 in target and self.attributes(node).get("allowzero", 0)):
            raise self.refused(
                f"{_label(node)} to {target} does not flatten the value of shape {self.written()} row by row"
            )
        self.shape = (1, features)

    # What the operators share.

    def operands(self, node: onnx.NodeProto, *counts: int) -> list[str]:
        """The names of the constant operands, empty for a missing last one."""
        if len(node.input) not in counts or not all(node.input[: min(counts)]):
            raise self.refused(f"{_label(node)} has {len(node.input)} operands")
        names = list(node.input)
        names.remove(self.value)
        return names + [""] * (max(counts) - len(node.input))

    def attributes(self, node: onnx.NodeProto) -> dict[str, int | float]:
        result = {attribute.name: self.value_of(node, attribute) for attribute in node.attribute}
        for name, value in result.items():
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise self.refused(f"{_label(node)} has an attribute {name} that is no number")
        return result

    def value_of(self, node: onnx.NodeProto, attribute: onnx.AttributeProto) -> Any:
        try:
            return onnx.helper.get_attribute_value(attribute)
        except ValueError as error:
            raise self.refused(f"{_label(node)} has an attribute {attribute.name} without a value") from error

    def affine(self, node: onnx.NodeProto, matrix: np.ndarray, bias: np.ndarray) -> None:
        if matrix.shape[1] != math.prod(self.shape):
            raise self.refused(f"{_label(node)} reads {matrix.shape[1]} values, there are {math.prod(self.shape)}")
        self.chain.affine(matrix, bias, _label(node))

    def matrix(self, node: onnx.NodeProto, name: str) -> np.ndarray:
        result = self.array(node, name, {self.dtype})
        if result.ndim != 2 or not result.size:
            raise self.refused(f"{_label(node)} has weights {name} of shape {result.shape}; a matrix is needed")
        return result

    def spread(self, node: onnx.NodeProto, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """A constant broadcast to the value's shape, flat."""
        constant = self.array(node, name, {self.dtype})
        try:
            return np.broadcast_to(constant, shape).flatten()
        except ValueError as error:
            reason = f"{_label(node)} adds {name} of shape {constant.shape} to a value of shape {self.written(shape)}"
            raise self.refused(reason) from error

    def scaled(
        self, node: onnx.NodeProto, name: str, attributes: dict[str, int | float], values: np.ndarray
    ) -> np.ndarray:
        factor = Fraction(attributes.get(name, 1))
        if factor == 1 or not np.isfinite(values).all():
            return values
        result = exact_array((factor * Fraction(x) for x in values.ravel().tolist()), values.shape, self.dtype)
        if result is None:
            raise self.refused(
                f"{_label(node)}: {name} times its weights is no {self.dtype}; fold {name} into the weights"
            )
        return result

    def array(self, node: onnx.NodeProto, name: str, types: set[np.dtype]) -> np.ndarray:
        """The constant, in float64 unless it is of integers."""
        constant = self.constants[name]
        result = self.of_tensor(name, constant) if isinstance(constant, TensorProto) else self.of_constant(constant)
        if result.dtype not in types:
            wanted = " or ".join(sorted(map(str, types)))
            raise self.refused(f"{_label(node)} has an operand {name} of type {result.dtype} where {wanted} is needed")
        return result if result.dtype == np.int64 else result.astype(np.float64)

    def of_constant(self, node: onnx.NodeProto) -> np.ndarray:
        if len(node.attribute) != 1:
            raise self.refused(f"{_label(node)} must have one value")
        (attribute,) = node.attribute
        value = self.value_of(node, attribute)
        if attribute.name == "value":
            if not isinstance(value, TensorProto):
                raise self.refused(f"{_label(node)} has a value that is no tensor")
            return self.of_tensor(node.output[0], value)
        kinds: dict[str, type] = {"value_float": float, "value_floats": list, "value_int": int, "value_ints": list}
        if not isinstance(value, kinds[attribute.name]):
            raise self.refused(f"{_label(node)} has a {attribute.name} that is none")
        return np.array(value, np.float32 if "float" in attribute.name else np.int64)

    def of_tensor(self, name: str, tensor: TensorProto) -> np.ndarray:
        if tensor.data_type not in (*TYPES, TensorProto.INT64):
            raise self.refused(f"{name} is {_type_name(tensor.data_type)}; save weights as float32 or float64")
        if tensor.data_location == TensorProto.EXTERNAL:
            tensor = inlined(self.path, tensor)
        try:
            return onnx.numpy_helper.to_array(tensor)
        except Exception as error:
            raise self.refused(
                f"the data of {name} does not fit its shape {list(tensor.dims)}; export it again"
            ) from error

    def written(self, shape: tuple[int, ...] | None = None) -> str:
        sizes = self.shape if shape is None else shape
        return f"({', '.join('batch' if axis == self.batch_axis else str(size) for axis, size in enumerate(sizes))})"


def _label(node: onnx.NodeProto) -> str:
    return f"{node.op_type} ({node.name or ', '.join(node.output)})"


def _type_name(number: int) -> str:
    return TensorProto.DataType.Name(number) if number in TensorProto.DataType.values() else f"type {number}"
