"""Before an audit writes: no file that is read here is replaced, ever; nor what it did not write itself, unasked."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from proof_of_absence.checker.audit.certify import NAME
from proof_of_absence.checker.audit.report.json_report import FORMAT
from proof_of_absence.models.files.disk import refused

__all__ = ["REPORT", "guard"]

REPORT = "report.json"
STAGES = "stages"
OURS = {
    REPORT, NAME, STAGES, "report.html", "report.schema.json", "improved.onnx", "net.npz", "train.npz", "targets.npz",
    "deploy.npz",
}  # fmt: skip
HOW = "choose another folder with --output (output= in Python)"
FORCE = "or replace it with --force (force=True)"


def guard(
    folder: Path, read: Iterable[Path], sha256: str, *, improved: Path | None = None, force: bool = False
) -> None:
    """Refuse to write an audit into a folder where that would lose something.

    Parameters
    ----------
    read
        The files that are read: none of them may be replaced or lie in the folder, under whatever name.
    sha256
        Of the audited net: the folder may hold an earlier audit of it. That of another is replaced by `force` alone.
    improved
        Where the improved net is to be written, if not in the folder.

    Raises
    ------
    InputError
        In one line, before anything is written.
    """
    read = [path for path in read if path.exists()]
    for path in read:
        if folder.resolve() in path.resolve().parents:
            raise refused(folder, f"holds {path}, which is read here; {HOW}")
        for there in [*(folder / name for name in sorted(OURS)), *([improved] if improved else [])]:
            if there.exists() and there.samefile(path):
                raise refused(there, f"is {path}, which is read here; choose another place")
    if improved and improved.exists() and not force:
        raise refused(improved, "lies there already; choose another file with --improved, or replace it with --force")
    if force or not folder.is_dir():
        return
    names = {path.name for path in folder.iterdir()}
    # A run that was ended while it wrote leaves what is kept between runs, and no report.
    if not names or (STAGES in names and REPORT not in names and names <= OURS):
        return
    audited = _audited(folder)
    if audited is None:
        strange = sorted(names - OURS) or sorted(names)
        raise refused(folder, f"is no folder of an audit (it holds {strange[0]}); {HOW}, {FORCE}")
    if audited.get("sha256") != sha256:
        raise refused(folder, f"holds the audit of another net, {audited.get('source')}; {HOW}, {FORCE}")


def _audited(folder: Path) -> dict[str, Any] | None:
    """What the report of an earlier audit says of its net; None if there is no such report."""
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        net = report["net"] if report["format"] == FORMAT else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return net if isinstance(net, dict) else None
