"""A lower loss of a graph: idle units of its last hidden layer get other parameters, and the output bias moves.

The graph with these numbers is made here, and both losses are decided anew: by exact outputs, or bounds that do not
meet. Architecture and type are the same, since nothing but numbers of these arrays is other.
"""

from collections.abc import Callable

import numpy as np

from proof_of_absence.checker.independent.kinds.float_cross_entropy import mean_cross_entropy
from proof_of_absence.checker.independent.kinds.float_losses import confirm, squared_loss
from proof_of_absence.checker.independent.kinds.graph_losses import SQUARED, GraphOutputs, loss_data, with_care
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Floats
from proof_of_absence.checker.independent.values.graph_data import GraphSubject
from proof_of_absence.checker.independent.values.graphs import Clip, Conv, Dense, Graph, Node, Places, Rearrange
from proof_of_absence.checker.independent.values.nets import numbers


def graph_lower_loss(subject: GraphSubject, fact: Fact) -> None:
    """The units are idle; with the numbers stated the loss lies within `loss_after`, all of it below `loss_before`."""
    before, data, of = subject.graph, loss_data(subject, fact["of"]), fact["of"]
    after = reused(subject, fact)
    low, high = numbers(fact["loss_before"])[0], numbers(fact["loss_after"])[1]
    require(high < low, "the loss after is not surely below that before")
    loss = squared_loss if of == SQUARED else mean_cross_entropy
    nets = {"before": GraphOutputs(before), "after": GraphOutputs(after)}

    def decide(exactly: bool) -> None:
        for name, net in nets.items():
            confirm(f"the loss {name}", loss(net, data, exactly), fact[f"loss_{name}"])

    with_care(decide, len(data.inputs) * nets["before"].parameters, rational=before.is_rational)


def reused(subject: GraphSubject, fact: Fact) -> Graph:
    """The graph with the numbers of the fact.

    Of each input of the output layer that is a unit named there, the first one gets the unit's new weights, and others
    that are the same unit 0.
    """
    graph = subject.graph
    hidden, node, columns = _end(graph)
    require(fact["node"] == node, f"node {node} holds the last hidden units")
    require(node in subject.idle, "which of its units are idle is not stated")
    layer, output = graph.nodes[hidden - 1].layer, graph.nodes[-1].layer
    if not (isinstance(layer, Dense | Conv) and isinstance(output, Dense)):
        raise Refused("the graph does not end with a hidden and a dense layer")
    weights, bias, rows = layer.weights.copy(), layer.bias.copy(), output.weights.copy()
    units = [one["unit"] for one in fact["units"]]
    require(bool(units) and len(set(map(str, units))) == len(units), "no unit, or one twice")
    for one in fact["units"]:
        require(set(one) == {"unit", "weights", "bias", "outgoing"}, "parts of a unit are missing or unknown")
        unit = graph.entry(node, one["unit"])
        require(bool(subject.idle[node][unit]), f"unit {unit} is not idle")
        places = np.flatnonzero(columns == unit)
        require(places.size > 0, f"the outputs do not read unit {unit}")
        weights[unit] = _floats(one["weights"], graph.dtype, weights[unit].size).reshape(weights[unit].shape)
        bias[unit] = _floats([one["bias"]], graph.dtype, 1)[0]
        rows[:, places] = 0
        rows[:, places[0]] = _floats(one["outgoing"], graph.dtype, len(rows))
    shift = _floats(fact["output_bias"], graph.dtype, len(rows))
    changed = Dense(weights, bias) if isinstance(layer, Dense) else Conv(weights, bias, layer.window, layer.groups)
    layers = {hidden: changed, len(graph.nodes): Dense(rows, shift)}
    nodes = tuple(
        Node(layers[k], old.reads, old.name, old.attributes) if k in layers else old
        for k, old in enumerate(graph.nodes, 1)
    )
    return Graph(graph.shapes, nodes, graph.dtype)


def _end(graph: Graph) -> tuple[int, int, Places]:
    """The last hidden layer, its ReLU, and for each input of the outputs the unit that it is; -1 where it is none."""
    units = _above_rearrangements(graph, len(graph.nodes))
    hidden = _above_rearrangements(graph, units) if units else 0
    relu = graph.nodes[units - 1].layer
    require(hidden > 0, "no hidden layer stands before the outputs")
    is_relu = isinstance(relu, Clip) and relu.low == 0 and relu.high is None
    require(is_relu, "no ReLU stands before the outputs")
    layer = graph.nodes[hidden - 1].layer
    size = graph.sizes[hidden]
    require(isinstance(layer, Dense | Conv) and len(layer.bias) == size, "the last hidden units share weights")
    require(not isinstance(layer, Conv) or layer.groups == 1, "the last hidden layer is one in groups")
    order = _carried(graph, hidden, units)
    require(np.array_equal(order, np.arange(size)), "the last hidden units are in another order than their weights")
    require(graph.sizes[-1] == graph.shapes[-1][-1], "the output layer is read at several positions")
    return hidden, units, _carried(graph, units, len(graph.nodes))


def _above_rearrangements(graph: Graph, node: int) -> int:
    """What a node reads, through rearrangements; 0 is the input."""
    (below,) = graph.nodes[node - 1].reads
    while below and isinstance(graph.nodes[below - 1].layer, Rearrange):
        (below,) = graph.nodes[below - 1].reads
    return below


def _carried(graph: Graph, start: int, end: int) -> Places:
    """Where the entries of a node are among those that a later one reads: each as its number, and -1 for what is none.

    Every node between them rearranges.
    """
    labels: dict[int, Places] = {start: np.arange(graph.sizes[start])}
    for number in range(start + 1, end):
        layer, reads = graph.nodes[number - 1].layer, graph.nodes[number - 1].reads
        if isinstance(layer, Rearrange) and reads[0] in labels:
            below = labels[reads[0]]
            index = layer.index.reshape(-1)
            labels[number] = np.where(index < 0, -1, below[np.maximum(index, 0)])
    return labels[graph.nodes[end - 1].reads[0]]


def _floats(texts: object, dtype: str, count: int) -> Floats:
    """So many numbers of the type, in hexadecimal."""
    if not (isinstance(texts, list) and len(texts) == count):
        raise Refused(f"there are not {count} numbers")
    exact = [hexadecimal(text) for text in texts]
    found = np.array([float(x) for x in exact], dtype=np.float64)
    own = found.astype(dtype).astype(np.float64)
    require(np.isfinite(own).all() and all(x == y for x, y in zip(exact, own.tolist(), strict=True)), f"no {dtype}")
    return found


KINDS: dict[str, Callable[[GraphSubject, Fact], None]] = {"graph-lower-loss": graph_lower_loss}
