"""The kernel: no verdict but from evidence that the independent checker accepts."""

import hashlib
from fractions import Fraction

import pytest

from proof_of_absence.checker.kernel import solvers
from proof_of_absence.checker.kernel.certificate import digest
from proof_of_absence.checker.kernel.discharge import discharge
from proof_of_absence.checker.kernel.obligation import Claim, Evidence, Obligation, Query, Scope, Verdict
from proof_of_absence.checker.kernel.smt import Script, eq, le, lt, square
from proof_of_absence.checker.kernel.solvers import Answer, Limits

TRUE = {"kind": "identity", "left": "(* x 2)", "right": "(+ x x)"}
FALSE = {"kind": "identity", "left": "x", "right": "(+ x x)"}


def query(decide, formula, *premises, replay=None, logic="QF_NRA"):
    """A query on one unknown x."""
    script = Script(logic)
    script.real("x")
    for premise in premises:
        script.premise(premise)
    script.decide(decide, formula)
    return Query(script, replay)


def run(build, directory, **more):
    """The outcome of an obligation with this build; certificates exist exactly for PROVED and REFUTED."""
    build = build if callable(build) else lambda built=build: built
    outcome = discharge(Obligation("T.it", "it holds", Scope.INSTANCE, build), "key", directory, **more)
    assert (outcome.certificate is not None) == (outcome.verdict in (Verdict.PROVED, Verdict.REFUTED))
    assert bool(outcome.reason) == (outcome.certificate is None)
    return outcome


@pytest.mark.parametrize("holds", [True, False])
def test_true_evidence_is_sealed(tmp_path, holds):
    outcome = run(Evidence(TRUE, holds), tmp_path)
    certificate = outcome.certificate
    assert outcome.verdict is (Verdict.PROVED if holds else Verdict.REFUTED)
    assert (
        certificate["digest"] == digest(certificate) and certificate["fact"] == TRUE and certificate["holds"] is holds
    )
    assert (certificate["claim"], certificate["key"], certificate["expect"]) == ("T", "key", "PROVED")


@pytest.mark.parametrize("holds", [True, False])
def test_wrong_evidence_is_an_error(tmp_path, holds):
    outcome = run(Evidence(FALSE, holds), tmp_path)
    assert outcome.verdict is Verdict.ERROR and "refuses the evidence: the polynomials differ" in outcome.reason


@pytest.mark.parametrize("fact", [{}, {"kind": "magic"}, {"kind": []}, {"kind": "identity"}, None])
def test_malformed_evidence_is_an_error(tmp_path, fact):
    assert run(Evidence(fact), tmp_path).verdict is Verdict.ERROR


def test_a_build_that_raises_is_an_error(tmp_path):
    outcome = run(lambda: 1 / 0, tmp_path)
    assert (outcome.verdict, outcome.reason) == (Verdict.ERROR, "ZeroDivisionError: division by zero")


def test_universal_statement(tmp_path):
    outcome = run(query("claim_fails", lt(square("x"), 0), le(0, "x")), tmp_path)
    assert outcome.verdict is Verdict.PROVED
    fact = outcome.certificate["fact"]
    assert (fact["answer"], set(fact["premises_witness"])) == ("unsat", {"x"}) and "witness" not in fact
    assert fact["sha256"] == hashlib.sha256((tmp_path / "T.it.smt2").read_bytes()).hexdigest()
    assert [r["solver"] for r in outcome.runs] == ["z3", "cvc5"]


def test_universal_statement_with_a_countermodel(tmp_path):
    outcome = run(query("claim_fails", le("x", 5), le(5, "x")), tmp_path)
    assert outcome.verdict is Verdict.REFUTED and outcome.certificate["fact"]["witness"] == {"x": "5"}


def test_existential_statement(tmp_path):
    replayed = []

    def replay(witness):
        replayed.append(witness)
        return TRUE

    outcome = run(query("claim_holds", eq(f"(* 3 {'x'})", 1), replay=replay), tmp_path)
    assert outcome.verdict is Verdict.PROVED and outcome.certificate["fact"]["replay"] == TRUE
    assert replayed == [{"x": Fraction(1, 3)}]
    assert run(query("claim_holds", lt(square("x"), 0)), tmp_path).verdict is Verdict.REFUTED


def test_a_replay_that_fails_is_an_error(tmp_path):
    outcome = run(query("claim_holds", lt(0, "x"), replay=lambda witness: witness["y"]), tmp_path)
    assert outcome.verdict is Verdict.ERROR and "cannot be replayed" in outcome.reason
    outcome = run(query("claim_holds", lt(0, "x"), replay=lambda witness: FALSE), tmp_path)
    assert outcome.verdict is Verdict.ERROR and "the polynomials differ" in outcome.reason


