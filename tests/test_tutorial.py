"""The tutorial is run as it stands: its files are written, its commands typed, and what they print compared."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.S | re.M)


def matches(expected: str, printed: str) -> bool:
    """Whether the output is as expected, `...` standing for anything, line ends included."""
    pattern = ".*?".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, printed, re.S) is not None


def blocks():
    return BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))


def commands(block: str) -> list[tuple[str, str]]:
    """(command, what it is to print)."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.M)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def test_the_tutorial_is_what_happens(tmp_path):
    pytest.importorskip("torch")
    bash = shutil.which("bash")
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"], "COLUMNS": "80"}
    typed, last = 0, 0
    for language, block in blocks():
        if language == "python":
            (tmp_path / block.split("\n")[0].removeprefix("# ")).write_text(block, encoding="utf-8")
            continue
        for command, expected in commands(block):
            # Each command has a shell of its own, so $? is what the one before it returned.
            run = subprocess.run(
                [bash, "-c", f"(exit {last}); {command}"], cwd=tmp_path, env=environment, capture_output=True, text=True
            )
            last, typed = run.returncode, typed + 1
            assert matches(expected, run.stdout), f"$ {command}\n{run.stdout}{run.stderr}"
    assert typed >= 7 and {language for language, _ in blocks()} == {"python", "console"}


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [("a\n", "a\n", True), ("a\n", "b\n", False), ("a ... c\n", "a b\nb c\n", True), ("a...\n", "b\n", False)],
)
def test_the_comparison_can_fail(expected, printed, same):
    assert matches(expected, printed) is same
