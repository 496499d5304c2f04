"""What it costs in loss to answer otherwise at an input; the certificates are made in `checker.minima.defection`."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.checker.minima.branch_and_bound import Minimum
from proof_of_absence.checker.minima.defection import Defection, Prices
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Number, Numbers, Vector, rational, vector
from proof_of_absence.proofs.facts.written import Data, Fact, Net, Row, Table, row

__all__ = ["DefectionPrice", "Place", "Priced", "price_at", "priced", "prices"]


# For a comparison: a fact of prices by its place among others, and which of its prices.
Place = tuple[int, int, str, int, str]


class Entry(TypedDict):
    """One price: the point, up or down, by how much, the best net that does it, and what proves it."""

    point: Row
    side: int
    by: str
    net: Net
    residuals: Table
    price: str


class DefectionPrice(TypedDict):
    """`base` says where defections start from; `minimum` has the net and the residuals of L*(units)."""

    kind: Literal["defection-price"]
    data: Data
    units: int
    base: Net
    minimum: dict[str, Net | list[Table]]
    prices: list[Entry]


class Priced(NamedTuple):
    """A defection at a point by so much, up (1) or down (-1), the best that does it, and its price in L."""

    point: Vector
    side: int
    by: Fraction
    best: Defection
    price: Fraction


def price_at(at: int, which: int) -> Place:
    """A price, to be compared with what other facts state."""
    return (1, at, "prices", which, "price")


def prices(
    data: Dataset,
    minimum: Minimum,
    base: MLP,
    points: Iterable[Numbers],
    steps: Sequence[Number],
    sides: Sequence[int] = (1, -1),
) -> list[Priced]:
    """The prices at each point, up and then down, of each step; `minimum` is that of the same data."""
    found = []
    for point in map(vector, points):
        search, start = Prices(data, point), base(point)[0]
        for side in sides:
            for step in map(rational, steps):
                best = search.least(minimum.units, side, start + side * step)
                found.append(Priced(point, side, step, best, best.loss - minimum.loss))
    return found


def priced(data: Dataset, minimum: Minimum, base: MLP, entries: Iterable[Priced]) -> Fact:
    """That these are the prices over S_units, and that the nets found have them."""
    known = minimum.fact(net_json(minimum.net), {})
    fact: DefectionPrice = {
        "kind": "defection-price",
        "data": data_json(data),
        "units": minimum.units,
        "base": net_json(base),
        "minimum": {"net": known["net"], "residuals": known["residuals"]},
        "prices": [
            {
                "point": row(entry.point),
                "side": entry.side,
                "by": str(entry.by),
                "net": net_json(entry.best.net),
                "residuals": [row(r) for r in entry.best.residuals],
                "price": str(entry.price),
            }
            for entry in entries
        ],
    }
    return dict(fact)
