"""The folder that an audit leaves: reports, the improved net, certificates; each file whole or not there."""

import json
from dataclasses import replace
from pathlib import Path

from absence.checker.audit import report_html
from absence.checker.audit.findings import Audit
from absence.checker.audit.report_json import to_json
from absence.checker.audit.run import Outcome
from absence.checker.certificate import write
from absence.models.files import onnx

__all__ = ["IMPROVED", "STAGES", "write_folder"]

STAGES = "stages"
IMPROVED = "improved.onnx"
# Written last: where it lies, the rest is complete.
REPORT = "report.json"


def write_folder(folder: Path, outcome: Outcome, *, improved: Path | None = None, like: Path | None = None) -> Audit:
    """Write `report.json`, `report.html` and, if there is one, the improved net; returns the audit that names its file.

    Parameters
    ----------
    improved
        Where the improved net is to lie, by default in the folder.
    like
        An ONNX model whose input and output names the improved net keeps.

    Raises
    ------
    InputError
        If the improved net cannot be written as ONNX.
    OSError
        If a file cannot be written.
    """
    audit, path = outcome.audit, improved or folder / IMPROVED
    (folder / REPORT).unlink(missing_ok=True)
    # Of an earlier audit, of other contents perhaps.
    (folder / IMPROVED).unlink(missing_ok=True)
    if audit.improvement and outcome.improved:
        onnx.write(path, outcome.improved, like=like)
        audit = replace(audit, improvement=replace(audit.improvement, file=str(path if improved else IMPROVED)))
    report = to_json(audit)
    write(folder / "report.html", report_html.page(report))
    write(folder / REPORT, json.dumps(report, indent=1, allow_nan=False) + "\n")
    return audit
