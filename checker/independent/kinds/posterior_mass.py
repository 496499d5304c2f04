"""C14 on a quantised class of shallow nets, which is enumerated here: masses of a set of nets at rational weights.

The weight of a net of loss L is ratio^(power L / unit) = exp(-beta L), at the beta with exp(-beta unit) = ratio^power.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, combinations, product

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Vector, number, numbers

LARGEST = 10_000  # nets
POWERS = 1000
LONGEST = 100_000  # the exponent of a weight; a longer one would let a short fact ask for an enormous number


Row = tuple[Fraction, ...]
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
        data, unit = Data(fact["data"]), number(fact["unit"])
        require(len(data.inputs[0]) == d and len(data.targets[0]) == m and unit > 0, "the data do not fit")
        more = [numbers(fact["fires"])] if "fires" in fact else []
        require(all(len(z) == d for z in more), "the input that fires does not fit")
        self.all, self.members = Counter[int](), Counter[int]()
        hidden = [_sent(parameters, d, [*data.inputs, *more]) for parameters in product(grid, repeat=d + 1 + m)]
        for units in product(hidden, repeat=n):
            outputs = [_total(sent) for sent in zip(*units, strict=True)][: len(data.inputs)]
            member = any(_idle(chosen, len(data.inputs)) for chosen in _circuits(units))
            for shift in product(grid, repeat=m):
                error = sum(
                    ((f + c - t) ** 2 for row, y in zip(outputs, data.targets, strict=True)
                     for f, c, t in zip(row, shift, y, strict=True)),
                    Fraction(0),
                )  # fmt: skip
                level = error / len(data.inputs) / unit
                require(level.denominator == 1, "a loss is no multiple of the unit")
                self.all[int(level)] += 1
                self.members[int(level)] += member
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


def _sent(parameters: Row, d: int, inputs: list[Vector]) -> Sent:
    """What a unit (w, b, a) sends to the outputs at each input."""
    w, b, a = parameters[:d], parameters[d], parameters[d + 1 :]
    active = [max(sum((x * y for x, y in zip(w, z, strict=True)), b), Fraction(0)) for z in inputs]
    return [tuple(weight * value for weight in a) for value in active]


def _total(rows: Iterable[Row]) -> Row:
    return tuple(sum(column, Fraction(0)) for column in zip(*rows, strict=True))


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
