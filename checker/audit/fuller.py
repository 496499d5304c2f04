"""What an audit of a dense chain decided, by kind: a later one that decided less does not replace it."""

from collections.abc import Iterable
from typing import Any

from proof_of_absence.checker.audit.findings import Audit
from proof_of_absence.checker.kernel.fuller import Decided
from proof_of_absence.models.circuit import Unit

__all__ = ["decided"]

_PARTS = ("deployment", "training", "test")
_UNSEARCHED = ("circuits: ", "circuits failed", "jointly idle circuits")


def decided(audit: Audit) -> Decided:
    """What an audit decided, by kind."""
    readout = audit.readout
    priced = [(part, one) for part in _PARTS for one in readout.part(part)] if readout else []
    every = not any(line.startswith(_UNSEARCHED) for line in audit.undecided)
    single = {
        "loss": audit.data.loss,
        "noise floor": audit.data.noise_floor,
        "improvement": audit.improvement,
        "price of an idle circuit": audit.idle_price,
        "float32 deviation": audit.float32_deviation,
    }
    found: dict[str, Iterable[int | str]] = {
        "units": (_name([unit.unit]) for unit in audit.units if unit.idle is not None),
        "circuits": (_name(circuit.units) for circuit in audit.circuits),
        "searches for all circuits": ("all",) if every and all(unit.idle is not None for unit in audit.units) else (),
        "circuits with the rows where they fire": (_name(c.units) for c in audit.circuits if c.fires is not None),
        "deployment inputs": (at.row for at in audit.deployment if at.decided),
        "covers": (at.row for at in audit.deployment if at.cover),
        "ranks": (rank.layer for rank in audit.ranks if rank.full is not None),
        "rents": (_name([unit.unit]) for unit in audit.units if unit.rent),
        "readout prices": (f"{part} {one.row}" for part, one in priced if one.free is not None or _bounded(one)),
        "answers on regions": (
            f"{asked.region} {_name(asked.units)}" for asked in audit.regions if asked.verdict in ("sat", "unsat")
        ),
    }
    found |= {kind: ("it",) for kind, value in single.items() if value is not None}
    return {kind: made for kind, things in found.items() if (made := frozenset(things))}


def _name(units: Iterable[Unit]) -> str:
    return "+".join(f"{layer}.{index}" for layer, index in units)


def _bounded(one: Any) -> bool:
    return bool(one.leverage) and one.leverage[1] is not None
