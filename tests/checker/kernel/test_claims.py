"""Status is derived, from obligations to a claim and to all that rests on it; a bad graph is refused first."""

from dataclasses import replace

import pytest

from proof_of_absence.checker.kernel.claims import claim_graph, load_claims, necessity, select, statuses
from proof_of_absence.checker.kernel.obligation import Claim, Drops, Evidence, Obligation, Scope, Verdict

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


def test_each_premise_has_the_countermodels_that_drop_it():
    about = replace(CHAIN[0], premises=("finite: the class is finite", "convex", "large: it is large: very"))
    without = [
        replace(claim(f"B{i}"), drops=Drops("A1", name, "")) for i, name in enumerate(["convex", "finite", "convex"])
    ]
    found = necessity([about, *CHAIN[1:], *without])
    assert {p: [c.id for c in cs] for p, cs in found["A1"].items()} == {
        "finite: the class is finite": ["B1"],
        "convex": ["B0", "B2"],
        "large: it is large: very": [],
    }
    assert list(found) == ["A1"]
    assert necessity(CHAIN) == {}


def test_countermodels_to_nothing_are_refused():
    about = replace(CHAIN[0], premises=("convex: so", "convex: or so"))
    with pytest.raises(ValueError, match="B1 drops a premise of A9, which is no claim"):
        necessity([about, replace(claim("B1"), drops=Drops("A9", "convex", ""))])
    with pytest.raises(ValueError, match="B1: A1 has 2 premises of the name 'convex'"):
        necessity([about, replace(claim("B1"), drops=Drops("A1", "convex", ""))])
    with pytest.raises(ValueError, match="B1: A1 has 0 premises of the name 'convex: so'"):
        necessity([about, replace(claim("B1"), drops=Drops("A1", "convex: so", ""))])


def test_claims_keep_the_order_in_which_they_are_given():
    given = (claim("A1"), claim("A9", "A1"), claim("A10"), claim("A11", "A9"))
    assert list(claim_graph(given)) == ["A1", "A9", "A10", "A11"]
    assert list(claim_graph(given[::-1])) == ["A10", "A1", "A9", "A11"]


def test_selection_takes_what_a_claim_rests_on():
    assert [c.id for c in select(CHAIN, ["A2"])] == ["A1", "A2"]
    assert len(select(load_claims(), [])) == len(load_claims())
