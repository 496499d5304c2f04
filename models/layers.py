"""The layer types of a net, exact and in floats: two closed unions, so that a pass that forgets a type is a type error.

A new type is a class of each kind here and one `case` in every function that ends with `assert_never`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd
from typing import NamedTuple, TypeAlias, assert_never

import numpy as np

from proof_of_absence.models.rational import Matrix, Numbers, Vector, dot, matrix, vector

__all__ = [
    "Affine",
    "FloatAffine",
    "FloatLayer",
    "Layer",
    "RationalAffine",
    "biases",
    "check_chain",
    "equal_layers",
    "exact",
    "nearest_floats",
    "nonzero",
    "same_layer",
    "sending",
    "sent_by",
    "some_units",
]

# The least normal float64: down to there, rounding to the nearest float errs by 2^-53 of the number at most.
NORMAL = 2.0**-1022


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


@dataclass(frozen=True, eq=False)
class RationalAffine:
    """An affine map with entries that no float64 holds: numbers 2^exponent / denominator, exactly.

    Parameters
    ----------
    numbers
        Python integers (dtype object), shape (fan-out, fan-in + 1): the weights, and in the last column the bias.
    exponent
        At most 0.
    denominator
        Odd and positive; 1 if every entry is a binary fraction.
    near
        The nearest floats: each differs from its entry by at most 2^-53 of it, and is 0 only where the entry is.
    """

    numbers: np.ndarray
    exponent: int
    denominator: int
    near: FloatAffine

    @classmethod
    def of(cls, numbers: np.ndarray, divisor: int) -> "RationalAffine":
        """The map with the entries numbers / divisor, the bias in the last column.

        Raises
        ------
        ValueError
            If an entry is beyond the normal float64 numbers, or there is no weight.

        Examples
        --------
        >>> third = RationalAffine.of(np.array([[1, 6]], dtype=object), 12)
        >>> third.numbers.tolist(), third.exponent, third.denominator, third.near.bias.tolist()
        ([[1, 6]], -2, 3, [0.5])
        """
        if numbers.ndim != 2 or numbers.shape[1] < 2 or not len(numbers):
            raise ValueError(f"weights and bias of shape {numbers.shape}: a layer needs a unit and an input")
        common = gcd(divisor, *numbers.ravel().tolist()) * (1 if divisor > 0 else -1)
        numbers, divisor = numbers // common, divisor // common
        twos = (divisor & -divisor).bit_length() - 1
        floats = np.array([_nearest(number, divisor) for number in numbers.ravel().tolist()]).reshape(numbers.shape)
        numbers.flags.writeable = floats.flags.writeable = False
        return cls(numbers, -twos, divisor >> twos, FloatAffine(floats[:, :-1], floats[:, -1]))

    @property
    def fan_in(self) -> int:
        """How many values it reads."""
        return int(self.numbers.shape[1]) - 1

    @property
    def fan_out(self) -> int:
        """How many units it has."""
        return len(self.numbers)

    @property
    def divisor(self) -> int:
        """What the numbers are to be divided by."""
        return self.denominator << -self.exponent

    def hexadecimal(self) -> np.ndarray:
        """The numbers as text (bytes), in the shape that they have."""
        return np.array([f"{number:x}".encode() for number in self.numbers.ravel().tolist()]).reshape(
            self.numbers.shape
        )

    def fractions(self) -> list[list[Fraction]]:
        """The entries, a row for each unit, its bias last."""
        unit = Fraction(2) ** self.exponent / self.denominator
        return [[number * unit for number in row] for row in self.numbers.tolist()]


# The closed unions: another type is added with a |, and mypy then names every pass that says nothing about it.
Layer: TypeAlias = Affine
FloatLayer: TypeAlias = FloatAffine | RationalAffine


def exact(layer: FloatLayer) -> Layer:
    """The same layer over the rationals."""
    match layer:
        case FloatAffine(weights, bias):
            return Affine(weights.tolist(), bias.tolist())
        case RationalAffine():
            rows = layer.fractions()
            return Affine([row[:-1] for row in rows], [row[-1] for row in rows])
        case _:
            assert_never(layer)


def nearest_floats(layer: FloatLayer) -> FloatAffine:
    """The layer in floats: exact, or each entry rounded to the nearest and off by 2^-53 of it at most."""
    match layer:
        case FloatAffine():
            return layer
        case RationalAffine():
            return layer.near
        case _:
            assert_never(layer)


def biases(layer: FloatLayer) -> list[Fraction]:
    """Its biases, exactly.

    Examples
    --------
    >>> biases(RationalAffine.of(np.array([[1, 6]], dtype=object), 9))
    [Fraction(2, 3)]
    """
    match layer:
        case FloatAffine(_, bias):
            return list(map(Fraction, bias.tolist()))
        case RationalAffine(numbers):
            return _over(numbers[:, -1], layer)
        case _:
            assert_never(layer)


def sent_by(layer: FloatLayer, unit: int) -> list[Fraction]:
    """What it weighs one of its inputs with, exactly: a column."""
    match layer:
        case FloatAffine(weights):
            return list(map(Fraction, weights[:, unit].tolist()))
        case RationalAffine(numbers):
            return _over(numbers[:, unit], layer)
        case _:
            assert_never(layer)


def nonzero(layer: FloatLayer) -> np.ndarray:
    """Where its weights are not 0, shape (fan-out, fan-in)."""
    return np.asarray(nearest_floats(layer).weights != 0)


def same_layer(one: FloatLayer, other: FloatLayer) -> bool:
    """Whether the weights and biases are equal, as numbers."""
    match one, other:
        case (FloatAffine(), FloatAffine()):
            return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
        case (RationalAffine(), RationalAffine()):
            return one.divisor == other.divisor and np.array_equal(one.numbers, other.numbers)
        case _:
            return False


def equal_layers(layers: Sequence[FloatLayer], others: Sequence[FloatLayer]) -> bool:
    """Whether two nets have as many layers, each the same as the other.

    Examples
    --------
    >>> one = FloatAffine(np.ones((1, 2)), np.zeros(1))
    >>> equal_layers([one], [FloatAffine(np.ones((1, 2)), np.zeros(1))]), equal_layers([one], [one, one])
    (True, False)
    """
    return len(layers) == len(others) and all(map(same_layer, layers, others))


def some_units(layer: FloatLayer, units: Sequence[int] | np.ndarray | slice) -> FloatLayer:
    """The same layer with some of its units alone."""
    units = units if isinstance(units, slice) else np.asarray(units, dtype=np.int64)
    match layer:
        case FloatAffine(weights, bias):
            return FloatAffine(weights[units], bias[units])
        case RationalAffine(numbers, exponent, denominator, near):
            return RationalAffine(
                numbers[units], exponent, denominator, FloatAffine(near.weights[units], near.bias[units])
            )
        case _:
            assert_never(layer)


def sending(layer: FloatLayer, inputs: Sequence[int] | np.ndarray) -> FloatLayer:
    """What some of its inputs alone add to its units: their columns, without a bias."""
    inputs = np.asarray(inputs, dtype=np.int64)
    match layer:
        case FloatAffine(weights, bias):
            return FloatAffine(weights[:, inputs], np.zeros(len(bias)))
        case RationalAffine(numbers, exponent, denominator, near):
            columns = np.column_stack([numbers[:, inputs], np.zeros(len(numbers), dtype=object)])
            floats = FloatAffine(near.weights[:, inputs], np.zeros(len(numbers)))
            return RationalAffine(columns, exponent, denominator, floats)
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


def _over(numbers: np.ndarray, layer: RationalAffine) -> list[Fraction]:
    return [Fraction(number, layer.divisor) for number in numbers.tolist()]


def _nearest(number: int, divisor: int) -> float:
    # Division of integers rounds once, to the nearest.
    try:
        near = number / divisor
    except OverflowError as error:
        raise ValueError("an entry is larger than every float64") from error
    if number and abs(near) < NORMAL:
        raise ValueError("an entry is smaller than every normal float64")
    return near
