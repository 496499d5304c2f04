"""What of a graph's values may change where some inputs do, and what of them is read: masks, nothing is evaluated."""

from collections.abc import Mapping
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.values.floats import Floats
from proof_of_absence.checker.independent.values.graph_bounded import convolved, pooled
from proof_of_absence.checker.independent.values.graph_exact import needs
from proof_of_absence.checker.independent.values.graphs import (
    AveragePool,
    Clip,
    Concat,
    Conv,
    Dense,
    Graph,
    Layer,
    LeakyRelu,
    MaxPool,
    Rearrange,
    Scale,
    Shape,
    Sum,
)

Truths = NDArray[np.bool_]


def moving(graph: Graph, inputs: Truths, still: Mapping[int, Truths]) -> list[Truths]:
    """The entries of all values that may change where these entries of the input do, flattened masks.

    `still` marks entries of some nodes that do not change, whatever they rest on.
    """
    marks: list[Floats] = [inputs.reshape(1, *graph.shapes[0]).astype(np.float64)]
    for number, node in enumerate(pausing(graph.nodes), 1):
        found = _carried(node.layer, [marks[k] for k in node.reads], graph.shapes[number]) > 0
        if number in still:
            found &= ~still[number].reshape(found.shape)
        marks.append(found.astype(np.float64))
    return [mark.reshape(-1) > 0 for mark in marks]


def _carried(layer: Layer, below: list[Floats], shape: Shape) -> Floats:
    """Positive just where something marked is read; marks are 0 and 1, of one row."""
    first, rows = below[0], (1, *shape)
    match layer:
        case Dense(weights=weights):
            return np.asarray(first @ (weights != 0).T.astype(np.float64))
        case Conv(weights=weights):
            return convolved(layer, (weights != 0).astype(np.float64), first, rows)
        case AveragePool(window=window) | MaxPool(window=window):
            return pooled(window, first, np.zeros(rows), np.maximum)
        case Scale(gain=gain):
            return np.where(gain != 0, first, 0.0)
        case LeakyRelu() | Clip():
            return first
        case Sum():
            return np.asarray(np.maximum.reduce(below))
        case Concat(axis=axis):
            return np.concatenate(below, axis=axis + 1)
        case Rearrange(index=index):
            return np.where(index >= 0, first.reshape(-1)[index], 0)[None]
        case _:
            assert_never(layer)


def read(graph: Graph) -> list[Truths]:
    """The entries of all values that are outputs or that something reads with a weight other than 0.

    Pools, sums and what joins or rearranges have no weights: what they make of an entry must be read in turn.
    """
    found = [np.zeros(size, dtype=bool) for size in graph.sizes]
    found[-1][:] = True
    for number in pausing(range(len(graph.nodes), 0, -1)):
        node = graph.nodes[number - 1]
        passing = isinstance(node.layer, AveragePool | MaxPool | Sum | Concat | Rearrange)
        entries = np.flatnonzero(found[number]) if passing else np.arange(graph.sizes[number])
        for below, places in zip(node.reads, needs(graph, number, entries), strict=True):
            found[below][places] = True
    return found
