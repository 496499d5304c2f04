"""Arrows run one way: models <- checker <- proofs, and the independent checker stands alone."""

import ast
from pathlib import Path

import pytest

import proof_of_absence.checker.independent
import proof_of_absence.models
import proof_of_absence.proofs

FOLDERS = {
    "models": Path(proof_of_absence.models.__file__).parent,
    "checker": Path(proof_of_absence.checker.__file__).parent,
    "proofs": Path(proof_of_absence.proofs.__file__).parent,
}
FORBIDDEN = {"models": ("proof_of_absence.checker", "proof_of_absence.proofs"), "checker": ("proof_of_absence.proofs",)}


def imported(path, package):
    """Every module that a file imports, by any form of statement; relative names are resolved."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1]]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            yield from (f"{module}.{alias.name}" for alias in node.names)


def files(folder):
    return sorted(FOLDERS[folder].rglob("*.py"))


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_nothing_below_imports_what_is_above(folder):
    assert files(folder)
    for path in files(folder):
        package = ".".join(["proof_of_absence", folder, *path.relative_to(FOLDERS[folder]).parent.parts])
        for name in imported(path, package):
            assert not any(f"{name}.".startswith(f"{above}.") for above in FORBIDDEN[folder]), (path.name, name)


def test_the_independent_checker_shares_no_code():
    home = "proof_of_absence.checker.independent"
    folder = FOLDERS["checker"] / "independent"
    paths = sorted(folder.rglob("*.py"))
    assert len({path.parent for path in paths}) > 3
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "import_module" not in text and "__import__" not in text
        for name in imported(path, ".".join([home, *path.relative_to(folder).parent.parts])):
            assert not f"{name}.".startswith("proof_of_absence.") or name.startswith(f"{home}."), (path.name, name)


def test_the_test_sees_every_form_of_import(tmp_path):
    path = tmp_path / "x.py"
    path.write_text(
        "import proof_of_absence.proofs.chain\nfrom proof_of_absence import proofs\n"
        "from ..proofs import chain\nfrom . import y\n"
    )
    assert list(imported(path, "proof_of_absence.checker")) == [
        "proof_of_absence.proofs.chain",
        "proof_of_absence.proofs",
        "proof_of_absence.proofs.chain",
        "proof_of_absence.checker.y",
    ]
