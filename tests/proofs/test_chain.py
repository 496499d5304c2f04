"""The claims as texts: what a proof cites is what it is said to rest on, and statements render."""

import re
from io import StringIO
from pathlib import Path

import networkx as nx
import pytest
from rich.console import Console

from proof_of_absence.checker.independent.coq import uncommented
from proof_of_absence.checker.kernel.claims import claim_graph, necessity
from proof_of_absence.checker.report.overview import claim_page, plain
from proof_of_absence.proofs.chain import CLAIMS
from proof_of_absence.proofs.universal import FOLDER


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_proof_cites_exactly_what_the_claim_rests_on(claim):
    cited = set(re.findall(r"\\claim\{(\w+)\}", claim.proof))
    assert cited == set(claim.rests_on)


def test_the_theorems_that_a_coq_file_uses_are_those_of_claims_that_its_claim_rests_on():
    graph = claim_graph(CLAIMS)
    files = [path for path in FOLDER.glob("*.v") if re.match(r"[cn]\d+_", path.name)]
    assert len(files) > 40
    for path in files:
        claim, text = path.name.split("_")[0].upper(), uncommented(path.read_text(encoding="utf-8"))
        stated = set(re.findall(r"\b(?:Theorem|Lemma|Corollary)\s+([CN]\d+_\w+)", text))
        used = {name.split("_")[0] for name in set(re.findall(r"\b[CN]\d+_\w+", text)) - stated}
        assert used - {claim} <= nx.ancestors(graph, claim), path.name


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_texts_render_without_leftover_latex(claim):
    for text in (claim.statement, claim.proof):
        assert "\\" not in plain(text) and "$" not in plain(text)
    assert claim.premises and claim.limits


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_what_must_be_refuted_is_called_a_control(claim):
    for obligation in claim.obligations:
        assert obligation.is_control == obligation.id.split(".")[1].startswith("control"), obligation.id


def test_main_claim_rests_on_the_whole_chain():
    assert nx.ancestors(claim_graph(CLAIMS), "C8") == {f"C{i}" for i in range(1, 8)}


def test_countermodels_and_no_others_drop_a_premise():
    for claim in CLAIMS:
        assert (claim.drops is not None) == claim.id.startswith("N")


def test_every_premise_of_the_main_claim_has_a_countermodel():
    assert all(necessity(CLAIMS)["C8"].values())


@pytest.mark.parametrize("left_out", [None, "N9"])
def test_a_page_says_of_each_premise_what_shows_it_necessary_or_that_nothing_known_does(left_out):
    claims = [claim for claim in CLAIMS if claim.id != left_out]
    dropped = necessity(claims)
    assert set(dropped) == {"C8"}
    (main,) = [claim for claim in CLAIMS if claim.id == "C8"]
    assert tuple(dropped["C8"]) == main.premises
    assert {c.id for found in dropped["C8"].values() for c in found} == {c.id for c in claims if c.drops}
    console = Console(record=True, width=250, file=StringIO())
    console.print(claim_page(main, claim_graph(claims), Path("none"), {}))
    page = console.export_text()
    for premise, found in dropped["C8"].items():
        shown = f"necessary: {', '.join(c.id for c in found)}" if found else "no countermodel without it is known"
        assert f"- {premise} ({shown})" in " ".join(page.split())
