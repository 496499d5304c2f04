"""The end of a graph that is a net of one hidden layer on what it reads: hidden layer, ReLU, output layer.

Of such an end C7 speaks whatever the layers below are (C27, `C27_graph_last`): an idle unit there can be reused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.graph.findings import Reused
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import Conv, Dense, Rearrange, Relu

__all__ = ["NoTail", "Tail", "reassigned", "tail"]


class NoTail(ValueError):
    """The graph does not end so; the message says what stands there."""


@dataclass(frozen=True, eq=False)
class Tail:
    """The hidden layer, its ReLU and the output layer, by number.

    Parameters
    ----------
    reads
        The entries of the value below that each hidden unit weighs, in the order of its weights; -1 for padding.
    columns
        For each input of the output layer the hidden unit that it is, or -1 for a constant.
    """

    hidden: int
    units: int
    output: int
    reads: np.ndarray
    columns: np.ndarray


def tail(graph: Graph) -> Tail:
    """The end of the graph.

    Raises
    ------
    NoTail
        If the graph does not end with a layer in which each unit has weights of its own, ReLU, and a dense layer.

    Examples
    --------
    >>> from proof_of_absence.models.graph import Node
    >>> net = Graph((1,), [Node(Dense([[1.0], [1.0]], [0.0, -9.0]), (0,)), Node(Relu(), (1,)),
    ...                    Node(Dense([[1.0, 5.0]], [0.0]), (2,))])
    >>> found = tail(net)
    >>> found.hidden, found.units, found.output, found.columns.tolist()
    (1, 2, 3, [0, 1])
    """
    last = len(graph.nodes)
    output = graph.nodes[last - 1]
    if not isinstance(output.layer, Dense) or graph.sizes[last] != len(output.layer.bias):
        raise NoTail("the outputs are not those of one dense layer")
    below, columns = _through(graph, output.reads[0])
    if not isinstance(graph.nodes[below - 1].layer, Relu):
        raise NoTail("no ReLU stands before the output layer")
    hidden, order = _through(graph, graph.nodes[below - 1].reads[0])
    layer = graph.nodes[hidden - 1].layer
    if not isinstance(layer, Dense | Conv) or not np.array_equal(order, np.arange(order.size)):
        raise NoTail("no dense layer stands before the last ReLU")
    if graph.sizes[hidden] != len(layer.bias):
        raise NoTail("the units of the last hidden layer share weights, and a unit cannot be reused for itself")
    source = graph.nodes[hidden - 1].reads[0]
    reads = np.arange(graph.sizes[source])
    if isinstance(layer, Conv):
        if layer.groups > 1:
            raise NoTail("the last hidden layer is a convolution in groups, whose units read different values")
        reads = layer.index(graph.shapes[source])[0, 0]
    return Tail(hidden, below, last, reads, columns)


def _through(graph: Graph, node: int) -> tuple[int, np.ndarray]:
    """The first node below that rearranges nothing, and which of its entries comes where; -1 for a constant.

    The input rearranges nothing, but is no layer.
    """
    entries = np.arange(graph.sizes[node])
    while node and _alone(graph, node) and isinstance(layer := graph.nodes[node - 1].layer, Rearrange):
        entries = np.append(layer.index.reshape(-1), -1)[entries]
        node = graph.nodes[node - 1].reads[0]
    if not node:
        raise NoTail("there is no hidden layer before the outputs")
    if not _alone(graph, node):
        raise NoTail("something else reads the last hidden layer too")
    return node, entries


def _alone(graph: Graph, node: int) -> bool:
    """Whether one layer alone reads the node, once."""
    return sum(layer.reads.count(node) for layer in graph.nodes) == 1


def reassigned(graph: Graph, end: Tail, units: Sequence[Reused], output_bias: Sequence[Fraction]) -> Graph:
    """The graph whose hidden units have these parameters; the first input of the output layer that is such a unit has
    its weights.

    Other inputs that are the same unit get weight 0. All numbers are of the graph's type.
    """
    hidden, output = graph.nodes[end.hidden - 1], graph.nodes[end.output - 1]
    if not (isinstance(hidden.layer, Dense | Conv) and isinstance(output.layer, Dense)):
        raise ValueError("the end is of another graph")
    rows, bias, columns = hidden.layer.weights.copy(), hidden.layer.bias.copy(), output.layer.weights.copy()
    for one in units:
        rows[one.unit] = np.array(list(map(float, one.weights))).reshape(rows[one.unit].shape)
        bias[one.unit] = float(one.bias)
        places = np.flatnonzero(end.columns == one.unit)
        columns[:, places] = 0
        columns[:, places[0]] = list(map(float, one.outgoing))
    nodes = list(graph.nodes)
    layer = hidden.layer
    changed = Dense(rows, bias) if isinstance(layer, Dense) else Conv(rows, bias, layer.window, layer.groups)
    nodes[end.hidden - 1] = replace(hidden, layer=changed)
    nodes[end.output - 1] = replace(output, layer=Dense(columns, list(map(float, output_bias))))
    return Graph(graph.input_shape, nodes, graph.dtype, graph.reading)
