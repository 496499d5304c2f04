"""A FloatNet built step by step, as a source lists its operators: affine maps, constants, ReLU.

What stands between two ReLUs is multiplied in rationals; a product that no float64 holds is a layer of rationals.
"""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from math import isqrt
from typing import assert_never

import numpy as np

from proof_of_absence.models.dyadic import MANTISSA
from proof_of_absence.models.files.disk import InputError, refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine
from proof_of_absence.models.reading import Reading
from proof_of_absence.models.steps import Added, Map, Place, Quotient, Steps, float_of, product, quotients

__all__ = ["Chain", "exact_array"]

# Maps in a row: the digits of their product grow with each.
MOST = 64
# Bytes of one product: divisors that have nothing in common make its numbers long.
LARGEST = 2**29

ROUNDED = (
    "BatchNorm is taken with scale / sqrt(variance + epsilon) rounded to the 53 digits of a float64: the root is "
    "not rational. That is off by at most 2^-53 of it; all else is exact. The running model rounds there too."
)


class Chain:
    """The steps of a net so far.

    Parameters
    ----------
    source
        What messages call the net, its path as a rule.
    dtype
        ``float32`` or ``float64``, the source's type. A net with a product that only float64 holds is of float64; one
        that float64 does not hold changes nothing.
    known_from
        As in `Reading`.

    Examples
    --------
    >>> chain = Chain("net", np.dtype("float32"))
    >>> chain.affine(np.array([[1.0, 2.0]]), np.array([0.5]), "first")
    >>> chain.affine(np.array([[3.0]]), np.array([1.0]), "second")
    >>> chain.net().layers[0]
    FloatAffine(weights=array([[3., 6.]]), bias=array([2.5]))
    """

    def __init__(self, source: object, dtype: np.dtype, known_from: str = "the graph"):
        self.source = source
        self.dtype = dtype
        self.known_from = known_from
        self.notes: list[str] = []
        self.cut = ""
        self.multiplied = False
        self._layers: list[FloatLayer] = []
        self._steps: list[Steps] = []
        # The maps since the last ReLU, innermost first, where the weights and the bias of each lie, and their names.
        self._maps: list[Map] = []
        self._lie: list[tuple[Place | None, Added | None]] = []
        self._names: list[str] = []
        self._words: list[str] = []
        self._last = "the input"
        self._width: int | None = None
        self._wide = False

    def affine(
        self,
        weights: np.ndarray,
        bias: np.ndarray,
        name: str,
        *,
        place: Place | None = None,
        added: Added | None = None,
    ) -> None:
        """The map z -> weights z + bias, shapes (fan-out, fan-in) and (fan-out).

        Parameters
        ----------
        place, added
            Where the weights lie in the source, and what of the bias does.

        Raises
        ------
        InputError
            If it does not fit what is below it, or an entry is NaN or infinite.
        """
        if self._width not in (None, weights.shape[1]):
            raise self._refused(f"{name} reads {weights.shape[1]} values, {self._last} gives {self._width}")
        self._finite(weights, name)
        self._finite(bias, name)
        self._append((weights, _fractions(bias)), name, place, added)
        self._step(f"{name} {weights.shape[1]} -> {len(bias)}", name, len(bias))

    def shift(self, constant: np.ndarray | list[Fraction], name: str, added: Added | None = None) -> None:
        """The map z -> z + constant, as many numbers as z has; `added` is the constant as the source has it.

        Raises
        ------
        InputError
            If an entry is NaN or infinite.
        """
        if isinstance(constant, np.ndarray):
            self._finite(constant, name)
            constant = _fractions(constant)
        numbers = constant
        if self._maps:
            inner, bias = self._maps[-1]
            self.multiplied = self.multiplied or any(bias)
            self._maps[-1] = inner, [b + c for b, c in zip(bias, numbers, strict=True)]
            place, there = self._lie[-1]
            self._lie[-1] = place, there or added
        else:
            self._append(([Fraction(1)] * len(numbers), numbers), name)
        self._step(name, name, len(numbers))

    def scale(self, factors: list[Fraction], name: str) -> None:
        """The map z -> factors z, entry by entry."""
        self._append((factors, [Fraction(0)] * len(factors)), name)
        self._step(name, name, len(factors))

    def normalise(
        self,
        mean: np.ndarray,
        variance: np.ndarray,
        epsilon: float,
        factor: np.ndarray,
        constant: np.ndarray,
        name: str,
    ) -> None:
        """The map z -> factor (z - mean) / sqrt(variance + epsilon) + constant, of batch normalisation in use.

        Where factor / sqrt(variance + epsilon) is not rational, it is rounded to the digits of a float64, and a note
        says so; all else is exact.

        Raises
        ------
        InputError
            If variance + epsilon is not positive, or an entry is NaN or infinite.
        """
        for values in (mean, variance, factor, constant):
            self._finite(values, name)
            if values.shape != mean.shape or self._width not in (None, len(values)):
                raise self._refused(f"{name} has {len(values)} numbers, {self._last} gives {self._width or len(mean)}")
        squares = [Fraction(v) + Fraction(epsilon) for v in variance.tolist()]
        if negative := [place for place, square in enumerate(squares) if square <= 0]:
            raise self._refused(f"{name} has a variance + epsilon that is not positive for feature {negative[0]}")
        roots = list(map(_root, squares))
        self.shift(-mean, name)
        whole = zip(factor.tolist(), squares, roots, strict=True)
        self.scale([Fraction(f) / root if root else _quotient(Fraction(f), square) for f, square, root in whole], name)
        self.shift(constant, name)
        if None in roots and ROUNDED not in self.notes:
            self.notes.append(ROUNDED)

    def same(self, name: str, note: str = "") -> None:
        """An operator that changes no value over the reals; `note` says so where it is not plain."""
        self._words.append(name)
        if note and note not in self.notes:
            self.notes.append(note)

    def relu(self, name: str) -> None:
        """The map z -> max(z, 0); a second one in a row changes nothing.

        Raises
        ------
        InputError
            If it is the first step, or the product of the maps before it is too large.
        """
        if self._maps:
            self._layers.append(self._layer())
        elif not self._layers:
            raise self._refused(f"{name} has no Gemm or MatMul between it and the input")
        self._step(name, name, self._width)

    def net(self) -> FloatNet:
        """The net; behind a ReLU at the end an output layer is put that changes nothing.

        Raises
        ------
        InputError
            If there is no step, the last product is too large, or a layer is empty.
        """
        if self._maps:
            layers = [*self._layers, self._layer()]
            steps = self._steps
        elif self._layers and self._width:
            layers = [*self._layers, FloatAffine(np.eye(self._width), np.zeros(self._width))]
            nothing = [Fraction(0)] * self._width
            steps = [*self._steps, Steps(((np.eye(self._width), nothing),), None, None, self.dtype)]
            self.notes.append(
                "The net ends with ReLU: an output layer that changes nothing (the identity) is put behind."
            )
        else:
            raise self._refused("the net holds no Gemm or MatMul")
        activation = "ReLU" if len(layers) > 1 else "nothing: it is one affine map"
        notes = tuple(self.notes)
        reading = Reading(tuple(self._words), activation, self.known_from, notes, self.cut, self.multiplied)
        multiplied = self.multiplied or not all(isinstance(layer, FloatAffine) for layer in layers)
        # Casts may have told of the type later.
        held = tuple(replace(step, dtype=self.dtype) for step in steps) if multiplied else None
        try:
            return FloatNet(layers, np.float64 if self._wide else self.dtype, reading, held)
        except ValueError as error:
            raise self._refused(error) from error

    def _append(self, one: Map, name: str, place: Place | None = None, added: Added | None = None) -> None:
        if len(self._maps) == MOST:
            raise self._refused(f"{name} is one of more than {MOST} affine maps with no Relu between them")
        self._maps.append(one)
        self._lie.append((place, added))
        self._names.append(name)

    def _step(self, words: str, last: str, width: int | None) -> None:
        if self._words[-1:] != [words]:
            self._words.append(words)
        self._last, self._width = last, width

    def _layer(self) -> FloatLayer:
        """The maps since the last ReLU as one layer; they are then forgotten."""
        names = " and ".join(dict.fromkeys([*self._names, self._last])) if len(self._maps) > 1 else self._last
        layer = self._as_it_is() or self._product(names)
        match layer:
            case FloatAffine():
                self._widen(layer, names)
            case RationalAffine():
                self.notes.append(f"No float64 holds the exact product of {names}: that layer has rational entries.")
            case _:
                assert_never(layer)
        dense = next((k for k, (inner, _) in enumerate(self._maps) if isinstance(inner, np.ndarray)), 0)
        self._steps.append(Steps(tuple(self._maps), *self._lie[dense], self.dtype))
        self._maps, self._lie, self._names = [], [], []
        return layer

    def _as_it_is(self) -> FloatAffine | None:
        """The one map as a layer, where it has weights, and floats hold its bias."""
        inner, bias = self._maps[0]
        if len(self._maps) > 1 or not isinstance(inner, np.ndarray):
            return None
        floats = [near for near in map(float_of, bias) if near is not None]
        return FloatAffine(inner, np.array(floats)) if len(floats) == len(bias) else None

    def _product(self, names: str) -> FloatLayer:
        """The product of the maps, in floats where they hold it."""
        parts = list(map(quotients, self._maps))
        self._affordable(names, parts)
        if len(self._maps) > 1:
            self.multiplied = True
            self.notes.append(f"Multiplied exactly into one layer: {names}.")
        try:
            return product(self._maps, parts)
        except ValueError as error:
            raise self._refused(f"of the exact product of {names} {error}; scale its layers") from error

    def _affordable(self, names: str, parts: list[Quotient]) -> None:
        """Refuse a product of too many digits before it is made."""
        first = self._maps[0][0]
        columns = first.shape[1] if isinstance(first, np.ndarray) else len(first)
        size = len(self._maps[-1][1]) * columns * sum(divisor.bit_length() for _, divisor in parts) // 8
        if size > LARGEST:
            raise self._refused(
                f"the exact product of {names} takes {size / 2**20:.0f} MiB, and {LARGEST / 2**20:.0f} are allowed; "
                "divide the data by these constants instead, or save one layer"
            )

    def _widen(self, layer: FloatAffine, names: str) -> None:
        """Go over to float64 where float32 does not hold the layer."""
        with np.errstate(over="ignore"):
            if self._wide or all((array.astype(self.dtype) == array).all() for array in layer):
                return
        self.notes.append(f"The product of {names} needs float64 to be exact: the net is taken as float64.")
        self._wide = True

    def _finite(self, values: np.ndarray, name: str) -> None:
        if not np.isfinite(values).all():
            raise self._refused(f"{name} holds NaN or infinity")

    def _refused(self, reason: object) -> InputError:
        return refused(self.source, reason)


