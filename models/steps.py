"""The affine maps of a file whose exact product is one layer, and what of them can be edited in the file.

Weights of the first map that has some become 0, and the bias beside it takes on a constant; all else stays as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import takewhile
from math import lcm
from typing import NamedTuple, TypeAlias

import numpy as np
from flint import fmpz_mat

from proof_of_absence.models.dyadic import integers
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine
from proof_of_absence.models.rational import dot

__all__ = ["Added", "Edits", "Map", "Place", "Quotient", "Steps", "edited", "float_of", "product", "quotients"]

# z -> weights z + bias, or z -> factors z + bias entry by entry where there are no weights.
Map: TypeAlias = "tuple[np.ndarray | list[Fraction], list[Fraction]]"
# A matrix of Python integers, and the number by which each is to be divided.
Quotient: TypeAlias = tuple[np.ndarray, int]


class Place(NamedTuple):
    """Where an array lies in its source: what is called `owner`, which of its operands, and the shape there.

    `inputs` is the axis of weights along which the inputs are.
    """

    owner: str
    operand: int
    shape: tuple[int, ...]
    inputs: int = 1


@dataclass(frozen=True, eq=False)
class Added:
    """An array of the source that a map adds, factor times: a number of `dtype` for each output, as float64."""

    place: Place
    numbers: np.ndarray
    dtype: np.dtype
    factor: Fraction = Fraction(1)


@dataclass(frozen=True, eq=False)
class Steps:
    """The maps of one layer, innermost first.

    Parameters
    ----------
    maps
        As the source has them, exactly.
    weights
        Where the weights of the first map with some lie; None if no map has weights of the source.
    bias
        What that map adds; None if it adds nothing of a number for each output.
    dtype
        The type of the source.
    """

    maps: tuple[Map, ...]
    weights: Place | None
    bias: Added | None
    dtype: np.dtype

    @property
    def dense(self) -> int:
        """The number of the first map with weights; as many as there are maps if none has any."""
        return next((k for k, (inner, _) in enumerate(self.maps) if isinstance(inner, np.ndarray)), len(self.maps))

    def matrix(self) -> np.ndarray:
        """The weights of the first map that has some, shape (fan-out, fan-in); empty if there is none."""
        inner = self.maps[self.dense][0] if self.dense < len(self.maps) else None
        return inner if isinstance(inner, np.ndarray) else np.zeros((0, 0))

    def layer(self) -> FloatLayer:
        """The product of the maps.

        Raises
        ------
        ValueError
            If an entry is beyond the normal float64 numbers.
        """
        return product(self.maps, list(map(quotients, self.maps)))

    def without(
        self, units: Sequence[int], values: Sequence[Fraction], *, nearest: bool
    ) -> "tuple[Steps, bool] | None":
        """The same maps, but nothing is read from some inputs; what these send at the given values stays.

        Parameters
        ----------
        units, values
            Inputs of the layer, and a value of each.
        nearest
            Whether a bias that its type does not hold is rounded to the nearest number.

        Returns
        -------
        The maps, and whether no bias was rounded; None if there is no such weight, no bias, or none that holds it.
        """
        if self.weights is None:
            return None
        weights, maps = self.matrix().copy(), list(self.maps)
        received = list(values)
        for inner, shift in maps[: self.dense]:
            # Below the first weights there are factors alone.
            received = [Fraction(inner[j]) * v + shift[j] for j, v in zip(units, received, strict=True)]
        lost = [dot(map(Fraction, row), received) for row in weights[:, units].tolist()]
        # With its sign kept, 0 times a unit that is 0 is the very float that it was.
        weights[:, units] = np.copysign(0.0, weights[:, units])
        bias, added, whole = list(maps[self.dense][1]), self.bias, True
        if any(lost):
            if added is None:
                return None
            numbers = added.numbers.copy()
            for k in (k for k, number in enumerate(lost) if number):
                wanted = Fraction(numbers[k]) + lost[k] / added.factor
                near = _nearest(wanted, added.dtype)
                if near is None or not (nearest or Fraction(near) == wanted):
                    return None
                whole = whole and Fraction(near) == wanted
                bias[k] += added.factor * (Fraction(near) - Fraction(numbers[k]))
                numbers[k] = near
            added = replace(added, numbers=numbers)
        maps[self.dense] = weights, bias
        return replace(self, maps=tuple(maps), bias=added), whole


# What is done to the array that lies at a place, as float64 of the shape there.
Edits: TypeAlias = dict[Place, Callable[[np.ndarray], np.ndarray]]


def edited(before: Sequence[Steps], after: Sequence[Steps]) -> Edits | None:
    """What makes of a source of the one steps that of the others; None if more differs than it can say."""
    found: Edits = {}
    for one, other in zip(before, after, strict=True):
        old, new = one.matrix(), other.matrix()
        if one.weights != other.weights or old.shape != new.shape:
            return None
        cut = np.flatnonzero((old != new).any(axis=0))
        if new[:, cut].any():
            return None
        if cut.size and one.weights:
            found[one.weights] = partial(_cut, axis=one.weights.inputs, inputs=cut)
        if one.bias and other.bias and not np.array_equal(one.bias.numbers, other.bias.numbers):
            found[one.bias.place] = partial(_replaced, numbers=other.bias.numbers)
    return found


def _cut(array: np.ndarray, *, axis: int, inputs: np.ndarray) -> np.ndarray:
    result = array.copy()
    part = (slice(None), inputs) if axis else (inputs, slice(None))
    result[part] = np.copysign(0.0, result[part])
    return result


def _replaced(array: np.ndarray, *, numbers: np.ndarray) -> np.ndarray:
    return numbers.reshape(array.shape)


def product(maps: Sequence[Map], parts: Sequence[Quotient]) -> FloatLayer:
    """The product of the maps, whose `quotients` are given: in floats where they hold it.

    Raises
    ------
    ValueError
        If an entry is beyond the normal float64 numbers.
    """
    whole, divisor = _whole(maps, parts)
    entries = (Fraction(int(entry), divisor) for entry in whole.ravel())
    floats = list(takewhile(lambda near: near is not None, map(float_of, entries)))
    if len(floats) == whole.size:
        near = np.array(floats, dtype=np.float64).reshape(whole.shape)
        return FloatAffine(near[:, :-1], near[:, -1])
    return RationalAffine.of(whole, divisor)


def quotients(one: Map) -> Quotient:
    """(W b), or the factors and the bias as two rows, over one divisor."""
    inner, bias = one
    if isinstance(inner, np.ndarray):
        numbers, exponent = integers(inner)
        divisor = lcm(2 ** max(0, -exponent), *(b.denominator for b in bias))
        scale = divisor * Fraction(2) ** exponent
        right = np.array([int(b * divisor) for b in bias], dtype=object)
        return np.column_stack([numbers * int(scale), right]), divisor
    divisor = lcm(*(number.denominator for number in (*inner, *bias)))
    return np.array([[int(number * divisor) for number in row] for row in (inner, bias)], dtype=object), divisor


def float_of(value: Fraction) -> float | None:
    """The float64 that is the value, if there is one."""
    try:
        near = float(value)
    except OverflowError:
        return None
    return near if Fraction(near) == value else None


def _nearest(value: Fraction, dtype: np.dtype) -> float | None:
    """A nearest number of the type, rounded twice at most; None beyond its range."""
    try:
        with np.errstate(over="ignore"):
            near = float(dtype.type(float(value)))
    except OverflowError:
        return None
    return near if np.isfinite(near) else None


def _whole(maps: Sequence[Map], parts: Sequence[Quotient]) -> Quotient:
    """The product of all maps as (W b)."""
    first, *rest = zip((isinstance(inner, np.ndarray) for inner, _ in maps), parts, strict=True)
    dense, (result, divisor) = first
    for matrix, (numbers, below) in rest:
        if matrix:
            weights, bias = numbers[:, :-1], numbers[:, -1]
            # Factors and a shift below go into the columns.
            left = _times(weights, result) if dense else np.column_stack([weights * result[0], weights @ result[1]])
            result, dense = left, True
        else:
            factors, bias = numbers
            result = result * factors[:, None] if dense else result * factors
        if dense:
            result[:, -1] += bias * divisor
        else:
            result[1] += bias * divisor
        divisor *= below
    return (result if dense else np.column_stack([np.diag(result[0]), result[1]])), divisor


def _times(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A product of matrices of integers."""
    result = _flint(left) * _flint(right)
    return np.array(list(map(int, result.entries())), dtype=object).reshape(len(left), -1)


def _flint(matrix: np.ndarray) -> fmpz_mat:
    rows, columns = matrix.shape
    return fmpz_mat(rows, columns, matrix.ravel().tolist())
