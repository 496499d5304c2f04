"""How far a float32 evaluation of the network can be from the exact one, whatever the order of its sums.

The audit decides about exact real arithmetic; this says what that is worth for the network as deployed.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

import numpy as np

from proof_of_absence.checker.audit.idle import truncated
from proof_of_absence.checker.audit.step_sizes import MatrixSizes, Sizes, sizes_of_steps
from proof_of_absence.checker.numbers.rounding import TINY, UP
from proof_of_absence.checker.passes.enclosure import norms
from proof_of_absence.checker.passes.residuals import Block, evaluate
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, RationalAffine

__all__ = ["Deviation", "dead_in_float32", "float32_deviation"]

# Beyond this a partial sum might overflow to infinity; float32 goes to 2^128.
LARGEST = 2.0**127


def _sizes(net: FloatNet, layer: int | None = None, units: Sequence[int] | None = None) -> list[Sizes]:
    """The sizes of each layer up to one (all, if none is named), of which some units."""
    last = len(net.layers) if layer is None else layer
    found: list[Sizes] = []
    for number, at in enumerate(net.layers[:last], 1):
        chosen = units if number == last else None
        if net.steps is not None:
            found.append(sizes_of_steps(net.steps[number - 1], at, chosen))
            continue
        match at:
            case FloatAffine():
                weights, bias = at if chosen is None else (at.weights[list(chosen)], at.bias[list(chosen)])
                found.append(MatrixSizes(np.abs(weights), norms(weights), np.abs(bias)))
            case RationalAffine():
                raise ValueError("no float32 evaluation has a layer whose entries no float64 holds")
            case _:
                assert_never(at)
    return found


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
    kept as row_i unit_j + tiny, entry by entry. Where the file lists several operators for a layer, `StepSizes` says
    what takes the place of |w|, |b| and gamma.
    """

    def __init__(self, net: FloatNet, inputs: np.ndarray, sizes: list[Sizes] | None = None):
        self._inputs = inputs
        self._layers = _sizes(net) if sizes is None else sizes
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
        for sizes, ball in zip(self._layers, block.balls, strict=True):
            fan_out, fan_in = sizes.absolute.shape
            # |h'_i| in norm, for every evaluation.
            reach = (height + row * _norm(unit) + tiny * np.sqrt(fan_in)) * UP + TINY
            own_row = sizes.rounding * (reach + 1) * UP
            own_unit = (sizes.width + sizes.bias + TINY) * UP
            carried_unit = (sizes.moved @ unit + fan_in * TINY) * UP
            carried_tiny = (float(sizes.moved.sum(axis=1).max()) * tiny + TINY) * UP
            tiny = (carried_tiny + sizes.flushed(reach)) * UP
            row = np.maximum(row, own_row)
            row[~(sizes.largest(reach) < LARGEST)] = np.inf
            unit = (carried_unit + own_unit) * UP
            radius = ball.row * _norm(ball.unit) + ball.tiny * np.sqrt(fan_out) + TINY
            height = (norms(np.maximum(ball.values, 0)) + radius) * UP
        return (np.outer(row, unit) + tiny) * UP


def float32_deviation(net: FloatNet, inputs: np.ndarray) -> Fraction | None:
    """A bound on |float32 evaluation - exact real evaluation|, over all outputs and rows.

    None where float32 might overflow, and for a net of rationals that was read from no file. Where the file lists
    several operators for a layer, it is the running model's evaluation of these, one after the other or multiplied.

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
    if not (net.in_floats or net.steps):
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
    deviation, dead = Deviation(part, inputs, _sizes(net, layer, units)), [True]

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
