"""What a branch of a case distinction says, as formulas of z3, for searches that ask it."""

from fractions import Fraction
from functools import cache
from typing import Any

import z3

from proof_of_absence.checker.independent.refusal import Refused

__all__ = ["said", "signed", "value"]

Terms = tuple[tuple[Any, Fraction], ...]


@cache
def said(shape: tuple[Any, ...]) -> Any:
    """The condition with this shape.

    Raises
    ------
    Refused
        If it is of another form.
    """
    match shape:
        case ("bool", name, so):
            found = z3.Bool(name)
        case ("not", so, inner):
            found = z3.Not(said(inner))
        case ("and" | "or" as operator, so, *parts):
            found = (z3.And if operator == "and" else z3.Or)(*map(said, parts))
        case (relation, terms, so):
            found = signed(relation, terms)
        case _:
            raise Refused("not understood")
    return found if so else z3.Not(found)


def signed(relation: str, terms: Terms) -> Any:
    """That a sum of products is 0, above 0, or at least 0."""
    total = value(terms)
    return {"=": total == 0, ">=": total >= 0, ">": total > 0}[relation]


@cache
def value(terms: Terms) -> Any:
    """A sum of products, each a power of variables with its factor."""
    products = [
        z3.Product([z3.RealVal(str(c)), *(z3.Real(name) for name, k in monomial for _ in range(k))])
        for monomial, c in terms
    ]
    return z3.Sum(products) if products else z3.RealVal(0)
