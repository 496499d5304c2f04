"""Exact forward passes of float networks: numbers in digits of base 2^p, products of digits by BLAS, which rounds none.

Error-free splitting (Ozaki, Ogita, Oishi, Rump, Numerical Algorithms 59, 2012) on one fixed grid, and carries in int64.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import TypeAlias, assert_never
from weakref import WeakKeyDictionary

import numpy as np

from proof_of_absence.checker.numbers.deadline import look, looking
from proof_of_absence.models.dyadic import MANTISSA, integers, mantissas
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine, nonzero, some_units

__all__ = [
    "Digits",
    "activations",
    "affine",
    "blocks",
    "denominator",
    "digit_width",
    "split",
    "split_integers",
    "weight_slices",
]

# So many integers of 53 bits may meet in one int64.
MEET = 2**9
# Entries of the widest layer in one block, so that memory is that times the digits, and rows at most.
ENTRIES = 2**19
BLOCK = 2048

# The digits of layers of Python integers, which take long to find, as long as there is the layer.
_KEPT: "WeakKeyDictionary[RationalAffine, dict[int, dict[int, np.ndarray]]]" = WeakKeyDictionary()

Units: TypeAlias = Sequence[int] | np.ndarray


@dataclass(frozen=True, eq=False)
class Digits:
    """An array of exact rationals: sum_s planes[s] 2^(width (low + s)) / denominator, entry by entry.

    The denominator is 1 unless a layer of the net has one. Every plane but the last holds digits in [0, 2^width), the
    last one in [-2^width, 2^width), so an array of given `low`, denominator and number of planes has one such form, and
    signs and equality are read off it. A plane has shape (rows, columns), int64.
    """

    planes: tuple[np.ndarray, ...]
    low: int
    width: int
    denominator: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.planes[-1].shape

    def signs(self) -> np.ndarray:
        """The sign of each entry as int8."""
        top = self.planes[-1]
        below = np.zeros(top.shape, dtype=bool)
        for plane in self.planes[:-1]:
            below |= plane != 0
        return np.where(top < 0, -1, (top > 0) | below).astype(np.int8)

    def relu(self) -> "Digits":
        """max(., 0), entry by entry."""
        positive = self.planes[-1] >= 0
        return replace(self, planes=tuple(plane * positive for plane in self.planes))

    def equals_row(self, row: int) -> np.ndarray:
        """Where an entry is the one that `row` has in its column."""
        same = np.ones(self.shape, dtype=bool)
        for plane in self.planes:
            same &= plane == plane[row]
        return same

    def columns(self, columns: Units) -> "Digits":
        """Some of the columns."""
        return replace(self, planes=tuple(plane[:, columns] for plane in self.planes))

    def fraction(self, row: int, column: int) -> Fraction:
        """One entry."""
        digits = [int(plane[row, column]) for plane in self.planes]
        total = sum(digit << (self.width * s) for s, digit in enumerate(digits))
        shift = self.width * self.low
        return Fraction(total << max(shift, 0), self.denominator << max(-shift, 0))

    def integers(self) -> tuple[np.ndarray, int, int]:
        """Python integers M (dtype object), e and d with entries M 2^e / d; d is the denominator."""
        total = np.zeros(self.shape, dtype=object)
        for plane in reversed(self.planes):
            total = (total << self.width) + plane.astype(object)
        return total, self.width * self.low, self.denominator

    def modulo(self, prime: int) -> np.ndarray:
        """The entries times the denominator, modulo an odd prime below 2^31 (2 is a unit there), int64."""
        total = np.zeros(self.shape, dtype=np.int64)
        for s, plane in enumerate(self.planes):
            total = (total + plane % prime * pow(2, self.width * (self.low + s), prime)) % prime
        return total

    def slices(self) -> dict[int, np.ndarray]:
        """The planes that are not 0 as float64, by place; the entries must not be negative."""
        return {self.low + s: plane.astype(np.float64) for s, plane in enumerate(self.planes) if plane.any()}


def blocks(rows: int, net: FloatNet) -> Iterator[slice]:
    """The rows in slices fit for the net, with a look at the deadline before each."""
    size = max(32, min(BLOCK, ENTRIES // max(net.widths)))
    return (slice(start, min(start + size, rows)) for start in looking(range(0, rows, size)))


def digit_width(fan_in: int) -> int:
    """The largest p for which sums of `fan_in` products of two digits below 2^p are integers of at most 53 bits."""
    return (MANTISSA - (fan_in - 1).bit_length()) // 2


def split(array: np.ndarray, width: int) -> dict[int, np.ndarray]:
    """Finite floats as signed digits: array = sum_s result[s] 2^(width s), each |digit| <= 2^width, as float64."""
    array = np.asarray(array, dtype=np.float64)
    sizes = np.abs(array)
    largest = sizes.max(initial=0)
    if not largest:
        return {}
    if largest <= 2.0**400 and sizes.min(where=sizes > 0, initial=1) >= 2.0**-400:
        return _split_rounding(array, int(np.frexp(largest)[1]) // width, width)
    return _split_bits(array, width)


def split_integers(numbers: np.ndarray, exponent: int, width: int) -> dict[int, np.ndarray]:
    """Python integers (dtype object) times 2^exponent as signed digits, like `split`."""
    place, shift = divmod(exponent, width)
    signs = np.where(numbers < 0, -1.0, 1.0)
    left = np.abs(numbers) << shift
    result: dict[int, np.ndarray] = {}
    while (left != 0).any():
        digit = (left & (2**width - 1)).astype(np.float64)
        if digit.any():
            result[place] = digit * signs
        left, place = left >> width, place + 1
    return result


def weight_slices(layer: FloatLayer, width: int) -> dict[int, np.ndarray]:
    """The weights of a layer times its denominator, if it has one, as signed digits."""
    match layer:
        case FloatAffine(weights, _):
            return split(weights, width)
        case RationalAffine():
            found = _KEPT.setdefault(layer, {})
            if width not in found:
                found[width] = split_integers(layer.numbers[:, :-1], layer.exponent, width)
            return found[width]
        case _:
            assert_never(layer)


def _bias_slices(layer: FloatLayer, below: int, width: int) -> dict[int, np.ndarray]:
    """The bias of a layer times its denominator and that of what it reads, as signed digits."""
    match layer:
        case FloatAffine(_, bias):
            if below == 1:
                return split(bias, width)
            whole, low = integers(bias)
            return split_integers(whole * below, low, width)
        case RationalAffine(numbers, exponent):
            return split_integers(numbers[:, -1] * below, exponent, width)
        case _:
            assert_never(layer)


def denominator(net: FloatNet, layer: int) -> int:
    """The denominator of the values of a layer: the product of those of the layers up to it."""
    return prod(below.denominator for below in net.layers[:layer] if isinstance(below, RationalAffine))


def _split_rounding(array: np.ndarray, place: int, width: int) -> dict[int, np.ndarray]:
    """Digits from the highest place on, each rounded to the nearest: the rest is exact, and far from underflow."""
    result = {}
    while array.any():
        unit = 2.0 ** (width * place)
        digit = np.rint(array * (1 / unit))
        if digit.any():
            result[place] = digit
            array = array - digit * unit
        place -= 1
    return result


def _split_bits(array: np.ndarray, width: int) -> dict[int, np.ndarray]:
    """The same for any exponents, by shifts of the mantissas."""
    whole, exponents = mantissas(array)
    signs, magnitude = np.sign(array), np.abs(whole).astype(np.uint64)
    # |array| = magnitude 2^(place width + shift).
    place, shift = np.divmod(exponents, width)
    shift = shift.astype(np.uint64)
    mask = np.uint64(2**width - 1)
    result: dict[int, np.ndarray] = {}
    occupied = magnitude != 0
    for j in range((MANTISSA + 2 * width - 2) // width):
        offset = np.uint64(width * j)
        # Bits that leave a word at the top on the left shift are none of this digit's.
        down, up = np.where(offset >= shift, offset - shift, 0), np.where(offset < shift, shift - offset, 0)
        digit = ((magnitude >> np.minimum(down, np.uint64(63))) << up) & mask
        signed = digit.astype(np.float64) * signs
        for at in np.unique(place[occupied]):
            part = np.where(occupied & (place == at), signed, 0)
            if part.any():
                key = int(at) + j
                result[key] = result[key] + part if key in result else part
    return result


def affine(
    values: dict[int, np.ndarray],
    weights: dict[int, np.ndarray],
    bias: dict[int, np.ndarray],
    shape: tuple[int, int],
    width: int,
) -> Digits:
    """``values @ weights.T + bias`` of shape (rows, n), exactly.

    Slices of shapes (rows, k), (n, k) and (n,); k is at most what `digit_width` gave `width` for.
    """
    levels: dict[int, np.ndarray] = {}
    # Of each place of the weights at most one product of 53 bits meets in one integer. Float64 weights have less than
    # 2^8 places; where there are too many, the integers are Python's.
    kind = np.dtype(np.int64 if len(weights) < MEET else object)

    def add(place: int, integers: np.ndarray) -> None:
        levels.setdefault(place, np.zeros(shape, dtype=kind))[...] += integers.astype(np.int64).astype(kind)

    if weights:
        # All digits of the weights at once: fewer and larger products.
        stacked = np.vstack(list(weights.values())).T
        # Deep in a net values have hundreds of digits.
        for other, value in looking(values.items()):
            for place, part in zip(weights, np.split(value @ stacked, len(weights), axis=1), strict=True):
                add(place + other, part)
    for place, part in bias.items():
        add(place, part)
    return _carried(levels, np.zeros(shape, dtype=kind), width)


def _carried(levels: dict[int, np.ndarray], carry: np.ndarray, width: int) -> Digits:
    """The digits of the integers at all places, `carry` (zeros) included."""
    planes = []
    low = min(levels, default=0)
    for place in looking(range(low, max(levels, default=-1) + 1)):
        total = carry + levels[place] if place in levels else carry
        carry = total >> width
        planes.append(total & (2**width - 1))
    while (np.abs(carry) >= 2**width).any():
        planes.append(carry & (2**width - 1))
        carry = carry >> width
    return Digits(tuple(plane.astype(np.int64, copy=False) for plane in (*planes, carry)), low, width)


def activations(
    net: FloatNet,
    inputs: np.ndarray,
    layer: int,
    units: Units | None = None,
    *,
    pre: bool = False,
    width: int | None = None,
) -> Digits:
    """The values of some units of a layer (1 is the first, ``len(net.layers)`` the output) at each input, exactly.

    After ReLU in hidden layers unless `pre`. Below, only what these read is computed. Give the rows in `blocks`.

    Parameters
    ----------
    inputs
        Shape (rows, d), float64, finite.
    units
        Indices in the layer; all if None.
    width
        Bits in a digit, by default what `digit_width` gives for the widest layer that is read.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [2.0**-1074]], [-(2.0**-1074), 0.0]), ([[1.0, 1.0]], [0.5])])
    >>> activations(net, np.array([[2.0**-1074], [1e300]]), 1).signs().tolist()
    [[0, 1], [1, 1]]
    """
    width = digit_width(max(net.widths[:-1])) if width is None else width
    return _activations(net, np.asarray(inputs, dtype=np.float64), layer, units, pre, width)


def _some_slices(whole: FloatLayer, here: FloatLayer, units: Units | None, width: int) -> dict[int, np.ndarray]:
    """The weights of `here`, which has these units of the whole layer."""
    if units is None or isinstance(whole, FloatAffine):
        return weight_slices(here, width)
    return {place: part[units] for place, part in weight_slices(whole, width).items()}


def _activations(net: FloatNet, inputs: np.ndarray, layer: int, units: Units | None, pre: bool, width: int) -> Digits:
    def sent(read: np.ndarray) -> dict[int, np.ndarray]:
        """The slices of what some units below send."""
        if layer == 1:
            return split(inputs[:, read], width)
        return _activations(net, inputs, layer - 1, read, False, width).slices() if read.size else {}

    whole = net.layers[layer - 1]
    here = whole if units is None else some_units(whole, units)
    look()
    read = np.flatnonzero(nonzero(here).any(axis=0))
    weights = {place: part[:, read] for place, part in _some_slices(whole, here, units, width).items()}
    bias = _bias_slices(here, denominator(net, layer - 1), width)
    digits = affine(sent(read), weights, bias, (len(inputs), here.fan_out), width)
    result = replace(digits, denominator=denominator(net, layer))
    return result if pre or layer == len(net.layers) else result.relu()
