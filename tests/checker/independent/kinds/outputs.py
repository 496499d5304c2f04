"""What is said of the outputs of two nets, by evaluation."""

from tests.checker.independent.kinds.read import net_of


def same_outputs(fact):
    return net_of(fact["left"]).outputs(fact["inputs"]) == net_of(fact["right"]).outputs(fact["inputs"])


def different_outputs(fact):
    return net_of(fact["left"])(fact["input"]) != net_of(fact["right"])(fact["input"])


SAYS = {
    "different-outputs": different_outputs,
    "same-outputs": same_outputs,
    "smaller-class": same_outputs,
}
