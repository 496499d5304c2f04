"""What the outputs of a graph weigh: the features that its last affine map reads."""

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values.floats import Floats
from proof_of_absence.checker.independent.values.graphs import Conv, Dense, Graph, Places, Rearrange


def end_of(graph: Graph) -> tuple[int, Floats]:
    """The node whose flattened entries the last affine map weighs, and its weights, shape (outputs, entries).

    Rearrangements of all entries, once each, are seen through on either side of the map.

    Raises
    ------
    Refused
        If the outputs are not those of one affine map whose outputs have weights of their own.
    """
    last = _below(graph, len(graph.nodes))[0]
    require(last > 0, "the outputs are the inputs")
    layer, reads = graph.nodes[last - 1].layer, graph.nodes[last - 1].reads
    if not isinstance(layer, Dense | Conv):
        raise Refused("the outputs are not those of one affine map")
    require(graph.sizes[last] == len(layer.bias), "the outputs share weights between positions")
    size = graph.sizes[reads[0]]
    if isinstance(layer, Dense):
        weights = layer.weights
    else:
        weights = np.zeros((len(layer.bias), size))
        shape = graph.shapes[reads[0]]
        places = np.arange(size).reshape(shape)
        out, into = len(layer.bias) // layer.groups, layer.weights.shape[1]
        for ks, _, entries in layer.window.offsets(shape[1:]):
            for group in range(layer.groups):
                channels = slice(group * into, (group + 1) * into)
                met = places[(channels, *entries)].reshape(into)
                rows = slice(group * out, (group + 1) * out)
                own: tuple[slice | int, ...] = (rows, slice(None), *ks)
                weights[rows, met] = layer.weights[own]
    node, order = _below(graph, reads[0])
    arranged = np.empty_like(weights)
    # The k-th entry that is read is entry order[k] of the node.
    arranged[:, order] = weights
    return node, arranged


def _below(graph: Graph, node: int) -> tuple[int, Places]:
    """The first node below that rearranges nothing, or not all of its entries; and which of its entries comes where."""
    order = np.arange(graph.sizes[node])
    while node and isinstance(layer := graph.nodes[node - 1].layer, Rearrange):
        (below,) = graph.nodes[node - 1].reads
        index = layer.index.reshape(-1)
        if len(index) != graph.sizes[below] or set(index.tolist()) != set(range(len(index))):
            break
        order, node = index[order], below
    return node, order
