"""C17 on a given net of one output: logistic losses."""

from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json, units_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.proofs.facts.written import Circuit, Data, Fact, Net, Units

__all__ = [
    "LogisticDrop",
    "LogisticFloor",
    "LogisticGroup",
    "logistic_drop",
    "logistic_floor",
    "logistic_group",
]


class LogisticDrop(TypedDict):
    """`after` differs from `before` in the train-idle circuit only, and its loss is lower by more than `over`."""

    kind: Literal["logistic-drop"]
    before: Net
    after: Net
    data: Data
    circuit: Circuit
    over: str


class LogisticFloor(TypedDict):
    """At every distinct input the gradients by the output sum to 0: no function of the input has a lower loss."""

    kind: Literal["logistic-floor"]
    net: Net
    data: Data


class LogisticGroup(TypedDict):
    """At some distinct input they do not."""

    kind: Literal["logistic-group"]
    net: Net
    data: Data


def logistic_drop(before: MLP, after: MLP, circuit: Units, data: Dataset, over: Fraction) -> Fact:
    """That reuse of the circuit lowers the logistic loss by more than this."""
    fact: LogisticDrop = {
        "kind": "logistic-drop",
        "before": net_json(before),
        "after": net_json(after),
        "data": data_json(data),
        "circuit": units_json(circuit),
        "over": str(over),
    }
    return dict(fact)


def logistic_floor(net: MLP, data: Dataset) -> Fact:
    """That no function of the input has a lower logistic loss."""
    fact: LogisticFloor = {"kind": "logistic-floor", "net": net_json(net), "data": data_json(data)}
    return dict(fact)


def logistic_group(net: MLP, data: Dataset) -> Fact:
    """That the gradients of some group do not sum to 0."""
    fact: LogisticGroup = {"kind": "logistic-group", "net": net_json(net), "data": data_json(data)}
    return dict(fact)
