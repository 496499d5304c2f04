"""No command replaces what it did not write, or what it made of something else, unless it is asked to."""

import os
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from typer.testing import CliRunner

from proof_of_absence.checker.cli import app
from tests.checker.console import contents

WORLD = ("world", "--order", "0,5", "--mixing", "0", "--scheduled", "6", "--trigger", "3", "--units", "1")
CENSUS = ("census", "--grid", "0,1", "--hidden", "1")
# With their exit codes: tables and a site of no certificates end with 1.
COMMANDS = [(("scale",), 0), (WORLD, 0), (("tables",), 1), (("site",), 1)]
OTHER_OPTIONS = [
    (("scale",), ("scale", "--detector", "1e7")),
    (WORLD, (*WORLD, "--mixing", "1/10")),
    (CENSUS, (*CENSUS, "--grid", "0,2")),
]
# A file of each that is changed.
FILES = {"tables": "claims.tex", "site": "index.html"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder; plots are not drawn, which would take most of the time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Figure, "savefig", lambda self, stream, **_: stream.write(b"a plot"))


def run(*words: str, expect: int) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == expect, done.output
    return done.stderr


def refused(*words: str, match: str) -> None:
    """In one line, and every file is as it was."""
    before = contents(Path())
    told = run(*words, expect=2)
    assert match in told and told.count("\n") == 1, told
    assert contents(Path()) == before


@pytest.mark.parametrize(("command", "code"), COMMANDS, ids=[command[0] for command, _ in COMMANDS])
def test_what_others_wrote_is_replaced_only_when_asked(command, code):
    refused(*command, "-o", ".", "--force", match="holds the current folder")
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")
    refused(*command, "-o", "out", match=f"is no folder of absence {command[0]} (it holds notes.txt)")
    run(*command, "-o", "out", "--force", expect=code)
    run(*command, "-o", "out", expect=code)
    assert Path("out/notes.txt").read_text() == "mine"
    changed = Path("out", FILES.get(command[0], "result.json"))
    whole = changed.read_bytes()
    changed.write_text("mine")
    refused(*command, "-o", "out", match=f"{changed.name}: was changed")
    for other in ("scale", "tables"):
        if other != command[0]:
            refused(other, "-o", "out", match=f"holds what absence {command[0]} made")
    run(*command, "-o", "out", "--force", expect=code)
    assert changed.read_bytes() == whole and os.listdir() == ["out"]


@pytest.mark.parametrize(("first", "second"), OTHER_OPTIONS, ids=["scale", "world", "census"])
def test_nor_is_a_result_of_other_options(first, second):
    run(*first, "-o", "out", expect=0)
    one = contents(Path("out"))
    refused(*second, "-o", "out", match=f"holds what absence {first[0]} made with other options")
    run(*second, "-o", "out", "--force", expect=0)
    assert contents(Path("out")) != one
    # The parts of both are kept.
    kept = {path: data for path, data in one.items() if path.parent != Path("out")}
    assert kept.items() <= contents(Path("out")).items()


def test_tables_without_a_mark_are_known_by_their_first_line():
    run("tables", "-o", "out", expect=1)
    assert all(path.read_text().startswith("% Made by `absence tables`") for path in Path("out").glob("*.tex"))
    Path("out/.absence.json").unlink()
    run("tables", "-o", "out", expect=1)
    Path("out/.absence.json").unlink()
    Path("out/numbers.tex").write_text("mine")
    refused("tables", "-o", "out", match="it holds numbers.tex")


def test_nothing_that_is_read_is_in_the_folder():
    Path("made/kept").mkdir(parents=True)
    Path("made/paper.tex").write_text("")
    for words in (
        ("tables", "made/paper.tex"), ("tables", "--certificates", "made/kept"), ("site", "--experiments", "made"),
    ):  # fmt: skip
        refused(*words, "-o", "made", "--force", match="which is read here")


def test_a_picture_that_was_not_drawn_here():
    run("graph", "-o", "claims.svg", expect=0)
    run("graph", "-o", "claims.svg", expect=0)
    Path("mine.svg").write_text("<svg/>")
    Path("link.svg").symlink_to("claims.svg")
    for name in ("mine.svg", "link.svg"):
        refused("graph", "-o", name, match="was not drawn here")
        run("graph", "-o", name, "--force", expect=0)


def test_a_certificate_is_not_drawn_over():
    Path("kept").mkdir()
    for name in ("kept/C7.deployment.json", "kept/drawn.svg", "made/../kept/C7.deployment.json"):
        refused("graph", "--certificates", "kept", "-o", name, "--force", match="which is read here")
