"""The mean squared error of nets on data, and its noise floor."""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, circuit, differ_only_in, number


def lower_loss(fact: Fact) -> None:
    """`after` has a loss lower than `before` by exactly `drop`.

    With `circuit`, the two differ only in that circuit's parameters and in the biases that read from it;
    with `wider`, `after` has more hidden units.
    """
    before, after, data = Net(fact["before"]), Net(fact["after"]), Data(fact["data"])
    if "circuit" in fact:
        require(before.widths == after.widths, "the architectures differ")
        differ_only_in(before, after, circuit(before, fact["circuit"]))
    elif fact.get("wider"):
        same = before.widths[0] == after.widths[0] and before.widths[-1] == after.widths[-1]
        require(same and len(before.widths) == len(after.widths) == 3, "the classes differ")
        require(after.widths[1] > before.widths[1], "not wider")
    else:
        require(before.widths == after.widths, "the architectures differ")
    drop = (data.error(before) - data.error(after)) / len(data.inputs)
    require(drop > 0, "the loss is not lower")
    require_equal("the drop", number(fact["drop"]), drop)


def loss_above_floor(fact: Fact) -> None:
    """The net's loss is the stated one, above the noise floor, and the group residuals account for it."""
    net, data = Net(fact["net"]), Data(fact["data"])
    error, floor = data.error(net), data.floor()
    require_equal("the loss", number(fact["loss"]), error / len(data.inputs))
    require_equal("the noise floor", number(fact["noise_floor"]), floor / len(data.inputs))
    require(error > floor, "the loss is at the noise floor")
    require(error - floor == _excess(net, data), "the group residuals do not account for the loss")


def loss_at_floor(fact: Fact) -> None:
    """The net's loss is the noise floor, so every group residual is zero and no net does better.

    With ``positive``, the loss is not zero all the same.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    require(data.error(net) == data.floor() and _excess(net, data) == 0, "the loss is above the noise floor")
    require(not fact.get("positive") or data.floor() > 0, "the loss is zero")


def _excess(net: Net, data: Data) -> Fraction:
    return sum(
        (nu * (a - b) ** 2 for z, (nu, mean) in data.means().items()
         for a, b in zip(mean, net.output(list(z)), strict=True)),
        Fraction(0),
    )  # fmt: skip


KINDS = {
    "loss-above-floor": loss_above_floor,
    "loss-at-floor": loss_at_floor,
    "lower-loss": lower_loss,
}
