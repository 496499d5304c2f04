"""Regressions of C19: what is so is accepted; each thing that can be wrong is refused, with its reason."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.data import Dataset
from proof_of_absence.proofs import c19_analytical, facts
from proof_of_absence.proofs.examples import TWO_OUTPUTS
from tests.checker.changed import refused
from tests.checker.independent.kinds import regression as oracle
from tests.conftest import vectors


def solution(unit, penalty, *, intercept, fires=None):
    return c19_analytical.solved(
        c19_analytical.CONSTANT, TWO_OUTPUTS, unit, penalty=penalty, intercept=intercept, fires=fires
    ).fact


CONSTANT = solution(c19_analytical.CONSTANT_UNIT, 1, intercept=True)
SILENT = solution(c19_analytical.SILENT_UNIT, 0, intercept=False, fires=c19_analytical.SILENT_NO_MORE)


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (CONSTANT, "normal equations fail", [(["penalty"], "2")]),
        (CONSTANT, "penalty is negative", [(["penalty"], "-1")]),
        (CONSTANT, "do not sum to 0", [(["net", 1, "bias", 0], "0")]),
        (CONSTANT, "output bias", [(["intercept"], False)]),
        (CONSTANT, "truth value", [(["intercept"], "yes")]),
        (CONSTANT, "weights are otherwise", [(["weightless"], False)]),
        (CONSTANT, "not constant in training", [(["circuit"], [[1, 0]])]),
        (CONSTANT, "circuit is empty", [(["circuit"], [])]),
        (CONSTANT, "does not fire", [(["fires"], ["5", "5"])]),
        (CONSTANT, "penalty is not 0", [(["row_space"], [["0"] * 4] * 2)]),
        (SILENT, "the weights, by the row space, entry 0: stated 13/14, recomputed", [(["row_space", 0, 0], "1000")]),
        (SILENT, "do not fit", [(["row_space"], [["0"] * 4])]),
        (SILENT, "does not fire", [(["fires"], ["0", "0"])]),
    ],
)
def test_a_regression_that_is_not_so(fact, match, changes):
    refused(fact, match, *changes)


def test_a_least_squares_solution_must_be_told_from_the_others():
    fact = {key: value for key, value in SILENT.items() if key != "row_space"}
    with pytest.raises(Refused, match="nothing tells this solution"):
        check_fact(fact)


@given(st.data(), st.sampled_from([0, Fraction(1, 3), 2]), st.booleans())
def test_closed_forms_are_accepted(data, penalty, intercept):
    inputs = data.draw(st.lists(vectors(2), min_size=1, max_size=5))
    targets = [data.draw(vectors(2)) for _ in inputs]
    examples = Dataset(inputs, targets)
    if penalty:
        net, more = c19_analytical.ridge_solution(c19_analytical.CONSTANT, examples, penalty, intercept=intercept), {}
    else:
        net, multipliers = c19_analytical.minimum_norm(c19_analytical.CONSTANT, examples, intercept=intercept)
        more = {"row_space": multipliers}
    fact = facts.ridge(net, examples, penalty, intercept=intercept, **more)
    check_fact(fact)
    assert oracle.ridge(fact)
