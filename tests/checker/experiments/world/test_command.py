"""`absence world`, end to end: the result is accepted by `absence check`, the same again,
refused when changed; bad options get one line.
"""

import json
import shutil

import pytest
from typer.testing import CliRunner

from proof_of_absence.checker.cli import app
from proof_of_absence.checker.kernel.certificate import seal
from tests.checker.console import absence, contents

SMALL = ("--order", "0,2,6,8,4", "--mixing", "0,1/10", "--units", "2")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    return folder, absence("world", *SMALL, "-o", "out", cwd=folder)


def test_a_sweep_is_shown_checked_and_the_same_again(swept):
    folder, shown = swept
    assert "Least loss" in shown and "T and I tie at" in shown and "Price of a detector of hour 4" in shown
    before = contents(folder)
    assert "accepted out/result.json: 48 facts of an experiment" in absence("check", "out", cwd=folder)
    absence("world", *SMALL, "-o", "out", cwd=folder)
    assert contents(folder) == before
    assert {path.name for path in before} >= {
        f"{name}.{kind}" for name in ("who-wins", "detector-size", "price") for kind in ("svg", "pdf")
    }
    result = json.loads((folder / "out/result.json").read_text())
    assert result["format"] == "absence-experiment/1" and result["scope"].startswith("Instance")
    assert result["parameters"]["order"] == [0, 2, 6, 8, 4] and result["parameters"]["mixing"] == ["0", "1/10"]


def test_nothing_of_an_earlier_run_is_taken(swept, tmp_path):
    folder, _ = swept
    shutil.copytree(folder / "out", tmp_path / "out")
    whole = (tmp_path / "out/result.json").read_bytes()
    forged = json.loads(whole)
    for fact in forged["facts"]:
        fact["noise_floor"] = "0"
    (tmp_path / "out/result.json").write_text(json.dumps(seal(forged)))
    assert "was changed" in absence("world", *SMALL, "-o", "out", cwd=tmp_path, expect=2)
    absence("world", *SMALL, "-o", "out", "--force", cwd=tmp_path)
    assert (tmp_path / "out/result.json").read_bytes() == whole


def test_a_changed_result_is_refused(swept, tmp_path):
    folder, _ = swept
    result = json.loads((folder / "out/result.json").read_text())
    place = next(i for i, fact in enumerate(result["facts"]) if fact["kind"] == "world-cell")
    result["facts"][place]["best"] = ["deceptive"]
    path = tmp_path / "result.json"
    path.write_text(json.dumps(result))
    assert "the digest does not fit the content" in absence("check", path, cwd=tmp_path, expect=1)
    path.write_text(json.dumps(seal(result)))
    refusal = f"fact {place + 1}: the policies of least loss"
    assert refusal in absence("check", path, cwd=tmp_path, expect=1)
    for change, reason in (({"facts": []}, "it holds no facts"), ({"format": "x"}, "not in one of the formats")):
        path.write_text(json.dumps(seal(result | change)))
        assert reason in absence("check", path, cwd=tmp_path, expect=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--order", "0,x"), "--order 0,x: give whole numbers with commas between them"),
        (("--order", "0,1,0"), "an hour is listed twice"),
        (("--order", "3"), "two hours at least"),
        (("--order", "0,99"), "hours are between 0 and 23"),
        (("--mixing", "0,1/0"), "--mixing 0,1/0: give rates such as"),
        (("--mixing", "nan"), "--mixing nan: give rates such as"),
        (("--mixing", "2"), "mixing rate 2 is not between 0 and 1"),
        (("--lapses", "a;b"), "--lapses a: give whole numbers"),
        (("--tampering", "1,2"), "give three weights"),
        (("--tampering", "0,0,0"), "weights of tampering (0, 0, 0)"),
        (("--units", "0"), "prices are computed for 1 to 4 units, not for 0"),
        (("--scheduled", "30"), "hours are between 0 and 23"),
    ],
)
def test_bad_options_get_one_line(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["world", *options])
    assert said.exit_code == 2 and not list(tmp_path.iterdir())
    assert message in said.stderr and said.stderr.count("\n") == 1 and not said.stdout


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "out").write_text("")
    assert "out is not a folder" in absence("world", "-o", "out", cwd=tmp_path, expect=2)
