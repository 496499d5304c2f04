"""What circuits of a net send on the inputs: one value, or several."""

from collections.abc import Iterable
from typing import Literal, NotRequired, TypedDict

from proof_of_absence.checker.kernel.certificate import net_json, rows_json, units_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector
from proof_of_absence.proofs.facts.written import Circuit, Fact, Net, Row, Table, Units, row

__all__ = ["Idle", "NoIdleCircuit", "NotIdle", "idle", "no_idle_circuit", "not_idle"]


class Idle(TypedDict):
    """What the circuit sends is the same at all the inputs; at `fires` it differs."""

    kind: Literal["idle"]
    net: Net
    circuit: Circuit
    inputs: Table
    fires: NotRequired[Row]


class NotIdle(TypedDict):
    """The circuit sends different values at two of the inputs."""

    kind: Literal["not-idle"]
    net: Net
    circuit: Circuit
    inputs: Table


class NoIdleCircuit(TypedDict):
    """No nonempty set of hidden units is idle on the inputs."""

    kind: Literal["no-idle-circuit"]
    net: Net
    inputs: Table


def idle(net: MLP, circuit: Units, inputs: Iterable[Vector], fires: Vector | None = None) -> Fact:
    """That the circuit is train-idle on the inputs, and fires where it is said to."""
    fact: Idle = {
        "kind": "idle",
        "net": net_json(net),
        "circuit": units_json(circuit),
        "inputs": rows_json(inputs),
    }
    if fires is not None:
        fact["fires"] = row(fires)
    return dict(fact)


def not_idle(net: MLP, circuit: Units, inputs: Iterable[Vector]) -> Fact:
    """That the circuit sends different values at two of the inputs."""
    fact: NotIdle = {
        "kind": "not-idle",
        "net": net_json(net),
        "circuit": units_json(circuit),
        "inputs": rows_json(inputs),
    }
    return dict(fact)


def no_idle_circuit(net: MLP, data: Dataset) -> Fact:
    """That no circuit of the net is train-idle."""
    fact: NoIdleCircuit = {"kind": "no-idle-circuit", "net": net_json(net), "inputs": rows_json(data.inputs)}
    return dict(fact)
