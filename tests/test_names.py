"""What a reader is told to install is ours: on the package index `absence` is another project's."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {PROJECT["name"], "."}
EXTRAS = "|".join(PROJECT["optional-dependencies"])
READ = (".py", ".md", ".toml", ".jinja", ".tex", ".yml", ".cff")
UNREAD = {".venv", ".git", "build", "certificates", "proof_of_absence"}

# A package with one of our extras, and what `pip install` is followed by.
NAMED = (
    re.compile(rf"([\w.-]+?)\\?\[(?:{EXTRAS})[\],\\]"),
    re.compile(r"\bpip install (?:(?:-c|--constraint) \S+ |-\S+ )*['\"]?([\w.][\w.-]*)"),
)


def texts():
    """Every file of ours that a message, a document or a set-up stands in."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if (path.suffix in READ or path.name == "Makefile") and path.is_file() and not UNREAD & set(parts):
            yield path, path.read_text(encoding="utf-8", errors="replace")


def named(text: str) -> set[str]:
    return {name for pattern in NAMED for name in pattern.findall(text)}


def test_no_text_tells_to_install_another_project():
    told = {path: named(text) for path, text in texts() if path != Path(__file__)}
    assert {path.relative_to(ROOT).as_posix(): names - OURS for path, names in told.items() if names - OURS} == {}
    assert sum(map(bool, told.values())) > 10


@pytest.mark.parametrize(
    "text",
    [
        "pip install 'absence[audit]'",
        "pip install -q -c constraints.txt absence",
        "install absence[torch]",
    ],
)
def test_the_test_sees_it(text):
    assert named(text) == {"absence"}


def test_the_command_keeps_its_name():
    assert PROJECT["name"] == "proof-of-absence" and set(PROJECT["scripts"]) == {"absence"}
