"""What an audit's certificate names: files of float arrays, read without trust; and its numbers, in hexadecimal."""

import hashlib
import io
import re
import tokenize
import zipfile
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values.floats import Floats, Texts

# What zipfile and numpy raise at a broken archive; numpy parses a header as Python does.
BROKEN = (
    ValueError, OSError, EOFError, LookupError, TypeError, RuntimeError, MemoryError, SyntaxError, tokenize.TokenError,
    zipfile.BadZipFile,
)  # fmt: skip

_HEX = re.compile(r"(-?)([0-9a-f]+)(?:/([0-9a-f]+))?")


def hexadecimal(text: object) -> Fraction:
    """An exact rational in hexadecimal, ``-1f/a``: no limit on the digits, and no exponents."""
    match = _HEX.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Refused(f"{str(text)[:40]!r} is not a hexadecimal rational")
    sign, numerator, denominator = match.groups()
    bottom = int(denominator or "1", 16)
    require(bottom, "division by zero")
    return Fraction((-1 if sign else 1) * int(numerator, 16), bottom)


def arrays(directory: Path, entry: object) -> dict[str, Floats]:
    """The arrays of an npz file that the certificate names with its SHA-256; float64 and finite."""
    name, found = _named(directory, entry)
    return {key: _finite(name, key, array) for key, array in found.items()}


def net_arrays(directory: Path, entry: object) -> tuple[dict[str, Floats], dict[str, Texts]]:
    """The same of a net that may have layers in text: arrays of bytes beside those of floats."""
    name, found = _named(directory, entry)
    texts = {key: array for key, array in found.items() if array.dtype.kind == "S"}
    return {key: _finite(name, key, array) for key, array in found.items() if key not in texts}, texts


def all_arrays(directory: Path, entry: object) -> dict[str, Any]:
    """The arrays of such a file, of whatever types."""
    return _named(directory, entry)[1]


def _finite(name: str, key: str, array: Any) -> Floats:
    require(array.dtype == np.float64 and np.isfinite(array).all(), f"{name}: {key} is not float64 and finite")
    result: Floats = array
    return result


def _named(directory: Path, entry: object) -> tuple[str, dict[str, Any]]:
    if not (isinstance(entry, dict) and set(entry) == {"file", "sha256"}):
        raise Refused("a file is not named with its sha256")
    name = entry["file"]
    require(isinstance(name, str) and Path(name).name == name and name.endswith(".npz"), "a file is not named")
    try:
        data = (directory / name).read_bytes()
    except OSError as error:
        raise Refused(f"{name}: {error.strerror}") from error
    require(hashlib.sha256(data).hexdigest() == entry["sha256"], f"{name} is not the file that was audited")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # So that no short file unfolds to a huge array.
            stored = all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
            require(stored, f"{name} is compressed")
            for member in archive.infolist():
                require(_fits(archive, member), f"{name} is no npz file of plain arrays of the size it says")
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return name, {key: archive[key] for key in archive.files}
    except BROKEN as error:
        raise Refused(f"{name} is no npz file of plain arrays: {error}") from error


def _fits(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    """Whether a member is as long as the array that it says it is, so that none larger is made for it."""
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read:
            return False
        shape, _, dtype = read[version](stream)
        return not dtype.hasobject and prod(shape) * dtype.itemsize == member.file_size - stream.tell()


def table(directory: Path, entry: object, name: str = "inputs") -> Floats:
    """The one array of a file, under its name, shape (rows, d), at least one row."""
    found = arrays(directory, entry)
    require(set(found) == {name}, f"a file of {name} holds the array `{name}` and nothing else")
    require(found[name].ndim == 2 and found[name].size, f"{name} are a matrix with at least one row")
    return found[name]
