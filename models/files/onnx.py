"""Networks in ONNX files: fully connected ReLU nets as exporters write them, read to the last bit and written back.

`graph` follows the operators; here are the file, its limits, and the model that is written.
"""

import os
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from proof_of_absence.models.files import disk
from proof_of_absence.models.files.disk import InputError, content, refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, RationalAffine

if TYPE_CHECKING:
    import onnx

    from proof_of_absence.models.files.graph import Interface
    from proof_of_absence.models.files.graph_sources import Sources
    from proof_of_absence.models.graph import Graph

__all__ = ["read", "read_network", "sourced", "write"]

# A protobuf message ends at 2 GiB; weights in a file beside the model come on top.
LARGEST = 2**31 - 1
# Served by every onnxruntime since 1.12 (2022); Gemm and Relu have not changed since.
OPSET = 17
IR_VERSION = 8


def read(path: str | os.PathLike[str]) -> FloatNet:
    """The net in an ONNX file, its weights exactly the file's.

    The graph is one path of Gemm, MatMul, Add, Sub, Relu, Flatten, Reshape that flattens, and Identity from one input
    to one output, float32 or float64 throughout; Mul, Div, Neg and BatchNormalization by constants too. Affine
    operators with no Relu between them are multiplied exactly into one layer, of rational entries where no float64
    holds the product. Weights may be in a file beside the model.

    Raises
    ------
    InputError
        If onnx is missing, the file is damaged, or the graph is anything else; see `graph.Interface` for input shapes.
    """
    return _read(path)[0]


def write(path: str | os.PathLike[str], net: FloatNet, *, like: str | os.PathLike[str] | None = None) -> None:
    """Write a net, in its own type, as a model with a free batch dimension; whole or not at all.

    Parameters
    ----------
    like
        A model whose input and output names, and input dimensions beyond the first, are kept; it must be readable.

    Raises
    ------
    InputError
        If onnx is missing, `like` is not readable or does not fit the net, or the model passes 2 GiB.
    """
    if not net.in_floats:
        raise refused(path, "is not written: the net has a layer that no float64 holds")
    onnx = _onnx(path)
    interface = None if like is None else _read(like)[1]
    shape: tuple[int, ...]
    if interface is None:
        source, target, batch, shape = "input", "output", "batch", (net.widths[0],)
    else:
        source, target, batch, shape = interface.input, interface.output, interface.batch, interface.input_shape
        if not interface.batch_first:
            raise refused(like, "its input has no batch dimension in first place, so no model like it is written")
        here = (int(np.prod(shape)), *interface.output_shape)
        if here != (net.widths[0], net.widths[-1]):
            raise refused(
                like,
                f"maps {shape} to {interface.output_shape}, the net maps {net.widths[0]} to {net.widths[-1]} values",
            )
    if net.parameter_count * net.dtype.itemsize > LARGEST - 2**20:
        raise refused(path, "the model would pass 2 GiB, the limit of an ONNX file")
    kind = onnx.helper.np_dtype_to_tensor_dtype(net.dtype)
    nodes, tensors = _body(onnx, net, source, target, flatten=len(shape) > 1)
    graph = onnx.helper.make_graph(
        nodes,
        "absence",
        [onnx.helper.make_tensor_value_info(source, kind, [batch, *shape])],
        [onnx.helper.make_tensor_value_info(target, kind, [batch, net.widths[-1]])],
        tensors,
    )
    model = onnx.helper.make_model(
        graph, producer_name="absence", ir_version=IR_VERSION, opset_imports=[onnx.helper.make_opsetid("", OPSET)]
    )
    disk.write(path, model.SerializeToString())


def _body(onnx: ModuleType, net: FloatNet, source: str, target: str, *, flatten: bool) -> tuple[list[Any], list[Any]]:
    """The nodes and weights, under names that differ from those of input and output."""
    prefix = "layer"
    while any(name.startswith(prefix) for name in (source, target)):
        prefix += "_"
    nodes: list[Any] = []
    tensors: list[Any] = []
    value = source

    def add(operator: str, inputs: Iterable[str], output: str, **attributes: int) -> str:
        nodes.append(onnx.helper.make_node(operator, list(inputs), [output], name=f"{output}.{operator}", **attributes))
        return output

    if flatten:
        value = add("Flatten", [value], f"{prefix}0")
    for number, layer in enumerate(net.layers, 1):
        last = number == len(net.layers)
        output = target if last else f"{prefix}{number}"
        match layer:
            case FloatAffine(weights, bias):
                names = [f"{prefix}{number}.weight", f"{prefix}{number}.bias"]
                for name, array in zip(names, (weights, bias), strict=True):
                    tensors.append(onnx.numpy_helper.from_array(array.astype(net.dtype), name))
                value = add("Gemm", [value, *names], output, transB=1)
            case RationalAffine():
                raise ValueError("a layer has entries that no float64 holds")
            case _:
                assert_never(layer)
        if not last:
            value = add("Relu", [value], f"{prefix}{number}.relu")
    return nodes, tensors


def read_network(path: str | os.PathLike[str]) -> "FloatNet | Graph":
    """The net in an ONNX file: a dense chain where `read` takes it, and else a graph of layers.

    Raises
    ------
    InputError
        If onnx is missing, the file is damaged, or neither reader takes the graph; see `onnx_graph`.
    """
    model = _model(path)
    from proof_of_absence.models.files import graph, onnx_graph

    try:
        return graph.follow(path, model)[0]
    except InputError:
        # It is no dense chain; what is broken, the other reader refuses too.
        pass
    return onnx_graph.follow(path, model)[0]


def sourced(path: str | os.PathLike[str]) -> "tuple[Graph, Sources]":
    """The net in an ONNX file as a graph of layers, a dense chain too, and where its weights lie in the file.

    Raises
    ------
    InputError
        As `read_network`.
    """
    model = _model(path)
    from proof_of_absence.models.files import onnx_graph

    return onnx_graph.follow(path, model)


def _read(path: str | os.PathLike[str]) -> "tuple[FloatNet, Interface]":
    model = _model(path)
    from proof_of_absence.models.files import graph

    return graph.follow(path, model)


def _model(path: str | os.PathLike[str]) -> "onnx.ModelProto":
    model: onnx.ModelProto = _onnx(path).ModelProto()
    data = content(path, limit=LARGEST)
    try:
        model.ParseFromString(data)
    except Exception as error:
        raise refused(path, "is no whole ONNX file; export it again") from error
    return model


def _onnx(path: str | os.PathLike[str]) -> ModuleType:
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise refused(path, "ONNX files need onnx: pip install 'proof-of-absence[audit]'") from error
    return onnx
