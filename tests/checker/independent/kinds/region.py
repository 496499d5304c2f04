"""What is said of circuits on a box: at a point by evaluation, on all of it by z3."""

from fractions import Fraction

import z3

from proof_of_absence.models.circuit import Unit, idle_value
from tests.checker.independent.kinds.read import net_of


def constants(fact):
    return {Unit(layer, k): Fraction(value) for layer, k, value in fact["value"]}


def relevant_at(fact):
    point = list(map(Fraction, fact["input"]))
    ends = zip(map(Fraction, fact["low"]), point, map(Fraction, fact["high"]), strict=True)
    sent = idle_value(net_of(fact["net"]), [Unit(*unit) for unit in fact["circuit"]], [point])
    return all(low <= x <= high for low, x, high in ends) and sent != constants(fact)


def irrelevant_region(fact):
    """A certificate may fail to show what is so."""
    net, circuit = net_of(fact["net"]), {Unit(*unit) for unit in fact["circuit"]}
    solver, values = z3.Solver(), [z3.Reals(" ".join(f"x{i}" for i in range(net.widths[0])))]
    for x, low, high in zip(values[0], fact["low"], fact["high"], strict=True):
        solver.add(z3.RealVal(low) <= x, x <= z3.RealVal(high))
    for layer in net.layers[:-1]:
        lines = [linear(row, values[-1], bias) for row, bias in zip(layer.weights, layer.bias, strict=True)]
        values.append([z3.If(line > 0, line, 0) for line in lines])
    differ = []
    for (layer, k), value in constants(fact).items():
        members = [j for at, j in circuit if at == layer - 1]
        row = net.layers[layer - 1].weights[k]
        differ.append(linear([row[j] for j in members], [values[layer - 1][j] for j in members], -value) != 0)
    return solver.check(z3.Or(differ)) == z3.unsat


def linear(weights, values, constant):
    return z3.Sum([z3.RealVal(str(constant)), *(z3.RealVal(str(w)) * v for w, v in zip(weights, values, strict=True))])


SAYS = {
    "irrelevant-region": irrelevant_region,
    "relevant-at": relevant_at,
}
