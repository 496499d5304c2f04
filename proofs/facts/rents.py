"""C13 and C27: what a net pays for a circuit, what a unit in its place would gain, and how nearly idle it is."""

from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json, units_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector
from proof_of_absence.proofs.facts.written import Circuit, Data, Fact, Net, Row, Units, row

__all__ = ["AlmostIdle", "Rent", "almost_idle", "rent"]


class AlmostIdle(TypedDict):
    """In training the circuit sends `value` to the outputs, but for `apart`, the mean square of the difference."""

    kind: Literal["almost-idle"]
    net: Net
    data: Data
    circuit: Circuit
    value: Row
    apart: str


class Rent(TypedDict):
    """With `value` in place of the circuit the net loses `rent`; the unit (weights, bias) gains no more, `gain`."""

    kind: Literal["rent"]
    net: Net
    data: Data
    circuit: Circuit
    value: Row
    weights: Row
    bias: str
    rent: str
    gain: str


def almost_idle(net: MLP, circuit: Units, value: Vector, data: Dataset, *, apart: Fraction) -> Fact:
    """How far in mean square a circuit of a shallow net is from sending this value in training."""
    fact: AlmostIdle = {
        "kind": "almost-idle",
        "net": net_json(net),
        "data": data_json(data),
        "circuit": units_json(circuit),
        "value": row(value),
        "apart": str(apart),
    }
    return dict(fact)


def rent(
    net: MLP,
    circuit: Units,
    value: Vector,
    data: Dataset,
    *,
    weights: Vector,
    bias: Fraction,
    paid: Fraction,
    gain: Fraction,
) -> Fact:
    """That the circuit pays at least what the unit (weights, bias) would gain in its place."""
    fact: Rent = {
        "kind": "rent",
        "net": net_json(net),
        "data": data_json(data),
        "circuit": units_json(circuit),
        "value": row(value),
        "weights": row(weights),
        "bias": str(bias),
        "rent": str(paid),
        "gain": str(gain),
    }
    return dict(fact)
