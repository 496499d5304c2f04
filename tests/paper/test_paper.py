"""The paper's LaTeX, without TeX: it cites what there is, states and proves every claim, and its files come out the same twice."""

import re
import shutil
from pathlib import Path

import pytest
from absence.checker.claims import load_claims
from absence.checker.typeset import defined

from tests.checker.console import absence, contents

PAPER = Path(__file__).parents[2] / "paper"


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
    absence("tables", *_sources(copy), cwd=copy)
    first = contents(copy / "paper" / "tables")
    shutil.rmtree(copy / "paper" / "tables")
    absence("tables", *_sources(copy), cwd=copy)
    assert contents(copy / "paper" / "tables") == first


def test_every_claim_is_printed_from_its_object(copy):
    absence("tables", cwd=copy)
    for claim in load_claims():
        told = (copy / "paper" / "tables" / f"{claim.id}.tex").read_text()
        assert claim.statement in told and told.count(r"\item") == len(claim.premises)
        assert rf"\AbsenceDefine{{status}}{{{claim.id}}}{{proved}}" in told


def test_a_claim_whose_certificate_is_missing_is_not_called_proved(copy):
    lost = copy / "certificates" / "C4.line.json"
    kept = lost.read_bytes()
    lost.unlink()
    try:
        assert "Not checked" in absence("tables", cwd=copy, expect=1)
    finally:
        lost.write_bytes(kept)
    told = (copy / "paper" / "tables" / "C4.tex").read_text()
    assert r"{status}{C4}{unknown}" in told and r"{discharged}{C4}{8 of 9}" in told
    assert r"{status}{C8}{blocked}" in (copy / "paper" / "tables" / "C8.tex").read_text()


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
    assert message in absence("tables", *_sources(copy), bad, cwd=copy, expect=1)


def test_a_file_that_is_not_there_is_named(copy):
    assert "nothing.tex: there is no such file" in absence("tables", "nothing.tex", cwd=copy, expect=2)


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
    absence("tables", cwd=copy)
    told = {kind for path in (copy / "paper" / "tables").glob("*.tex") for kind, _ in defined(path.read_text())}
    asked = set(re.findall(r"\\AbsenceGet\{(\w+)\}", (PAPER / "macros.tex").read_text()))
    # What an experiment gives is told where one was run.
    assert asked - told == {"measured"}


def test_a_claim_that_the_text_leaves_out_is_printed_with_the_proof_of_its_object(copy):
    short = copy / "short.tex"
    stated = [claim for claim in load_claims() if claim.id != "C7"]
    short.write_text("".join(rf"\stated{{{c.id}}}\begin{{proofof}}{{{c.id}}}{c.proof}\end{{proofof}}" for c in stated))
    absence("tables", short, cwd=copy)
    (left,) = [claim for claim in load_claims() if claim.id == "C7"]
    further = (copy / "paper" / "tables" / "further.tex").read_text()
    assert further.count(r"\stated") == 1 and rf"\stated{{{left.id}}}" in further and left.proof in further
    absence("tables", *_sources(copy), cwd=copy)
    assert r"\stated" not in (copy / "paper" / "tables" / "further.tex").read_text()
