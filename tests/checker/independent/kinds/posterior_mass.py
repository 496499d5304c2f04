"""What is said of masses and where they fall, by a census of `proof_of_absence.models`."""

from fractions import Fraction
from functools import cache
from itertools import combinations

from proof_of_absence.models.circuit import fires, hidden_units, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture, Family, Grid
from proof_of_absence.models.posterior import census
from tests.checker.independent.kinds.read import dataset_of


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
    """The census, and each loss in units; None if there is no such class, or it is beyond the checker's limits."""
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


SAYS = {
    "crossover": crossover,
    "posterior": posterior,
}
