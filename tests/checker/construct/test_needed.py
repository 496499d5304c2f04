"""What a branch needs: with it there is no solution, and what is said to contradict itself has none by another way."""

from proof_of_absence.checker.construct.needed import Needed, needed, needed_hypotheses
from proof_of_absence.checker.independent.values.branch import Branch, Query

DECLARED = "(declare-fun x () Real)(declare-fun y () Real)(declare-fun z () Real)"


def branch(*assertions):
    return Branch(Query(DECLARED + "".join(f"(assert {formula})" for formula in assertions)))


def test_hypotheses_that_can_be_spared_are_not_needed():
    hypotheses = branch("(<= 0 z)", "(< x y)", "(<= z 1)", "(< y x)").hypotheses
    assert needed_hypotheses(hypotheses) == [1, 3]
    assert needed_hypotheses(hypotheses, least=False) == [0, 1, 2, 3]
    assert needed_hypotheses(hypotheses[:3]) is None


def test_choices_and_conditions_that_nothing_hangs_on_are_not_needed():
    spared, choice = "(or (< x 1) (< y 1))", "(or (< z (- 1)) (< z (* (- 1) y y)))"
    assert needed(branch(spared, choice, "(<= 0 z)")) == Needed(choices=[1], conditions=[])
    assert needed(branch("(< 0 (ite (< x y) x y))", "(< z (ite (< x z) 0 1))", "(< 1 z)")) == Needed([], [1])
    assert needed(branch(spared, choice)) is None
