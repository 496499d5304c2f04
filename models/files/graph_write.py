"""Write a graph of layers into a copy of the ONNX file that another one of the same layers was read from.

Initializers that the changed layers come from get new numbers; nodes, names, types and shapes stay as they are.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
from onnx import TensorProto

from proof_of_absence.models.files import disk
from proof_of_absence.models.files.disk import InputError, content, refused
from proof_of_absence.models.files.external import inlined
from proof_of_absence.models.files.graph_changes import array_of, changed
from proof_of_absence.models.files.onnx import LARGEST, sourced
from proof_of_absence.models.files.onnx_graph_layout import LAYOUT
from proof_of_absence.models.graph import Graph, same_graph

__all__ = ["changeable", "rewrite", "write"]


def rewrite(
    like: str | os.PathLike[str], path: str | os.PathLike[str], graph: Graph, *, spare: Path | None = None
) -> None:
    """Write a graph that differs from that of `like` in weights, biases and shifts alone; whole or not at all.

    Parameters
    ----------
    spare
        Where the file is to lie at first, if it is put in place later; messages name `path`.

    Raises
    ------
    InputError
        If `like` cannot be read or is packed, more differs than its initializers hold, its types do not hold a number,
        a changed initializer is read at several places, or the file cannot be written.
    """
    suffix = Path(like).suffix.lower()
    if suffix != ".onnx" or Path(path).suffix.lower() != suffix:
        raise refused(path, f"is of another format than {like}, or that is packed: unpack it, and write an .onnx file")
    before, sources = sourced(like)
    model = _model(like)
    arrays = changed(like, before, graph, sources, _numbers(model))
    place = Path(spare or path)
    temporary = place.with_name(f".{place.stem}.{os.getpid()}.unread{suffix}")
    try:
        _write(like, temporary, model, arrays)
        if not same_graph(sourced(temporary)[0], graph):
            raise refused(path, f"is not written: read again it is not the graph that was made of {like}")
        try:
            os.replace(temporary, place)
        except OSError as error:
            raise refused(path, f"cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write(like: str | os.PathLike[str], path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray]) -> None:
    """Write the model `like` with other numbers in some initializers, or values of Constant nodes, given by name.

    Weights in another file are put inside.

    Raises
    ------
    InputError
        If there is no such array, it has another shape, its type does not hold a number, several nodes read it, or the
        file cannot be written.
    """
    _write(like, path, _model(like), arrays)


def changeable(like: str | os.PathLike[str]) -> tuple[frozenset[int], frozenset[int]]:
    """The nodes of the graph of a file whose weights can be changed there, and those whose biases can.

    What several places read cannot be changed for one of them, nor what is computed of several arrays.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    graph, sources = sourced(like)
    model = _model(like)
    found = []
    for field, held in (("weights", sources.weights), ("bias", sources.bias)):
        own = set()
        for number, node in enumerate(graph.nodes, 1):
            array, place = array_of(node.layer, field), held.get(number)
            if array is None or place is None or place.index.shape != array.shape:
                continue
            with suppress(InputError):
                _require_alone(like, model.graph, place.name)
                own.add(number)
        found.append(frozenset(own))
    return found[0], found[1]


def _model(like: str | os.PathLike[str]) -> onnx.ModelProto:
    model = onnx.ModelProto()
    data = content(like, limit=LARGEST)
    try:
        model.ParseFromString(data)
    except Exception as error:
        raise refused(like, "is no whole ONNX file; export it again") from error
    for _, tensor in _tensors(model.graph):
        if tensor.data_location == TensorProto.EXTERNAL:
            tensor.CopyFrom(inlined(like, tensor))
    return model


def _write(
    like: str | os.PathLike[str],
    path: str | os.PathLike[str],
    model: onnx.ModelProto,
    arrays: Mapping[str, np.ndarray],
) -> None:
    tensors = dict(_tensors(model.graph))
    for name, array in arrays.items():
        if name not in tensors:
            raise refused(like, f"holds no array {name}")
        _require_alone(like, model.graph, name)
        old = onnx.numpy_helper.to_array(tensors[name])
        with np.errstate(over="ignore"):
            new = np.asarray(array).astype(old.dtype)
        if new.shape != old.shape or not np.array_equal(new.astype(np.float64), np.asarray(array, dtype=np.float64)):
            raise refused(like, f"has an array {name} of shape {old.shape} that does not hold the new numbers")
        tensors[name].CopyFrom(onnx.numpy_helper.from_array(new, tensors[name].name))
    if model.ByteSize() > LARGEST - 2**20:
        raise refused(path, "the model would pass 2 GiB, the limit of an ONNX file")
    disk.write(path, model.SerializeToString())


def _tensors(graph: onnx.GraphProto) -> Iterator[tuple[str, TensorProto]]:
    """The initializers, and the values of Constant nodes by their outputs."""
    yield from ((tensor.name, tensor) for tensor in graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield node.output[0] if node.output else "", attribute.t


def _reads(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.NodeProto | None]]:
    """Each name that something reads, with the node that does; None for an output of the graph or within a node."""
    yield from ((value.name, None) for value in graph.output)
    for node in graph.node:
        yield from ((name, node) for name in node.input)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from ((name, None) for name, _ in _reads(inner))


def _require_alone(like: object, graph: onnx.GraphProto, name: str) -> None:
    """Refuse an array that is read at several places, itself or arranged anew."""
    here = name
    while True:
        found = [node for read, node in _reads(graph) if read == here]
        node = found[0] if len(found) == 1 else None
        if node is None or (len(node.output) != 1 and node.op_type == "Split"):
            raise refused(like, f"reads the array {name} at several places, so it cannot be changed for one of them")
        if node.op_type not in (*LAYOUT, "Cast") or node.input[0] != here:
            return
        here = node.output[0]


def _numbers(model: onnx.ModelProto) -> Callable[[str], np.ndarray]:
    """The numbers of an array of the file, by its name."""
    tensors = dict(_tensors(model.graph))
    return lambda name: onnx.numpy_helper.to_array(tensors[name])
