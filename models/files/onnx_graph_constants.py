"""Constants of an ONNX graph beyond those of a dense chain: sizes that are computed, and floats, all exactly.

What rearranges a constant is in `onnx_graph_layout`, the same as for values.
"""

from collections.abc import Callable
from fractions import Fraction
from math import prod

import numpy as np
import onnx
from onnx import TensorProto

from proof_of_absence.models.files.chain import exact_array
from proof_of_absence.models.files.constants import BATCH, LARGEST, Constants, label

__all__ = ["ARITHMETIC", "GraphConstants"]

ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a / b,
}


class GraphConstants(Constants):
    """As `Constants`, with arithmetic of constants where its result is a number of their type."""

    # How many numbers were computed so far.
    computed = 0

    def is_stored(self, name: str) -> bool:
        """Whether the file holds its numbers: it is an initializer or a tensor of a Constant node."""
        found = self._known.get(name)
        match found:
            case TensorProto():
                return bool(found.name == name)
            case onnx.NodeProto():
                return bool(found.output[0] == name) and [one.name for one in found.attribute] == ["value"]
            case _:
                return False

    def shape(self, name: str) -> tuple[int, ...]:
        """Its shape, without reading the numbers of an initializer."""
        found = self._known[name]
        return tuple(found.dims) if isinstance(found, TensorProto) else self._array(name).shape

    def fold(self, node: onnx.NodeProto) -> None:
        """As in `Constants`."""
        if node.op_type == "Shape" and len(node.input) == 1:
            ends = self.attributes(node)
            start, stop = (None if ends.get(name) is None else int(ends[name]) for name in ("start", "end"))
            self.put(node.output[0], np.array(self.shape(node.input[0])[start:stop], np.int64))
        elif node.op_type == "ConstantOfShape" and len(node.input) == 1:
            self.put(node.output[0], self._filled(node))
        elif node.op_type in (*ARITHMETIC, "Neg") and len(node.input) == (1 if node.op_type == "Neg" else 2):
            self.put(node.output[0], self._computed(node))
        else:
            super().fold(node)

    def _filled(self, node: onnx.NodeProto) -> np.ndarray:
        shape = [int(size) for size in np.atleast_1d(self.array(node, node.input[0], {np.dtype(np.int64)}))]
        if min(shape, default=0) < 0 or prod(shape) > LARGEST:
            raise self.refused(f"{label(node)} fills a constant of shape {shape}")
        values = [self.value_of(node, attribute) for attribute in node.attribute if attribute.name == "value"]
        one = self._of_tensor(node.output[0], values[0]) if values else np.zeros(1, np.float32)
        if one.size != 1:
            raise self.refused(f"{label(node)} has a value that is no one number")
        return np.full(shape, one.reshape(()))

    def _computed(self, node: onnx.NodeProto) -> np.ndarray:
        arrays = [self._array(name) for name in node.input]
        kinds = {array.dtype for array in arrays}
        if len(kinds) != 1:
            raise self.refused(f"{label(node)} computes with constants of several types")
        (kind,) = kinds
        try:
            wide = np.broadcast_arrays(*arrays)
        except ValueError as error:
            raise self.refused(f"{label(node)} does not fit its operands: {error}") from error
        self.computed += wide[0].size
        if self.computed > LARGEST:
            raise self.refused(f"{label(node)} computes more than {LARGEST} constants; export them folded")
        columns = [array.reshape(-1).tolist() for array in wide]
        if kind == np.int64 and any(BATCH in column for column in columns):
            raise self.refused(f"{label(node)} computes with the number of rows, which is not supported")
        if kind != np.int64 and not all(np.isfinite(array).all() for array in arrays):
            raise self.refused(f"{label(node)} holds NaN or infinity")
        try:
            found = [self._of(node.op_type, *map(Fraction, numbers)) for numbers in zip(*columns, strict=True)]
        except ZeroDivisionError as error:
            raise self.refused(f"{label(node)} divides by 0") from error
        if kind == np.int64:
            whole = [int(number) for number in found]
            if any(abs(number) >= -BATCH for number in whole):
                raise self.refused(f"{label(node)} computes an integer that is too large")
            return np.array(whole, np.int64).reshape(wide[0].shape)
        exact = exact_array(found, wide[0].shape, kind)
        if exact is None:
            raise self.refused(
                f"{label(node)} computes from constants alone what no {kind} holds; export the model with constants "
                "folded"
            )
        return exact.astype(kind)

    @staticmethod
    def _of(operator: str, *numbers: Fraction) -> Fraction:
        if operator == "Neg":
            return -numbers[0]
        # Of integers ONNX rounds a quotient towards 0, as int does.
        return ARITHMETIC[operator](numbers[0], numbers[1])
