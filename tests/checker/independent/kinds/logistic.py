"""What is said of logistic losses, in floating point of 80 digits."""

from fractions import Fraction

import mpmath

from proof_of_absence.models.circuit import Unit, hidden_units, is_idle
from tests.checker.independent.kinds.read import dataset_of, net_of, only_in, real


def logistic_loss(net, data):
    with mpmath.workdps(80):
        total = mpmath.mpf(0)
        for (f,), (y,) in zip(net.outputs(data.inputs), data.targets, strict=True):
            x = real(f)
            sign = 1 - 2 * int(y)
            total += max(sign * x, 0) + mpmath.log1p(mpmath.exp(-abs(x)))
        return total / len(data)


def binary(net, data):
    return net.widths[-1] == 1 and all(y in (0, 1) for (y,) in data.targets)


def logistic_drop(fact):
    before, after, data = net_of(fact["before"]), net_of(fact["after"]), dataset_of(fact["data"])
    circuit, drop = [Unit(*unit) for unit in fact["circuit"]], Fraction(fact["over"])
    if not binary(before, data) or drop <= 0 or not set(circuit) <= set(hidden_units(before)):
        return False
    if not is_idle(before, circuit, data.inputs) or not only_in(before, after, circuit):
        return False
    with mpmath.workdps(80):
        return logistic_loss(before, data) - logistic_loss(after, data) > real(drop)


def logistic_floor(fact):
    return not any(logistic_sums(fact))


def logistic_group(fact):
    return any(gap > mpmath.mpf(10) ** -40 for gap in logistic_sums(fact))


def logistic_sums(fact):
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    if not binary(net, data):
        raise ValueError("not a logistic loss")
    with mpmath.workdps(80):
        for group in data.groups:
            f = net(group.input)[0]
            mean = group.mean_target[0]
            sigma = 1 / (1 + mpmath.exp(-real(f)))
            yield abs(sigma - real(mean))


SAYS = {
    "logistic-drop": logistic_drop,
    "logistic-floor": logistic_floor,
    "logistic-group": logistic_group,
}
