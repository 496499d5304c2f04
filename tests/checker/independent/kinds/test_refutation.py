"""Trees that refute scripts: what is accepted z3 finds unsat; at a point where a script holds no branch is closed."""

import copy
import json

import pytest
import z3
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Script
from proof_of_absence.checker.independent.values.branch import Branch, Query
from proof_of_absence.proofs.facts.refutation import refutation

# Each search takes a while.
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
HEADER = """(define-fun relu ((t Real)) Real (ite (<= t 0) 0 t))
(define-fun least ((s Real) (t Real)) Real (ite (<= s t) s t))
(declare-fun x () Real)
(declare-fun y () Real)
(declare-fun p () Bool)
(declare-fun f (Real) Real)
(define-fun d () Real (- (relu (+ x y)) (* x y)))
"""


def joined(operators, parts, least=2):
    return st.builds(lambda head, rest: f"({head} {' '.join(rest)})", st.sampled_from(operators),
                     st.lists(parts, min_size=least, max_size=2))  # fmt: skip


NUMERALS = st.sampled_from(["0", "1", "2", "(- 1)", "(/ 1 2)"])
TERMS = st.recursive(
    st.one_of(st.sampled_from(["x", "y", "d", "x", "y"]), NUMERALS),
    lambda below: st.one_of(
        joined(["+", "*", "-"], below), below.map(lambda t: f"(relu {t})"), below.map(lambda t: f"(f {t})")
    ).filter(lambda t: len(t) < 60),
    max_leaves=4,
)  # fmt: skip
ATOMS = st.one_of(st.just("p"), joined(["<=", "<", ">=", ">", "=", "distinct"], TERMS))
FORMULAS = st.recursive(
    ATOMS,
    lambda below: st.one_of(joined(["and", "or", "=>"], below), below.map(lambda one: f"(not {one})"),
                            st.builds(lambda *parts: f"(ite {' '.join(parts)})", below, below, below)),
    max_leaves=3,
)  # fmt: skip
SCRIPTS = st.lists(FORMULAS, min_size=1, max_size=4).map(
    lambda formulas: HEADER + "".join(f"(assert {formula})\n" for formula in formulas)
)
NODES = [
    {"choice": 0},
    {"condition": 0},
    {"sign": "(+ x y)"},
    {"whether": "(< x (* y d))"},
    {"whether": "(or p (= x y))"},
    {"values": "(f x) (f d)"},
    {"sum": []},
]
HALVES = st.fractions(-2, 2, max_denominator=2)
POINTS = st.fixed_dictionaries({"x": HALVES, "y": HALVES})


def well_formed(script):
    """Whether every function has one argument here."""
    try:
        solver = z3.Solver()
        solver.from_string(script)
    except z3.Z3Exception:
        return False
    return True


def has_no_solution(script):
    solver = z3.Solver()
    solver.set("timeout", 5000)
    solver.from_string(script)
    return solver.check() != z3.sat


def accepted(script, fact):
    try:
        check_fact(fact | {"script": script})
    except Refused:
        return False
    return True


@settings(max_examples=25, phases=NO_SHRINKING)
@given(SCRIPTS)
def test_what_is_refuted_has_no_solution(script):
    assume(well_formed(script))
    found = refutation(script, 2)
    if found is not None:
        assert accepted(script, found) and has_no_solution(script)


@settings(max_examples=40, phases=NO_SHRINKING)
@given(SCRIPTS, SCRIPTS, st.data())
def test_a_tree_of_another_script_or_a_changed_one_is_accepted_only_where_there_is_no_solution(script, other, data):
    assume(well_formed(script) and well_formed(other))
    found = refutation(script, 0.5) or {"kind": "refutation", "tree": {"sum": []}}
    changed = copy.deepcopy(found)
    nodes = [changed["tree"]]
    for node in nodes:
        nodes += node.get("cases", [])
    node = data.draw(st.sampled_from(nodes))
    match data.draw(st.integers(0, 3)):
        case 0:
            node.update(data.draw(st.sampled_from(NODES)))
        case 1:
            node["cases"] = [node.copy()] * data.draw(st.integers(0, 3))
        case 2 if node.get("sum"):
            node["sum"][0] = node["sum"][0] | data.draw(
                st.sampled_from([{"times": "-1"}, {"of": [0]}, {"of": []}, {"by": [["x", 1]]}, {"square": [["1", []]]}])
            )
        case 3 if node.get("sum"):
            del node["sum"][0]
    for text in (script, other):
        for tree in (found, changed):
            assert not accepted(text, tree) or has_no_solution(text)


