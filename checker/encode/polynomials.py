"""Polynomial identities: sympy decides by expansion over QQ, the independent checker expands again by itself."""

from fractions import Fraction
from math import prod
from typing import Any

import sympy

from proof_of_absence.checker.kernel.obligation import Evidence
from proof_of_absence.checker.kernel.smt import add, mul, num

__all__ = ["identity"]


def identity(left: sympy.Expr, right: sympy.Expr) -> Evidence:
    """Evidence that two polynomials with rational coefficients are equal, or that they are not.

    Raises
    ------
    ValueError
        If a side is no such polynomial.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> identity((x + 1) ** 2, x**2 + 2 * x + 1).holds
    True
    """
    unknowns = sorted(left.free_symbols | right.free_symbols, key=str) or [sympy.Symbol("x")]
    over_q = sympy.QQ[tuple(unknowns)]
    holds = _expanded(left, over_q) == _expanded(right, over_q)
    kind = "identity" if holds else "no-identity"
    return Evidence({"kind": kind, "left": term(left), "right": term(right)}, holds=holds)


def _expanded(expression: sympy.Expr, over_q: Any) -> Any:
    """The polynomial as an element of the ring, expanded; the ring's own arithmetic is faster than `expand`."""
    match expression:
        case sympy.Rational() | sympy.Symbol():
            return over_q.from_sympy(expression)
        case sympy.Add():
            return sum((_expanded(part, over_q) for part in expression.args), start=over_q.zero)
        case sympy.Mul():
            return prod((_expanded(part, over_q) for part in expression.args), start=over_q.one)
        case sympy.Pow(base=base, exp=sympy.Integer() as power) if power > 0:
            return _expanded(base, over_q) ** int(power)
    raise ValueError(f"{expression} is not a polynomial over Q")


def term(expression: sympy.Expr) -> str:
    """A polynomial as an SMT-LIB term, not expanded.

    Examples
    --------
    >>> term(sympy.Symbol("x") ** 2 / 2)
    '(* (/ 1 2) (* x x))'
    """
    if isinstance(expression, sympy.Rational):
        return num(Fraction(int(expression.p), int(expression.q)))
    if isinstance(expression, sympy.Symbol):
        return str(expression.name)
    if isinstance(expression, sympy.Add):
        return add(*map(term, expression.args))
    if isinstance(expression, sympy.Mul):
        return mul(*map(term, expression.args))
    if isinstance(expression, sympy.Pow) and expression.exp.is_Integer and expression.exp > 0:
        return mul(*[term(expression.base)] * int(expression.exp))
    raise ValueError(f"{expression} is not a polynomial")
