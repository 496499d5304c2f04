"""What the kinds of fact of C12 to C18 and N5 to N9 say, by code that the independent checker does not use."""

from fractions import Fraction
from functools import cache
from itertools import combinations
from math import prod

import sympy

from proof_of_absence.models.circuit import Unit, fires, hardcode, hidden_units, is_idle, prune, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture, Family, Grid
from proof_of_absence.models.net import MLP, Layer
from proof_of_absence.models.posterior import census, members_of
from proof_of_absence.models.training import gradient_step, is_dead, weight_decay


def net_of(layers):
    return MLP(tuple(Layer(layer["weights"], layer["bias"]) for layer in layers))


def dataset_of(data):
    return Dataset(data["inputs"], data["targets"])


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


def only_in(left, right, circuit):
    """Whether two nets differ only in the circuit's parameters and the biases that read from it."""
    circuit = {Unit(*unit) for unit in circuit}
    widths = left.widths
    if right.widths != widths:
        return False

    def wiped(net):
        blank = {u: ([0] * widths[u.layer - 1], 0, [0] * widths[u.layer + 1]) for u in circuit}
        layers = reassign(net, blank).layers
        read = {unit.layer + 1 for unit in circuit}
        return [(layer.weights, None if at in read else layer.bias) for at, layer in enumerate(layers, 1)]

    return wiped(left) == wiped(right)


def rent(fact):
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    circuit = {Unit(*unit) for unit in fact["circuit"]}
    if len(fact["value"]) != net.widths[2]:
        return False
    bare = hardcode(net, circuit, {Unit(2, k): Fraction(v) for k, v in enumerate(fact["value"])})
    paid = data.loss(bare) - data.loss(net)
    # The best output weights of the unit, by least squares on the residuals: one normal equation for each output.
    unit = MLP((Layer([fact["weights"]], [fact["bias"]]), Layer([[1]], [0])))
    phi = [row[0] for row in unit.outputs(data.inputs)]
    norm = sum(p * p for p in phi)
    gain = 0
    for column in zip(*data.residuals(bare), strict=True):
        best = sum(p * r for p, r in zip(phi, column, strict=True)) / norm if norm else 0
        gain += sum(r * r - (r - best * p) ** 2 for p, r in zip(phi, column, strict=True)) / len(data)
    return paid == Fraction(fact["rent"]) and gain == Fraction(fact["gain"]) and paid >= gain


def gradient_steps(fact):
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    steps = [(Fraction(rho), Fraction(eta)) for rho, eta in fact["steps"]]
    units = [Unit(*unit) for unit in fact["circuit"]]
    if any(unit not in hidden_units(net) for unit in units) or any(rho <= 0 for rho, _ in steps):
        return False
    seen = [net]
    for rho, eta in steps:
        seen.append(gradient_step(weight_decay(seen[-1], rho), data, eta))
    shrunk = weight_decay(net, prod(rho for rho, _ in steps))
    return (
        all(is_dead(one, unit, data) for one in seen for unit in units)
        and seen[-1] == net_of(fact["after"])
        and all(_parameters(seen[-1], unit) == _parameters(shrunk, unit) for unit in units)
    )


def _parameters(net, unit):
    column = [row[unit.index] for row in net.layers[1].weights]
    return net.layers[0].weights[unit.index], net.layers[0].bias[unit.index], column


@cache
def _census(widths, grid, inputs, targets, firing):
    data = Dataset(inputs, targets)

    def is_member(net):
        units = hidden_units(net)
        circuits = [c for size in range(1, len(units) + 1) for c in combinations(units, size)]
        idle = [c for c in circuits if is_idle(net, c, inputs)]
        return any(firing is None or fires(net, c, inputs, firing) for c in idle)

    return census(Family(Architecture(widths), Grid(grid)), data, is_member)


