"""Networks as files hold them: float weights, each an exact dyadic rational, in arrays.

A `FloatNet` denotes the same real function as the `MLP` that `exact` returns; arrays hold millions of parameters. A
layer that is a product of several maps of a file may have entries that are no floats.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from proof_of_absence.models.layers import (
    FloatAffine,
    FloatLayer,
    RationalAffine,
    check_chain,
    exact,
    nearest_floats,
)
from proof_of_absence.models.net import MLP
from proof_of_absence.models.reading import Reading
from proof_of_absence.models.steps import Steps

__all__ = ["FloatLayer", "FloatNet"]


@dataclass(frozen=True, eq=False)
class FloatNet:
    """A fully connected ReLU network with finite float weights.

    Parameters
    ----------
    layers
        From the input to the output; ReLU stands between two of them. A pair is an affine map: weights (fan-out,
        fan-in) and bias (fan-out). A `RationalAffine` is one whose entries no float64 holds.
    dtype
        ``float32`` or ``float64``, what the file held. The arrays are float64 either way, which holds both exactly.
    reading
        How a reader came to it; None for a net that no reader made. It is no part of what the net computes.
    steps
        The maps of the file that each layer is the product of, where some layer is no single map; else None.

    Raises
    ------
    ValueError
        If there is no layer, shapes do not fit, a dimension is 0, an entry is NaN or infinite, or one is no
        value of `dtype`.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.5])])
    >>> net.widths, net.parameter_count
    ((1, 2, 1), 7)
    >>> net.exact()([-3])
    (Fraction(7, 2),)
    """

    layers: tuple[FloatLayer, ...]
    dtype: np.dtype
    reading: Reading | None = None
    steps: tuple[Steps, ...] | None = None

    def __init__(
        self,
        layers: Iterable[FloatLayer | tuple[ArrayLike, ArrayLike]],
        dtype: DTypeLike = np.float64,
        reading: Reading | None = None,
        steps: tuple[Steps, ...] | None = None,
    ) -> None:
        kind: np.dtype = np.dtype(dtype)
        if kind not in (np.float32, np.float64):
            raise ValueError(f"weights of type {kind}: only float32 and float64 are supported")
        object.__setattr__(self, "dtype", kind)
        object.__setattr__(self, "reading", reading)
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "layers", tuple(_checked(k, layer, kind) for k, layer in enumerate(layers, 1)))
        check_chain(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Input dimension, hidden widths, output dimension."""
        return (self.layers[0].fan_in, *(layer.fan_out for layer in self.layers))

    @property
    def parameter_count(self) -> int:
        """K, weights and biases together."""
        return sum(layer.fan_out * (layer.fan_in + 1) for layer in self.layers)

    @property
    def in_floats(self) -> bool:
        """Whether every layer has float weights, so that a file can hold the net."""
        return all(isinstance(layer, FloatAffine) for layer in self.layers)

    @property
    def float_layers(self) -> tuple[FloatAffine, ...]:
        """The layers of a net that a file can hold.

        Raises
        ------
        ValueError
            If a layer has entries that no float64 holds.
        """
        found = tuple(layer for layer in self.layers if isinstance(layer, FloatAffine))
        if len(found) < len(self.layers):
            raise ValueError("a layer has entries that no float64 holds")
        return found

    def with_steps(self, number: int, steps: Steps) -> "FloatNet":
        """The net that other maps of one layer, counted from 0, make of this one; of float64 if its type is too narrow.

        Raises
        ------
        ValueError
            If an entry of the product is beyond the normal float64 numbers, or the net has no steps.
        """
        if self.steps is None:
            raise ValueError("the net has no steps")
        layers = (*self.layers[:number], steps.layer(), *self.layers[number + 1 :])
        return _of_steps(layers, (*self.steps[:number], steps, *self.steps[number + 1 :]), self.reading)

    @classmethod
    def of_steps(cls, steps: tuple[Steps, ...], reading: Reading | None = None) -> "FloatNet":
        """The net that the maps of each layer make; of float64 if their type is too narrow for the products.

        Raises
        ------
        ValueError
            If an entry of a product is beyond the normal float64 numbers.
        """
        return _of_steps(tuple(one.layer() for one in steps), steps, reading)

    def exact(self) -> MLP:
        """The same network over the rationals."""
        return MLP(map(exact, self.layers))

    def forward(self, inputs: np.ndarray) -> np.ndarray:
        """The outputs (N, m) as floating point arithmetic of type `dtype` gives them: inexact, for comparison only."""
        values = np.asarray(inputs, dtype=self.dtype)
        for number, layer in enumerate(self.layers):
            weights, bias = nearest_floats(layer)
            values = values @ weights.T.astype(self.dtype) + bias.astype(self.dtype)
            if number < len(self.layers) - 1:
                values = np.maximum(values, 0)
        return values


def _of_steps(layers: tuple[FloatLayer, ...], steps: tuple[Steps, ...], reading: Reading | None) -> FloatNet:
    dtype = steps[0].dtype
    arrays = (array for layer in layers if isinstance(layer, FloatAffine) for array in layer)
    with np.errstate(over="ignore"):
        narrow = all((array.astype(dtype) == array).all() for array in arrays)
    return FloatNet(layers, dtype if narrow else np.float64, reading, steps)


def _checked(number: int, layer: FloatLayer | tuple[ArrayLike, ArrayLike], dtype: np.dtype) -> FloatLayer:
    if isinstance(layer, RationalAffine):
        return layer
    weights, bias = layer
    return _affine(number, weights, bias, dtype)


def _affine(number: int, weights: ArrayLike, bias: ArrayLike, dtype: np.dtype) -> FloatAffine:
    layer = FloatAffine(np.array(weights, dtype=np.float64), np.array(bias, dtype=np.float64))
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
