"""C19 on a given net: by the normal equations its output layer solves ridge or minimum-norm regression.

That these give the minimiser, and the row space the least norm, is proved in Coq (C19_normal, C19_row_space).
"""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, Vector, circuit, dot, number, numbers, rows


def ridge(fact: Fact) -> None:
    """The output layer has the least sum of squared residuals plus `penalty` times that of its squared weights.

    With `intercept` the output biases are free and not penalised, else they are 0. With `row_space` s, for penalty 0,
    the weights are also those of least norm: they are F^T F s, F the features, less their means if there is an
    intercept. Every unit of a `circuit` is constant in training; its weights are all 0 if `weightless`, and not all 0
    otherwise. With `fires`, some unit of the circuit has another value at that input.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    intercept, penalty = fact["intercept"], number(fact["penalty"])
    require(isinstance(intercept, bool), "a truth value is missing")
    require(len(net.layers) == 2 and net.widths[2] == len(data.targets[0]), "not a shallow net for these data")
    weights, shift = net.layers[1]
    features = [net.values(z)[1] for z in data.inputs]
    residuals = [
        [t - v for t, v in zip(y, net.output(z), strict=True)] for z, y in zip(data.inputs, data.targets, strict=True)
    ]
    require(penalty >= 0, "the penalty is negative")
    if intercept:
        require(not any(map(sum, zip(*residuals, strict=True))), "the residuals do not sum to 0")
    else:
        require(not any(shift), "there is an output bias")
    for k, row in enumerate(weights):
        for j, weight in enumerate(row):
            slope = dot([phi[j] for phi in features], [r[k] for r in residuals])
            require(slope == penalty * weight, "the normal equations fail")
    least = penalty > 0
    if "row_space" in fact:
        require(penalty == 0, "the penalty is not 0")
        _least_norm(features, weights, rows(fact["row_space"]), intercept)
        least = True
    if "circuit" in fact:
        _constant(fact, net, features, least)
    else:
        require(least, "nothing tells this solution from the others")


def _constant(fact: Fact, net: Net, features: list[Vector], least: bool) -> None:
    weights, weightless = net.layers[1][0], fact["weightless"]
    require(isinstance(weightless, bool), "a truth value is missing")
    require(least or not weightless, "nothing tells this solution from the others")
    units = [j for _, j in circuit(net, fact["circuit"])]
    for j in units:
        require(len({phi[j] for phi in features}) == 1, f"unit {j} is not constant in training")
    require(weightless == (not any(row[j] for row in weights for j in units)), "the circuit's weights are otherwise")
    if "fires" in fact:
        there = net.values(numbers(fact["fires"]))[1]
        require(any(there[j] != features[0][j] for j in units), "the circuit does not fire there")


def _least_norm(features: list[Vector], weights: list[Vector], multipliers: list[Vector], intercept: bool) -> None:
    """weights[k] = F^T F multipliers[k], so that the weights are in the row space of F."""
    require(len(multipliers) == len(weights) and len(multipliers[0]) == len(weights[0]), "the multipliers do not fit")
    if intercept:
        means = [sum(column, Fraction(0)) / len(features) for column in zip(*features, strict=True)]
        features = [[x - mean for x, mean in zip(phi, means, strict=True)] for phi in features]
    for row, s in zip(weights, multipliers, strict=True):
        image = [dot(phi, s) for phi in features]
        there = [dot([phi[j] for phi in features], image) for j in range(len(s))]
        require_equal("the weights, by the row space", row, there)


KINDS = {
    "ridge": ridge,
}
