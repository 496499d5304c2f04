"""The price of a detector (C11) in a whole world (d = 6), between bounds: exact least losses are known on lines only."""

from fractions import Fraction
from itertools import pairwise, product
from math import gcd, lcm

from proof_of_absence.checker.independent.kinds.prices import least_losses, line_data
from proof_of_absence.checker.independent.kinds.sweep import Cell, seen
from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.nets import Data, Net, dot, number, numbers


def world_bounds(fact: dict) -> None:
    """Without mixing, L*(n - k) - L*(n) is between `low` and `high` for each `units` n and `size` k.

    From above L*(n) is bounded by nets, and L*(0) is the variance. From below: where diamond, tampering and question are fixed, a net
    of n units is one of n units on the line of hours, so L*(n) is at least the mean of the lines' least losses; those of the line of
    `case`, and of lines with the same answers or their complements, are certified by `minima`, the others' are bounded by their
    noise floor. And by C12 L*(n - 1) - L*(n) is at least `gap`, an explicit constant, times L*(n - 1) - E.
    """
    cell = Cell(fact | {"mixing": "0", "scheduled": 0, "trigger": 0})
    floor, gap = cell.floor(), _gap(cell, fact)
    require(gap == number(fact["gap"]), "the gap is another")
    above = _above(cell, fact["nets"])
    below = [above[0], *_below(cell, fact, len(above), floor)[1:]]
    require(bool(fact["prices"]), "no price is stated")
    for price in fact["prices"]:
        n, size = price["units"], price["size"]
        require(
            type(n) is int and type(size) is int and 1 <= size <= n < len(above), "no such net, or no such detector"
        )
        low = max(below[n - size] - above[n], gap * (below[n - size] - floor))
        stated = [number(price["low"]), number(price["high"])]
        require(stated == [low, above[n - size] - below[n]], f"the price of {size} of {n} units is another")


def _above(cell: Cell, nets) -> list[Fraction]:
    """Upper bounds of L*(0), L*(1), .."""
    mean = sum((p * sum(cell.answers(case)) for case, p in cell.training.items()), Fraction(0)) / len(cell.humans)
    reached = {0: cell.loss(lambda case: mean)}
    for entry in nets:
        net = Net(entry)
        require(len(net.layers) == 2 and net.widths[0] == 6 and net.widths[2] == 1, "a net does not fit the world")
        loss = cell.loss(lambda case, net=net: net.output(seen(case))[0])
        reached[net.widths[1]] = min(loss, reached.get(net.widths[1], loss))
    return [min(loss for units, loss in reached.items() if units <= n) for n in range(max(reached) + 1)]


def _below(cell: Cell, fact: dict, count: int, floor: Fraction) -> list[Fraction]:
    """Lower bounds of L*(0), L*(1), .."""
    line = line_data(cell, fact["case"])
    known = least_losses(line, fact["minima"], count - 1)
    answers = [y for (y,) in Data(line).targets]
    result = [Fraction(0)] * count
    for diamond, tampering, question in product((0, 1), (0, 1, 2), (0, 1)):
        share = cell.weights[tampering] / sum(cell.weights) / 4
        other = Data(line_data(cell, [diamond, tampering, question]))
        given = [y for (y,) in other.targets]
        alike = given in (answers, [1 - y for y in answers])
        least = other.floor() / len(other.inputs)
        result = [total + share * (known[n] if alike else least) for n, total in enumerate(result)]
    return [max(bound, floor) for bound in result]


def _gap(cell: Cell, fact: dict) -> Fraction:
    """c(X) = h^2 / (18 N^2 (D + h)^2) for the fewest rows in proportion to P_train."""
    w, h, spread = numbers(fact["direction"]), number(fact["separation"]), number(fact["spread"])
    line = sorted(dot(w, seen(case)) for case in cell.training)
    require(h > 0 and all(b - a >= h for a, b in pairwise(line)), "two projections are closer than that")
    require(line[-1] - line[0] <= spread, "two projections are further apart than that")
    scale = lcm(*(weight.denominator for weight in cell.weights))
    counts = [int(weight * scale) for weight in cell.weights]
    rows = 4 * len(cell.train) * len(cell.humans) * sum(counts) // gcd(*counts)
    return h**2 / (18 * rows**2 * (spread + h) ** 2)
