"""What a reader sees of an audit: nothing undecided is told as clean, cut tables say what they leave out."""

from dataclasses import replace
from fractions import Fraction
from io import StringIO

import pytest
from hypothesis import given, settings
from rich.console import Console

from proof_of_absence.checker.audit.findings import (
    Activity,
    Audit,
    CircuitFinding,
    Enclosure,
    RegionFinding,
    UnitFinding,
)
from proof_of_absence.checker.audit.report.table import page
from proof_of_absence.checker.audit.report.view import headline, sections
from proof_of_absence.models.circuit import Unit
from tests.checker.audit.audits import audits, planted, wide
from tests.checker.screen.narrow import assert_whole, narrow


def printed(audit: Audit, width: int = 120) -> str:
    """The page as text."""
    console = Console(file=StringIO(), width=width)
    console.print(page(audit))
    return console.file.getvalue()


def clean() -> Audit:
    """An audit that found nothing and decided everything."""
    return replace(planted(), circuits=(), ranks=(), regions=(), undecided=(), improvement=None)


def many() -> Audit:
    """An audit whose circuit, values, rows, enclosures and region are as long as they get."""
    units = tuple(Unit(1, 100 + i) for i in range(20))
    sent = {Unit(2, k): Fraction(12345, 67891) for k in range(10)}
    wide_apart = Enclosure(Fraction(1, 3**9), Fraction(1, 3**8))
    inputs = tuple(Fraction(i, 7) for i in range(784))
    audit = planted()
    return replace(
        audit,
        units=(*audit.units, UnitFinding(Unit(1, 9), Activity.VARIES, False, (0, 1), wide_apart, wide_apart)),
        circuits=(CircuitFinding(units, sent, tuple(range(1000, 1040))),),
        regions=(
            RegionFinding(units, "box.vnnlib", "sat", witness=inputs, seconds=12.3),
            RegionFinding(units, "box.vnnlib", "timeout", "not decided in 60 s and 4096 MiB of memory", seconds=60.0),
        ),
        improvement=replace(audit.improvement, circuit=units, weights=inputs, loss_before=wide_apart),
    )


@settings(max_examples=40)
@given(audits())
def test_any_audit_prints_and_ends_with_its_headline(audit):
    assert printed(audit).rstrip().splitlines()[-1].strip() == headline(audit)


def test_the_headline_says_what_the_exit_code_says():
    audit = clean()
    assert headline(audit).startswith("Clean")
    undecided = replace(audit, undecided=("a unit",))
    assert headline(undecided) == "Nothing found, but 1 question undecided: this is not a pass"
    assert headline(planted()) == "4 findings, 1 undecided"
    assert "Clean" not in printed(undecided) + printed(planted())


def test_each_kind_of_finding_is_shown():
    text = printed(planted(), 200)
    for line in (
        "circuit {1.4, 1.5} is train-idle",
        "0.666667 → 2.0",
        "dependent: {1.3} and the constant",
        "outside the hull, cut off by a hyperplane",
        "it is training input 7",
        "no, it acts at (9, 0.333333)",
        "undecided: 60 s",
        "0.111111 to 0.222223",
        "improved.onnx",
    ):
        assert line in text, line


@pytest.mark.parametrize("verdict", ["unknown", "timeout"])
def test_a_region_that_is_not_decided_never_reads_yes(verdict):
    audit = replace(planted(), regions=(RegionFinding((Unit(1, 0),), "box", verdict),))
    (section,) = [s for s in sections(audit) if s.key == "regions"]
    assert section.rows[0][2] == "undecided"


def test_cut_tables_say_how_much_is_left_out():
    audit = wide(1000)
    text = printed(audit)
    assert f"… {len(audit.circuits) - 20} more not shown" in text
    assert len(text.splitlines()) < 150
    for section in sections(audit, limit=7):
        assert len(section.rows) <= 9
        if section.key == "deployment":
            assert len(section.rows) + section.more == len(audit.deployment)


def test_names_that_look_like_markup_are_shown_as_they_are():
    assert "[red]x[/]" in printed(planted("[red]x[/]"))


@pytest.mark.parametrize("audit", [planted(), wide(300), many()], ids=["planted", "wide", "many"])
def test_80_columns_hold_every_word(audit):
    cells = [cell for s in sections(audit) for row in (s.columns, *s.rows) for cell in row]
    assert_whole(narrow(page(audit)), [cell.lstrip(">") for cell in cells])
