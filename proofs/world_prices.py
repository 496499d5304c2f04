"""What detectors cost in the worlds of the sweep, by hours of training: evidence for C11."""

from collections.abc import Iterable
from fractions import Fraction

from proof_of_absence.checker.experiments.world.prices import prices
from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, Company, Sweep
from proof_of_absence.checker.experiments.world.whole import bounds
from proof_of_absence.checker.kernel.obligation import Evidence
from proof_of_absence.models.world import CLUMSY, IS_TAMPERED
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.facts.written import Fact

__all__ = ["bounded", "by_diversity", "does_not_fall", "in_words"]

# A price among the facts: which world, "prices", which price.
Place = tuple[int, str, int]


def by_diversity(company: Company, hour: int, units: int, known: dict[int, tuple[int, str]]) -> Evidence:
    """In nested worlds, by hours of training, the size of the hour's detector and its exact price.

    The answers are those to "was the camera tampered with" where it glitches and the diamond
    is gone, by the hour alone.
    """
    shown, places = _priced(company, hour, units, known)
    compared = [
        ((1, *place, key), "=", value)
        for place, (size, price) in zip(places, known.values(), strict=True)
        for key, value in (("size", size), ("price", price))
    ]
    return Evidence(facts.every(*shown, compared=compared))


def in_words(hour: int, known: dict[int, tuple[int, str]]) -> str:
    """What `known` says, in words."""
    (few, (small, before)), (more, (large, after)) = known.items()
    changes = "falls" if Fraction(after) < Fraction(before) else "grows"
    return (
        f"as training grows from {few} to {more} hours the size of the detector of hour {hour} grows from {small} to "
        f"{large}, and its price {changes} from {before} to {after}, exactly"
    )


def bounded(before: int, after: int, at_most: Fraction, at_least: Fraction) -> Evidence:
    """In S_3 on the whole world: a detector of 1 unit costs `at_most` at the first diversity,
    one of 3 units `at_least` at the second.
    """
    shown = [bounds(Sweep().world(ATTENTIVE, diversity), (0, CLUMSY, IS_TAMPERED), 3) for diversity in (before, after)]
    small, large = (
        next(at for at, p in enumerate(fact["prices"]) if (p["units"], p["size"]) == (3, size))
        for fact, size in zip(shown, (1, 3), strict=True)
    )
    compared = [
        ((1, 0, "prices", small, "high"), "<=", at_most),
        (at_least, "<=", (1, 1, "prices", large, "low")),
    ]
    return Evidence(facts.every(*shown, compared=compared))


def does_not_fall(company: Company, hour: int, units: int, diversities: tuple[int, int]) -> Evidence:
    """That the price of the hour's detector does not fall from one of these diversities to the other,
    refuted by the two prices.
    """
    shown, (before, after) = _priced(company, hour, units, diversities)
    falls = ((1, *after, "price"), "<", (1, *before, "price"))
    return Evidence(facts.every(*shown, compared=[falls]), holds=False)


def _priced(company: Company, hour: int, units: int, diversities: Iterable[int]) -> tuple[list[Fact], list[Place]]:
    """The prices at each diversity, and where the hour's stands among them."""
    shown = [prices(Sweep().world(company, diversity), (0, CLUMSY, IS_TAMPERED), units) for diversity in diversities]
    places = [
        (at, "prices", which)
        for at, fact in enumerate(shown)
        for which, price in enumerate(fact["prices"])
        if (price["hour"], price["units"]) == (hour, units)
    ]
    return shown, places
