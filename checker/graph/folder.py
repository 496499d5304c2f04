"""The folder that an audit of a graph leaves: certificate, reports, arrays; replaced as a whole or not at all."""

from dataclasses import replace
from pathlib import Path

from proof_of_absence.checker.graph.certify import Audited, certify
from proof_of_absence.checker.graph.findings import GraphAudit
from proof_of_absence.checker.graph.kept import decided
from proof_of_absence.checker.graph.report import report_json
from proof_of_absence.checker.graph.report.view import report_of
from proof_of_absence.checker.graph.tail import reassigned, tail
from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.kernel.fuller import note, refuse_less
from proof_of_absence.checker.kernel.stages import STAGES
from proof_of_absence.checker.screen.answers import html_page
from proof_of_absence.models.files.disk import InputError
from proof_of_absence.models.files.whole import Owner, path_in, placing

__all__ = ["IMPROVED", "PAGE", "REPORT", "write_folder"]

REPORT, PAGE, IMPROVED = "report.json", "report.html", "improved.onnx"


def write_folder(
    folder: Path,
    audited: Audited,
    owner: Owner,
    *,
    like: Path | None = None,
    improved: Path | None = None,
    asked: str = "",
    force: bool = False,
) -> GraphAudit:
    """Write the certificate, `report.json` and `report.html`; returns the audit as they state it.

    The folder is then one that ``absence check`` takes. If anything fails, an earlier audit and an earlier improved
    network are as they were.

    Parameters
    ----------
    owner
        What the folder is marked with.
    like
        The ONNX file of the network: one with a lower loss is written as it, with other numbers.
    improved
        Where that is to lie, by default in the folder.

    asked
        A digest of all that was asked: a report on the same that decided more is not replaced but by force.

    Raises
    ------
    FullerReport
        If the folder has such a report; it stays as it is.
    InputError, OSError
        If the folder cannot be written, or holds files of others under these names.
    """
    found = audited.audit
    if asked and not force:
        refuse_less(folder, folder / STAGES, folder / REPORT, asked, decided(found), found.exit_code)
    with placing() as places:
        inside = path_in(folder, improved or folder / IMPROVED)
        # Before the folder, whose report names it.
        apart = places.file(improved) if improved and not inside else None
        new = places.folder(folder, owner, force=force)
        place = apart or new / (inside or IMPROVED)
        audited = _with_improved(place, improved or folder / IMPROVED, str(improved or IMPROVED), audited, like)
        audit = certify(new, audited)
        write(new / PAGE, html_page(report_of(audit)))
        write(new / REPORT, report_json.report_text(report_json.to_json(audit)))
        if asked:
            note(folder / STAGES, folder / REPORT, new / REPORT, asked, decided(found), audit.exit_code)
    return audit


def _with_improved(spare: Path, path: Path, told: str, audited: Audited, like: Path | None) -> Audited:
    """Write the improved network; what was audited, with its name or the reason why the file does not hold it."""
    audit, found = audited.audit, audited.audit.improvement
    if found is None or like is None or like.suffix.lower() != ".onnx":
        return audited
    # The library behind it takes long to load.
    from proof_of_absence.models.files.graph_write import rewrite

    graph = reassigned(audited.graph, tail(audited.graph), found.units, found.output_bias)
    try:
        rewrite(like, path, graph, spare=spare)
    except InputError as error:
        return replace(audited, audit=replace(audit, improvement=None, unimproved=f"it cannot be written: {error}"))
    return replace(audited, audit=replace(audit, improvement=replace(found, file=told)))
