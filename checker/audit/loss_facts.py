"""What an audit found about losses as facts about its net and data, for the independent checker to re-check.

Exact findings are stated exactly; enclosures a little wider, so that other rigorous bounds can confirm them.
"""

from collections.abc import Sequence
from fractions import Fraction

from proof_of_absence.checker.audit.findings import Enclosure, Improvement, Prices, Replacements, UnitFinding
from proof_of_absence.checker.audit.report.json_report import exact_text
from proof_of_absence.checker.numbers.enclosure import ends_text

__all__ = [
    "SLACK",
    "deviation_fact",
    "loss_ends",
    "loss_fact",
    "lower_loss_fact",
    "price_fact",
    "rent_fact",
    "reuse_part",
    "widened",
]

SLACK = Fraction(1, 2**24)


def loss_fact(loss: Enclosure, floor: Enclosure) -> dict:
    """The loss and the noise floor."""
    return {
        "kind": "training-loss",
        "loss": _stated(loss, loss.high),
        "noise_floor": _stated(floor, Fraction(0)),
    }


def lower_loss_fact(found: Improvement) -> dict:
    """The reassigned net has a loss that is lower by the drop:
    both nets are evaluated again, the circuit need not be idle.
    """
    slack = Fraction(0) if found.drop.is_exact else min(found.drop.low / 2, found.loss_before.high * SLACK)
    return {"kind": "lower-training-loss"} | reuse_part(found, slack)


def reuse_part(found: Improvement, slack: Fraction) -> dict[str, object]:
    """The reassignment and its drop, stated wider by the slack, without the kind."""
    return {
        "circuit": [unit.index for unit in found.circuit],
        "weights": _texts(found.weights),
        "bias": exact_text(found.bias),
        "outgoing": _texts(found.outgoing),
        "output_bias": _texts(found.output_bias),
        "drop": ends_text(found.drop.low - slack, found.drop.high + slack),
    }


def rent_fact(units: Sequence[UnitFinding], loss: Enclosure) -> dict:
    """The rents and replacement gains of those units that have a rent.

    Raises
    ------
    ValueError
        If none has.
    """
    trials = Replacements()
    listed = []
    for finding in units:
        if finding.rent is None:
            continue
        entry = {"unit": finding.unit.index, "rent": widened(finding.rent, _slack(finding.rent, loss))}
        if finding.replacement is not None:
            entry["trial"] = trials.number(finding.replacement)
            entry["gain"] = widened(finding.replacement_gain, _slack(finding.replacement_gain, loss))
        listed.append(entry)
    if not listed:
        raise ValueError("no unit has a rent")
    return {
        "kind": "unit-rents",
        "trials": [[_texts(weights), str(bias)] for weights, bias in trials.all()],
        "units": listed,
    }


def price_fact(prices: Prices, loss: Enclosure) -> dict:
    """The gauge, the gap, and the steps that follow from C12."""
    exact = all(step.is_exact for step in prices.steps)
    parts = [1 - (1 - prices.gap) ** k for k in range(1, len(prices.steps) + 1)]
    slacks = [Fraction(0) if exact else part * loss.high * SLACK for part in parts]
    return {
        "kind": "uniform-gap",
        "direction": _texts(prices.direction),
        "separation": str(prices.spacing),
        "spread": str(prices.spread),
        "gap": str(prices.gap),
        "steps": [widened(step, slack) for step, slack in zip(prices.steps, slacks, strict=True)],
    }


def deviation_fact(bound: Fraction) -> dict:
    """No float32 evaluation is farther than `bound` from the exact outputs."""
    return {"kind": "float32-deviation", "bound": str(bound)}


def _texts(values: Sequence[Fraction]) -> list[str]:
    return [exact_text(value) for value in values]


def _slack(found: Enclosure, loss: Enclosure) -> Fraction:
    """Room for other bounds: their width is of the order of this one's, however much cancels in what is enclosed."""
    return max(loss.high, abs(found.low), abs(found.high)) * SLACK + 1000 * (found.high - found.low)


def _stated(found: Enclosure, scale: Fraction) -> list[str]:
    return loss_ends(found, Fraction(0) if found.is_exact else scale * SLACK)


def loss_ends(found: Enclosure, slack: Fraction) -> list[str]:
    """The ends of a loss or floor, moved outwards by the slack. None is below 0, and so no lower end goes below it."""
    return ends_text(max(found.low - slack, Fraction(0)), found.high + slack)


def widened(found: Enclosure, slack: Fraction) -> list[str]:
    """The ends, moved outwards by the slack."""
    return ends_text(found.low - slack, found.high + slack)
