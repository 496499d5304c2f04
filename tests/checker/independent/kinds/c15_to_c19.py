"""What the kinds of fact of C15, C17 and C19 say, by code that the independent checker does not use."""

from fractions import Fraction

import mpmath
import numpy as np

from proof_of_absence.models.circuit import Unit, hidden_units, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, Layer
from proof_of_absence.models.policies import all_is_well, decide, direct_translator, human_imitator
from proof_of_absence.models.world import Human, World
from tests.checker.independent.kinds import beyond


def net_of(layers):
    return MLP(tuple(Layer(layer["weights"], layer["bias"]) for layer in layers))


def dataset_of(data):
    return Dataset(data["inputs"], data["targets"])


def world_of(fact, tampering, mixing):
    hours = [*fact["train_hours"], *fact["deploy_hours"]]
    if any(len(set(row)) < len(row) for row in [hours, *fact["humans"]]):
        raise ValueError("an hour is listed twice")
    humans = tuple(Human(frozenset(lapses)) for lapses in fact["humans"])
    weights = tuple(map(Fraction, tampering))
    return World(tuple(fact["train_hours"]), tuple(fact["deploy_hours"]), humans, weights, Fraction(mixing))


def policy_of(name, last_hour):
    def deceptive(state, question):
        return (human_imitator if state.hour <= last_hour else all_is_well)(state, question)

    return {"translator": direct_translator, "imitator": human_imitator, "deceptive": deceptive}[name]


def loss(fact, name, tampering, mixing):
    """The squared loss on every case, as the mean over cases of bias squared plus variance of the answers."""
    world, policy = world_of(fact, tampering, mixing), policy_of(name, fact["last_hour"])
    total = Fraction(0)
    for case, p in world.train_cases().items():
        answers = [human.answer(*case) for human in world.humans]
        mean = Fraction(sum(answers), len(answers))
        total += p * ((policy(*case) - mean) ** 2 + mean - mean**2)
    return total


def policy_losses(fact):
    found = {name: loss(fact, name, fact["tampering"], fact["mixing"]) for name in fact["losses"]}
    order = {"<": lambda a, b: a < b, "=": lambda a, b: a == b}
    stated = {name: Fraction(x) for name, x in fact["losses"].items()}
    return found == stated and all(order[sign](found[a], found[b]) for a, sign, b in fact["relations"])


def excess_at(fact, tampering, mixing):
    return loss(fact, fact["left"], tampering, mixing) - loss(fact, fact["right"], tampering, mixing)


def policy_excess(fact):
    for side, mixing in (("train", 0), ("deploy", 1)):
        units = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
        if [excess_at(fact, only, mixing) for only in units] != list(map(Fraction, fact[side])):
            return False
    stated = {side: list(map(Fraction, fact[side])) for side in ("train", "deploy")}
    if (fact.get("never_below") and min(map(min, stated.values())) < 0) or (
        fact.get("only_mixed") and any(stated["train"])
    ):
        return False
    if "tie" not in fact:
        return True
    *others, skilled = map(Fraction, fact["tie"]["tampering"])
    mixing = fact["tie"]["mixing"]
    at, less, more = (excess_at(fact, (*others, skilled * k), mixing) for k in (1, Fraction(1, 2), 2))
    return skilled > 0 and at == 0 and less <= 0 < more and excess_at(fact, (0, 0, 1), mixing) > 0


def policy_net(fact):
    world, net = world_of(fact, (1, 1, 1), 0), net_of(fact["net"])
    policy = policy_of(fact["policy"], fact["last_hour"])
    return all(decide(net, *case) == policy(*case) for case in world.all_questions())


def logistic_loss(net, data):
    with mpmath.workdps(80):
        total = mpmath.mpf(0)
        for (f,), (y,) in zip(net.outputs(data.inputs), data.targets, strict=True):
            x = mpmath.mpf(f.numerator) / f.denominator
            sign = 1 - 2 * int(y)
            total += max(sign * x, 0) + mpmath.log1p(mpmath.exp(-abs(x)))
        return total / len(data)


def binary(net, data):
    return net.widths[-1] == 1 and all(y in (0, 1) for (y,) in data.targets)


