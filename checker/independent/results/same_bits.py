"""That a net and the one made of it by hardening give the same float32 numbers at the training rows, to the bit.

Let sums be taken in one order in both, and let the only edits be output weights that become 0, with their signs, of
units whose pre-activation is at most 0 in every float32 evaluation. Layer by layer the values are then the same floats:
a weight w and w' = 0 of its sign meet the same zero h, so w h and w' h are one zero, and no sum changes.

Where a file lists several operators for a layer, they are taken one after the other, or a shift or scale is multiplied
into the matrix beside it, alike in both nets. The edited weights are those of a layer's first matrix, and what stands
below it adds 0 to the units named: then it reads a zero of one sign in both nets.
"""

import numpy as np

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import FloatNet, Floats, blocks
from proof_of_absence.checker.independent.values.rounding import UP
from proof_of_absence.checker.independent.values.singles import singles
from proof_of_absence.checker.independent.values.steps import Dense, Ops, Shift

BLOCK = 1024
DIFFERS = "differs in more than output weights that are 0, with their signs"


def check_same_in_float32(before: FloatNet, after: FloatNet, train: Floats, fact: Fact) -> None:
    """The nets are of float32, differ by such edits alone, and the units named are 0 in float32 at every row."""
    units = fact["units"]
    require(isinstance(units, list) and bool(units), "a list of units is missing")
    single = np.dtype(np.float32)
    require(set(before.steps) == set(after.steps), "one of the nets has no operators")
    if not before.steps:
        require(not (before.rational or after.rational), "a layer has entries that no float32 evaluation has")
        require(before.holds(single) and after.holds(single), "a weight is no float32")
    require(before.widths == after.widths, "the architectures differ")
    for layer, j in units:
        hidden = type(layer) is int and type(j) is int and 1 <= layer < len(before.layers)
        require(hidden and 0 <= j < before.widths[layer], f"({layer!r}, {j!r}) is no hidden unit")
    for number in range(1, len(before.layers) + 1):
        cut = sorted({j for layer, j in units if layer == number - 1})
        if before.steps:
            _require_cut(before.steps[number], after.steps[number], cut, number)
            continue
        (old, old_bias), (new, new_bias) = before.layers[number - 1], after.layers[number - 1]
        same = _signed_cut(old, cut).tobytes() == new.tobytes() and old_bias.tobytes() == new_bias.tobytes()
        require(same, f"layer {number} {DIFFERS}")
    # Those of the net before are multiplied when the units are shown to be 0.
    after.require_steps()
    for layer in sorted({layer for layer, _ in units}):
        _require_dead(before, train, layer, sorted({j for number, j in units if number == layer}))


def _require_cut(before: Ops, after: Ops, cut: list[int], number: int) -> None:
    """Refuse unless the operators are the same, but for columns of the first matrix that are 0 with their signs."""
    require(len(before) == len(after), f"layer {number} {DIFFERS}")
    below = True
    for old, new in zip(before, after, strict=True):
        match old, new:
            case Dense(weights), Dense(others):
                expected = _signed_cut(weights, cut) if below else weights
                same, below = expected.tobytes() == others.tobytes() and expected.shape == others.shape, False
            case Shift(numbers), Shift(moved):
                same = numbers == moved
                added = below and any(numbers[j] for j in cut)
                require(not added, f"something is added to a unit of layer {number - 1} before it is weighed")
            case _:
                same = old == new
        require(bool(same), f"layer {number} {DIFFERS}")
    require(not (cut and below), f"layer {number} has no matrix that weighs its inputs")


def _signed_cut(weights: Floats, cut: list[int]) -> Floats:
    result = weights.copy()
    result[:, cut] = np.copysign(0.0, result[:, cut])
    return result


def _require_dead(net: FloatNet, train: Floats, layer: int, units: list[int]) -> None:
    """Refuse unless every float32 evaluation has pre-activations of at most 0 at all rows."""
    for part in blocks(len(train), BLOCK):
        *_, (value, radius, delta) = singles(net, train[part], layer)
        with np.errstate(all="ignore"):
            off = (radius[:, units] + delta[:, units]) * UP
            # NaN is not below.
            dead = value[:, units] <= -off
        require(bool(dead.all()), f"a unit of layer {layer} may be more than 0 in float32 at a row")
