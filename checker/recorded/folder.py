"""The folder that an audit of recordings leaves: certificate and HTML report, replaced as a whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.recorded.certify import NAME, factor_bytes, factor_name
from proof_of_absence.checker.recorded.findings import RecordedAudit
from proof_of_absence.checker.recorded.report.view import report_of
from proof_of_absence.checker.screen.answers import html_page
from proof_of_absence.models.files.disk import InputError, replace
from proof_of_absence.models.files.whole import Owner, placeable, replacing

__all__ = ["REPORT", "SHARDS", "STATE", "guard", "half_written", "named_from", "owner", "write_folder"]

REPORT = "report.html"
# What is kept between runs: what hooks recorded, and how far a pass has come.
SHARDS, STATE = "shards", "state"


def owner(about: str) -> Owner:
    """An audit of recordings: what its folder is marked with, a file's name or a digest of a model."""
    return Owner("audit --activations", about, other="of another recording or model")


def guard(folder: Path, about: str, read: Iterable[Path], *, force: bool = False) -> None:
    """Refuse to write into a folder where something would be lost, before any work.

    Raises
    ------
    InputError
        In one line.
    """
    placeable(folder, owner(about), force=force, kept=(SHARDS, STATE), names=(NAME, REPORT), read=read)


@contextmanager
def half_written(folder: Path, *kept: str) -> Iterator[None]:
    """Where bad input ends what is done here, what was kept is deleted, and the folder if it is then empty."""
    try:
        yield
    except InputError:
        for name in kept:
            shutil.rmtree(folder / name, ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()
        raise


def named_from(folder: Path, path: Path) -> str:
    """A file's name as the certificate has it: its way from the folder, so that both can be moved together."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def write_folder(folder: Path, audit: RecordedAudit, about: str, *, force: bool = False) -> None:
    """Write certificate and report.

    Raises
    ------
    InputError, OSError
        If the folder cannot be written, or holds files of others under these names.
    """
    with replacing(folder, owner(about), force=force) as new:
        write(new / REPORT, html_page(report_of(audit)))
        for k, layer in enumerate(audit.layers):
            if layer.priced and layer.priced.factor is not None:
                replace(new / factor_name(k), factor_bytes(layer.priced.factor))
        write(new / NAME, json.dumps(audit.certificate, ensure_ascii=False) + "\n")
