"""Two nets agree on listed inputs, or differ at one."""

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, numbers, rows


def same_outputs(fact: Fact) -> None:
    """Two nets agree at every listed input."""
    left, right = Net(fact["left"]), Net(fact["right"])
    for z in rows(fact["inputs"]):
        require(left.output(z) == right.output(z), f"the nets differ at {[str(v) for v in z]}")


def different_outputs(fact: Fact) -> None:
    """Two nets differ at the given input."""
    z = numbers(fact["input"])
    require(Net(fact["left"]).output(z) != Net(fact["right"]).output(z), "the nets agree there")


def smaller_class(fact: Fact) -> None:
    """Two nets agree on the inputs, and the right one has fewer hidden units, all else equal."""
    left, right = Net(fact["left"]).widths, Net(fact["right"]).widths
    require(len(left) == len(right) and left[0] == right[0] and left[-1] == right[-1], "the classes differ")
    require(left[1:-1] != right[1:-1] and all(a >= b for a, b in zip(left, right, strict=True)), "not smaller")
    same_outputs(fact)


KINDS = {
    "different-outputs": different_outputs,
    "same-outputs": same_outputs,
    "smaller-class": smaller_class,
}
