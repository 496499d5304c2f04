"""A lower loss of a graph, by hand: the stated numbers are put in one by one, and both losses are sums of Fractions.

The graph is a dense layer, ReLU and a dense layer, on whatever is below.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import Dense
from tests.checker.independent.kinds import graph_idle, graph_losses


def number(text):
    top, _, below = text.partition("/")
    return Fraction(int(top, 16), int(below or "1", 16))


def float_of(text, dtype):
    exact = number(text)
    assert Fraction(float(np.dtype(dtype).type(float(exact)))) == exact
    return float(exact)


def changed(net, fact):
    """The graph with the numbers of the fact, whose last three nodes are such a net."""
    *below, hidden, relu, output = net.nodes
    weights, bias, columns = hidden.layer.weights.copy(), hidden.layer.bias.copy(), output.layer.weights.copy()
    for one in fact["units"]:
        for k, text in enumerate(one["weights"]):
            weights[one["unit"], k] = float_of(text, net.dtype)
        bias[one["unit"]] = float_of(one["bias"], net.dtype)
        for k, text in enumerate(one["outgoing"]):
            columns[k, one["unit"]] = float_of(text, net.dtype)
    shift = [float_of(text, net.dtype) for text in fact["output_bias"]]
    layers = replace(hidden, layer=Dense(weights, bias)), relu, replace(output, layer=Dense(columns, shift))
    return Graph(net.input_shape, [*below, *layers], net.dtype)


def graph_lower_loss(net, train, targets, fact):
    if fact["of"] != "squared" or fact["node"] != len(net.nodes) - 1 or not fact["units"]:
        return False
    every = graph_idle.columns(net, train, fact["node"])
    sizes = net.nodes[-3].layer.weights.shape[1], net.sizes[-1]
    seen = set()
    for one in fact["units"]:
        unit = one["unit"]
        if type(unit) is not int or not 0 <= unit < len(every) or unit in seen or len(set(every[unit])) > 1:
            return False
        if (len(one["weights"]), len(one["outgoing"])) != sizes:
            return False
        seen.add(unit)
    if len(fact["output_bias"]) != sizes[1]:
        return False
    try:
        after = changed(net, fact)
    except AssertionError:
        return False
    before, lower = (graph_losses.squared(one, train, targets)[0] for one in (net, after))
    stated = [graph_losses.ends(fact[part]) for part in ("loss_before", "loss_after")]
    inside = all(low <= loss <= high for loss, (low, high) in zip((before, lower), stated, strict=True))
    return inside and stated[1][1] < stated[0][0]
