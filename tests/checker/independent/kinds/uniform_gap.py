"""What is said of the gain that C12 promises, by the definitions."""

from fractions import Fraction
from itertools import combinations

from proof_of_absence.models.circuit import Unit, is_idle, prune
from tests.checker.independent.kinds.read import dataset_of, net_of, only_in


def projections(direction, data):
    w = list(map(Fraction, direction))
    return {z: sum(a * b for a, b in zip(w, z, strict=True)) for z in data.inputs}


def uniform_gap(fact):
    net, after, data = net_of(fact["net"]), net_of(fact["after"]), dataset_of(fact["data"])
    h, spread, gap, drop = (Fraction(fact[key]) for key in ("separation", "spread", "gap", "drop"))
    at = projections(fact["direction"], data)
    apart = [abs(at[u] - at[v]) for u, v in combinations(at, 2)]
    if h <= 0 or spread < 0 or any(not h <= distance <= spread for distance in apart):
        return False
    if gap != (h / (len(data) * (spread + h))) ** 2 / 18 or drop != data.loss(net) - data.loss(after):
        return False
    if "circuit" in fact:
        circuit = {Unit(*unit) for unit in fact["circuit"]}
        same = is_idle(net, circuit, data.inputs) and only_in(net, after, circuit)
    else:
        last = Unit(1, after.widths[1] - 1)
        new = after.layers[0].weights[-1] == tuple(map(Fraction, fact["direction"]))
        same = new and prune(after, {last}) == net
    return same and drop >= gap * (data.loss(net) - data.noise_floor)


SAYS = {
    "uniform-gap": uniform_gap,
}
