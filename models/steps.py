"""The operators of a file whose exact product is one layer, and how they give up some of their inputs.

Weights of the first map that has some become 0, and biases behind it take on a constant; all else stays as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import takewhile
from math import lcm
from typing import NamedTuple, TypeAlias, assert_never

import numpy as np
from flint import fmpz_mat

from proof_of_absence.models.dyadic import integers
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine
from proof_of_absence.models.rational import dot

__all__ = [
    "UNBOUNDED",
    "Added",
    "Dense",
    "Map",
    "Op",
    "Place",
    "Quotient",
    "Scale",
    "Shift",
    "Steps",
    "float_of",
    "maps_of",
    "nearest_of",
    "product",
    "quotients",
]

# z -> weights z + bias, or z -> factors z + bias entry by entry where there are no weights.
Map: TypeAlias = "tuple[np.ndarray | list[Fraction], list[Fraction]]"
# A matrix of Python integers, and the number by which each is to be divided.
Quotient: TypeAlias = tuple[np.ndarray, int]


# Of `Scale.within`: more than any float.
UNBOUNDED = 2048


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
    """An array of the source that is added, factor times: a number of `dtype` for each output, as float64."""

    place: Place
    numbers: np.ndarray
    dtype: np.dtype
    factor: Fraction = Fraction(1)


@dataclass(frozen=True, eq=False)
class Dense:
    """z -> weights z: float64, shape (fan-out, fan-in).

    `place` is where they lie in the source, if they do: factor times numbers of `dtype`, which is None where numpy has
    no such type.
    """

    weights: np.ndarray
    place: Place | None = None
    dtype: np.dtype | None = None
    factor: Fraction = Fraction(1)


@dataclass(frozen=True, eq=False)
class Shift:
    """z -> z + numbers; `added` is the array of the source that they come from, if it may be edited.

    `lie` are the places of arrays with a number for each output.
    """

    numbers: list[Fraction]
    added: Added | None = None
    lie: tuple[Place, ...] = ()


@dataclass(frozen=True, eq=False)
class Scale:
    """z -> factors z, entry by entry.

    Numbers on the way to a factor are at most 2^within, or 2^within times it: a BatchNorm's is a factor over a root.
    `lie` are the places of arrays with a number for each output.
    """

    factors: list[Fraction]
    within: int = 0
    lie: tuple[Place, ...] = ()


# The closed union of what a source lists between two ReLUs.
Op: TypeAlias = Dense | Shift | Scale


@dataclass(frozen=True, eq=False)
class Steps:
    """The operators of one layer, innermost first, exactly as the source has them.

    Parameters
    ----------
    ops
        At least one.
    dtype
        The type of the source.
    """

    ops: tuple[Op, ...]
    dtype: np.dtype

    @cached_property
    def dense(self) -> int:
        """The number of the first operator with weights; as many as there are operators if none has any."""
        return next((k for k, op in enumerate(self.ops) if isinstance(op, Dense)), len(self.ops))

    @property
    def unbounded(self) -> bool:
        """Whether nothing bounds the numbers on the way to some factor."""
        return any(isinstance(op, Scale) and op.within >= UNBOUNDED for op in self.ops)

    def matrix(self) -> np.ndarray:
        """The weights of the first operator that has some, shape (fan-out, fan-in); empty if there is none."""
        op = self.ops[self.dense] if self.dense < len(self.ops) else None
        return op.weights if isinstance(op, Dense) else np.zeros((0, 0))

    def layer(self) -> FloatLayer:
        """The product of the operators.

        Raises
        ------
        ValueError
            If an entry is beyond the normal float64 numbers.
        """
        maps = maps_of(self.ops)
        return product(maps, list(map(quotients, maps)))

    def same(self, other: "Steps") -> bool:
        """Whether the operators are equal, as numbers, wherever they lie."""
        return len(self.ops) == len(other.ops) and all(map(_same, self.ops, other.ops))

    def bits(self) -> list[bytes]:
        """The weights with the signs of those that are 0."""
        return [op.weights.tobytes() for op in self.ops if isinstance(op, Dense)]

    def without(
        self, units: Sequence[int], values: Sequence[Fraction], *, nearest: bool
    ) -> "tuple[Steps, bool] | None":
        """The same operators, but nothing is read from some inputs; what these send at the given values stays.

        It goes into the first bias behind that holds it, or partly into one and partly into the next.

        Parameters
        ----------
        units, values
            Inputs of the layer, and a value of each.
        nearest
            Whether a bias that its type does not hold is rounded to the nearest number.

        Returns
        -------
        The operators, and whether no bias was rounded; None if there is no such weight, no bias, or none that holds it.
        """
        first = self.ops[self.dense] if self.dense < len(self.ops) else None
        if not isinstance(first, Dense) or first.place is None:
            return None
        received = list(values)
        for op in self.ops[: self.dense]:
            match op:
                case Shift(numbers):
                    received = [v + numbers[j] for j, v in zip(units, received, strict=True)]
                case Scale(factors):
                    received = [v * factors[j] for j, v in zip(units, received, strict=True)]
                case Dense():
                    raise AssertionError("the first operator with weights")
                case _:
                    assert_never(op)
        weights = first.weights.copy()
        lost = [dot(map(Fraction, row), received) for row in weights[:, units].tolist()]
        # With its sign kept, 0 times a unit that is 0 is the very float that it was.
        weights[:, units] = np.copysign(0.0, weights[:, units])
        below, behind = (*self.ops[: self.dense], replace(first, weights=weights)), self.ops[self.dense + 1 :]
        for rounding in (False, True):
            ops, rest, unheld = _absorbed(behind, lost, rounding=rounding)
            if not any(rest):
                return replace(self, ops=(*below, *ops)), True
        return (replace(self, ops=(*below, *ops)), False) if nearest and not any(unheld) else None


def _same(one: Op, other: Op) -> bool:
    match one, other:
        case Dense(weights), Dense(others):
            return np.array_equal(weights, others)
        case Shift(numbers), Shift(others):
            return numbers == others
        case Scale(factors, within), Scale(others, beyond):
            return factors == others and within == beyond
        case _:
            return False


def _absorbed(
    ops: Iterable[Op], lost: list[Fraction], *, rounding: bool
) -> tuple[list[Op], list[Fraction], list[bool]]:
    """The operators whose biases take on what is lost before them, each entry in the first one that holds it.

    With `rounding` each bias takes on the nearest number, and the next one the rest. Then what is still missing at the
    end, and where it came by no bias at all.
    """
    found: list[Op] = []
    rest, unheld = lost, [bool(number) for number in lost]
    for op in ops:
        match op:
            case Dense(weights):
                if any(rest):
                    columns = [j for j, number in enumerate(rest) if number]
                    part, entries = [rest[j] for j in columns], weights[:, columns].tolist()
                    missing = [bool(unheld[j]) for j in columns]
                    rest = [dot(map(Fraction, row), part) for row in entries]
                    unheld = [any(w and m for w, m in zip(row, missing, strict=True)) for row in entries]
                else:
                    rest, unheld = [Fraction(0)] * len(weights), [False] * len(weights)
            case Scale(factors):
                rest = [factor * number for factor, number in zip(factors, rest, strict=True)]
                unheld = [bool(factor) and there for factor, there in zip(factors, unheld, strict=True)]
            case Shift(numbers, added):
                if added is not None:
                    taken, rest, unheld = _taken(numbers, added, rest, unheld, rounding=rounding)
                    op = replace(taken, lie=op.lie)
            case _:
                assert_never(op)
        found.append(op)
    return found, rest, unheld


def _taken(
    shift: list[Fraction], added: Added, rest: list[Fraction], unheld: list[bool], *, rounding: bool
) -> tuple[Shift, list[Fraction], list[bool]]:
    """The shift that takes on what it can, the rest, and where nothing was taken."""
    shift, numbers, rest, unheld = list(shift), added.numbers.copy(), list(rest), list(unheld)
    for k in (k for k, number in enumerate(rest) if number):
        old = Fraction(numbers[k])
        wanted = old + rest[k] / added.factor
        near = nearest_of(wanted, added.dtype)
        if near is not None and (rounding or Fraction(near) == wanted):
            moved = added.factor * (Fraction(near) - old)
            numbers[k], unheld[k] = near, False
            shift[k] += moved
            rest[k] -= moved
    return Shift(shift, replace(added, numbers=numbers)), rest, unheld


def maps_of(ops: Iterable[Op]) -> list[Map]:
    """The same as maps: a shift goes into the bias of the map before it."""
    maps: list[Map] = []
    for op in ops:
        match op:
            case Dense(weights):
                maps.append((weights, [Fraction(0)] * len(weights)))
            case Scale(factors):
                maps.append((factors, [Fraction(0)] * len(factors)))
            case Shift(numbers) if maps:
                inner, bias = maps[-1]
                maps[-1] = inner, [b + c for b, c in zip(bias, numbers, strict=True)]
            case Shift(numbers):
                maps.append(([Fraction(1)] * len(numbers), numbers))
            case _:
                assert_never(op)
    return maps


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


def nearest_of(value: Fraction, dtype: np.dtype) -> float | None:
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
