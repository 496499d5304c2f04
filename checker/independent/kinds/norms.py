"""C25, classes that a norm makes small: a minimiser within a path norm, and what weight decay says of two nets."""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, dot, number, numbers


def path_norm_minimum(fact: Fact) -> None:
    """On the line, no net of any width and a path norm of at most `most` has a lower loss than `net`, which is one.

    The path norm is sum_j |a_j| |w_j|. Let r be the net's residuals, which must sum to 0, and m the greatest
    |sum_i r_i relu(s (z_i - t))| over t among the inputs and s = 1, -1. Between inputs this is affine in t, and beyond
    them constant, so it is the greatest over all t. So sum_i r_i f(z_i) <= m times the path norm of f, for every net
    f; and with f* the net, sum_i (y_i - f(z_i))^2 >= |r|^2 + 2 sum_i r_i f*(z_i) - 2 sum_i r_i f(z_i). If
    sum_i r_i f*(z_i) = m times `most`, no net within `most` is below |r|^2.
    """
    net, data, most = Net(fact["net"]), Data(fact["data"]), number(fact["most"])
    require(len(net.layers) == 2 and net.widths[0] == net.widths[2] == 1, "not a shallow net of one input and output")
    require(len(data.inputs[0]) == len(data.targets[0]) == 1, "the data are not on the line")
    (weights, _), ([outgoing], _) = net.layers
    norm = sum((abs(a * w) for a, (w,) in zip(outgoing, weights, strict=True)), Fraction(0))
    require(norm <= most, f"the path norm is {norm}, above {most}")
    outputs = [net.output(z)[0] for z in data.inputs]
    residuals = [y - f for f, (y,) in zip(outputs, data.targets, strict=True)]
    require(not sum(residuals), "the residuals do not sum to 0")
    steepest = max(
        abs(dot(residuals, [max(side * (z - t), Fraction(0)) for (z,) in data.inputs]))
        for (t,) in data.inputs
        for side in (1, -1)
    )
    require_equal("the residuals' product with the outputs", dot(residuals, outputs), steepest * most)


def decay_bound(fact: Fact) -> None:
    """With weight decay `net` is lower than `base` by `gain`; at `input` their one output differs by `difference`.

    Weight decay adds `penalty` times the squares of all weights, and with `biases` of the hidden biases, to the loss.
    `bound` is |f - g| at the training input of `row`, and `away`, at least its distance to `input`, times (the squares
    of g + (L(g) - E) / (2 penalty)).
    """
    net, base, data = Net(fact["net"]), Net(fact["base"]), Data(fact["data"])
    penalty, away, x = number(fact["penalty"]), number(fact["away"]), numbers(fact["input"])
    biases, at, count = fact["biases"], fact["row"], len(data.inputs)
    require(len(net.layers) == len(base.layers) == 2, "not two shallow nets")
    require(net.widths[2] == base.widths[2] == 1, "not two nets of one output")
    require(type(biases) is bool and type(at) is int and 0 <= at < count, "no such row, or it is not said what counts")
    require(penalty > 0 and away >= 0, "the penalty is not positive, or the distance negative")
    near = data.inputs[at]
    require(sum((a - b) ** 2 for a, b in zip(x, near, strict=True)) <= away**2, "the input is farther away")

    def squares(one: Net) -> Fraction:
        (weights, bias), (outgoing, _) = one.layers
        rows = [*weights, *outgoing, *([bias] if biases else [])]
        return sum((dot(row, row) for row in rows), Fraction(0))

    def apart(z: list[Fraction]) -> Fraction:
        return abs(net.output(z)[0] - base.output(z)[0])

    errors = [data.error(one) / count + penalty * squares(one) for one in (base, net)]
    require_equal("the gain", number(fact["gain"]), errors[0] - errors[1])
    require_equal("the difference", number(fact["difference"]), apart(x))
    allowed = squares(base) + (data.error(base) - data.floor()) / count / (2 * penalty)
    require_equal("the bound", number(fact["bound"]), apart(near) + away * allowed)


KINDS = {
    "decay-bound": decay_bound,
    "path-norm-minimum": path_norm_minimum,
}
