"""C17 on a given net of several outputs: cross-entropy between rational bounds.

Bounds are integers over ONE, rounded outward at every step; no floating point.
"""

from fractions import Fraction

from proof_of_absence.checker.independent.kinds.logistic import idle_drop
from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, circuit, dot
from proof_of_absence.checker.independent.values.series import ONE, down, exponential, logarithm, up


def cross_entropy_drop(fact: Fact) -> None:
    """Reuse of a train-idle circuit: the cross-entropy of `after` is lower by more than `over` > 0.

    The loss is the mean of log(sum_k exp f_k) - sum_k t_k f_k over the rows; the targets t of a row are probabilities.
    """
    idle_drop(fact, _is_classification, _total)


def cross_entropy_floor(fact: Fact) -> None:
    """At every distinct input the gradients of the cross-entropy sum to 0, exactly, and the circuit is train-idle.

    For rational outputs that is so just where they are all equal, as are the mean targets: exp of a rational other
    than 0 is irrational. Cross-entropy is convex, so no function of the input has a lower loss: the net is a global
    minimiser.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    _is_classification(net, data)
    for z, (_, mean) in data.means().items():
        outputs = net.output(list(z))
        require(len(set(outputs)) == 1 and len(set(mean)) == 1, "a group's gradients do not sum to 0")
    units = circuit(net, fact["circuit"])
    net.idle_value(units, data.inputs)


def _is_classification(net: Net, data: Data) -> None:
    require(len(net.layers) == 2 and net.widths[2] == len(data.targets[0]), "not a shallow net for these classes")
    for row in data.targets:
        require(min(row) >= 0 and sum(row) == 1, "a target row is not probabilities")


def _total(net: Net, data: Data) -> tuple[int, int]:
    """Bounds of the sum over the rows of log(sum_k exp f_k) - sum_k t_k f_k, in units of 1/ONE."""
    low = high = 0
    for z, targets in zip(data.inputs, data.targets, strict=True):
        outputs = net.output(z)
        linear = dot(targets, outputs) * ONE
        below, above = _log_sum_exp(outputs)
        low += below - up(linear)
        high += above - down(linear)
    return low, high


def _log_sum_exp(outputs: list[Fraction]) -> tuple[int, int]:
    """Bounds of log(sum_k exp f_k) = top + log(sum_k exp(f_k - top)), top the largest; the second sum is at least 1."""
    top = max(outputs)
    terms = [exponential(top - f) for f in outputs if f != top]
    ones = outputs.count(top) * ONE
    below, above = logarithm(ones + sum(low for low, _ in terms), ones + sum(high for _, high in terms))
    return down(top * ONE) + below, up(top * ONE) + above


KINDS = {
    "cross-entropy-drop": cross_entropy_drop,
    "cross-entropy-floor": cross_entropy_floor,
}
