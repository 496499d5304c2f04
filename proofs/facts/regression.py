"""C19 on a given net: its output layer solves ridge or minimum-norm regression on its hidden units."""

from fractions import Fraction
from typing import Literal, NotRequired, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json, rows_json, units_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Matrix, Vector
from proof_of_absence.proofs.facts.written import Circuit, Data, Fact, Net, Row, Table, Units, row

__all__ = ["Ridge", "ridge"]


class Ridge(TypedDict):
    """The output layer is the solution; whether a circuit of constant units has weights 0, and where it fires."""

    kind: Literal["ridge"]
    net: Net
    data: Data
    penalty: str
    intercept: bool
    row_space: NotRequired[Table]
    circuit: NotRequired[Circuit]
    weightless: NotRequired[bool]
    fires: NotRequired[Row]


def ridge(
    net: MLP,
    data: Dataset,
    penalty: Fraction | int,
    *,
    intercept: bool,
    circuit: Units = (),
    row_space: Matrix | None = None,
    fires: Vector | None = None,
) -> Fact:
    """That the output layer solves the regression on the hidden units, and what it does with a circuit of them."""
    fact: Ridge = {
        "kind": "ridge",
        "net": net_json(net),
        "data": data_json(data),
        "penalty": str(Fraction(penalty)),
        "intercept": intercept,
    }
    if row_space is not None:
        fact["row_space"] = rows_json(row_space)
    if units := units_json(circuit):
        fact["circuit"] = units
        fact["weightless"] = not any(weights[index] for weights in net.layers[1].weights for _, index in units)
    if fires is not None:
        fact["fires"] = row(fires)
    return dict(fact)
