"""Float networks evaluated on float data, exactly or with rigorous bounds of this package's own.

Exact: integers of unbounded length. Bounds: float64 with an entrywise error bound, where exact arithmetic would take too long.
"""

from fractions import Fraction

import numpy as np

__all__ = [
    "EXACT",
    "PATIENT",
    "FloatData",
    "Floats",
    "bounded",
    "exact_outputs",
    "whole_numbers",
]

# Rows times parameters: up to EXACT (a second) losses are exact, up to PATIENT where bounds do not decide.
EXACT, PATIENT = 2**22, 2**25
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
        """Weights and biases together."""
        return sum(w.size + b.size for w, b in self.layers)


class FloatData:
    """Inputs (N, d) and targets (N, m), float64."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray):
        self.inputs, self.targets = inputs, targets

    def __len__(self) -> int:
        return len(self.inputs)


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
