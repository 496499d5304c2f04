"""A report that decided more stands: a run that came late does not replace what an earlier one decided of the same.

What a report decided is noted beside the kept stages, under the digests of the report and of all that was asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proof_of_absence.checker.kernel.kept import keep, kept
from proof_of_absence.models.files.disk import sha256

__all__ = ["Decided", "Earlier", "FullerReport", "earlier", "note", "refuse_less", "together", "undone"]

NOTES = "decided.json"
# Exit codes of an audit with findings, and of one that left something open and found nothing.
FINDINGS, UNDECIDED = 1, 3
# Kinds of decisions, as a message names them, and for each the things that are decided.
Decided = Mapping[str, frozenset[int | str]]


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


def refuse_less(folder: Path, stages: Path, report: Path, asked: str, found: Decided, exit_code: int) -> None:
    """Refuse to replace the report in a folder, if it decided something of the same question that is not among these.

    Raises
    ------
    FullerReport
        If it did.
    """
    before = earlier(stages, report, asked)
    if before and (lost := undone(before.decided, found)):
        raise FullerReport(folder, lost, together(before.exit_code, exit_code))


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


def note(stages: Path, old: Path, new: Path, asked: str, found: Decided, exit_code: int) -> None:
    """Note what the new report decides, before it takes the place of the old one, whose note stays as long.

    Raises
    ------
    OSError
        If the note cannot be written.
    """
    before = _digest(old)
    notes = {digest: entry for digest, entry in _notes(stages).items() if digest == before}
    # Numbers and text apart, so that each list is sorted.
    things = {kind: sorted(one, key=lambda thing: (str(type(thing)), thing)) for kind, one in found.items()}
    notes[_digest(new)] = {"asked": asked, "exit_code": exit_code, "decided": things}
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
