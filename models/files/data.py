"""Training and deployment data in .npz files: inputs (N, d) and targets (N, m), each entry the file's very number.

Arrays are checked by their headers before anything is unpacked; pickled objects are never loaded.
"""

import io
import math
import os
import zipfile
from typing import NamedTuple

import numpy as np

from proof_of_absence.models.files.disk import InputError, content, refused

__all__ = ["Arrays", "read_array", "read_data"]

# Of the file, of each array in it, and of each array as float64.
LARGEST = 4 * 2**30
INPUT_KEYS = ("X", "x", "inputs")
TARGET_KEYS = ("Y", "y", "targets")
HOW = "write it with numpy.savez(path, X=inputs, Y=targets)"
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Arrays(NamedTuple):
    """Inputs (N, d) and targets (N, m), or None where no targets were asked for; float64."""

    inputs: np.ndarray
    targets: np.ndarray | None


def read_data(path: str | os.PathLike[str], *, targets: bool = True) -> Arrays:
    """The data in a .npz file: inputs under X, x or inputs, targets under Y, y or targets.

    The first axis counts the rows; further axes are flattened row by row. Targets with one axis are a column (N, 1).
    Floats and integers are taken if float64 holds them exactly. Other arrays in the file are not looked at.

    Raises
    ------
    InputError
        If the file is damaged or larger than 4 GiB, unpacked or not; an array is missing, there under two names, empty,
        of another type, or holds NaN, infinity or an integer that float64 does not hold; or the numbers of rows differ.
    """
    inputs, *others = _arrays(path, [INPUT_KEYS, TARGET_KEYS] if targets else [INPUT_KEYS])
    answers = others[0] if targets else None
    if inputs.ndim < 2:
        raise refused(path, f"inputs have shape {inputs.shape}; reshape them to (N, d), a single feature to (N, 1)")
    if answers is not None and len(inputs) != len(answers):
        raise refused(path, f"holds {len(inputs)} inputs but {len(answers)} targets")
    return Arrays(_rows(inputs), None if answers is None else _rows(answers))


def read_array(path: str | os.PathLike[str], name: str) -> np.ndarray:
    """Another array of such a file, under the same conditions: float64, shape (rows, columns).

    Raises
    ------
    InputError
        As `read_data`.
    """
    return _rows(_arrays(path, [(name,)])[0])


def _arrays(path: str | os.PathLike[str], wanted: list[tuple[str, ...]]) -> list[np.ndarray]:
    data = content(path, limit=LARGEST)
    # A damaged archive raises whatever zipfile, zlib and numpy trip over, depending on where the damage is.
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [_array(path, archive, keys) for keys in wanted]
    except InputError:
        raise
    except Exception as error:
        raise refused(path, f"is no whole .npz file ({error}); {HOW}") from error


def _rows(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1)


def _array(path: str | os.PathLike[str], archive: zipfile.ZipFile, keys: tuple[str, ...]) -> np.ndarray:
    found = [name for name in archive.namelist() if name.removesuffix(".npy") in keys and name.endswith(".npy")]
    if len(found) != 1:
        wanted = f"one array named {' or '.join(filter(None, [', '.join(keys[:-1]), keys[-1]]))}"
        raise refused(path, f"needs {wanted} and has {', '.join(found) or 'none'}; {HOW}")
    name = found[0].removesuffix(".npy")
    with archive.open(found[0]) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in HEADERS:
            raise refused(path, f"{name} has a header of version {version}; {HOW}")
        shape, _, dtype = HEADERS[version](stream)
    if dtype.kind not in "fiu" or dtype.itemsize > 8:
        raise refused(path, f"{name} holds {dtype}, no float or integer numbers; convert it with .astype(float)")
    if not shape or 0 in shape:
        raise refused(path, f"{name} has shape {shape}; it needs at least one row and one column")
    if max(math.prod(shape) * 8, archive.getinfo(found[0]).file_size) > LARGEST:
        raise refused(path, f"{name} unpacks to more than {LARGEST / 2**20:g} MiB, the most that is read")
    with archive.open(found[0]) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False)
    result = array.astype(np.float64)
    if not np.isfinite(result).all():
        raise refused(path, f"{name} holds NaN or infinity")
    if dtype.kind in "iu":
        large = np.abs(result) >= 2**53
        if any(int(rounded) != value for rounded, value in zip(result[large], array[large].tolist(), strict=True)):
            raise refused(path, f"{name} holds an integer that float64 does not hold exactly")
    return result
