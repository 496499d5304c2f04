"""Rigorous forward passes: every pre-activation in floating point, with a bound on its distance from the exact one.

A filter: signs and differences that the bound decides need no exact arithmetic; the rest goes to `checker.audit.exact`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from absence.models.floatnet import FloatLayer, FloatNet

__all__ = ["Ball", "blocks", "enclose"]

# Rows in one block: memory is a block times the widest layer, however many rows there are.
BLOCK = 8192

# More than the rounding of any bound's own arithmetic (sums of at most 2^20 nonnegative terms, products, roots).
_UP = 1 + 2.0**-30


@dataclass(frozen=True, eq=False)
class Ball:
    """Pre-activations of one layer: |exact - values| <= radius, entry by entry; shapes (rows, units).

    The radius is ``outer(row, unit) + tiny``, so that it costs no more memory than the values' margins.
    """

    values: np.ndarray
    row: np.ndarray
    unit: np.ndarray
    tiny: float

    @property
    def radius(self) -> np.ndarray:
        """The bound for every entry, in float64; infinite where the pass overflowed."""
        with np.errstate(over="ignore", invalid="ignore"):
            bound = (np.outer(self.row, self.unit) + self.tiny) * _UP
        return np.where(np.isfinite(self.values) & np.isfinite(bound), bound, np.inf)

    @property
    def is_exact(self) -> bool:
        """Whether every value is the exact one."""
        return not self.tiny and not (self.row.any() and self.unit.any())

    def signs(self) -> tuple[np.ndarray, np.ndarray]:
        """The sign of each entry as int8, and where it is decided."""
        radius = self.radius
        with np.errstate(invalid="ignore"):
            decided = (np.abs(self.values) > radius) | ((radius == 0) & np.isfinite(self.values))
        return np.where(decided, np.sign(self.values), 0).astype(np.int8), decided


def blocks(rows: int, size: int = BLOCK) -> Iterator[slice]:
    """The rows in slices of `size`."""
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def enclose(net: FloatNet, inputs: np.ndarray, precision: type = np.float64) -> list[Ball]:
    """The pre-activations of every layer at the inputs, the output layer last.

    Parameters
    ----------
    inputs
        Shape (rows, d), float64, finite.
    precision
        ``numpy.float32`` or ``numpy.float64``, in which the products are computed.

    Notes
    -----
    For any order of summation, fused or not, |fl(h.w + b) - (h.w + b)| <= gamma_(k+1) (|h|.|w| + |b|) + k eta with
    gamma_n = n u / (1 - n u), u the unit roundoff and eta the smallest normal number (Higham, Accuracy and Stability
    of Numerical Algorithms, 2nd ed., 3.1 and 2.1); |h|.|w| <= ||h|| ||w||. Rounding weights and inputs to `precision`
    first adds two roundings to each product. Where all entries are multiples of powers of two and no partial sum
    can need more digits than `precision` has, the products are exact and the radius is 0.
    """
    values = np.asarray(inputs, dtype=np.float64)
    row, unit, tiny = np.zeros(len(values)), np.zeros(values.shape[1]), 0.0
    balls = []
    for number, layer in enumerate(net.layers):
        ball = _affine(values, row, unit, tiny, layer, precision)
        balls.append(ball)
        values, row, unit, tiny = ball.values, ball.row, ball.unit, ball.tiny
        if number < len(net.layers) - 1:
            # relu moves no two points further apart.
            values = np.maximum(values, 0)
    return balls


def _affine(
    values: np.ndarray, row: np.ndarray, unit: np.ndarray, tiny: float, layer: FloatLayer, precision: type
) -> Ball:
    weights, bias = layer
    fan_in = weights.shape[1]
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        product = values.astype(precision) @ weights.T.astype(precision)
        product += bias.astype(precision)
        if not tiny and not (row.any() and unit.any()) and _products_exact(values, layer, precision):
            return Ball(product, np.zeros(len(values)), np.zeros(len(bias)), 0.0)
        info = np.finfo(precision)
        steps = (fan_in + 3) * float(info.eps) / 2
        gamma = steps / (1 - steps) * _UP if steps < 0.5 else np.inf
        # The smallest normal number, so that the bound holds too where the processor flushes subnormals to zero.
        eta = float(info.tiny)
        # Carried over from below: sum_k |w_jk| (row_i unit_k + tiny).
        absolute = np.abs(weights)
        carried_unit = absolute @ unit * _UP
        carried_tiny = float((absolute.sum(axis=1) * _UP * tiny).max()) if tiny else 0.0
        # Rounding here: gamma (||h_i|| ||w_j|| + |b_j|) <= gamma (||h_i|| + 1) (||w_j|| + |b_j|). The computed h_i stands for
        # itself: its distance from the exact one is what is carried over. Rounding an entry of h or w to a subnormal errs
        # by eta at most, which its partner in the product multiplies.
        height, width = _norms(values), _norms(weights)
        own_row = gamma * (height + 1) * _UP
        own_unit = (width + np.abs(bias)) * _UP
        largest = 1 + float(height.max(initial=0)) + float(width.max(initial=0))
        own_tiny = fan_in * eta * (largest if precision is np.float32 else 1) * 4
        return Ball(product, np.maximum(row, own_row), (carried_unit + own_unit) * _UP, (carried_tiny + own_tiny) * _UP)


def _norms(rows: np.ndarray) -> np.ndarray:
    """An upper bound of each row's Euclidean norm, without overflow or underflow on the way."""
    largest = np.abs(rows).max(axis=1, initial=0).astype(np.float64)
    safe = np.where(largest > 0, largest, 1)[:, None]
    return largest * np.sqrt(((rows / safe) ** 2).sum(axis=1, dtype=np.float64)) * _UP


