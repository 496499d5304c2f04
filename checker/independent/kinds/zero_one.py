"""How many answers of a net are on the wrong side of 0."""

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, rows


def zero_one_loss(fact: Fact) -> None:
    """At `wrong` of the inputs the net's one output is on the wrong side: positive just where `sides` has false."""
    net, inputs, sides = Net(fact["net"]), rows(fact["inputs"]), fact["sides"]
    require(net.widths[-1] == 1, "not one output")
    require(len(sides) == len(inputs) and all(isinstance(side, bool) for side in sides), "not a side for each input")
    wrong = sum((net.output(z)[0] > 0) != side for z, side in zip(inputs, sides, strict=True))
    require(type(fact["wrong"]) is int, "the number of wrong rows is missing")
    require_equal("the number of wrong rows", fact["wrong"], wrong)


KINDS = {
    "zero-one-loss": zero_one_loss,
}
