"""C12 and C13 on given nets and data: the gauge, the constant c(X), what one more unit gains, and what a circuit pays."""

from fractions import Fraction
from itertools import pairwise

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.nets import Data, Net, circuit, differ_only_in, dot, number, numbers


def uniform_gap(fact: dict) -> None:
    """`after` has a loss lower by at least h^2 / (18 N^2 (D + h)^2) of the distance of `net` from the noise floor.

    `after` is `net` with one more unit along the direction; or, with `circuit`, `net` with the parameters of that
    train-idle circuit, and the output bias, reassigned.
    """
    net, after, data = Net(fact["net"]), Net(fact["after"]), Data(fact["data"])
    require(len(net.layers) == len(after.layers) == 2, "not shallow nets")
    w = numbers(fact["direction"])
    gap = _gap(w, number(fact["separation"]), number(fact["spread"]), data)
    require(gap == number(fact["gap"]), "the gap is another")
    if "circuit" in fact:
        units = circuit(net, fact["circuit"])
        differ_only_in(net, after, units)
        net.idle_value(units, data.inputs)
    else:
        _one_more(net, after, w)
    before, drop = data.error(net), data.error(net) - data.error(after)
    require(drop == number(fact["drop"]) * len(data.inputs), "the loss drops by another amount")
    require(drop >= gap * (before - data.floor()), "the gain is less than the gap promises")


def _gap(w: list[Fraction], h: Fraction, spread: Fraction, data: Data) -> Fraction:
    inputs = {tuple(z) for z in data.inputs}
    line = sorted({dot(w, z) for z in inputs})
    require(len(line) == len(inputs), "two inputs have the same projection")
    require(h > 0 and all(b - a >= h for a, b in pairwise(line)), "two projections are closer than that")
    require(line[-1] - line[0] <= spread, "two projections are further apart than that")
    return h**2 / (18 * len(data.inputs) ** 2 * (spread + h) ** 2)


def _one_more(net: Net, after: Net, w: list[Fraction]) -> None:
    (rows, bias), (outgoing, shift) = net.layers
    (new_rows, new_bias), (new_outgoing, new_shift) = after.layers
    require(new_rows == [*rows, w] and new_bias[:-1] == bias, "the hidden layer is not the old one and one unit more")
    same = [row[:-1] for row in new_outgoing] == outgoing and new_shift == shift
    require(same, "an output weight of an old unit, or an output bias, differs")


def rent(fact: dict) -> None:
    """The net without the circuit loses `rent`, and that is at least `gain`, what the unit would gain there.

    Without the circuit: its output weights 0, `value` added to the output bias.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    require(len(net.layers) == 2, "not a shallow net")
    units = circuit(net, fact["circuit"])
    value, w, b = numbers(fact["value"]), numbers(fact["weights"]), number(fact["bias"])
    require(len(value) == net.widths[2], "the value has the wrong dimension")
    residuals = []
    for z, y in zip(data.inputs, data.targets, strict=True):
        sent = net.sent(units, z)
        output = [f - sent[2, k] + v for k, (f, v) in enumerate(zip(net.output(z), value, strict=True))]
        residuals.append([t - f for t, f in zip(y, output, strict=True)])
    phi = [max(dot(w, z) + b, Fraction(0)) for z in data.inputs]
    s = [dot(phi, column) for column in zip(*residuals, strict=True)]
    norm = dot(phi, phi)
    gain = dot(s, s) / norm if norm else Fraction(0)
    paid = sum((r * r for row in residuals for r in row), Fraction(0)) - data.error(net)
    count = len(data.inputs)
    require(paid == number(fact["rent"]) * count, "the rent is another")
    require(gain == number(fact["gain"]) * count, "the gain is another")
    require(paid >= gain, "the rent is lower than the gain")
