"""Files of recorded activations, read without trust: their digests are compared, and rows come in blocks of float64.

An .npz file, or a .safetensors file, from which one array is taken; all of its axes but the last are rows.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values.arrays import BROKEN
from proof_of_absence.checker.independent.values.floats import Floats

# Numbers of a block, and bytes of a header.
BLOCK, LONGEST = 2**18, 2**26
TYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
FIELDS = {"file", "sha256", "array", "rows"}


class Table(NamedTuple):
    """An array in a file, whose numbers begin so many bytes into a member of it, or into itself."""

    path: Path
    member: str
    begins: int
    dtype: str
    rows: int
    columns: int

    def blocks(self) -> Iterator[Floats]:
        """The rows in order, float64."""
        size = 2 if self.dtype in ("float16", "bfloat16") else int(self.dtype.removeprefix("float")) // 8
        count = max(1, BLOCK // self.columns)
        with _stream(self.path, self.member) as stream:
            stream.seek(self.begins)
            for first in range(0, self.rows, count):
                wanted = min(count, self.rows - first) * self.columns
                data = stream.read(wanted * size)
                require(len(data) == wanted * size, f"{self.path} ends too early")
                block = _numbers(data, self.dtype).reshape(-1, self.columns)
                require(np.isfinite(block).all(), f"{self.path} holds a number that is not finite")
                yield block


def tables(directory: Path, entries: object, dtype: object) -> list[Table]:
    """The arrays that the entries name, each in a file of the stated digest, all of the stated type and one width."""
    if not isinstance(entries, list):
        raise Refused("files are missing")
    found = [_table(directory, entry) for entry in entries]
    for table, entry in zip(found, entries, strict=True):
        require_equal(f"the rows of {entry['array']} in {entry['file']}", entry["rows"], table.rows)
        require_equal(f"the type of {entry['array']} in {entry['file']}", dtype, table.dtype)
        require(table.columns == found[0].columns, f"{entry['file']} is of another width")
    return found


def _table(directory: Path, entry: Any) -> Table:
    require(isinstance(entry, dict) and set(entry) == FIELDS, "a file is not named with its digest")
    name, array = entry["file"], entry["array"]
    require(isinstance(name, str) and array in ("X", "deploy", "test"), "a file is not named")
    # Beside the folder, where it has been moved.
    path = next((p for p in (directory / name, directory.parent / Path(name).name) if p.is_file()), None)
    if path is None:
        raise Refused(f"{name} is not there")
    try:
        with open(path, "rb") as stream:
            own = hashlib.file_digest(stream, "sha256").hexdigest()
        require(own == entry["sha256"], f"{name} is not the file that was recorded")
        return _npz(path, array) if path.suffix == ".npz" else _safetensors(path, array)
    except BROKEN as error:
        raise Refused(f"{name} is no recording: {error}") from error


def _npz(path: Path, array: str) -> Table:
    with closing(_stream(path, array)) as stream:
        version = np.lib.format.read_magic(stream)
        require(version in ((1, 0), (2, 0)), f"{path} has an unknown header")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(stream)
        require(not by_columns and dtype.byteorder in "<=" and dtype.name in TYPES.values(), f"{path} is of {dtype}")
        return _shaped(path, array, stream.tell(), dtype.name, shape)


def _safetensors(path: Path, array: str) -> Table:
    with open(path, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        require(length <= LONGEST, f"{path} has a long header")
        entry = json.loads(stream.read(length))[array]
    return _shaped(path, "", 8 + length + entry["data_offsets"][0], TYPES[entry["dtype"]], tuple(entry["shape"]))


def _shaped(path: Path, member: str, begins: int, dtype: str, shape: tuple[int, ...]) -> Table:
    require(len(shape) > 1 and all(type(n) is int and n > 0 for n in shape), f"{path} has rows of no length")
    return Table(path, member, begins, dtype, prod(shape[:-1]), shape[-1])


def _stream(path: Path, member: str) -> IO[bytes]:
    return zipfile.ZipFile(path).open(member + ".npy") if path.suffix == ".npz" else open(path, "rb")


def _numbers(data: bytes, dtype: str) -> Floats:
    if dtype == "bfloat16":
        halves = np.frombuffer(data, "<u2")
        return (halves.astype("<u4") * np.uint32(65536)).view("<f4").astype(np.float64)
    return np.frombuffer(data, np.dtype(dtype).newbyteorder("<")).astype(np.float64)


class Window:
    """Rows of several tables, one after the other, read once if they are asked for in order."""

    def __init__(self, parts: Sequence[Table]):
        self._parts = parts
        self._begin()

    def _begin(self) -> None:
        self._blocks = (block for table in self._parts for block in table.blocks())
        # The first row that is held, and what is held from there on.
        self._first, self._held = 0, list[Floats]()

    def rows(self, first: int, end: int) -> Floats:
        """The rows from one on and before another."""
        if first < self._first:
            self._begin()
        while sum(map(len, self._held)) < end - self._first:
            block = next(self._blocks, None)
            if block is None:
                raise Refused("a row is not there")
            self._held.append(block)
            while self._held and self._first + len(self._held[0]) <= first:
                self._first += len(self._held.pop(0))
        found = np.concatenate(self._held)
        return found[first - self._first : end - self._first]
