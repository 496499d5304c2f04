"""Kernel proofs: what assumes something, says something else, or does not compile is refused."""

from pathlib import Path

import pytest

from proof_of_absence.checker.independent import coq
from proof_of_absence.checker.independent.check import check_certificate
from proof_of_absence.checker.independent.coq import ALIASES, check_sources, compiled, confirm_theorems, uncommented
from proof_of_absence.checker.independent.refusal import Refused

STATEMENT = "Theorem C0_truth : True."


def fact(text: str, statement: str = STATEMENT) -> dict:
    """A fact about one theorem of one file."""
    return {"kind": "coq", "module": "small", "theorems": {"C0_truth": statement}, "sources": [("small.v", text)]}


def test_a_closed_theorem_is_confirmed():
    confirm_theorems(fact(f"(* Admitted (* nested *) *) {STATEMENT} Proof. exact I. Qed."))


def test_countermodels_may_be_theorems_too():
    statement = "Theorem N1_truth : True."
    named = fact(f"{statement} Proof. exact I. Qed.") | {"theorems": {"N1_truth": statement}}
    confirm_theorems(named)
    with pytest.raises(Refused, match="'D1_truth' is no theorem's name"):
        check_sources(named | {"theorems": {"D1_truth": statement}})


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (f"{STATEMENT} Admitted.", "says Admitted"),
        (f"Axiom a : True. {STATEMENT} Proof. exact a. Qed.", "says Axiom"),
        (f"Parameter a : True. {STATEMENT} Proof. exact a. Qed.", "says Parameter"),
        (f"(* open {STATEMENT} Proof. exact I. Qed.", "comment is not closed"),
        ("Theorem C0_truth : 1 = 1. Proof. reflexivity. Qed.", "stated otherwise"),
        (f"(* {STATEMENT} *)", "stated otherwise"),
        (f'Definition said := "{STATEMENT}". Lemma C0_truth : 1 = 1. Proof. reflexivity. Qed.', "stated otherwise"),
        (f"Module M. {STATEMENT} Proof. exact I. Qed. End M. Theorem C0_truth : 0 = 0.", "stated twice"),
        (f'Cd "/". {STATEMENT} Proof. exact I. Qed.', "says Cd"),
        (f"From elpi Require Import elpi. {STATEMENT}", "says elpi"),
        (f'Print Sorted Universes "/tmp/file". {STATEMENT}', "says Print Sorted Universes"),
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


EXTRACTED = f"{STATEMENT} Proof. exact I. Qed. Definition two := 2."


def test_an_extraction_is_written_beside_the_sources():
    sources = f'From Coq Require Import Extraction. {EXTRACTED} Extraction "small.ml" two Nat.add.'
    extracted = fact(sources)
    confirm_theorems(extracted)
    assert "two" in Path(compiled(tuple(extracted["sources"])), "small.ml").read_text()


@pytest.mark.parametrize(
    "sentence",
    [
        'Extraction "/tmp/small.ml" two.',
        'Extraction "../small.ml" two.',
        "Separate Extraction two.",
        "Extraction Library small.",
        'Set Extraction Output Directory "/tmp".',
        'Extract Constant two => "3".',
        'Extraction "small.ml" two. Admitted.',
        "Require Import Extraction. Axiom a : False.",
    ],
)
def test_other_ways_to_extract_are_refused(sentence):
    with pytest.raises(Refused, match=r"small\.v says (Extract|Extraction|Admitted|Axiom)$"):
        check_sources(fact(f"Require Extraction. {EXTRACTED} {sentence}"))


HEAD = "From mathcomp Require Import all_ssreflect all_algebra. Import Num.Theory.\n"
NEW_NAME = "Theorem C0_truth (R : numDomainType) (x y : R) : (x <= y -> x + x <= y + y)%R."


def with_aliases(aliases: str) -> dict:
    """A theorem that is proved by a lemma's name of mathcomp 2."""
    text = f"{HEAD}{NEW_NAME}\nProof. by move=> le_xy; apply: lerD. Qed."
    return fact(text, NEW_NAME) | {"sources": [("small.v", text), (ALIASES, HEAD + aliases)]}


def test_aliases_are_used_where_mathcomp_lacks_the_names():
    named = with_aliases("Notation lerD := ler_add (only parsing).")
    confirm_theorems(named)
    folder = Path(compiled(tuple(named["sources"])))
    assert (folder / ALIASES).with_suffix(".vo").exists() is not coq.names_of_mathcomp_2()


@pytest.mark.parametrize(
    "more",
    [
        "Lemma lerD : True. Proof. exact I. Qed.",
        "Definition lerD := 0.",
        "Notation lerD := (fun x => x) (only parsing).",
        'Notation "x <= y" := (y <= x).',
        "Import Num.Theory. Hint Resolve ler_add : core.",
    ],
)
def test_aliases_that_are_more_than_names(more):
    with pytest.raises(Refused, match=f"{ALIASES} holds more than other names of lemmas"):
        check_sources(with_aliases(more))


def counted(monkeypatch) -> list[str]:
    """The files that coqc is called for from now on."""
    calls, call = [], coq._coqc
    monkeypatch.setattr(
        coq, "_coqc", lambda path, *rest, **options: calls.append(path.name) or call(path, *rest, **options)
    )
    return calls


def test_what_does_not_compile_is_tried_once(monkeypatch):
    calls = counted(monkeypatch)
    for _ in range(2):
        with pytest.raises(Refused, match=r"coqc refuses small\.v"):
            confirm_theorems(fact(f"{STATEMENT} Proof. exact 7. Qed."))
    assert calls == ["small.v"]


def test_all_theorems_are_put_to_coq_at_once(monkeypatch):
    calls = counted(monkeypatch)
    texts = [(f"small{i}.v", f"Theorem C{i}_truth : {i} = {i}. Proof. reflexivity. Qed.") for i in (1, 2, 3)]
    for i in (1, 2, 3):
        statement = f"Theorem C{i}_truth : {i} = {i}."
        confirm_theorems({"module": f"small{i}", "theorems": {f"C{i}_truth": statement}, "sources": texts})
    assert calls == ["small1.v", "small2.v", "small3.v", "audit.v"]


def test_one_theorem_that_is_not_closed_leaves_the_others_confirmed():
    other = "Theorem C0_other : True."
    text = f"Variable a : True.\n{STATEMENT} Proof. exact I. Qed.\n{other} Proof. exact a. Qed."
    confirm_theorems(fact(text))
    with pytest.raises(Refused, match=r"Coq answers: Axioms: small\.a : True"):
        confirm_theorems(fact(text) | {"theorems": {"C0_other": other}})
    with pytest.raises(Refused, match=r"Coq answers: Axioms: small\.a : True"):
        confirm_theorems(fact(text) | {"theorems": {"C0_truth": STATEMENT, "C0_other": other}})


def test_comments_nest_and_strings_are_no_comments():
    assert uncommented('a (* b (* c *) d *) e "(* f *)" g').split() == ["a", "e", '"(*', "f", '*)"', "g"]


def test_a_theorem_refutes_nothing(tmp_path):
    fact = {"kind": "coq", "files": [{"file": "x.v"}]}
    certificate = {"holds": False, "verdict": "REFUTED", "scope": "universal", "fact": fact}
    with pytest.raises(Refused, match=r"script x\.v"):
        check_certificate(certificate, tmp_path)
