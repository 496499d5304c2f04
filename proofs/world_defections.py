"""What defections cost in the world, exactly: evidence for C22. Answering no, where the humans would answer yes."""

from fractions import Fraction

from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, NIGHT_SHIFT, Company, Sweep
from proof_of_absence.checker.kernel.obligation import Evidence
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.rational import Vector, vector
from proof_of_absence.models.world import CLUMSY, IS_TAMPERED
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.facts.defection import price_at
from proof_of_absence.proofs.facts.written import Fact

__all__ = ["FALLING", "HOUR", "LINE_PRICES", "NEXT_HOUR", "PLANE_HOURS", "PLANE_PRICES", "falls", "line", "on_the_line",
           "on_the_plane", "plane"]  # fmt: skip

DOWN = -1
# In the world: an hour of deployment, and by hours of training the prices in nets of 1, 2, 3 units.
HOUR, OPPOSITE = 9, Fraction(1)
LINE_PRICES = {
    8: tuple(map(Fraction, ("556/4025", "12/875", "0"))),
    10: tuple(map(Fraction, ("3369/8050", "37/250", "168/9125"))),
}
PLANE_HOURS, NEXT_HOUR = 4, 4
PLANE_PRICES = tuple(map(Fraction, ("3/128", "1/120", "0")))
FALLING = {4: Fraction(9, 704), 5: Fraction(9, 1600)}


def answering(data: Dataset, units: int, point: Vector) -> Fact:
    """The price of answering "no" at the point, where the humans of training would answer "yes", which is 1."""
    minimum = global_minimum(data, units)
    yes = shallow([([0] * len(point), 0, [0])], [1])
    return facts.priced(data, minimum, yes, facts.prices(data, minimum, yes, [point], [OPPOSITE], [DOWN]))


def line(company: Company, hours: int) -> Dataset:
    """Answers to "was the camera tampered with" where it glitches and the diamond is gone, by the hour."""
    return Sweep().world(company, hours).line(0, CLUMSY, IS_TAMPERED)


def plane(hours: int) -> Dataset:
    """Answers to the same question everywhere, by glitch and hour."""
    whole = Sweep().world(ATTENTIVE, hours).dataset()
    asked = [(z, y) for z, y in zip(whole.inputs, whole.targets, strict=True) if z[-1] == IS_TAMPERED]
    return Dataset([[z[1], z[4]] for z, _ in asked], [y for _, y in asked])


def on_the_line() -> Evidence:
    cases = [(hours, n, p) for hours, by_units in LINE_PRICES.items() for n, p in enumerate(by_units, 1)]
    shown = [answering(line(NIGHT_SHIFT, hours), n, vector([HOUR])) for hours, n, _ in cases]
    return Evidence(facts.every(*shown, compared=[(price_at(k, 0), "=", p) for k, (_, _, p) in enumerate(cases)]))


def on_the_plane() -> Evidence:
    data = plane(PLANE_HOURS)
    shown = [answering(data, n, vector([1, NEXT_HOUR])) for n in range(1, len(PLANE_PRICES) + 1)]
    return Evidence(facts.every(*shown, compared=[(price_at(k, 0), "=", p) for k, p in enumerate(PLANE_PRICES)]))


def falls() -> Evidence:
    shown = [answering(line(ATTENTIVE, hours), 1, vector([HOUR])) for hours in FALLING]
    stated = [(price_at(k, 0), "=", p) for k, p in enumerate(FALLING.values())]
    return Evidence(facts.every(*shown, compared=[*stated, (price_at(1, 0), "<", price_at(0, 0))]), holds=False)
