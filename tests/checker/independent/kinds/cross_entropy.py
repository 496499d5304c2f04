"""What is said of cross-entropies, in floating point of 80 digits."""

from fractions import Fraction

import mpmath

from proof_of_absence.models.circuit import Unit, hidden_units, is_idle
from tests.checker.independent.kinds.read import dataset_of, net_of, only_in, real


def probabilities(net, data):
    return net.widths[-1] == len(data.targets[0]) and all(min(t) >= 0 and sum(t) == 1 for t in data.targets)


def cross_entropy(net, data):
    """By the definition: minus the logarithms of the softmax, weighted with the target."""
    total = mpmath.mpf(0)
    for outputs, targets in zip(net.outputs(data.inputs), data.targets, strict=True):
        whole = mpmath.fsum(mpmath.exp(real(f)) for f in outputs)
        total -= mpmath.fsum(
            real(t) * mpmath.log(mpmath.exp(real(f)) / whole) for f, t in zip(outputs, targets, strict=True)
        )
    return total / len(data)


def cross_entropy_drop(fact):
    before, after, data = net_of(fact["before"]), net_of(fact["after"]), dataset_of(fact["data"])
    circuit, drop = [Unit(*unit) for unit in fact["circuit"]], Fraction(fact["over"])
    if not probabilities(before, data) or drop <= 0 or not set(circuit) <= set(hidden_units(before)):
        return False
    if not is_idle(before, circuit, data.inputs) or not only_in(before, after, circuit):
        return False
    with mpmath.workdps(80):
        return cross_entropy(before, data) - cross_entropy(after, data) > real(drop)


def cross_entropy_floor(fact):
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    circuit = [Unit(*unit) for unit in fact["circuit"]]
    if not probabilities(net, data) or not set(circuit) <= set(hidden_units(net)):
        return False
    with mpmath.workdps(80):
        for group in data.groups:
            powers = [mpmath.exp(real(f)) for f in net(group.input)]
            gaps = [p / sum(powers) - real(t) for p, t in zip(powers, group.mean_target, strict=True)]
            if any(abs(gap) > mpmath.mpf(10) ** -60 for gap in gaps):
                return False
    return is_idle(net, circuit, data.inputs)


SAYS = {
    "cross-entropy-drop": cross_entropy_drop,
    "cross-entropy-floor": cross_entropy_floor,
}
