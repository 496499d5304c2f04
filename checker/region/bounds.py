"""Rigorous float64 bounds of every pre-activation on a box, by back-substitution through linear relaxations.

Relaxations: DeepPoly (Singh et al. 2019), CROWN (Zhang et al. 2018); sign conditions enter with multipliers as in
beta-CROWN (Wang et al. 2021). In the first layer this is interval arithmetic.

Rounding. A float64 inner product of n terms, summed in any order, with or without fused multiply-add, differs from
the exact one by at most gamma_n sum |x_i y_i| + n eta, gamma_n = n u / (1 - n u), u = 2^-53, where eta = 2^-1075
bounds what a product loses to gradual underflow (sums lose nothing to it); Higham, Accuracy and Stability of
Numerical Algorithms, 2nd ed., (2.8) and (3.4). `_error` is at least that, with room for the rounding of the bound
itself. The coefficients that were computed are then taken for exact ones, and their error times the largest value of
what they multiply goes into a slack. NaN counts as infinity.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from math import inf, nextafter
from typing import NamedTuple, TypeVar

import numpy as np

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.numbers.rounding import SUBNORMAL, U64
from proof_of_absence.checker.region.question import Question, nearest
from proof_of_absence.models.rational import Vector

__all__ = ["OFF", "ON", "UNKNOWN", "Bounds", "Multipliers", "round_down", "round_up"]

T = TypeVar("T")
ON, OFF, UNKNOWN = 1, -1, 0
# What `Bounds` holds an array of for each layer.
PER_LAYER = ("low", "high", "slope", "sign")
# Slopes are rounded to this grid; any slope in [0, 1] is sound, and short ones keep the exact check quick.
GRID = 2.0**20


def round_up(value: Fraction) -> float:
    """The least float that is not below the value."""
    near = nearest(value)
    return near if near == inf or (near != -inf and Fraction(near) >= value) else nextafter(near, inf)


def round_down(value: Fraction) -> float:
    """The greatest float that is not above the value."""
    return -round_up(-value)


def _error(n: int, size: np.ndarray) -> np.ndarray:
    """At least gamma_{n+2} size + (n+2) eta, where `size` is a computed sum of n absolute products,
    itself a little off.
    """
    error: np.ndarray = 2 * (n + 6) * U64 * size + 2 * (n + 6) * SUBNORMAL
    return error


def _up(value: np.ndarray) -> np.ndarray:
    above: np.ndarray = np.nextafter(value, inf)
    return above


def _nan_is_infinite(value: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(value), inf, value)


def _product(left: np.ndarray, right: np.ndarray, *, rounded: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """left @ right, and a bound of its error; with `rounded` also where each entry of `right` is off by u of it.

    That is one more rounding of each product, for which 8 u of the sum of absolute products are added.
    """
    return left @ right, _error(left.shape[-1] + 4 * rounded, np.abs(left) @ np.abs(right))


def _above(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    return _up(value + error)


def _largest(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The largest size of a number between the bounds."""
    size: np.ndarray = np.maximum(np.abs(low), np.abs(high))
    return size


def _outside(low: Vector, high: Vector) -> tuple[np.ndarray, np.ndarray]:
    """Floats at or outside the ends of a box."""
    return np.array([round_down(v) for v in low]), np.array([round_up(v) for v in high])


def _put(values: Iterable[T], at: int, value: T) -> list[T]:
    """The values, with another one at that place."""
    made = list(values)
    made[at] = value
    return made


class _Form(NamedTuple):
    """Upper bounds coef . h + const + slack of r affine functions, the slack for rounding.

    Shapes (.., r, units), (.., r) and (.., r).
    """

    coef: np.ndarray
    const: np.ndarray
    slack: np.ndarray


@dataclass(frozen=True)
class Multipliers:
    """For one bound: lower slopes `alpha` in [0, 1] and multipliers `beta` >= 0 of the sign conditions,
    an array a layer.
    """

    alpha: tuple[np.ndarray, ...]
    beta: tuple[np.ndarray, ...]


