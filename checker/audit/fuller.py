"""A report that decided more stands: a run that came late does not replace what an earlier one decided of the same.

What a report decided is noted beside the kept stages, under the digests of the report and of all that was asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proof_of_absence.checker.audit.findings import FINDINGS, UNDECIDED, Audit
from proof_of_absence.checker.kernel.kept import keep, kept
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files.disk import sha256

__all__ = ["Earlier", "FullerReport", "decided", "earlier", "note", "together", "undone"]

NOTES = "decided.json"
# Kinds of decisions, as a message names them, and for each the things that are decided.
Decided = Mapping[str, frozenset[int | str]]
_PARTS = ("deployment", "training", "test")
_UNSEARCHED = ("circuits: ", "circuits failed", "jointly idle circuits")


class FullerReport(Exception):
    """An earlier report of the same question has decided more, and stands. `exit_code` is that of both together."""

    def __init__(self, folder: Path, lost: Decided, exit_code: int):
        told = ", ".join(f"{len(things)} {kind}" for kind, things in lost.items())
        super().__init__(
            f"The earlier report in {folder} stands, and that of this run is not written: it would lose what the "
            f"earlier one decided ({told}). What facts show of this run is kept for the next. Give it more time, or "
            "replace the report with --force (force=True)"
        )
        self.exit_code = exit_code


@dataclass(frozen=True)
class Earlier:
    """What the report in a folder decided."""

    decided: Decided
    exit_code: int


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


def undone(before: Decided, after: Decided) -> Decided:
    """What is decided before and not after."""
    lost = {kind: things - after.get(kind, frozenset()) for kind, things in before.items()}
    return {kind: things for kind, things in lost.items() if things}


def earlier(stages: Path, report: Path, asked: str) -> Earlier | None:
    """What the report, if it answers what is `asked`, decided; None if it answers something else, or is not known."""
    entry = _notes(stages).get(_digest(report))
    try:
        if not entry or entry["asked"] != asked:
            return None
        return Earlier({kind: frozenset(things) for kind, things in entry["decided"].items()}, int(entry["exit_code"]))
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def note(stages: Path, old: Path, new: Path, asked: str, audit: Audit) -> None:
    """Note what the new report decides, before it takes the place of the old one, whose note stays as long.

    Raises
    ------
    OSError
        If the note cannot be written.
    """
    before = _digest(old)
    notes = {digest: entry for digest, entry in _notes(stages).items() if digest == before}
    # Numbers and text apart, so that each list is sorted.
    things = {kind: sorted(one, key=lambda thing: (str(type(thing)), thing)) for kind, one in decided(audit).items()}
    notes[_digest(new)] = {"asked": asked, "exit_code": audit.exit_code, "decided": things}
    keep(stages / NOTES, NOTES, {"stage": "decided", "reports": notes})


def together(one: int, other: int) -> int:
    """The exit code of two reports on one question, neither of which says it all."""
    return FINDINGS if FINDINGS in (one, other) else UNDECIDED


def _notes(stages: Path) -> dict[str, Any]:
    part = kept(stages / NOTES, NOTES)
    notes = part.get("reports") if part else None
    return notes if isinstance(notes, dict) else {}


def _digest(report: Path) -> str:
    try:
        return sha256(report)
    except OSError:
        return ""


def _name(units: Iterable[Unit]) -> str:
    return "+".join(f"{layer}.{index}" for layer, index in units)


def _bounded(one: Any) -> bool:
    return bool(one.leverage) and one.leverage[1] is not None
