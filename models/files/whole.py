"""Folders and files that are replaced as a whole or not at all.

What is new is built beside its place and put there in one step. A mark in a folder lists the files that we wrote.
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

from proof_of_absence.models.files.carry import carry
from proof_of_absence.models.files.disk import InputError, is_stray, refused, sha256
from proof_of_absence.models.files.exchange import exchange
from proof_of_absence.models.files.spare import Spare, clean

__all__ = ["MARK", "Mark", "Owner", "Places", "begins", "mark_of", "path_in", "placeable", "placing", "replacing"]

MARK = ".absence.json"
FORMAT = "absence-folder/1"
HOW = "choose another folder with --output (output= in Python)"
FORCE = "or replace it with --force (force=True)"


@dataclass(frozen=True)
class Owner:
    """Who makes a folder, and of what.

    Parameters
    ----------
    by
        The command, such as ``audit``.
    of
        A digest of what it is about: a net, or options. An earlier folder of something else is not replaced unasked.
    named
        The same, for a reader.
    other
        What a message says of a folder about something else.
    note
        Files that begin with this are the command's own, even in a folder that has no mark.
    """

    by: str
    of: str = ""
    named: str = ""
    other: str = "with other options"
    note: bytes = b""


@dataclass(frozen=True)
class Mark:
    """What lies in a folder of ours: who made it of what, and the SHA-256 of each file by its path in the folder."""

    by: str
    of: str
    named: str
    files: dict[str, str]
    format: str = FORMAT


def mark_of(folder: Path) -> Mark | None:
    """The mark in a folder; None if there is none that can be read, and so nothing there is known as ours."""
    try:
        mark = Mark(**json.loads((folder / MARK).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    texts = (mark.by, mark.of, mark.named)
    whole = mark.format == FORMAT and isinstance(mark.files, dict) and all(isinstance(text, str) for text in texts)
    return mark if whole else None


def path_in(folder: Path, path: Path) -> Path | None:
    """The path in the folder of a file that is to lie there; None of any other."""
    place = path.parent.resolve() / path.name
    return place.relative_to(folder.resolve()) if folder.resolve() in place.parents else None


def placeable(
    folder: Path,
    owner: Owner,
    *,
    force: bool = False,
    kept: Iterable[str] = (),
    names: Iterable[str] = (),
    read: Iterable[Path] = (),
) -> None:
    """Refuse a folder whose replacement would lose something; what killed runs left beside it is put right first.

    Parameters
    ----------
    force
        Whether what others wrote may be replaced, as the user asked. A file that is read here never is.
    kept
        What a run that was ended may have left in a folder without a mark: the parts that are kept between runs.
    names
        Of files that will be written.
    read
        Files and folders that are read here.

    Raises
    ------
    InputError
        In one line, before anything is written.
    """
    for path in read:
        if path.exists() and (path.resolve() == folder.resolve() or folder.resolve() in path.resolve().parents):
            raise refused(folder, f"holds {path}, which is read here; {HOW}")
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        raise refused(folder, f"is not a folder; {HOW}")
    place = folder.resolve()
    with suppress(FileNotFoundError):
        here = Path.cwd()
        if place == here or place in here.parents:
            raise refused(folder, f"holds the current folder, so it cannot be replaced; {HOW}")
    if os.path.ismount(place):
        raise refused(folder, f"is the root of a file system, so it cannot be replaced; name a folder in it, or {HOW}")
    with suppress(OSError):
        clean(place)
    if force or not place.is_dir():
        return
    mark, ours = mark_of(place), _unchanged(place, owner)
    there = {path.name for path in place.iterdir() if not is_stray(path)}
    if mark is None and (strange := sorted(there - {*kept} - ours)):
        raise refused(folder, f"is no folder of absence {owner.by} (it holds {strange[0]}); {HOW}, {FORCE}")
    if mark and mark.by != owner.by:
        raise refused(folder, f"holds what absence {mark.by} made; {HOW}, {FORCE}")
    if mark and mark.of != owner.of:
        named = f", {mark.named}" if mark.named else ""
        raise refused(folder, f"holds what absence {owner.by} made {owner.other}{named}; {HOW}, {FORCE}")
    for name in sorted({*(mark.files if mark else ()), *names} - ours):
        if os.path.lexists(place / name):
            raise refused(place / name, f"was changed, or written by others; {HOW}, {FORCE}")


@dataclass
class _Place:
    """One target: `place`, and what is to be there, which is built in `spare.new`."""

    asked: Path
    place: Path
    spare: Spare
    owner: Owner | None
    force: bool
    # Our own files in the old folder, which need not be kept.
    ours: set[str] = field(default_factory=set)
    node: int = 0

    def finish(self) -> None:
        """All that is left before the swap: the mark, the files of others, and everything on the disk."""
        new = self.spare.new
        if self.owner is None:
            _sync(new)
        else:
            files = {name: sha256(new / name) for name in _files(new)}
            told = Mark(self.owner.by, self.owner.of, self.owner.named, files)
            (new / MARK).write_text(json.dumps(asdict(told), indent=1) + "\n", encoding="utf-8")
            for name in (*files, MARK):
                _sync(new / name)
            if self.place.is_dir():
                self.ours = _unchanged(self.place, self.owner)
                carry(self.place, new, self.ours, force=self.force)
                shutil.copymode(self.place, new)
            for folder, _, _ in os.walk(new):
                _sync(Path(folder))
        self.node = os.lstat(new).st_ino

    def swap(self) -> None:
        """Put the new one there; the old one is then in the spare folder."""
        new, old, place = self.spare.new, self.spare.old, self.place
        if not os.path.lexists(place):
            os.rename(new, place)
        elif exchange(new, place):
            pass
        elif self.owner is None:
            # A second name for the old file, so that there is always one under the first.
            try:
                os.link(place, old, follow_symlinks=False)
            except OSError:
                shutil.copy2(place, old, follow_symlinks=False)
            os.replace(new, place)
        else:
            # A run that is killed between these two leaves no folder; the next one puts the old one back.
            os.rename(place, old)
            os.rename(new, place)
        _sync(place.parent)

    def undo(self) -> None:
        """Put the old one back, if it is not there."""
        new, old, place = self.spare.new, self.spare.old, self.place
        if os.path.lexists(place) and not self.placed:
            return
        if os.path.lexists(old):
            if self.owner is not None and os.path.lexists(place):
                os.rename(place, new)
            os.replace(old, place)
        elif os.path.lexists(new):
            if os.path.lexists(place):
                exchange(new, place)
        elif os.path.lexists(place):
            os.rename(place, new)

    @property
    def placed(self) -> bool:
        """Whether the new one is in place."""
        return os.path.lexists(self.place) and os.lstat(self.place).st_ino == self.node

    def end(self) -> None:
        """Delete what is beside the place, but for what came into the old folder while it was replaced."""
        with suppress(OSError, InputError):
            old = next((path for path in (self.spare.old, self.spare.new) if path.is_dir()), None)
            if self.owner and old and self.placed:
                carry(old, self.place, self.ours, force=True)
        # If not even the old one could be put back, the next run does it.
        self.spare.end(delete=os.path.lexists(self.place) or not os.path.lexists(self.spare.old))


class Places:
    """Targets that are replaced together: in the order in which they were named, once all of them are complete."""

    def __init__(self) -> None:
        self._all: list[_Place] = []

    def folder(self, folder: Path, owner: Owner, *, force: bool = False) -> Path:
        """An empty folder, which is to be `folder`. Files of others in an old one are then in the new one too."""
        return self._add(folder, folder.resolve(), owner, force)

    def file(self, path: Path) -> Path:
        """The name under which a file is to be written that is to be `path`.

        Raises
        ------
        InputError
            If a folder lies there.
        """
        if path.is_dir() and not path.is_symlink():
            raise refused(path, "is a folder; choose another place")
        return self._add(path, path.absolute(), None, force=True)

    def _add(self, asked: Path, place: Path, owner: Owner | None, force: bool) -> Path:
        place.parent.mkdir(parents=True, exist_ok=True)
        clean(place)
        spare = Spare(place)
        self._all.append(_Place(asked, place, spare, owner, force))
        if owner:
            spare.new.mkdir()
        return spare.new

    def put(self) -> None:
        """Swap them all, or none: what fails is undone."""
        # A file that was not written in the end is not to be replaced.
        places = [one for one in self._all if os.path.lexists(one.spare.new)]
        for one in places:
            one.finish()
        try:
            for one in places:
                one.swap()
        except BaseException:
            for one in reversed(places):
                with suppress(OSError):
                    one.undo()
            raise

    def end(self) -> None:
        """Delete the spare folders."""
        for one in self._all:
            one.end()

    def said(self, text: str) -> str:
        """The text with each spare name replaced by that of its target."""
        for one in self._all:
            text = text.replace(str(one.spare.new), str(one.asked))
        return text

    def whose(self, path: object) -> Path | None:
        """The target that a spare path is for."""
        beside = (one.asked for one in self._all if str(path).startswith(str(one.spare.folder)))
        return next(beside, None)


@contextmanager
def placing() -> Iterator[Places]:
    """Targets to replace together: what is written under their spare names is put in place at the end.

    An exception, or a failure at any point, leaves every old one. A run that is killed leaves for each target the old
    one or the new one; all are new, or the last of them is old.

    Raises
    ------
    InputError
        If something that others wrote would be lost.
    OSError
        If a target cannot be written; it names the target.
    """
    places = Places()
    try:
        yield places
        places.put()
    except InputError as error:
        raise InputError(places.said(str(error))) from error
    except OSError as error:
        target = places.whose(error.filename) or places.whose(error.filename2)
        if target is None:
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        places.end()


@contextmanager
def replacing(folder: Path, owner: Owner, *, force: bool = False) -> Iterator[Path]:
    """As `placing`, for one folder: gives the empty folder that is to be it."""
    with placing() as places:
        yield places.folder(folder, owner, force=force)


def _unchanged(folder: Path, owner: Owner) -> set[str]:
    """The files in the folder that we wrote and nobody changed."""
    mark = mark_of(folder)
    if mark:
        return {MARK} | {name for name, digest in mark.files.items() if _holds(folder, name, digest)}
    if not owner.note:
        return set()
    return {path.name for path in folder.iterdir() if begins(path, owner.note)}


def _holds(folder: Path, name: str, digest: object) -> bool:
    # A mark is a file like any other: it names nothing outside of its folder.
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return False
    path = folder / name
    with suppress(OSError):
        return path.is_file() and not path.is_symlink() and sha256(path) == digest
    return False


def begins(path: Path, note: bytes) -> bool:
    """Whether it is a file, and no link, that begins with the note."""
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, "rb") as stream:
        return stream.read(len(note)) == note


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def _sync(path: Path) -> None:
    """What the file or the folder holds is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
