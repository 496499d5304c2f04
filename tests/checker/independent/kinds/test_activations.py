"""Activations and their distance from ReLU (C27): what is so is accepted, and what is not is refused."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c27_almost_idle import WITHIN
from tests.checker.changed import refused
from tests.checker.independent.kinds import activations as oracle


@pytest.mark.parametrize(("name", "within"), WITHIN.items())
def test_an_activation_is_within_its_constant_and_not_within_less(name, within):
    fact = facts.relu_like(name, within)
    check_fact(fact)
    assert oracle.relu_like(fact)
    for less in (oracle.farthest(name) - 1e-9, 0, -1):
        refused(fact, "not shown", (["within"], str(Fraction(float(less)))))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(WITHIN)), st.fractions(-30, 30, max_denominator=50), st.fractions(0, 1, max_denominator=50)
)
def test_a_distance_at_a_number_is_judged_as_by_the_definition(name, at, over):
    fact = facts.relu_apart(name, at, over)
    if oracle.relu_apart(fact):
        check_fact(fact)
        assert over < WITHIN[name]
    else:
        with pytest.raises(Refused, match="not shown to be farther"):
            check_fact(fact)


def test_another_activation_is_refused():
    refused(facts.relu_like("silu", WITHIN["silu"]), "no such activation", (["activation"], "elu"))
    refused(facts.relu_like("silu", WITHIN["silu"]), "no such activation", (["activation"], ["silu"]))
