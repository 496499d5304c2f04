"""Files whole or not at all, and the one exception that bad input raises.

A message is one line: the file, what is wrong with it, what to do.
"""

import errno
import gzip
import hashlib
import io
import os
import re
import threading
import zlib
from contextlib import suppress
from pathlib import Path

__all__ = ["InputError", "content", "is_stray", "refused", "replace", "sha256", "suffix_of", "write"]

LONGEST_MESSAGE = 500
GZIP = ".gz"
# How a file begins that stands for another one, kept elsewhere.
LFS = b"version https://git-lfs.github.com/"
# The name of a file until it is whole: of the file, of the process, of the thread.
_TEMPORARY = re.compile(r"\.(.+)\.([1-9][0-9]*)\.[0-9]+\.tmp", re.DOTALL)


class InputError(ValueError):
    """A file, or a net in memory, that cannot be taken as it is; the message is one line."""


def refused(source: object, reason: object) -> InputError:
    """The exception for `source`, the file's path or a name for it.

    Names in a file are its author's text, so the message is cut to one printable line.

    Examples
    --------
    >>> refused("net.onnx", "operator Con\\nv is not supported")
    InputError('net.onnx: operator Con v is not supported')
    """
    line = " ".join(f"{source}: {reason}".split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return InputError(line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE] + "...")


def content(path: str | os.PathLike[str], *, limit: int) -> bytes:
    """The bytes of a file of at most `limit` bytes, unpacked if its name ends with .gz.

    Raises
    ------
    InputError
        If the file is missing, no regular file, not readable, empty or too large, packed or not; its gzip data is
        damaged; or it is a pointer of Git LFS.
    """
    try:
        if not Path(path).exists():
            raise refused(path, "there is no such file")
        if not Path(path).is_file():
            raise refused(path, "is no regular file")
        with open(path, "rb") as stream:
            if os.fstat(stream.fileno()).st_size > limit:
                raise refused(path, f"is larger than {limit / 2**20:g} MiB, the most that is read")
            result = stream.read(limit + 1)
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error
    if result and Path(path).suffix.lower() == GZIP and not result.startswith(LFS):
        result = _unpacked(path, result, limit)
    if not result:
        raise refused(path, "is empty")
    if result.startswith(LFS):
        raise refused(path, "is a Git-LFS pointer, not the file itself; fetch it with git lfs pull")
    return result


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The suffix that tells the format, in small letters: ``.onnx`` of ``net.onnx`` and of ``NET.ONNX.gz``."""
    name = Path(path)
    return (name.with_suffix("") if name.suffix.lower() == GZIP else name).suffix.lower()


def _unpacked(path: str | os.PathLike[str], data: bytes, limit: int) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            result = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise refused(path, f"is no whole gzip file: {error}") from error
    if len(result) > limit:
        raise refused(path, f"unpacks to more than {limit / 2**20:g} MiB, the most that is read")
    return result


def write(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    InputError
        If the folder or the file cannot be written.
    """
    try:
        replace(path, data)
    except OSError as error:
        raise refused(path, f"cannot be written: {error.strerror or error}") from error


def replace(path: str | os.PathLike[str], data: bytes) -> None:
    """As `write`, but an error of the system is raised as it is (OSError).

    What processes that were killed have left of the same file is deleted. A file that cannot be written leaves no
    folder that was made for it.
    """
    path = Path(path)
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent)) from error
    _remove_strays(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
            for folder in made:
                folder.rmdir()
        raise


def sha256(path: Path) -> str:
    """The digest of a file, in hexadecimal.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_stray(path: Path) -> bool:
    """Whether a process that was killed left it while it wrote a file."""
    found = _TEMPORARY.fullmatch(path.name)
    return found is not None and not _alive(int(found[2]))


def _remove_strays(path: Path) -> None:
    # Of thousands of files in a folder few begin so.
    ours = [name for name in os.listdir(path.parent) if name.startswith(f".{path.name}.")]
    for name in ours:
        if (found := _TEMPORARY.fullmatch(name)) and found[1] == path.name and not _alive(int(found[2])):
            path.with_name(name).unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # Somebody else's process, or a number that is none.
    except (PermissionError, OverflowError):
        pass
    return True
