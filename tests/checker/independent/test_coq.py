"""Kernel proofs: what assumes something, says something else, or does not compile is refused."""

import pytest
from absence.checker.independent.check import check_certificate
from absence.checker.independent.coq import check_sources, confirm_theorems, uncommented
from absence.checker.independent.refusal import Refused

STATEMENT = "Theorem C0_truth : True."


def fact(text: str, statement: str = STATEMENT) -> dict:
    """A fact about one theorem of one file."""
    return {"kind": "coq", "module": "small", "theorems": {"C0_truth": statement}, "sources": [("small.v", text)]}


def test_a_closed_theorem_is_confirmed():
    confirm_theorems(fact(f"(* Admitted (* nested *) *) {STATEMENT} Proof. exact I. Qed."))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (f"{STATEMENT} Admitted.", "says Admitted"),
        (f"Axiom a : True. {STATEMENT} Proof. exact a. Qed.", "says Axiom"),
        (f"Parameter a : True. {STATEMENT} Proof. exact a. Qed.", "says Parameter"),
        (f"(* open {STATEMENT} Proof. exact I. Qed.", "comment is not closed"),
        ("Theorem C0_truth : 1 = 1. Proof. reflexivity. Qed.", "stated otherwise"),
        (f"(* {STATEMENT} *)", "stated otherwise"),
    ],
)
def test_sources_that_assume_or_say_something_else(text, match):
    with pytest.raises(Refused, match=match):
        check_sources(fact(text))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (f"Variable a : True. {STATEMENT} Proof. exact a. Qed.", r"Coq answers: Axioms: small\.a : True"),
        (f"{STATEMENT} Proof. exact 0. Qed.", "coqc refuses small.v"),
        (f"{STATEMENT} Proof.", "coqc refuses small.v"),
        ("Module M. Theorem C0_truth : True. Proof. exact I. Qed. End M.", "coqc refuses audit.v"),
    ],
)
def test_what_coq_does_not_call_closed(text, match):
    with pytest.raises(Refused, match=match):
        confirm_theorems(fact(text))


def test_comments_nest_and_strings_are_no_comments():
    assert uncommented('a (* b (* c *) d *) e "(* f *)" g').split() == ["a", "e", '"(*', "f", '*)"', "g"]


def test_a_theorem_refutes_nothing(tmp_path):
    fact = {"kind": "coq", "files": [{"file": "x.v"}]}
    certificate = {"holds": False, "verdict": "REFUTED", "scope": "universal", "fact": fact}
    with pytest.raises(Refused, match=r"script x\.v"):
        check_certificate(certificate, tmp_path)
