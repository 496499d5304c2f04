"""The documents name what there is: files they link to, every claim, and the picture that `absence graph` draws."""

import re
from pathlib import Path

import pytest

from proof_of_absence.checker.kernel.claims import load_claims
from proof_of_absence.checker.report import draw
from proof_of_absence.models.policies import DECEPTIVE, DEPLOYMENT_DETECTOR

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)#]+)")
CLAIM = re.compile(r"\b[CN][0-9]+\b")
CLAIMS = {claim.id for claim in load_claims()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_links_to_is_there(document):
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        assert "://" in link or (document.parent / link).exists(), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_rows_of_a_table_have_as_many_cells_as_its_head(document):
    """A bar in a formula ends a cell, and the rest of the row is not shown."""
    cells = 0
    for line in document.read_text(encoding="utf-8").splitlines():
        found = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not cells or not found or found == cells, line
        cells = found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_heading_that_is_linked_to_is_there(document):
    for name, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", document.read_text(encoding="utf-8")):
        text = (document.parent / (name or document.name)).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)", text, re.M)
        assert anchor in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}, anchor


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_code_in_a_sentence_stands_on_one_line(document):
    text = re.sub(r"^ *```.*?^ *```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    for paragraph in re.split(r"\n\s*\n", text):
        assert not [span for span in re.findall(r"`[^`]+`", paragraph) if "\n" in span], paragraph


def test_the_lines_of_verify_in_the_readme_count_the_obligations_that_there_are():
    counts = {claim.id: str(len(claim.obligations)) for claim in load_claims()}
    shown = re.findall(r"^ +([CN]\d+) .* (\d+)/(\d+) PROVED", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert shown
    assert all(done == total == counts[claim] for claim, done, total in shown), shown


@pytest.mark.parametrize("document", ["README.md", "docs/DESIGN.md"])
def test_every_claim_is_told_and_no_other(document):
    assert set(CLAIM.findall((ROOT / document).read_text(encoding="utf-8"))) == CLAIMS


def test_the_picture_is_the_one_that_the_command_draws():
    assert (ROOT / "docs" / "net.svg").read_text(encoding="utf-8") == draw.net_picture(DECEPTIVE, DEPLOYMENT_DETECTOR)


def test_a_word_of_art_is_explained_once():
    words = re.findall(r"^- \*\*(.+?)\*\*", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.M)
    assert len(words) == len(set(words)) > 60
