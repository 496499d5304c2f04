"""The claims as texts: what a proof cites is what it is said to rest on, and statements render."""

import re

import pytest
from absence.checker.claims import claim_graph
from absence.checker.report import plain
from absence.proofs.chain import CLAIMS


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_proof_cites_exactly_what_the_claim_rests_on(claim):
    cited = set(re.findall(r"\\claim\{(\w+)\}", claim.proof))
    assert cited == set(claim.rests_on)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_texts_render_without_leftover_latex(claim):
    for text in (claim.statement, claim.proof):
        assert "\\" not in plain(text) and "$" not in plain(text)
    assert claim.premises and claim.limits


def test_main_claim_rests_on_the_whole_chain():
    import networkx as nx

    assert nx.ancestors(claim_graph(CLAIMS), "C8") == {f"C{i}" for i in range(1, 8)}


def test_countermodels_name_a_premise_of_a_claim():
    ids = {claim.id for claim in CLAIMS}
    for claim in CLAIMS:
        assert (claim.drops is not None) == claim.id.startswith("N")
        assert claim.drops is None or claim.drops[0] in ids
