"""mypy --strict over the package: a room is clean, or tests/types.json counts its errors, and the count only falls.

The libraries' own types count too, so counts are compared where the versions are those of the lock.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import proof_of_absence

ROOT = Path(__file__).parents[1]
COUNTED: dict[str, int] = json.loads((ROOT / "tests" / "types.json").read_text(encoding="utf-8"))
LOCK = ROOT / "constraints.txt"


def mypy(*arguments: str) -> list[dict]:
    """The errors, each with its file, line, message and code. The cache in the root makes a second run short."""
    command = [sys.executable, "-m", "mypy", "--output", "json", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode in (0, 1) and not run.stderr, run.stdout + run.stderr
    found = map(json.loads, run.stdout.splitlines())
    return [line for line in found if line["severity"] == "error"]


def room(file: str) -> str:
    """The room that a file of the package lies in: a folder of checker/, models, proofs, or the package itself."""
    folders = Path(file).parts[1:-1]
    return "/".join(folders[: 2 if folders[:1] == ("checker",) else 1]) or "proof_of_absence"


@pytest.fixture(scope="module")
def errors() -> list[dict]:
    return mypy("-p", "proof_of_absence")


def locked() -> bool:
    """Whether everything that is installed and locked has the locked version."""
    for line in LOCK.read_text(encoding="utf-8").splitlines() if LOCK.exists() else ():
        if found := re.match(r"([\w.-]+)==([^\s;]+)", line):
            try:
                if version(found[1]).split("+")[0] != found[2].split("+")[0]:
                    return False
            except PackageNotFoundError:
                continue
    return True


def test_a_room_that_is_not_counted_is_clean(errors):
    assert [error for error in errors if room(error["file"]) not in COUNTED] == []


@pytest.mark.skipif(not locked(), reason="counts hold for the versions in constraints.txt")
def test_counts_only_fall(errors):
    found = Counter(room(error["file"]) for error in errors)
    rose = {name: found[name] for name, count in COUNTED.items() if found[name] > count}
    assert not rose, "there are new type errors: mypy -p proof_of_absence"
    fell = {name: found[name] for name, count in COUNTED.items() if found[name] < count}
    assert not fell, "well done; write these numbers into tests/types.json, and take out a room with 0"


def test_every_module_of_ours_is_found_in_a_bare_checkout(errors):
    imports = [error for error in errors if str(error["code"]).startswith("import")]
    assert [error for error in imports if "proof_of_absence" in error["message"]] == []
    assert (ROOT / "proof_of_absence" / "py.typed").exists()


def test_rooms_are_told_apart():
    files = ("proof_of_absence/__init__.py", "proof_of_absence/models/files/disk.py", "proof_of_absence/checker/cli.py")
    assert list(map(room, files)) == ["proof_of_absence", "models", "checker"]
    assert room("proof_of_absence/checker/audit/report/table.py") == "checker/audit"


RIGHT = """
from fractions import Fraction
import numpy as np
from proof_of_absence import MLP, Affine, Dataset, FloatNet, Layer, Unit, audit
from proof_of_absence.models.circuit import is_idle
from proof_of_absence.models.family import Architecture, Family, Grid
from proof_of_absence.models.world import World

net = MLP([Affine([[1], [-1]], [0, 0]), Affine([[1, 1]], [0])])
half: Layer = Affine(np.array([[0.5]]), ["1/2"])
data = Dataset([[0], [0.5]], [[1], [Fraction(1, 3)]])
net([-3]), net.outputs(np.zeros((2, 1))), data.loss(net), is_idle(net, {(1, 0)}, [[0]]), Unit(1, 0).index + 1
floats = FloatNet([([[1.0], [-1.0]], [0.0, 0.0]), (np.ones((1, 2)), np.zeros(1))], "float32")
FloatNet(floats.layers[1:]).exact()
Family(Architecture([1, 1, 1]), Grid([0, "1/2"]))
World(mixing="1/10")
audit(floats, [[0.0]], [[1.0]])
"""
WRONG = """
import proof_of_absence
from proof_of_absence import MLP, Affine, Dataset, FloatNet
Dataset([[None]], [[1]])
Dataset([0], [1])
MLP([[1]])
Affine([[1]])
FloatNet([1.0])
proof_of_absence.nothing
"""


def test_what_a_user_writes_first_has_the_right_types(tmp_path):
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(RIGHT)
    wrong.write_text(WRONG)
    found = mypy(str(right), str(wrong))
    assert [error for error in found if error["file"].endswith("right.py")] == []
    assert {error["line"] for error in found if error["file"].endswith("wrong.py")} == set(range(4, 10))


def test_what_a_user_writes_first_runs():
    exec(RIGHT, {})


def test_every_public_name_is_there():
    for name in proof_of_absence.__all__:
        assert getattr(proof_of_absence, name).__module__.startswith("proof_of_absence.")