@settings(max_examples=100, phases=NO_SHRINKING)
@given(SCRIPTS, POINTS, st.booleans())
def test_where_the_script_holds_no_branch_is_closed_and_every_choice_has_a_formula_that_holds(script, point, p):
    assume(well_formed(script) and "(f " not in script)
    values = point | {"p": p}
    if not Script(script).holds(Script(script).assertions, values):
        return
    try:
        branch = Branch(Query(script))
    except Refused:
        return
    assert not branch.closed
    for relation, polynomial in branch.hypotheses:
        names = {name for monomial in polynomial for name, _ in monomial}
        if names <= set(values):
            value = sum(c * product(values, monomial) for monomial, c in polynomial.items())
            assert {"=": value == 0, ">=": value >= 0, ">": value > 0}[relation]
    for choice in branch.choices:
        assert any(holds(script, formula, values) for formula in choice)


def product(values, monomial):
    result = 1
    for name, power in monomial:
        result *= values[name] ** power
    return result


def holds(script, formula, values):
    return Script(script).holds([formula.term], values) == formula.so


def refused(script, tree):
    with pytest.raises(Refused) as why:
        check_fact({"kind": "refutation", "script": script, "tree": tree})
    return str(why.value)


def test_what_is_no_refutation_is_refused():
    script = "(declare-fun x () Real)(assert (<= 0 x))(assert (< x 0))"
    good = {"sum": [{"times": "1", "of": [0]}, {"times": "1", "of": [1]}]}
    check_fact({"kind": "refutation", "script": script, "tree": good})
    assert "no term is above 0" in refused(script, {"sum": []})
    assert "may be below 0" in refused(script, {"sum": [{"times": "-1", "of": [0]}]})
    assert "may be below 0" in refused(script, {"sum": [{"times": "1", "of": [1], "by": [["x", 1]]}]})
    assert "do not add up" in refused(script, {"sum": [{"times": "1", "of": [1]}]})
    assert "no such hypothesis" in refused(script, {"sum": [{"times": "1", "of": [2]}]})
    assert "a case is missing" in refused(script, {"sign": "x", "cases": [good, good]})
    assert "a case is missing" in refused(script, {"whether": "(< 1 x)", "cases": [good]})
    assert "malformed" in refused(script, {"condition": 0, "cases": [good, good]})
    for place in (-1, True, "0"):
        assert "not the place of a case" in refused(script, {"choice": place, "cases": []})


def test_a_formula_holds_or_fails():
    script = "(declare-fun x () Real)(assert (<= 1 x))(assert (< (* x x) 1))"
    holds = {"sum": [{"times": "1", "of": [1]}, {"times": "1", "of": [2]}]}
    fails = {"sum": [{"times": "1", "of": [1]}, {"times": "1", "of": [0, 0]}, {"times": "2", "of": [0]}]}
    tree = {"whether": "(<= 1 (* x x))", "cases": [holds, fails]}
    check_fact({"kind": "refutation", "script": script, "tree": tree})
    assert "no such hypothesis" in refused(script, tree | {"cases": [holds, {"sum": [{"times": "1", "of": [3]}]}]})
    assert "do not add up" in refused(script, tree | {"whether": "(<= 2 (* x x))"})
    assert "of one term" in refused(script, tree | {"whether": "(= x)"})
    assert "a case is missing" in refused(script, tree | {"cases": [holds]})


def test_equal_arguments_have_equal_values():
    script = "(declare-fun x () Real)(declare-fun y () Real)(declare-fun xx () Real)(declare-fun xy () Real)"
    script += "(declare-fun f (Real) Real)(assert (= x y))(assert (< (f x) (f y)))(assert (< xx xy))"
    below, above = ({"sum": [{"times": c, "of": [0]}, {"times": "1", "of": [3]}]} for c in ("-1", "1"))
    apart = {"choice": 0, "cases": [below, above]}
    equal = {"sum": [{"times": "1", "of": [1]}, {"times": "-1", "of": [3]}]}
    tree = {"values": "(f x) (f y)", "cases": [apart, equal]}
    check_fact({"kind": "refutation", "script": script, "tree": tree})
    assert "a case is missing" in refused(script, tree | {"cases": [equal]})
    for values in ("xx xy", "(f x) (+ y)", "xx (f x)"):
        assert "not values of one function" in refused(script, tree | {"values": values})
    assert "malformed" in refused(script, tree | {"values": "(f x)"})
    assert "malformed" in refused(script, tree | {"values": "(+ x y) (+ x)"})


@pytest.mark.parametrize(
    "definitions", ["(define-fun g () Real g)", "(define-fun g () Real h)(define-fun h () Real g)"]
)
def test_definitions_in_a_circle_are_refused(definitions):
    script = f"(declare-fun x () Real){definitions}(assert (< g g))"
    assert "is defined later" in refused(script, {"sum": [{"times": "1", "of": [0]}]})


def test_the_trees_are_plain_json():
    found = refutation("(declare-fun x () Real)(assert (< (* x x) 0))", 5)
    assert json.loads(json.dumps(found)) == found and found["tree"]["sum"]
