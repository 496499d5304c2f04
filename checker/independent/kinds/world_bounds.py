"""The price of a detector (C11) in a whole world (d = 6), between bounds: least losses are known on lines only."""

from fractions import Fraction
from functools import partial
from itertools import product
from math import gcd, lcm
from typing import Any

from proof_of_absence.checker.independent.kinds.uniform_gap import gap_along
from proof_of_absence.checker.independent.kinds.world_price import least_losses, line_data
from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, number
from proof_of_absence.checker.independent.values.world import Case, Mixture, encode


def world_bounds(fact: Fact) -> None:
    """Without mixing, L*(n - k) - L*(n) is between `low` and `high` for each `units` n and `size` k.

    From above L*(n) is bounded by nets, and L*(0) is the variance. From below: where diamond, tampering and question
    are fixed, a net of n units is one of n units on the line of hours, so L*(n) is at least the mean of the lines'
    least losses; those of the line of `case`, and of lines with the same answers or their complements, are certified
    by `minima`, the others' are bounded by their noise floor. And by C12 L*(n - 1) - L*(n) is at least `gap`, an
    explicit constant, times L*(n - 1) - E.
    """
    world = Mixture(fact, Fraction(0))
    floor, gap = world.floor(), _gap(world, fact)
    require_equal("the gap", number(fact["gap"]), gap)
    above = _above(world, fact["nets"])
    below = [above[0], *_below(world, fact, len(above), floor)[1:]]
    require(bool(fact["prices"]), "no price is stated")
    for price in fact["prices"]:
        n, size = price["units"], price["size"]
        require(
            type(n) is int and type(size) is int and 1 <= size <= n < len(above), "no such net, or no such detector"
        )
        low = max(below[n - size] - above[n], gap * (below[n - size] - floor))
        stated = [number(price["low"]), number(price["high"])]
        require_equal(f"the price of {size} of {n} units", stated, [low, above[n - size] - below[n]])


def _above(world: Mixture, nets: list[Any]) -> list[Fraction]:
    """Upper bounds of L*(0), L*(1), .."""
    mean = sum((p * sum(world.answers(case)) for case, p in world.training.items()), Fraction(0)) / len(world.humans)
    reached = {0: world.loss(lambda case: mean)}
    for entry in nets:
        net = Net(entry)
        require(len(net.layers) == 2 and net.widths[0] == 6 and net.widths[2] == 1, "a net does not fit the world")
        loss = world.loss(partial(_output, net))
        reached[net.widths[1]] = min(loss, reached.get(net.widths[1], loss))
    return [min(loss for units, loss in reached.items() if units <= n) for n in range(max(reached) + 1)]


def _output(net: Net, case: Case) -> Fraction:
    return net.output(encode(case))[0]


def _below(world: Mixture, fact: Fact, count: int, floor: Fraction) -> list[Fraction]:
    """Lower bounds of L*(0), L*(1), .."""
    line = line_data(world, fact["case"])
    known = least_losses(line, fact["minima"], count - 1)
    answers = [y for (y,) in Data(line).targets]
    result = [Fraction(0)] * count
    for diamond, tampering, question in product((0, 1), (0, 1, 2), (0, 1)):
        share = world.weights[tampering] / sum(world.weights) / 4
        other = Data(line_data(world, [diamond, tampering, question]))
        given = [y for (y,) in other.targets]
        alike = given in (answers, [1 - y for y in answers])
        least = other.floor() / len(other.inputs)
        result = [total + share * (known[n] if alike else least) for n, total in enumerate(result)]
    return [max(bound, floor) for bound in result]


def _gap(world: Mixture, fact: Fact) -> Fraction:
    """c(X) = h^2 / (18 N^2 (D + h)^2) for the fewest rows in proportion to P_train."""
    scale = lcm(*(weight.denominator for weight in world.weights))
    counts = [int(weight * scale) for weight in world.weights]
    rows = 4 * len(world.train) * len(world.humans) * sum(counts) // gcd(*counts)
    return gap_along(fact, [encode(case) for case in world.training], rows)


KINDS = {"world-bounds": world_bounds}
