"""Polynomial identities: sympy decides by expansion over QQ, the independent checker expands again by itself."""

from fractions import Fraction

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
    try:
        unknowns = sorted((left - right).free_symbols, key=str) or [sympy.Symbol("x")]
        difference = sympy.Poly(left - right, *unknowns, domain="QQ")
    except (sympy.PolynomialError, sympy.CoercionFailed) as error:
        raise ValueError(f"not a polynomial over Q: {error}") from error
    kind = "identity" if difference.is_zero else "no-identity"
    return Evidence({"kind": kind, "left": term(left), "right": term(right)}, holds=difference.is_zero)


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
