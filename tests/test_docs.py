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


@pytest.mark.parametrize("document", ["README.md", "docs/DESIGN.md"])
def test_every_claim_is_told_and_no_other(document):
    assert set(CLAIM.findall((ROOT / document).read_text(encoding="utf-8"))) == CLAIMS


def test_the_picture_is_the_one_that_the_command_draws():
    assert (ROOT / "docs" / "net.svg").read_text(encoding="utf-8") == draw.net_picture(DECEPTIVE, DEPLOYMENT_DETECTOR)


def test_a_word_of_art_is_explained_once():
    words = re.findall(r"^- \*\*(.+?)\*\*", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.M)
    assert len(words) == len(set(words)) > 60
