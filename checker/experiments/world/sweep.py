"""A sweep over worlds: diversity (hours of training, nested) by mixing rate, for each company of humans.

Every number is a fact with its certificate.

It takes seconds, so nothing is kept of a sweep that is interrupted: what no run leaves, nobody can forge.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from proof_of_absence.checker.experiments.world.cells import cell, sizes, thresholds
from proof_of_absence.checker.experiments.world.prices import prices
from proof_of_absence.checker.experiments.world.whole import bounds
from proof_of_absence.checker.independent.results.experiment import FORMAT
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.kept import versions
from proof_of_absence.models.rational import rational
from proof_of_absence.models.world import CLUMSY, IS_TAMPERED, Human, World

__all__ = ["ATTENTIVE", "NIGHT_SHIFT", "Company", "Sweep", "parameters", "run"]

SCOPE = (
    "Instance: exact in these worlds, for the policies and nets named, and for S_n on one line where prices are "
    "stated. Nothing is said of what training finds."
)


@dataclass(frozen=True)
class Company:
    """Humans who answer, by the hours at which each lapses, and the weights of no,
    clumsy and skilled tampering in their world.
    """

    name: str
    lapses: tuple[tuple[int, ...], ...]
    tampering: tuple[int, int, int] = (2, 1, 1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lapses", tuple(tuple(sorted(set(hours))) for hours in self.lapses))


# The humans of the default world, and four of five who are careless for the first hours, where
# skilled tampering is rare.
ATTENTIVE = Company("attentive", ((), (2, 6)))
NIGHT_SHIFT = Company("night shift", ((), *[(0, 1, 2, 3)] * 4), (20, 18, 1))


@dataclass(frozen=True)
class Sweep:
    """What is swept.

    Parameters
    ----------
    order
        All hours, in the order in which they enter training; diversity is how many of them have. The last never enters.
    mixing
        Rates at which deployment is mixed into training.
    scheduled, trigger
        The hour after which the policy `scheduled` defects, and the hour at which the policy `backdoor` does.
    units
        The most hidden units of nets for which prices are computed.

    Raises
    ------
    ValueError
        If an hour is listed twice, a rate is not between 0 and 1, or there is nothing to sweep.
    """

    order: tuple[int, ...] = (0, 1, 2, 3, 5, 6, 7, 8, 11, 10, 4, 9)
    mixing: tuple[Fraction, ...] = (Fraction(0), *(Fraction(1, n) for n in (1000, 100, 10, 2)))
    companies: tuple[Company, ...] = (ATTENTIVE, NIGHT_SHIFT)
    scheduled: int = 8
    trigger: int = 4
    units: int = 4

    def __post_init__(self) -> None:
        object.__setattr__(self, "mixing", tuple(sorted({rational(rate) for rate in self.mixing})))
        if not self.mixing or not self.companies:
            raise ValueError("a sweep needs a mixing rate and a company of humans")
        if len(self.order) < 2:
            raise ValueError("a sweep needs two hours at least: one of training, one of deployment")
        if not all(0 <= hour <= 23 for hour in (*self.order, self.scheduled, self.trigger)):
            raise ValueError("hours are between 0 and 23")
        if not 1 <= self.units <= 4:
            raise ValueError(f"prices are computed for 1 to 4 units, not for {self.units}")
        for company in self.companies:
            for diversity in self.diversities:
                for rate in self.mixing:
                    self.world(company, diversity, rate)

    @property
    def diversities(self) -> range:
        """Numbers of hours of training, 1 to all but the last."""
        return range(1, len(self.order))

    def world(self, company: Company, diversity: int, mixing: Fraction = Fraction(0)) -> World:
        """The world of a company with the first `diversity` hours in training."""
        humans = tuple(Human(frozenset(hours)) for hours in company.lapses)
        return World.nested(self.order, diversity, humans=humans, tampering=company.tampering, mixing=mixing)

    def parts(self) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
        """Every fact of the sweep, by its name, as a function that makes it."""
        hours = {"scheduled": self.scheduled, "trigger": self.trigger}
        for number, company in enumerate(self.companies):
            # What clumsy tampering looks like when the diamond is gone, and whether the humans say so, hour by hour.
            seen = (0, CLUMSY, IS_TAMPERED)
            for diversity in self.diversities:
                world = self.world(company, diversity)
                name = f"{number}-{diversity}"
                yield f"{name}-sizes", partial(sizes, world)
                yield f"{name}-thresholds", partial(thresholds, world, **hours)
                if company.tampering[CLUMSY]:
                    yield f"{name}-price", partial(prices, world, seen, self.units)
                    yield f"{name}-bounds", partial(bounds, world, seen, self.units)
                for place, rate in enumerate(self.mixing):
                    yield f"{name}-cell-{place}", partial(cell, self.world(company, diversity, rate), **hours)


def run(sweep: Sweep, progress: Callable[[str, int, int], None] = lambda name, done, of: None) -> dict[str, Any]:
    """Make every fact of the sweep and seal them as a result.

    `progress` is called with the name of each part, how many are done and how many there are.
    """
    parts, facts = list(sweep.parts()), []
    for done, (name, make) in enumerate(parts):
        progress(name, done, len(parts))
        facts.append(make())
    stated = {"format": FORMAT, "experiment": "world", "scope": SCOPE, "parameters": parameters(sweep)}
    return seal(stated | {"versions": versions("python-flint", "numpy"), "facts": facts})


def parameters(sweep: Sweep) -> dict[str, Any]:
    """What is swept, as JSON."""
    return asdict(sweep) | {"mixing": [str(rate) for rate in sweep.mixing]}
