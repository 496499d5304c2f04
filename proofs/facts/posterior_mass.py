"""C14 on a quantised class of shallow nets: masses of a set D of nets at rational weights, and where they fall."""

from fractions import Fraction
from typing import Literal, NamedTuple, NotRequired, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.posterior import Census
from proof_of_absence.models.rational import Vector
from proof_of_absence.proofs.facts.written import Data, Fact, Row, row

__all__ = ["Crossover", "Posterior", "Weighted", "crossover", "posterior"]


class Weighted(NamedTuple):
    """A quantised class and its data; a net's weight is ratio^(power loss / unit).

    D holds the nets with a train-idle circuit, that fires at `fires` if that is given.
    """

    widths: tuple[int, ...]
    grid: tuple[Fraction | int, ...]
    data: Dataset
    unit: Fraction
    ratio: Fraction
    fires: Vector | None


class _Class(TypedDict):
    widths: list[int]
    grid: Row
    data: Data
    unit: str
    ratio: str
    fires: NotRequired[Row]


class Posterior(_Class):
    """Of `nets` nets `best` have the least loss; `members` are in D and lose `gap` at least; its mass and bound."""

    kind: Literal["posterior"]
    power: int
    nets: int
    best: int
    members: int
    gap: str
    mass: str
    bound: str
    below: NotRequired[str]
    above: NotRequired[str]


class Crossover(_Class):
    """From `power` on, and not one power earlier, the mass of D is below `delta`; at `certain` the bound is."""

    kind: Literal["crossover"]
    delta: str
    power: int
    certain: int


def posterior(
    chosen: Weighted, found: Census, power: int, *, below: Fraction | None = None, above: Fraction | None = None
) -> Fact:
    """The mass of D at a power, and that it is below or above a number."""
    told = _class(chosen)
    fact: Posterior = {
        "widths": told["widths"],
        "grid": told["grid"],
        "data": told["data"],
        "unit": told["unit"],
        "ratio": told["ratio"],
        "kind": "posterior",
        "power": power,
        "nets": found.nets,
        "best": found.best,
        "members": found.members,
        "gap": str(found.gap),
        "mass": str(found.mass(chosen.ratio, power)),
        "bound": str(found.bound(chosen.ratio, power)),
    }
    if "fires" in told:
        fact["fires"] = told["fires"]
    if below is not None:
        fact["below"] = str(below)
    if above is not None:
        fact["above"] = str(above)
    return dict(fact)


def crossover(chosen: Weighted, found: Census, delta: Fraction) -> Fact:
    """That from a power on, and not one power earlier, the mass of D stays below delta."""
    power, certain = found.crossover(chosen.ratio, delta)
    fact: Crossover = {
        **_class(chosen),
        "kind": "crossover",
        "delta": str(delta),
        "power": power,
        "certain": certain,
    }
    return dict(fact)


def _class(chosen: Weighted) -> _Class:
    fact: _Class = {
        "widths": list(chosen.widths),
        "grid": row(map(Fraction, chosen.grid)),
        "data": data_json(chosen.data),
        "unit": str(chosen.unit),
        "ratio": str(chosen.ratio),
    }
    if chosen.fires is not None:
        fact["fires"] = row(chosen.fires)
    return fact
