"""The paper's LaTeX, without TeX: it cites what there is, states and proves every claim,
and its files come out the same twice.
"""

import json
import re
import shutil
from pathlib import Path

import pytest

from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.report.paper.typeset import defined
from tests.checker.console import absence, contents

PAPER = Path(__file__).parents[2] / "paper"


@pytest.fixture
def first(discharged, tmp_path):
    """A folder with the certificates of C1 alone, which are checked in a moment."""
    (tmp_path / "certificates" / "coq").mkdir(parents=True)
    for path in (*(discharged / "certificates").glob("C1.*"), *(discharged / "certificates" / "coq").glob("*.v")):
        shutil.copy(path, tmp_path / path.relative_to(discharged))
    return tmp_path


@pytest.fixture(scope="module")
def copy(discharged, tmp_path_factory):
    """A folder with the paper and the certificates of the whole chain."""
    folder = tmp_path_factory.mktemp("paper")
    shutil.copytree(discharged / "certificates", folder / "certificates")
    shutil.copytree(PAPER, folder / "paper", ignore=shutil.ignore_patterns("tables"))
    return folder


def _sources(folder):
    return sorted((folder / "paper").glob("*.tex")) + sorted((folder / "paper" / "sections").glob("*.tex"))


def test_the_paper_cites_what_there_is_and_its_files_come_out_the_same_twice(copy):
    absence("tables", "--no-check", *_sources(copy), cwd=copy)
    first = contents(copy / "paper" / "tables")
    shutil.rmtree(copy / "paper" / "tables")
    absence("tables", "--no-check", *_sources(copy), cwd=copy)
    assert contents(copy / "paper" / "tables") == first


def test_every_claim_is_printed_from_its_object(copy):
    absence("tables", "--no-check", cwd=copy)
    for claim in load_claims():
        told = (copy / "paper" / "tables" / f"{claim.id}.tex").read_text()
        assert claim.statement in told and told.count(r"\item") == len(claim.premises)
        assert rf"\AbsenceDefine{{status}}{{{claim.id}}}{{proved}}" in told


def test_a_claim_whose_certificate_is_missing_is_not_called_proved(copy):
    lost = copy / "certificates" / "C4.line.json"
    kept = lost.read_bytes()
    lost.unlink()
    try:
        assert "Not checked" in absence("tables", "--no-check", cwd=copy, expect=1)
    finally:
        lost.write_bytes(kept)
    told = (copy / "paper" / "tables" / "C4.tex").read_text()
    (size,) = (len(claim.obligations) for claim in load_claims() if claim.id == "C4")
    assert r"{status}{C4}{unknown}" in told and rf"{{discharged}}{{C4}}{{{size - 1} of {size}}}" in told
    assert r"{status}{C8}{blocked}" in (copy / "paper" / "tables" / "C8.tex").read_text()


def test_certificates_are_accepted_again_before_anything_is_printed_from_them(first):
    assert "Not checked, and shown so: C2.universal" in absence("tables", cwd=first, expect=1)
    told = (first / "paper" / "tables" / "C1.tex").read_text()
    assert r"{status}{C1}{proved}" in told and r"{discharged}{C1}{8 of 8}" in told


def _other_fact(certificate, other):
    certificate |= {field: other[field] for field in ("fact", "holds", "verdict", "runs")}


def _other_number(certificate, other):
    certificate["fact"]["p_train"] = "1/11"


def _other_words(certificate, other):
    certificate["statement"] += ", and more"


@pytest.mark.parametrize(
    ("forge", "message"),
    [
        # True, and made by us, but not what the obligation builds.
        (_other_fact, "it is about another fact"),
        (_other_number, "the probabilities, p_train: stated 1/11, recomputed"),
        (_other_words, "its statement is not the obligation's"),
    ],
)
def test_no_table_is_made_from_a_forged_or_stale_certificate(first, forge, message):
    """Sealed anew, so that the digest fits: only deciding the fact again, and building the obligation again, tell."""
    path = first / "certificates" / "C1.mixed.json"
    certificate = json.loads(path.read_text())
    forge(certificate, json.loads(path.with_name("C1.planted.json").read_text()))
    path.write_text(json.dumps(seal(certificate)))
    told = absence("tables", cwd=first, expect=2).strip()
    assert "C1.mixed.json: " in told and message in told and "run `absence verify`" in told
    assert len(told.splitlines()) == 1 and not (first / "paper").exists()
    assert "not re-checked" in absence("tables", "--no-check", cwd=first, expect=1)


