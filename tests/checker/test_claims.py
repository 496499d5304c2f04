"""Status is derived: from obligations to a claim, from a claim to all that rests on it; a bad graph is refused first."""

import pytest
from absence.checker.claims import claim_graph, load_claims, select, statuses
from absence.checker.obligation import Claim, Evidence, Obligation, Scope, Verdict

P, R, U = Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN


def claim(name: str, *rests_on: str) -> Claim:
    obligations = (
        Obligation(f"{name}.it", "so", Scope.INSTANCE, lambda: Evidence({})),
        Obligation(f"{name}.control", "not so", Scope.INSTANCE, lambda: Evidence({}), R),
    )
    return Claim(name, name, "", (), "", "", obligations, rests_on)


CHAIN = (claim("A1"), claim("A2", "A1"), claim("A3", "A2"))
DONE = {f"A{i}.{name}": verdict for i in (1, 2, 3) for name, verdict in (("it", P), ("control", R))}


def closed(changed: dict) -> list[Verdict]:
    return [status.closed for status in statuses(CHAIN, DONE | changed).values()]


def test_green_only_if_all_below_are():
    assert closed({}) == [P, P, P]
    assert closed({"A1.it": U}) == [U, Verdict.BLOCKED, Verdict.BLOCKED]
    assert closed({"A2.it": R}) == [P, R, Verdict.BLOCKED]


def test_a_control_that_is_proved_is_an_error():
    assert closed({"A3.control": P}) == [P, P, Verdict.ERROR]


def test_an_obligation_without_a_verdict_is_unknown():
    missing = {name: verdict for name, verdict in DONE.items() if name != "A1.control"}
    assert statuses(CHAIN, missing)["A1"].closed is U


def test_cycles_strangers_and_doubles_are_refused():
    with pytest.raises(ValueError, match="rest on each other: A1"):
        claim_graph([claim("A1", "A2"), claim("A2", "A1")])
    with pytest.raises(ValueError, match="A1 rests on A9, which is no claim"):
        claim_graph([claim("A1", "A9")])
    with pytest.raises(ValueError, match=r"distinct ids that begin with 'A1\.'"):
        Claim("A1", "", "", (), "", "", (CHAIN[1].obligations[0],))
    with pytest.raises(ValueError, match="A1: no negative control"):
        Claim("A1", "", "", (), "", "", CHAIN[0].obligations[:1])


def test_claims_keep_the_order_in_which_they_are_given():
    given = (claim("A1"), claim("A9", "A1"), claim("A10"), claim("A11", "A9"))
    assert list(claim_graph(given)) == ["A1", "A9", "A10", "A11"]
    assert list(claim_graph(given[::-1])) == ["A10", "A1", "A9", "A11"]


def test_selection_takes_what_a_claim_rests_on():
    assert [c.id for c in select(CHAIN, ["A2"])] == ["A1", "A2"]
    assert len(select(load_claims(), [])) == len(load_claims())
