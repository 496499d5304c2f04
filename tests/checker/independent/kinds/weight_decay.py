"""What is said of training with weight decay, by the definitions and by units in many directions."""

from fractions import Fraction

import numpy as np

from proof_of_absence.models.circuit import Unit, hidden_units, is_idle
from tests.checker.independent.kinds.read import dataset_of, net_of, only_in
from tests.checker.independent.kinds.regression import columns


def decayed(net, data, beta):
    hidden, output = net.layers
    every = np.array([x for row in (*hidden.weights, hidden.bias, *output.weights) for x in row], dtype=object)
    return data.loss(net) * len(data) / 2 + Fraction(beta) * (every @ every) / 2


def gains(points, sums, turns=60):
    """|sum_g nu_g relu(u . x_g)| for unit vectors u in many directions, in floats."""
    points, sums = np.array(points, dtype=float), np.array(sums, dtype=float)
    directions = np.random.default_rng(0).normal(size=(turns * points.shape[1], points.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return abs(np.maximum(directions @ points.T, 0) @ sums)


def convex_training(fact):
    """The two values by their definitions; units in many directions; the multipliers of every pattern, by matrices."""
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    beta, dual = Fraction(fact["penalty"]), list(map(Fraction, fact["dual"]))
    if net.widths[-1] != 1 or beta <= 0 or any(net.layers[1].bias) or len(dual) != len(data):
        return False
    value, bound = Fraction(fact["value"]), Fraction(fact["bound"])
    targets = [y for (y,) in data.targets]
    dual_value = sum(y * y - (n - y) ** 2 for n, y in zip(dual, targets, strict=True)) / 2
    if decayed(net, data, beta) != value or dual_value != bound or not 0 <= value - bound <= Fraction(fact["within"]):
        return False
    points = columns([[*group.input, 1] for group in data.groups])
    sums = columns([[sum(dual[i] for i in group.rows)] for group in data.groups])[:, 0]
    count, used = len(points), 0
    for bits in range(2**count):
        side = np.array([1 if bits >> (count - 1 - g) & 1 else -1 for g in range(count)], dtype=object)
        for sign in (1, -1):
            name = ("+" if sign > 0 else "-") + format(bits, f"0{count}b")
            used += name in fact["multipliers"]
            lam = columns([fact["multipliers"].get(name, [0] * count)])[0]
            if len(lam) != count or min(lam) < 0:
                return False
            length = (sign * sums * (side + 1) / 2 + lam * side) @ points
            if length @ length > beta**2:
                return False
    assert max(gains(points, sums)) <= beta * (1 + 1e-9)
    return used == len(fact["multipliers"])


def decay_drop(fact):
    before, after, data = net_of(fact["before"]), net_of(fact["after"]), dataset_of(fact["data"])
    circuit, beta, drop = [Unit(*u) for u in fact["circuit"]], Fraction(fact["penalty"]), Fraction(fact["drop"])
    if beta <= 0 or drop <= 0 or not circuit or not set(circuit) <= set(hidden_units(before)):
        return False
    if not is_idle(before, circuit, data.inputs) or not only_in(before, after, circuit):
        return False
    hidden, output = after.layers
    gone = all(
        not any(hidden.weights[j]) and not hidden.bias[j] and not any(row[j] for row in output.weights)
        for _, j in circuit
    )
    same = before.outputs(data.inputs) == after.outputs(data.inputs)
    return gone and same and decayed(before, data, beta) - decayed(after, data, beta) == drop


SAYS = {
    "convex-training": convex_training,
    "decay-drop": decay_drop,
}
