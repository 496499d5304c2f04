"""Two graphs in float32, node by node: sums in one order in both, and their bits compared."""

import numpy as np

from proof_of_absence.models.graph_layers import AveragePool, Clip, Concat, Conv, Dense, MaxPool, Rearrange, Relu, Sum


def graph_same_in_float32(before, after, train, fact):
    if fact != {"kind": "graph-same-in-float32"} or not before.dtype == after.dtype == np.float32:
        return False
    return all(forward(before, row).tobytes() == forward(after, row).tobytes() for row in train)


def forward(graph, row):
    """The outputs at one input, each operation rounded to float32."""
    found = [np.asarray(row, dtype=np.float32)]
    for number, node in enumerate(graph.nodes, 1):
        below = [found[k].reshape(graph.shapes[k]) for k in node.reads]
        found.append(single(node.layer, below).astype(np.float32).reshape(graph.shapes[number]).reshape(-1))
    return found[-1]


def single(layer, below):
    h = below[0]
    if isinstance(layer, Dense):
        weights, bias = layer.weights.astype(np.float32), layer.bias.astype(np.float32)
        total = np.zeros((*h.shape[:-1], len(bias)), dtype=np.float32)
        for k in range(h.shape[-1]):
            total = total + h[..., k : k + 1] * weights[:, k]
        return total + bias
    if isinstance(layer, Conv):
        read = np.append(h.reshape(-1), np.float32(0))[layer.index(h.shape)]
        matrices = layer.matrices.astype(np.float32)
        total = np.zeros((*matrices.shape[:2], read.shape[1]), dtype=np.float32)
        for k in range(read.shape[2]):
            total = total + matrices[:, :, k : k + 1] * read[:, None, :, k]
        return total.reshape(len(layer.bias), -1) + layer.bias.astype(np.float32)[:, None]
    if isinstance(layer, AveragePool | MaxPool):
        index = layer.window.index(h.shape[1:])
        pad = np.float32(0 if isinstance(layer, AveragePool) else -np.inf)
        read = np.concatenate([h.reshape(len(h), -1), np.full((len(h), 1), pad)], axis=1)[:, index]
        if isinstance(layer, MaxPool):
            return read.max(axis=2)
        total = np.zeros(read.shape[:2], dtype=np.float32)
        for k in range(read.shape[2]):
            total = total + read[:, :, k]
        return total / layer.divisors.reshape(-1).astype(np.float32)
    if isinstance(layer, Relu):
        return np.maximum(h, np.float32(0))
    if isinstance(layer, Clip):
        low, high = (None if end is None else np.float32(float(end)) for end in (layer.low, layer.high))
        h = h if low is None else np.maximum(h, low)
        return h if high is None else np.minimum(h, high)
    if isinstance(layer, Sum):
        total = np.float32(layer.signs[0]) * h
        for sign, part in zip(layer.signs[1:], below[1:], strict=True):
            total = total + np.float32(sign) * part
        return total
    if isinstance(layer, Concat):
        return np.concatenate(below, axis=layer.axis)
    assert isinstance(layer, Rearrange)
    return np.append(h.reshape(-1), np.float32(float(layer.fill)))[layer.index]
