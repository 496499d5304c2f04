"""What is said of gradient steps, by steps of `proof_of_absence.models`."""

from fractions import Fraction
from math import prod

from proof_of_absence.models.circuit import Unit, hidden_units
from proof_of_absence.models.training import gradient_step, is_dead, weight_decay
from tests.checker.independent.kinds.read import dataset_of, net_of


def gradient_steps(fact):
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    steps = [(Fraction(rho), Fraction(eta)) for rho, eta in fact["steps"]]
    units = [Unit(*unit) for unit in fact["circuit"]]
    if any(unit not in hidden_units(net) for unit in units) or any(rho <= 0 for rho, _ in steps):
        return False
    seen = [net]
    for rho, eta in steps:
        seen.append(gradient_step(weight_decay(seen[-1], rho), data, eta))
    shrunk = weight_decay(net, prod(rho for rho, _ in steps))
    return (
        all(is_dead(one, unit, data) for one in seen for unit in units)
        and seen[-1] == net_of(fact["after"])
        and all(_parameters(seen[-1], unit) == _parameters(shrunk, unit) for unit in units)
    )


def _parameters(net, unit):
    column = [row[unit.index] for row in net.layers[1].weights]
    return net.layers[0].weights[unit.index], net.layers[0].bias[unit.index], column


SAYS = {
    "gradient-steps": gradient_steps,
}
