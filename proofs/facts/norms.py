"""C25, classes that a norm makes small: a minimiser within a path norm, and what weight decay says of two nets."""

from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector
from proof_of_absence.proofs.facts.written import Data, Fact, Net, Row, row

__all__ = ["DecayBound", "PathNormMinimum", "decay_bound", "path_norm_minimum"]


class PathNormMinimum(TypedDict):
    """On the line, no net of any width and a path norm of at most `most` has a lower loss than `net`, which is one."""

    kind: Literal["path-norm-minimum"]
    net: Net
    data: Data
    most: str


class DecayBound(TypedDict):
    """With weight decay `net` is lower than `base` by `gain`; at `input` their one output differs by `difference`.

    `bound` is what C25 allows there if the gain is not negative: how they differ at the training input of `row`, and
    what the distance `away` to it allows. The decay counts the biases of hidden units or not.
    """

    kind: Literal["decay-bound"]
    net: Net
    base: Net
    data: Data
    penalty: str
    biases: bool
    row: int
    input: Row
    away: str
    gain: str
    difference: str
    bound: str


def path_norm_minimum(net: MLP, data: Dataset, most: Fraction) -> Fact:
    """That no net on the line within this path norm has a lower loss, whatever its width."""
    fact: PathNormMinimum = {
        "kind": "path-norm-minimum",
        "net": net_json(net),
        "data": data_json(data),
        "most": str(most),
    }
    return dict(fact)


def decay_bound(
    net: MLP,
    base: MLP,
    data: Dataset,
    penalty: Fraction,
    at: tuple[int, Vector],
    away: Fraction,
    *,
    biases: bool = False,
) -> Fact:
    """How two nets compare with weight decay, and how they differ at an input; `at` is a row of the data and it."""
    index, x = at

    def counted(one: MLP) -> Fraction:
        hidden, output = one.layers
        rows = (*hidden.weights, *output.weights, *([hidden.bias] if biases else []))
        return sum((v * v for weights in rows for v in weights), start=Fraction(0))

    def apart(z: Vector) -> Fraction:
        return abs(net(z)[0] - base(z)[0])

    allowed = counted(base) + (data.loss(base) - data.noise_floor) / (2 * penalty)
    fact: DecayBound = {
        "kind": "decay-bound",
        "net": net_json(net),
        "base": net_json(base),
        "data": data_json(data),
        "penalty": str(penalty),
        "biases": biases,
        "row": index,
        "input": row(x),
        "away": str(away),
        "gain": str(data.loss(base) - data.loss(net) + penalty * (counted(base) - counted(net))),
        "difference": str(apart(x)),
        "bound": str(apart(data.inputs[index]) + away * allowed),
    }
    return dict(fact)
