"""What the terminal shows of claims: at 80 columns every word is whole."""

import pytest

from proof_of_absence.checker.kernel.claims import claim_graph, load_claims
from proof_of_absence.checker.kernel.obligation import Verdict
from proof_of_absence.checker.kernel.verify import Result
from proof_of_absence.checker.report.overview import claim_page, claim_table, scopes
from tests.checker.screen.narrow import assert_whole, narrow

CLAIMS = load_claims()
RUNS = tuple({"solver": solver} for solver in ("z3", "cvc5", "coq"))


def results(verdict: Verdict | None, seconds: float, cached: bool = False) -> dict[str, Result]:
    """The same result of every obligation; no solver decides the first of a claim; None is what each expects."""
    return {
        o.id: Result(o, verdict or o.expect, "", RUNS if i else (), seconds, cached)
        for claim in CLAIMS
        for i, o in enumerate(claim.obligations)
    }


def test_a_theorem_about_a_checker_gives_its_claim_no_scope():
    by_id = {claim.id: claim for claim in CLAIMS}
    assert scopes(by_id["N9"]) == ["bounded", "instance"]
    assert scopes(by_id["C5"])[0] == "universal"


@pytest.mark.parametrize("verdict", [None, Verdict.UNKNOWN, Verdict.ERROR, Verdict.REFUTED])
@pytest.mark.parametrize("seconds", [0.04, 12.0, 700.0])
def test_the_table_of_claims_fits_80_columns(verdict, seconds):
    found = results(verdict, seconds)
    words = [word for claim in CLAIMS for word in (claim.id, claim.title, scopes(claim)[0])]
    assert_whole(narrow(claim_table(CLAIMS, found)), [*words, "Decided by", "exact z3 cvc5 coq"])


def test_while_nothing_is_decided_it_fits_too():
    assert_whole(narrow(claim_table(CLAIMS, {})), [claim.title for claim in CLAIMS])


def test_each_claim_has_one_line_where_seconds_are_few():
    assert len(narrow(claim_table(CLAIMS, results(None, 12.0))).splitlines()) == len(CLAIMS) + 1


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_page_of_a_claim_fits_80_columns(claim, tmp_path):
    words = [word for o in claim.obligations for word in (o.id, o.statement)]
    assert_whole(narrow(claim_page(claim, claim_graph(CLAIMS), tmp_path, {})), [*words, claim.title, "not checked"])
