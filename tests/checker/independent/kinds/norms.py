"""What is said of norms: derivatives towards nets of one unit with kinks everywhere, and the definitions."""

import itertools
from fractions import Fraction

import numpy as np

from tests.checker.independent.kinds.read import dataset_of, net_of
from tests.checker.independent.kinds.regression import columns


def path_norm(net):
    hidden, output = net.layers
    return sum(abs(a) * sum(map(abs, w)) for a, w in zip(output.weights[0], hidden.weights, strict=True))


def path_norm_minimum(fact):
    """The directional derivatives at the net, towards every net of one unit that spends all of the norm.

    The nets within the norm are a convex set of functions, spanned by these and the constants. Kinks between the
    inputs are tried too.
    """
    net, data, most = net_of(fact["net"]), dataset_of(fact["data"]), Fraction(fact["most"])
    if len(net.layers) != 2 or net.widths[0] != 1 or net.widths[-1] != 1 or path_norm(net) > most:
        return False
    residuals = columns(data.residuals(net))[:, 0]
    if residuals.sum():
        return False
    zs = sorted({z for (z,) in data.inputs})
    kinks = [zs[0] - 1, *zs, *((a + b) / 2 for a, b in itertools.pairwise(zs)), zs[-1] + 1]
    inputs = columns(data.inputs)[:, 0]
    here = columns(net.outputs(data.inputs))[:, 0]
    steps = [most * s * np.maximum(t * (inputs - k), 0) for k in kinks for s in (1, -1) for t in (1, -1)]
    return all(residuals @ (step - here) <= 0 for step in steps)


def decay_bound(fact):
    net, base, data = net_of(fact["net"]), net_of(fact["base"]), dataset_of(fact["data"])
    penalty, away = Fraction(fact["penalty"]), Fraction(fact["away"])
    x, index = [Fraction(v) for v in fact["input"]], fact["row"]
    if len(net.layers) != 2 or len(base.layers) != 2 or net.widths[-1] != 1 or base.widths[-1] != 1:
        return False
    if type(fact["biases"]) is not bool or type(index) is not int or not 0 <= index < len(data):
        return False
    z = data.inputs[index]
    offset = columns([x])[0] - columns([z])[0]
    if penalty <= 0 or away < 0 or offset @ offset > away**2:
        return False

    def total(one):
        hidden, output = one.layers
        squares = (columns(hidden.weights) ** 2).sum() + (columns(output.weights) ** 2).sum()
        return squares + (columns([hidden.bias]) ** 2).sum() * fact["biases"]

    def gap(t):
        return max(net(t)[0] - base(t)[0], base(t)[0] - net(t)[0])

    mean = {group.input: group.mean_target for group in data.groups}
    floor = sum((y - mean[z][0]) ** 2 for z, (y,) in zip(data.inputs, data.targets, strict=True)) / len(data)
    gain = data.loss(base) + penalty * total(base) - data.loss(net) - penalty * total(net)
    bound = gap(z) + away * total(base) + away * (data.loss(base) - floor) / penalty / 2
    return [gain, gap(x), bound] == [Fraction(fact[key]) for key in ("gain", "difference", "bound")]


SAYS = {
    "decay-bound": decay_bound,
    "path-norm-minimum": path_norm_minimum,
}
