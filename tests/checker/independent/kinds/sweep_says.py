"""What the kinds of fact of a sweep over worlds say, by code that the independent checker does not use."""

from fractions import Fraction
from itertools import pairwise, product

import sympy

from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.circuit import Unit, hidden_units, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, Layer, shallow
from proof_of_absence.models.policies import backdoor_at, deceptive_after, decide, direct_translator, human_imitator
from proof_of_absence.models.world import State, World, encode
from tests.checker.independent.kinds import beyond
from tests.checker.independent.kinds.c15_to_c19 import world_of


def net_of(layers):
    return MLP(tuple(Layer(layer["weights"], layer["bias"]) for layer in layers))


def policies_of(fact):
    return {
        "translator": direct_translator,
        "imitator": human_imitator,
        "deceptive": deceptive_after(max(fact["train_hours"])),
        "scheduled": deceptive_after(fact["scheduled"]),
        "backdoor": backdoor_at(fact["trigger"]),
    }


def loss(world, answer):
    """As the mean over cases of bias squared plus variance of the answers."""
    total = Fraction(0)
    for case, p in world.train_cases().items():
        answers = [human.answer(*case) for human in world.humans]
        mean = Fraction(sum(answers), len(answers))
        total += p * ((answer(*case) - mean) ** 2 + mean - mean**2)
    return total


def floor(world):
    return loss(world, lambda *case: Fraction(sum(h.answer(*case) for h in world.humans), len(world.humans)))


def unmixed(world, mixing):
    return World(world.train_hours, world.deploy_hours, world.humans, world.tampering, mixing)


def defects(world, answer):
    cases = unmixed(world, 1).train_cases()
    return sum(p for case, p in cases.items() if answer(*case) != human_imitator(*case))


def exact(table):
    return {name: Fraction(value) for name, value in table.items()}


def is_best(names, losses):
    return names == sorted(name for name in losses if losses[name] == min(losses.values()))


def world_cell(fact):
    world, policies = world_of(fact, fact["tampering"], fact["mixing"]), policies_of(fact)
    losses = {name: loss(world, policy) for name, policy in policies.items()}
    nets = {name: net_of(entry["net"]) for name, entry in fact["nets"].items()}
    cases = world.all_questions()
    if any(decide(nets[name], *case) != policies[name](*case) for name in nets for case in cases):
        return False
    reached = {name: loss(world, lambda *case, net=net: net(encode(*case))[0]) for name, net in nets.items()}
    stated = {name: Fraction(entry["loss"]) for name, entry in fact["nets"].items()}
    if exact(fact["losses"]) != losses or stated != reached or Fraction(fact["noise_floor"]) != floor(world):
        return False
    if not is_best(fact["best"], losses) or not is_best(fact["best_nets"], reached):
        return False
    if exact(fact["defects"]) != {name: defects(world, policy) for name, policy in policies.items()}:
        return False
    inputs = list(world.train_distribution())
    for name, entry in fact["reassigned"].items():
        before, after, circuit = nets[name], net_of(entry["net"]), [Unit(*unit) for unit in entry["circuit"]]
        if not set(circuit) <= set(hidden_units(before)) or not is_idle(before, circuit, inputs):
            return False
        drop = reached[name] - loss(world, lambda *case, net=after: net(encode(*case))[0])
        says = defects(world, lambda *case, net=after: decide(net, *case))
        if not beyond.only_in(before, after, circuit) or not 0 < drop == Fraction(entry["drop"]):
            return False
        if says != Fraction(entry["defects"]):
            return False
    return True


def world_thresholds(fact):
    world, policies = world_of(fact, fact["tampering"], 0), policies_of(fact)
    for name, entry in fact["excess"].items():
        train, deploy, tie = (
            entry[key] if entry[key] is None else Fraction(entry[key]) for key in ("train", "deploy", "tie")
        )
        for mixing, value in ((0, train), (1, deploy), (Fraction(1, 3), (2 * train + deploy) / 3)):
            at = unmixed(world, mixing)
            if loss(at, policies[name]) - loss(at, human_imitator) != value:
                return False
        crosses = min(train, deploy) < 0 < max(train, deploy)
        if crosses != (tie is not None) or (crosses and (1 - tie) * train + tie * deploy != 0):
            return False
    return set(fact["excess"]) == set(policies) - {"imitator"}


