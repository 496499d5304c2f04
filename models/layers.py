"""The layer types of a net, exact and in floats: two closed unions, so that a pass that forgets a type is a type error.

A new type is a class of each kind here and one `case` in every function that ends with `assert_never`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeAlias, assert_never

import numpy as np

from proof_of_absence.models.rational import Matrix, Numbers, Vector, dot, matrix, vector

__all__ = ["Affine", "FloatAffine", "FloatLayer", "Layer", "check_chain", "exact"]


@dataclass(frozen=True)
class Affine:
    """An exact affine map ``h -> weights h + bias``; weights has shape (fan-out, fan-in).

    Raises
    ------
    ValueError
        If there is no unit or no input, the rows are ragged, or they are not one for each bias.
    """

    weights: Matrix
    bias: Vector

    def __init__(self, weights: Iterable[Numbers], bias: Numbers) -> None:
        object.__setattr__(self, "weights", matrix(weights))
        object.__setattr__(self, "bias", vector(bias))
        if not self.bias:
            raise ValueError("a layer needs at least one unit")
        if len(self.weights) != len(self.bias):
            raise ValueError(f"{len(self.weights)} rows of weights but {len(self.bias)} biases")
        if not self.weights[0]:
            raise ValueError("a layer needs at least one input")

    @property
    def fan_in(self) -> int:
        """How many values it reads."""
        return len(self.weights[0])

    @property
    def fan_out(self) -> int:
        """How many units it has."""
        return len(self.bias)

    def __call__(self, values: Sequence[Fraction]) -> Vector:
        """The pre-activations of the layer's units."""
        return tuple(dot(row, values, b) for row, b in zip(self.weights, self.bias, strict=True))


class FloatAffine(NamedTuple):
    """An affine map in floats: weights (fan-out, fan-in) and bias (fan-out), both float64."""

    weights: np.ndarray
    bias: np.ndarray

    @property
    def fan_in(self) -> int:
        """How many values it reads."""
        return int(self.weights.shape[1])

    @property
    def fan_out(self) -> int:
        """How many units it has."""
        return len(self.bias)


# The closed unions: another type is added with a |, and mypy then names every pass that says nothing about it.
Layer: TypeAlias = Affine
FloatLayer: TypeAlias = FloatAffine


def exact(layer: FloatLayer) -> Layer:
    """The same layer over the rationals."""
    match layer:
        case FloatAffine(weights, bias):
            return Affine(weights.tolist(), bias.tolist())
        case _:
            assert_never(layer)


def check_chain(layers: Sequence[Layer | FloatLayer]) -> None:
    """Refuse layers that do not make a net.

    Raises
    ------
    ValueError
        If there is no layer, or a layer's fan-in is not the fan-out of the one before.
    """
    if not layers:
        raise ValueError("a net needs at least one layer")
    for number, (below, above) in enumerate(pairwise(layers), 1):
        if above.fan_in != below.fan_out:
            raise ValueError(
                f"layer {number + 1} reads {above.fan_in} values, layer {number} has {below.fan_out} units"
            )
