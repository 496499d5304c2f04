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
        'Extract Constant Z.land => "Big_int_Z.or_big_int".',
        'Extract Constant Z.land => "Big_int_Z.and_big_int". Extract Inductive nat => "int" ["0" "succ"].',
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
    # The three need nothing of each other, and are compiled side by side.
    assert sorted(calls[:-1]) == ["small1.v", "small2.v", "small3.v"] and calls[-1] == "audit.v"


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


@pytest.fixture
def next_process(tmp_path, monkeypatch):
    """A cache directory of this test alone; calling it forgets what another process would not know."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def forget() -> None:
        for function in (coq._compiled, coq._closed, coq._installed):
            function.cache_clear()

    forget()
    yield forget
    forget()


CHAIN = [
    ("first.v", "Lemma one : True. Proof. exact I. Qed."),
    ("small.v", f"From absence Require Import first.\n{STATEMENT} Proof. exact one. Qed."),
]
CHAINED = fact("") | {"sources": CHAIN}


def test_a_file_waits_for_those_that_it_needs(next_process, monkeypatch):
    calls = counted(monkeypatch)
    confirm_theorems(CHAINED)
    assert calls == ["first.v", "small.v", "audit.v"]


def test_a_file_needs_none_that_comes_after_it(next_process):
    with pytest.raises(Refused, match=r"coqc refuses small\.v"):
        confirm_theorems(CHAINED | {"sources": CHAIN[::-1]})


def test_what_is_compiled_once_is_put_to_coq_again_by_the_next_process(next_process, monkeypatch, tmp_path):
    confirm_theorems(CHAINED)
    next_process()
    calls = counted(monkeypatch)
    confirm_theorems(CHAINED)
    assert calls == ["audit.v"]
    assert (tmp_path / "cache" / "absence" / "coq").stat().st_mode & 0o777 == 0o700


def test_other_sources_and_another_coq_are_compiled_anew(next_process, monkeypatch):
    confirm_theorems(CHAINED)
    next_process()
    calls = counted(monkeypatch)
    confirm_theorems(CHAINED | {"sources": [CHAIN[0], (CHAIN[1][0], CHAIN[1][1] + "\n")]})
    assert calls == ["first.v", "small.v", "audit.v"]
    next_process()
    monkeypatch.setattr(coq, "_installed", lambda: ["8.0"])
    confirm_theorems(CHAINED)
    assert calls[3:] == ["first.v", "small.v", "audit.v"]
    monkeypatch.undo()


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()])
def test_a_kept_folder_that_is_damaged_is_compiled_anew(next_process, monkeypatch, damage):
    damage(Path(compiled(tuple(CHAIN)), "first.vo"))
    next_process()
    calls = counted(monkeypatch)
    confirm_theorems(CHAINED)
    assert calls == ["first.v", "small.v", "audit.v"]


def test_what_does_not_compile_is_not_kept_and_refuses_the_whole(next_process, tmp_path):
    broken = [("broken.v", "Lemma no : False. Proof. exact I. Qed."), *CHAIN]
    for _ in range(2):
        with pytest.raises(Refused, match=r"coqc refuses broken\.v"):
            confirm_theorems(CHAINED | {"sources": broken})
        next_process()
    assert not list((tmp_path / "cache" / "absence" / "coq").glob("*/digests.json"))


def test_what_assumes_something_is_called_open_by_the_next_process_too(next_process):
    assuming = fact(f"Variable a : True. {STATEMENT} Proof. exact a. Qed.")
    for _ in range(2):
        with pytest.raises(Refused, match=r"Coq answers: Axioms: small\.a : True"):
            confirm_theorems(assuming)
        next_process()


def test_without_a_folder_of_its_own_it_compiles_all_the_same(next_process, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    confirm_theorems(CHAINED)
    assert not Path(compiled(tuple(CHAIN))).is_relative_to(tmp_path)


# A source of its own below, and above it a classical one that uses it.
BELOW = ("below.v", "Definition half : Prop := True.")
USES = "From mathcomp.classical Require Import boolp. From absence Require Import below."
PROVED = "Theorem C0_truth : half \\/ ~ half. Proof. exact (EM half). Qed."


def classical(text: str, **other) -> dict:
    """A fact about one theorem of a classical file."""
    return fact(text, "Theorem C0_truth : half \\/ ~ half.") | {
        "sources": [BELOW, ("small.v", text)], "classical": ["small.v"],
    } | other  # fmt: skip


def test_a_classical_theorem_may_rest_on_the_three_axioms():
    confirm_theorems(classical(f"{USES} {PROVED}"))


def test_the_same_theorem_is_refused_where_nothing_is_classical():
    alone = f"From mathcomp.classical Require Import boolp. {BELOW[1]} {PROVED}"
    with pytest.raises(Refused, match=r"Coq answers: Axioms: boolp\."):
        confirm_theorems(fact(alone, "Theorem C0_truth : half \\/ ~ half."))


@pytest.mark.parametrize(
    "assumes",
    [
        "Variable magic : half. Theorem C0_truth : half \\/ ~ half. Proof. left. exact magic. Qed.",
        "Variable magic : half -> half. "
        "Theorem C0_truth : half \\/ ~ half. Proof. case (EM half); [left; apply magic|right]; assumption. Qed.",
    ],
)
def test_a_classical_theorem_may_rest_on_nothing_else(assumes):
    with pytest.raises(Refused, match="Coq answers: Axioms:"):
        confirm_theorems(classical(f"{USES} {assumes}"))


@pytest.mark.parametrize("axiom", coq.AXIOMS)
def test_no_source_gives_the_name_of_an_axiom(axiom):
    """The axioms are known by their names, so that a source could pass off one of its own."""
    text = f"{USES} Module boolp. Variable {axiom} : half. End boolp. {PROVED}"
    with pytest.raises(Refused, match=f"says {axiom}"):
        check_sources(classical(text))
    below = (BELOW[0], f"{BELOW[1]} Variable {axiom} : half.")
    with pytest.raises(Refused, match=f"says {axiom}"):
        check_sources(classical(f"{USES} {PROVED}", sources=[below, ("small.v", f"{USES} {PROVED}")]))


@pytest.mark.parametrize("names", [[], ["below.v"], ["small.v", "below.v"], ["below.v", "small.v", "more.v"], None])
def test_what_is_classical_is_named_in_its_place(names):
    with pytest.raises(Refused, match=r"they come last|in no classical"):
        check_sources(classical(f"{USES} {PROVED}", classical=names))


def test_a_source_named_twice_is_refused():
    text = f"{USES} {PROVED}"
    with pytest.raises(Refused, match="named twice"):
        check_sources(classical(text, sources=[BELOW, BELOW, ("small.v", text)]))


def test_what_rests_on_axioms_says_so_in_its_scope(tmp_path):
    stated = {"holds": True, "verdict": "PROVED", "scope": "universal", "fact": classical(f"{USES} {PROVED}")}
    with pytest.raises(Refused, match="says so in its scope"):
        check_certificate(stated, tmp_path)
    closed = fact(f"{STATEMENT} Proof. exact I. Qed.")
    with pytest.raises(Refused, match="says so in its scope"):
        check_certificate(stated | {"scope": "universal (classical)", "fact": closed}, tmp_path)
