"""One method for each ONNX operator: what it does to the running value's shape, and to the chain of exact maps.

Shapes are followed as onnxruntime would broadcast them, with the batch dimension apart; what mixes rows is refused.
"""

import math
import os
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import onnx
from onnx import TensorProto

from proof_of_absence.models.files.chain import ONE, Chain, exact_array
from proof_of_absence.models.files.constants import BATCH, FLOATS, LARGEST, Constants, label, type_name
from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.steps import Added, Place

__all__ = ["ATTRIBUTES", "Operators"]

# The attributes of each operator; any other one is refused.
ATTRIBUTES: dict[str, set[str]] = {
    "Gemm": {"alpha", "beta", "transA", "transB"},
    "MatMul": set(),
    "Add": set(),
    "Sub": set(),
    "Mul": set(),
    "Div": set(),
    "Neg": set(),
    "BatchNormalization": {"epsilon", "momentum", "training_mode", "spatial"},
    "Relu": set(),
    "Dropout": {"ratio", "seed"},
    "Cast": {"to", "saturate"},
    "Flatten": {"axis"},
    "Reshape": {"allowzero"},
    "Squeeze": {"axes"},
    "Unsqueeze": {"axes"},
    "Identity": set(),
    "Constant": {"value", "value_float", "value_floats", "value_int", "value_ints"},
    "Shape": {"start", "end"},
    "Gather": {"axis"},
    "Concat": {"axis"},
    "Transpose": {"perm"},
}
# Of BatchNormalization, where the file tells none: 1e-5 as float32.
EPSILON = float(np.float32(1e-5))


# The float types that numpy has.
TYPES: dict[int, np.dtype] = {
    TensorProto.FLOAT: np.dtype(np.float32),
    TensorProto.DOUBLE: np.dtype(np.float64),
    TensorProto.FLOAT16: np.dtype(np.float16),
}
# Binary digits of the float types.
DIGITS: dict[int, int] = {
    TensorProto.FLOAT: 24,
    TensorProto.DOUBLE: 53,
    TensorProto.FLOAT16: 11,
    TensorProto.BFLOAT16: 8,
}