def logistic_drop(fact):
    before, after, data = net_of(fact["before"]), net_of(fact["after"]), dataset_of(fact["data"])
    circuit, drop = [Unit(*unit) for unit in fact["circuit"]], Fraction(fact["over"])
    if not binary(before, data) or drop <= 0 or not set(circuit) <= set(hidden_units(before)):
        return False
    if not is_idle(before, circuit, data.inputs) or not beyond.only_in(before, after, circuit):
        return False
    with mpmath.workdps(80):
        return logistic_loss(before, data) - logistic_loss(after, data) > mpmath.mpf(drop.numerator) / drop.denominator


def probabilities(net, data):
    return net.widths[-1] == len(data.targets[0]) and all(min(t) >= 0 and sum(t) == 1 for t in data.targets)


def exact(x):
    return mpmath.mpf(x.numerator) / x.denominator


def cross_entropy(net, data):
    """By the definition: minus the logarithms of the softmax, weighted with the target."""
    total = mpmath.mpf(0)
    for outputs, targets in zip(net.outputs(data.inputs), data.targets, strict=True):
        whole = mpmath.fsum(mpmath.exp(exact(f)) for f in outputs)
        total -= mpmath.fsum(
            exact(t) * mpmath.log(mpmath.exp(exact(f)) / whole) for f, t in zip(outputs, targets, strict=True)
        )
    return total / len(data)


def cross_entropy_drop(fact):
    before, after, data = net_of(fact["before"]), net_of(fact["after"]), dataset_of(fact["data"])
    circuit, drop = [Unit(*unit) for unit in fact["circuit"]], Fraction(fact["over"])
    if not probabilities(before, data) or drop <= 0 or not set(circuit) <= set(hidden_units(before)):
        return False
    if not is_idle(before, circuit, data.inputs) or not beyond.only_in(before, after, circuit):
        return False
    with mpmath.workdps(80):
        return cross_entropy(before, data) - cross_entropy(after, data) > exact(drop)


def cross_entropy_floor(fact):
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    circuit = [Unit(*unit) for unit in fact["circuit"]]
    if not probabilities(net, data) or not set(circuit) <= set(hidden_units(net)):
        return False
    with mpmath.workdps(80):
        for group in data.groups:
            powers = [mpmath.exp(exact(f)) for f in net(group.input)]
            gaps = [p / sum(powers) - exact(t) for p, t in zip(powers, group.mean_target, strict=True)]
            if any(abs(gap) > mpmath.mpf(10) ** -60 for gap in gaps):
                return False
    return is_idle(net, circuit, data.inputs)


def logistic_sums(fact):
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    if not binary(net, data):
        raise ValueError("not a logistic loss")
    with mpmath.workdps(80):
        for group in data.groups:
            f = net(group.input)[0]
            mean = group.mean_target[0]
            sigma = 1 / (1 + mpmath.exp(-mpmath.mpf(f.numerator) / f.denominator))
            yield abs(sigma - mpmath.mpf(mean.numerator) / mean.denominator)


def columns(table):
    result = np.empty((len(table), len(table[0])), dtype=object)
    result[:] = [list(map(Fraction, row)) for row in table]
    return result


def ridge(fact):
    """At the minimum of a quadratic function, steps of 1 either way along every parameter give the same value."""
    net, data, penalty = net_of(fact["net"]), dataset_of(fact["data"]), Fraction(fact["penalty"])
    (hidden, output), intercept = net.layers, fact["intercept"]

    def value(k, j, step):
        rows, shift = [list(row) for row in output.weights], list(output.bias)
        if j is None:
            shift[k] += step
        else:
            rows[k][j] += step
        moved = MLP((hidden, Layer(rows, shift)))
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
    """The two values by their definitions; units in many directions;
    and the multipliers of every pattern, by matrices.
    """
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
    if not is_idle(before, circuit, data.inputs) or not beyond.only_in(before, after, circuit):
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
    "cross-entropy-drop": cross_entropy_drop,
    "cross-entropy-floor": cross_entropy_floor,
    "decay-drop": decay_drop,
    "logistic-drop": logistic_drop,
    "logistic-floor": lambda fact: not any(logistic_sums(fact)),
    "logistic-group": lambda fact: any(gap > mpmath.mpf(10) ** -40 for gap in logistic_sums(fact)),
    "policy-excess": policy_excess,
    "policy-losses": policy_losses,
    "policy-net": policy_net,
    "ridge": ridge,
}
