"""What is said of rents and replacement gains, by least squares."""

from fractions import Fraction

from proof_of_absence.models.circuit import Unit, hardcode
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from tests.checker.independent.kinds.read import dataset_of, net_of


def rent(fact):
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    circuit = {Unit(*unit) for unit in fact["circuit"]}
    if len(fact["value"]) != net.widths[2]:
        return False
    bare = hardcode(net, circuit, {Unit(2, k): Fraction(v) for k, v in enumerate(fact["value"])})
    paid = data.loss(bare) - data.loss(net)
    # The best output weights of the unit, by least squares on the residuals: one normal equation for each output.
    unit = MLP((Affine([fact["weights"]], [fact["bias"]]), Affine([[1]], [0])))
    phi = [row[0] for row in unit.outputs(data.inputs)]
    norm = sum(p * p for p in phi)
    gain = 0
    for column in zip(*data.residuals(bare), strict=True):
        best = sum(p * r for p, r in zip(phi, column, strict=True)) / norm if norm else 0
        gain += sum(r * r - (r - best * p) ** 2 for p, r in zip(phi, column, strict=True)) / len(data)
    return paid == Fraction(fact["rent"]) and gain == Fraction(fact["gain"]) and paid >= gain


def almost_idle(fact):
    """By the outputs of the net with the circuit, and with 0 in its place."""
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    circuit = {Unit(*unit) for unit in fact["circuit"]}
    if len(net.layers) != 2 or len(fact["value"]) != net.widths[2] or not circuit:
        return False
    bare = hardcode(net, circuit, {Unit(2, k): Fraction(v) for k, v in enumerate(fact["value"])})
    pairs = zip(net.outputs(data.inputs), bare.outputs(data.inputs), strict=True)
    squares = sum((f - g) ** 2 for a, b in pairs for f, g in zip(a, b, strict=True))
    return squares / len(data) == Fraction(fact["apart"])


SAYS = {
    "almost-idle": almost_idle,
    "rent": rent,
}
