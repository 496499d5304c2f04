"""What a reader sees of an audit: nothing undecided is told as clean, cut tables say what they leave out."""

import re
import shlex
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
from proof_of_absence.checker.audit.report.verdict import harden_command, headline, verdict
from proof_of_absence.checker.audit.report.view import sections
from proof_of_absence.models.circuit import Unit
from tests.checker.audit.audits import audits, planted, wide
from tests.checker.screen.narrow import assert_whole, narrow


def printed(audit: Audit, width: int = 120, **options) -> str:
    """The page as text."""
    console = Console(file=StringIO(), width=width)
    console.print(page(audit, **options))
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
def test_any_audit_prints_and_opens_with_its_headline(audit):
    assert " ".join(printed(audit).split()).startswith(" ".join(headline(audit).split()))


def test_the_headline_says_what_the_exit_code_says():
    audit = clean()
    assert headline(audit).startswith("Clean")
    undecided = replace(audit, undecided=("a unit",))
    assert headline(undecided) == "Nothing found, but 1 question undecided: this is not a pass"
    assert headline(planted()) == "2 train-idle circuits; 1 of them fires at 2 deployment inputs. 1 question undecided."
    dependent = replace(planted(), circuits=(), regions=(), undecided=())
    assert headline(dependent) == "No train-idle circuit found, but 1 other finding."
    asleep = replace(planted(), circuits=tuple(replace(c, fires=()) for c in planted().circuits), undecided=())
    assert headline(asleep) == "2 train-idle circuits; none of them fires at these deployment inputs."
    unseen = replace(planted(), circuits=tuple(replace(c, fires=None) for c in planted().circuits), undecided=())
    assert headline(unseen).endswith("at which deployment inputs they fire was not looked at.")
    for fires, told in ((None, "at which deployment inputs it fires was not looked at"),
                        ((3,), "it fires at 1 deployment input"),
                        ((), "it fires at none of these deployment inputs")):  # fmt: skip
        one = replace(planted(), circuits=(replace(planted().circuits[0], fires=fires),), undecided=())
        assert headline(one) == f"1 train-idle circuit; {told}."
        assert "The circuit can be taken out" in " ".join(printed(one).split())
    assert "Clean" not in printed(undecided) + printed(planted())


def test_each_kind_of_finding_is_shown():
    text = printed(planted(), 200)
    for line in (
        "{1.3} fires at 2 inputs: rows 0, 2",
        "0.666667 → 2.0",
        "dependent: {1.3} and the constant",
        "outside the hull",
        "a training input",
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
    assert len(text.splitlines()) < 150
    for section in sections(audit, limit=7):
        assert len(section.rows) <= 11
        assert section.more == 0 or f"… {section.more} more not shown" in printed(audit, limit=7)


def test_what_is_alike_stands_in_one_row_and_nothing_is_lost():
    audit = wide(1000)
    shown = {section.key: section for section in sections(audit, limit=10**6)}
    assert len(shown["deployment"].rows) < len(audit.deployment)
    assert sum(int(row[1]) for row in shown["deployment"].rows) == len(audit.deployment)
    assert len(shown["circuits"].rows) < len(audit.circuits)
    alike = [row[0] for row in shown["circuits"].rows]
    assert sum(cell.count("{") + int((re.findall(r"}, … (\d+) more$", cell) or [0])[0]) for cell in alike) == len(
        audit.circuits
    )


def test_the_answer_names_the_circuit_that_fires_most_first():
    answers = dict(verdict(wide(1000)).answers)
    most = max(len(circuit.fires or ()) for circuit in wide(1000).circuits)
    assert f"at {most} input" in answers["Where it fires"][0]


def test_the_command_is_one_that_a_shell_reads_as_it_was_meant():
    audit = planted("a net; rm -rf.onnx")
    words = shlex.split(verdict(audit).command)
    assert words[:3] == ["absence", "harden", "a net; rm -rf.onnx"] and words[-1] == "a net; rm -rf.hardened.onnx"
    assert not verdict(clean()).command
    assert "absence harden there/net.pt --train x.npz --activation relu" in printed(
        audit, command=harden_command("there/net.pt", "x.npz")
    )


def test_names_that_look_like_markup_are_shown_as_they_are():
    assert "[red]x[/]" in printed(planted("[red]x[/]"))


@pytest.mark.parametrize("audit", [planted(), wide(300), many()], ids=["planted", "wide", "many"])
def test_80_columns_hold_every_word(audit):
    cells = [cell for s in sections(audit) for row in (s.columns, *s.rows) for cell in row]
    assert_whole(narrow(page(audit)), [cell.lstrip(">") for cell in cells])
