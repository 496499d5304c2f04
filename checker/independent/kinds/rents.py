"""C13 and C27: what a net pays for a circuit, what a unit in its place would gain, and how nearly idle it is."""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, circuit, dot, number, numbers


def rent(fact: Fact) -> None:
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
    require_equal("the rent", number(fact["rent"]), paid / count)
    require_equal("the gain", number(fact["gain"]), gain / count)
    require(paid >= gain, "the rent is lower than the gain")


def almost_idle(fact: Fact) -> None:
    """In training the circuit sends `value` to the outputs, but for `apart`, the mean square of the difference."""
    net, data = Net(fact["net"]), Data(fact["data"])
    require(len(net.layers) == 2, "not a shallow net")
    units, value = circuit(net, fact["circuit"]), numbers(fact["value"])
    require(len(value) == net.widths[2], "the value has the wrong dimension")
    sent = [net.sent(units, z) for z in data.inputs]
    squares = sum(((at[2, k] - v) ** 2 for at in sent for k, v in enumerate(value)), Fraction(0))
    require_equal("the mean square", number(fact["apart"]), squares / len(data.inputs))


KINDS = {
    "almost-idle": almost_idle,
    "rent": rent,
}
