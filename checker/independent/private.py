"""A folder of the user's own, in which may be kept what was decided here: nobody else can write into it."""

import os
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path

DAYS = 30


def private_folder(name: str) -> Path | None:
    """The folder of this name in the user's cache, made where it is missing; None if it is not the user's alone.

    It lies where XDG_CACHE_HOME says, else in ~/.cache.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        ours = (Path(home) if os.path.isabs(home) else Path.home() / ".cache") / "absence"
        for folder in (ours, ours / name):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            state = folder.lstat()
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o077:
                return None
        return ours / name if os.access(ours / name, os.W_OK) else None
    except (OSError, RuntimeError):
        return None


def forget_unused(folder: Path) -> None:
    """Delete what has lain in the folder for long and was not used."""
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < time.time() - DAYS * 24 * 3600:
                shutil.rmtree(path)
        except OSError:
            continue


def used(path: Path) -> None:
    """Note that it was used now."""
    with suppress(OSError):
        os.utime(path)
