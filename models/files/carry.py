"""What others wrote in a folder, in the one that takes its place too: the same files, under a second name."""

import os
import shutil
from collections.abc import Set
from contextlib import suppress
from pathlib import Path

from proof_of_absence.models.files.disk import is_stray, refused

__all__ = ["carry"]


def carry(old: Path, new: Path, ours: Set[str], *, force: bool) -> None:
    """Give every file of `old` that is not ours a second name in `new`; a copy, where a file cannot have two.

    Parameters
    ----------
    ours
        Paths in `old` of the files that need not be kept.
    force
        Whether a file of others may be left out where `new` holds one of that name.

    Raises
    ------
    InputError
        If there is such a file, without `force`; or a folder where `new` holds a file, or on which a file system lies.
    OSError
        If a file cannot be written.
    """
    _carry(old, old, new, ours, force)


def _carry(top: Path, old: Path, new: Path, ours: Set[str], force: bool) -> None:
    for name in sorted(os.listdir(old)):
        path, there = old / name, new / name
        inside = path.relative_to(top).as_posix()
        folder = path.is_dir() and not path.is_symlink()
        if inside in ours or is_stray(path):
            continue
        # With the old folder everything in it is deleted.
        if os.path.ismount(path):
            raise refused(path, "is the root of a file system, so its folder cannot be replaced")
        if os.path.lexists(there) and not (folder and there.is_dir() and not there.is_symlink()):
            if folder:
                raise refused(path, "is a folder where a file of ours is to be; move it")
            if not force:
                raise refused(path, "is not ours, and would be replaced; move it, or replace it with --force")
        elif folder:
            _folder(top, path, there, ours, force)
        else:
            _second_name(path, there)


def _folder(top: Path, path: Path, there: Path, ours: Set[str], force: bool) -> None:
    made = not there.is_dir()
    if made:
        there.mkdir()
    _carry(top, path, there, ours, force)
    if not made:
        return
    shutil.copystat(path, there)
    # A folder that held nothing but files of ours is ours.
    if any(name.startswith(f"{path.relative_to(top).as_posix()}/") for name in ours):
        with suppress(OSError):
            there.rmdir()


def _second_name(path: Path, there: Path) -> None:
    try:
        os.link(path, there, follow_symlinks=False)
    except OSError:
        # This file system, or its owner, has one name for a file.
        shutil.copy2(path, there, follow_symlinks=False)
