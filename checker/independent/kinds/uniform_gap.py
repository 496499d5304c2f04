"""C12: a constant c(X) of the inputs alone, and a net whose loss is lower by that part of the excess."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, circuit, differ_only_in, dot, number, numbers


def uniform_gap(fact: Fact) -> None:
    """`after` has a loss lower by at least h^2 / (18 N^2 (D + h)^2) of the distance of `net` from the noise floor.

    `after` is `net` with one more unit along the direction; or, with `circuit`, `net` with the parameters of that
    train-idle circuit, and the output bias, reassigned.
    """
    net, after, data = Net(fact["net"]), Net(fact["after"]), Data(fact["data"])
    require(len(net.layers) == len(after.layers) == 2, "not shallow nets")
    gap = gap_along(fact, data.inputs, len(data.inputs))
    require_equal("the gap", number(fact["gap"]), gap)
    if "circuit" in fact:
        units = circuit(net, fact["circuit"])
        differ_only_in(net, after, units)
        net.idle_value(units, data.inputs)
    else:
        _one_more(net, after, numbers(fact["direction"]))
    before, drop = data.error(net), data.error(net) - data.error(after)
    require_equal("the drop", number(fact["drop"]), drop / len(data.inputs))
    require(drop >= gap * (before - data.floor()), "the gain is less than the gap promises")


def gap_along(fact: Fact, inputs: Iterable[Sequence[Fraction]], rows: int) -> Fraction:
    """c(X) for so many rows, if distinct inputs project at least `separation` and at most `spread` apart."""
    w, h, spread = numbers(fact["direction"]), number(fact["separation"]), number(fact["spread"])
    line = sorted(dot(w, z) for z in set(map(tuple, inputs)))
    require(all(a != b for a, b in pairwise(line)), "two inputs have the same projection")
    require(h > 0 and all(b - a >= h for a, b in pairwise(line)), "two projections are closer than that")
    require(line[-1] - line[0] <= spread, "two projections are further apart than that")
    return promised(h, spread, rows)


def promised(h: Fraction, spread: Fraction, rows: int) -> Fraction:
    """c(X) = h^2 / (18 N^2 (D + h)^2) for separation h, spread D and N rows."""
    return h**2 / (18 * rows**2 * (spread + h) ** 2)


def _one_more(net: Net, after: Net, w: list[Fraction]) -> None:
    (rows, bias), (outgoing, shift) = net.layers
    (new_rows, new_bias), (new_outgoing, new_shift) = after.layers
    require(new_rows == [*rows, w] and new_bias[:-1] == bias, "the hidden layer is not the old one and one unit more")
    same = [row[:-1] for row in new_outgoing] == outgoing and new_shift == shift
    require(same, "an output weight of an old unit, or an output bias, differs")


KINDS = {
    "uniform-gap": uniform_gap,
}
