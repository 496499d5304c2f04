"""What is said of regressions: steps of 1 either way from the minimum of a quadratic function give the same value."""

from fractions import Fraction

import numpy as np

from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from tests.checker.independent.kinds.read import dataset_of, net_of


def columns(table):
    result = np.empty((len(table), len(table[0])), dtype=object)
    result[:] = [list(map(Fraction, row)) for row in table]
    return result


def ridge(fact):
    net, data, penalty = net_of(fact["net"]), dataset_of(fact["data"]), Fraction(fact["penalty"])
    (hidden, output), intercept = net.layers, fact["intercept"]

    def value(k, j, step):
        rows, shift = [list(row) for row in output.weights], list(output.bias)
        if j is None:
            shift[k] += step
        else:
            rows[k][j] += step
        moved = MLP((hidden, Affine(rows, shift)))
        return data.loss(moved) * len(data) + penalty * sum(a * a for row in rows for a in row)

    m, n = len(output.bias), len(hidden.bias)
    if penalty < 0 or (not intercept and any(output.bias)):
        return False
    moves = [(k, j) for k in range(m) for j in [*range(n), *([None] if intercept else [])]]
    if any(value(k, j, 1) != value(k, j, -1) for k, j in moves):
        return False
    features = columns([net.activations(z)[1] for z in data.inputs])
    unique = penalty > 0
    if "row_space" in fact:
        centred = features - features.sum(axis=0) / len(data) if intercept else features
        image = centred.T @ (centred @ columns(fact["row_space"]).T)
        unique = not penalty and image.shape == (n, m) and (columns(output.weights) == image.T).all()
    if "circuit" not in fact:
        return unique
    units = [index for layer, index in fact["circuit"] if layer == 1 and index >= 0]
    weightless = not any(row[j] for row in output.weights for j in units)
    constant = all(len(set(features[:, j])) == 1 for j in units)
    if len(units) < len(fact["circuit"]) or not constant or weightless != fact["weightless"]:
        return False
    if ("row_space" in fact or weightless) and not unique:
        return False
    there = net.activations(fact["fires"])[1] if "fires" in fact else None
    return there is None or any(there[j] != features[0, j] for j in units)


SAYS = {
    "ridge": ridge,
}
