"""Two nets agree on listed inputs, or differ at one."""

from collections.abc import Iterable, Sequence
from typing import Literal, TypedDict

from proof_of_absence.checker.kernel.certificate import net_json, rows_json
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector
from proof_of_absence.proofs.facts.written import Fact, Net, Row, Table, row

__all__ = [
    "DifferentOutputs",
    "SameOutputs",
    "SmallerClass",
    "compare_outputs",
    "different_outputs",
    "same_outputs",
    "smaller_class",
]


class SameOutputs(TypedDict):
    """The nets agree at all the inputs."""

    kind: Literal["same-outputs"]
    left: Net
    right: Net
    inputs: Table


class DifferentOutputs(TypedDict):
    """The nets differ at the input."""

    kind: Literal["different-outputs"]
    left: Net
    right: Net
    input: Row


class SmallerClass(TypedDict):
    """The nets agree at all the inputs, and the right one has fewer hidden units, all else equal."""

    kind: Literal["smaller-class"]
    left: Net
    right: Net
    inputs: Table


def compare_outputs(left: MLP, right: MLP, inputs: Sequence[Vector]) -> Fact:
    """That two nets agree on all the inputs, or that they differ at one of them."""
    for z, a, b in zip(inputs, left.outputs(inputs), right.outputs(inputs), strict=True):
        if a != b:
            return different_outputs(left, right, z)
    fact: SameOutputs = {
        "kind": "same-outputs",
        "left": net_json(left),
        "right": net_json(right),
        "inputs": rows_json(inputs),
    }
    return dict(fact)


def same_outputs(left: MLP, right: MLP, inputs: Sequence[Vector]) -> Fact:
    """That two nets agree on all the inputs.

    Raises
    ------
    ValueError
        If they do not.
    """
    fact = compare_outputs(left, right, inputs)
    if fact["kind"] != "same-outputs":
        raise ValueError(f"the nets differ at {fact['input']}")
    return fact


def different_outputs(left: MLP, right: MLP, z: Vector) -> Fact:
    """That two nets differ at an input."""
    fact: DifferentOutputs = {
        "kind": "different-outputs",
        "left": net_json(left),
        "right": net_json(right),
        "input": row(z),
    }
    return dict(fact)


def smaller_class(left: MLP, right: MLP, inputs: Iterable[Vector]) -> Fact:
    """That two nets agree on all the inputs, and the right one is of a class with fewer units."""
    fact: SmallerClass = {
        "kind": "smaller-class",
        "left": net_json(left),
        "right": net_json(right),
        "inputs": rows_json(inputs),
    }
    return dict(fact)
