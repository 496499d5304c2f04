"""Float networks on float data: one exact pass, in integers of unbounded length, and one bounded pass, in float64.

The bounded pass carries an error bound for each entry, and so spares the integers what the bound decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.rounding import TINY, UP, gamma

BLOCK = 4096
DOUBLE = np.dtype(np.float64)

Floats = NDArray[np.float64]
Integers = NDArray[np.object_]
Dtype = np.dtype[np.float32] | np.dtype[np.float64]
Layers = list[tuple[Floats, Floats]]


class Exact(NamedTuple):
    """Numbers M 2^e: Python integers M, an array of objects, and e."""

    whole: Integers
    exponent: int


class Bounded(NamedTuple):
    """Floats v and radii: |exact - v| <= radius entry by entry. Where nothing is known v is 0, the radius infinite."""

    value: Floats
    radius: Floats


class FloatData(NamedTuple):
    """Inputs (N, d) and targets (N, m)."""

    inputs: Floats
    targets: Floats


class FloatNet:
    """Layers of weights (fan-out, fan-in) and bias, all float64; `dtype` is the type that the net itself has."""

    def __init__(self, layers: Layers, dtype: Dtype = DOUBLE):
        self.layers, self.dtype = layers, dtype
        self.widths = [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]

    @classmethod
    def read(cls, found: Mapping[str, Floats]) -> "FloatNet":
        """From the arrays ``weights_1, bias_1, weights_2, ..``; refused if they are no net."""
        depth = len(found) // 2
        names = {f"{kind}_{k}" for k in range(1, depth + 1) for kind in ("weights", "bias")}
        require(depth > 0 and set(found) == names, "a net holds weights_1, bias_1, weights_2, .. and nothing else")
        layers = [(found[f"weights_{k}"], found[f"bias_{k}"]) for k in range(1, depth + 1)]
        for weights, bias in layers:
            fits = weights.ndim == 2 and bias.ndim == 1 and len(weights) == len(bias) and weights.size
            require(fits, "a layer has as many rows as biases")
        for (_, below), (weights, _) in pairwise(layers):
            require(weights.shape[1] == len(below), "a layer does not fit the one below")
        return cls(layers)

    @property
    def parameters(self) -> int:
        """Weights and biases together."""
        return sum(w.size + b.size for w, b in self.layers)

    def exact(self, inputs: Floats, layer: int, units: Sequence[int] | None = None) -> Exact:
        """Values of units of a layer (all, if none are named): after ReLU if it is hidden. Shape (rows, units)."""
        weights, bias = self._rows(layer, units)
        read = np.flatnonzero((weights != 0).any(axis=0))
        below = integers(inputs[:, read]) if layer == 1 else self.exact(inputs, layer - 1, read.tolist())
        result = _affine(below, weights[:, read], bias)
        return result if layer == len(self.layers) else Exact(np.maximum(result.whole, 0), result.exponent)

    def sent(self, inputs: Floats, layer: int, units: Sequence[int]) -> Exact:
        """What each unit of the next layer receives from these, shape (rows, next width)."""
        weights = self.layers[layer][0][:, units]
        return _affine(self.exact(inputs, layer, units), weights, np.zeros(len(weights)))

    def bounded(self, inputs: Floats, layer: int | None = None, units: Sequence[int] | None = None) -> list[Bounded]:
        """Pre-activations of each layer up to this one (all, if none is named), of which only these units.

        |fl(h.w + b) - (h.w + b)| <= gamma_(k+1) (|h|.|w| + |b|) and k underflows for k products, in any order, fused
        or not; an error e of h adds |w|.e.
        """
        last = len(self.layers) if layer is None else layer
        values, radius = inputs, np.zeros_like(inputs)
        result = []
        with np.errstate(all="ignore"):
            for number in range(1, last + 1):
                weights, bias = self._rows(number, units if number == last else None)
                steps = weights.shape[1] + 2
                sizes = np.abs(weights.T)
                found = values @ weights.T + bias
                # The bound's own products underflow too, by no more than TINY together with those of the product.
                own = gamma(steps) * (np.abs(values) @ sizes + np.abs(bias)) + steps * TINY
                radius = (radius @ sizes + own) * UP**2
                known = np.isfinite(found) & np.isfinite(radius)
                found, radius = np.where(known, found, 0), np.where(known, radius, np.inf)
                result.append(Bounded(found, radius))
                values = np.maximum(found, 0)
        return result

    def _rows(self, layer: int, units: Sequence[int] | None) -> tuple[Floats, Floats]:
        weights, bias = self.layers[layer - 1]
        return (weights, bias) if units is None else (weights[units], bias[units])


def integers(array: Floats) -> Exact:
    """Finite floats, exactly."""
    mantissa, exponent = np.frexp(array)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    exponent = exponent.astype(np.int64) - 53
    low = int(exponent[whole != 0].min()) if whole.any() else 0
    shift = np.where(whole != 0, exponent - low, 0)
    return Exact(whole.astype(object) << shift.astype(object), low)


def aligned(left: Exact, right: Exact) -> tuple[Integers, Integers, int]:
    """The integers of both over one exponent."""
    low = min(left.exponent, right.exponent)
    return left.whole << (left.exponent - low), right.whole << (right.exponent - low), low


def _affine(values: Exact, weights: Floats, bias: Floats) -> Exact:
    matrix, offset = integers(weights), integers(bias)
    if not weights.shape[1]:
        return Exact(np.tile(offset.whole, (len(values.whole), 1)), offset.exponent)
    product = Exact(values.whole.dot(matrix.whole.T), values.exponent + matrix.exponent)
    left, right, low = aligned(product, offset)
    return Exact(left + right, low)


def blocks(rows: int, size: int = BLOCK) -> Iterator[slice]:
    """Slices of the rows."""
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
