"""The numbers a paper may cite: counts, and what facts state, by the names that the text uses."""

from fractions import Fraction

import pytest

from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Scope, Verdict
from proof_of_absence.checker.report.paper.values import flat, numbers, places, versions


def _obligation(name, scope=Scope.INSTANCE, expect=Verdict.PROVED):
    return Obligation(name, "", scope, lambda: Evidence({}), expect)


CLAIM = Claim(
    "C1",
    "",
    "",
    (),
    "",
    "",
    (_obligation("C1.a"), _obligation("C1.b", Scope.BOUNDED), _obligation("C1.c", expect=Verdict.REFUTED)),
)


def _certificate(verdict, fact, solvers=()):
    return {"verdict": verdict, "fact": fact, "runs": [{"solver": s, "version": v} for s, v in solvers]}


def test_counts_are_of_what_the_certificates_show():
    found = {"C1.a": _certificate("PROVED", {"kind": "x"}), "C1.c": _certificate("PROVED", {"kind": "x"})}
    counts = numbers([CLAIM], found)
    assert counts["obligations"] == 3 and counts["obligations.discharged"] == 1 and counts["obligations.bounded"] == 1
    # A control that comes out PROVED is not one that was refuted, and its claim is not proved.
    assert counts["controls"] == 1 and counts["controls.refuted"] == 0 and counts["claims.proved"] == 0


def test_numbers_are_named_by_obligation_kind_and_place():
    lower = {"kind": "lower-loss", "drop": "1/3"}
    fact = {"kind": "all", "facts": [{"kind": "x", "n": 2}, {"kind": "all", "facts": [lower, lower | {"drop": "1/4"}]}]}
    found = numbers([CLAIM], {"C1.a": _certificate("PROVED", fact), "C1.b": _certificate("PROVED", lower)})
    named = {key: value for key, value in found.items() if key.startswith("C1.")}
    assert named == {
        "C1.a.x.n": 2,
        "C1.a.lower-loss.1.drop": Fraction(1, 3),
        "C1.a.lower-loss.2.drop": Fraction(1, 4),
        "C1.b.drop": Fraction(1, 3),
    }


def test_the_replay_of_a_witness_is_a_part():
    fact = {"kind": "smt", "replay": {"kind": "idle"}}
    assert [place for place, _ in places("C1.a", fact)] == ["C1.a.smt", "C1.a.idle"]
    assert [place for place, _ in places("C1.a", fact | {"replay": None})] == ["C1.a"]


@pytest.mark.parametrize(
    "value", [True, None, "text", float("nan"), float("inf"), "1/0", list(range(13)), {"a": {"b": 1}}]
)
def test_what_is_no_number_is_left_out(value):
    assert list(flat({"key": value})) == []


def test_versions_of_all_certificates():
    found = {
        "C1.a": _certificate("PROVED", {}, [("z3", "2"), ("cvc5", "1")]),
        "C1.b": _certificate("PROVED", {}, [("z3", "1")]),
    }
    assert versions(found) == {"cvc5": "1", "z3": "1, 2"}
