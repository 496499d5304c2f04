"""Float networks on float data: one exact pass, in integers of unbounded length, and one bounded pass, in float64.

The bounded pass carries an error bound for each entry, and so spares the integers what the bound decides.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.pause import pause, pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values.products import product
from proof_of_absence.checker.independent.values.rounding import TINY, UP, U, gamma
from proof_of_absence.checker.independent.values.steps import Ops, require_product, steps_in

BLOCK = 4096
# The least normal float64.
LEAST = 2.0**-1022
_HEX = re.compile(rb"-?[0-9a-f]+")
DOUBLE = np.dtype(np.float64)

Floats = NDArray[np.float64]
Integers = NDArray[np.object_]
Texts = NDArray[np.bytes_]
Dtype = np.dtype[np.float32] | np.dtype[np.float64]
Layers = list[tuple[Floats, Floats]]


class Exact(NamedTuple):
    """Numbers M 2^e / divisor: Python integers M, an array of objects, and e."""

    whole: Integers
    exponent: int
    divisor: int = 1


class Bounded(NamedTuple):
    """Floats v and radii: |exact - v| <= radius entry by entry. Where nothing is known v is 0, the radius infinite."""

    value: Floats
    radius: Floats


class FloatData(NamedTuple):
    """Inputs (N, d) and targets (N, m)."""

    inputs: Floats
    targets: Floats


class Outputs(Protocol):
    """What losses are computed from: a net of any kind."""

    @property
    def parameters(self) -> int:
        """How much there is to do for a row."""

    @property
    def width(self) -> int:
        """How many outputs there are."""

    def outputs(self, inputs: Floats) -> Exact:
        """The outputs at the rows, exactly."""

    def bounded_outputs(self, inputs: Floats) -> Bounded:
        """The outputs at the rows within bounds."""


class FloatNet:
    """Layers of weights (fan-out, fan-in) and bias, all float64; `dtype` is the type that the net itself has.

    `rational` holds by its number, from 1 on, each layer with entries that are no floats: the weights, and in the last
    column the bias. `layers` has there the nearest floats, which are 0 just where the entry is. `steps` are the
    operators of each layer in the file, where it lists several for one; they are said to multiply to it, and
    `require_steps` refuses them if they do not.
    """

    def __init__(
        self,
        layers: Layers,
        dtype: Dtype = DOUBLE,
        rational: Mapping[int, Exact] | None = None,
        steps: Mapping[int, Ops] | None = None,
    ):
        self.layers, self.dtype, self.rational, self.steps = layers, dtype, dict(rational or {}), dict(steps or {})
        self._multiplied = False
        self.widths = [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]

    @classmethod
    def read(cls, found: Mapping[str, Floats], texts: Mapping[str, Texts] | None = None) -> "FloatNet":
        """From the arrays ``weights_1, bias_1, weights_2, ..``; refused if they are no net.

        In `texts`, a layer may be in ``numbers_1`` and ``divisor_1``, integers in hexadecimal. Operators of a file are
        in ``dense_1_1, shift_1_2, ..``, see `steps_in`: of each layer or of none.
        """
        steps, taken = steps_in(found, texts or {})
        found = {name: array for name, array in found.items() if name not in taken}
        texts = {name: array for name, array in (texts or {}).items() if name not in taken}
        depth = (len(found) + len(texts)) // 2
        rational, layers, used = dict[int, Exact](), Layers(), set[str]()
        for k in range(1, depth + 1):
            floats = f"numbers_{k}" not in texts
            used |= {f"weights_{k}", f"bias_{k}"} if floats else {f"numbers_{k}", f"divisor_{k}"}
        named = depth > 0 and used == {*found, *texts}
        require(named, "a net holds weights_1, bias_1, weights_2, .. and nothing else")
        for k in range(1, depth + 1):
            if f"numbers_{k}" in texts:
                rational[k] = _rational(texts[f"numbers_{k}"], texts[f"divisor_{k}"])
                near = _near(rational[k])
                layers.append((near[:, :-1], near[:, -1]))
            else:
                layers.append((found[f"weights_{k}"], found[f"bias_{k}"]))
        for weights, bias in layers:
            fits = weights.ndim == 2 and bias.ndim == 1 and len(weights) == len(bias) and weights.size
            require(fits, "a layer has as many rows as biases")
        for (_, below), (weights, _) in pairwise(layers):
            require(weights.shape[1] == len(below), "a layer does not fit the one below")
        require(not steps or set(steps) == set(range(1, depth + 1)), "operators of some layers are missing")
        return cls(layers, rational=rational, steps=steps)

    def require_steps(self) -> None:
        """Refuse unless the operators of each layer multiply to it."""
        for number in self.steps if not self._multiplied else ():
            whole, exponent, divisor = self.weights(number)
            unit = Fraction(2) ** exponent / divisor
            rows = [[m * unit for m in row] for row in pausing(whole.tolist())]
            biases = self.biases(number)
            require_product(self.steps[number], [[*row, b] for row, b in zip(rows, biases, strict=True)], number)
        self._multiplied = True

    @property
    def parameters(self) -> int:
        """Weights and biases together."""
        return sum(w.size + b.size for w, b in self.layers)

    @property
    def width(self) -> int:
        """How many outputs there are."""
        return len(self.layers[-1][1])

    def outputs(self, inputs: Floats) -> Exact:
        """The outputs at the rows, exactly."""
        return self.exact(inputs, len(self.layers))

    def bounded_outputs(self, inputs: Floats) -> Bounded:
        """The outputs at the rows within bounds."""
        return self.bounded(inputs)[-1]

    def holds(self, dtype: Dtype) -> bool:
        """Whether all weights and biases that are floats are some of this type."""
        floats = [array for k, layer in enumerate(self.layers, 1) if k not in self.rational for array in layer]
        with np.errstate(over="ignore"):
            return all(bool((array.astype(dtype) == array).all()) for array in floats)

    def exact(self, inputs: Floats, layer: int, units: Sequence[int] | None = None) -> Exact:
        """Values of units of a layer (all, if none are named): after ReLU if it is hidden. Shape (rows, units)."""
        weights, bias = self._rows(layer, units)
        read = np.flatnonzero((weights != 0).any(axis=0))
        if not read.size:
            # So that the divisor is that of the layer.
            read = np.arange(1)
        below = integers(inputs[:, read]) if layer == 1 else self.exact(inputs, layer - 1, read.tolist())
        if layer in self.rational:
            whole, exponent, divisor = self.rational[layer]
            whole = whole if units is None else whole[units]
            matrix, offset = Exact(whole[:, read], exponent, divisor), Exact(whole[:, -1], exponent, divisor)
        else:
            matrix, offset = integers(weights[:, read]), integers(bias)
        result = _affine(below, matrix, offset)
        return result if layer == len(self.layers) else result._replace(whole=np.maximum(result.whole, 0))

    def weights(self, layer: int) -> Exact:
        """The weights of a layer, exactly."""
        if layer not in self.rational:
            return integers(self.layers[layer - 1][0])
        return self.rational[layer]._replace(whole=self.rational[layer].whole[:, :-1])

    def biases(self, layer: int) -> list[Fraction]:
        """The biases of a layer, exactly."""
        if layer not in self.rational:
            return list(map(Fraction, self.layers[layer - 1][1].tolist()))
        whole, exponent, divisor = self.rational[layer]
        return [Fraction(m, divisor) * Fraction(2) ** exponent for m in whole[:, -1].tolist()]

    def fractions(self) -> list[tuple[list[list[Fraction]], list[Fraction]]]:
        """Weights and biases of each layer, exactly."""
        found = []
        for number in range(1, len(self.layers) + 1):
            whole, exponent, divisor = self.weights(number)
            unit = Fraction(2) ** exponent / divisor
            found.append(([[m * unit for m in row] for row in pausing(whole.tolist())], self.biases(number)))
        return found

    def cut(self, layer: int, inputs: Sequence[int], bias: Sequence[Fraction]) -> "FloatNet":
        """The same net, but a layer reads nothing from some of its inputs, and has other biases."""
        return self.reading(layer, {}, inputs, bias)

    def reading(
        self, layer: int, columns: Mapping[int, Sequence[Fraction]], cut: Sequence[int], bias: Sequence[Fraction]
    ) -> "FloatNet":
        """The same net, but a layer weighs some of its inputs with these columns, others with 0, and has these biases.

        A layer is one of floats if all of its entries are some.
        """
        numbers = [number for column in columns.values() for number in column]
        if layer not in self.rational and None not in (floats := [_float(x) for x in (*bias, *numbers)]):
            weights = self.layers[layer - 1][0].copy()
            weights[:, cut] = 0
            for at, column in columns.items():
                weights[:, at] = list(map(float, column))
            return self._with(layer, (weights, np.array(floats[: len(bias)], dtype=np.float64)))
        whole, below = self._over([*bias, *numbers], layer)
        whole[:, cut] = 0
        for at, column in columns.items():
            whole[:, at] = [int(x * below) for x in column]
        whole[:, -1] = [int(b * below) for b in bias]
        return self._with_whole(layer, whole, below)

    def with_unit(self, layer: int, unit: int, weights: Sequence[Fraction], bias: Fraction) -> "FloatNet":
        """The same net, but a unit of a layer has other weights and another bias."""
        floats = [_float(x) for x in (*weights, bias)]
        if layer not in self.rational and None not in floats:
            matrix, shift = (array.copy() for array in self.layers[layer - 1])
            matrix[unit], shift[unit] = floats[:-1], floats[-1]
            return self._with(layer, (matrix, shift))
        whole, below = self._over([*weights, bias], layer)
        whole[unit] = [int(x * below) for x in (*weights, bias)]
        return self._with_whole(layer, whole, below)

    def _over(self, numbers: Sequence[Fraction], layer: int) -> tuple[Integers, int]:
        """The weights and biases of a layer as integers over a divisor, over which these numbers are integers too."""
        whole, exponent, divisor = self.weights(layer)
        biases = self.biases(layer)
        below = lcm(divisor << max(-exponent, 0), *(x.denominator for x in (*biases, *numbers)))
        up = below * Fraction(2) ** exponent / divisor
        column = np.array([int(b * below) for b in biases], dtype=object)
        return np.column_stack([whole * int(up), column]), below

    def _with_whole(self, layer: int, whole: Integers, below: int) -> "FloatNet":
        entries = Exact(whole, 0, below)
        near = _near(entries)
        pairs = pausing(zip(whole.ravel().tolist(), near.ravel().tolist(), strict=True))
        held = all(Fraction(x) * below == m for m, x in pairs)
        return self._with(layer, (near[:, :-1], near[:, -1]), None if held else entries)

    def _with(self, layer: int, floats: tuple[Floats, Floats], rational: Exact | None = None) -> "FloatNet":
        """The same net with another layer; operators of a file do not make it any more."""
        layers, exact = list(self.layers), {k: entries for k, entries in self.rational.items() if k != layer}
        layers[layer - 1] = floats
        return FloatNet(layers, self.dtype, exact | ({} if rational is None else {layer: rational}))

    def same_layer(self, other: "FloatNet", layer: int) -> bool:
        """Whether a layer is that of another net, number for number."""
        if layer not in self.rational and layer not in other.rational:
            pairs = zip(self.layers[layer - 1], other.layers[layer - 1], strict=True)
            return all(np.array_equal(one, two) for one, two in pairs)
        one, two, _, _ = aligned(self.weights(layer), other.weights(layer))
        return bool((one == two).all()) and self.biases(layer) == other.biases(layer)

    def off(self, layer: int) -> float:
        """What each entry of `layers` is off by at most, as a part of itself: 0 where they are exact."""
        return U * UP if layer in self.rational else 0.0

    def sent(self, inputs: Floats, layer: int, units: Sequence[int]) -> Exact:
        """What each unit of the next layer receives from these, shape (rows, next width)."""
        weights = self.weights(layer + 1)
        matrix = weights._replace(whole=weights.whole[:, units])
        nothing = weights._replace(whole=np.zeros(len(weights.whole), dtype=object))
        return _affine(self.exact(inputs, layer, units), matrix, nothing)

    def bounded(self, inputs: Floats, layer: int | None = None, units: Sequence[int] | None = None) -> list[Bounded]:
        """Pre-activations of each layer up to this one (all, if none is named), of which only these units.

        |fl(h.w + b) - (h.w + b)| <= gamma_(k+1) (|h|.|w| + |b|) and k underflows for k products, in any order, fused
        or not; an error e of h adds |w|.e. A w that is rounded to the nearest float takes part in one rounding more.
        """
        last = len(self.layers) if layer is None else layer
        values, radius = inputs, np.zeros_like(inputs)
        result = []
        with np.errstate(all="ignore"):
            for number in pausing(range(1, last + 1)):
                weights, bias = self._rows(number, units if number == last else None)
                steps = weights.shape[1] + 2 + (number in self.rational)
                sizes = np.abs(weights.T) * (1 + 2 * self.off(number))
                found = values @ weights.T + bias
                # The bound's own products underflow too, by no more than TINY together with those of the product.
                size = np.abs(values) @ sizes + np.abs(bias) * (1 + 2 * self.off(number))
                own = gamma(steps) * size + steps * TINY
                radius = (radius @ sizes + own) * UP**2
                known = np.isfinite(found) & np.isfinite(radius)
                found, radius = np.where(known, found, 0), np.where(known, radius, np.inf)
                result.append(Bounded(found, radius))
                values, radius = after_relu(result[-1])
        return result

    def _rows(self, layer: int, units: Sequence[int] | None) -> tuple[Floats, Floats]:
        weights, bias = self.layers[layer - 1]
        return (weights, bias) if units is None else (weights[units], bias[units])


def integers(array: Floats) -> Exact:
    """Finite floats, exactly."""
    pause()
    mantissa, exponent = np.frexp(array)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    exponent = exponent.astype(np.int64) - 53
    low = int(exponent[whole != 0].min()) if whole.any() else 0
    shift = np.where(whole != 0, exponent - low, 0)
    return Exact(whole.astype(object) << shift.astype(object), low)


def aligned(left: Exact, right: Exact) -> tuple[Integers, Integers, int, int]:
    """The integers of both over one exponent and one divisor."""
    low = min(left.exponent, right.exponent)
    one, other = left.whole << (left.exponent - low), right.whole << (right.exponent - low)
    if left.divisor == right.divisor:
        return one, other, low, left.divisor
    return one * right.divisor, other * left.divisor, low, left.divisor * right.divisor


def _affine(values: Exact, matrix: Exact, offset: Exact) -> Exact:
    """A layer, of one divisor, at values; the divisors multiply whatever the entries are."""
    divisor = values.divisor * matrix.divisor
    summed = Exact(product(values.whole, matrix.whole.T), values.exponent + matrix.exponent, divisor)
    left, right, low, _ = aligned(summed, Exact(offset.whole * values.divisor, offset.exponent, divisor))
    return Exact(left + right, low, divisor)


def after_relu(before: Bounded) -> Bounded:
    """After ReLU; a unit that is surely not on sends 0, without an error."""
    value, radius = before
    return Bounded(np.maximum(value, 0), np.where(value <= -radius, 0, radius))


def _rational(numbers: Texts, divisor: Texts) -> Exact:
    """Weights and biases from integers in hexadecimal."""
    require(numbers.ndim == 2 and numbers.shape[1] > 1 and numbers.size and not divisor.ndim, "numbers are no matrix")
    below = _integer(divisor.item())
    require(below > 0, "a divisor that is not positive")
    whole = np.empty(numbers.shape, dtype=object)
    whole.ravel()[:] = [_integer(text) for row in pausing(numbers.tolist()) for text in row]
    return Exact(whole, 0, below)


def _integer(text: object) -> int:
    if not (isinstance(text, bytes) and _HEX.fullmatch(text)):
        raise Refused(f"{str(text)[:40]!r} is not a hexadecimal integer")
    return int(text, 16)


def _float(value: Fraction) -> float | None:
    """The float that is the value, if there is one."""
    try:
        near = float(value)
    except OverflowError:
        return None
    return near if Fraction(near) == value else None


def _near(exact: Exact) -> Floats:
    """The nearest floats, normal ones, so that each is within U of its entry."""
    try:
        # Division of integers rounds once.
        result = np.array([[m / exact.divisor for m in row] for row in pausing(exact.whole.tolist())])
    except OverflowError as error:
        raise Refused("an entry is beyond the floats") from error
    tiny = (np.abs(result) < LEAST) & (exact.whole != 0)
    require(not tiny.any(), "an entry is smaller than every normal float")
    return result


def blocks(rows: int, size: int = BLOCK) -> Iterator[slice]:
    """Slices of the rows."""
    return (slice(start, min(start + size, rows)) for start in pausing(range(0, rows, size)))