def test_what_each_claim_leaves_open_is_printed_for_all_of_them(copy):
    absence("tables", "--no-check", cwd=copy)
    limits = (copy / "paper" / "tables" / "limits.tex").read_text()
    assert re.findall(r"\\leftopen\{(\w+)\}", limits) == [claim.id for claim in load_claims()]
    assert r"\input{tables/limits}" in (PAPER / "sections" / "limits.tex").read_text()


def test_every_plot_of_an_experiment_is_shown_and_referred_to():
    text = (PAPER / "sections" / "experiments.tex").read_text()
    shown, referred = (re.findall(rf"\\{macro}\{{(\w+)\}}\{{([\w-]+)\}}", text) for macro in ("plot", "seeplot"))
    assert len(shown) == len(set(shown)) and set(shown) == set(referred)
    assert {name for name, _ in shown} == {"census", "world", "lifetimes", "backdoors", "scale"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"\claim{C99}", "bad.tex:1: there is no claim C99"),
        (r"\numberof{C7.deployment.rise}", "bad.tex:1: there is no number C7.deployment.rise"),
    ],
)
def test_an_unknown_name_is_refused_before_tex_is_run(copy, text, message):
    bad = copy / "bad.tex"
    bad.write_text(text)
    assert message in absence("tables", "--no-check", *_sources(copy), bad, cwd=copy, expect=1)


def test_a_file_that_is_not_there_is_named(copy):
    assert "nothing.tex: there is no such file" in absence("tables", "--no-check", "nothing.tex", cwd=copy, expect=2)


def test_every_macro_that_looks_something_up_fails_where_there_is_nothing():
    macros = (PAPER / "macros.tex").read_text()
    assert r"\PackageError{absence}" in macros
    # Every kind that `absence tables` tells is looked up by \AbsenceGet, the only one to use the name, but for tests.
    uses = re.findall(r"\\csname absence/", macros)
    assert len(uses) == len(re.findall(r"\\expandafter\\gdef\\csname absence/", macros)) + 1


def test_every_reference_is_cited_and_every_citation_has_one():
    text = "".join(path.read_text() for path in (PAPER / "sections").glob("*.tex"))
    cited = {key for keys in re.findall(r"\\cite[pt]\{([^}]*)\}", text) for key in keys.split(",")}
    assert cited == set(re.findall(r"^@\w+\{(\w+),", (PAPER / "references.bib").read_text(), re.MULTILINE))


def test_kinds_that_the_macros_ask_for_are_told(copy):
    absence("tables", "--no-check", cwd=copy)
    told = {kind for path in (copy / "paper" / "tables").glob("*.tex") for kind, _ in defined(path.read_text())}
    asked = set(re.findall(r"\\AbsenceGet\{(\w+)\}", (PAPER / "macros.tex").read_text()))
    # What an experiment gives is told where one was run.
    assert asked - told == {"measured", "plot", "caption"}


def test_a_claim_that_the_text_leaves_out_is_printed_with_the_proof_of_its_object(copy):
    short = copy / "short.tex"
    stated = [claim for claim in load_claims() if claim.id != "C7"]
    short.write_text("".join(rf"\stated{{{c.id}}}\begin{{proofof}}{{{c.id}}}{c.proof}\end{{proofof}}" for c in stated))
    absence("tables", "--no-check", short, cwd=copy)
    (left,) = [claim for claim in load_claims() if claim.id == "C7"]
    further = (copy / "paper" / "tables" / "further.tex").read_text()
    assert further.count(r"\stated") == 1 and rf"\stated{{{left.id}}}" in further and left.proof in further
    absence("tables", "--no-check", *_sources(copy), cwd=copy)
    assert r"\stated" not in (copy / "paper" / "tables" / "further.tex").read_text()
