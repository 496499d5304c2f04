"""The constants of an ONNX graph: weights, and what the graph computes from weights and from shapes alone.

Shapes are vectors of integers in which `BATCH` stands for the number of rows, as ``x.view(x.size(0), -1)`` is exported.
"""

import math
import os
from collections.abc import Collection
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.files.external import inlined

__all__ = ["BATCH", "FLOATS", "LARGEST", "Constants", "label", "type_name"]

# Float types of the file, and the type that holds each exactly.
FLOATS: dict[int, np.dtype] = {
    TensorProto.FLOAT: np.dtype(np.float32),
    TensorProto.DOUBLE: np.dtype(np.float64),
    TensorProto.FLOAT16: np.dtype(np.float32),
    TensorProto.BFLOAT16: np.dtype(np.float32),
}
INTEGERS: dict[int, np.dtype] = dict.fromkeys(
    (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL), np.dtype(np.int64)
)
# Entries of a constant that is put together of others: twice itself, again and again, is soon more than memory.
LARGEST = 2**20
# No size is as small as this: a size that only the running model knows.
BATCH = -(2**62)


class Constants:
    """What is known by name before anything runs."""

    def __init__(self, path: str | os.PathLike[str], graph: onnx.GraphProto):
        self.path = path
        self._known: dict[str, TensorProto | onnx.NodeProto | np.ndarray] = {}
        for tensor in graph.initializer:
            if tensor.name in self._known:
                raise self.refused(f"initializer {tensor.name} is there twice")
            self._known[tensor.name] = tensor

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def refused(self, reason: object) -> InputError:
        return refused(self.path, reason)

    def put(self, name: str, value: np.ndarray) -> None:
        """A constant that was computed."""
        self._known[name] = value

    def attributes(self, node: onnx.NodeProto) -> dict[str, int | float]:
        result = {attribute.name: self.value_of(node, attribute) for attribute in node.attribute}
        for name, value in result.items():
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise self.refused(f"{label(node)} has an attribute {name} that is no number")
        return result

    def value_of(self, node: onnx.NodeProto, attribute: onnx.AttributeProto) -> Any:
        try:
            return onnx.helper.get_attribute_value(attribute)
        except ValueError as error:
            raise self.refused(f"{label(node)} has an attribute {attribute.name} without a value") from error

    def axes(self, node: onnx.NodeProto) -> list[int] | None:
        """The axes of a Squeeze or Unsqueeze, an attribute before opset 13 and an operand since."""
        if len(node.input) == 2 and node.input[1]:
            if node.input[1] not in self._known:
                raise self.refused(f"{label(node)} computes its axes, which is not supported")
            return [int(axis) for axis in np.atleast_1d(self.array(node, node.input[1], {np.dtype(np.int64)}))]
        for attribute in node.attribute:
            if attribute.name == "axes":
                return [int(axis) for axis in self.value_of(node, attribute)]
        return None

    def array(self, node: onnx.NodeProto, name: str, types: Collection[np.dtype]) -> np.ndarray:
        """The constant, in float64 unless it is of integers."""
        if name not in self._known:
            raise self.refused(f"{label(node)} reads {name or 'nothing'} where a constant is needed")
        result = self._array(name)
        if result.dtype not in types:
            wanted = " or ".join(sorted(map(str, types)))
            raise self.refused(f"{label(node)} has an operand {name} of type {result.dtype} where {wanted} is needed")
        return result if result.dtype == np.int64 else result.astype(np.float64)

    def as_it_is(self, name: str) -> np.ndarray:
        """The constant in its own type, which is wider for those of 16 bits."""
        return self._array(name)

    def _array(self, name: str) -> np.ndarray:
        match self._known[name]:
            case TensorProto() as tensor:
                return self._of_tensor(name, tensor)
            case np.ndarray() as array:
                return array
            case node:
                return self._of_constant(node)

    def fold(self, node: onnx.NodeProto) -> None:
        """Take in a node that computes from constants alone.

        Raises
        ------
        InputError
            If it is none of those that exporters leave there.
        """
        output = node.output[0]
        if node.op_type == "Constant":
            self._known[output] = node
        elif node.op_type == "Identity" and len(node.input) == 1 and node.input[0]:
            self._known[output] = self._known[node.input[0]]
        elif node.op_type in _FOLDS and node.input and all(node.input):
            try:
                self._known[output] = getattr(self, f"_fold_{node.op_type.lower()}")(node)
            except (ValueError, IndexError, TypeError, KeyError, OverflowError) as error:
                raise self.refused(f"{label(node)} does not fit its operands: {error}") from error
        else:
            raise self.refused(f"{label(node)} computes from constants alone; export the model with constants folded")

    def _fold_transpose(self, node: onnx.NodeProto) -> np.ndarray:
        order = [self.value_of(node, attribute) for attribute in node.attribute]
        return np.transpose(self._array(node.input[0]), *order)

    def _fold_unsqueeze(self, node: onnx.NodeProto) -> np.ndarray:
        return np.expand_dims(self._array(node.input[0]), tuple(self.axes(node) or ()))

    def _fold_squeeze(self, node: onnx.NodeProto) -> np.ndarray:
        axes = self.axes(node)
        return np.squeeze(self._array(node.input[0]), None if axes is None else tuple(axes))

    def _fold_gather(self, node: onnx.NodeProto) -> np.ndarray:
        values, places = map(self._array, node.input)
        if values.ndim != 1 or self.attributes(node).get("axis", 0) not in (0, -1) or places.dtype != np.int64:
            raise self.refused(f"{label(node)} gathers from weights, which is not supported")
        return np.asarray(values[places])

    def _fold_concat(self, node: onnx.NodeProto) -> np.ndarray:
        parts = list(map(self._array, node.input))
        if sum(part.size for part in parts) > LARGEST:
            raise self.refused(f"{label(node)} computes more than {LARGEST} constants; export them folded")
        return np.concatenate(parts, int(self.attributes(node)["axis"]))

    def _fold_cast(self, node: onnx.NodeProto) -> np.ndarray:
        values, kind = self._array(node.input[0]), self.attributes(node).get("to", 0)
        # By the numbers of FLOAT, DOUBLE and INT64. A narrower type would round.
        kinds: dict[int, np.dtype] = {1: np.dtype(np.float32), 11: np.dtype(np.float64), 7: np.dtype(np.int64)}
        result = values.astype(kinds[int(kind)]) if kind in kinds else values
        if kind not in kinds or (values.dtype == np.int64) != (result.dtype == np.int64) or (result != values).any():
            raise self.refused(f"{label(node)} casts a constant to another value; export it with constants folded")
        return result

    def _of_constant(self, node: onnx.NodeProto) -> np.ndarray:
        if len(node.attribute) != 1:
            raise self.refused(f"{label(node)} must have one value")
        (attribute,) = node.attribute
        value = self.value_of(node, attribute)
        if attribute.name == "value":
            if not isinstance(value, TensorProto):
                raise self.refused(f"{label(node)} has a value that is no tensor")
            return self._of_tensor(node.output[0], value)
        kinds: dict[str, type] = {"value_float": float, "value_floats": list, "value_int": int, "value_ints": list}
        if not isinstance(value, kinds.get(attribute.name, ())):
            raise self.refused(f"{label(node)} has a {attribute.name} that is none")
        return np.array(value, np.float32 if "float" in attribute.name else np.int64)

    def _of_tensor(self, name: str, tensor: TensorProto) -> np.ndarray:
        kinds = {**FLOATS, **INTEGERS}
        if tensor.data_type not in kinds:
            raise self.refused(f"{name} is {type_name(tensor.data_type)}; save weights as float32 or float64")
        if tensor.data_location == TensorProto.EXTERNAL:
            tensor = inlined(self.path, tensor)
        try:
            # float16 and bfloat16 go to float32, which holds them.
            return onnx.numpy_helper.to_array(tensor).astype(kinds[tensor.data_type])
        except Exception as error:
            raise self.refused(
                f"the data of {name} does not fit its shape {list(tensor.dims)}; export it again"
            ) from error


_FOLDS = {"Transpose", "Unsqueeze", "Squeeze", "Gather", "Concat", "Cast"}


def label(node: onnx.NodeProto) -> str:
    """A node as messages name it."""
    return f"{node.op_type} ({node.name or ', '.join(node.output)})"


def type_name(number: int) -> str:
    """The name of an ONNX type."""
    return TensorProto.DataType.Name(number) if number in TensorProto.DataType.values() else f"type {number}"
