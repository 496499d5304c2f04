"""The rooms of checker/: arrows between them run one way, and nobody reaches for what a room keeps to itself."""

import ast
from pathlib import Path

import pytest

import proof_of_absence.checker
from tests.test_layering import imported

CHECKER = Path(proof_of_absence.checker.__file__).parent
HOME = "proof_of_absence.checker"
# A room may import those that stand before it.
ROOMS = (
    "independent",
    "numbers",
    "screen",
    "kernel",
    "proved",
    "encode",
    "passes",
    "construct",
    "minima",
    "region",
    "recorded",
    "graph",
    "audit",
    "experiments",
    "report",
)


def room_of(module: str) -> str | None:
    """The room that a module of checker/ lies in; None for any other module."""
    if not module.startswith(f"{HOME}."):
        return None
    return module.removeprefix(f"{HOME}.").split(".")[0]


def test_checker_holds_one_module_and_these_rooms():
    assert {path.name for path in CHECKER.glob("*.py")} == {"__init__.py", "cli.py"}
    assert {path.parent.name for path in CHECKER.glob("*/__init__.py")} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_run_one_way(room):
    before = ROOMS[: ROOMS.index(room) + 1]
    for path in sorted((CHECKER / room).rglob("*.py")):
        package = ".".join([HOME, *path.relative_to(CHECKER).parent.parts])
        for name in imported(path, package):
            assert room_of(name) in (None, *before), f"{path.relative_to(CHECKER)} imports {name}"


def private(path: Path) -> list[str]:
    """The modules and names with a leading underscore that a file imports."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{a.name}" for a in node.names if a.name.startswith("_")]
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_private_stays_in_its_room(room):
    for path in sorted((CHECKER / room).rglob("*.py")):
        for name in private(path):
            assert room_of(name) in (None, room), f"{path.relative_to(CHECKER)} imports {name}"