def _products_exact(values: np.ndarray, layer: FloatLayer, precision: type) -> bool:
    """Whether no product or partial sum of ``values @ weights.T + bias`` can be rounded."""
    weights, bias = layer
    info = np.finfo(precision)
    grains = [_grain(values), _grain(weights), _grain(bias)]
    if any(grain is None for grain in grains[:2]):
        grain = grains[2] if grains[2] is not None else 0
    else:
        grain = min(grains[0] + grains[1], grains[2] if grains[2] is not None else 2**30)
    # Everything is a multiple of 2^grain; it fits if it is less than 2^(grain + digits), and neither is out of range.
    digits = info.nmant + 1
    high = np.abs(values).max(initial=0) * np.abs(weights).sum(axis=1).max() + np.abs(bias).max()
    high = max(float(high), float(np.abs(values).max(initial=0)), float(np.abs(weights).max()))
    if (
        not np.isfinite(high * _UP)
        or grain < info.minexp
        or min(g for g in (*grains, grain) if g is not None) < info.minexp
    ):
        return False
    return high * _UP <= 2.0 ** min(grain + digits, info.maxexp - 1) and _fits(values, grains[0], digits) and _fits(
        weights, grains[1], digits
    )  # fmt: skip


def _grain(array: np.ndarray) -> int | None:
    """The greatest e with every entry a multiple of 2^e; None if all are 0."""
    entries = array[array != 0]
    if not entries.size:
        return None
    mantissa, exponent = np.frexp(entries.astype(np.float64))
    integers = np.abs(np.ldexp(mantissa, 53).astype(np.int64))
    trailing = np.frexp((integers & -integers).astype(np.float64))[1] - 1
    return int((exponent - 53 + trailing).min())


def _fits(array: np.ndarray, grain: int | None, digits: int) -> bool:
    """Whether multiples of 2^grain of this size are exact in the precision."""
    return grain is None or float(np.abs(array).max()) <= 2.0 ** min(grain + digits, 1000)
