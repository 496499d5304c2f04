"""Before an audit writes: no file that is read here is replaced, ever; nor what it did not write itself, unasked."""

import os
from collections.abc import Iterable
from pathlib import Path

from proof_of_absence.checker.audit.certify import NAME
from proof_of_absence.checker.kernel.stages import STAGES
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.whole import Owner, placeable

__all__ = ["IMPROVED", "REPORT", "guard", "owner"]

# The improved net, in the format of the file where that lists several operators for a layer, else as ONNX.
IMPROVED = ("improved.onnx", "improved.pt", "improved.pth", "improved.safetensors")
REPORT = "report.json"
OURS = {
    REPORT, NAME, "report.html", "report.schema.json", "net.npz", "train.npz", "targets.npz", "deploy.npz", "test.npz",
    "factor.npz", *IMPROVED,
}  # fmt: skip


def owner(sha256: str, source: str = "") -> Owner:
    """The audit of the net with this SHA-256, read from this source: what its folder is marked with."""
    return Owner("audit", sha256, source, "of another net")


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
        for there in [*(folder / name for name in sorted(OURS)), *([improved] if improved else [])]:
            if there.exists() and folder.resolve() not in path.resolve().parents and there.samefile(path):
                raise refused(there, f"is {path}, which is read here; choose another place")
    placeable(folder, owner(sha256), force=force, kept=(STAGES,), names=OURS, read=read)
    if improved and os.path.lexists(improved) and not force:
        raise refused(improved, "lies there already; choose another file with --improved, or replace it with --force")
