"""What is claimed is what is on record, word for word and check for check."""

from dataclasses import replace

import pytest
from absence.checker.obligation import Evidence, Verdict
from absence.proofs.chain import CLAIMS

from tests.proofs import record

RENEW = "if this is meant, renew the record (python -m tests.proofs.record) and let its change be read"


def test_the_obligations_are_those_on_record():
    assert [o.id for c in CLAIMS for o in c.obligations] == list(record.on_record()["obligations"]), RENEW


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_each_obligation_says_and_checks_what_is_on_record(claim):
    known = record.on_record()["obligations"]
    for obligation in claim.obligations:
        assert record.entry(obligation, obligation.build()) == known[obligation.id], f"{obligation.id}: {RENEW}"


def test_coq_statements_are_read_by_the_definitions_on_record():
    assert record.definitions() == record.on_record()["coq"], RENEW


def test_words_verdict_and_check_are_each_on_record():
    (claim,) = (claim for claim in CLAIMS if claim.id == "C12")
    (one,) = (o for o in claim.obligations if o.id == "C12.minima")
    built = one.build()
    known = record.entry(one, built)
    fact = {"kind": "all", "facts": built.fact["facts"][:-1]}
    assert record.entry(replace(one, statement=one.statement + "."), built) != known
    assert record.entry(replace(one, expect=Verdict.REFUTED), built) != known
    assert record.entry(one, Evidence(built.fact, holds=False)) != known
    assert record.entry(one, Evidence(fact)) != known


def test_another_minimiser_is_the_same_question_and_other_data_are_not():
    (claim,) = (claim for claim in CLAIMS if claim.id == "C12")
    (one,) = (o for o in claim.obligations if o.id == "C12.minima")
    fact = one.build().fact
    minimum, rest = fact["facts"][0], fact["facts"][1:]
    known = record.entry(one, Evidence(fact))
    other = minimum | {"residuals": []}
    assert record.entry(one, Evidence(fact | {"facts": [other, *rest]})) == known
    units = minimum | {"units": minimum["units"] + 1}
    assert record.entry(one, Evidence(fact | {"facts": [units, *rest]})) != known
