"""C18: weight decay and gradient steps, and what they do to units that are dead on the training inputs."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json, rows_json, units_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.proofs.facts.written import Circuit, Data, Fact, Net, Table, Units

__all__ = ["GradientSteps", "gradient_steps"]


class GradientSteps(TypedDict):
    """From `net` the steps (decay, size) lead to `after`; the circuit's units stay dead, and only shrink."""

    kind: Literal["gradient-steps"]
    net: Net
    after: Net
    data: Data
    circuit: Circuit
    steps: Table


def gradient_steps(
    net: MLP, after: MLP, circuit: Units, data: Dataset, steps: Sequence[tuple[Fraction, Fraction]]
) -> Fact:
    """That the steps lead from one net to the other, and change the circuit's dead units by the decay alone."""
    fact: GradientSteps = {
        "kind": "gradient-steps",
        "net": net_json(net),
        "after": net_json(after),
        "data": data_json(data),
        "circuit": units_json(circuit),
        "steps": rows_json(steps),
    }
    return dict(fact)
