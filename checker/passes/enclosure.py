"""Rigorous forward passes: every pre-activation in floating point, with a bound on its distance from the exact one.

A filter: signs and differences that the bound decides need no exact arithmetic; the rest goes to `passes.exact`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

import numpy as np

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.numbers.rounding import TINY, U64, UP, gamma
from proof_of_absence.models.dyadic import mantissas
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine

__all__ = ["Ball", "blocks", "enclose", "norms", "weights_of"]

# Rows in one block: memory is a block times the widest layer, however many rows there are.
BLOCK = 8192

Precision: TypeAlias = type[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Ball:
    """Pre-activations of one layer: |exact - values| <= radius, entry by entry; shapes (rows, units).

    The radius is ``outer(row, unit) + tiny`` and infinite where the pass overflowed, so it costs no more memory than
    the margins; `row` is infinite, and with it every bound from there on, in a row where something overflowed.
    """

    values: np.ndarray
    row: np.ndarray
    unit: np.ndarray
    tiny: float

    @property
    def radius(self) -> np.ndarray:
        """The bound for every entry, in float64; infinite where the pass overflowed."""
        if self.is_exact:
            return np.zeros(self.values.shape)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            bound = (np.outer(self.row, self.unit) + (self.tiny + TINY)) * UP
        return np.where(np.isfinite(self.values) & np.isfinite(bound), bound, np.inf)

    @property
    def unit_radius(self) -> np.ndarray:
        """One bound for all entries of a unit, no less than any in `radius`; infinite if one of them is."""
        with np.errstate(over="ignore", invalid="ignore"):
            bound = (self.row.max(initial=0) * self.unit + (self.tiny + TINY)) * UP
        return np.where(np.isfinite(bound), bound, np.inf)

    def part(self, rows: np.ndarray, units: np.ndarray) -> "Ball":
        """Some rows of some units."""
        return Ball(self.values[np.ix_(rows, units)], self.row[rows], self.unit[units], self.tiny)

    @property
    def is_exact(self) -> bool:
        """Whether every value is the exact one."""
        return not (self.tiny or self.row.any() or self.unit.any())

    def relu(self) -> "Ball":
        """What the units send: relu moves no two points further apart."""
        return Ball(np.maximum(self.values, 0), self.row, self.unit, self.tiny)

    def signs(self) -> tuple[np.ndarray, np.ndarray]:
        """The sign of each entry as int8, and where it is decided."""
        radius = self.radius
        with np.errstate(invalid="ignore"):
            decided = (np.abs(self.values) > radius) | ((radius == 0) & np.isfinite(self.values))
        return np.where(decided, np.sign(self.values), 0).astype(np.int8), decided


def blocks(rows: int, size: int = BLOCK) -> Iterator[slice]:
    """The rows in slices of `size`, with a look at the deadline before each."""
    return (slice(start, min(start + size, rows)) for start in looking(range(0, rows, size)))


def enclose(
    net: FloatNet, inputs: np.ndarray, precision: Precision = np.float64, *, rounded: bool = False
) -> list[Ball]:
    """The pre-activations of every layer at the inputs, the output layer last.

    Parameters
    ----------
    inputs
        Shape (rows, d), float64, finite.
    precision
        ``numpy.float32`` or ``numpy.float64``, in which the products are computed.
    rounded
        No radius of 0 where nothing is rounded: for bounds that a pass without this knowledge shall confirm.

    Notes
    -----
    Write h* for the exact values of the layer below, h for the computed ones, k for their number, u for the unit
    roundoff and eta for the smallest normal number of the precision. What is computed is the dot product of h and w,
    which are first rounded to the precision if they are no such numbers already. Then

    - |h.w - h*.w| <= sum_k |w_k| |h_k - h*_k|, the error carried over; relu moves no two points further apart.
    - every product h_k w_k takes part in at most k + 3 roundings (two of the operands, one product, k sums), in any
      order of summation, fused or not, so |fl(h.w + b) - (h.w + b)| <= gamma_(k+3) (|h|.|w| + |b|) + underflow, with
      gamma_n = n u / (1 - n u) (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1), and |h|.|w| <=
      ||h|| ||w||. This holds for the classical matrix product, which is what BLAS computes.
    - an operand or a result below eta errs by eta at most, flushed to zero or not: in an operand times its partner.

    A sum that overflows stays infinite or NaN to its end, so a finite result has met no overflow; from a row with
    another result nothing more is concluded. Where all entries are multiples of powers of two and no partial sum can
    need more digits than the precision has, everything is exact and the radius is 0.

    Of a layer whose entries are no floats the nearest floats are taken, which is one more rounding of each operand
    w: k + 4 in place of k + 3. The exact |w| is at most (1 + 2^-52) times that of the float, which UP holds.
    """
    values = np.asarray(inputs, dtype=np.float64)
    below = Ball(values, np.zeros(len(values)), np.zeros(values.shape[1]), 0.0)
    balls: list[Ball] = []
    for layer in looking(net.layers):
        balls.append(_through(layer, balls[-1].relu() if balls else below, precision, rounded))
    return balls


def _through(layer: FloatLayer, below: Ball, precision: Precision, rounded: bool) -> Ball:
    match layer:
        case FloatAffine():
            return _affine(layer, below, precision, rounded=rounded)
        case RationalAffine(near=near):
            return _affine(near, below, precision, rounded=True)
        case _:
            assert_never(layer)


def _affine(layer: FloatAffine, below: Ball, precision: Precision, *, rounded: bool = False) -> Ball:
    """One layer; where it is `rounded`, each entry is off by 2^-53 of the exact one at most."""
    weights, bias = layer
    values, fan_in = below.values, layer.fan_in
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        product: np.ndarray = values.astype(precision) @ weights.T.astype(precision)
        product += bias.astype(precision)
        if below.is_exact and not rounded and _is_exact(values, layer, precision):
            return Ball(product, below.row, np.zeros(len(bias)), 0.0)
        info = np.finfo(precision)
        rounding = gamma(fan_in + 3 + rounded, float(info.eps) / 2)
        # Carried over from below: sum_k |w_jk| (row_i unit_k + tiny).
        absolute = np.abs(weights) * UP if rounded else np.abs(weights)
        carried_unit = (absolute @ below.unit + fan_in * TINY) * UP
        carried_tiny = (float(absolute.sum(axis=1).max()) * below.tiny + TINY) * UP
        # Rounding here: gamma (||h_i|| ||w_j|| + |b_j|) <= gamma (||h_i|| + 1) (||w_j|| + |b_j|).
        height, width = norms(values), norms(absolute if rounded else weights)
        own_row = rounding * (height + 1) * UP
        own_unit = (width + np.abs(bias) * (UP if rounded else 1) + TINY) * UP
        # Underflow: at most k (|h| + |w| + 2) + k + 2 times eta, and each of it magnified by 1 + gamma <= 2.
        largest = 1 + max(float(values.max(initial=0)), -float(values.min(initial=0))) + float(absolute.max())
        own_tiny = 10 * fan_in * float(info.tiny) * largest
        margins = np.maximum(below.row, own_row)
        if not np.isfinite(product.max(initial=0) - product.min(initial=0)):
            margins[~np.isfinite(product).all(axis=1)] = np.inf
        margins[np.isnan(margins)] = np.inf
        return Ball(product, margins, (carried_unit + own_unit) * UP, (carried_tiny + own_tiny) * UP)


def weights_of(layer: FloatLayer) -> Interval:
    """The weights of a layer, shape (fan-out, fan-in), with what the floats are off by."""
    match layer:
        case FloatAffine(weights, _):
            return Interval.of(weights)
        case RationalAffine(near=near):
            return Interval(near.weights, np.abs(near.weights) * (U64 * UP) + TINY)
        case _:
            assert_never(layer)


def norms(rows: np.ndarray) -> np.ndarray:
    """An upper bound of each row's Euclidean norm, without overflow or underflow on the way."""
    rows = rows.astype(np.float64, copy=False)
    squares = np.einsum("ij,ij->i", rows, rows)
    result: np.ndarray = np.sqrt(squares) * UP
    # Between these, what underflowed on the way is too little to count, and nothing overflowed.
    plain = (squares > 2.0**-900) & (squares < 2.0**1000)
    if not plain.all():
        rest = rows[~plain]
        largest = np.abs(rest).max(axis=1)
        safe = np.where(largest > 0, largest, 1)[:, None]
        result[~plain] = (largest * np.sqrt(((rest / safe) ** 2).sum(axis=1)) + TINY) * UP
    return result


