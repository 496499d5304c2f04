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

__all__ = ["Arrays", "read_array", "read_data", "read_outputs", "require_order"]

# Of the file, of each array in it, and of each array as float64.
LARGEST = 4 * 2**30
INPUT_KEYS = ("X", "x", "inputs", "X_train", "x_train")
OUTPUT_KEYS = ("outputs", "output", "logits", "Y", "y")
# Of deployment inputs, which may be those of a test set.
DEPLOY_KEYS = ("X", "x", "inputs", "X_deploy", "x_deploy", "X_test", "x_test")
TARGET_KEYS = ("Y", "y", "targets", "labels", "Y_train", "y_train")
HOW = "write it with numpy.savez(path, X=inputs, Y=targets)"
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Arrays(NamedTuple):
    """Inputs (N, d), and targets (N, m) as float64 or class labels (N,) as int64; None is what the file has not.

    `shape` is that of one input in the file.
    """

    inputs: np.ndarray
    targets: np.ndarray | None
    labels: np.ndarray | None = None
    shape: tuple[int, ...] = ()

    @property
    def numbers(self) -> np.ndarray | None:
        """The targets, labels too as a column (N, 1) of float64."""
        return self.targets if self.labels is None else self.labels.astype(np.float64)[:, None]


def read_data(path: str | os.PathLike[str], *, targets: bool = True, optional: bool = False) -> Arrays:
    """The data in a .npz file: inputs under X, x, inputs or x_train, targets under Y, y, targets, labels or y_train.

    Targets of one column that are integers or truth values are labels. Without `targets` none are read, and the inputs
    may also be named x_deploy or x_test; where they are `optional`, the file may have none.

    The first axis counts the rows; further axes are flattened row by row. Targets with one axis are a column (N, 1).
    Floats, integers and truth values (0 and 1) are taken if float64 holds them exactly. Other arrays in the file are
    not looked at.

    Raises
    ------
    InputError
        If the file is damaged or larger than 4 GiB, unpacked or not; an array is missing, there under two names, empty,
        of another type, or holds NaN, infinity or an integer that float64 does not hold; or the numbers of rows differ.
    """
    inputs, *others = _arrays(path, [INPUT_KEYS, TARGET_KEYS] if targets else [DEPLOY_KEYS], optional=optional)
    answers = others[0] if targets else None
    if inputs is None:
        raise refused(path, f"holds no inputs; {HOW}")
    if inputs.ndim < 2:
        raise refused(path, f"inputs have shape {inputs.shape}; reshape them to (N, d), a single feature to (N, 1)")
    if answers is not None and len(inputs) != len(answers):
        raise refused(path, f"holds {len(inputs)} inputs but {len(answers)} targets")
    shape = inputs.shape[1:]
    inputs = _rows(inputs).astype(np.float64)
    if answers is None:
        return Arrays(inputs, None, shape=shape)
    answers = _rows(answers)
    if answers.dtype.kind in "iub" and answers.shape[1] == 1:
        return Arrays(inputs, None, answers[:, 0].astype(np.int64), shape)
    return Arrays(inputs, answers.astype(np.float64), shape=shape)


def require_order(name: str | os.PathLike[str], shape: tuple[int, ...], reads: tuple[int, ...]) -> None:
    """Refuse inputs whose axes are others than those that a net reads, such as channels last.

    Axes of size 1 change no order, and flat rows are in the net's. Other sizes are refused elsewhere.

    Raises
    ------
    InputError
        Then.
    """
    own, wanted = (tuple(size for size in sizes if size != 1) for sizes in (shape, reads))
    if len(own) > 1 and len(wanted) > 1 and own != wanted and math.prod(own) == math.prod(wanted):
        told = (" x ".join(map(str, sizes)) for sizes in (shape, reads))
        raise refused(name, "has inputs of shape {}, the net reads {}; give the axes that order".format(*told))


def read_array(path: str | os.PathLike[str], name: str) -> np.ndarray:
    """Another array of such a file, under the same conditions: float64, shape (rows, columns).

    Raises
    ------
    InputError
        As `read_data`.
    """
    (array,) = _arrays(path, [(name,)])
    if array is None:
        raise refused(path, f"holds no array named {name}")
    return _rows(array).astype(np.float64)


def read_outputs(path: str | os.PathLike[str]) -> np.ndarray:
    """A network's own outputs in such a file, under outputs, output, logits, Y or y: float64, shape (rows, outputs).

    Raises
    ------
    InputError
        As `read_data`.
    """
    (array,) = _arrays(path, [OUTPUT_KEYS])
    assert array is not None
    return _rows(array).astype(np.float64)


def _arrays(
    path: str | os.PathLike[str], wanted: list[tuple[str, ...]], *, optional: bool = False
) -> list[np.ndarray | None]:
    """The arrays as the file has them; the second is None where it is `optional` and there is none."""
    data = content(path, limit=LARGEST)
    # A damaged archive raises whatever zipfile, zlib and numpy trip over, depending on where the damage is.
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [
                None if optional and place and not _named(archive, keys) else _array(path, archive, keys)
                for place, keys in enumerate(wanted)
            ]
    except InputError:
        raise
    except Exception as error:
        raise refused(path, f"is no whole .npz file ({error}); {HOW}") from error


def _rows(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1)


def _named(archive: zipfile.ZipFile, keys: tuple[str, ...]) -> list[str]:
    return [name for name in archive.namelist() if name.removesuffix(".npy") in keys and name.endswith(".npy")]


def _array(path: str | os.PathLike[str], archive: zipfile.ZipFile, keys: tuple[str, ...]) -> np.ndarray:
    found = _named(archive, keys)
    if len(found) != 1:
        wanted = f"one array named {' or '.join(filter(None, [', '.join(keys[:-1]), keys[-1]]))}"
        there = ", ".join(name.removesuffix(".npy") for name in found or archive.namelist()) or "nothing"
        raise refused(path, f"needs {wanted} and has {there if found else f'none: it holds {there}'}; {HOW}")
    name = found[0].removesuffix(".npy")
    with archive.open(found[0]) as stream:
        version = np.lib.format.read_magic(stream)
        if version not in HEADERS:
            raise refused(path, f"{name} has a header of version {version}; {HOW}")
        shape, _, dtype = HEADERS[version](stream)
        begins = stream.tell()
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise refused(path, f"{name} holds {dtype}, no float or integer numbers; convert it with .astype(float)")
    if not shape or 0 in shape:
        raise refused(path, f"{name} has shape {shape}; it needs at least one row and one column")
    if max(math.prod(shape) * 8, archive.getinfo(found[0]).file_size) > LARGEST:
        raise refused(path, f"{name} unpacks to more than {LARGEST / 2**20:g} MiB, the most that is read")
    if archive.getinfo(found[0]).file_size > begins + math.prod(shape) * dtype.itemsize >= begins:
        raise refused(path, f"{name} holds more than its shape {shape} says; {HOW}")
    with archive.open(found[0]) as stream:
        array = np.lib.format.read_array(stream, allow_pickle=False)
    result = array.astype(np.float64)
    if not np.isfinite(result).all():
        raise refused(path, f"{name} holds NaN or infinity")
    if dtype.kind in "iu":
        large = np.abs(result) >= 2**53
        if any(int(rounded) != value for rounded, value in zip(result[large], array[large].tolist(), strict=True)):
            raise refused(path, f"{name} holds an integer that float64 does not hold exactly")
    return array
