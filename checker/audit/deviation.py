"""How far a float32 evaluation of the network can be from the exact one, whatever the order of its sums.

The audit decides about exact real arithmetic; this says what that is worth for the network as deployed.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, assert_never

import numpy as np

from proof_of_absence.checker.audit.idle import truncated
from proof_of_absence.checker.numbers.rounding import TINY, UP, gamma
from proof_of_absence.checker.passes.enclosure import norms
from proof_of_absence.checker.passes.residuals import Block, evaluate
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer, RationalAffine

__all__ = ["Deviation", "dead_in_float32", "float32_deviation"]

INFO = np.finfo(np.float32)
# Beyond this a partial sum might overflow to infinity; float32 goes to 2^128.
LARGEST = 2.0**127


class _Sizes(NamedTuple):
    """Of an affine map the entries of |weights|, the norms of its rows, and |bias|."""

    absolute: np.ndarray
    width: np.ndarray
    bias: np.ndarray


def _sizes(layer: FloatLayer) -> _Sizes:
    match layer:
        case FloatAffine(weights, bias):
            return _Sizes(np.abs(weights), norms(weights), np.abs(bias))
        case RationalAffine():
            raise ValueError("no float32 evaluation has a layer whose entries no float64 holds")
        case _:
            assert_never(layer)


class Deviation:
    """A visitor of `evaluate` that bounds |float32 - exact| over the outputs at the rows it is shown: `largest`.

    Notes
    -----
    Let h be the exact values of a layer of k entries and h' any computed ones, |h' - h| <= delta. Inputs and weights
    are rounded to float32 if they are no float32 numbers, so each product takes part in k + 3 roundings at most, in
    any order of summation, fused or not: |fl(h'.w + b) - (h.w + b)| <= |w|.delta + gamma
    (|h'|.|w| + |b|) + underflow, with |h'| <= |h| + delta and gamma = (k + 3) u / (1 - (k + 3) u), u = 2^-24 (Higham,
    2nd ed., 3.1); relu moves no two points further apart. Every operation whose result or operand is subnormal may
    flush it to 0. The matrix product is the classical one, in float32 throughout (no TF32, no bfloat16). delta is
    kept as row_i unit_j + tiny, entry by entry.
    """

    def __init__(self, net: FloatNet, inputs: np.ndarray):
        self._inputs = inputs
        self._layers = list(map(_sizes, net.layers))
        self.largest = 0.0

    def __call__(self, block: Block) -> None:
        """Take in one block."""
        self.largest = max(self.largest, float(self.bounds(block).max()))

    def bounds(self, block: Block) -> np.ndarray:
        """The bound for each row of the block and each output; infinite where float32 might overflow."""
        with np.errstate(all="ignore"):
            delta = self._outputs(block)
            return np.where(np.isfinite(delta), delta, np.inf)

    def _outputs(self, block: Block) -> np.ndarray:
        row, unit, tiny = np.zeros(len(block.residuals)), np.zeros(self._inputs.shape[1]), 0.0
        height = norms(self._inputs[block.rows])
        # An input that rounds to infinity.
        row[height > LARGEST] = np.inf
        for (absolute, width, bias), ball in zip(self._layers, block.balls, strict=True):
            fan_in = absolute.shape[1]
            rounding = gamma(fan_in + 3, float(INFO.eps) / 2)
            # |h'_i| in norm, for every evaluation.
            reach = (height + row * _norm(unit) + tiny * np.sqrt(fan_in)) * UP + TINY
            own_row = rounding * (reach + 1) * UP
            own_unit = (width + bias + TINY) * UP
            carried_unit = (absolute @ unit + fan_in * TINY) * UP
            carried_tiny = (float(absolute.sum(axis=1).max()) * tiny + TINY) * UP
            largest = 1 + float(reach.max()) + float(absolute.max())
            # k products, k sums, and k flushed operands on either side, each magnified by 1 + gamma <= 2.
            tiny = (carried_tiny + 10 * fan_in * float(INFO.tiny) * largest) * UP
            # Partial sums are at most (1 + gamma) (|h'||w| + |b|); operands must be finite too.
            sums = 2 * (reach * float(width.max()) + float(bias.max())) * UP
            row = np.maximum(row, own_row)
            row[~(np.maximum(sums, float(absolute.max())) < LARGEST)] = np.inf
            unit = (carried_unit + own_unit) * UP
            radius = ball.row * _norm(ball.unit) + ball.tiny * np.sqrt(len(width)) + TINY
            height = (norms(np.maximum(ball.values, 0)) + radius) * UP
        return (np.outer(row, unit) + tiny) * UP


def float32_deviation(net: FloatNet, inputs: np.ndarray) -> Fraction | None:
    """A bound on |float32 evaluation - exact real evaluation|, over all outputs and rows.

    None where float32 might overflow, and for a net with a layer whose entries are no floats.

    It holds for any order of summation, fused or not, with subnormals flushed to 0 or kept; a net or inputs of type
    float64 are first rounded to float32. It is a worst case: measured deviations are usually far smaller.

    Parameters
    ----------
    inputs
        Shape (N, d), float64, finite.

    Examples
    --------
    >>> net = FloatNet([([[1.0, 1.0]], [0.0])])
    >>> float(float32_deviation(net, np.array([[0.1, 0.2]]))) < 1e-6
    True
    """
    if not net.in_floats:
        return None
    deviation = Deviation(net, inputs)
    try:
        evaluate(net, inputs, np.zeros((len(inputs), net.widths[-1])), deviation)
    except OverflowError:
        return None
    return Fraction(deviation.largest) if np.isfinite(deviation.largest) else None


def dead_in_float32(net: FloatNet, inputs: np.ndarray, layer: int, units: Sequence[int]) -> bool:
    """Whether the units have the value 0 at every row in every float32 evaluation, as `float32_deviation` takes these.

    False where the bounds do not show it.
    """
    part = truncated(net, layer, units)
    deviation, dead = Deviation(part, inputs), [True]

    def look(block: Block) -> None:
        ball = block.balls[-1]
        with np.errstate(all="ignore"):
            highest = (ball.values + ball.radius + deviation.bounds(block)) * UP
        dead[0] = dead[0] and bool((highest <= 0).all())

    try:
        evaluate(part, inputs, np.zeros((len(inputs), len(units))), look)
    except OverflowError:
        return False
    return dead[0]


def _norm(vector: np.ndarray) -> float:
    return float(norms(vector[None])[0])
