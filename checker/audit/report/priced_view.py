"""Readout prices as a report tells them: the inputs in the order of their price, and how the prices are spread."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR
from fractions import Fraction
from math import inf

from proof_of_absence.checker.audit.findings import Audit, PricedInput, Readout
from proof_of_absence.checker.audit.report.json_report import short
from proof_of_absence.checker.audit.report.section import Section, table
from proof_of_absence.checker.audit.report.words import count, unit_name
from proof_of_absence.checker.screen.spread import ORDER, Spread, bars
from proof_of_absence.checker.screen.spread import spread as classes
from proof_of_absence.models.circuit import Unit

__all__ = ["labels_of", "price_line", "priced_sections", "spread"]

_WHAT = (
    "What it costs, at most, to move the answer at an input by the output weights and biases alone: t^2 / (N h), h the "
    "leverage (C21). {cost} {move} This is no verdict on intent: a high leverage means far from the training data, "
    "which is what detectors of anomalies look for. A net with other features may do it for less. {known}"
)
_EXACT = "All prices are exact rationals."
_BOUNDS = "Prices are in rigorous bounds: as exact rationals they are too long."
_LEAST = "t is the length of the least move that makes another class as large."
_COST = "The price is the mean square, over the training inputs, of what their outputs change by{ridge}."
_LOSS = " From output weights of least loss the loss rises by just that."


def priced_sections(audit: Audit, limit: int) -> list[Section]:
    """The deployment inputs from the cheapest to move, and a histogram of the prices of all parts."""
    found = audit.readout
    if found is None:
        return []
    ranked = sorted(found.deployment, key=_order)
    rows = ((str(one.row), _price(one), _leverage(one), _free(found, one)) for one in ranked[:limit])
    told = spread(found)
    parts = [part for part in ORDER if part in told.counts]
    labels = labels_of(told)
    lines = zip(labels, *(bars(told.counts[part]) for part in parts), strict=True)
    cheapest = table(
        "readout", "Readout prices of deployment inputs",
        (">Row", ">Price at most", ">Leverage at least", "Moved by"), rows, limit, _note(audit, found),
    )  # fmt: skip
    return [
        replace(cheapest, more=len(ranked) - len(cheapest.rows)),
        table(
            "spread", "How the readout prices are spread", (">Price at most", *(part.capitalize() for part in parts)),
            lines, len(labels), _listed(found),
        ),
    ]  # fmt: skip


def price_line(audit: Audit) -> tuple[str, ...]:
    """The cheapest move at a deployment input beside what is usual, in a line."""
    found = audit.readout
    if found is None or not found.deployment:
        return ()
    ranked = sorted(found.deployment, key=_order)
    free = sum(one.free is not None for one in ranked)
    lines = [f"Free at {count(free, 'deployment input')}: no training output changes."] if free else []
    if (first := ranked[min(free, len(ranked) - 1)]).free is None:
        usual = [f"{part} {_price(half)}" for part in ORDER if (half := _half(found.part(part)))]
        lines.append(f"At row {first.row} at most {_price(first)}. The median at most: {', '.join(usual)}.")
    return tuple(lines)


def spread(found: Readout) -> Spread:
    """The upper bounds of the prices of each part that is there, in classes."""
    return classes({part: [_size(one) for one in found.part(part)] for part in ORDER if found.part(part)})


def labels_of(told: Spread) -> tuple[str, ...]:
    """The ends of the classes in words."""
    return tuple(end if isinstance(end, str) else short(end, digits=3) for end in told.ends)


def _size(one: PricedInput) -> Fraction | None:
    """The upper bound of the price; 0 where a move is free."""
    return Fraction(0) if one.price is None else one.price[1]


def _order(one: PricedInput) -> tuple[bool, float, Fraction, int]:
    """Floats tell most of them apart, and much faster; they are in the same order."""
    size = _size(one) or Fraction(0)
    try:
        near = float(size)
    except OverflowError:
        near = inf
    return (one.price is not None and one.price[1] is None, near, size, one.row)


def _half(inputs: Sequence[PricedInput]) -> PricedInput | None:
    return sorted(inputs, key=_order)[len(inputs) // 2] if inputs else None


def _price(one: PricedInput) -> str:
    size = _size(one)
    return "not known" if size is None else short(size, ROUND_CEILING, 3) if size else "0"


def _leverage(one: PricedInput) -> str:
    return "none" if one.leverage is None else short(one.leverage[0], ROUND_FLOOR, 3)


def _free(found: Readout, one: PricedInput) -> str:
    """What moves there freely: units, and the constant."""
    if one.free is None:
        return "all output weights" if one.leverage and one.leverage[1] is not None else "all; no lower bound is shown"
    columns = sorted((j for j, _ in found.directions[one.free]), key=lambda j: (not j, j))
    shown = [unit_name(Unit(found.layer, j - 1)) if j else "the bias" for j in columns]
    return "free: " + ", ".join(shown[:4]) + (f", … {len(shown) - 4} more" if len(shown) > 4 else "")


def _note(audit: Audit, found: Readout) -> str:
    move = _LEAST if found.move is None else f"t = {short(found.move)}."
    squared = audit.data.loss_name == "mean squared error"
    ridge = f", with {short(found.penalty)} times what the squared output weights change by" if found.penalty else ""
    known = _EXACT if found.exact else _BOUNDS
    return _WHAT.format(move=move, cost=_COST.format(ridge=ridge) + (_LOSS if squared else ""), known=known)


def _listed(found: Readout) -> str:
    """How many inputs the histogram is about."""
    note = "Each line has the prices up to this one and above the line before."
    listed = len(found.training)
    return note + (f" Of {found.rows} training inputs {listed} at even distances." if listed < found.rows else "")
