"""Nets with one unit before the output: their outputs lie on a line."""

from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.proofs.facts.written import Data, Fact, Net

__all__ = ["BestLine", "LineBound", "best_line", "line_bound"]


class BestLine(TypedDict):
    """No net whose last hidden layer has one unit has a lower loss than `net`, which is such a net."""

    kind: Literal["best-line"]
    net: Net
    data: Data


class LineBound(TypedDict):
    """No such net has a summed squared error below `error`."""

    kind: Literal["line-bound"]
    data: Data
    error: str


def best_line(net: MLP, data: Dataset) -> Fact:
    """That no net with one unit before the output has a lower loss."""
    fact: BestLine = {"kind": "best-line", "net": net_json(net), "data": data_json(data)}
    return dict(fact)


def line_bound(data: Dataset, error: Fraction) -> Fact:
    """That no net with one unit before the output has a summed squared error below this."""
    fact: LineBound = {"kind": "line-bound", "data": data_json(data), "error": str(error)}
    return dict(fact)
