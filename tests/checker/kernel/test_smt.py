"""Terms and scripts: z3 and the independent reader parse them and agree on their values."""

from fractions import Fraction

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.sexpr import Script as ReadScript
from proof_of_absence.checker.kernel import smt
from proof_of_absence.checker.kernel.smt import Script, num
from tests.conftest import SMALL, WILD

ATOMS = st.one_of(SMALL, st.sampled_from(["x", "y"]), st.sampled_from([0, 1]))


def _sums(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: ("add", *p)), pair.map(lambda p: ("mul", *p)), pair.map(lambda p: ("sub", *p)),
        inner.map(lambda t: ("neg", t)), inner.map(lambda t: ("square", t)), inner.map(lambda t: ("relu", t)),
    )  # fmt: skip


TREES = st.recursive(ATOMS, _sums, max_leaves=8)


def as_term(tree):
    """The tree, written by the functions under test."""
    if not isinstance(tree, tuple):
        return num(tree)
    head, *parts = tree
    terms = [as_term(part) for part in parts]
    return f"(relu {terms[0]})" if head == "relu" else getattr(smt, head)(*terms)


def value(tree, at):
    """The tree's value, by the definitions."""
    if not isinstance(tree, tuple):
        return at[tree] if isinstance(tree, str) else Fraction(tree)
    head, *parts = tree
    a, *rest = [value(part, at) for part in parts]
    match head:
        case "add":
            return a + rest[0]
        case "mul":
            return a * rest[0]
        case "sub":
            return a - rest[0]
        case "neg":
            return -a
        case "square":
            return a * a
        case "relu":
            return max(a, Fraction(0))


def script_saying(tree, equal_to):
    script = Script("QF_NRA", "two\nlines of comment")
    x, y = script.real("x"), script.real("y")
    script.premise(smt.all_of([smt.le(x, x), smt.le(y, y)]))
    script.decide("claim_holds", smt.eq(as_term(tree), equal_to))
    return script


@given(TREES, WILD, WILD)
def test_the_independent_reader_gives_terms_their_value(tree, x, y):
    at = {"x": x, "y": y}
    for shift in (0, 1):
        read = ReadScript(script_saying(tree, value(tree, at) + shift).text())
        assert read.holds(read.assertions, at) == (shift == 0)


@given(TREES, SMALL, SMALL)
@settings(max_examples=25)
def test_z3_gives_terms_the_same_value(tree, x, y):
    script = script_saying(tree, value(tree, {"x": x, "y": y}))
    script.premise(smt.all_of([smt.eq("x", x), smt.eq("y", y)]))
    solver = z3.Solver()
    solver.from_string(script.text())
    assert solver.check() == z3.sat


@given(st.lists(SMALL, max_size=4), st.lists(SMALL, max_size=4))
def test_logic_against_python(left, right):
    pairs = list(zip(left, right, strict=False))
    formulas = {
        smt.all_of(smt.lt(a, b) for a, b in pairs): all(a < b for a, b in pairs),
        smt.any_of(smt.le(a, b) for a, b in pairs): any(a <= b for a, b in pairs),
        smt.no(smt.all_of(smt.eq(a, b) for a, b in pairs)): not all(a == b for a, b in pairs),
    }
    if len(left) > 1:
        formulas[smt.distinct(*left)] = len(set(left)) == len(left)
    for formula, truth in formulas.items():
        script = Script("QF_LRA")
        script.decide("claim_holds", formula)
        read = ReadScript(script.text())
        assert read.holds(read.assertions, {}) == truth


@given(WILD)
def test_numerals_are_exact_and_never_negative_literals(x):
    script = Script("QF_LRA")
    script.decide("claim_holds", smt.eq(num(x), num(x)))
    assert "-" not in num(abs(x)) and z3.simplify(z3.parse_smt2_string(script.text())[0])
    solver = z3.Solver()
    solver.from_string(f"(declare-fun v () Real)(assert (= v {num(x)}))")
    assert solver.check() == z3.sat and solver.model()[z3.Real("v")].as_fraction() == x


def test_premises_only_leaves_the_decision_out():
    script = Script("QF_LRA")
    x = script.real("x")
    b = script.boolean("b")
    script.function("loss", 2)
    script.premise(f"(=> {b} {smt.lt(0, x)})")
    script.decide("claim_fails", smt.distinct(f"(loss {x} 0)", f"(loss {x} 0)"))
    assert ReadScript(script.text()).assertions[1:] == ["claim_fails"]
    assert len(ReadScript(script.text(premises_only=True)).assertions) == 1
    assert ReadScript(script.text()).declared == {"x": "Real", "b": "Bool", "loss": "function"}


def test_one_decision_of_two_names():
    script = Script("QF_LRA")
    with pytest.raises(ValueError, match="the script decides nothing"):
        script.text()
    with pytest.raises(ValueError, match="claim_fails or claim_holds, once"):
        script.decide("claim", "true")
    script.decide("claim_fails", "true")
    with pytest.raises(ValueError, match="claim_fails or claim_holds, once"):
        script.decide("claim_holds", "true")
