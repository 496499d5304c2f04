"""Float networks and data as .npz files that a fact names by SHA-256, evaluated exactly or with rigorous bounds of its own.

Exact: integers of unbounded length. Bounds: float64 with an entrywise error bound, where exact arithmetic would take too long.
"""

import hashlib
import io
import zipfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from absence.checker.independent.refusal import Refused, require

__all__ = [
    "EXACT",
    "PATIENT",
    "FloatData",
    "Floats",
    "bounded",
    "exact_outputs",
    "load_data",
    "load_net",
    "whole_numbers",
]

# Rows times parameters: up to EXACT (a second) losses are exact, up to PATIENT where bounds do not decide.
EXACT, PATIENT = 2**22, 2**25
LARGEST = 2**33
U = 2.0**-53
# Relative and absolute slack for the rounding and underflow of a bound's own arithmetic.
UP = 1 + 2.0**-30
TINY = 2.0**-1015

Layers = list[tuple[np.ndarray, np.ndarray]]


class Floats:
    """A net: pairs of weights (fan-out, fan-in) and bias, float64, and the type that the file held."""

    def __init__(self, layers: Layers, dtype: np.dtype):
        self.layers, self.dtype = layers, dtype

    @property
    def parameters(self) -> int:
        return sum(w.size + b.size for w, b in self.layers)


class FloatData:
    """Inputs (N, d) and targets (N, m), float64."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray):
        self.inputs, self.targets = inputs, targets

    def __len__(self) -> int:
        return len(self.inputs)


def load_net(reference: dict, directory: Path) -> Floats:
    """The net in a .npz file with W1, b1, W2, b2, ..; refused unless its bytes are those named, and it is a finite net."""
    arrays = _load(reference, directory)
    depth = len(arrays) // 2
    require(depth >= 1 and set(arrays) == {f"{x}{k}" for x in "Wb" for k in range(1, depth + 1)}, "no net in the file")
    dtypes = {array.dtype for array in arrays.values()}
    require(len(dtypes) == 1 and dtypes <= {np.dtype(np.float32), np.dtype(np.float64)}, "weights of several types")
    layers = [(arrays[f"W{k}"].astype(np.float64), arrays[f"b{k}"].astype(np.float64)) for k in range(1, depth + 1)]
    for weights, bias in layers:
        require(weights.ndim == 2 and bias.shape == (len(weights),) and weights.size, "a layer's shapes do not fit")
        require(bool(np.isfinite(weights).all() and np.isfinite(bias).all()), "a weight is not finite")
    for (below, _), (above, _) in pairwise(layers):
        require(above.shape[1] == len(below), "a layer does not fit the one below")
    return Floats(layers, dtypes.pop())


def load_data(reference: dict, directory: Path) -> FloatData:
    """The data in a .npz file with X and Y."""
    arrays = _load(reference, directory)
    require(set(arrays) == {"X", "Y"}, "the data are X and Y")
    for array in arrays.values():
        require(
            array.dtype in (np.float32, np.float64) and array.ndim == 2 and array.size, "the data are float matrices"
        )
        require(bool(np.isfinite(array).all()), "the data are not finite")
    inputs, targets = arrays["X"].astype(np.float64), arrays["Y"].astype(np.float64)
    require(len(inputs) == len(targets), "there are as many inputs as targets")
    return FloatData(inputs, targets)


def _load(reference: dict, directory: Path) -> dict[str, np.ndarray]:
    name = reference.get("file") if isinstance(reference, dict) else None
    require(isinstance(name, str) and Path(name).name == name, "a file is not named")
    try:
        require((directory / name).stat().st_size <= LARGEST, f"{name} is larger than {LARGEST} bytes")
        content = (directory / name).read_bytes()
        require(
            hashlib.sha256(content).hexdigest() == reference.get("sha256"), f"{name} is not the file that was meant"
        )
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        require(unpacked <= LARGEST, f"{name} unpacks to more than {LARGEST} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise Refused(f"{name}: {error}") from error


def whole_numbers(array: np.ndarray) -> tuple[np.ndarray, int]:
    """Python integers n (dtype object) and e with entries n / 2^e."""
    ratios = [float(x).as_integer_ratio() for x in array.ravel()]
    exponent = max((q.bit_length() - 1 for _, q in ratios), default=0)
    integers = [p << (exponent - q.bit_length() + 1) for p, q in ratios]
    result = np.empty(len(integers), dtype=object)
    result[:] = integers
    return result.reshape(array.shape), exponent


def exact_outputs(net: Floats, inputs: np.ndarray) -> list[list[Fraction]]:
    """The outputs, shape (N, m), in integers over a power of two."""
    values, exponent = whole_numbers(inputs)
    for depth, (weights, bias) in enumerate(net.layers, 1):
        (w, of_w), (b, of_b) = whole_numbers(weights), whole_numbers(bias)
        product, of_product = values.dot(w.T), exponent + of_w
        exponent = max(of_product, of_b)
        values = product * (1 << (exponent - of_product)) + b * (1 << (exponent - of_b))
        if depth < len(net.layers):
            values = np.where(values > 0, values, 0)
    return [[Fraction(v, 1 << exponent) for v in row] for row in values]


def bounded(net: Floats, inputs: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pre-activations v of each layer with radii: |exact - v| <= rad entry by entry; infinite where nothing is known.

    |fl(h.w + b) - (h.w + b)| <= gamma_(k+1) (|h|.|w| + |b|) + k underflows for k products, in any order, fused or not.
    """
    values, radius = inputs, np.zeros_like(inputs)
    result = []
    with np.errstate(all="ignore"):
        for weights, bias in net.layers:
            steps = weights.shape[1] + 2
            gamma = steps * U / (1 - steps * U) * UP
            absolute = np.abs(weights.T)
            product = values @ weights.T + bias
            # The bound's own products underflow too, by no more than TINY together with those of the product.
            radius = (radius @ absolute + gamma * (np.abs(values) @ absolute + np.abs(bias)) + steps * TINY) * UP**2
            radius = np.where(np.isfinite(product) & np.isfinite(radius), radius, np.inf)
            result.append((product, radius))
            values = np.maximum(np.where(np.isfinite(product), product, 0), 0)
        return result