def test_contradictory_premises_prove_nothing(tmp_path):
    outcome = run(query("claim_fails", lt("x", 0), lt("x", 0), lt(0, "x")), tmp_path)
    assert outcome.verdict is Verdict.ERROR and "vacuous" in outcome.reason


def test_irrational_witnesses_decide_nothing(tmp_path):
    outcome = run(query("claim_holds", eq(square("x"), 2)), tmp_path)
    assert outcome.verdict is Verdict.UNKNOWN and "no solver gave a rational witness" in outcome.reason
    outcome = run(query("claim_fails", lt("x", 1), eq(square("x"), 2), lt(0, "x")), tmp_path)
    assert outcome.verdict is Verdict.UNKNOWN and "premises satisfiable" in outcome.reason
    outcome = run(query("claim_fails", lt(0, "x"), eq(square("x"), 2)), tmp_path)
    assert outcome.verdict is Verdict.UNKNOWN


def test_limits_decide_nothing(tmp_path):
    outcome = run(query("claim_fails", lt(square("x"), 0)), tmp_path, limits=Limits(solvers.LIMITS.resource, 1e-6))
    assert outcome.verdict is Verdict.UNKNOWN
    for part in ("z3 ", "cvc5 ", "wall-clock limit of 1e-06 s", f"resource limit {solvers.LIMITS.resource['z3']}"):
        assert part in outcome.reason


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_without_one_of_the_solvers_nothing_is_decided(solver, tmp_path, monkeypatch):
    (tmp_path / f"{solver}.py").write_text("raise ImportError('gone')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for built in (query("claim_fails", lt(square("x"), 0)), query("claim_holds", lt(0, "x"))):
        outcome = run(built, tmp_path)
        assert outcome.verdict is Verdict.UNKNOWN and f"{solver} is missing" in outcome.reason


def said(monkeypatch, **answers):
    """Make the solvers answer this: {solver: (answer, values)}."""

    def ask(name, script, limits):
        answer, values = answers[name]
        return Answer(name, "0", answer, "" if answer in ("sat", "unsat") else "tired", values, 0.0)

    monkeypatch.setattr(solvers, "ask", ask)


SAYINGS = [
    (("sat", {"x": "1"}), ("unsat", {}), Verdict.ERROR, "contradict each other: z3 says sat, cvc5 says unsat"),
    (("unknown", {}), ("sat", {"x": "1"}), Verdict.UNKNOWN, "z3 0: tired"),
    (("unsat", {}), ("unknown", {}), Verdict.UNKNOWN, "cvc5 0: tired"),
    (("sat", {"x": "-1"}), ("sat", {"x": "0"}), Verdict.UNKNOWN, "no solver gave a rational witness"),
    (("sat", {"x": "near 1"}), ("sat", {}), Verdict.UNKNOWN, "no solver gave a rational witness"),
    (("sat", {"x": "true"}), ("sat", {"x": "1/0"}), Verdict.UNKNOWN, "no solver gave a rational witness"),
    (("maybe", {}), ("sat", {"x": "1"}), Verdict.UNKNOWN, "z3 0"),
]


@pytest.mark.parametrize(("z3", "cvc5", "verdict", "reason"), SAYINGS)
def test_what_the_solvers_say_is_not_believed(z3, cvc5, verdict, reason, tmp_path, monkeypatch):
    said(monkeypatch, z3=z3, cvc5=cvc5)
    outcome = run(query("claim_holds", lt(0, "x")), tmp_path)
    assert outcome.verdict is verdict and reason in outcome.reason


def test_one_good_witness_is_enough(tmp_path, monkeypatch):
    said(monkeypatch, z3=("sat", {"x": "-1"}), cvc5=("sat", {"x": "1/7", "stranger": "3"}))
    outcome = run(query("claim_holds", lt(0, "x")), tmp_path)
    assert outcome.verdict is Verdict.PROVED and outcome.certificate["fact"]["witness"] == {"x": "1/7"}


def test_claims_need_a_control_and_proper_ids():
    page = dict(title="", statement="", premises=(), proof="", limits="")
    plain = Obligation("T.a", "", Scope.INSTANCE, lambda: Evidence(TRUE))
    control = Obligation("T.b", "", Scope.INSTANCE, lambda: Evidence(TRUE, False), Verdict.REFUTED)
    assert Claim(id="T", obligations=(plain, control), **page).obligations[1].is_control and not plain.is_control
    for obligations, message in (
        ((plain,), "no negative control"),
        ((plain, plain), "distinct ids"),
        ((), "no negative"),
    ):
        with pytest.raises(ValueError, match=message):
            Claim(id="T", obligations=obligations, **page)
    with pytest.raises(ValueError, match=r"begin with 'U\.'"):
        Claim(id="U", obligations=(control,), **page)
