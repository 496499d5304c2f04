"""Networks as files hold them: float weights, each an exact dyadic rational, in arrays.

A `FloatNet` denotes the same real function as the `MLP` that `exact` returns; arrays make it fit for millions of parameters.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from proof_of_absence.models.net import MLP, Layer

__all__ = ["FloatLayer", "FloatNet"]

FLOAT64 = np.dtype(np.float64)


class FloatLayer(NamedTuple):
    """An affine map: weights (fan-out, fan-in) and bias (fan-out), both float64."""

    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True, eq=False)
class FloatNet:
    """A fully connected ReLU network with finite float weights.

    Parameters
    ----------
    layers
        Pairs of weights (fan-out, fan-in) and bias (fan-out) from the input to the output; ReLU stands between two of them.
    dtype
        ``float32`` or ``float64``, what the file held. The arrays are float64 either way, which holds both exactly.

    Raises
    ------
    ValueError
        If there is no layer, shapes do not fit, a dimension is 0, an entry is NaN or infinite, or one is no value of `dtype`.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.5])])
    >>> net.widths, net.parameter_count
    ((1, 2, 1), 7)
    >>> net.exact()([-3])
    (Fraction(7, 2),)
    """

    layers: tuple[FloatLayer, ...]
    dtype: np.dtype = FLOAT64

    def __post_init__(self):
        dtype = np.dtype(self.dtype)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"weights of type {dtype}: only float32 and float64 are supported")
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "layers", tuple(_layer(k, w, b, dtype) for k, (w, b) in enumerate(self.layers, 1)))
        if not self.layers:
            raise ValueError("a net needs at least one layer")
        for number, (below, above) in enumerate(zip(self.layers, self.layers[1:], strict=False), 1):
            reads, has = above.weights.shape[1], below.weights.shape[0]
            if reads != has:
                raise ValueError(f"layer {number + 1} reads {reads} values, layer {number} has {has} units")

    @property
    def widths(self) -> tuple[int, ...]:
        """Input dimension, hidden widths, output dimension."""
        return (self.layers[0].weights.shape[1], *(layer.bias.size for layer in self.layers))

    @property
    def parameter_count(self) -> int:
        """K, weights and biases together."""
        return sum(layer.weights.size + layer.bias.size for layer in self.layers)

    def exact(self) -> MLP:
        """The same network over the rationals."""
        return MLP(tuple(Layer(layer.weights.tolist(), layer.bias.tolist()) for layer in self.layers))

    def forward(self, inputs: np.ndarray) -> np.ndarray:
        """The outputs (N, m) as floating point arithmetic of type `dtype` gives them: inexact, for comparison only."""
        values = np.asarray(inputs, dtype=self.dtype)
        for number, (weights, bias) in enumerate(self.layers):
            values = values @ weights.T.astype(self.dtype) + bias.astype(self.dtype)
            if number < len(self.layers) - 1:
                values = np.maximum(values, 0)
        return values


def _layer(number: int, weights: Iterable, bias: Iterable, dtype: np.dtype) -> FloatLayer:
    layer = FloatLayer(np.array(weights, dtype=np.float64), np.array(bias, dtype=np.float64))
    if layer.weights.ndim != 2 or layer.bias.ndim != 1 or len(layer.weights) != len(layer.bias):
        raise ValueError(f"layer {number}: weights {layer.weights.shape} do not fit bias {layer.bias.shape}")
    if not layer.weights.size:
        raise ValueError(f"layer {number}: weights {layer.weights.shape} are empty")
    for name, values in zip(("weights", "bias"), layer, strict=True):
        if not np.isfinite(values).all():
            raise ValueError(f"layer {number}: {name} hold NaN or infinity")
        with np.errstate(over="ignore"):
            if not (values.astype(dtype) == values).all():
                raise ValueError(f"layer {number}: {name} hold a value that is no {dtype}")
        values.flags.writeable = False
    return layer
