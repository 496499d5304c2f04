"""The mean squared error of nets on data, and its noise floor."""

from fractions import Fraction
from typing import Literal, NotRequired, TypedDict

from proof_of_absence.checker.construct.reassignment import Lowered
from proof_of_absence.checker.kernel.certificate import data_json, net_json, units_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.proofs.facts.written import Circuit, Data, Fact, Net, Units

__all__ = [
    "LossAboveFloor",
    "LossAtFloor",
    "LowerLoss",
    "loss_above_floor",
    "loss_at_floor",
    "lower_loss",
    "reassigned",
]


class LowerLoss(TypedDict):
    """`after` has a loss lower by `drop`; it differs in a circuit only, or has more units, or is any such net."""

    kind: Literal["lower-loss"]
    before: Net
    after: Net
    data: Data
    drop: str
    circuit: NotRequired[Circuit]
    wider: NotRequired[bool]


class LossAboveFloor(TypedDict):
    """The loss and the noise floor, which is lower."""

    kind: Literal["loss-above-floor"]
    net: Net
    data: Data
    loss: str
    noise_floor: str


class LossAtFloor(TypedDict):
    """The loss is the noise floor; and it is not 0, if `positive`."""

    kind: Literal["loss-at-floor"]
    net: Net
    data: Data
    positive: bool


def lower_loss(
    before: MLP,
    after: MLP,
    data: Dataset,
    drop: Fraction | None = None,
    *,
    circuit: Units | None = None,
    wider: bool = False,
) -> Fact:
    """That `after` has the lower loss: by reuse of a circuit, or as a wider net, if either is named."""
    fact: LowerLoss = {
        "kind": "lower-loss",
        "before": net_json(before),
        "after": net_json(after),
        "data": data_json(data),
        "drop": str(data.loss(before) - data.loss(after) if drop is None else drop),
    }
    if circuit is not None:
        fact["circuit"] = units_json(circuit)
    if wider:
        fact["wider"] = True
    return dict(fact)


def reassigned(before: MLP, circuit: Units, result: Lowered, data: Dataset) -> Fact:
    """That reassigning the circuit lowered the loss by what the construction says."""
    return lower_loss(before, result.net, data, result.drop, circuit=circuit)


def loss_above_floor(net: MLP, data: Dataset) -> Fact:
    """That the net's loss is above the noise floor, and the group residuals say by how much."""
    fact: LossAboveFloor = {
        "kind": "loss-above-floor",
        "net": net_json(net),
        "data": data_json(data),
        "loss": str(data.loss(net)),
        "noise_floor": str(data.noise_floor),
    }
    return dict(fact)


def loss_at_floor(net: MLP, data: Dataset, *, positive: bool = False) -> Fact:
    """That the net's loss is the noise floor; with `positive`, and yet not zero."""
    fact: LossAtFloor = {
        "kind": "loss-at-floor",
        "net": net_json(net),
        "data": data_json(data),
        "positive": positive,
    }
    return dict(fact)
