"""That a net and the one made of it by hardening give the same float32 numbers at the training rows, to the bit.

Let sums be taken in one order in both, and let the only edits be output weights that become 0, with their signs, of
units whose pre-activation is at most 0 in every float32 evaluation. Layer by layer the values are then the same floats:
a weight w and w' = 0 of its sign meet the same zero h, so w h and w' h are one zero, and no sum changes.
"""

import numpy as np

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.floats import FloatNet, Floats, blocks
from proof_of_absence.checker.independent.values.rounding import UP
from proof_of_absence.checker.independent.values.singles import singles

BLOCK = 1024


def check_same_in_float32(before: FloatNet, after: FloatNet, train: Floats, fact: Fact) -> None:
    """The nets are of float32, differ by such edits alone, and the units named are 0 in float32 at every row."""
    units = fact["units"]
    require(isinstance(units, list) and bool(units), "a list of units is missing")
    single = np.dtype(np.float32)
    require(not (before.rational or after.rational), "a layer has entries that no float32 evaluation has")
    require(before.holds(single) and after.holds(single), "a weight is no float32")
    require(before.widths == after.widths, "the architectures differ")
    for layer, j in units:
        hidden = type(layer) is int and type(j) is int and 1 <= layer < len(before.layers)
        require(hidden and 0 <= j < before.widths[layer], f"({layer!r}, {j!r}) is no hidden unit")
    for number, ((old, old_bias), (new, new_bias)) in enumerate(zip(before.layers, after.layers, strict=True), 1):
        cut = sorted({j for layer, j in units if layer == number - 1})
        expected = old.copy()
        expected[:, cut] = np.copysign(0.0, expected[:, cut])
        same = expected.tobytes() == new.tobytes() and old_bias.tobytes() == new_bias.tobytes()
        require(same, f"layer {number} differs in more than output weights that are 0, with their signs")
    for layer in sorted({layer for layer, _ in units}):
        _require_dead(before, train, layer, sorted({j for number, j in units if number == layer}))


def _require_dead(net: FloatNet, train: Floats, layer: int, units: list[int]) -> None:
    """Refuse unless every float32 evaluation has pre-activations of at most 0 at all rows."""
    for part in blocks(len(train), BLOCK):
        *_, (value, radius, delta) = singles(net, train[part], layer)
        with np.errstate(all="ignore"):
            off = (radius[:, units] + delta[:, units]) * UP
            # NaN is not below.
            dead = value[:, units] <= -off
        require(bool(dead.all()), f"a unit of layer {layer} may be more than 0 in float32 at a row")
