"""Polynomial identities: sympy's verdict, the independent expansion, and evaluation at points agree."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.encode.polynomials import identity, term
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Script, expand, parse
from tests.conftest import SMALL

X, Y = sympy.symbols("x y")
RATIONALS = SMALL.map(lambda q: sympy.Rational(q.numerator, q.denominator))
POLYNOMIALS = st.recursive(
    st.one_of(RATIONALS, st.sampled_from([X, Y])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
        inner.map(lambda p: p**2),
    ),
    max_leaves=6,
)


@given(POLYNOMIALS, POLYNOMIALS)
def test_the_independent_checker_agrees(left, right):
    evidence = identity(left, right)
    check_fact(evidence.fact)
    other = evidence.fact | {"kind": "no-identity" if evidence.holds else "identity"}
    with pytest.raises(Refused, match="the polynomials"):
        check_fact(other)


@given(POLYNOMIALS)
def test_a_polynomial_is_its_expansion(p):
    assert identity(p, sympy.expand(p)).holds
    assert not identity(p, sympy.expand(p) + 1).holds


@given(POLYNOMIALS, SMALL, SMALL)
def test_terms_have_the_polynomials_values(p, x, y):
    script = Script(f"(declare-fun x () Real)(declare-fun y () Real)(define-fun p () Real {term(p)})")
    at = sympy.sympify(p).subs({X: sympy.Rational(str(x)), Y: sympy.Rational(str(y))})
    expanded = sum(
        (c * x ** dict(m).get("x", 0) * y ** dict(m).get("y", 0) for m, c in expand(parse(term(p))[0]).items()),
        start=Fraction(0),
    )
    assert script.holds([["=", "p", *parse(term(at))]], {"x": x, "y": y})
    assert expanded == Fraction(int(at.p), int(at.q))


def test_a_numeric_coincidence_is_no_identity():
    # Equal at x = 0, 1, .., 5, where a sampled check would look.
    product = sympy.Mul(*(X - k for k in range(6)))
    assert not identity(product, sympy.Integer(0)).holds


@pytest.mark.parametrize("bad", [sympy.sqrt(2) * X, sympy.pi, X**-1, sympy.sin(X), X**Y, X ** sympy.Rational(1, 2)])
def test_what_is_no_polynomial_over_q_is_refused(bad):
    with pytest.raises(ValueError, match="polynomial"):
        identity(bad, X)


@pytest.mark.parametrize("bad", ["(abs x)", "((x) x)", "(relu x)", "(foo x)"])
def test_unknown_operators_are_refused(bad):
    with pytest.raises(Refused):
        check_fact({"kind": "identity", "left": bad, "right": "x"})


@pytest.mark.parametrize("bad", ["", "x y", "()", "(+)", "(x", "x)", "(/ x y)", "(/ 1 0)", "(foo x y)", '"x"', 3, None])
def test_malformed_polynomials_are_refused(bad):
    with pytest.raises(Refused):
        check_fact({"kind": "identity", "left": bad, "right": "x"})
