"""Write a net in the form of the file that another one of the same shape was read from: same format, same names.

Where a layer is the product of several maps of the file, these are kept, and their arrays edited.
"""

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.models.editing import Edits, edited
from proof_of_absence.models.files import disk, read_net
from proof_of_absence.models.files.disk import InputError, content, refused
from proof_of_absence.models.files.order import without_prefix
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import Dense
from proof_of_absence.models.layers import equal_layers

__all__ = ["rewrite"]

LARGEST = 8 * 2**30
Arrays = Mapping[str, np.ndarray]


def rewrite(
    like: str | os.PathLike[str],
    path: str | os.PathLike[str],
    net: FloatNet,
    *,
    activation: str | None = None,
    spare: Path | None = None,
    edits: Edits | None = None,
) -> None:
    """Write the net as a file of the format, names and types of `like`; whole or not at all.

    Parameters
    ----------
    activation
        As for `read_net`, with which `like` was read, and with which the new file is read again: it must be the net.
    spare
        Where the file is to lie at first, if it is put in place later; messages name `path`.
    edits
        What makes the net of the file, if it has fewer units; told by its operators otherwise.

    Raises
    ------
    InputError
        If `like` cannot be read, has other inputs, outputs or layers, or has no place for what the net holds; or if the
        file cannot be written.
    """
    suffix = Path(like).suffix.lower()
    if Path(path).suffix.lower() != suffix:
        raise refused(path, f"has another format than {like}; end its name with {suffix}")
    read = read_net(like, activation=activation)
    if edits is None and read.steps is not None and net.steps is not None:
        edits = edited(read.steps, net.steps)
    if edits is None:
        _require_form(like, read, net)
    # Under a name of its own until it is seen to be right.
    place = Path(spare or path)
    temporary = place.with_name(f".{place.stem}.{os.getpid()}.unread{suffix}")
    try:
        match suffix:
            case ".onnx" if edits is not None:
                from proof_of_absence.models.files.onnx_edit import edit

                edit(like, temporary, edits)
            case ".onnx" if read.reading and read.reading.cut:
                _in_place(like, temporary, net)
            case ".onnx":
                from proof_of_absence.models.files import onnx

                onnx.write(temporary, net, like=like)
            case ".safetensors":
                _safetensors(like, temporary, read, net, edits)
            case ".pt" | ".pth":
                _torch(like, temporary, read, net, edits)
            case _:
                raise refused(like, f"is packed, or of a format that is not written; unpack it ({suffix})")
        if not equal_layers(_again(path, temporary, activation).layers, net.layers):
            raise refused(path, f"is not written: the types in {like} do not hold the new weights")
        try:
            os.replace(temporary, place)
        except OSError as error:
            raise refused(path, f"cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _again(path: object, temporary: Path, activation: str | None) -> FloatNet:
    """What was written, read anew."""
    try:
        return read_net(temporary, activation=activation)
    except InputError as error:
        reason = str(error).removeprefix(f"{temporary}: ")
        raise refused(path, f"is not written: the new net is none that is read: {reason}") from error


def _require_form(like: object, read: FloatNet, net: FloatNet) -> None:
    """Refuse a net that no file written anew in the form of the one that was read would hold."""
    if not (read.in_floats and net.in_floats):
        raise refused(like, "holds maps whose product is no float64; write them as one layer first")
    if _interface(read) != _interface(net):
        raise refused(like, f"holds a net of widths {read.widths} in {read.dtype}, not {net.widths} in {net.dtype}")
    if read.reading and read.reading.cut and read.widths != net.widths:
        raise refused(like, f"ends with {read.reading.cut}, which a smaller net would lose; cut it off first")


def _in_place(like: str | os.PathLike[str], path: Path, net: FloatNet) -> None:
    """Other weights and biases in a copy of an ONNX file, whose end is no part of the net."""
    from proof_of_absence.models.files import graph_write
    from proof_of_absence.models.files.onnx import sourced

    graph, _ = sourced(like)
    dense = [number for number, node in enumerate(graph.nodes) if isinstance(node.layer, Dense)]
    if len(dense) != len(net.layers):
        raise refused(like, "holds maps between its layers, and an end that is no part of the net; cut that off first")
    nodes = list(graph.nodes)
    for number, layer in zip(dense, net.float_layers, strict=True):
        nodes[number] = replace(nodes[number], layer=Dense(*layer))
    graph_write.rewrite(like, path, Graph(graph.input_shape, nodes, graph.dtype))


def _interface(net: FloatNet) -> tuple[int, int, int, np.dtype]:
    """What a file of the same form fixes: inputs, outputs, layers, type. Hidden widths may be others."""
    return net.widths[0], net.widths[-1], len(net.layers), net.dtype


def _replaced(like: object, arrays: Arrays, read: FloatNet, net: FloatNet) -> dict[str, np.ndarray]:
    """The net's arrays under the names that the file has for those that were read."""
    found: dict[str, np.ndarray] = {}
    for number, (old, new) in enumerate(zip(read.float_layers, net.float_layers, strict=True), 1):
        same = [
            name
            for name, array in arrays.items()
            if name.endswith("weight") and np.array_equal(array.astype(np.float64), old.weights)
        ]
        if len(same) != 1:
            raise refused(like, f"{len(same)} of its arrays are the weights of layer {number}; write it as ONNX")
        bias = f"{same[0].removesuffix('weight')}bias"
        if bias not in arrays and new.bias.any():
            raise refused(like, f"{same[0]} has no bias beside it, and the new net needs one")
        found |= {same[0]: new.weights} | ({bias: new.bias} if bias in arrays else {})
    return found


def _named(arrays: Arrays, edits: Edits) -> dict[str, np.ndarray]:
    """The edits under the names that the file has for what is edited."""
    names = dict(zip(without_prefix(arrays), arrays, strict=True))
    return {names[place.owner]: edit(arrays[names[place.owner]].astype(np.float64)) for place, edit in edits.items()}


def _safetensors(like: str | os.PathLike[str], path: Path, read: FloatNet, net: FloatNet, edits: Edits | None) -> None:
    import safetensors
    from safetensors.numpy import save

    types = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8"}
    arrays = {}
    for name, tensor in safetensors.deserialize(content(like, limit=LARGEST)):
        if tensor["dtype"] not in types:
            raise refused(like, f"{name} has type {tensor['dtype']}, which is not written; convert it to F32")
        arrays[name] = np.frombuffer(tensor["data"], types[tensor["dtype"]]).reshape(tensor["shape"])
    new = _replaced(like, arrays, read, net) if edits is None else _named(arrays, edits)
    disk.write(path, save({name: new.get(name, array).astype(array.dtype) for name, array in arrays.items()}))


def _torch(like: str | os.PathLike[str], path: Path, read: FloatNet, net: FloatNet, edits: Edits | None) -> None:
    import torch

    state: Any = torch.load(io.BytesIO(content(like, limit=LARGEST)), weights_only=True, map_location="cpu")
    if any(isinstance(value, Mapping) for value in state.values()):
        raise refused(like, "is a checkpoint with more than the net; save module.state_dict() by itself")
    from_numpy: Callable[[np.ndarray], Any] = torch.from_numpy
    arrays = {name: value.double().numpy() for name, value in state.items()}
    new = _replaced(like, arrays, read, net) if edits is None else _named(arrays, edits)
    for name, array in new.items():
        state[name] = from_numpy(array.copy()).to(state[name].dtype)
    stream = io.BytesIO()
    torch.save(state, stream)
    disk.write(path, stream.getvalue())