def _is_exact(values: np.ndarray, layer: FloatAffine, precision: Precision) -> bool:
    """Whether nothing is rounded in ``values @ weights.T + bias`` in this precision, operands included."""
    # On most data the first rows show that something may be, at no cost.
    return _fits(values[:8], layer, precision) and _fits(values, layer, precision)


def _fits(values: np.ndarray, layer: FloatAffine, precision: Precision) -> bool:
    """Whether all operands, products and partial sums are m 2^e with |m| < 2^digits, e within the normal range."""
    weights, bias = layer
    info = np.finfo(precision)
    of_values, of_weights, of_bias = _grain(values), _grain(weights), _grain(bias)
    of_products = None if of_values is None or of_weights is None else of_values + of_weights
    of_sums = min((grain for grain in (of_products, of_bias) if grain is not None), default=0)
    largest = [float(np.abs(array).max(initial=0)) for array in (values, weights)]
    sums = largest[0] * float(np.abs(weights).sum(axis=1).max()) + float(np.abs(bias).max())
    return all(
        grain is None or (grain >= info.minexp and size * UP < 2.0 ** min(grain + info.nmant + 1, info.maxexp - 1))
        for grain, size in [(of_values, largest[0]), (of_weights, largest[1]), (of_sums, sums)]
    )


def _grain(array: np.ndarray) -> int | None:
    """The greatest e with every entry a multiple of 2^e; None if all are 0."""
    entries = array[array != 0]
    if not entries.size:
        return None
    whole, exponents = mantissas(entries)
    trailing = np.bitwise_count((whole & -whole) - 1)
    return int((exponents + trailing).min())
