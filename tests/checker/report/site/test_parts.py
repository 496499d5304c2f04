"""Formulas, the layout of the graph, and the folder that is replaced whole or not at all."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.report.site.folder import write
from proof_of_absence.checker.report.site.graph import below, layers
from proof_of_absence.checker.report.site.prose import plain, prose, words
from proof_of_absence.models.files.disk import InputError
from proof_of_absence.models.files.whole import MARK, mark_of
from tests.checker.console import absence, contents


@pytest.mark.parametrize("claim", load_claims(), ids=lambda claim: claim.id)
def test_every_formula_of_every_claim_becomes_mathml(claim):
    for latex in (claim.statement, claim.proof):
        html = prose(latex)
        ElementTree.fromstring(f"<p>{html.replace('<wbr>', '')}</p>")
        rest = re.sub(r"<math>.*?</math>", "", html)
        assert not re.search(r"[$\\{}]", rest)
        assert 'mathvariant="double' not in html and "&amp;" not in html
        assert html.count("<math") >= latex.count("$") / 2


def test_a_line_ends_at_spaces_and_not_beside_a_formula():
    for html in (plain("at f(s), S_5 (N of it)"), prose("at $f$($s$), $S_5$ ($N$ of it)")):
        spaced = re.sub(r'<span class="joined">(.*?)</span>', lambda part: part[1].replace(" ", ""), html)
        words = [word.replace(" ", "") for word in re.sub("<math>.*?</math>", "f", spaced).split()]
        assert words == ["at", "f(f),", "f", "(f", "of", "it)"]
        assert len(re.findall(r'<span class="joined">', html)) == 3


def test_a_prime_is_no_small_power():
    assert "msup" not in prose("$x'$, $v''_l$") and prose("$v'_l$").count("<msub>") == 1
    assert "<msup>" in prose("$x^2$")


def test_formulas_that_are_not_understood_are_refused():
    with pytest.raises(ValueError, match=r"the formula \\foo\{x\} is not understood"):
        prose(r"Let $\foo{x}$.")
    with pytest.raises(ValueError, match=r"the formula \\left\( x is not understood"):
        prose(r"Let $\left( x$.")
    with pytest.raises(ValueError, match="L in script letters is not understood"):
        prose(r"Let $\mathcal L$.")
    with pytest.raises(ValueError, match="a formula is not closed"):
        prose("Let $x.")
    with pytest.raises(ValueError, match="a formula is empty"):
        prose("Let $$x$$.")


def test_only_claims_become_links_and_texts_are_escaped():
    pages = {"C1": "c1.html"}
    assert words("C1, C10 & <C1>", pages.get) == (
        '<a href="c1.html">C1</a>, C10 &amp; &lt;<a href="c1.html">C1</a>&gt;'
    )
    assert words("AC1 C1x C1.drop", pages.get) == "AC1 C1x C1.drop"
    pages["C1.drop"] = "drop.html"
    assert words("C1.drop, C1.", pages.get) == '<a href="drop.html">C1.drop</a>, <a href="c1.html">C1</a>.'
    assert words("By C1.", pages.get) == 'By <a href="c1.html">C1</a>.'


@pytest.mark.parametrize("claim", load_claims(), ids=lambda claim: claim.id)
def test_formulas_in_plain_words_are_drawn_and_no_word_is_lost(claim):
    for text in (*claim.premises, claim.limits, *(o.statement for o in claim.obligations)):
        html = plain(text, lambda name: f"{name}.html")
        ElementTree.fromstring(f"<p>{html.replace('<wbr>', '')}</p>")
        rest = re.sub("<[^>]*>", "", re.sub(r"<math>.*?</math>", "", html))
        assert not re.search(r"[\\$]|\w_\w|\btheta\b|[<>]=", rest)
        assert set(re.findall("[A-Za-z]{7,}", rest)) == set(re.findall("[A-Za-z]{7,}", text))


def test_what_is_no_formula_is_left_as_it_is():
    assert plain("`absence show C8`, as it is") == "<code>absence show C8</code>, as it is"
    assert plain("10% of C1", {"C1": "c1.html"}.get) == '10% of <a href="c1.html">C1</a>'


@st.composite
def dags(draw):
    size = draw(st.integers(1, 9))
    pairs = [(i, j) for j in range(size) for i in range(j)]
    graph = nx.DiGraph()
    graph.add_nodes_from(f"C{i}" for i in range(size))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    graph.add_edges_from((f"C{i}", f"C{j}") for i, j in chosen)
    return graph


@given(dags())
def test_the_picture_has_every_claim_once_and_arrows_to_the_right_that_say_what_rests_on_what(graph):
    columns, edges = layers(graph)
    column = {node: i for i, layer in enumerate(columns) for node in layer}
    assert sorted(node for node in column if isinstance(node, str)) == sorted(graph)
    assert sum(map(len, columns)) == len(column)
    assert all(column[target] == column[source] + 1 for source, target in edges)
    drawn = nx.DiGraph(edges)
    drawn.add_nodes_from(graph)
    for name in graph:
        assert {n for n in nx.descendants(drawn, name) if isinstance(n, str)} == nx.descendants(graph, name)


@given(dags(), st.data())
def test_what_a_claim_rests_on_is_that_and_no_more(graph, data):
    name = data.draw(st.sampled_from(sorted(graph)))
    part = below(graph, name)
    assert list(part) == [other for other in graph if other == name or nx.has_path(graph, other, name)]
    assert set(part.edges) == {(a, b) for a, b in graph.edges if a in part and b in part}


def test_a_site_replaces_a_site_and_nothing_else(tmp_path):
    folder = tmp_path / "deep" / "site"
    write(folder, {"a.html": b"1", "b/c.html": b"2"})
    write(folder, {"a.html": b"3"})
    assert set(mark_of(folder).files) == {"a.html"}
    (folder / "CNAME").write_text("mine")
    write(folder, {"a.html": b"3"})
    assert {p.name: data for p, data in contents(folder).items() if p.name != MARK} == {
        "a.html": b"3",
        "CNAME": b"mine",
    }
    assert [path.name for path in folder.parent.iterdir()] == ["site"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("x")
    with pytest.raises(InputError, match=r"is no folder of absence site \(it holds mine\.txt\); choose another folder"):
        write(other, {"a.html": b""})
    with pytest.raises(InputError, match="is not a folder"):
        write(other / "mine.txt", {"a.html": b""})
    with pytest.raises(InputError, match="cannot be written"):
        write(other / "mine.txt" / "site", {"a.html": b""})


def test_a_site_that_cannot_be_written_leaves_the_earlier_one(tmp_path):
    folder = tmp_path / "site"
    write(folder, {"a.html": b"1"})
    with pytest.raises(InputError, match="site: cannot be written"):
        write(folder, {"a": b"", "a/b": b""})
    assert (folder / "a.html").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_command_writes_honest_pages_whatever_is_missing_and_fails(tmp_path):
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "C7.deployment.json").write_text("{}")
    out = absence("site", cwd=tmp_path, expect=1, env={"PYTHONHASHSEED": "1"})
    assert "REFUSED C7.deployment: not in the format" in out and "NOT CHECKED C8.universal: there is no" in out
    assert "0 of " in out and Path("build", "site", "index.html").as_posix() in out
    made = contents(tmp_path / "build" / "site")
    absence("site", "--output", "again", cwd=tmp_path, expect=1, env={"PYTHONHASHSEED": "2"})
    assert {p.relative_to(tmp_path / "again"): data for p, data in contents(tmp_path / "again").items()} == {
        p.relative_to(tmp_path / "build" / "site"): data for p, data in made.items()
    }
    assert "is not a folder" in absence("site", "-o", "certificates/C7.deployment.json", cwd=tmp_path, expect=2)


def test_without_the_extra_the_command_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['latex2mathml.converter'] = None; from proof_of_absence.checker.cli import app; "
        "app(['site'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr == (
        "absence: latex2mathml.converter is missing; install it with pip install 'proof-of-absence[site]'\n"
    )
    assert not list(tmp_path.iterdir())
