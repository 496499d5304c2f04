"""The operators that a file lists for one layer, innermost first: that their product is it, and their sizes in float32.

A framework rounds between them. Operators are matrices, shifts, and scales, entry by entry.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from math import lcm
from typing import NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values.rounding import UP, U

_KEY = re.compile(r"(dense|shift|scale|within)_([1-9][0-9]*)_([1-9][0-9]*)")
_HEX = re.compile(rb"(-?)([0-9a-f]+)(?:/([0-9a-f]+))?")
# Roundings that an entry takes part in: beside those of the products and sums of a matrix, of a shift, and of a scale.
# A scale may be that of a BatchNorm: of variance, epsilon, their sum, its root, a quotient, a product, and with the
# value; a ninth is that of the root to 53 digits, and three are to spare.
MATRIX, SHIFT, SCALE = 4, 3, 12
# Operations that may flush a number to 0, of an operator, for an entry.
FLUSHED = 64.0

Floats = NDArray[np.float64]


class Dense(NamedTuple):
    """z -> weights z."""

    weights: Floats


class Shift(NamedTuple):
    """z -> z + numbers."""

    numbers: list[Fraction]


class Scale(NamedTuple):
    """z -> factors z, entry by entry; what stands on the way to a factor is at most 2^within times it, or 2^within."""

    factors: list[Fraction]
    within: int


Op = Dense | Shift | Scale
Ops = list[Op]


class Sizes(NamedTuple):
    """What bounds every evaluation of a layer's operators at x: each entry is a sum of products of their entries.

    `absolute` |x| + `bias` is the sum of the sizes of these, `wide` max(1, |x|) + `wide_bias` that with every factor
    less than 1 taken as 1. Each product takes part in `roundings` roundings at most. All round up.
    """

    absolute: Floats
    bias: Floats
    roundings: int
    wide: Floats
    wide_bias: Floats
    operators: int


def steps_in(floats: Mapping[str, Floats], texts: Mapping[str, object]) -> tuple[dict[int, Ops], set[str]]:
    """The operators of each layer that the arrays hold, and the names of these arrays."""
    used = {name: match for name in (*floats, *texts) if (match := _KEY.fullmatch(name))}
    found: dict[int, dict[int, Op]] = {}
    for name, match in used.items():
        kind, layer, place = match[1], int(match[2]), int(match[3])
        if kind == "within":
            require(f"scale_{layer}_{place}" in texts, "an operator is missing")
            continue
        require(place not in found.setdefault(layer, {}), "two operators have one place")
        found[layer][place] = _op(kind, floats.get(name), texts, name)
    for ops in found.values():
        require(sorted(ops) == list(range(1, len(ops) + 1)), "an operator is missing")
    return {layer: [ops[place] for place in sorted(ops)] for layer, ops in found.items()}, set(used)


def _op(kind: str, array: Floats | None, texts: Mapping[str, object], name: str) -> Op:
    if kind == "dense":
        require(array is not None and array.ndim == 2 and array.size, "a matrix is none")
        assert array is not None
        return Dense(array)
    text = texts.get(name)
    require(isinstance(text, np.ndarray) and text.ndim == 1 and text.size, "numbers of an operator are none")
    assert isinstance(text, np.ndarray)
    numbers = [_number(entry) for entry in pausing(text.tolist())]
    if kind == "shift":
        return Shift(numbers)
    within = texts.get(name.replace("scale", "within"))
    require(isinstance(within, np.ndarray) and not within.ndim, "a scale does not say what is on the way to it")
    assert isinstance(within, np.ndarray)
    power = _number(within.item())
    require(power.denominator == 1 and 0 <= power <= 4096, "a scale does not say what is on the way to it")
    return Scale(numbers, int(power))


def _number(text: object) -> Fraction:
    match = _HEX.fullmatch(text) if isinstance(text, bytes) else None
    if match is None:
        raise Refused(f"{str(text)[:40]!r} is not a hexadecimal rational")
    bottom = int(match[3] or b"1", 16)
    require(bottom, "division by zero")
    return Fraction((-1 if match[1] else 1) * int(match[2], 16), bottom)


def require_product(ops: Ops, rows: list[list[Fraction]], number: int) -> None:
    """Refuse unless the operators multiply to a layer: for each unit its weights, and its bias last."""
    outputs, inputs = len(rows), len(rows[0]) - 1
    matrix, below = _product(ops, inputs)
    require(len(matrix) == outputs, f"the operators of layer {number} have another width")
    for row, stated in pausing(zip(matrix, rows, strict=True)):
        same = len(row) == len(stated) and all(m == x * below for m, x in zip(row, stated, strict=True))
        require(same, f"the operators of layer {number} do not multiply to it")


def _product(ops: Ops, inputs: int) -> tuple[NDArray[np.object_], int]:
    """Integers (rows, inputs + 1) over a divisor: the weights, and in the last column the bias."""
    # Until a matrix comes, the diagonal alone.
    diagonal, shift, below = [1] * inputs, [0] * inputs, 1
    whole: NDArray[np.object_] | None = None
    for op in pausing(ops):
        width = inputs if whole is None else len(whole)
        require(_reads(op) == width, "an operator does not fit the one below")
        match op:
            case Dense(weights):
                numbers, divisor = _integers(weights)
                if whole is None:
                    columns = numbers * np.array(diagonal, dtype=object)
                    whole = np.column_stack([columns, numbers.dot(np.array(shift, dtype=object))])
                else:
                    whole = numbers.dot(whole)
            case Scale(factors, _):
                divisor = lcm(*(factor.denominator for factor in factors))
                scales = [int(factor * divisor) for factor in factors]
                if whole is None:
                    diagonal = [a * b for a, b in zip(diagonal, scales, strict=True)]
                    shift = [a * b for a, b in zip(shift, scales, strict=True)]
                else:
                    whole = whole * np.array(scales, dtype=object)[:, None]
            case Shift(moved):
                divisor = lcm(*(number.denominator for number in moved))
                added = [int(number * divisor) * below for number in moved]
                if whole is None:
                    diagonal = [a * divisor for a in diagonal]
                    shift = [a * divisor + b for a, b in zip(shift, added, strict=True)]
                else:
                    whole = whole * divisor
                    whole[:, -1] += np.array(added, dtype=object)
            case _:
                assert_never(op)
        below *= divisor
    if whole is None:
        whole = np.column_stack([np.diag(np.array(diagonal, dtype=object)), np.array(shift, dtype=object)])
    return whole, below


def _reads(op: Op) -> int:
    match op:
        case Dense(weights):
            return int(weights.shape[1])
        case Shift(numbers):
            return len(numbers)
        case Scale(factors, _):
            return len(factors)
        case _:
            assert_never(op)


def _integers(weights: Floats) -> tuple[NDArray[np.object_], int]:
    exact = [[float(w).as_integer_ratio() for w in row] for row in weights.tolist()]
    divisor = max(bottom for row in exact for _, bottom in row)
    return np.array([[top * (divisor // bottom) for top, bottom in row] for row in exact], dtype=object), divisor


def sizes(ops: Ops, inputs: int) -> Sizes:
    """The sizes of a layer's operators that read so many inputs; infinite where float64 overflows."""
    absolute, bias = np.eye(inputs), np.zeros(inputs)
    wide, wide_bias = np.ones(inputs), np.zeros(inputs)
    roundings = 0
    with np.errstate(all="ignore"):
        for op in pausing(ops):
            match op:
                case Dense(weights):
                    size = np.abs(weights)
                    absolute, bias = (size @ absolute) * UP, (size @ bias) * UP
                    padded = np.maximum(size, 1)
                    wide, wide_bias = (padded @ wide) * UP, (padded @ wide_bias) * UP
                    roundings += weights.shape[1] + MATRIX
                case Scale(factors, within):
                    size = _sizes(factors)
                    absolute, bias = size[:, None] * absolute * UP, size * bias * UP
                    padded = np.maximum(size, 1) * np.ldexp(1.0, within)
                    wide, wide_bias = padded * wide * UP, padded * wide_bias * UP
                    roundings += SCALE
                case Shift(numbers):
                    size = _sizes(numbers)
                    bias = (bias + size) * UP
                    wide_bias = (wide_bias + np.maximum(size, 1)) * UP
                    roundings += SHIFT
                case _:
                    assert_never(op)
    return Sizes(absolute, bias, roundings, wide, wide_bias, len(ops))


def _sizes(numbers: list[Fraction]) -> Floats:
    """Floats that are no less than the sizes of the numbers."""
    found = []
    for number in numbers:
        try:
            found.append(abs(float(number)) * (1 + 4 * U))
        except OverflowError:
            found.append(np.inf)
    return np.array(found)