def exact_array(values: Iterable[Fraction], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray | None:
    """The values as a float64 array, or None if one of them is no value of `dtype`."""
    result = [near for near in map(float_of, values) if near is not None]
    if len(result) != int(np.prod(shape)):
        return None
    array = np.array(result, dtype=np.float64).reshape(shape)
    with np.errstate(over="ignore"):
        return array if (array.astype(dtype) == array).all() else None


def _root(value: Fraction) -> Fraction | None:
    """The square root of a positive number, where it is rational."""
    if value <= 0:
        return None
    root = Fraction(isqrt(value.numerator), isqrt(value.denominator))
    return root if root * root == value else None


def _quotient(factor: Fraction, square: Fraction) -> Fraction:
    """The nearest number of MANTISSA digits to factor / sqrt(square), which is not rational unless it is 0."""
    wanted = factor * factor / square
    if not wanted:
        return Fraction(0)
    digits = 2 * MANTISSA
    while True:
        # root <= sqrt(wanted) 2^places < root + 1, of at least so many digits.
        places = digits + (wanted.denominator.bit_length() - wanted.numerator.bit_length()) // 2 + 1
        scaled = wanted * Fraction(4) ** places
        root = isqrt(scaled.numerator // scaled.denominator)
        low, high = _shortened(root), _shortened(root + 1)
        if low == high:
            return low / Fraction(2) ** places * (1 if factor > 0 else -1)
        digits *= 2


def _shortened(number: int) -> Fraction:
    """The nearest number of MANTISSA binary digits."""
    shift = max(number.bit_length() - MANTISSA, 0)
    return Fraction((number + (1 << shift >> 1)) >> shift << shift)


def _fractions(array: np.ndarray) -> list[Fraction]:
    return list(map(Fraction, array.tolist()))
