"""What the hidden units of a graph do at rows: every value as a Fraction, one after the other."""

from fractions import Fraction

import numpy as np


def number(text):
    top, _, bottom = text.partition("/")
    return Fraction(int(top, 16), int(bottom or "1", 16))


def columns(net, rows, node):
    """For each entry of a node its values at the rows."""
    return list(zip(*(net.values(list(map(Fraction, row)))[node].tolist() for row in rows), strict=True))


def unread(net, node):
    """The entries with no path of weights other than 0 to an output or a layer with weights or an activation."""
    passing = {"AveragePool", "MaxPool", "Sum", "Concat", "Rearrange"}
    found = set()
    for entry in range(net.sizes[node]):
        marked, seen = {node: {entry}}, node == len(net.nodes)
        for number, below in enumerate(net.nodes[node:], node + 1):
            reads = {k for k in below.reads if marked.get(k)}
            touched = _touched(net, number, marked) if reads else set()
            if touched and type(below.layer).__name__ not in passing:
                seen = True
            elif touched:
                marked[number] = touched
                seen |= number == len(net.nodes)
        if not seen:
            found.add(entry)
    return sorted(found)


def _touched(net, number, marked):
    """The entries of a node that change where marked entries do by themselves: each weight is tried alone."""
    layer, name = net.nodes[number - 1].layer, type(net.nodes[number - 1].layer).__name__
    (first, *_), shape = net.nodes[number - 1].reads, net.shapes[number]
    mine = marked.get(first, set())
    if name in ("Relu", "LeakyRelu", "Clip"):
        return mine
    if name == "Dense":
        width = layer.weights.shape[1]
        return {entry // width * len(layer.weights) + o for entry in mine for o, row in enumerate(layer.weights)
                if row[entry % width]}  # fmt: skip
    if name == "Conv":
        return {
            (g * layer.matrices.shape[1] + o) * layer.window.positions + p
            for g, places in enumerate(layer.index(net.shapes[first]).tolist())
            for p, reads in enumerate(places)
            for o, weights in enumerate(layer.matrices[g].tolist())
            if any(w and k in mine for w, k in zip(weights, reads, strict=True))
        }
    if name in ("AveragePool", "MaxPool"):
        reads = layer.window.index(net.shapes[first][1:]).tolist()
        size = net.sizes[first] // net.shapes[first][0]
        return {c * len(reads) + p for c in range(shape[0]) for p, places in enumerate(reads)
                if any(k >= 0 and c * size + k in mine for k in places)}  # fmt: skip
    if name in ("Scale", "BatchNorm"):
        across = layer.factor if name == "Scale" else layer.factor.reshape(-1, *(1,) * (len(shape) - 1))
        return {entry for entry in mine if np.broadcast_to(across, shape).reshape(-1)[entry]}
    if name == "Rearrange":
        return {at for at, k in enumerate(layer.index.reshape(-1).tolist()) if k in mine}
    if name == "Sum":
        return set().union(*(marked.get(k, set()) for k in net.nodes[number - 1].reads))
    found, start = set(), 0
    for k in net.nodes[number - 1].reads:
        inner = 1
        for size in shape[layer.axis + 1 :]:
            inner *= size
        own = net.shapes[k][layer.axis] * inner
        whole = shape[layer.axis] * inner
        found |= {entry // own * whole + start + entry % own for entry in marked.get(k, set())}
        start += own
    return found


def graph_idle(net, train, fact):
    every = columns(net, train, fact["node"])
    stated = dict.fromkeys(fact["dead"], Fraction(0)) | {entry: number(text) for entry, text in fact["constant"]}
    idle = all(set(every[entry]) == {value} for entry, value in stated.items())
    rest = [entry for entry in range(len(every)) if entry not in stated and entry not in fact["undecided"]]
    varies = len(rest) == len(fact["witness"]) and all(
        every[entry][i] != every[entry][j] for entry, (i, j) in zip(rest, fact["witness"], strict=True)
    )
    zero = all(value != 0 for entry, value in stated.items() if entry not in fact["dead"])
    return idle and varies and zero and fact["rows"] == len(train) and fact["unread"] == unread(net, fact["node"])
