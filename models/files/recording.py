"""Recorded activations in files: float arrays X (N, p), in an .npz, a .safetensors, or a folder of such shards.

Rows are read in blocks and never all at once; each number is the file's very own, 16 bits held in float32.
"""

import json
import math
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.models.files.disk import InputError, refused

__all__ = ["Part", "Recording", "read_recording", "recording_of"]

Floats = NDArray[np.floating[Any]]

# What may be recorded, by the names that safetensors has for them.
DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"}
# What holds rows, and what messages call these.
KEYS = ("X", "deploy", "test")
NAMED = {"deploy": "deployment", "test": "test"}
SUFFIXES = (".npz", ".safetensors")
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
# Of a block of rows, in numbers; and of a header of safetensors, in bytes.
BLOCK, LARGEST_HEADER = 2**21, 2**26
# Sums over a block are rounded less if it is short.
MOST_ROWS = 4096
HOW = "write it with numpy.savez(path, X=activations)"


@dataclass(frozen=True)
class Part:
    """One array in one file, as rows: all axes but the last are rows, the last are the columns.

    Parameters
    ----------
    samples
        The length of the first axis, which targets are compared with.
    begins
        Where the numbers begin: in the member of a zip file, or in the file.
    """

    path: Path
    array: str
    rows: int
    columns: int
    samples: int
    dtype: str
    begins: int

    def blocks(self, start: int = 0) -> Iterator[tuple[int, Floats]]:
        """(first row, rows) one after the other, from a row on.

        Raises
        ------
        InputError
            If the file is damaged or ends too early.
        """
        size = max(1, min(MOST_ROWS, BLOCK // self.columns))
        kind = np.dtype(np.uint16 if self.dtype == "bfloat16" else self.dtype).newbyteorder("<")
        try:
            with self._open() as stream:
                stream.seek(self.begins + start * self.columns * kind.itemsize)
                for first in range(start, self.rows, size):
                    count = min(size, self.rows - first)
                    data = stream.read(count * self.columns * kind.itemsize)
                    if len(data) < count * self.columns * kind.itemsize:
                        raise refused(self.path, f"{self.array} ends too early")
                    yield first, _floats(np.frombuffer(data, kind), self.dtype).reshape(count, self.columns)
                # Only at its end a zip file's check sum is compared.
                if stream.read(1) and self.path.suffix == ".npz":
                    raise refused(self.path, f"{self.array} holds more than its shape says; {HOW}")
        except InputError:
            raise
        except (OSError, ValueError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
            raise refused(self.path, f"cannot be read: {error}") from error
        except Exception as error:
            # zlib's own error, and those of other ways to compress.
            raise refused(self.path, f"is damaged: {error}") from error

    def _open(self) -> IO[bytes]:
        if self.path.suffix == ".npz":
            return zipfile.ZipFile(self.path).open(f"{self.array}.npy")
        return open(self.path, "rb")


@dataclass(frozen=True)
class Recording:
    """What was recorded of one layer: training, deployment and test rows (none if empty), their dtype and width."""

    name: str
    train: tuple[Part, ...]
    deploy: tuple[Part, ...] = ()
    test: tuple[Part, ...] = ()

    @property
    def columns(self) -> int:
        """The width."""
        return self.train[0].columns

    @property
    def dtype(self) -> str:
        """The type in which all of it was recorded."""
        return self.train[0].dtype

    @property
    def rows(self) -> int:
        """The number of training rows."""
        return sum(part.rows for part in self.train)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them: training, deployment, test."""
        return (*self.train, *self.deploy, *self.test)


class _Header(NamedTuple):
    shape: tuple[int, ...]
    dtype: str
    begins: int


def read_recording(
    path: str | os.PathLike[str],
    deploy: str | os.PathLike[str] | None = None,
    name: str | None = None,
    *,
    test: str | os.PathLike[str] | None = None,
) -> Recording:
    """The recording in an .npz or .safetensors file, or in a folder of such shards, taken in the order of their names.

    Training rows are under X; deployment and test rows under `deploy` and `test` there, or under X in the other file or
    folder. Targets under Y must be as many as X has entries along its first axis. More axes than two are flattened to
    rows, the last is kept. Nothing is read but headers.

    Parameters
    ----------
    name
        What messages and reports call the layer; by default the file's stem.

    Raises
    ------
    InputError
        If a file is damaged, a shard is empty or of another width or type than the others, an array is no float16,
        bfloat16, float32 or float64, or targets are of another number.
    """
    path = Path(path)
    shards = [_parts(file) for file in _files(path)]
    name = name or path.name.removesuffix(path.suffix)
    train = [parts["X"] for parts in shards if "X" in parts]
    if not train:
        raise refused(path, f"holds no array named X; {HOW}")
    for parts in shards:
        if not parts.keys() & KEYS:
            raise refused(next(iter(parts.values())).path if parts else path, f"holds no array named X; {HOW}")
    others = (_others(path, shards, key, given) for key, given in (("deploy", deploy), ("test", test)))
    return _recording(name, train, *others)


def _others(
    path: Path, shards: Sequence[Mapping[str, Part]], key: str, given: str | os.PathLike[str] | None
) -> list[Part]:
    """The deployment or test rows: within the shards, or in a file or folder of their own."""
    inside = [parts[key] for parts in shards if key in parts]
    if given is None:
        return inside
    if inside:
        raise refused(path, f"holds {NAMED[key]} rows itself; leave --{key} out, or the array `{key}`")
    return [_named(file, key) for file in _files(Path(given))]


def recording_of(name: str, train: Iterable[Path], deploy: Iterable[Path] = (), test: Iterable[Path] = ()) -> Recording:
    """The recording of a layer in shards that hold X, in this order.

    Raises
    ------
    InputError
        As `read_recording`.
    """
    return _recording(name, *([_parts(path)["X"] for path in paths] for paths in (train, deploy, test)))


def _recording(name: str, train: list[Part], deploy: list[Part], test: list[Part]) -> Recording:
    for part in (*train, *deploy, *test):
        if part.columns != train[0].columns:
            told = f"{part.array} has {part.columns} columns, and {train[0].path} has {train[0].columns}"
            raise refused(part.path, f"{told}; all shards of a layer have one width")
        if part.dtype != train[0].dtype:
            told = f"{part.array} is of {part.dtype}, and {train[0].path} of {train[0].dtype}"
            raise refused(part.path, f"{told}; record all shards in one type")
    return Recording(name, tuple(train), tuple(deploy), tuple(test))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise refused(path, "there is no such file or folder")
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and not file.name.startswith("."))
    if not found:
        raise refused(path, "holds no .npz and no .safetensors; record shards into it")
    return found


def _named(path: Path, named: str) -> Part:
    parts = _parts(path)
    for key in ("X", named):
        if key in parts:
            return parts[key]
    raise refused(path, f"holds no array named X; {HOW}")


def _parts(path: Path) -> dict[str, Part]:
    """The arrays of a file by their names, X, Y, deploy and test alone, their shapes compared."""
    if path.suffix not in SUFFIXES:
        raise refused(path, "is no .npz and no .safetensors, nor a folder of them")
    if not path.is_file():
        raise refused(path, "is no regular file")
    try:
        headers = _npz(path) if path.suffix == ".npz" else _safetensors(path)
    except InputError:
        raise
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error
    except Exception as error:
        # A damaged archive raises whatever zipfile and numpy trip over.
        raise refused(path, f"is no whole {path.suffix} file ({error}); {HOW}") from error
    parts: dict[str, Part] = {key: _part(path, key, headers[key]) for key in KEYS if key in headers}
    if "Y" in headers and "X" in parts:
        shape = headers["Y"].shape
        if not shape or shape[0] != parts["X"].samples:
            raise refused(path, f"holds {parts['X'].samples} rows in X but {shape[0] if shape else 1} in Y")
    return parts


def _part(path: Path, key: str, header: _Header) -> Part:
    shape, dtype, begins = header
    if dtype not in DTYPES.values():
        raise refused(path, f"{key} holds {dtype}; record float16, bfloat16, float32 or float64")
    if len(shape) < 2 or 0 in shape:
        raise refused(path, f"{key} has shape {shape}; it takes (rows, columns), at least one of each")
    return Part(path, key, math.prod(shape[:-1]), shape[-1], shape[0], dtype, begins)


def _npz(path: Path) -> dict[str, _Header]:
    found = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            key = member.removesuffix(".npy")
            if key in ("Y", *KEYS) and member.endswith(".npy"):
                if key in found:
                    raise refused(path, f"holds two arrays named {key}")
                with archive.open(member) as stream:
                    found[key] = _npy(path, key, stream)
    return found


def _npy(path: Path, key: str, stream: IO[bytes]) -> _Header:
    version = np.lib.format.read_magic(stream)
    if version not in HEADERS:
        raise refused(path, f"{key} has a header of version {version}; {HOW}")
    shape, fortran, dtype = HEADERS[version](stream)
    if dtype.hasobject:
        raise refused(path, f"{key} holds Python objects; convert it with .astype(numpy.float32)")
    if fortran and len(shape) > 1 and key != "Y":
        raise refused(path, f"{key} lies column by column; write numpy.ascontiguousarray({key})")
    if dtype.byteorder == ">" and key != "Y":
        raise refused(path, f"{key} is of {dtype}, big-endian; convert it with .astype(numpy.{dtype.name})")
    return _Header(shape, dtype.name, stream.tell())


def _safetensors(path: Path) -> dict[str, _Header]:
    size = path.stat().st_size
    with open(path, "rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > min(LARGEST_HEADER, size - 8):
            raise refused(path, "is no whole .safetensors file: its header is longer than the file")
        header = json.loads(stream.read(length))
    found = {}
    for key in header.keys() & {"Y", *KEYS}:
        shape, (begins, ends) = tuple(header[key]["shape"]), header[key]["data_offsets"]
        dtype = DTYPES.get(header[key]["dtype"], str(header[key]["dtype"]))
        if dtype in DTYPES.values() and ends - begins != math.prod(shape) * np.dtype(_held(dtype)).itemsize:
            raise refused(path, f"{key} is not as long as its shape {shape} says")
        if 8 + length + ends > size:
            raise refused(path, f"{key} ends too early")
        found[key] = _Header(shape, dtype, 8 + length + begins)
    return found


def _held(dtype: str) -> str:
    return "uint16" if dtype == "bfloat16" else dtype


def _floats(data: NDArray[Any], dtype: str) -> Floats:
    """The numbers, those of 16 bits in float32; bfloat16 is the upper half of one."""
    if dtype == "bfloat16":
        return (data.astype(np.uint32) << 16).view(np.float32)
    return data.astype(np.float32) if dtype == "float16" else data
