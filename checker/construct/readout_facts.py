"""What was found of leverages and readout prices as a fact, for the independent checker to re-check."""

from fractions import Fraction
from typing import Any

from proof_of_absence.checker.construct.priced import PARTS, PricedInput, Readout
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal

__all__ = ["readout_fact"]


def readout_fact(found: Readout) -> dict[str, Any]:
    """The prices at all inputs that are listed; the factor that shows them is an array beside it."""
    return {
        "kind": "readout-prices",
        "layer": found.layer,
        "penalty": hexadecimal(found.penalty),
        "move": None if found.move is None else hexadecimal(found.move),
        "columns": list(found.columns),
        "directions": [[[j, hexadecimal(value)] for j, value in terms] for terms in found.directions],
        "rows": {part: [_entry(one) for one in found.part(part)] for part in PARTS if found.part(part)},
    }


def _entry(one: PricedInput) -> dict[str, Any]:
    if one.free is not None or one.leverage is None or one.price is None:
        return {"row": one.row, "free": one.free}
    return {"row": one.row, "leverage": _pair(one.leverage), "price": _pair(one.price)}


def _pair(bounds: tuple[Fraction, Fraction | None]) -> list[str | None]:
    low, high = bounds
    return [hexadecimal(low), None if high is None else hexadecimal(high)]
