"""The lock pins what decides, within the ranges of pyproject.toml; what is installed and is another is told."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from typer.testing import CliRunner

from proof_of_absence.checker.cli import app
from proof_of_absence.checker.kernel import lock
from proof_of_absence.checker.kernel.discharge import discharge
from proof_of_absence.checker.kernel.lock import DECIDING, differences, installed, locked
from proof_of_absence.checker.kernel.obligation import Evidence, Obligation, Scope

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HERE = {"z3-solver": Version("5.4.1.0"), "cvc5": Version("1.4.2")}


def required():
    """Every package that pyproject.toml asks for, our own extras left out."""
    extras = PROJECT["optional-dependencies"].values()
    for requirement in map(Requirement, [*PROJECT["dependencies"], *(text for extra in extras for text in extra)]):
        if requirement.name != PROJECT["name"]:
            yield requirement


def test_nothing_is_said_where_the_versions_are_the_locked_ones():
    assert differences(HERE, HERE) == ""


def test_each_other_version_is_named_in_one_line():
    told = differences({"z3-solver": Version("4.13"), "cvc5": None}, HERE)
    assert told.endswith(": z3-solver 4.13 (locked 5.4.1.0), cvc5 is missing (locked 1.4.2)")
    assert "\n" not in told


def test_what_decides_is_locked():
    assert set(DECIDING) <= set(locked())


def test_a_builders_own_mark_is_no_other_version(monkeypatch):
    monkeypatch.setattr(lock, "version", lambda name: "2.13.0+cpu")
    assert installed("torch") == Version("2.13.0")


def test_a_package_that_is_not_there_has_no_version():
    assert installed("no-such-package-of-anybody") is None


@pytest.mark.parametrize("requirement", sorted(required(), key=str), ids=str)
def test_each_requirement_is_a_range_that_holds_the_locked_version(requirement):
    operators = {part.operator for part in requirement.specifier}
    assert ">=" in operators and operators <= {">=", "<"}
    pins = {canonicalize_name(name): version for name, version in locked().items()}
    assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_a_certificate_names_the_versions_that_it_was_made_with(tmp_path):
    fact = {"kind": "identity", "left": "(* x 2)", "right": "(+ x x)"}
    obligation = Obligation("T.it", "it holds", Scope.INSTANCE, lambda: Evidence(fact))
    certificate = discharge(obligation, "key", tmp_path).certificate
    assert set(certificate["versions"]) == {"python", "proof-of-absence", *DECIDING}


@pytest.mark.parametrize("other", [True, False])
def test_verify_says_where_it_runs_on_other_versions(tmp_path, monkeypatch, other):
    here = {name: installed(name) for name in DECIDING}
    monkeypatch.setattr(lock, "locked", lambda: here | ({"numpy": Version("1.0")} if other else {}))
    told = CliRunner().invoke(app, ["verify", "N2", "--no-kernel", "--certificates", str(tmp_path)]).stdout
    assert (f"numpy {here['numpy']} (locked 1.0)" in told) is other
    assert told.count("the stated verdicts were made with") == other


def test_the_lock_names_no_place_and_no_build():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        assert line.startswith("#") or not set("/+@") & set(line), line
