"""A net that was hardened: against the net before, output weights of some units are 0, and biases above them differ.

Over the reals no output at a training row differs by more than is stated.
"""

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import FloatNet, Floats, aligned, blocks

Units = set[tuple[int, int]]


def check_hardened(before: FloatNet, after: FloatNet, train: Floats, still: Units, fact: Fact) -> None:
    """The nets differ as stated, agree up to `deviation`, and no unit of one value in training sends but those left.

    `still` are the units of `after` that have one value at all training rows, as facts about units have shown.
    """
    require(before.widths == after.widths, "the architectures differ")
    removed, left = _units(after, fact["removed"]), _units(after, fact["left"])
    for number in range(1, len(before.layers) + 1):
        cut = [j for layer, j in removed if layer == number - 1]
        expected = before.cut(number, cut, after.biases(number)) if cut else before
        require(
            expected.same_layer(after, number),
            f"layer {number} is not that before with the circuits cut, and other biases where some were",
        )
    for layer, j in sorted(still - left):
        require(not after.layers[layer][0][:, j].any(), f"unit {layer}.{j} has one value in training, and sends it on")
    deviation, last = hexadecimal(fact["deviation"]), len(after.layers)
    for block in blocks(len(train)):
        one, other, exponent, divisor = aligned(before.exact(train[block], last), after.exact(train[block], last))
        # |M| 2^e / d <= p / q, in integers.
        up, down = max(exponent, 0), max(-exponent, 0)
        far = abs(one - other) * (deviation.denominator << up) > deviation.numerator * divisor << down
        require(
            not far.any(), f"an output differs by more than is stated at a row of {block.start} .. {block.stop - 1}"
        )


def _units(net: FloatNet, listed: object) -> Units:
    """Hidden units of the net, from pairs of layer and index."""
    if not isinstance(listed, list):
        raise Refused("a list of units is missing")
    # Before they are a set, where True is 1.
    for layer, j in listed:
        hidden = type(layer) is int and type(j) is int and 1 <= layer < len(net.layers) and 0 <= j < net.widths[layer]
        require(hidden, f"({layer!r}, {j!r}) is no hidden unit")
    return {(layer, j) for layer, j in listed}
