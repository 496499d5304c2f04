"""The site's folder: built beside its place and put there whole.
Only a folder that an earlier site left is replaced.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from proof_of_absence.models.files.disk import refused

__all__ = ["MARK", "replaceable", "write"]

# Says that a folder is a site of ours, and may be replaced.
MARK = ".absence-site"


def replaceable(folder: Path) -> None:
    """Refuse a place where something else lies.

    Raises
    ------
    InputError
        If it is a file, or a folder that holds anything but a site.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise refused(folder, "is not a folder; choose another place with --output")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise refused(folder, "holds something that is no site of Absence; choose another place with --output")


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put the files there; what an earlier site left goes only once the new one is complete.

    Raises
    ------
    InputError
        If something else lies there, or nothing can be written there.
    """
    replaceable(folder)
    place = folder.absolute()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:
        raise refused(folder, f"cannot be written: {error.strerror or error}") from error
    try:
        new, old = beside / "new", beside / "old"
        for name, data in {**files, MARK: b""}.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if place.exists():
            place.rename(old)
        try:
            new.rename(place)
        except BaseException:
            if old.exists():
                old.rename(place)
            raise
    except OSError as error:
        raise refused(folder, f"cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
