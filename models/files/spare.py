"""A folder beside a place, on the same file system, in which what is to be there is built; held by a lock."""

import fcntl
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["Spare", "clean"]


class Spare:
    """A new folder beside `place`, with room for the new one and the old one of that place.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self, place: Path):
        while True:
            self.folder = place.with_name(f".{place.name}.{secrets.token_hex(8)}.spare")
            self.folder.mkdir()
            self._lock = os.open(self.folder, os.O_RDONLY)
            with suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_EX)
            # Another run may have taken it for one that was left, between the two.
            if self.folder.is_dir():
                break
            os.close(self._lock)
        # Readers tell a format by the end of a name.
        self.new, self.old = self.folder / f"new{place.suffix}", self.folder / f"old{place.suffix}"

    def end(self, *, delete: bool) -> None:
        """Let go of it, and delete it with all that it holds."""
        if delete:
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def clean(place: Path) -> None:
    """Put right what killed runs left beside the place: their spare folders go, and an old one without a place returns.

    Raises
    ------
    OSError
        If that is not allowed.
    """
    ours = re.compile(rf"\.{re.escape(place.name)}\.[0-9a-f]{{16}}\.spare")
    if not place.parent.is_dir():
        return
    for name in os.listdir(place.parent):
        folder = place.with_name(name)
        if not ours.fullmatch(name) or folder.is_symlink() or not folder.is_dir():
            continue
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # It is in use, or nobody can say.
        except OSError:
            continue
        else:
            old = folder / f"old{place.suffix}"
            if os.path.lexists(old) and not os.path.lexists(place):
                os.rename(old, place)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
