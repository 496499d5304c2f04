"""What is said of prices in a whole world, by the definitions."""

from fractions import Fraction
from itertools import pairwise, product

import sympy

from proof_of_absence.models.world import encode
from tests.checker.independent.kinds.read import net_of, world_of
from tests.checker.independent.kinds.world_price import least
from tests.checker.independent.kinds.world_read import floor, loss


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
    for n, entry in enumerate(fact["minima"], 1):
        net = net_of(entry["net"])
        if entry["units"] != n or net.widths[1] > n:
            return False
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


SAYS = {
    "world-bounds": world_bounds,
}