class Bounds:
    """Bounds and signs of the pre-activations of layers 1 to `depth` on a part of the box, or on several parts at once.

    `low[m]`, `high[m]` bound layer m + 1; `sign[m]` holds the sign conditions of the part: ON (pre >= 0),
    OFF (pre <= 0). Shapes are (units,), or (parts, units) for several; `box` holds floats outside the exact
    ends `low_end`, `high_end`.
    """

    def __init__(self, asked: Question):
        if not SUBNORMAL * 1.0 > 0 or not (np.full(2, SUBNORMAL) @ np.ones(2)) > 0:
            raise ArithmeticError("this process flushes subnormal numbers to zero, so the rounding bounds do not hold")
        self.asked = asked
        self.layers = asked.layers[: asked.depth]
        self.rounded = asked.rounded[: asked.depth]
        self.low_end, self.high_end = asked.low, asked.high
        ends = asked.low, asked.high
        self.box = asked.exact.shared("box", ends, lambda: _outside(*ends))
        sizes = [layer.fan_out for layer in self.layers]
        self.low = [np.full(n, -inf) for n in sizes]
        for (layer, unit), _ in asked.carried:
            self.low[layer - 1][unit] = 0.0
        self.high = [np.full(n, inf) for n in sizes]
        self.slope = [np.ones(n) for n in sizes]
        self.sign = [np.zeros(n, dtype=np.int8) for n in sizes]

    def copy(self) -> "Bounds":
        """The same part; changing the copy leaves this one as it is."""
        made = copy(self)
        for key in PER_LAYER:
            setattr(made, key, [array.copy() for array in getattr(self, key)])
        return made

    def signed(self, layer: int, index: int, sign: int) -> "Bounds":
        """The part where that unit's pre-activation has that sign; bounds above it are still this part's."""
        made = self.copy()
        made.sign[layer - 1][index] = sign
        return made

    def within(self, low: Vector, high: Vector) -> "Bounds":
        """The part in the smaller box from `low` to `high`; the bounds are still this part's."""
        made = self.copy()
        made.low_end, made.high_end = low, high
        made.box = _outside(low, high)
        return made

    def cut(self, coordinate: int, at: float) -> tuple["Bounds", "Bounds"]:
        """The parts where that input coordinate is at most, and at least, the number."""
        end, (low, high) = Fraction(at), self.box
        below, above = self.copy(), self.copy()
        below.high_end = tuple(_put(self.high_end, coordinate, end))
        below.box = low, np.array(_put(high, coordinate, at))
        above.low_end = tuple(_put(self.low_end, coordinate, end))
        above.box = np.array(_put(low, coordinate, at)), high
        return below, above

    @classmethod
    def together(cls, parts: list["Bounds"]) -> "Bounds":
        """Several parts at once."""
        made = copy(parts[0])
        # They have no exact ends in common; whoever asks for them fails.
        del made.low_end, made.high_end
        made.box = np.stack([part.box[0] for part in parts]), np.stack([part.box[1] for part in parts])
        for key in PER_LAYER:
            rows = zip(*(getattr(part, key) for part in parts), strict=True)
            setattr(made, key, [np.stack(row) for row in rows])
        return made

    def status(self, m: int) -> np.ndarray:
        """ON, OFF or UNKNOWN for each unit of `low[m]`; a unit that is 0 throughout is OFF."""
        on = (self.sign[m] == ON) | (self.low[m] >= 0)
        off = (self.sign[m] == OFF) | (self.high[m] <= 0)
        return np.where(off, OFF, np.where(on, ON, UNKNOWN)).astype(np.int8)

    def contradiction(self) -> tuple[int, int] | None:
        """A unit whose bounds contradict its sign condition, or each other: the part is empty."""
        for m, (low, high, sign) in enumerate(zip(self.low, self.high, self.sign, strict=True)):
            bad = ((sign == ON) & (high < 0)) | ((sign == OFF) & (low > 0)) | ((sign == UNKNOWN) & (low > high))
            if bad.any():
                return m + 1, int(np.flatnonzero(bad)[0])
        return None

    def post(self, m: int) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of what layer m sends (m = 0: the input box)."""
        if m == 0:
            return self.box
        status = self.status(m - 1)
        high = np.where(status == OFF, 0.0, np.maximum(self.high[m - 1], 0))
        return np.where(status == OFF, 0.0, np.maximum(self.low[m - 1], 0)), high

    def chord(self, m: int) -> tuple[np.ndarray, np.ndarray]:
        """Slope and intercept of a line above relu on [low, high], for unknown units of `low[m]`.

        By convexity a line is above relu on an interval if it is at both ends:
        intercept >= -slope low, (1 - slope) high.
        """
        slope = self.slope[m]
        ends = np.maximum(-slope * self.low[m], (1 - slope) * self.high[m])
        return slope, _up(ends)

    def alpha(self, m: int) -> np.ndarray:
        """The slope of the line below relu, 0 or 1, that leaves the smaller triangle."""
        return (self.high[m] > -self.low[m]).astype(float)

    @np.errstate(all="ignore")
    def upper(
        self, layer: int, rows: np.ndarray, bias: np.ndarray, dual: Multipliers | None = None
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Upper bounds of rows . h + bias, h what layer - 1 sends; and the coefficients at every layer below.

        Returns
        -------
        tuple
            The bounds (.., r), and for each layer below, from the top one down, the coefficients (.., r, units).
        """
        form = _Form(rows, bias, self._rounding(layer, rows, bias))
        seen = [form.coef]
        for m in looking(range(layer - 1, 0, -1)):
            form = self._one_layer_down(m, form, dual)
            seen.append(form.coef)
        return _concrete(form, *self.box), seen

    def _rounding(self, layer: int, rows: np.ndarray, bias: np.ndarray) -> np.ndarray:
        """What the rows, plus or minus rows of the layer in floats, are off by at most: u of each entry."""
        if not self.rounded[layer - 1]:
            return np.zeros(len(rows))
        most = _nonnegative(2 * U64 * np.abs(rows), _largest(*self.post(layer - 1)))
        return _above(most, 2 * U64 * np.abs(bias))

    def _one_layer_down(self, m: int, form: "_Form", dual: Multipliers | None) -> "_Form":
        """A form in what layer m - 1 sends that is at least the given one in what layer m sends."""
        weights, bias = self.layers[m - 1]
        k, k_slack = self._before_relu(m, form.coef, dual)
        lift, lift_error = self._lift(m, form.coef)
        shift, shift_error = _product(k, bias, rounded=self.rounded[m - 1])
        coef, coef_error = _product(k, weights, rounded=self.rounded[m - 1])
        slack = form.slack
        for error in (
            k_slack,
            lift_error,
            shift_error,
            _error(3, np.abs(form.const) + np.abs(lift) + np.abs(shift)),
            _nonnegative(coef_error, _largest(*self.post(m - 1))),
        ):
            slack = _above(slack, error)
        return _Form(coef, form.const + (lift + shift), slack)

    def _before_relu(self, m: int, coef: np.ndarray, dual: Multipliers | None) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients of layer m's pre-activations, and the most that their rounding adds.

        A coefficient above 0 takes the slope of the line above relu, one below 0 that of the line below it.
        """
        status = self.status(m - 1)
        unknown = status == UNKNOWN
        alpha = self.alpha(m - 1) if dual is None else dual.alpha[m - 1]
        rise = np.where(unknown, self.slope[m - 1], status == ON)
        fall = np.where(unknown, alpha, status == ON)
        k = np.maximum(coef, 0) * rise[..., None, :] + np.minimum(coef, 0) * fall[..., None, :]
        if dual is not None:
            k = k + dual.beta[m - 1] * status
        # What rounding did to k multiplies the pre-activation.
        # For OFF units k is exact; for ON ones it is without beta.
        inexact = unknown if dual is None else status != OFF
        reach = np.where(inexact, _largest(self.low[m - 1], self.high[m - 1]), 0.0)
        return k, _nonnegative(4 * U64 * np.abs(k) + 4 * SUBNORMAL, reach)

    def _lift(self, m: int, coef: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the intercepts of the lines above relu add at layer m, and a bound of its error."""
        _, intercept = self.chord(m - 1)
        intercept = np.where(self.status(m - 1) == UNKNOWN, intercept, 0.0)
        lift, error = _product(np.maximum(coef, 0), intercept[..., None])
        return lift[..., 0], error[..., 0]

    @np.errstate(all="ignore")
    def tighten(self, start: int = 1, *, exactly: bool = True) -> None:
        """Bound layers `start` to `depth` anew, and keep the better bound of each unit.

        A part of the box may turn out empty on the way; `contradiction` tells. With `exactly`, signs in layer 1 that
        floats do not settle are settled exactly.
        """
        for layer in range(start, len(self.layers) + 1):
            weights, bias = self.layers[layer - 1]
            both, _ = self.upper(layer, np.vstack([weights, -weights]), np.concatenate([bias, -bias]))
            high, low = both[..., : len(bias)], -both[..., len(bias) :]
            # A unit without incoming weights is its bias: nothing is rounded on the way.
            alone = ~weights.any(axis=1)
            high[..., alone] = low[..., alone] = bias[alone]
            if self.rounded[layer - 1]:
                off = alone & (bias != 0)
                high[..., off], low[..., off] = np.nextafter(bias[off], inf), np.nextafter(bias[off], -inf)
            if layer == 1 and exactly:
                high, low = self._exactly(high, low)
            m = layer - 1
            self.high[m], self.low[m] = np.minimum(high, self.high[m]), np.maximum(low, self.low[m])
            slope = np.rint(self.high[m] / (self.high[m] - self.low[m]) * GRID) / GRID
            self.slope[m] = np.clip(np.nan_to_num(slope, nan=1.0), 0, 1)

    def settle(self) -> bool:
        """After `tighten` without `exactly`: what that adds; whether it may add something."""
        found = _open_in_floats(self.high[0], self.low[0]).size > 0
        if found:
            self.tighten()
        return found

    def _exactly(self, high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of layer 1 in exact arithmetic, rounded outward, where floats do not settle a sign."""
        high, low = high.copy(), low.copy()
        exact = self.asked.exact
        for j in _open_in_floats(high, low):
            ends = [
                sorted((w * a, w * b))
                for w, a, b in zip(exact.row(1, int(j)), self.low_end, self.high_end, strict=True)
            ]
            low[j] = round_down(exact.bias(1)[j] + sum(end[0] for end in ends))
            high[j] = round_up(exact.bias(1)[j] + sum(end[1] for end in ends))
        return high, low


def _open_in_floats(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """The units whose sign these bounds may leave open for nothing but rounding."""
    scale = np.maximum(np.abs(high), np.abs(low))
    close = (low < 0) & (high > 0) & (np.minimum(-low, high) <= 1e-6 * scale)
    return np.flatnonzero(close | ~np.isfinite(high) | ~np.isfinite(low))


def _nonnegative(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """At least left @ right, both nonnegative; right holds a vector for each part."""
    value = (left @ right[..., None])[..., 0]
    return _above(value, _error(right.shape[-1], value))


def _concrete(form: _Form, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """At least coef . h + const + slack for low <= h <= high."""
    coef, const, slack = form
    low, high = low[..., None], high[..., None]
    reached = (np.maximum(coef, 0) @ high + np.minimum(coef, 0) @ low)[..., 0]
    size = (np.abs(coef) @ _largest(low, high))[..., 0]
    error = _error(2 * coef.shape[-1] + 3, size + np.abs(const))
    return _nan_is_infinite(_up(_up(_up(reached + const) + error) + slack))
