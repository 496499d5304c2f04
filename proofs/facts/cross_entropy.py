"""C17 on a given net of several outputs: cross-entropy."""

from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json, units_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.proofs.facts.written import Circuit, Data, Fact, Net, Units

__all__ = ["CrossEntropyDrop", "CrossEntropyFloor", "cross_entropy_drop", "cross_entropy_floor"]


class CrossEntropyDrop(TypedDict):
    """`after` differs from `before` in the train-idle circuit only; its cross-entropy is lower by more than `over`."""

    kind: Literal["cross-entropy-drop"]
    before: Net
    after: Net
    data: Data
    circuit: Circuit
    over: str


class CrossEntropyFloor(TypedDict):
    """The circuit is train-idle, and no function of the input has a lower cross-entropy."""

    kind: Literal["cross-entropy-floor"]
    net: Net
    data: Data
    circuit: Circuit


def cross_entropy_drop(before: MLP, after: MLP, circuit: Units, data: Dataset, over: Fraction) -> Fact:
    """That reuse of the circuit lowers the cross-entropy by more than this."""
    fact: CrossEntropyDrop = {
        "kind": "cross-entropy-drop",
        "before": net_json(before),
        "after": net_json(after),
        "data": data_json(data),
        "circuit": units_json(circuit),
        "over": str(over),
    }
    return dict(fact)


def cross_entropy_floor(net: MLP, circuit: Units, data: Dataset) -> Fact:
    """That the circuit is train-idle, and that no function of the input has a lower cross-entropy."""
    fact: CrossEntropyFloor = {
        "kind": "cross-entropy-floor",
        "net": net_json(net),
        "data": data_json(data),
        "circuit": units_json(circuit),
    }
    return dict(fact)
