"""The sizes of a layer's operators in a file, by which every float32 evaluation of them is bounded.

A framework rounds between the operators, or multiplies some of them beforehand; the bound holds for both.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, assert_never

import numpy as np

from proof_of_absence.checker.numbers.rounding import TINY, U64, UP, gamma
from proof_of_absence.checker.passes.enclosure import norms
from proof_of_absence.models.layers import FloatLayer, nearest_floats
from proof_of_absence.models.steps import Dense, Scale, Shift, Steps

__all__ = ["MatrixSizes", "Sizes", "StepSizes", "sizes_of_steps"]

INFO = np.finfo(np.float32)
# Roundings that an entry takes part in, beside the products and sums of a matrix: of a matrix (its operands, and alpha
# of a Gemm), of a shift (its operand, beta, the sum), and of a scale. A scale may be that of a BatchNorm: variance,
# epsilon, their sum, the root, the quotient, two products, the root to 53 digits here; four are to spare.
MATRIX, SHIFT, SCALE = 4, 3, 12
# Numbers of one operator that may be flushed to 0 on the way to an entry, for each term; a few to spare.
FLUSHED = 64


class MatrixSizes(NamedTuple):
    """Of an affine map as a framework takes it: |weights|, the norms of its rows, and |bias|."""

    absolute: np.ndarray
    width: np.ndarray
    bias: np.ndarray

    @property
    def moved(self) -> np.ndarray:
        """By how much at most an output moves with an input."""
        return self.absolute

    @property
    def rounding(self) -> float:
        """Each product takes part in k + 3 roundings at most: k are its own and those of the sum."""
        return gamma(self.absolute.shape[1] + 3, float(INFO.eps) / 2)

    def flushed(self, reach: np.ndarray) -> float:
        """What numbers flushed to 0 cost: k products, k sums, k operands on either side, magnified by 1 + gamma < 2."""
        largest = 1 + float(reach.max()) + float(self.absolute.max())
        return float(10 * self.absolute.shape[1] * float(INFO.tiny) * largest)

    def largest(self, reach: np.ndarray) -> np.ndarray:
        """No number on the way is larger, for each row; operands must be finite too."""
        sums = 2 * (reach * float(self.width.max()) + float(self.bias.max())) * UP
        return np.maximum(sums, float(self.absolute.max()))


class StepSizes(NamedTuple):
    """Of the operators of one layer, multiplied out: an output is a sum of products of their entries and an input.

    `absolute` and `bias` are the sums of the sizes of these products, `width` the norms of the rows; `moved` is the
    size of the exact product, in which terms may cancel. `wide` bounds the sum with every factor less than 1 taken as
    1, times the greatest input or 1, and `wide_bias` without one.

    Notes
    -----
    Whether a framework takes the operators one after the other, or multiplies adjacent ones beforehand in float32 or
    better (a BatchNorm into the matrix before it, alpha and beta of it from the four parameters), by the distributive
    law it computes the same sum of products, and each product takes part in no more roundings than all operators have:
    so the whole is off by gamma times the sum of their sizes (Higham, 2nd ed., lemma 3.1). A number that is flushed to
    0 is missing times other factors of its product, which `wide` bounds; so does it what may overflow.
    """

    absolute: np.ndarray
    width: np.ndarray
    bias: np.ndarray
    moved: np.ndarray
    roundings: int
    wide: float
    wide_bias: float
    operators: int

    @property
    def rounding(self) -> float:
        """gamma of all roundings."""
        return gamma(self.roundings, float(INFO.eps) / 2)

    def flushed(self, reach: np.ndarray) -> float:
        """What numbers flushed to 0 cost."""
        return FLUSHED * self.operators * float(INFO.tiny) * float(self.largest(reach).max())

    def largest(self, reach: np.ndarray) -> np.ndarray:
        """No number on the way is larger, for each row."""
        return np.asarray(2 * (np.maximum(reach, 1) * self.wide + self.wide_bias) * UP)


# What bounds the float32 evaluations of a layer: of one map, or of the operators of a file.
Sizes = MatrixSizes | StepSizes


def sizes_of_steps(steps: Steps, layer: FloatLayer, units: Sequence[int] | None = None) -> StepSizes:
    """The sizes of the operators whose product is the layer, for some of its units; infinite where float64 overflows.

    Examples
    --------
    >>> from proof_of_absence.models.layers import FloatAffine
    >>> steps = Steps((Dense(np.array([[3.0]])), Shift([Fraction(1)]), Shift([Fraction(-1)])), np.dtype("float32"))
    >>> found = sizes_of_steps(steps, FloatAffine(np.array([[3.0]]), np.array([0.0])))
    >>> found.bias.round(6).tolist(), found.roundings
    ([2.0], 11)
    """
    absolute: np.ndarray | None = None
    factors, bias = np.ones(layer.fan_in), np.zeros(layer.fan_in)
    wide, wide_bias, roundings = np.ones(layer.fan_in), np.zeros(layer.fan_in), 0
    with np.errstate(all="ignore"):
        for op in steps.ops:
            match op:
                case Dense(weights):
                    size = np.abs(weights)
                    absolute = size * factors if absolute is None else size @ absolute
                    absolute, bias = absolute * UP, (size @ bias) * UP
                    padded = np.maximum(size, 1)
                    wide, wide_bias = (padded @ wide) * UP, (padded @ wide_bias) * UP
                    roundings += weights.shape[1] + MATRIX
                case Scale(scales, within):
                    size = _sizes(scales)
                    if absolute is None:
                        factors = factors * size * UP
                    else:
                        absolute = absolute * size[:, None] * UP
                    bias = bias * size * UP
                    padded = np.maximum(size, 1) * np.ldexp(1.0, within)
                    wide, wide_bias = padded * wide * UP, padded * wide_bias * UP
                    roundings += SCALE
                case Shift(numbers):
                    size = _sizes(numbers)
                    bias, wide_bias = (bias + size) * UP, (wide_bias + np.maximum(size, 1)) * UP
                    roundings += SHIFT
                case _:
                    assert_never(op)
        absolute = np.diag(factors) if absolute is None else absolute
        # What underflowed on the way.
        absolute, bias = absolute + TINY, bias + TINY
    chosen = slice(None) if units is None else list(units)
    moved = np.abs(nearest_floats(layer).weights[chosen]) * (1 + 2 * U64)
    width = norms(absolute[chosen])
    whole = float(wide.max()), float(wide_bias.max())
    return StepSizes(absolute[chosen], width, bias[chosen], moved, roundings, *whole, len(steps.ops))


def _sizes(numbers: Sequence[Fraction]) -> np.ndarray:
    """Floats that are no less than the sizes of the numbers."""
    return np.array([_size(number) for number in numbers])


def _size(number: Fraction) -> float:
    try:
        return abs(float(number)) * (1 + 4 * U64)
    except OverflowError:
        return float("inf")
