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
from proof_of_absence.checker.independent.values.steps import FLUSHED, Sizes, sizes


class Single(NamedTuple):
    """Pre-activations of a layer: |exact - value| <= radius and |float32 - exact| <= delta, entry by entry."""

    value: Floats
    radius: Floats
    delta: Floats


def singles(net: FloatNet, inputs: Floats, layers: int) -> Iterator[Single]:
    """The first layers at these rows, one after the other; refused where float32 might overflow.

    Where the file lists several operators for a layer, every evaluation of them is bounded, taken one after the other
    or multiplied beforehand in part: each is a sum of the same products, and `steps.sizes` bounds these.
    """
    require(bool(net.steps) or not net.rational, "a layer has entries that no float32 evaluation has")
    net.require_steps()
    with np.errstate(all="ignore"):
        values, radius, delta = inputs, np.zeros_like(inputs), np.zeros_like(inputs)
        for number, (pre, rad) in enumerate(net.bounded(inputs, layers), 1):
            weights, bias = net.layers[number - 1]
            absolute = np.abs(weights.T) * (1 + 2 * net.off(number))
            reach = (np.abs(values) + radius + delta) * UP
            if number in net.steps:
                delta = _of_steps(sizes(net.steps[number], len(absolute)), absolute, reach, delta)
            else:
                delta = _of_matrix(absolute, np.abs(bias), reach, delta)
            yield Single(pre, rad, delta)
            values, radius = np.maximum(pre, 0), rad


def _of_matrix(absolute: Floats, bias: Floats, reach: Floats, delta: Floats) -> Floats:
    """What one matrix and its bias make of the error of its inputs, and add."""
    steps = len(absolute) + 3
    sums = (reach @ absolute + bias) * UP
    # An operand flushed to 0 costs the least one times its partner; each of k products and k sums costs it.
    flushed = LEAST_SINGLE * (reach.sum(axis=1, keepdims=True) + absolute.sum(axis=0) + 2 * len(absolute))
    finite = all((x < LARGEST_SINGLE).all() for x in (reach, absolute, 2 * sums))
    require(finite, "float32 might overflow")
    result: Floats = (delta @ absolute + gamma(steps, U_SINGLE) * sums + 2 * flushed + steps * TINY) * UP**2
    return result


def _of_steps(size: Sizes, moved: Floats, reach: Floats, delta: Floats) -> Floats:
    """The same of operators: the error of an input is carried by their exact product, `moved`."""
    sums = (reach @ size.absolute.T + size.bias) * UP
    largest = np.maximum(reach.max(axis=1, keepdims=True), 1)
    wide = 2 * (largest * size.wide + size.wide_bias) * UP
    require(bool((wide < LARGEST_SINGLE).all()), "float32 might overflow")
    # What underflows in float64 on the way is less than what is flushed here.
    flushed = FLUSHED * size.operators * LEAST_SINGLE * wide
    require(size.roundings * U_SINGLE < 0.5, "too many roundings")
    result: Floats = (delta @ moved + gamma(size.roundings, U_SINGLE) * sums + flushed) * UP**2
    return result
