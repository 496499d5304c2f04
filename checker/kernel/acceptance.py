"""What the independent checker accepted earlier and need not be shown again: each acceptance an empty file.

Its name is a digest of the certificate, the files that it names, the checker's sources and its versions; a change of any
is decided anew.
"""

import hashlib
import importlib.metadata
import platform
from functools import cache
from pathlib import Path
from typing import Any

import proof_of_absence.checker.independent
from proof_of_absence.checker.independent.private import forget_unused, private_folder, used

__all__ = ["is_accepted", "note_accepted"]

# What the checker computes with; solvers and Coq are not asked for what is kept here.
LIBRARIES = ("numpy", "python-flint")


def is_accepted(certificate: dict[str, Any], path: Path) -> bool:
    """Whether this checker accepted the certificate, read from this path, with just these files before."""
    kept, name = _folder(), _name(certificate, path)
    return kept is not None and name is not None and (kept / name).exists()


def note_accepted(certificate: dict[str, Any], path: Path) -> None:
    """Keep that this checker has accepted it; where nothing can be kept it is decided again next time."""
    kept, name = _folder(), _name(certificate, path)
    if kept is None or name is None:
        return
    try:
        (kept / name).touch(mode=0o600)
    except OSError:
        return


def _name(certificate: dict[str, Any], path: Path) -> str | None:
    """The digest of the certificate's file and of those that it names; None if one of them cannot be read."""
    digest = hashlib.sha256()
    try:
        for file in (path, *_named(certificate["fact"], path.parent)):
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    except (OSError, LookupError, TypeError, ValueError):
        return None
    return digest.hexdigest()


def _named(fact: dict[str, Any], directory: Path) -> list[Path]:
    match fact["kind"]:
        case "smt":
            return [directory / fact["file"]]
        case "coq":
            return [directory / "coq" / source["file"] for source in fact["files"]]
    return []


@cache
def _folder() -> Path | None:
    """Where the acceptances of just this checker are kept."""
    kept = private_folder("accepted")
    if kept is None:
        return None
    ours = kept / _checker()
    try:
        ours.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    used(ours)
    forget_unused(kept)
    return ours


@cache
def _checker() -> str:
    """A digest of the independent checker: all its sources, Python and the libraries it computes with."""
    versions = [platform.python_version(), *(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)]
    digest = hashlib.sha256(" ".join(versions).encode())
    for folder in proof_of_absence.checker.independent.__path__:
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
