"""A graph in whole numbers of many digits with an error bound for each entry: where float64 has lost its digits.

A number is a sum of digits to the base 2^16, each of size 2^15 at most and kept as a float, so that products of
matrices of digits are exact in float64, in whatever order they are summed. What is cut off behind the last digit goes
into the radius. So many layers in a row, as those of batch normalisations are, cost digits and no exact arithmetic.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import isqrt, prod
from typing import NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.values.floats import Bounded, Floats
from proof_of_absence.checker.independent.values.graph_bounded import (
    BLOCK,
    FLOOR,
    clamped,
    convolved,
    one_rounded,
    pooled,
    walked,
)
from proof_of_absence.checker.independent.values.graphs import (
    AveragePool,
    Clip,
    Concat,
    Conv,
    Dense,
    Graph,
    Layer,
    LeakyRelu,
    MaxPool,
    Numbers,
    Rearrange,
    Scale,
    Shape,
    Sum,
    Window,
)
from proof_of_absence.checker.independent.values.rounding import UP

Truths = NDArray[np.bool_]
WIDTH = 16
BASE = 2.0**WIDTH
# Places of digits that are looked at, and products of digits that are summed in one float64.
PLACES, SUMMED = 56, 2**22
# A float that a number is rounded to is within that of it, relatively.
NEAR = 2.0**-48


class OutOfRange(ArithmeticError):
    """A number is too large or too small for digits, or a sum has too many terms."""


class Fixed(NamedTuple):
    """Numbers: the sum over j of digits[j] 2^(16 (top - j)); exact ones are within the radius of them.

    Shapes (digits, rows, *shape) and (rows, *shape).
    """

    digits: Floats
    top: int
    radius: Floats

    @property
    def last(self) -> int:
        """The place of the last digit."""
        return self.top - len(self.digits) + 1


class Constant(NamedTuple):
    """Numbers as digits (digits, *shape) that broadcasts, how far each may be off, and bounds of their sizes."""

    digits: Floats
    top: int
    off: Floats
    size: Floats


def sharp_rows(graph: Graph, count: int) -> int:
    """How many rows of so many digits fit a block."""
    return max(1, BLOCK // (graph.widest * count * 2))


def sharp(graph: Graph, inputs: Floats, wanted: Iterable[int], count: int) -> Iterator[tuple[int, Bounded]]:
    """The values of the wanted nodes at these rows (rows, size), as `bounded` has them, by way of so many digits.

    Raises
    ------
    OutOfRange
        If digits do not hold them.
    """
    rows = graph.inputs(inputs)

    def step(layer: Layer, below: list[Fixed], shape: Shape) -> Fixed:
        return _of_layer(layer, below, shape, count)

    with np.errstate(all="ignore"):
        first = _carried(*of_floats(rows, 2 * count), count)
        for number, found in walked(graph, first, wanted, step):
            value, radius = _near(found)
            yield number, Bounded(value.reshape(len(rows), -1), radius.reshape(len(rows), -1))


def of_floats(numbers: Floats, most: int) -> tuple[Floats, int, Floats]:
    """At most so many digits of floats, the place of the first one, and the size of what is left."""
    largest = float(np.abs(numbers).max(initial=0))
    top = int(np.ceil((np.frexp(largest)[1] + 1) / WIDTH)) if largest else 0
    _require(abs(top) <= PLACES)
    rest, digits = numbers.copy(), []
    for place in range(top, max(top - most, -PLACES - 1), -1):
        # Exact: a float without its first digit is a float.
        digit = np.rint(rest / 2.0 ** (WIDTH * place))
        rest -= digit * 2.0 ** (WIDTH * place)
        digits.append(digit)
        if not rest.any():
            break
    return np.stack(digits), top, np.abs(rest)


def constant(numbers: Numbers, count: int, radicand: Numbers | None = None) -> Constant:
    """So many digits of rationals, times roots of positive integers."""
    values = numbers.reshape(-1).tolist()
    roots = [1] * len(values) if radicand is None else np.broadcast_to(radicand, numbers.shape).reshape(-1).tolist()
    squares = [x * x * m for x, m in zip(values, roots, strict=True)]
    # The square of a number is less than 2^bits.
    bits = max([s.numerator.bit_length() - s.denominator.bit_length() + 1 for s in squares if s], default=0)
    top = -(-(bits // 2 + 2) // WIDTH)
    behind = WIDTH * (count - 1 - top)
    whole, off = [], []
    for x, m, square in zip(values, roots, squares, strict=True):
        if m == 1:
            number = x * 2**behind if behind >= 0 else x / 2**-behind
            whole.append(number.__floor__())
            off.append(number.denominator != 1)
        else:
            scaled = square * 4**behind if behind >= 0 else square / 4**-behind
            root = isqrt(scaled.__floor__())
            whole.append(root if x > 0 else -root)
            off.append(x != 0)
    _require(abs(top) <= PLACES and abs(top - count) <= PLACES)
    unit = 2.0**-behind
    left, digits = np.array([*whole, 0], dtype=object)[:-1], list[Floats]()
    for _ in range(count):
        digit = (left + 2 ** (WIDTH - 1)) % 2**WIDTH - 2 ** (WIDTH - 1)
        left = (left - digit) // 2**WIDTH
        digits.append(digit.astype(np.float64).reshape(numbers.shape))
    _require(not left.any())
    digits.reverse()
    inexact = np.where(np.array(off, dtype=bool), unit, 0.0).reshape(numbers.shape)
    found = np.stack(digits)
    value = np.abs(_rounded(found, top)[0])
    return Constant(found, top, inexact, np.where((value != 0) | (inexact != 0), value * UP + inexact + FLOOR, 0))


def _of_layer(layer: Layer, below: list[Fixed], shape: Shape, count: int) -> Fixed:
    first = below[0]
    rows = first.digits.shape[1]
    match layer:
        case Dense() | Conv():
            return _linear(layer, first, shape, count)
        case AveragePool(window=window, divisors=divisors):
            ends = (rows, *shape)
            stacked = _stacked(first)
            total = pooled(window, stacked, np.zeros((len(stacked), *shape)), np.add).reshape(-1, *ends)
            radius = pooled(window, _least(first.radius), np.zeros(ends), np.add) * UP
            shares = np.array([Fraction(1, n) for n in divisors.reshape(-1).tolist()], dtype=object)
            whole = _carried(total, first.top, radius, count + 1)
            return _times(whole, constant(shares.reshape(divisors.shape), count + 1), count)
        case MaxPool(window=window):
            return _greatest(window, first, shape)
        case Scale(gain=gain, moved=moved, radicand=radicand, shift=shift):
            product = _times(first, constant(gain, count + 1, radicand), count + 1)
            parts = [constant(moved, count + 1, radicand), constant(shift, count + 1)]
            return _sum([product, *(_spread_out(one, rows, shape) for one in parts)], count)
        case LeakyRelu(slope=slope):
            steep = constant(np.array([slope], dtype=object), count + 1)
            other = _times(first, steep, count)
            value, off = _near(first)
            radius = np.maximum(first.radius, other.radius)
            radius = np.where(value > off, first.radius, np.where(value < -off, other.radius, radius))
            return _chosen(_sign(first.digits) >= 0, first, other, radius)
        case Clip(low=low, high=high):
            for bound, side in ((low, 1), (high, -1)):
                if bound is not None:
                    edge = _spread_out(constant(np.array([bound], dtype=object), count), rows, shape)
                    first = _cut(first, edge, one_rounded(bound), side)
            return first
        case Sum(signs=signs):
            signed = [Fixed(one.digits * sign, one.top, one.radius) for sign, one in zip(signs, below, strict=True)]
            return _sum(signed, count)
        case Concat(axis=axis):
            digits, top = _aligned(below)
            radius = np.concatenate([one.radius for one in below], axis=axis + 1)
            return Fixed(np.concatenate(digits, axis=axis + 2), top, radius)
        case Rearrange(index=index, fill=fill):
            own = _spread_out(constant(np.array([fill], dtype=object), count), rows, shape)
            flat = Fixed(
                first.digits.reshape(len(first.digits), rows, -1)[:, :, index],
                first.top,
                first.radius.reshape(rows, -1)[:, index],
            )
            there = np.broadcast_to(index >= 0, (rows, *shape))
            return _chosen(there, flat, own, np.where(there, flat.radius, own.radius)) if not there.all() else flat
        case _:
            assert_never(layer)


def _linear(layer: Dense | Conv, below: Fixed, shape: Shape, count: int) -> Fixed:
    rows, terms = below.digits.shape[1], prod(layer.weights.shape[1:])
    weights, place, left = of_floats(layer.weights, count + 2)
    biases, own_top, own_left = of_floats(layer.bias, 2 * count)
    _require(terms * min(len(weights), len(below.digits)) <= SUMMED)
    stacked = _stacked(below)
    total = np.zeros((len(below.digits) + len(weights) - 1, rows, *shape))
    for k, some in enumerate(weights):
        if some.any():
            part = _product(layer, some, stacked, shape)
            total[k : k + len(below.digits)] += part.reshape(-1, rows, *shape)
    radius = _product(layer, clamped(layer.weights), _least(below.radius), shape)
    if left.any():
        radius = radius + _product(layer, clamped(left), _least(_sizes(below)), shape)
    along = (-1, *(1 for _ in shape[1:])) if isinstance(layer, Conv) else (-1,)
    bias = Constant(biases.reshape(len(biases), *along), own_top, own_left.reshape(along), np.zeros(1))
    product = Fixed(total, below.top + place, radius * UP)
    return _sum([product, _spread_out(bias, rows, shape)], count)


def _product(layer: Dense | Conv, weights: Floats, value: Floats, shape: Shape) -> Floats:
    if isinstance(layer, Conv):
        return convolved(layer, weights, value, (len(value), *shape))
    return (value.reshape(-1, value.shape[-1]) @ weights.T).reshape(len(value), *shape)


def _stacked(value: Fixed) -> Floats:
    """The digits one under the other, as rows."""
    return value.digits.reshape(-1, *value.digits.shape[2:])


def _times(value: Fixed, by: Constant, count: int) -> Fixed:
    """Entry by entry."""
    size = len(value.digits)
    _require(min(size, len(by.digits)) <= SUMMED)
    total = np.zeros((size + len(by.digits) - 1, *value.digits.shape[1:]))
    for k, some in enumerate(by.digits):
        if some.any():
            total[k : k + size] += value.digits * some
    radius = by.size * _least(value.radius)
    if by.off.any():
        radius = radius + by.off * _least(_sizes(value))
    return _carried(total, value.top + by.top, radius * UP, count)


def _sum(parts: Sequence[Fixed], count: int) -> Fixed:
    digits, top = _aligned(parts)
    radius = sum((one.radius for one in parts[1:]), start=parts[0].radius)
    return _carried(sum(digits[1:], start=digits[0]), top, radius * UP if len(parts) > 1 else radius, count)


def _aligned(parts: Sequence[Fixed]) -> tuple[list[Floats], int]:
    """The digits of all from one place to another, and the first place."""
    top, last = max(one.top for one in parts), min(one.last for one in parts)
    found = []
    for one in parts:
        wide = np.zeros((top - last + 1, *one.digits.shape[1:]))
        wide[top - one.top : top - one.last + 1] = one.digits
        found.append(wide)
    return found, top


def _spread_out(one: Constant, rows: int, shape: Shape) -> Fixed:
    own, count = one.off.shape, len(one.digits)
    digits = one.digits.reshape(count, 1, *(1 for _ in shape[len(own) :]), *own)
    return Fixed(np.broadcast_to(digits, (count, rows, *shape)), one.top, np.broadcast_to(one.off, (rows, *shape)))


def _carried(digits: Floats, top: int, radius: Floats, count: int) -> Fixed:
    """The same numbers in digits of size 2^15 at most, as many as wanted: what is behind goes into the radius.

    Whole numbers below 2^53 in size may be given for digits.
    """
    found, carry = list[Floats](), np.zeros(digits.shape[1:])
    for one in digits[::-1]:
        total = one + carry
        carry = np.rint(total / BASE)
        found.append(total - carry * BASE)
    while carry.any():
        total, carry = carry, np.rint(carry / BASE)
        found.append(total - carry * BASE)
        top += 1
    found.reverse()
    while len(found) > 1 and not found[0].any():
        top -= 1
        del found[0]
    lost, found = found[count:], found[:count]
    while len(found) > 1 and not found[-1].any():
        found.pop()
    _require(top <= PLACES and top - count >= -PLACES)
    behind = np.zeros(radius.shape, dtype=bool)
    for one in lost:
        behind |= one != 0
    if behind.any():
        radius = (radius + np.where(behind, 2.0 ** (WIDTH * (top - count + 1)), 0)) * UP
    _require(bool(np.isfinite(radius).all()))
    return Fixed(np.stack(found), top, radius)


def _sign(digits: Floats) -> Floats:
    """The sign of numbers in digits of size 2^15 at most: that of the first digit that is not 0."""
    found = np.zeros(digits.shape[1:])
    for one in digits:
        found = np.where(found == 0, np.sign(one), found)
    return found


def _above(one: Floats, other: Floats) -> Floats:
    """The sign of the differences of digits from the same place on."""
    return _sign(_carried(one - other, 0, np.zeros(one.shape[1:]), len(one) + 1).digits)


def _chosen(mask: Truths, one: Fixed, other: Fixed, radius: Floats) -> Fixed:
    (left, right), top = _aligned([one, other])
    return Fixed(np.where(mask, left, right), top, radius)


def _cut(value: Fixed, bound: Fixed, rounded: tuple[float, float], side: int) -> Fixed:
    """The greater of both, or for side -1 the less; the bound where the value is surely beyond it."""
    (left, right), _ = _aligned([value, bound])
    near, off = _near(value)
    end, apart = rounded
    beyond = side * (end - near) >= (off + apart) * UP
    radius = np.where(beyond, bound.radius, np.maximum(value.radius, bound.radius))
    return _chosen(_above(left, right) * side >= 0, value, bound, radius)


def _greatest(window: Window, value: Fixed, shape: Shape) -> Fixed:
    """Of each channel the greatest entry that a position reads."""
    count, rows = value.digits.shape[:2]
    best, met = np.zeros((count, rows, *shape)), np.zeros((rows, *shape), dtype=bool)
    every = (slice(None), slice(None))
    for _, positions, entries in window.offsets(value.radius.shape[2:]):
        there, here = (*every, *positions), (*every, *entries)
        own, held = value.digits[(slice(None), *here)], best[(slice(None), *there)]
        best[(slice(None), *there)] = np.where(~met[there] | (_above(own, held) > 0), own, held)
        met[there] = True
    radius = pooled(window, value.radius, np.zeros((rows, *shape)), np.maximum)
    return Fixed(best, value.top, radius)


def _near(value: Fixed) -> tuple[Floats, Floats]:
    """The nearest floats, about, and how far the numbers themselves may be from these."""
    near, exact = _rounded(value.digits, value.top)
    radius = np.where(exact, value.radius, (value.radius + NEAR * np.abs(near)) * UP)
    return near, radius


def _rounded(digits: Floats, top: int) -> tuple[Floats, Truths]:
    """Floats within NEAR of numbers in digits, relatively, and where they are the numbers themselves."""
    near, exact = np.zeros(digits.shape[1:]), np.ones(digits.shape[1:], dtype=bool)
    for j in range(len(digits) - 1, -1, -1):
        digit = digits[j] * 2.0 ** (WIDTH * (top - j))
        total = near + digit
        # What a sum of floats leaves over (Knuth's two-sum).
        part = total - near
        exact &= (near - (total - part)) + (digit - part) == 0
        near = total
    return near, exact


def _sizes(value: Fixed) -> Floats:
    near, radius = _near(value)
    return (np.abs(near) + radius) * UP


def _least(radius: Floats) -> Floats:
    """Bounds of which none but 0 is so small that a product underflows."""
    return np.where(radius != 0, np.maximum(radius, FLOOR), 0)


def _require(fits: bool) -> None:
    if not fits:
        raise OutOfRange
