"""Float arrays of an audit as exact numbers: files read without trust, nets evaluated in Python integers.

A float pass with a running error bound, entry by entry, spares the integers what it decides; it decides nothing else.
"""

import hashlib
import io
import re
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require

BLOCK = 4096
_HEX = re.compile(r"(-?)([0-9a-f]+)(?:/([0-9a-f]+))?")


def number(text) -> Fraction:
    """An exact rational in hexadecimal, ``-1f/a``: no limit on the digits, and no exponents."""
    match = _HEX.fullmatch(text) if isinstance(text, str) else None
    require(match, f"{str(text)[:40]!r} is not a hexadecimal rational")
    sign, numerator, denominator = match.groups()
    bottom = int(denominator or "1", 16)
    require(bottom, "division by zero")
    return Fraction((-1 if sign else 1) * int(numerator, 16), bottom)


def arrays(directory: Path, entry) -> dict[str, np.ndarray]:
    """The arrays of an npz file that the certificate names with its SHA-256; float64 and finite."""
    require(isinstance(entry, dict) and set(entry) == {"file", "sha256"}, "a file is not named with its sha256")
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
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            result = {key: archive[key] for key in archive.files}
    except (ValueError, OSError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile) as error:
        raise Refused(f"{name} is no npz file of plain arrays: {error}") from error
    for key, array in result.items():
        require(array.dtype == np.float64 and np.isfinite(array).all(), f"{name}: {key} is not float64 and finite")
    return result


def table(directory: Path, entry, name: str = "inputs") -> np.ndarray:
    """The one array of a file, under its name, shape (rows, d), at least one row."""
    found = arrays(directory, entry)
    require(set(found) == {name}, f"a file of {name} holds the array `{name}` and nothing else")
    require(found[name].ndim == 2 and found[name].size, f"{name} are a matrix with at least one row")
    return found[name]


class FloatNet:
    """Layers of (weights, bias), from the arrays ``weights_1, bias_1, weights_2, ..``."""

    def __init__(self, found: dict[str, np.ndarray]):
        depth = len(found) // 2
        names = {f"{kind}_{k}" for k in range(1, depth + 1) for kind in ("weights", "bias")}
        require(depth > 0 and set(found) == names, "a net holds weights_1, bias_1, weights_2, .. and nothing else")
        self.layers = [(found[f"weights_{k}"], found[f"bias_{k}"]) for k in range(1, depth + 1)]
        for weights, bias in self.layers:
            fits = weights.ndim == 2 and bias.ndim == 1 and len(weights) == len(bias) and weights.size
            require(fits, "a layer has as many rows as biases")
        self.widths = [self.layers[0][0].shape[1], *(len(bias) for _, bias in self.layers)]
        for (weights, _), below in zip(self.layers, self.widths, strict=False):
            require(weights.shape[1] == below, "a layer does not fit the one below")

    def exact(self, inputs: np.ndarray, layer: int, units: list[int]) -> tuple[np.ndarray, int]:
        """Values of units of a hidden layer after ReLU at some inputs: integers M (dtype object) and e, the values M 2^e."""
        weights, bias = self.layers[layer - 1][0][units], self.layers[layer - 1][1][units]
        read = np.flatnonzero((weights != 0).any(axis=0))
        if layer == 1:
            values, scale = integers(inputs[:, read])
        else:
            values, scale = self.exact(inputs, layer - 1, read.tolist())
        return _affine(values, scale, weights[:, read], bias, relu=True)

    def sent(self, inputs: np.ndarray, layer: int, units: list[int]) -> tuple[np.ndarray, int]:
        """What each unit of the next layer receives from these, likewise."""
        values, scale = self.exact(inputs, layer, units)
        weights = self.layers[layer][0][:, units]
        return _affine(values, scale, weights, np.zeros(len(weights)), relu=False)

    def bounded(self, inputs: np.ndarray, layer: int, units: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Float pre-activations and a bound of their errors; the former are NaN where nothing is known.

        |fl(h.w + b) - (h.w + b)| <= (k + 2) 2^-52 (|h|.|w| + |b|) and what the error e of h adds, |w|.e, for any order of
        summation (IEEE arithmetic, no operand flushed to 0); 2^-900 a term for underflow of products, a part in 2^30 for the
        rounding of the bound itself.
        """
        values, error = inputs, np.zeros_like(inputs)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            for number in range(1, layer + 1):
                weights, bias = self.layers[number - 1]
                if number == layer:
                    weights, bias = weights[units], bias[units]
                count = weights.shape[1]
                sizes = np.abs(weights).T
                magnitude = np.abs(values) @ sizes + np.abs(bias)
                carried = error @ sizes
                values = values @ weights.T + bias
                error = ((count + 2) * 2.0**-52 * magnitude + carried + count * 2.0**-900) * (1 + 2.0**-30)
                # NaN, which no comparison holds for, goes on through the layers above.
                values[~(np.isfinite(values) & np.isfinite(error))] = np.nan
                if number < layer:
                    values = np.maximum(values, 0)
        return values, error


def integers(array: np.ndarray) -> tuple[np.ndarray, int]:
    """Finite floats as integers M (dtype object) times 2^e."""
    mantissa, exponent = np.frexp(array)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    exponent = exponent.astype(np.int64) - 53
    low = int(exponent[whole != 0].min()) if whole.any() else 0
    shift = np.where(whole != 0, exponent - low, 0)
    return whole.astype(object) << shift.astype(object), low


def _affine(values: np.ndarray, scale: int, weights: np.ndarray, bias: np.ndarray, *, relu: bool):
    (matrix, power), (offset, other) = integers(weights), integers(bias)
    low = min(scale + power, other)
    if weights.shape[1]:
        result = (values.dot(matrix.T) << (scale + power - low)) + (offset << (other - low))
    else:
        result = np.tile(offset << (other - low), (len(values), 1))
    return (np.maximum(result, 0) if relu else result), low


def blocks(rows: int):
    """Slices of the rows."""
    return (slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK))