def world_sizes(fact):
    world = world_of(fact, fact["tampering"], 0)
    inputs = {case: encode(*case) for case in world.train_cases()}
    deployment = unmixed(world, 1).train_cases()
    mean = shares = 0
    left = dict(deployment)
    counted = {}
    for entry in fact["cases"]:
        case, size = case_of(entry["case"]), entry["size"]
        p, z = left.pop(case, None), encode(*case)
        if p is None or len(entry["units"]) != size or not 1 <= size <= 3:
            return False
        net = shallow([(w, b, [a]) for w, b, a in entry["units"]], [0])
        if any(net(u) != (0,) for u in inputs.values()) or net(z) == (0,):
            return False
        if size == 2 and not combines(entry["combination"], inputs, z):
            return False
        if size == 3 and not two_sided([inputs.get(case_of(row)) for row in entry["line"]], z):
            return False
        counted[str(size)] = counted.get(str(size), 0) + p
        mean += size * p
        shares += p
    return not left and exact(fact["shares"]) == counted and Fraction(fact["mean"]) == mean and shares == 1


def case_of(row):
    diamond, tampering, hour, question = row
    return State(diamond, tampering, hour), question


def combines(combination, inputs, point):
    weights = [Fraction(weight) for _, weight in combination]
    points = [inputs.get(case_of(row)) for row, _ in combination]
    if None in points or min(weights) < 0 or sum(weights) != 1:
        return False
    return sympy.Matrix([weights]) * sympy.Matrix(points) == sympy.Matrix([point])


def two_sided(four, point):
    if None in four or len(four) != 4:
        return False
    steps = sympy.Matrix([[a - b for a, b in zip(z, point, strict=True)] for z in four])
    along = [steps.row(i).dot(steps.row(3)) for i in range(4)]
    return steps.rank() == 1 and along[0] < along[1] < 0 < along[2] < along[3]


def world_price(fact):
    world = world_of(fact, [1, 1, 1], 0)
    data = world.line(*fact["case"])
    losses = [least(data, n) for n in range(len(fact["least"]))]
    if list(map(Fraction, fact["least"])) != losses:
        return False
    for entry in fact["minima"]:
        net = net_of(entry["net"])
        if net.widths[1] != entry["units"] or data.loss(net) != losses[net.widths[1]]:
            return False
    for price in fact["prices"]:
        n, size, hours = price["units"], price["size"], world.train_hours
        sides = sorted((sum(h < price["hour"] for h in hours), sum(h > price["hour"] for h in hours)))
        if price["hour"] in hours or size != min(sides[0], 2) + 1 or not size <= n < len(losses):
            return False
        if Fraction(price["price"]) != losses[n - size] - losses[n]:
            return False
    return True


def world_bounds(fact):
    world = world_of(fact, fact["tampering"], 0)
    cases, weights = world.train_cases(), list(map(Fraction, fact["tampering"]))
    unit = sympy.gcd(list(map(sympy.Rational, cases.values())))
    rows = int(len(world.humans) / unit)
    w, h, spread = list(map(Fraction, fact["direction"])), Fraction(fact["separation"]), Fraction(fact["spread"])
    at = sorted(sum(a * b for a, b in zip(w, encode(*case), strict=True)) for case in cases)
    if h <= 0 or any(b - a < h for a, b in pairwise(at)) or at[-1] - at[0] > spread:
        return False
    gap = (h / (rows * (spread + h))) ** 2 / 18
    mean = sum(p * sum(h.answer(*case) for h in world.humans) for case, p in cases.items()) / len(world.humans)
    above = {0: loss(world, lambda *case: mean)}
    for entry in fact["nets"]:
        net = net_of(entry)
        n = net.widths[1]
        above[n] = min(loss(world, lambda *case, net=net: net(encode(*case))[0]), above.get(n, above[0]))
    above = [min(v for k, v in above.items() if k <= n) for n in range(max(above) + 1)]
    own = world_of(fact, [1, 1, 1], 0).line(*fact["case"])
    exact_at = {}
    for entry in fact["minima"]:
        net = net_of(entry["net"])
        exact_at[net.widths[1]] = own.loss(net)
        if own.loss(net) != least(own, net.widths[1]):
            return False
    below = above[:1]
    for n in range(1, len(above)):
        total = Fraction(0)
        for d, t, q in product((0, 1), (0, 1, 2), (0, 1)):
            other = world_of(fact, [1, 1, 1], 0).line(d, t, q)
            same = other.targets in (own.targets, tuple((1 - y,) for (y,) in own.targets))
            known = [v for k, v in exact_at.items() if k >= n] if same else []
            total += weights[t] / sum(weights) / 4 * max([other.noise_floor, *known])
        below.append(max(total, floor(world)))
    for price in fact["prices"]:
        n, k = price["units"], price["size"]
        if not 1 <= k <= n < len(above):
            return False
        low = max(below[n - k] - above[n], gap * (below[n - k] - floor(world)))
        if [Fraction(price["low"]), Fraction(price["high"])] != [low, above[n - k] - below[n]]:
            return False
    return gap == Fraction(fact["gap"])


def least(data: Dataset, units: int):
    return global_minimum(data, units).loss


SAYS = {
    "world-bounds": world_bounds,
    "world-cell": world_cell,
    "world-price": world_price,
    "world-sizes": world_sizes,
    "world-thresholds": world_thresholds,
}
