"""C21 on a given net: the leverage of an input, what a move of the answer there costs, and where it is free.

That the normal equations give the least cost, and the bound for every net of the same features, is proved in Coq
(C21_normal, C21_near, C21_ridge).
"""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, Vector, dot, number, numbers, rows


def leverage(fact: Fact) -> None:
    """The input `at` has the stated leverage h on the features (1, phi_1 .. phi_n) of a shallow net.

    The `solution` u has Phi^T Phi u plus `penalty` times u, its first entry left out, equal to the features of the
    input, and h is u times these. Without a penalty so the input's features are in the row space of Phi.
    """
    net = Net(fact["net"])
    require(len(net.layers) == 2, "not a shallow net")
    _leverage(fact, net, rows(fact["inputs"]))


def free_readout(fact: Fact) -> None:
    """b times the features is 0 at every training input and not at `at`: any move of the answer there is free.

    Adding b times any number to the output weights, its first entry to the bias, changes no training output.
    """
    net, direction = Net(fact["net"]), numbers(fact["direction"])
    require(len(net.layers) == 2, "not a shallow net")
    require(len(direction) == net.widths[1] + 1, "the direction does not fit the features")
    for z in rows(fact["inputs"]):
        require(not dot(direction, _features(net, z)), f"not 0 at {[str(v) for v in z]}")
    require(dot(direction, _features(net, numbers(fact["at"]))) != 0, "the answer at the input does not move")


def readout_price(fact: Fact) -> None:
    """`net` has the least cost of all nets of its features; `moved` is one of them.

    The cost is the summed squared error plus `penalty` times the squared output weights, the biases left out. `square`
    is the squared distance of the two answers at `at`; `bound` is the leverage times the difference of their costs, and
    at least as large; they are equal just if `attained`.
    """
    net, moved, data = Net(fact["net"]), Net(fact["moved"]), Data(fact["data"])
    penalty, at, attained = number(fact["penalty"]), numbers(fact["at"]), fact["attained"]
    require(isinstance(attained, bool), "a truth value is missing")
    require(len(net.layers) == 2 and net.widths[2] == len(data.targets[0]), "not a shallow net for these data")
    require(net.widths == moved.widths and net.layers[0] == moved.layers[0], "the features differ")
    _least_cost(net, data, penalty)
    height = _leverage(fact, net, data.inputs)
    square = sum(((a - b) ** 2 for a, b in zip(moved.output(at), net.output(at), strict=True)), Fraction(0))
    bound = height * (_cost(moved, data, penalty) - _cost(net, data, penalty))
    require_equal("the squared distance", number(fact["square"]), square)
    require_equal("the bound", number(fact["bound"]), bound)
    require(square <= bound, "the bound fails")
    require(attained == (square == bound), "the bound is attained or not, and the other is stated")


def _features(net: Net, z: Vector) -> Vector:
    return [Fraction(1), *net.values(z)[1]]


def _leverage(fact: Fact, net: Net, inputs: list[Vector]) -> Fraction:
    """The leverage, as it is stated and as it comes out."""
    penalty, solution = number(fact["penalty"]), numbers(fact["solution"])
    require(penalty >= 0, "the penalty is negative")
    require(len(solution) == net.widths[1] + 1, "the solution does not fit the features")
    there, table = _features(net, numbers(fact["at"])), [_features(net, z) for z in inputs]
    image = [dot(phi, solution) for phi in table]
    for j, (entry, u) in enumerate(zip(there, solution, strict=True)):
        product = dot((phi[j] for phi in table), image) + (penalty * u if j else 0)
        require_equal(f"feature {j} of the input", entry, product)
    height = dot(solution, there)
    require_equal("the leverage", number(fact["leverage"]), height)
    return height


def _least_cost(net: Net, data: Data, penalty: Fraction) -> None:
    """The normal equations: no output layer on these features has a lower cost."""
    weights, _ = net.layers[1]
    table = [_features(net, z) for z in data.inputs]
    outputs = [net.output(z) for z in data.inputs]
    for k, row in enumerate(weights):
        residuals = [y[k] - f[k] for y, f in zip(data.targets, outputs, strict=True)]
        for j, weight in enumerate([Fraction(0), *row]):
            slope = dot((phi[j] for phi in table), residuals)
            require(slope == penalty * weight, "the normal equations fail")


def _cost(net: Net, data: Data, penalty: Fraction) -> Fraction:
    return data.error(net) + penalty * sum((a * a for row in net.layers[1][0] for a in row), Fraction(0))


KINDS = {
    "free-readout": free_readout,
    "leverage": leverage,
    "readout-price": readout_price,
}
