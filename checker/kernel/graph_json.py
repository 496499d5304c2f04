"""A graph on disk: JSON of its nodes and beside it the arrays of its weights and indexes; the same bytes each time.

Rationals are in hexadecimal, ``-1f/a``, as in all certificates of audits. The independent checker reads the format with
code of its own (`independent/values/graph_files.py`).
"""

import io
import json
from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np

from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import (
    AveragePool,
    BatchNorm,
    Clip,
    Concat,
    Conv,
    Dense,
    GraphLayer,
    LeakyRelu,
    MaxPool,
    Rearrange,
    Relu,
    Scale,
    Sum,
)
from proof_of_absence.models.windows import Window

__all__ = ["FORMAT", "array_bytes", "graph_arrays", "graph_json", "graph_text"]

FORMAT = "absence-graph/1"


def graph_json(net: Graph) -> dict[str, Any]:
    """The input's shape, the type that the source held, and of each node its kind, reads, name and attributes."""
    nodes = [{"reads": list(node.reads), "name": node.name} | _attributes(node.layer) for node in net.nodes]
    return {"format": FORMAT, "input_shape": list(net.input_shape), "dtype": net.dtype.name, "nodes": nodes}


def graph_text(net: Graph) -> str:
    """The JSON as it is written, a line for each node."""
    whole = graph_json(net)
    head = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in whole.items() if key != "nodes")
    nodes = ",\n ".join(json.dumps(node, sort_keys=True, ensure_ascii=False) for node in whole["nodes"])
    return f'{{{head}, "nodes": [\n {nodes}\n]}}\n'


def graph_arrays(net: Graph) -> dict[str, np.ndarray]:
    """Weights and biases (float64), indexes and divisors (int64), under ``node_7_weights`` and the like."""
    return {
        f"node_{number}_{name}": array
        for number, node in enumerate(net.nodes, 1)
        for name, array in _arrays(node.layer).items()
    }


def array_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """An npz file of arrays, not compressed."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **{name: np.ascontiguousarray(array) for name, array in arrays.items()})
    return stream.getvalue()



def _attributes(layer: GraphLayer) -> dict[str, Any]:
    match layer:
        case Dense():
            return {"kind": "dense"}
        case Conv(window=window, groups=groups):
            return {"kind": "conv", "window": _window(window), "groups": groups}
        case AveragePool(window=window):
            return {"kind": "average-pool", "window": _window(window)}
        case MaxPool(window=window):
            return {"kind": "max-pool", "window": _window(window)}
        case Scale(factor=factor, shift=shift):
            return {"kind": "scale", "factor": _numbers(factor), "shift": _numbers(shift)}
        case BatchNorm():
            parts = {"factor": layer.factor, "mean": layer.mean, "square": layer.square, "shift": layer.shift}
            return {"kind": "batch-norm"} | {name: _numbers(array) for name, array in parts.items()}
        case Relu():
            return {"kind": "relu"}
        case LeakyRelu(slope=slope):
            return {"kind": "leaky-relu", "slope": hexadecimal(slope)}
        case Clip(low=low, high=high):
            ends = {"low": low, "high": high}
            return {"kind": "clip"} | {name: None if x is None else hexadecimal(x) for name, x in ends.items()}
        case Sum(signs=signs):
            return {"kind": "sum", "signs": list(signs)}
        case Concat(axis=axis):
            return {"kind": "concat", "axis": axis}
        case Rearrange(name=name, fill=fill):
            return {"kind": "rearrange", "source": name, "fill": hexadecimal(fill)}
        case _:
            assert_never(layer)


def _arrays(layer: GraphLayer) -> dict[str, np.ndarray]:
    match layer:
        case Dense() | Conv():
            return {"weights": layer.weights, "bias": layer.bias}
        case AveragePool(divisors=divisors):
            return {"divisors": divisors}
        case Rearrange(index=index):
            return {"index": index}
        case Scale() | BatchNorm() | MaxPool() | Relu() | LeakyRelu() | Clip() | Sum() | Concat():
            return {}
        case _:
            assert_never(layer)


def _window(window: Window) -> dict[str, list[int]]:
    parts = {
        "kernel": window.kernel,
        "counts": window.counts,
        "strides": window.strides,
        "dilations": window.dilations,
        "before": window.before,
    }
    return {name: list(map(int, numbers)) for name, numbers in parts.items()}


def _numbers(array: np.ndarray) -> dict[str, Any]:
    return {"shape": list(array.shape), "values": [hexadecimal(x) for x in array.reshape(-1).tolist()]}
