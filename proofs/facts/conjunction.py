"""Several facts as one, and how the numbers that they state compare."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal, NotRequired, TypedDict

from proof_of_absence.proofs.facts.written import Fact

__all__ = ["Conjunction", "every"]

# A number, or a term (coefficient, place of the fact, key, ..).
Term = tuple[Any, ...] | Fraction | int | str


class Conjunction(TypedDict):
    """All the facts; a side of a comparison is a list of terms, which are added."""

    kind: Literal["all"]
    facts: list[Fact]
    compared: NotRequired[list[list[Any]]]


def every(*facts: Fact, compared: Sequence[tuple[Any, str, Any]] = ()) -> Fact:
    """Several facts as one, and how the numbers that they state compare.

    A comparison is (left, sign, right), the sign one of <, <=, =. A side is a number, a term (coefficient, place of
    the fact, key, ..), or a list of terms, which are added.
    """
    together: Conjunction = {"kind": "all", "facts": list(facts)}
    if compared:
        together["compared"] = [[_terms(left), sign, _terms(right)] for left, sign, right in compared]
    return dict(together)


def _terms(side: list[tuple[Any, ...]] | Term) -> list[list[Any]]:
    if isinstance(side, list):
        return [[str(coefficient), *path] for coefficient, *path in side]
    return _terms([side if isinstance(side, tuple) else (side,)])
