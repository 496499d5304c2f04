"""C27: how far softplus, SiLU and GELU are from ReLU."""

from fractions import Fraction
from typing import Literal, TypedDict

from proof_of_absence.proofs.facts.written import Fact

__all__ = ["Activation", "ReluApart", "ReluLike", "relu_apart", "relu_like"]

Activation = Literal["gelu", "silu", "softplus"]


class ReluLike(TypedDict):
    """At every real number the activation is within `within` of ReLU."""

    kind: Literal["relu-like"]
    activation: Activation
    within: str


class ReluApart(TypedDict):
    """At the number `at` the activation is more than `over` from ReLU."""

    kind: Literal["relu-apart"]
    activation: Activation
    at: str
    over: str


def relu_like(activation: Activation, within: Fraction) -> Fact:
    """That the activation is within a constant of ReLU everywhere."""
    fact: ReluLike = {"kind": "relu-like", "activation": activation, "within": str(within)}
    return dict(fact)


def relu_apart(activation: Activation, at: Fraction, over: Fraction) -> Fact:
    """That the activation is farther from ReLU than a constant somewhere."""
    fact: ReluApart = {"kind": "relu-apart", "activation": activation, "at": str(at), "over": str(over)}
    return dict(fact)
