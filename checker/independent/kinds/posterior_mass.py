"""C14 on a quantised class of shallow nets, which is enumerated here: masses of a set of nets at rational weights.

The weight of a net of loss L is ratio^(power L / unit) = exp(-beta L), at the beta with exp(-beta unit) = ratio^power.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import chain, combinations, product
from math import lcm

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Vector, dot, number, numbers

LARGEST = 10_000  # nets
POWERS = 1000
LONGEST = 100_000  # the exponent of a weight; a longer one would let a short fact ask for an enormous number


Row = tuple[int, ...]
# What a unit sends to the outputs, at each input.
Sent = list[Row]


class _Class:
    """How many nets, and how many in D, have a loss of so many units.

    D holds the nets with a train-idle circuit; with `fires`, one that sends something else at that input.
    """

    def __init__(self, fact: Fact, power: int):
        d, n, m = fact["widths"]
        require(all(isinstance(width, int) and width > 0 for width in (d, n, m)), "not an architecture")
        grid = numbers(fact["grid"])
        require(len(set(grid)) == len(grid) > 0, "the grid lists a value twice, or none")
        require(n * (d + 1 + m) + m <= 20 and len(grid) ** (n * (d + 1 + m) + m) <= LARGEST, "too many nets")
        unit, size = number(fact["unit"]), len(Data(fact["data"]).inputs)
        require(unit > 0, "the data do not fit")
        self.all, self.members = Counter[int](), Counter[int]()
        asked = {key: fact[key] for key in ("widths", "grid", "data", "fires") if key in fact}
        for error, (nets, members) in _errors(json.dumps(asked, sort_keys=True)).items():
            level = error / size / unit
            require(level.denominator == 1, "a loss is no multiple of the unit")
            self.all[int(level)], self.members[int(level)] = nets, members
        self.least = min(self.all)
        require(power * (max(self.all) - self.least) <= LONGEST, "the weights are too long to compare")
        self.best = self.all[self.least]
        self.size = self.members.total()
        require(self.size > 0, "no net of the class is in the set")
        self.gap = min(level for level, count in self.members.items() if count) - self.least
        self.ratio = number(fact["ratio"])
        require(0 < self.ratio < 1, "the ratio is not between 0 and 1")
        require(self.ratio.denominator <= LARGEST, "the ratio is too long")

    def mass(self, power: int) -> Fraction:
        """The weights are cleared of denominators, so that one fraction is reduced and not one for each loss."""
        top, (p, q) = max(self.all), self.ratio.as_integer_ratio()
        weight = {at: p ** (power * (at - self.least)) * q ** (power * (top - at)) for at in self.all}
        return Fraction(
            sum(weight[at] * count for at, count in self.members.items()),
            sum(weight[at] * count for at, count in self.all.items()),
        )

    def bound(self, power: int) -> Fraction:
        return Fraction(self.size, self.best) * self.ratio ** (power * self.gap)


@lru_cache(maxsize=4)
def _errors(asked: str) -> dict[Fraction, tuple[int, int]]:
    """By N times the loss, how many nets have it, and how many of them are in D.

    Every net is looked at, once for all facts about one class. The class is given as JSON. All is computed in integers:
    what is sent, targets and output biases times `scale`, errors times its square.
    """
    fact = json.loads(asked)
    (d, n, m), grid, data = fact["widths"], numbers(fact["grid"]), Data(fact["data"])
    require(len(data.inputs[0]) == d and len(data.targets[0]) == m, "the data do not fit")
    more = [numbers(fact["fires"])] if "fires" in fact else []
    require(all(len(z) == d for z in more), "the input that fires does not fit")
    sent = [_sent(parameters, d, [*data.inputs, *more]) for parameters in product(grid, repeat=d + 1 + m)]
    rows = [*data.targets, grid, *(row for unit in sent for row in unit)]
    scale = lcm(*(x.denominator for row in rows for x in row))
    hidden = [[_times(scale, row) for row in unit] for unit in sent]
    targets, biases = [_times(scale, y) for y in data.targets], _times(scale, grid)
    found: dict[int, list[int]] = {}
    for units in product(hidden, repeat=n):
        outputs = [_total(sent) for sent in zip(*units, strict=True)][: len(targets)]
        member = any(_idle(chosen, len(targets)) for chosen in _circuits(units))
        for shift in product(biases, repeat=m):
            error = sum(
                (f + c - t) ** 2
                for row, y in zip(outputs, targets, strict=True)
                for f, c, t in zip(row, shift, y, strict=True)
            )
            counts = found.setdefault(error, [0, 0])
            counts[0] += 1
            counts[1] += member
    return {Fraction(error, scale**2): (nets, members) for error, (nets, members) in found.items()}


def _times(scale: int, row: Iterable[Fraction]) -> Row:
    return tuple(int(x * scale) for x in row)


def _sent(parameters: tuple[Fraction, ...], d: int, inputs: list[Vector]) -> list[Vector]:
    """What a unit (w, b, a) sends to the outputs at each input."""
    w, b, a = parameters[:d], parameters[d], parameters[d + 1 :]
    active = [max(dot(w, z, b), Fraction(0)) for z in inputs]
    return [[weight * value for weight in a] for value in active]


def _total(rows: Iterable[Row]) -> Row:
    return tuple(map(sum, zip(*rows, strict=True)))


def _circuits(units: tuple[Sent, ...]) -> Iterator[tuple[Sent, ...]]:
    return chain.from_iterable(combinations(units, size) for size in range(1, len(units) + 1))


def _idle(circuit: tuple[Sent, ...], training: int) -> bool:
    """One value on the training inputs, and another at the input after them if there is one."""
    sent = [_total(rows) for rows in zip(*circuit, strict=True)]
    return len(set(sent[:training])) == 1 and all(value != sent[0] for value in sent[training:])


def _power(value: object) -> int:
    if not (type(value) is int and 0 <= value <= POWERS):
        raise Refused(f"not a power between 0 and {POWERS}")
    return value


def posterior(fact: Fact) -> None:
    """Of `nets` nets `best` have the least loss; `members` are in D and lose `gap` at least; D has a mass and a bound.

    With `below` or `above` the mass is below or above that number.
    """
    power = _power(fact["power"])
    found = _Class(fact, power)
    for key, count in (("nets", found.all.total()), ("best", found.best), ("members", found.size)):
        require_equal(f"the count of {key}", fact[key], count)
    require_equal("the gap", number(fact["gap"]), found.gap * number(fact["unit"]))
    mass, bound = found.mass(power), found.bound(power)
    require_equal("the mass", number(fact["mass"]), mass)
    require_equal("the bound", number(fact["bound"]), bound)
    require(mass <= bound, "the mass is above the bound")
    require("below" not in fact or mass < number(fact["below"]), "the mass is not below that")
    require("above" not in fact or mass > number(fact["above"]), "the mass is not above that")


def crossover(fact: Fact) -> None:
    """From `power` on, and not from one power earlier, the mass of D is below `delta`.

    At `certain` the bound is below it, and the bound falls with the power; the powers before that are tried.
    """
    power, certain, delta = _power(fact["power"]), _power(fact["certain"]), number(fact["delta"])
    found = _Class(fact, certain)
    require(found.gap > 0, "the gap is 0")
    require(power <= certain, "nothing bounds the mass between the powers")
    require(found.bound(certain) < delta, "the bound is not below that")
    require(power == 0 or found.mass(power - 1) >= delta, "the mass is below that one power earlier")
    require(all(found.mass(at) < delta for at in range(power, certain)), "the mass is not below that")


KINDS = {
    "crossover": crossover,
    "posterior": posterior,
}
