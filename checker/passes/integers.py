"""A float net in integers, converted once for all questions about it: weights M 2^e / d, one exponent and d a layer.

A pass at rational inputs is a product of integer matrices (python-flint); nothing is rounded.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple, TypeVar, assert_never, cast

from flint import fmpz_mat

from proof_of_absence.checker.kernel.certificate import net_json
from proof_of_absence.checker.numbers.deadline import afford, look
from proof_of_absence.models.dyadic import integers
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine, exact, some_units
from proof_of_absence.models.rational import Vector, vector

__all__ = ["Integers", "Values"]

T = TypeVar("T")


class _Layer(NamedTuple):
    """weights 2^exponent / denominator (fan-out, fan-in) and bias 2^bias_exponent / denominator."""

    weights: fmpz_mat
    exponent: int
    bias: list[int]
    bias_exponent: int
    denominator: int = 1


class Values(NamedTuple):
    """What a layer sends at some inputs: numbers[unit][input] 2^exponent / denominators[input]."""

    numbers: list[list[int]]
    exponent: int
    denominators: list[int]

    def at(self, unit: int, place: int) -> Fraction:
        """What the unit sends at the input of that place."""
        return self._value(self.numbers[unit][place], place)

    def vector(self, place: int) -> Vector:
        """What every unit sends at the input of that place."""
        return tuple(self._value(row[place], place) for row in self.numbers)

    def _value(self, number: int, place: int) -> Fraction:
        if self.exponent >= 0:
            return Fraction(number << self.exponent, self.denominators[place])
        return Fraction(number, self.denominators[place] << -self.exponent)


class Integers:
    """A net's weights and biases as integers and, where they are asked for, as Fractions; each is converted once."""

    def __init__(self, net: FloatNet):
        self.net = net
        self._layers: dict[int, _Layer] = {}
        self._rows: dict[tuple[int, int], Vector] = {}
        self._biases: dict[int, Vector] = {}
        self._shared: dict[str, tuple[object, object]] = {}
        # The last pass: many questions ask about one corner of the box.
        self._last: tuple[tuple[Vector, ...], list[Values]] | None = None

    def __reduce__(self) -> tuple[type["Integers"], tuple[FloatNet]]:
        # Integer matrices do not travel; the net does, and is converted again where it arrives.
        return Integers, (self.net,)

    def row(self, layer: int, unit: int) -> Vector:
        """A unit's incoming weights; layer 1 is the first."""
        if (layer, unit) not in self._rows:
            self._rows[layer, unit] = exact(some_units(self.net.layers[layer - 1], [unit])).weights[0]
        return self._rows[layer, unit]

    def bias(self, layer: int) -> Vector:
        """The biases of a layer."""
        if layer not in self._biases:
            self._biases[layer] = _bias(self.net.layers[layer - 1])
        return self._biases[layer]

    @cached_property
    def json(self) -> list[dict[str, object]]:
        """The net as certificates have it.

        Raises
        ------
        OutOfTime
            If there is no time left to write it.
        """
        afford(4e-6 * self.net.parameter_count)
        return net_json(self.net.exact())

    def shared(self, name: str, of: object, make: Callable[[], T]) -> T:
        """What questions about one net and one box have in common: made anew where `of` is not what it was."""
        if name not in self._shared or self._shared[name][0] != of:
            self._shared[name] = of, make()
        return cast(T, self._shared[name][1])

    def forward(self, points: Sequence[Vector], depth: int) -> list[Values]:
        """What each hidden layer up to `depth` sends at rational inputs, by the plain forward pass.

        Parameters
        ----------
        points
            Inputs, d numbers each; at least one.
        """
        points = tuple(points)
        if self._last is not None and self._last[0] == points and len(self._last[1]) >= depth:
            return self._last[1][:depth]
        denominators = [lcm(*(x.denominator for x in z)) for z in points]
        columns = [[x.numerator * (d // x.denominator) for x in z] for z, d in zip(points, denominators, strict=True)]
        below = fmpz_mat([list(row) for row in zip(*columns, strict=True)])
        exponent, sent = 0, []
        for layer in range(1, depth + 1):
            look()
            here = self._layer(layer)
            product = here.weights * below
            high, low = exponent + here.exponent, here.bias_exponent
            exponent = min(high, low)
            times, shift = 1 << (high - exponent), low - exponent
            flat, count = [int(x) for x in product.entries()], len(points)
            biases = [[(b << shift) * d for d in denominators] for b in here.bias]
            numbers = [
                [max(x * times + b, 0) for x, b in zip(flat[j * count : (j + 1) * count], row, strict=True)]
                for j, row in enumerate(biases)
            ]
            denominators = [d * here.denominator for d in denominators]
            sent.append(Values(numbers, exponent, denominators))
            below = fmpz_mat(numbers)
        self._last = points, sent
        return sent

    def _layer(self, layer: int) -> _Layer:
        if layer not in self._layers:
            here = self.net.layers[layer - 1]
            match here:
                case FloatAffine(weights, bias):
                    whole, exponent = integers(weights)
                    shifts, low = integers(bias)
                    self._layers[layer] = _Layer(fmpz_mat(whole.tolist()), exponent, shifts.tolist(), low)
                case RationalAffine(numbers, exponent, denominator):
                    matrix = fmpz_mat(numbers[:, :-1].tolist())
                    self._layers[layer] = _Layer(matrix, exponent, numbers[:, -1].tolist(), exponent, denominator)
                case _:
                    assert_never(here)
        return self._layers[layer]


def _bias(layer: FloatLayer) -> Vector:
    match layer:
        case FloatAffine(_, bias):
            return vector(bias.tolist())
        case RationalAffine(numbers, exponent, denominator):
            return tuple(Fraction(b) * Fraction(2) ** exponent / denominator for b in numbers[:, -1].tolist())
        case _:
            assert_never(layer)
