"""C17 on a given net of one output: logistic losses between rational bounds.

Bounds are integers over ONE, rounded outward at every step; no floating point.
"""

from collections.abc import Callable
from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, circuit, differ_only_in, number
from proof_of_absence.checker.independent.values.series import ONE, down, exponential, log_of_one_plus, up


def logistic_drop(fact: Fact) -> None:
    """Reuse of a train-idle circuit: the logistic loss of `after` is lower by more than `over` > 0.

    The loss is the mean of log(1 + exp f) - y f over the rows; targets y are 0 or 1, and there is one output.
    """
    idle_drop(fact, _is_binary, _total)


def idle_drop(fact: Fact, suits: Callable[[Net, Data], None], total: Callable[[Net, Data], tuple[int, int]]) -> None:
    """The same for any loss.

    `suits` refuses nets and data that the loss is not for; `total` bounds its sum over the rows, in units of 1/ONE.
    """
    before, after, data = Net(fact["before"]), Net(fact["after"]), Data(fact["data"])
    suits(before, data)
    units = circuit(before, fact["circuit"])
    differ_only_in(before, after, units)
    before.idle_value(units, data.inputs)
    over = number(fact["over"])
    require(over > 0, "the drop is not positive")
    low, _ = total(before, data)
    _, high = total(after, data)
    require(Fraction(low - high, ONE * len(data.inputs)) > over, "the loss is not lower by that much")


def logistic_group(fact: Fact) -> None:
    """At some distinct input the gradients of the logistic loss by the output surely do not sum to 0."""
    net, data = Net(fact["net"]), Data(fact["data"])
    _is_binary(net, data)
    require(
        any(_surely_not_zero(net.output(list(z))[0], mean) for z, (_, (mean,)) in data.means().items()), "no such group"
    )


def _surely_not_zero(output: Fraction, mean: Fraction) -> bool:
    """Whether sigma(f) - (mean target), of which the group's sum is a multiple, is not 0 by the bounds of sigma."""
    low, high = _sigmoid(output)
    return low > mean or high < mean


def logistic_floor(fact: Fact) -> None:
    """At every distinct input the gradients of the logistic loss sum to 0, exactly: output 0, mean target 1/2.

    The losses are convex, so no function of the input has a lower loss. It is positive: at least log 2 at each row.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    _is_binary(net, data)
    for z, (_, (mean,)) in data.means().items():
        require(net.output(list(z))[0] == 0 and mean == Fraction(1, 2), "a group's gradients do not sum to 0")


def _is_binary(net: Net, data: Data) -> None:
    require(
        len(net.layers) == 2 and net.widths[2] == 1 and len(data.targets[0]) == 1, "not a shallow net of one output"
    )
    require(all(y in (0, 1) for (y,) in data.targets), "a target is neither 0 nor 1")


def _total(net: Net, data: Data) -> tuple[int, int]:
    """Bounds of the sum over the rows of log(1 + exp f) - y f, in units of 1/ONE."""
    low = high = 0
    known: dict[Fraction, tuple[int, int]] = {}
    for z, (y,) in zip(data.inputs, data.targets, strict=True):
        (f,) = net.output(z)
        if f not in known:
            known[f] = _softplus(f)
        linear = y * f * ONE
        low += known[f][0] - up(linear)
        high += known[f][1] - down(linear)
    return low, high


def _softplus(f: Fraction) -> tuple[int, int]:
    """Bounds of log(1 + exp f) = max(f, 0) + log(1 + t), t = exp(-|f|) <= 1."""
    lowest, highest = exponential(abs(f))
    low, _ = log_of_one_plus(lowest)
    _, high = log_of_one_plus(highest)
    positive = max(f, Fraction(0)) * ONE
    return down(positive) + low, up(positive) + high


def _sigmoid(f: Fraction) -> tuple[Fraction, Fraction]:
    """Bounds of 1 / (1 + exp(-f)); with t = exp(-|f|), it is 1 / (1 + t) or t / (1 + t)."""
    low, high = (Fraction(t, ONE) for t in exponential(abs(f)))
    return (1 / (1 + high), 1 / (1 + low)) if f >= 0 else (low / (1 + low), high / (1 + high))


KINDS = {
    "logistic-drop": logistic_drop,
    "logistic-floor": logistic_floor,
    "logistic-group": logistic_group,
}
