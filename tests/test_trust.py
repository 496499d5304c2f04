"""What is said of trust is so: README's table, and a closed theorem for all that the proved checker accepts."""

import pytest

from proof_of_absence.checker.independent.facts import KINDS
from proof_of_absence.checker.independent.results import audit
from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.kernel.obligation import KernelProof, Scope
from proof_of_absence.checker.proved.left import IN_PART, OF_AUDITS, WHY
from proof_of_absence.checker.proved.soundness import AUDITS, Theorem, extracted, sound
from proof_of_absence.checker.report.trusted import markdown
from tests.trust import PAGE, README, counted, told_left, written

# What the kernel is given: of universal scope, so that `absence verify` asks it whether they use an axiom.
PROVED = {
    Theorem(name, f"{proof.module}.v")
    for claim in load_claims()
    for obligation in claim.obligations
    if obligation.scope is Scope.UNIVERSAL and isinstance(proof := obligation.build(), KernelProof)
    for name in proof.theorems
}


def test_the_table_of_readme_is_of_today(discharged):
    assert written(README) == markdown(counted(discharged / "certificates")), "run `python -m tests.trust`"


def test_the_table_of_what_is_left_is_of_today(discharged):
    assert written(PAGE) == told_left(discharged / "certificates"), "run `python -m tests.trust`"


def test_each_kind_is_decided_or_has_a_reason_why_not():
    kinds = set(KINDS) - {"all", "coq"}
    assert kinds == (set(sound()) & kinds) | set(WHY) and set(sound()) <= kinds | {"compared", *AUDITS}
    assert not set(WHY) & set(sound()) and set(IN_PART) <= set(sound())


def test_each_kind_of_an_audit_is_decided_or_has_a_reason_why_not():
    assert set(audit.KINDS) - set(AUDITS) <= {*OF_AUDITS, *WHY}
    assert not set(OF_AUDITS) & set(AUDITS) and set(OF_AUDITS) <= set(audit.KINDS)


@pytest.mark.parametrize("kind", sound())
def test_what_a_kind_is_accepted_by_has_theorems_that_are_closed(kind):
    assert sound()[kind] and PROVED.issuperset(sound()[kind])


def test_every_checker_that_is_extracted_has_its_theorem_and_is_used():
    assert set(extracted().values()) == {theorem for theorems in sound().values() for theorem in theorems}


def test_a_kind_names_the_checkers_that_its_answer_goes_through():
    names = {kind: {theorem.name for theorem in theorems} for kind, theorems in sound().items()}
    last, several = {"C2_check_idle", "C2_check_fires"}, {"C2_check_idle_deep", "C2_check_fires_deep"}
    assert names["idle"] == {"C2_check_features"} | last | several
    assert names["outside-hull"] == {"C10_check_outside"} and names["refutation"] == {"C2_check_refuted"}
    assert names["circuit"] == {"C2_check_rows", "C2_check_blocks"}
    assert names["irrelevant-region"] == {"C2_check_region"}
    assert "C22_check_price" in names["defection-price"] and "C22_check_price" not in names["global-minimum"]