class Operators:
    """The running value: its name, type and shape, and the chain that leads to it.

    `shape` has 1 at `batch_axis`, which is None where there is no batch dimension; `sizes` are the input's, None for a
    free one. `perhaps_column` is the number of rows of an input (rows, 1) that may be one column.
    """

    value: str
    kind: int
    shape: tuple[int, ...]
    sizes: list[int | None]
    batch_axis: int | None
    perhaps_column: int | None

    def __init__(self, path: str | os.PathLike[str], constants: Constants, chain: Chain):
        self.path = path
        self.constants = constants
        self.chain = chain

    def refused(self, reason: object) -> InputError:
        return refused(self.path, reason)

    @property
    def dtype(self) -> np.dtype:
        """What holds the numbers of the running value's type."""
        return FLOATS[self.kind]

    # One method for each operator that has the running value among its inputs.

    def do_nothing_known(self, node: onnx.NodeProto) -> None:
        raise self.refused(f"{label(node)} reads the running value; it is supported of constants alone")

    def do_identity(self, node: onnx.NodeProto) -> None:
        self.operands(node, 1)

    def do_cast(self, node: onnx.NodeProto) -> None:
        self.operands(node, 1)
        kind = self.constants.attributes(node).get("to")
        if kind not in FLOATS:
            raise self.refused(f"{label(node)} casts to {type_name(int(kind or 0))}, which is no float type")
        same = f"{label(node)} from {type_name(self.kind)} to {type_name(int(kind))} changes no value over the reals"
        # From how many bits of a mantissa to how many.
        rounds = DIGITS[self.kind] > DIGITS[int(kind)]
        same += "; the running model rounds there." if rounds else "."
        self.kind = int(kind)
        self.chain.same(label(node), same)
        self.chain.dtype = max(self.chain.dtype, self.dtype)

    def do_dropout(self, node: onnx.NodeProto) -> None:
        self.operands(node, 1, 2, 3)
        flag = node.input[2] if len(node.input) == 3 else ""
        if flag and self.constants.array(node, flag, {np.dtype(np.int64)}).any():
            raise self.refused(f"{label(node)} is in training mode; export the model in evaluation mode")
        self.chain.same(label(node), "Dropout is the identity that it is when a net is used.")

    def do_squeeze(self, node: onnx.NodeProto) -> None:
        axes = self.axes(node, len(self.shape))
        if any(self.shape[axis] != 1 for axis in axes):
            raise self.refused(f"{label(node)} squeezes {axes} of a value of shape {self.written()}")
        self.shape = tuple(size for axis, size in enumerate(self.shape) if axis not in axes)

    def do_unsqueeze(self, node: onnx.NodeProto) -> None:
        axes = self.axes(node, len(self.shape) + len(self.constants.axes(node) or ()))
        rest = iter(self.shape)
        self.shape = tuple(1 if axis in axes else next(rest) for axis in range(len(self.shape) + len(axes)))

    def axes(self, node: onnx.NodeProto, dimensions: int) -> list[int]:
        """The axes of a Squeeze or Unsqueeze of the running value, none of which is the batch dimension."""
        told = self.constants.axes(node)
        if told is None or self.batch_axis != 0 or node.input[0] != self.value:
            raise self.refused(f"{label(node)} names no axes, or the value has no batch dimension in first place")
        axes = [axis + dimensions if axis < 0 else axis for axis in told]
        if len(set(axes)) < len(axes) or not all(0 < axis < dimensions for axis in axes):
            raise self.refused(f"{label(node)} with axes {told} does not fit a value of shape {self.written()}")
        return axes

    def do_relu(self, node: onnx.NodeProto) -> None:
        self.operands(node, 1)
        self.chain.relu(label(node))

    def do_gemm(self, node: onnx.NodeProto) -> None:
        weights, constant = self.operands(node, 2, 3)
        if self.batch_axis != 0 or len(self.shape) != 2 or node.input[0] != self.value:
            raise self.refused(f"{label(node)} must have the value of shape (batch, features) as its first operand")
        attributes = self.constants.attributes(node)
        if attributes.get("transA", 0):
            raise self.refused(f"{label(node)} transposes its input (transA), which is not supported")
        matrix = self.matrix(node, weights)
        matrix = matrix if attributes.get("transB", 0) else matrix.T
        bias = self.spread(node, constant, (1, len(matrix))) if constant else np.zeros(len(matrix))
        alpha, beta = (Fraction(attributes.get(name, 1)) for name in ("alpha", "beta"))
        weights_there, bias_there = self.scaled(alpha, matrix), self.scaled(beta, bias)
        if weights_there is not None and bias_there is not None:
            added = self.added(node, 2, bias, beta) if constant and beta else None
            lie = self.lie(node, 2, bias) if constant else ()
            self.affine(node, weights_there, bias_there, 1 if attributes.get("transB", 0) else 0, added, alpha, lie)
        else:
            self.affine(node, matrix, np.zeros(len(matrix)), 1 if attributes.get("transB", 0) else 0)
            self.chain.scale([alpha] * len(matrix), label(node))
            lie = self.lie(node, 2, bias) if constant else ()
            self.chain.shift([beta * Fraction(b) for b in bias.tolist()], label(node), lie=lie)
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
                f"{label(node)} multiplies weights {matrix.shape} with a value of shape {self.written()}"
            )
        self.affine(node, matrix, np.zeros(len(matrix)), int(node.input[0] != self.value))
        self.shape = tuple(len(matrix) if axis == features else size for axis, size in enumerate(self.shape))

    def do_add(self, node: onnx.NodeProto) -> None:
        (name,) = self.operands(node, 2)
        constant = self.spread(node, name, self.shape)
        operand = list(node.input).index(name)
        self.chain.shift(constant, label(node), self.added(node, operand, constant), self.lie(node, operand, constant))

    def do_sub(self, node: onnx.NodeProto) -> None:
        (name,) = self.operands(node, 2)
        constant = self.spread(node, name, self.shape)
        if node.input[0] == self.value:
            added, lie = self.added(node, 1, constant, Fraction(-1)), self.lie(node, 1, constant)
            self.chain.shift(-constant, label(node), added, lie)
        else:
            self.chain.scale([Fraction(-1)] * len(constant), label(node))
            self.chain.shift(constant, label(node), lie=self.lie(node, 0, constant))

    def do_neg(self, node: onnx.NodeProto) -> None:
        self.operands(node, 1)
        self.affordable(node, self.shape)
        self.chain.scale([Fraction(-1)] * math.prod(self.shape), label(node))

    def do_mul(self, node: onnx.NodeProto) -> None:
        (name,) = self.operands(node, 2)
        factors = self.factors(node, name)
        self.chain.scale(factors, label(node), lie=self.lie(node, list(node.input).index(name), factors))

    def do_div(self, node: onnx.NodeProto) -> None:
        (name,) = self.operands(node, 2)
        factors = self.factors(node, name)
        if node.input[0] != self.value or not all(factors):
            raise self.refused(f"{label(node)} divides by the running value or by 0, which is not supported")
        self.chain.scale([1 / factor for factor in factors], label(node), lie=self.lie(node, 1, factors))

    def do_batchnormalization(self, node: onnx.NodeProto) -> None:
        if len(node.input) != 5 or node.input[0] != self.value or self.batch_axis != 0 or len(self.shape) != 2:
            raise self.refused(f"{label(node)} must have a value of shape (batch, features) and four constants")
        attributes = self.constants.attributes(node)
        if attributes.get("training_mode", 0):
            raise self.refused(f"{label(node)} is in training mode; export the model in evaluation mode")
        scale, shift, mean, variance = (self.spread(node, name, self.shape) for name in node.input[1:])
        lie = tuple(place for operand in range(1, 5) for place in self.lie(node, operand, shift))
        self.chain.normalise(
            mean, variance, attributes.get("epsilon", EPSILON), scale, shift, label(node),
            added=self.added(node, 2, shift), lie=lie,
        )  # fmt: skip

    def factors(self, node: onnx.NodeProto, name: str) -> list[Fraction]:
        """A constant of the value's shape as exact numbers."""
        constant = self.spread(node, name, self.shape)
        if not np.isfinite(constant).all():
            raise self.refused(f"{label(node)} holds NaN or infinity")
        return list(map(Fraction, constant.tolist()))

    def do_flatten(self, node: onnx.NodeProto) -> None:
        self.operands(node, 1)
        self.chain.same(label(node))
        axis = self.constants.attributes(node).get("axis", 1)
        if not isinstance(axis, int):
            raise self.refused(f"{label(node)} has an attribute axis that is no integer")
        axis += len(self.shape) if axis < 0 else 0
        if self.batch_axis != 0 or not 1 <= axis < len(self.shape) or math.prod(self.shape[:axis]) != 1:
            raise self.refused(f"{label(node)} with axis {axis} mixes rows of the value of shape {self.written()}")
        self.shape = (1, math.prod(self.shape))

    def do_reshape(self, node: onnx.NodeProto) -> None:
        (name,) = self.operands(node, 2)
        target = np.atleast_1d(self.constants.array(node, name, {np.dtype(np.int64)})).tolist()
        fixed = self.sizes[0]
        features = math.prod(self.shape)
        # -1 stands for what is left, 0 for the batch. (1, -1) merges the rows of a batch, (1, features) fails on one.
        whole = [[-1, features], [0, features], [0, -1], [fixed or 1, features], [BATCH, features], [BATCH, -1]]
        whole += [[fixed, -1]] if fixed else []
        zeros = 0 in target and self.constants.attributes(node).get("allowzero", 0)
        if self.batch_axis != 0 or target not in whole or zeros:
            told = f"[{', '.join('batch' if size == BATCH else str(size) for size in target)}]"
            raise self.refused(
                f"{label(node)} to {told} does not flatten the value of shape {self.written()} row by row"
            )
        self.chain.same(label(node))
        self.shape = (1, features)

    # What the operators share.

    def operands(self, node: onnx.NodeProto, *counts: int) -> list[str]:
        """The names of the constant operands, empty for a missing last one."""
        if len(node.input) not in counts or not all(node.input[: min(counts)]):
            raise self.refused(f"{label(node)} has {len(node.input)} operands")
        names = list(node.input)
        names.remove(self.value)
        return names + [""] * (max(counts) - len(node.input))

    def affine(
        self,
        node: onnx.NodeProto,
        matrix: np.ndarray,
        bias: np.ndarray,
        inputs: int,
        added: Added | None = None,
        factor: Fraction = ONE,
        lie: tuple[Place, ...] = (),
    ) -> None:
        """A map with weights, `factor` times those of the file, whose axis `inputs` is that of the inputs."""
        if matrix.shape[1] != math.prod(self.shape):
            raise self.refused(f"{label(node)} reads {matrix.shape[1]} values, there are {math.prod(self.shape)}")
        (operand,) = (k for k, name in enumerate(node.input[:2]) if name != self.value)
        shape = matrix.shape if inputs else matrix.shape[::-1]
        place = Place(node.output[0], operand, shape, inputs)
        self.chain.affine(
            matrix, bias, label(node), place=place, added=added, dtype=TYPES.get(self.kind), factor=factor, lie=lie
        )

    def added(
        self, node: onnx.NodeProto, operand: int, numbers: np.ndarray, factor: Fraction = Fraction(1)
    ) -> Added | None:
        """What an operand adds, if it has a number for each output, of a type that numpy has."""
        constant = self.constants.array(node, node.input[operand], {self.dtype})
        if constant.size != len(numbers) or self.kind not in TYPES:
            return None
        return Added(Place(node.output[0], operand, constant.shape), numbers, TYPES[self.kind], factor)

    def lie(self, node: onnx.NodeProto, operand: int, numbers: Sequence[object] | np.ndarray) -> tuple[Place, ...]:
        """Where an operand lies, if it has a number for each output."""
        constant = self.constants.array(node, node.input[operand], {self.dtype})
        return (Place(node.output[0], operand, constant.shape),) if constant.size == len(numbers) else ()

    def matrix(self, node: onnx.NodeProto, name: str) -> np.ndarray:
        result = self.constants.array(node, name, {self.dtype})
        if result.ndim != 2 or not result.size:
            raise self.refused(f"{label(node)} has weights {name} of shape {result.shape}; a matrix is needed")
        return result

    def spread(self, node: onnx.NodeProto, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """A constant broadcast to the value's shape, flat."""
        constant = self.constants.array(node, name, {self.dtype})
        self.affordable(node, shape)
        try:
            return np.broadcast_to(constant, shape).flatten()
        except ValueError as error:
            reason = f"{label(node)} adds {name} of shape {constant.shape} to a value of shape {self.written(shape)}"
            raise self.refused(reason) from error

    def affordable(self, node: onnx.NodeProto, shape: tuple[int, ...]) -> None:
        """Refuse an operator with an exact number for each of more values than memory is for."""
        if math.prod(shape) > LARGEST:
            raise self.refused(f"{label(node)} acts on each of {math.prod(shape)} values; at most {LARGEST} are taken")

    def scaled(self, factor: Fraction, values: np.ndarray) -> np.ndarray | None:
        """The values times a number; None if that is no value of the type."""
        if factor == 1 or not np.isfinite(values).all():
            return values
        return exact_array((factor * Fraction(x) for x in values.ravel().tolist()), values.shape, self.dtype)

    def written(self, shape: tuple[int, ...] | None = None) -> str:
        sizes = self.shape if shape is None else shape
        return f"({', '.join('batch' if axis == self.batch_axis else str(size) for axis, size in enumerate(sizes))})"
