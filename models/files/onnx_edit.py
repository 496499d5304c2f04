"""An ONNX model with some of its constants edited: the same nodes, names, types and shapes.

A constant that one node alone reads, and that is an initializer, is edited where it lies; else its node gets its own.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
from onnx import TensorProto

from proof_of_absence.models.editing import Edits
from proof_of_absence.models.files import disk
from proof_of_absence.models.files.constants import Constants, label
from proof_of_absence.models.files.disk import InputError, content, refused
from proof_of_absence.models.files.external import inlined
from proof_of_absence.models.files.onnx import LARGEST
from proof_of_absence.models.steps import Place

__all__ = ["edit"]

# Before it, an initializer had to be among the inputs.
FREE_INITIALIZERS = 4
NARROW = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


def edit(like: str | os.PathLike[str], path: Path, edits: Edits) -> None:
    """Write the model `like`, which can be read, with its edits; weights in another file are put inside.

    Raises
    ------
    InputError
        If the model passes 2 GiB, a constant of 16 bits is computed in the graph, or the file cannot be written.
    """
    model = onnx.ModelProto()
    model.ParseFromString(content(like, limit=LARGEST))
    for tensor in _tensors(model.graph):
        if tensor.data_location == TensorProto.EXTERNAL:
            tensor.CopyFrom(inlined(like, tensor))
    for place, change in edits.items():
        _edit(like, model, place, change)
    if model.ByteSize() > LARGEST - 2**20:
        raise refused(path, "the model would pass 2 GiB, the limit of an ONNX file")
    disk.write(path, model.SerializeToString())


def _tensors(graph: onnx.GraphProto) -> Iterator[TensorProto]:
    """The initializers and the values of Constant nodes."""
    yield from graph.initializer
    yield from (attribute.t for node in graph.node for attribute in node.attribute if attribute.HasField("t"))


def _edit(
    like: str | os.PathLike[str], model: onnx.ModelProto, place: Place, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    graph = model.graph
    (node,) = (node for node in graph.node if place.owner in node.output)
    name = node.input[place.operand]
    own = [tensor for tensor in graph.initializer if tensor.name == name]
    used = sum(list(node.input).count(name) for node in graph.node) + sum(end.name == name for end in graph.output)
    if own and used == 1:
        array = onnx.numpy_helper.to_array(own[0])
        changed = change(array.astype(np.float64)).astype(array.dtype)
        own[0].CopyFrom(onnx.numpy_helper.from_array(_as_before(changed, array, graph), name))
        return
    if any(tensor.data_type in NARROW for tensor in _tensors(graph)):
        raise refused(
            like, f"{label(node)} shares the constant {name}, or it is computed in the graph; save it as an initializer"
        )
    array = _value(like, graph, name)
    fresh = f"{name}.of.{place.owner}"
    while any(fresh in (*node.input, *node.output) for node in graph.node):
        fresh += "_"
    changed = change(array.astype(np.float64)).astype(array.dtype)
    tensor = onnx.numpy_helper.from_array(_as_before(changed, array, graph), fresh)
    graph.initializer.append(tensor)
    if model.ir_version < FREE_INITIALIZERS:
        graph.input.append(onnx.helper.make_tensor_value_info(fresh, tensor.data_type, tensor.dims))
    node.input[place.operand] = fresh


def _as_before(changed: np.ndarray, array: np.ndarray, graph: onnx.GraphProto) -> np.ndarray:
    """The array in the shape that it had; one with fewer units has its own, and so may values between."""
    if changed.size == array.size:
        return changed.reshape(array.shape)
    del graph.value_info[:]
    return np.ascontiguousarray(changed)


def _value(like: str | os.PathLike[str], graph: onnx.GraphProto, name: str) -> np.ndarray:
    """A constant of the graph, computed where it has to be."""
    constants = Constants(like, graph)
    for node in graph.node:
        if all(operand in constants for operand in node.input if operand):
            # What the net does not read may be of any kind.
            with suppress(InputError):
                constants.fold(node)
    return constants.as_it_is(name)
