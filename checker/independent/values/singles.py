"""How far float32 evaluations of a net are from the exact one, layer by layer, whatever the order of their sums.

Subnormal numbers may be flushed to 0 or kept, products and sums fused or not; inputs are rounded to float32 first.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.floats import FloatNet, Floats
from proof_of_absence.checker.independent.values.rounding import (
    LARGEST_SINGLE,
    LEAST_SINGLE,
    TINY,
    U_SINGLE,
    UP,
    gamma,
)


class Single(NamedTuple):
    """Pre-activations of a layer: |exact - value| <= radius and |float32 - exact| <= delta, entry by entry."""

    value: Floats
    radius: Floats
    delta: Floats


def singles(net: FloatNet, inputs: Floats, layers: int) -> Iterator[Single]:
    """The first layers at these rows, one after the other; refused where float32 might overflow."""
    require(not net.rational, "a layer has entries that no float32 evaluation has")
    with np.errstate(all="ignore"):
        values, radius, delta = inputs, np.zeros_like(inputs), np.zeros_like(inputs)
        for (weights, bias), (pre, rad) in zip(net.layers[:layers], net.bounded(inputs, layers), strict=True):
            steps = weights.shape[1] + 3
            absolute = np.abs(weights.T)
            reach = (np.abs(values) + radius + delta) * UP
            sums = (reach @ absolute + np.abs(bias)) * UP
            # An operand flushed to 0 costs the least one times its partner; each of k products and k sums costs it.
            flushed = LEAST_SINGLE * (reach.sum(axis=1, keepdims=True) + absolute.sum(axis=0) + 2 * len(absolute))
            delta = (delta @ absolute + gamma(steps, U_SINGLE) * sums + 2 * flushed + steps * TINY) * UP**2
            finite = all((x < LARGEST_SINGLE).all() for x in (reach, absolute, 2 * sums))
            require(finite, "float32 might overflow")
            yield Single(pre, rad, delta)
            values, radius = np.maximum(pre, 0), rad
