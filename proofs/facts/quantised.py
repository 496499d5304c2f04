"""The least loss in a quantised class of shallow nets."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.proofs.facts.written import Data, Fact, Net, Row, row

__all__ = ["LeastInClass", "least_in_class"]


class LeastInClass(TypedDict):
    """No net of the same architecture with parameters on `grid` has a lower loss than `net`, which is such a net."""

    kind: Literal["least-in-class"]
    net: Net
    data: Data
    grid: Row


def least_in_class(net: MLP, data: Dataset, grid: Iterable[Fraction | int]) -> Fact:
    """That the net's parameters are on the grid, and that no net of its architecture there has a lower loss."""
    fact: LeastInClass = {
        "kind": "least-in-class",
        "net": net_json(net),
        "data": data_json(data),
        "grid": row(map(Fraction, grid)),
    }
    return dict(fact)
