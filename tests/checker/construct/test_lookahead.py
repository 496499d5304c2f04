"""What is told of a branch: a leaf refutes it, and what is asked is needed, and asked once."""

import pytest
import z3

from proof_of_absence.checker.construct.lookahead import Lookahead
from proof_of_absence.checker.independent.kinds.refutation import ways
from proof_of_absence.checker.independent.values.branch import Branch, Formula, Query

DECLARED = "(declare-fun x () Real)(declare-fun y () Real)(declare-fun z () Real)"
RELU = "(define-fun relu ((t Real)) Real (ite (<= t 0) 0 t))"


def branch(*assertions, cases=()):
    return Branch(Query(DECLARED + RELU + "".join(f"(assert {formula})" for formula in assertions)), cases)


def test_a_leaf_has_the_hypotheses_that_contradict_each_other():
    found = Lookahead(branch("(<= 0 z)", "(< x y)", "(<= z 1)", "(< y x)")).leaf()
    assert sorted(place for term in found for place in term["of"]) == [1, 3]
    assert Lookahead(branch("(<= 0 z)", "(< x y)")).leaf() is None


def test_of_what_is_needed_that_is_asked_of_which_the_fewest_ways_stay_open():
    spared, wide, narrow = "(or (< x 1) (< y 1))", "(or (< z 1) (< z 2) (< z 3))", "(or (< z 0) (< 3 z))"
    found = Lookahead(branch(spared, wide, "(<= (/ 1 2) z)", narrow)).best()
    assert found == {"choice": 2}
    assert Lookahead(branch("(< (relu x) 0)", "(< 0 (relu y))")).best() == {"condition": 0}


def test_nothing_is_asked_where_there_may_be_a_solution():
    assert Lookahead(branch("(or (< x 1) (< y 1))", "(< 0 (relu y))")).best() is None


@pytest.mark.parametrize("condition", ["(and (<= x 0) (<= y 0))", "(= x y)"])
def test_a_condition_is_not_asked_again(condition):
    formula = f"(< 1 (ite {condition} 1 0))"
    first = branch(formula)
    assert Lookahead(first).best() == {"condition": 0}
    for case in ways(first, {"condition": 0}):
        below = branch(formula, cases=(case,))
        assert below.closed or Lookahead(below, (case,)).leaf() or "choice" in Lookahead(below, (case,)).best()


def test_a_leaf_is_found_where_z3_finds_no_solution():
    formulas = ["(< x y)", "(<= (* 2 y) z)", "(< z (+ x y))"]
    solver = z3.Solver()
    solver.from_string(DECLARED + "".join(f"(assert {formula})" for formula in formulas))
    assert solver.check() == z3.unsat
    assert Lookahead(branch(*formulas)).leaf()
    assert Lookahead(branch(*formulas[:2]), (Formula("x"),)).leaf() is None
