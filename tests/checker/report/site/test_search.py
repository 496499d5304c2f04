"""What is searched and shown beside names: every entry leads to an anchor, and says what claim, file or Coq says."""

import json
import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.report.site import coq_types
from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.coq_pages import pieces
from proof_of_absence.checker.report.site.coq_types import answered, script, shown
from proof_of_absence.checker.report.site.definitions import compilations, read
from proof_of_absence.checker.report.site.pages import pages
from proof_of_absence.checker.report.site.search import LONGEST, assigned, entries
from tests.checker.report.site.conftest import CLAIMS

TEXT = (
    "(* Lemma not : this. *)\nDefinition half (x : nat) :=\n  (* of it. *) x.\n"
    "Lemma halves x : half x = x.\nProof.\nrewrite /half.\nby [].\nQed.\n\nLemma short : 1 = 1. Proof. by []. Qed.\n"
)


def value(text: str):
    """What a script assigns."""
    about, by, assignment = text.split("\n", 2)
    assert about.startswith("// ") and by.startswith("// ")
    return json.loads(re.fullmatch(r"globalThis\.\w+ = (.*);\n", assignment, re.S)[1])


@pytest.fixture(scope="module")
def ids(built):
    """The anchors of each page that is asked for."""
    known: dict[str, set[str]] = {}

    def of(page: str) -> set[str]:
        if page not in known:
            known[page] = set(re.findall(r'id="([^"]*)"', (built / page).read_text().replace("&#39;", "'")))
        return known[page]

    return of


def test_every_entry_leads_to_a_page_and_to_an_anchor_on_it(built, ids, site):
    told = value((built / "entries.js").read_text())
    assert told == [list(entry) for entry in entries(site)] and len(told) > 1000
    for kind, name, text, address in told:
        page, _, anchor = address.partition("#")
        assert (built / page).is_file() and (not anchor or anchor in ids(page)), (kind, name)
        assert name and len(text) <= LONGEST + 4


def test_claims_obligations_and_theorems_are_among_the_entries(site):
    found = {(kind.split(",")[0], name): text for kind, name, text, _ in entries(site)}
    for claim in CLAIMS:
        assert ("claim", f"{claim.id}. {claim.title}") in found
        for obligation in claim.obligations:
            assert ("control" if obligation.is_control else "obligation", obligation.id) in found
    assert found["Coq", "C8_no_removable"].startswith("Theorem C8_no_removable : P1 z y n -> forall theta,")


def test_every_theorem_of_every_claim_has_a_line_and_its_proof_is_there(built, ids, site):
    seen = 0
    for claim in CLAIMS:
        page = (built / "claims" / f"{claim.id}.html").read_text()
        for obligation in claim.obligations:
            fact = site.findings[obligation.id].certificate["fact"]
            for name in fact.get("theorems", ()):
                address = f"certificates/coq/{fact['module']}.html"
                assert re.search(rf'href="\.\./{address}#{name}"><code>{name}</code>, line \d+<', page)
                assert name in ids(address)
                seen += 1
        for file, anchor in re.findall(r'href="\.\./(certificates/coq/\w+\.html)#(proof-of-\w+)"', page):
            assert anchor in ids(file)
    assert seen > 30


def test_every_name_has_its_type_or_the_sentence_that_states_it(built, ids, site):
    told = value((built / "types.js").read_text())
    assert told == shown(site.sources, site.types)
    for file, names in told.items():
        assert set(names) <= ids(f"certificates/coq/{file.removesuffix('.v')}.html")
        assert all(text for _, text in names.values())
    said = [who for names in told.values() for who, _ in names.values()]
    assert said.count("Coq") > 900
    assert told["net.v"]["relu"] == ["Coq", "forall R : realFieldType, R -> R"]
    assert told["c8_main.v"]["Main.z"] == ["source", "Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m)."]


def test_without_coq_the_pages_say_that_no_types_are_shown(site, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert coq_types.types(site.sources, list(compilations(()))) == {}
    made = pages(Site(site.claims, site.findings, notes=site.notes))
    assert b"Types are not shown: Coq was not there to ask" in made["certificates/coq/net.html"]
    assert {who for names in value(made["types.js"].decode()).values() for who, _ in names.values()} == {"source"}


@pytest.mark.skipif(shutil.which("coqtop") is None, reason="there is no Coq")
def test_types_are_kept_and_what_is_kept_of_others_is_not_used(site, monkeypatch, tmp_path):
    places = list(compilations(site.findings.values()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = []
    monkeypatch.setattr(coq_types, "_said", lambda place, text: asked.append(text) or "nothing")
    assert coq_types.types(site.sources, places) == {} and asked
    before = len(asked)
    coq_types.types({name: source for name, source in site.sources.items() if name == "net.v"}, places)
    assert len(asked) > before and all("Check" in text for text in asked)


def test_answers_are_told_apart_by_their_numbers_and_a_question_without_one_has_none():
    said = (
        "Welcome\nforall asked_0 : Prop, asked_0\n     : Prop\nhalf\n     : nat -> nat\n"
        "forall asked_1 : Prop, asked_1\n     : Prop\nforall asked_2 : Prop, asked_2\n     : Prop\n"
        "@halves\n     : forall x : nat, \n         half x = x\n"
    )
    assert answered(said) == {0: "nat -> nat", 2: "forall x : nat,\n  half x = x"}
    assert answered("") == {} and answered("Error") == {}
    lines = script(["below.half"], ["below.v"]).splitlines()
    assert lines[1] == "From absence Require Import below." and lines[-1] == "Check @absence.below.half."


def test_a_sentence_is_the_one_that_states_the_name_without_comments():
    source = read({"below.v": TEXT}, {})["below.v"]
    assert [source.sentence(span) for span in source.stated] == [
        "Definition half (x : nat) := x.", "Lemma halves x : half x = x.", "Lemma short : 1 = 1.",
    ]  # fmt: skip


def test_long_proofs_are_folded_under_their_theorems_name_and_short_ones_are_not():
    source = read({"below.v": TEXT}, {})["below.v"]
    (proof,) = [piece for piece in pieces(source) if piece.proof]
    assert (proof.name, proof.proof, proof.lines) == ("halves", "proof-of-halves", 4)
    assert "".join(re.sub("<[^>]*>", "", str(piece.text)) for piece in pieces(source)) == TEXT


def test_no_letter_of_a_file_is_lost_in_its_pieces_and_anchors_are_once(site):
    for source in site.sources.values():
        found = pieces(source)
        text = "".join(re.sub("<[^>]*>", "", str(piece.text)) for piece in found)
        assert (
            text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&#39;", "'")
            .replace("&#34;", '"')
            .replace("&amp;", "&")
            == source.text
        )
        anchors = [piece.proof for piece in found if piece.proof]
        assert len(set(anchors)) == len(anchors)
        proofs = len(re.findall(r"^Proof\.$", source.text, re.M))
        assert len(anchors) >= proofs * 0.9, "most proofs that begin with a line of their own are folded"


@given(st.lists(st.tuples(st.text(), st.text("],[\n'\"\u2028<"))))
def test_whatever_the_words_a_script_assigns_them(pairs):
    assert value(assigned("it", "x", pairs)) == [list(pair) for pair in pairs]
