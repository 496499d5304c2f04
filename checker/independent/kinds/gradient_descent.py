"""C18 on a given net: weight decay and gradient steps, run again, and what they do to dead units."""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, Vector, circuit, dot, number

Layers = list[tuple[list[Vector], Vector]]
Parameters = tuple[list[Vector], Vector, list[Vector], Vector]

STEPS = 12  # numbers grow threefold in length with each


def gradient_steps(fact: Fact) -> None:
    """From `net` the steps lead to `after`; the circuit's units stay dead, and shrink by the product of the decays.

    A step [rho, eta] multiplies every parameter by rho > 0, then subtracts eta times the gradient of the loss; the
    derivative of ReLU at 0 counts as 0. Dead: the pre-activation is negative on every training input.
    """
    net, after, data = Net(fact["net"]), Net(fact["after"]), Data(fact["data"])
    require(len(net.layers) == 2 and net.widths == after.widths, "not shallow nets of one architecture")
    require(net.widths[2] == len(data.targets[0]), "the net's outputs do not fit the targets")
    require(0 < len(fact["steps"]) <= STEPS, f"not between 1 and {STEPS} steps")
    dead = sorted(j for _, j in circuit(net, fact["circuit"]))
    (weights, bias), (outgoing, shift) = net.layers
    start = [_unit(net.layers, j) for j in dead]
    _require_dead(net.layers, dead, data)
    total = Fraction(1)
    for rho, eta in fact["steps"]:
        rho, eta = number(rho), number(eta)
        require(rho > 0, "a factor of the decay is not positive")
        total *= rho
        weights, outgoing = _scaled(weights, rho), _scaled(outgoing, rho)
        (bias,), (shift,) = _scaled([bias], rho), _scaled([shift], rho)
        weights, bias, outgoing, shift = _descend((weights, bias, outgoing, shift), data, eta)
        _require_dead([(weights, bias), (outgoing, shift)], dead, data)
    layers = [(weights, bias), (outgoing, shift)]
    require_equal("the net after the steps", after.layers, layers)
    shrunk = [[total * x for x in unit] for unit in start]
    require([_unit(layers, j) for j in dead] == shrunk, "a dead unit has changed")


def _require_dead(layers: Layers, units: list[int], data: Data) -> None:
    weights, bias = layers[0]
    for j in units:
        pre = [dot(weights[j], z, bias[j]) for z in data.inputs]
        require(max(pre) < 0, f"unit {j} is not dead")


def _unit(layers: Layers, j: int) -> Vector:
    (weights, bias), (outgoing, _) = layers
    return [*weights[j], bias[j], *(row[j] for row in outgoing)]


def _scaled(table: list[Vector], factor: Fraction) -> list[Vector]:
    return [[factor * x for x in row] for row in table]


def _descend(parameters: Parameters, data: Data, eta: Fraction) -> Parameters:
    """One step, parameter by parameter, from the partial derivatives."""
    weights, bias, outgoing, shift = parameters
    count, units, outputs = len(data.inputs), range(len(bias)), range(len(shift))
    pre = [[dot(weights[j], z, bias[j]) for j in units] for z in data.inputs]
    act = [[max(p, Fraction(0)) for p in row] for row in pre]
    wrong = [
        [dot(outgoing[k], h, shift[k]) - y[k] for k in outputs] for h, y in zip(act, data.targets, strict=True)
    ]  # fmt: skip
    rate = eta * 2 / count
    # What reaches unit j at example i, where it is on.
    reading = [[row[j] for row in outgoing] for j in units]
    back = [
        [dot(reading[j], e) if row[j] > 0 else Fraction(0) for j in units] for row, e in zip(pre, wrong, strict=True)
    ]  # fmt: skip
    examples, ones = _columns(data.inputs), [Fraction(1)] * count
    back, act, wrong = _columns(back), _columns(act), _columns(wrong)
    return (
        [[w - rate * dot(back[j], examples[at]) for at, w in enumerate(weights[j])] for j in units],
        [bias[j] - rate * dot(back[j], ones) for j in units],
        [[outgoing[k][j] - rate * dot(wrong[k], act[j]) for j in units] for k in outputs],
        [shift[k] - rate * dot(wrong[k], ones) for k in outputs],
    )


def _columns(table: list[Vector]) -> list[Vector]:
    return [list(column) for column in zip(*table, strict=True)]


KINDS = {
    "gradient-steps": gradient_steps,
}
