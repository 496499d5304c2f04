"""What the outputs of a graph read, by brute force: features as Fractions, ranks and leverages by sympy."""

from fractions import Fraction

import numpy as np
import sympy

from proof_of_absence.models.graph_layers import Conv, Dense, Rearrange
from tests.checker.independent.kinds.float_readout import leverage


def number(text):
    top, _, below = text.partition("/")
    return Fraction(int(top, 16), int(below or "1", 16))


def end(net):
    """The node that the last affine map reads, and its weights by the responses to unit vectors."""

    def through(node):
        order = list(range(net.sizes[node]))
        while node and isinstance(layer := net.nodes[node - 1].layer, Rearrange):
            index = layer.index.reshape(-1).tolist()
            below = net.nodes[node - 1].reads[0]
            if sorted(index) != list(range(net.sizes[below])):
                break
            order, node = [index[k] for k in order], below
        return node, order

    last, _ = through(len(net.nodes))
    node = net.nodes[last - 1] if last else None
    if node is None or not isinstance(node.layer, Dense | Conv) or net.sizes[last] != len(node.layer.bias):
        return None
    layer, size = node.layer, net.sizes[node.reads[0]]
    weights = np.zeros((len(layer.bias), size))
    if isinstance(layer, Dense):
        weights = layer.weights
    else:
        index = layer.index(net.shapes[node.reads[0]])
        for group, matrix in enumerate(layer.matrices):
            for row, own in enumerate(matrix):
                for k, w in zip(index[group, 0].tolist(), own.tolist(), strict=True):
                    if k >= 0:
                        weights[group * len(matrix) + row, k] += w
    below, order = through(node.reads[0])
    arranged = np.zeros_like(weights)
    for k, entry in enumerate(order):
        arranged[:, entry] = weights[:, k]
    return below, arranged


def features(net, rows, node):
    """(1, phi ..) at each row."""
    return [[Fraction(1), *net.values(z)[node].tolist()] for z in rows.tolist()]


def rank(table, columns):
    return sympy.Matrix(
        [[sympy.Rational(row[j].numerator, row[j].denominator) for j in columns] for row in table]
    ).rank()


def _holds(bounds, value):
    low, high = (None if text is None else number(text) for text in bounds)
    return low <= value and (high is None or value <= high)


def graph_readout(net, parts, fact):
    node, _ = end(net)
    tables = {part: features(net, rows, node) for part, rows in parts.items()}
    training, columns = tables["training"], fact["columns"]
    if fact["layer"] != node or set(fact["rows"]) != set(parts) or fact["penalty"] != "0":
        return False
    if fact["independent"] and rank(training, columns) != len(columns):
        return False
    directions = [{j: number(text) for j, text in terms} for terms in fact["directions"]]
    at = lambda direction, row: sum(value * row[j] for j, value in direction.items())  # noqa: E731
    if any(at(direction, row) for direction in directions for row in training):
        return False
    for part, listed in fact["rows"].items():
        if [entry["row"] for entry in listed] != list(range(len(parts[part]))):
            return False
        for entry, row, z in zip(listed, tables[part], parts[part].tolist(), strict=True):
            free = [k for k, direction in enumerate(directions) if at(direction, row)]
            if "free" in entry or free:
                if [entry.get("free")] != free[:1]:
                    return False
                continue
            outputs = sorted(net(z).tolist())
            square = number(fact["move"]) ** 2 if fact["move"] else (outputs[-1] - outputs[-2]) ** 2 / 2
            height = leverage(training, row, Fraction(0))
            # A move that is free, and not known to be, has any leverage above.
            if height is None:
                if entry["leverage"][1] is not None or number(entry["price"][0]):
                    return False
                continue
            price = square / (len(training) * height)
            if not _holds(entry["leverage"], height) or not _holds(entry["price"], price):
                return False
    return True


def sent(net, rows, members):
    """What each output receives from some features at each row."""
    node, weights = end(net)
    table = features(net, rows, node)
    return [tuple(sum(Fraction(float(w[j])) * row[j + 1] for j in members) for w in weights) for row in table]


def graph_together(net, parts, fact):
    node, weights = end(net)
    table = features(net, parts["training"], node)
    if fact["node"] != node or not fact["sets"]:
        return False
    for one in fact["sets"]:
        members = one["features"]
        if not all(weights[:, j].any() for j in members):
            return False
        still = set(sent(net, parts["training"], members))
        if len(still) > 1:
            return False
        pairs = zip(members, one["witness"], strict=True) if len(members) > 1 else ()
        if (len(members) == 1 and one["witness"]) or any(table[a][j + 1] == table[b][j + 1] for j, (a, b) in pairs):
            return False
        if one["fires"] is not None:
            there = sent(net, parts["deployment"], members)
            if one["fires"] != [i for i, row in enumerate(there) if row not in still]:
                return False
    return len({tuple(one["features"]) for one in fact["sets"]}) == len(fact["sets"])
