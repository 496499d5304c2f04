"""Polynomial identities over Q, expanded coefficient by coefficient."""

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.sexpr import Polynomial, expand, parse
from proof_of_absence.checker.independent.values import Fact


def identity(fact: Fact) -> None:
    """Two polynomials over Q are equal, coefficient by coefficient."""
    left, right = _polynomials(fact)
    require(left == right, "the polynomials differ")


def no_identity(fact: Fact) -> None:
    """Two polynomials over Q differ."""
    left, right = _polynomials(fact)
    require(left != right, "the polynomials are equal")


def _polynomials(fact: Fact) -> list[Polynomial]:
    pair = [parse(fact[side]) for side in ("left", "right")]
    require(all(len(terms) == 1 for terms in pair), "each side is one term")
    return [expand(terms[0]) for terms in pair]


KINDS = {
    "identity": identity,
    "no-identity": no_identity,
}
