"""How many answers of a net are on the wrong side of 0."""

from collections.abc import Iterable, Sequence
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import net_json, rows_json
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector
from proof_of_absence.proofs.facts.written import Fact, Net, Table

__all__ = ["ZeroOneLoss", "zero_one_loss"]


class ZeroOneLoss(TypedDict):
    """At `wrong` of the inputs the output is not positive where `sides` has true, or positive where it has false."""

    kind: Literal["zero-one-loss"]
    net: Net
    inputs: Table
    sides: list[bool]
    wrong: int


def zero_one_loss(net: MLP, inputs: Iterable[Vector], sides: Sequence[bool], wrong: int) -> Fact:
    """That so many of the rows are on the wrong side."""
    fact: ZeroOneLoss = {
        "kind": "zero-one-loss",
        "net": net_json(net),
        "inputs": rows_json(inputs),
        "sides": list(sides),
        "wrong": wrong,
    }
    return dict(fact)
