"""What is said of a posterior on a grid of a box, by every net of the grid in turn, and sampled slopes of the loss."""

from functools import cache
from itertools import product
from math import exp

from proof_of_absence.models.circuit import hidden_units, is_idle
from proof_of_absence.models.net import shallow
from tests.checker.independent.kinds.read import Fraction, dataset_of

LARGEST = 50_000


@cache
def census(data, box, steps):
    """Loss and idleness of each net, a unit and a shift at a time."""
    axis = [2 * box * i / steps - box for i in range(steps + 1)]
    found = []
    for *w, b, a in product(axis, repeat=len(data.inputs[0]) + 2):
        net = shallow([(w, b, [a])], [0])
        values = [f for (f,) in net.outputs(data.inputs)]
        idle = is_idle(net, hidden_units(net), data.inputs)
        for c in axis:
            rest = [v + c - y for v, (y,) in zip(values, data.targets, strict=True)]
            found.append((sum(r * r for r in rest) / len(rest), idle))
    return found


def slope(data, box):
    """The bound of the slope, coordinate by coordinate, with every activation pattern tried where a sum is of both."""
    targets = [y for (y,) in data.targets]
    reach = [box * (sum(map(abs, z)) + 1) for z in data.inputs]
    total = sum((box + box * r) * (1 + r + r) for r in reach)
    total += abs(sum(targets)) + largest([y * r for y, r in zip(targets, reach, strict=True)])
    total += box * largest(targets)
    for column in zip(*data.inputs, strict=True):
        total += box * largest([y * z for y, z in zip(targets, column, strict=True)])
    return 2 * total / len(targets)


def largest(values):
    """The largest size of a sum of some of them."""
    sums = {Fraction(0)}
    for value in values:
        sums |= {s + value for s in sums}
    return max(map(abs, sums))


def box_posterior(fact):
    data, box, steps, window = dataset_of(fact["data"]), Fraction(fact["box"]), fact["steps"], fact["window"]
    if any(len(y) != 1 for y in data.targets) or box <= 0 or not 1 <= window <= steps + 1:
        return False
    better = [Fraction(p) for p in fact["better"]]
    count = len(data.inputs[0]) + 3
    if len(better) != count or any(abs(p) > box for p in better) or (steps + 1) ** count > LARGEST:
        return False
    *w, b, a, c = better
    targets = [y for (y,) in data.targets]
    mean = sum(targets) / len(targets)
    narrower = sum((y - mean) ** 2 for y in targets) / len(targets)
    tau = narrower - data.loss(shallow([(w, b, [a])], [c]))
    fine = slope(data, box) * window * 2 * box / steps <= tau / 2
    stated = [Fraction(fact[key]) for key in ("narrower", "tau", "lipschitz")]
    if stated != [narrower, tau, slope(data, box)] or tau <= 0 or fact["fine"] is not fine:
        return False
    beta = Fraction(fact["beta"])
    found = census(data, box, steps)
    if beta < 0 or [fact["nets"], fact["idle"]] != [len(found), sum(idle for _, idle in found)]:
        return False
    least = min(loss for loss, _ in found)
    weights = [(exp(-float(beta * (loss - least))), idle) for loss, idle in found]
    mass = sum(w for w, idle in weights if idle) / sum(w for w, _ in weights)
    factor = ((steps + 1) / window) ** count if fact["counted"] else 1
    bound = factor * exp(-float(beta * tau / 2))
    return fact["within"] is (mass <= bound) and bound < Fraction(fact.get("below", bound + 1))


SAYS = {
    "box-posterior": box_posterior,
}
