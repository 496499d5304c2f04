"""C19, two-layer training with weight decay: optimal values, and what cutting an idle circuit saves."""

from fractions import Fraction
from typing import Any, Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json, units_json
from proof_of_absence.checker.minima.convex import decayed_loss, dual_bound, multipliers_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector
from proof_of_absence.proofs.facts.written import Circuit, Data, Fact, Net, Row, Units, row

__all__ = ["ConvexTraining", "DecayDrop", "convex_training", "decay_drop"]


class ConvexTraining(TypedDict):
    """The net's value is `value`; no net, of any width, is below `bound`, which is at most `within` less."""

    kind: Literal["convex-training"]
    net: Net
    data: Data
    penalty: str
    dual: Row
    multipliers: dict[str, Row]
    value: str
    bound: str
    within: str


class DecayDrop(TypedDict):
    """`after` is `before` with the parameters of the train-idle circuit put to 0; its value is lower by `drop`."""

    kind: Literal["decay-drop"]
    before: Net
    after: Net
    data: Data
    circuit: Circuit
    penalty: str
    drop: str


def convex_training(
    net: MLP,
    data: Dataset,
    decay: Fraction,
    dual: Vector,
    multipliers: dict[Any, Any] | None = None,
    within: object = 0,
) -> Fact:
    """That this net's value is the optimum of two-layer training with weight decay, at any width, but for `within`."""
    fact: ConvexTraining = {
        "kind": "convex-training",
        "net": net_json(net),
        "data": data_json(data),
        "penalty": str(decay),
        "dual": row(dual),
        "multipliers": multipliers_json(multipliers or {}),
        "value": str(decayed_loss(net, data, decay)),
        "bound": str(dual_bound(data, dual)),
        "within": str(within),
    }
    return dict(fact)


def decay_drop(before: MLP, after: MLP, circuit: Units, data: Dataset, decay: Fraction) -> Fact:
    """That weight decay makes the value of the net without the circuit lower, and by how much."""
    fact: DecayDrop = {
        "kind": "decay-drop",
        "before": net_json(before),
        "after": net_json(after),
        "data": data_json(data),
        "circuit": units_json(circuit),
        "penalty": str(decay),
        "drop": str(decayed_loss(before, data, decay) - decayed_loss(after, data, decay)),
    }
    return dict(fact)
