"""C19, two-layer training with weight decay: what a net reaches, how far below another can be, what a cut saves."""

from fractions import Fraction
from itertools import product

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, circuit, differ_only_in, number, numbers

MOST_INPUTS = 8


def convex_training(fact: Fact) -> None:
    """The net's value is `value`; no net, of any width, is below `bound`, which is at most `within` less.

    The value is sum_i (f(z_i) - y_i)^2 / 2 + (beta / 2) sum_j (|w_j|^2 + b_j^2 + a_j^2), for nets of one output
    without output bias. The bound is sum_i nu_i y_i - nu_i^2 / 2, if no unit of length 1 has an inner product above
    beta with nu in absolute value. For units on at the inputs S and off elsewhere, that is so if |sum_(g in S) (+-nu_g
    + lambda_g) x_g - sum_(g not in S) lambda_g x_g| <= beta for some lambda >= 0, x_g = (u_g, 1) the distinct inputs
    and nu_g summed over equal ones; `multipliers` holds lambda for a sign and S, in the inputs' order, where it is not
    0. Every set S is tried.

    Notes
    -----
    That the bound holds for nets of every width, and that the convex program of Pilanci and Ergen (2020) has the
    value of training, is proved in Coq (C19_dual, C19_patterns, C19_convex_of_net, C19_net_of_convex).
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    beta, value, bound = (number(fact[key]) for key in ("penalty", "value", "bound"))
    nu = numbers(fact["dual"])
    require(len(net.layers) == 2 and net.widths[2] == len(data.targets[0]) == 1, "not a shallow net of one output")
    require(not any(net.layers[1][1]), "there is an output bias")
    require(beta > 0 and len(nu) == len(data.inputs), "the penalty is not positive, or the dual point does not fit")
    require_equal("the value of the net", value, _decayed(net, data, beta))
    reached = sum((n * y - n * n / 2 for n, (y,) in zip(nu, data.targets, strict=True)), Fraction(0))
    require_equal("the value of the dual point", bound, reached)
    require(0 <= value - bound <= number(fact["within"]), "the two values are farther apart")
    distinct = sorted(data.means())
    require(len(distinct) <= MOST_INPUTS, "too many inputs to try every pattern")
    sums = dict.fromkeys(distinct, Fraction(0))
    for z, n in zip(data.inputs, nu, strict=True):
        sums[tuple(z)] += n
    points = [[*z, Fraction(1)] for z in distinct]
    multipliers = {name: numbers(row) for name, row in fact["multipliers"].items()}
    tried = set()
    for on in product((False, True), repeat=len(points)):
        for sign, mark in ((1, "+"), (-1, "-")):
            name = mark + "".join("01"[x] for x in on)
            tried.add(name)
            lam = multipliers.get(name, [Fraction(0)] * len(points))
            require(len(lam) == len(points) and min(lam) >= 0, "the multipliers do not fit, or one is negative")
            scales = [sign * sums[z] + x if o else -x for z, x, o in zip(distinct, lam, on, strict=True)]
            total = [
                sum((k * x[at] for k, x in zip(scales, points, strict=True)), Fraction(0))
                for at in range(len(points[0]))
            ]
            require(sum(t * t for t in total) <= beta**2, "the dual point is not feasible")
    require(set(multipliers) <= tried, "multipliers for no pattern")


def decay_drop(fact: Fact) -> None:
    """`after` is `before` with a train-idle circuit's parameters put to 0: its value is lower by exactly `drop` > 0.

    The value is half the summed squared error plus beta / 2 times the squares of all parameters but the output biases.
    """
    before, after, data = Net(fact["before"]), Net(fact["after"]), Data(fact["data"])
    beta, drop = number(fact["penalty"]), number(fact["drop"])
    require(len(before.layers) == 2 and before.widths[2] == len(data.targets[0]), "not a shallow net for these data")
    units = circuit(before, fact["circuit"])
    differ_only_in(before, after, units)
    before.idle_value(units, data.inputs)
    (weights, bias), (outgoing, _) = after.layers
    for _, j in units:
        require(not any([*weights[j], bias[j], *(row[j] for row in outgoing)]), "the circuit's parameters are not 0")
    require(all(before.output(z) == after.output(z) for z in data.inputs), "a training output differs")
    require(beta > 0 and drop > 0, "the penalty or the drop is not positive")
    require_equal("the drop", drop, _decayed(before, data, beta) - _decayed(after, data, beta))


def _decayed(net: Net, data: Data, beta: Fraction) -> Fraction:
    (weights, bias), (outgoing, _) = net.layers
    squares = sum((x * x for row in (*weights, bias, *outgoing) for x in row), Fraction(0))
    return data.error(net) / 2 + beta / 2 * squares


KINDS = {
    "convex-training": convex_training,
    "decay-drop": decay_drop,
}
