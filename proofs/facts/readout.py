"""C21 on a given net: the leverage of an input, what a move of the answer there costs, and where it is free."""

from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.construct.leverage import FreeMove, Leverage
from proof_of_absence.checker.kernel.certificate import data_json, net_json, rows_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Matrix, Vector
from proof_of_absence.proofs.facts.written import Data, Fact, Net, Row, Table, row

__all__ = ["FreeReadout", "LeverageAt", "ReadoutPrice", "free_readout", "leverage_at", "readout_price"]


class LeverageAt(TypedDict):
    """The input's features are M times the solution, and their product with it is the leverage."""

    kind: Literal["leverage"]
    net: Net
    inputs: Table
    penalty: str
    at: Row
    solution: Row
    leverage: str


class FreeReadout(TypedDict):
    """A direction of output weights that changes no training output and moves the answer at the input by 1."""

    kind: Literal["free-readout"]
    net: Net
    inputs: Table
    at: Row
    direction: Row


class ReadoutPrice(TypedDict):
    """`moved` has the features of `net`, which is of least cost: how far it moves the answer, and the bound on that."""

    kind: Literal["readout-price"]
    net: Net
    data: Data
    penalty: str
    at: Row
    solution: Row
    leverage: str
    moved: Net
    square: str
    bound: str
    attained: bool


def leverage_at(net: MLP, inputs: Matrix, at: Vector, found: Leverage, penalty: Fraction | int = 0) -> Fact:
    """That the input has this leverage on the features of the net."""
    fact: LeverageAt = {
        "kind": "leverage",
        "net": net_json(net),
        "inputs": rows_json(inputs),
        "penalty": str(Fraction(penalty)),
        "at": row(at),
        "solution": row(found.solution),
        "leverage": str(found.value),
    }
    return dict(fact)


def free_readout(net: MLP, inputs: Matrix, at: Vector, found: FreeMove) -> Fact:
    """That any move of the answer at the input is free, by the net's output layer."""
    fact: FreeReadout = {
        "kind": "free-readout",
        "net": net_json(net),
        "inputs": rows_json(inputs),
        "at": row(at),
        "direction": row(found.direction),
    }
    return dict(fact)


def readout_price(
    net: MLP, moved: MLP, data: Dataset, at: Vector, found: Leverage, penalty: Fraction | int = 0
) -> Fact:
    """That the net is of least cost for its features, and how far the other, of the same features, moves the answer."""
    square = sum(((a - b) ** 2 for a, b in zip(moved(at), net(at), strict=True)), Fraction(0))
    bound = found.value * (_cost(moved, data, penalty) - _cost(net, data, penalty))
    fact: ReadoutPrice = {
        "kind": "readout-price",
        "net": net_json(net),
        "data": data_json(data),
        "penalty": str(Fraction(penalty)),
        "at": row(at),
        "solution": row(found.solution),
        "leverage": str(found.value),
        "moved": net_json(moved),
        "square": str(square),
        "bound": str(bound),
        "attained": square == bound,
    }
    return dict(fact)


def _cost(net: MLP, data: Dataset, penalty: Fraction | int) -> Fraction:
    """The summed loss and the penalty on the output weights, not on the biases."""
    return data.loss(net) * len(data) + penalty * sum(a * a for weights in net.layers[1].weights for a in weights)
