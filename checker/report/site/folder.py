"""The site's folder: replaced as a whole or not at all; what others wrote in it stays."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.whole import Owner, placeable, replacing

__all__ = ["replaceable", "write"]

OWNER = Owner("site")


def replaceable(folder: Path, read: Iterable[Path] = (), *, force: bool = False) -> None:
    """Refuse a place where something else lies, or what is read here.

    Raises
    ------
    InputError
        If it is a file, or a folder that holds anything but a site, without `force`.
    """
    placeable(folder, OWNER, force=force, read=read)


def write(folder: Path, files: Mapping[str, bytes], *, force: bool = False) -> None:
    """Put the files there; what an earlier site left goes only once the new one is complete.

    Raises
    ------
    InputError
        If something else lies there, or nothing can be written there.
    """
    replaceable(folder, force=force)
    try:
        with replacing(folder, OWNER, force=force) as new:
            for name, data in files.items():
                path = new / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    except OSError as error:
        raise refused(folder, f"cannot be written: {error.strerror or error}") from error
