"""What an audit found about the cross-entropy as facts about its net and data, for the independent checker to re-check.

All are enclosures, stated a little wider than they were found, so that bounds of another arithmetic confirm them.
"""

from collections.abc import Sequence
from fractions import Fraction

from proof_of_absence.checker.audit.findings import Enclosure, Improvement, UnitFinding
from proof_of_absence.checker.audit.loss_facts import SLACK, loss_ends, reuse_part, widened

__all__ = ["loss_fact", "lower_loss_fact", "rent_fact"]

# More than the checker's bounds lose, 2^-100 for each class; less than half of any drop that is claimed.
LEAST = Fraction(1, 2**80)


def loss_fact(loss: Enclosure, floor: Enclosure) -> dict[str, object]:
    """The cross-entropy and its floor."""
    return {
        "kind": "training-cross-entropy",
        "loss": loss_ends(loss, _slack(loss)),
        "noise_floor": loss_ends(floor, Fraction(0) if floor.is_exact else _slack(floor)),
    }


def lower_loss_fact(found: Improvement) -> dict[str, object]:
    """The reassigned net has a cross-entropy that is lower by the drop: both nets are evaluated again."""
    slack = min(found.drop.low / 2, _slack(found.loss_before))
    return {"kind": "lower-training-cross-entropy"} | reuse_part(found, slack)


def rent_fact(units: Sequence[UnitFinding], loss: Enclosure) -> dict[str, object]:
    """The rents of units that have one, and the parts by class; that idle ones pay none follows from being idle."""
    listed = [
        {
            "unit": unit.unit.index,
            "rent": widened(unit.rent, _slack(loss, unit.rent)),
            "classes": [widened(part, _slack(loss, part)) for part in unit.by_class or ()],
        }
        for unit in units
        if unit.rent and not unit.idle
    ]
    return {"kind": "cross-entropy-rents", "units": listed}


def _slack(*found: Enclosure) -> Fraction:
    """Room for other bounds: a part of the largest number, and many times the width."""
    return max(max(abs(f.low), abs(f.high)) * SLACK + 1000 * (f.high - f.low) for f in found) + LEAST
