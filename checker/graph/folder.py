"""The folder that an audit of a graph leaves: certificate, reports, arrays; replaced as a whole or not at all."""

from pathlib import Path

from proof_of_absence.checker.graph.certify import Audited, certify
from proof_of_absence.checker.graph.findings import GraphAudit
from proof_of_absence.checker.graph.report import report_json
from proof_of_absence.checker.graph.report.view import report_of
from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.screen.answers import html_page
from proof_of_absence.models.files.whole import Owner, replacing

__all__ = ["PAGE", "REPORT", "write_folder"]

REPORT, PAGE = "report.json", "report.html"


def write_folder(folder: Path, audited: Audited, owner: Owner, *, force: bool = False) -> GraphAudit:
    """Write the certificate, `report.json` and `report.html`; returns the audit as they state it.

    The folder is then one that ``absence check`` takes.

    Parameters
    ----------
    owner
        What the folder is marked with.

    Raises
    ------
    InputError, OSError
        If the folder cannot be written, or holds files of others under these names.
    """
    with replacing(folder, owner, force=force) as new:
        audit = certify(new, audited)
        write(new / PAGE, html_page(report_of(audit)))
        write(new / REPORT, report_json.report_text(report_json.to_json(audit)))
    return audit