def _class_of(fact, power):
    """The census, and each loss in units.

    None where the fact is not about such a class, or is beyond the checker's limits.
    """
    widths, grid = tuple(fact["widths"]), tuple(map(Fraction, fact["grid"]))
    data, unit, ratio = dataset_of(fact["data"]), Fraction(fact["unit"]), Fraction(fact["ratio"])
    fits = len(widths) == 3 and widths[0] == len(data.inputs[0]) and widths[2] == len(data.targets[0])
    if not fits or len(set(grid)) < len(grid) or len(grid) ** Architecture(widths).parameter_count > 10_000:
        return None
    if not 0 < ratio < 1 or unit <= 0:
        return None
    found = _census(widths, grid, data.inputs, data.targets, tuple(fact["fires"]) if "fires" in fact else None)
    exponents = [level.loss / unit for level in found.levels]
    if any(e.denominator > 1 for e in exponents) or power * (exponents[-1] - exponents[0]) > 100_000:
        return None
    return (found, exponents) if found.members else None


def _mass(found, exponents, ratio, power):
    weights = [ratio ** int(power * (e - exponents[0])) for e in exponents]
    total = sum(w * level.nets for w, level in zip(weights, found.levels, strict=True))
    return sum(w * level.members for w, level in zip(weights, found.levels, strict=True)) / total


def _bound(found, fact, power):
    return Fraction(found.members, found.best) * Fraction(fact["ratio"]) ** int(
        power * found.gap / Fraction(fact["unit"])
    )


def posterior(fact):
    power = fact["power"]
    if (known := _class_of(fact, power)) is None:
        return False
    found, exponents = known
    if [fact[key] for key in ("nets", "best", "members")] != [found.nets, found.best, found.members]:
        return False
    mass = _mass(found, exponents, Fraction(fact["ratio"]), power)
    stated = [Fraction(fact[key]) for key in ("gap", "mass", "bound")]
    below, above = Fraction(fact.get("below", 2)), Fraction(fact.get("above", -1))
    return stated == [found.gap, mass, _bound(found, fact, power)] and above < mass < below


def crossover(fact):
    power, certain, delta, ratio = fact["power"], fact["certain"], Fraction(fact["delta"]), Fraction(fact["ratio"])
    known = _class_of(fact, certain)
    if known is None or not known[0].gap or power > certain or _bound(known[0], fact, certain) >= delta:
        return False
    below = [_mass(*known, ratio, at) < delta for at in range(certain + 1)]
    return all(below[power:]) and (power == 0 or not below[power - 1])


@cache
def _least_on(widths, grid, inputs, targets):
    data = Dataset(inputs, targets)
    return min(data.loss(net) for net in members_of(Family(Architecture(widths), Grid(grid))))


def least_in_class(fact):
    net, data, grid = net_of(fact["net"]), dataset_of(fact["data"]), tuple(map(Fraction, fact["grid"]))
    if len(net.layers) != 2 or len(set(grid)) < len(grid) or net not in Family(Architecture(net.widths), Grid(grid)):
        return False
    if len(grid) ** Architecture(net.widths).parameter_count > 10_000:
        return False
    return data.loss(net) == _least_on(net.widths, grid, data.inputs, data.targets)


def best_line(fact):
    """No eigenvalue of the scatter matrix exceeds what the net leaves of its trace:
    roots of the characteristic polynomial.
    """
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    if len(net.layers) < 2 or net.widths[-2] != 1:
        return False
    return no_line_is_closer(data, len(data) * data.loss(net))


def no_line_is_closer(data, error):
    y = sympy.Matrix([[sympy.Rational(v.numerator, v.denominator) for v in row] for row in data.targets])
    away = y - sympy.ones(len(data), len(data)) * y / len(data)
    scatter = away.T * away
    rest = scatter.trace() - sympy.Rational(error.numerator, error.denominator)
    return max(sympy.Poly(scatter.charpoly().as_expr()).real_roots()) <= rest


def zero_one_loss(fact):
    outputs = net_of(fact["net"]).outputs(dataset_of({"inputs": fact["inputs"], "targets": fact["inputs"]}).inputs)
    if any(len(f) != 1 for f in outputs):
        return False
    right = [bool(f > 0) is side for (f,), side in zip(outputs, fact["sides"], strict=True)]
    return right.count(False) == fact["wrong"]


SAYS = {
    "best-line": best_line,
    "crossover": crossover,
    "gradient-steps": gradient_steps,
    "least-in-class": least_in_class,
    "line-bound": lambda fact: no_line_is_closer(dataset_of(fact["data"]), Fraction(fact["error"])),
    "posterior": posterior,
    "rent": rent,
    "uniform-gap": uniform_gap,
    "zero-one-loss": zero_one_loss,
}
