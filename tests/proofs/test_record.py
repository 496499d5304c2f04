"""What is claimed is what is on record, word for word and check for check."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from proof_of_absence.checker.kernel.obligation import Evidence, Verdict
from proof_of_absence.proofs.chain import CLAIMS
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
    fact = built.fact | {"facts": built.fact["facts"][:-1]}
    assert record.entry(replace(one, statement=one.statement + "."), built) != known
    assert record.entry(replace(one, expect=Verdict.REFUTED), built) != known
    assert record.entry(one, Evidence(built.fact, holds=False)) != known
    assert record.entry(one, Evidence(fact)) != known


# Facts that a search in floats finds, one for each way to search.
SEARCHED = {"C11.table-plane", "C12.minima", "C19.convex-line", "C22.curve"}
BUILD = """
import json, sys
from tests.proofs import record
chosen = [o for c in record.CLAIMS for o in c.obligations if o.id in sys.argv[1:]]
print(json.dumps({o.id: record.entry(o, o.build()) for o in chosen}))
"""


def test_another_processor_finds_the_same():
    other = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX"}
    command = [sys.executable, "-W", "ignore", "-c", BUILD, *SEARCHED]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ | other, cwd=record.FILE.parents[2])
    assert run.returncode == 0, run.stderr
    known = record.on_record()["obligations"]
    assert json.loads(run.stdout) == {name: known[name] for name in SEARCHED}
