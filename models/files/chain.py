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
from proof_of_absence.models.rational import root
from proof_of_absence.models.reading import Reading
from proof_of_absence.models.steps import (
    UNBOUNDED,
    Added,
    Dense,
    Map,
    Op,
    Place,
    Quotient,
    Scale,
    Shift,
    Steps,
    float_of,
    maps_of,
    product,
    quotients,
)

__all__ = ["ONE", "Chain", "exact_array"]

ONE = Fraction(1)
# Maps in a row: the digits of their product grow with each.
MOST = 64
# Bytes of one product: divisors that have nothing in common make its numbers long.
LARGEST = 2**29

# Of variance + epsilon of a BatchNorm: then its root and one over it are at most 2^ROOT, else nothing is said of them.
LEAST, ROOT = Fraction(1, 2**64), 32

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
        # The operators since the last ReLU, innermost first, and the names of those that are maps of their own.
        self._ops: list[Op] = []
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
        dtype: np.dtype | None = None,
        factor: Fraction = ONE,
        lie: tuple[Place, ...] = (),
    ) -> None:
        """The map z -> weights z + bias, shapes (fan-out, fan-in) and (fan-out).

        Parameters
        ----------
        place, dtype, factor
            Where the weights lie in the source, as in `Dense`.
        added, lie
            What of the bias lies in the source, as in `Shift`.

        Raises
        ------
        InputError
            If it does not fit what is below it, or an entry is NaN or infinite.
        """
        if self._width not in (None, weights.shape[1]):
            raise self._refused(f"{name} reads {weights.shape[1]} values, {self._last} gives {self._width}")
        self._finite(weights, name)
        self._finite(bias, name)
        self._append(Dense(weights, place, dtype, factor), name)
        if added is not None or lie or bias.any():
            self._ops.append(Shift(_fractions(bias), added, lie))
        self._step(f"{name} {weights.shape[1]} -> {len(bias)}", name, len(bias))

    def shift(
        self,
        constant: np.ndarray | list[Fraction],
        name: str,
        added: Added | None = None,
        lie: tuple[Place, ...] = (),
    ) -> None:
        """The map z -> z + constant, as many numbers as z has; `added` and `lie` as in `Shift`.

        Raises
        ------
        InputError
            If an entry is NaN or infinite.
        """
        if isinstance(constant, np.ndarray):
            self._finite(constant, name)
            constant = _fractions(constant)
        if self._ops:
            last = self._ops[-1]
            self.multiplied = self.multiplied or (isinstance(last, Shift) and any(last.numbers))
            self._ops.append(Shift(constant, added, lie))
        else:
            self._append(Shift(constant, added, lie), name)
        self._step(name, name, len(constant))

    def scale(self, factors: list[Fraction], name: str, *, within: int = 0, lie: tuple[Place, ...] = ()) -> None:
        """The map z -> factors z, entry by entry; `within` and `lie` as in `Scale`."""
        self._append(Scale(factors, within, lie), name)
        self._step(name, name, len(factors))

    def normalise(
        self,
        mean: np.ndarray,
        variance: np.ndarray,
        epsilon: float,
        factor: np.ndarray,
        constant: np.ndarray,
        name: str,
        *,
        added: Added | None = None,
        lie: tuple[Place, ...] = (),
    ) -> None:
        """The map z -> factor (z - mean) / sqrt(variance + epsilon) + constant, of batch normalisation in use.

        Where factor / sqrt(variance + epsilon) is not rational, it is rounded to the digits of a float64, and a note
        says so; all else is exact. `added` is the constant as the source has it, and
        `lie` are the places of all four.

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
        roots = list(map(root, squares))
        self.shift(-mean, name)
        whole = zip(factor.tolist(), squares, roots, strict=True)
        factors = [Fraction(f) / r if r else _quotient(Fraction(f), square) for f, square, r in whole]
        plain = (variance >= 0).all() and all(LEAST <= square <= 1 / LEAST for square in squares)
        self.scale(factors, name, within=ROOT if plain else UNBOUNDED, lie=lie)
        self.shift(constant, name, added)
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
        if self._ops:
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
        if self._ops:
            layers = [*self._layers, self._layer()]
            steps = self._steps
        elif self._layers and self._width:
            layers = [*self._layers, FloatAffine(np.eye(self._width), np.zeros(self._width))]
            steps = [*self._steps, Steps((Dense(np.eye(self._width)),), self.dtype)]
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

    def _append(self, op: Op, name: str) -> None:
        """Take in an operator that is a map of its own: a shift behind another goes into the bias there."""
        if len(self._names) == MOST:
            raise self._refused(f"{name} is one of more than {MOST} affine maps with no Relu between them")
        self._ops.append(op)
        self._names.append(name)

    def _step(self, words: str, last: str, width: int | None) -> None:
        if self._words[-1:] != [words]:
            self._words.append(words)
        self._last, self._width = last, width

    def _layer(self) -> FloatLayer:
        """The maps since the last ReLU as one layer; they are then forgotten."""
        maps = maps_of(self._ops)
        names = " and ".join(dict.fromkeys([*self._names, self._last])) if len(maps) > 1 else self._last
        layer = _as_it_is(maps) or self._product(maps, names)
        match layer:
            case FloatAffine():
                self._widen(layer, names)
            case RationalAffine():
                self.notes.append(f"No float64 holds the exact product of {names}: that layer has rational entries.")
            case _:
                assert_never(layer)
        self._steps.append(Steps(tuple(self._ops), self.dtype))
        self._ops, self._names = [], []
        return layer

    def _product(self, maps: list[Map], names: str) -> FloatLayer:
        """The product of the maps, in floats where they hold it."""
        parts = list(map(quotients, maps))
        self._affordable(names, maps, parts)
        if len(maps) > 1:
            self.multiplied = True
            self.notes.append(f"Multiplied exactly into one layer: {names}.")
        try:
            return product(maps, parts)
        except ValueError as error:
            raise self._refused(f"of the exact product of {names} {error}; scale its layers") from error

    def _affordable(self, names: str, maps: list[Map], parts: list[Quotient]) -> None:
        """Refuse a product of too many digits before it is made."""
        first = maps[0][0]
        columns = first.shape[1] if isinstance(first, np.ndarray) else len(first)
        size = len(maps[-1][1]) * columns * sum(divisor.bit_length() for _, divisor in parts) // 8
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


def _as_it_is(maps: list[Map]) -> FloatAffine | None:
    """The one map as a layer, where it has weights, and floats hold its bias."""
    inner, bias = maps[0]
    if len(maps) > 1 or not isinstance(inner, np.ndarray):
        return None
    floats = [near for near in map(float_of, bias) if near is not None]
    return FloatAffine(inner, np.array(floats)) if len(floats) == len(bias) else None


def exact_array(values: Iterable[Fraction], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray | None:
    """The values as a float64 array, or None if one of them is no value of `dtype`."""
    result = [near for near in map(float_of, values) if near is not None]
    if len(result) != int(np.prod(shape)):
        return None
    array = np.array(result, dtype=np.float64).reshape(shape)
    with np.errstate(over="ignore"):
        return array if (array.astype(dtype) == array).all() else None


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
