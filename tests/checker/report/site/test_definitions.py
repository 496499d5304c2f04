"""Go to definition in Coq's files: by coqc's notes or by names, words lead to where they are stated, not elsewhere."""

import hashlib
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from proof_of_absence.checker.report.site.contents import Site
from proof_of_absence.checker.report.site.coq_pages import pieces
from proof_of_absence.checker.report.site.definitions import Place, read
from proof_of_absence.checker.report.site.pages import pages
from proof_of_absence.checker.report.site.source import coq

BELOW = "Definition half (x : nat) := x.\nLemma halves x : half x = x.\nProof. by []. Qed.\n"
ABOVE = (
    "From absence Require Import below.\n(* half of it, ∑ *)\nSection S.\nVariable n : nat.\n"
    "Theorem main : half n = n.\nProof. exact: halves. Qed.\nEnd S.\n"
    "Lemma again n : half n = n.\nProof. exact: main. Qed.\n"
)
TEXTS = {"below.v": BELOW, "above.v": ABOVE}


def words(source):
    """Each linked word with the place it leads to, in order."""
    return [(source.text[span.begin : span.end], span.place) for span in source.used]


@pytest.fixture(scope="module")
def texts(site):
    assert set(site.notes) == set(site.sources)
    return {name: source.text for name, source in site.sources.items()}


@pytest.fixture(scope="module")
def by_name(texts):
    return read(texts, {})


def test_a_word_that_is_a_name_of_ours_leads_to_where_it_is_stated():
    found = read(TEXTS, {})
    half, halves = Place("below.v", "half"), Place("below.v", "halves")
    assert words(found["below.v"]) == [("half", half)]
    # "main" is an anchor of every page; no link stands in a comment.
    (theorem,) = [span for span in found["above.v"].stated if ABOVE[span.begin : span.end] == "main"]
    assert theorem.place.anchor == f"main@{theorem.begin}" and found["above.v"].line(theorem) == 5
    assert words(found["above.v"])[:3] == [("half", half), ("halves", halves), ("half", half)]
    assert "∑" not in "".join(word for word, _ in words(found["above.v"]))


def test_of_two_files_that_state_a_name_the_one_that_is_required_last_is_meant():
    texts = {f"{name}.v": f"Definition f := {i}." for i, name in enumerate("abc")}
    texts["d.v"] = "From absence Require Import a b.\nLemma g : f = f.\nDefinition f := 3.\nLemma h : f = 3."
    other, own = Place("b.v", "f"), Place("d.v", "f")
    assert words(read(texts, {})["d.v"]) == [("f", other), ("f", other), ("f", own)]


def test_notes_of_another_text_are_left_aside(site):
    (name, source), *_ = site.sources.items()
    texts = {name: source.text + "(* more *)"}
    assert read(texts, site.notes) == read(texts, {})


@given(st.lists(st.sampled_from(["def 11:14 <> half", "def 3:999 <> x", "R24:24 below <> half def", "R0:9 b <> x"])))
def test_whatever_is_noted_links_lie_in_the_text_and_lead_to_anchors(lines):
    digest = hashlib.md5(BELOW.encode()).hexdigest()
    (source,) = read({"below.v": BELOW}, {"below.v": "\n".join([f"DIGEST {digest}", *lines, ""])}).values()
    places = {span.place for span in source.stated}
    spans = sorted((*source.stated, *source.used))
    assert all(span.place in places and 0 <= span.begin < span.end <= len(BELOW) for span in spans)
    assert all(span.end <= after.begin for span, after in pairwise(spans))


def test_what_coqc_notes_stands_where_it_says(site):
    for name, source in site.sources.items():
        for span in source.stated:
            word = source.text[span.begin : span.end]
            assert span.place.file == name and span.place.anchor.split("@")[0].rpartition(".")[2] == word
        for word, place in words(source):
            assert word.rpartition(".")[2] == place.anchor.split("@")[0].rpartition(".")[2]
    assert sum(len(source.used) for source in site.sources.values()) > 5000


def test_every_theorem_lemma_and_definition_of_ours_has_an_anchor_both_ways(site, by_name):
    for name, source in site.sources.items():
        stated = re.findall(r"^(?:Theorem|Lemma|Definition|Fixpoint|Record) ([\w']+)", source.text, re.M)
        for found in (source, by_name[name]):
            assert set(stated) <= {span.place.anchor for span in found.stated}


def test_names_alone_seldom_lead_elsewhere_than_coq(site, by_name):
    """They cannot know of bound variables; where both have a link, few lead to another word."""
    exact, same, other = site.sources, 0, 0
    lines = [
        {span.place: (name, source.line(span)) for name, source in found.items() for span in source.stated}
        for found in (exact, by_name)
    ]
    for name, source in exact.items():
        known = {(span.begin, span.end): span.place for span in source.used}
        for span in by_name[name].used:
            if place := known.get((span.begin, span.end)):
                agree = lines[0][place] == lines[1][span.place]
                same, other = same + agree, other + (not agree)
    assert same > 3000 and other < same / 20, (same, other)


@given(st.text("ab (*)\n.:=", max_size=60), st.data())
def test_no_letter_of_a_file_is_lost_whatever_is_marked(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    begin = data.draw(st.integers(0, 9))
    marks = {(a + begin, b + begin): f"<b {a}>" for a, b in list(pairwise(cuts))[::2]}
    html = coq(text, begin, {span: Markup(tag) for span, tag in marks.items()})
    assert html.count("<b ") == html.count("</b>") == len(marks)
    assert re.sub("<[^>]*>", "", html) == text
    for (a, b), tag in marks.items():
        inside = html.split(tag)[1].split("</b>")[0]
        assert re.sub("<[^>]*>", "", inside) == text[a - begin : b - begin]


def test_claims_lead_to_the_line_of_their_theorem(site, built):
    page = (built / "claims" / "C8.html").read_text()
    lines = site.sources["c8_main.v"].text.splitlines()
    found = re.findall(r'<a href="\.\./certificates/coq/(\w+)\.html#([\w.]+)"><code>(\w+)</code>, line (\d+)</a>', page)
    assert "C8_no_removable" in {name for _, _, name, _ in found}
    for file, anchor, name, line in found:
        assert anchor == name and f'id="{anchor}"' in (built / "certificates" / "coq" / f"{file}.html").read_text()
        assert file != "c8_main" or lines[int(line) - 1].startswith(f"Theorem {name} ")
    # A word of the statement leads to its definition, and the variables of its section to where they are declared.
    assert 'href="../certificates/coq/net.html#minimiser"' in page and 'c8_main.html#Main.z"' in page
    for name, source in site.sources.items():
        page = (built / "certificates" / "coq" / f"{name[:-2]}.html").read_text()
        assert all(str(piece.text) in page for piece in pieces(source))


def test_without_coqs_notes_pages_are_made_by_names(site):
    made = pages(Site(site.claims, site.findings))
    assert 'href="../certificates/coq/net.html#minimiser"' in made["claims/C8.html"].decode()
    assert 'id="Main.z"' not in made["certificates/coq/c8_main.html"].decode()
