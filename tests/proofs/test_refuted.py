"""Every tree in proofs/refutations/ is of an obligation, and refutes the query that it builds now."""

import json

import pytest

from proof_of_absence.checker.independent.kinds.refutation import refutation
from proof_of_absence.checker.kernel.obligation import Query
from proof_of_absence.proofs.chain import CLAIMS
from proof_of_absence.proofs.refuted import FOLDER

TREES = {path.stem: path for path in FOLDER.glob("*.json")}
OBLIGATIONS = {obligation.id: obligation for claim in CLAIMS for obligation in claim.obligations}


@pytest.mark.parametrize("name", sorted(TREES))
def test_a_tree_refutes_the_query_of_its_obligation(name):
    obligation = OBLIGATIONS[name]
    assert obligation.refutation == TREES[name]
    built = obligation.build()
    assert isinstance(built, Query)
    refutation({"script": built.script.text(), "tree": json.loads(TREES[name].read_text())})
