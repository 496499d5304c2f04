"""C24: the chance that some net of a finite class does as well as another on a sample, and defects at deployment."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb, factorial, lcm, prod

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, Vector, dot, number, numbers, rows

LARGEST = 10_000  # nets
MOST = 200_000  # kinds of sample
HALF = Fraction(1, 2)
Event = frozenset[int]


def sample_chance(fact: Fact) -> None:
    """The chance that a net of the class has no more wrong answers than `base` on a sample, and defects often.

    Often: with probability `least` at deployment. The class is that of all shallow nets of base's architecture with
    parameters from `grid`; a net answers yes where its output is at least 1/2. The chance is summed over how often the
    sample has each input with a right and with a wrong answer.
    """
    base, grid, inputs = Net(fact["base"]), numbers(fact["grid"]), rows(fact["inputs"])
    train, deploy = _distribution(fact["train"], len(inputs)), _distribution(fact["deploy"], len(inputs))
    mixing, least, draws = number(fact["mixing"]), number(fact["least"]), fact["draws"]
    require(len({tuple(z) for z in inputs}) == len(inputs), "an input is listed twice")
    require(mixing >= 0 and all(p >= mixing * q for p, q in zip(train, deploy, strict=True)), "not mixed at that rate")
    require(least >= 0 and mixing * least <= 1, "the least probability is out of range")
    require(type(draws) is int and draws >= 0, "no number of draws")
    noise, rate = _noise(fact)
    nets = _behaviours(base, grid, inputs)
    require(type(fact["members"]) is int, "no number of members")
    require_equal("the members", fact["members"], len(nets))
    bad = {event for event in nets if sum((deploy[i] for i in event), Fraction(0)) >= least}
    require_equal("the chance", number(fact["chance"]), _chance(train, bad, draws, noise))
    bound = len(nets) * (1 - rate * mixing * least) ** draws
    require_equal("the bound", number(fact["bound"]), bound)


def _noise(fact: Fact) -> tuple[Fraction, Fraction]:
    """How often a wrong answer is written down, and what the bound has of eps a: all of it without noise."""
    require(("noise" in fact) == ("theta" in fact), "noise and theta come together")
    if "noise" not in fact:
        return Fraction(0), Fraction(1)
    eta, theta = number(fact["noise"]), number(fact["theta"])
    require(eta >= 0 and theta >= 1 and theta * eta <= 1 - eta, "theta is not between 1 and (1 - eta) / eta")
    return eta, (theta - 1) * ((1 - eta) / theta - eta)


def _distribution(row: object, points: int) -> Vector:
    p = numbers(row)
    require(len(p) == points, "not one probability an input")
    require(min(p) >= 0 and sum(p) == 1, "not a probability distribution")
    return p


def _behaviours(base: Net, grid: Vector, inputs: list[Vector]) -> list[Event]:
    """Of each net of the class the inputs at which it answers otherwise than base."""
    require(len(base.layers) == 2 and base.widths[-1] == 1, "not a shallow net of one output")
    d, n, _ = base.widths
    own = [x for weights, bias in base.layers for line in [*weights, bias] for x in line]
    require(bool(grid) and len(set(grid)) == len(grid), "the grid lists a value twice, or none")
    require(all(x in grid for x in own), "a parameter of the net is not on the grid")
    require(n * (d + 2) + 1 <= 20 and len(grid) ** (n * (d + 2) + 1) <= LARGEST, "too many nets")
    right = [base.output(z)[0] >= HALF for z in inputs]
    found = []
    for *parameters, shift in product(grid, repeat=n * (d + 2) + 1):
        units = [parameters[j * (d + 2) : (j + 1) * (d + 2)] for j in range(n)]
        said = [
            shift + sum(a * max(dot(w, z) + b, Fraction(0)) for *w, b, a in units) >= HALF for z in inputs
        ]  # fmt: skip
        found.append(frozenset(i for i, (one, other) in enumerate(zip(said, right, strict=True)) if one != other))
    return found


def _chance(train: Vector, bad: set[Event], draws: int, noise: Fraction) -> Fraction:
    """Summed over the counts of each input, first with right answers and then with wrong ones."""
    parts = [p * share for share in ([1 - noise, noise] if noise else [Fraction(1)]) for p in train]
    require(comb(draws + len(parts) - 1, len(parts) - 1) <= MOST, "too many kinds of sample")
    common = lcm(*(p.denominator for p in parts))
    powers = [[int(p * common) ** k for k in range(draws + 1)] for p in parts]
    whole, total, size = factorial(draws), 0, len(train)
    for counts in _splits(draws, len(parts)):
        lead = [counts[i] - (counts[size + i] if noise else 0) for i in range(size)]
        if any(sum(lead[i] for i in event) <= 0 for event in bad):
            each = prod(row[k] for row, k in zip(powers, counts, strict=True))
            total += each and each * (whole // prod(map(factorial, counts)))
    return Fraction(total, common**draws)


def _splits(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to write the total as a sum of so many counts."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _splits(total - first, parts - 1):
            yield (first, *rest)


KINDS = {
    "sample-chance": sample_chance,
}
