"""The chance of C24, by the errors that each net has made after each draw."""

from collections import Counter
from fractions import Fraction
from itertools import product

from proof_of_absence.models.family import Architecture
from tests.checker.independent.kinds.read import net_of


def sample_chance(fact):
    base, inputs = net_of(fact["base"]), fact["inputs"]
    train, deploy = (list(map(Fraction, fact[key])) for key in ("train", "deploy"))
    mixing, least, draws = Fraction(fact["mixing"]), Fraction(fact["least"]), fact["draws"]
    noise, theta = Fraction(fact.get("noise", 0)), Fraction(fact.get("theta", 1))
    grid, shape = list(map(Fraction, fact["grid"])), Architecture(base.widths)
    if not (len(train) == len(deploy) == len(inputs) == len({tuple(map(Fraction, z)) for z in inputs})):
        return False
    if any(min(p) < 0 or sum(p) != 1 for p in (train, deploy)) or len(set(grid)) < len(grid):
        return False
    if not set(shape.parameters(base)) <= set(grid) or len(base.widths) != 3 or base.widths[-1] != 1:
        return False
    if mixing < 0 or any(p < mixing * q for p, q in zip(train, deploy, strict=True)) or draws < 0:
        return False
    if least < 0 or mixing * least > 1 or noise < 0 or theta < 1 or theta * noise > 1 - noise:
        return False
    nets = [shape.net(p) for p in product(grid, repeat=shape.parameter_count)]
    says = {net: [value >= Fraction(1, 2) for (value,) in net.outputs(inputs)] for net in [base, *nets]}
    right = says[base]
    bad = {
        tuple(answers)
        for answers in says.values()
        if sum((q for q, a, b in zip(deploy, answers, right, strict=True) if a != b), Fraction(0)) >= least
    }
    pairs = [(i, right[i] ^ slip) for i in range(len(inputs)) for slip in ((False, True) if noise else (False,))]
    # How many errors each of them has made so far, the right answers last.
    models = [*sorted(bad), tuple(right)]
    reached = Counter({(0,) * len(models): Fraction(1)})
    for _ in range(draws):
        later = Counter()
        for errors, p in reached.items():
            for i, y in pairs:
                share = p * train[i] * (1 - noise if y == right[i] else noise)
                later[tuple(n + (answers[i] != y) for n, answers in zip(errors, models, strict=True))] += share
        reached = later
    chance = sum((p for (*others, own), p in reached.items() if min([*others, own + 1]) <= own), Fraction(0))
    rate = (theta - 1) * ((1 - noise) / theta - noise) if "theta" in fact else 1
    bound = len(nets) * (1 - rate * mixing * least) ** draws
    stated = (fact["members"], Fraction(fact["chance"]), Fraction(fact["bound"]))
    return stated == (len(nets), chance, bound)


SAYS = {
    "sample-chance": sample_chance,
}
