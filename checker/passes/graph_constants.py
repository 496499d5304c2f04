"""The numbers of a graph's layers that are no floats, as the floats nearest to them, with what is left between.

A constant that no normal float is near becomes NaN, so that nothing is concluded from it.
"""

from fractions import Fraction
from math import inf, isnan, nan

import numpy as np
from flint import arb, ctx

from proof_of_absence.checker.numbers.balls import ball
from proof_of_absence.checker.numbers.rounding import U64
from proof_of_absence.models.graph_layers import BatchNorm

__all__ = ["LEAST", "U32", "UP32", "WITHIN", "edge", "nearest", "normalised"]

# Unit roundoff of float32.
U32 = 2.0**-24
# More than what eight roundings of float32 make of a positive number.
UP32 = 1 + 2.0**-20
# What a number other than 0 counts as at least in a radius.
LEAST = 2.0**-90
# What a batch normalisation evaluated in float32 is bounded for: numbers up to this, and a variance from its inverse.
WITHIN = 2.0**60

# What stands for less than that: since it is not 0, it counts as LEAST in a radius, which holds the difference.
NOUGHT = 2.0**-400

# A constant of a batch normalisation is bounded for in float32 if it is 0 or at least this.
SMALLEST = Fraction(1, 2**100)

_SMALL, _LARGE = 2.0**-1000, 2.0**1000


def nearest(numbers: np.ndarray) -> np.ndarray:
    """The nearest floats to Fractions (dtype object), in the same shape; NaN where one is no normal number."""
    found = [_float(x) for x in numbers.reshape(-1).tolist()]
    return np.array(found, dtype=np.float64).reshape(numbers.shape)


def edge(number: Fraction, roundoff: float = 0.0) -> tuple[float, float]:
    """The nearest float to a constant, and how far the exact one is from it, or one that is rounded with `roundoff`."""
    near = _float(number)
    if isnan(near):
        return near, inf
    # A subnormal float32 may be flushed to 0.
    single = near == 0 or (2.0**-126 <= abs(near) < 2.0**127 and float(np.float32(near)) == near)
    held = Fraction(near) == number and (single or not roundoff)
    return near, 0.0 if held else max(abs(near) * (U64 + roundoff) * UP32, LEAST)


def normalised(layer: BatchNorm) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three floats for each channel: ``factor / sqrt(square)``, its scale; ``shift - mean scale``; what float32 rounds.

    That is at least ``|shift| + |mean scale|``, and what may underflow, over 2^-24; it is NaN where a number is too
    large or too small for a bound on float32. Each is within 2^-52 of the exact one, relatively, or `NOUGHT`, or NaN.
    """
    rows = zip(layer.factor, layer.mean, layer.square, layer.shift, strict=True)
    found = []
    before, ctx.prec = ctx.prec, 512
    try:
        for factor, mean, square, shift in rows:
            scale = ball(factor) / ball(square).sqrt()
            moved = ball(mean) * scale
            # Four operations may each flush a result below 2^-126, which the later ones magnify.
            flushed = (abs(ball(factor)) + abs(ball(mean)) + abs(scale) + 2) * arb(2) ** -98
            within = max(abs(factor), abs(mean), abs(shift), square, 1 / square) <= WITHIN
            # What is subnormal in float32 may be flushed to 0, and a large partner magnifies that.
            within = within and all(not x or abs(x) >= SMALLEST for x in (factor, mean, shift))
            within = within and (not factor or bool(abs(scale) >= arb(2) ** -100))
            rounded = _near(abs(ball(shift)) + abs(moved) + flushed) if within else nan
            found.append((_near(scale), _near(ball(shift) - moved), rounded))
    finally:
        ctx.prec = before
    scales, shifts, others = np.array(found, dtype=np.float64).T
    return scales, shifts, others


def _float(number: Fraction) -> float:
    try:
        near = float(number)
    except OverflowError:
        return nan
    return near if not number or _SMALL < abs(near) < _LARGE else nan


def _near(number: arb) -> float:
    """A float within 2^-52 of a number, relatively; NaN where its ball does not show it, or it is no normal number.

    It is `NOUGHT` where the number is less: a difference that may be 0, which no ball tells.
    """
    if number == 0:
        return 0.0
    if abs(number) < NOUGHT:
        return NOUGHT
    near = float(number)
    if not _SMALL < abs(near) < _LARGE:
        return nan
    return near if abs(number - arb(near)) < arb(abs(near)) * arb(2) ** -52 else nan
