"""`absence audit --activations` from the files to `absence check`; bad input is one line, and nothing is written."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from proof_of_absence.checker.cli import app
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.numbers.hexadecimal import of_hexadecimal
from tests.checker.console import contents

RNG = np.random.default_rng(0)
TRAIN = np.maximum(RNG.normal(size=(200, 6)), 0).astype(np.float32)
DEPLOY = np.maximum(RNG.normal(size=(20, 6)), 0).astype(np.float32)
TRAIN[:, 2], TRAIN[:, 4], DEPLOY[:, 4] = 0, 0.5, 0.5


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("acts.npz", X=TRAIN, deploy=DEPLOY)
    np.savez("tested.npz", X=TRAIN, test=DEPLOY)


def run(words, expect):
    done = CliRunner().invoke(app, words.split(), env={"COLUMNS": "80"})
    assert done.exit_code == expect, done.output
    return done.stdout if expect != 2 else done.stderr


def test_constant_columns_are_told_first_and_the_certificate_is_accepted():
    told = run("audit --activations acts.npz", 1)
    assert told.startswith("2 columns constant in training; 1 of them moves in deployment.")
    assert "acts: 2 of 6 columns on 200 rows, 1 of them 0 (dead): 2, 4" in told
    assert f"acts: 1 of 2, at {(DEPLOY[:, 2] > 0).sum()} of 20 deployment rows: 2" in told
    assert "Scope: instance, recorded activations." in told and max(map(len, told.splitlines())) <= 80
    assert "accepted acts.audit/recorded.json: 4 facts about 220 recorded rows of 1 layer; report" in run(
        "check acts.audit", 0
    )
    page = Path("acts.audit/report.html").read_text()
    assert "2 columns constant in training" in page and "<script" not in page
    before = contents(Path("acts.audit"))
    run("audit --activations acts.npz", 1)
    assert contents(Path("acts.audit")) == before


def test_a_changed_certificate_or_recording_is_refused():
    run("audit --activations acts.npz", 1)
    path = Path("acts.audit/recorded.json")
    found = json.loads(path.read_text())
    found["layers"][0]["facts"][0]["constant"].pop()
    path.write_text(json.dumps(found))
    assert "the digest does not fit" in run("check acts.audit", 1)
    path.write_text(json.dumps(seal(found)))
    assert "the constant columns" in run("check acts.audit", 1)
    np.savez("acts.npz", X=TRAIN, deploy=TRAIN)
    assert "is not the file that was recorded" in run("check acts.audit", 1)


def test_a_page_that_was_edited_is_refused():
    run("audit --activations acts.npz", 1)
    page = Path("acts.audit/report.html")
    told = page.read_text()
    page.write_text(told.replace("2 columns constant", "0 columns constant"))
    assert "report.html: is not the page of this certificate" in run("check acts.audit", 1)
    page.write_text(told)
    assert "report.html says the same" in run("check acts.audit", 0)
    page.unlink()
    assert "there is no report.html" in run("check acts.audit", 0)


def test_the_folder_and_the_recording_may_be_moved_together(tmp_path):
    run("audit --activations acts.npz -o out/a", 1)
    (tmp_path / "elsewhere").mkdir()
    Path("out").rename("elsewhere/out")
    assert "acts.npz is not there" in run("check elsewhere/out/a", 1)
    Path("acts.npz").rename("elsewhere/acts.npz")
    run("check elsewhere/out/a", 0)


def test_without_findings_it_ends_with_0():
    np.savez("clean.npz", X=TRAIN[:, :2])
    told = run("audit --activations clean.npz", 0)
    assert told.startswith("No column is constant in training, alone or with others.")
    run("check clean.audit", 0)


def test_prices_are_told_with_what_is_free():
    told = run("audit --activations acts.npz --move 2", 1)
    assert f"acts: {(DEPLOY[:, 2] > 0).sum()} of 20 deployment rows, where a relation of training is" in told
    assert "a move by 2 raises the mean training loss by" in told and "the mean training row has h = 0.025)" in told
    (layer,) = json.loads(Path("acts.audit/recorded.json").read_text())["layers"]
    listed = layer["facts"][3]["rows"]["deployment"]
    assert ["free" in entry for entry in listed] == (DEPLOY[:, 2] > 0).tolist()
    run("check acts.audit", 0)
    told = run("audit --activations acts.npz --ridge 1/10 -o ridge", 1)
    assert "for free" not in told
    run("check ridge", 0)


def _overlap(one, other):
    (low, high), (least, most) = (map(of_hexadecimal, ends) for ends in (one, other))
    return max(low, least) <= min(high, most)


@pytest.mark.parametrize("width", [6, 40])
def test_test_rows_are_priced_beside_the_others_exactly_where_they_are_few(width):
    """Prices of three parts, in the page, the histogram and the certificate."""
    wide = np.hstack([TRAIN, RNG.normal(size=(200, width - 6)).astype(np.float32)])
    np.savez("a.npz", X=wide, test=wide[:7])
    np.savez("b.npz", X=wide[:9] + 1)
    told = run("audit --activations a.npz --deploy b.npz", 1)
    assert ("a: as exact rationals" in told) == (width == 6) != ("a: in rigorous bounds" in told)
    assert "(test row " in told and re.search(r"price at most +training +test +deployment\n", told)
    (layer,) = json.loads(Path("a.audit/recorded.json").read_text())["layers"]
    assert (layer["factor"] is None) == (width == 6) and [file["array"] for file in layer["test"]] == ["test"]
    rows = layer["facts"][3]["rows"]
    assert {part: len(listed) for part, listed in rows.items()} == {"deployment": 9, "training": 200, "test": 7}
    # The same inputs: a block of other rows may be rounded otherwise, so bounds overlap and are no more the same.
    for one, other in zip(rows["test"], rows["training"][:7], strict=True):
        assert one == other if width == 6 else _overlap(one["leverage"], other["leverage"])
    assert "4 facts about 216 recorded rows" in run("check a.audit", 0)
    page = Path("a.audit/report.html")
    page.write_text(page.read_text().replace("<td>training</td>", "").replace("7</td>", "8</td>", 1))
    assert "is not the page of this certificate" in run("check a.audit", 1)


def test_without_deployment_rows_test_rows_are_priced():
    told = run("audit --activations tested.npz", 1)
    assert "no deployment rows were recorded" in told and "(test row " in told
    assert "3 facts about 220 recorded rows" in run("check tested.audit", 0)


def test_a_device_changes_no_fact():
    pytest.importorskip("torch")
    run("audit --activations acts.npz -o one", 1)
    run("audit --activations acts.npz -o other --device cpu", 1)
    texts = (Path(name, "recorded.json").read_text() for name in ("one", "other"))
    one, other = (json.loads(text)["layers"][0]["facts"] for text in texts)
    assert one[:3] == other[:3]
    run("check other", 0)


def bad(value):
    array = TRAIN.copy()
    array[77, 3] = value
    return array


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": bad(np.nan)}, "bad.npz: X holds NaN or infinity in column 3"),
        ({"X": bad(-np.inf)}, "bad.npz: X holds NaN or infinity in column 3"),
        ({"X": TRAIN, "deploy": bad(np.inf)}, "bad.npz: deploy holds NaN or infinity in column 3"),
        ({"X": TRAIN, "test": bad(np.nan)}, "bad.npz: test holds NaN or infinity in column 3"),
        ({"X": TRAIN, "test": TRAIN[:, :5]}, "bad.npz: test has 5 columns, and bad.npz has 6"),
        ({"X": TRAIN, "test": TRAIN[:0]}, "bad.npz: test has shape (0, 6)"),
        ({"X": TRAIN, "Y": TRAIN[:5]}, "bad.npz: holds 200 rows in X but 5 in Y"),
        ({"X": TRAIN.astype(object)}, "bad.npz: X holds Python objects"),
        ({"X": TRAIN[:0]}, "bad.npz: X has shape (0, 6)"),
    ],
)
def test_bad_recordings_are_refused_in_one_line(arrays, message):
    np.savez("bad.npz", **arrays)
    before = contents(Path())
    told = run("audit --activations bad.npz", 2)
    assert message in told and told.count("\n") == 1 and contents(Path()) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("audit", "name a network and its training data"),
        ("audit net.onnx", "name a network and its training data"),
        ("audit net.onnx --activations acts.npz", "a network has no part in it"),
        ("audit --activations acts.npz --train acts.npz", "--train has no part in it"),
        ("audit --activations missing.npz", "missing.npz: there is no such file or folder"),
        ("audit --activations acts.npz --deploy acts.npz", "holds deployment rows itself"),
        ("audit --activations acts.npz -o .", "holds"),
        ("audit --activations acts.npz --ridge -1", "--ridge -1: is no number from 0"),
        ("audit --activations acts.npz --move 1e400", "--move 1e400: is no number from 0"),
        ("audit --activations acts.npz --device nowhere", "--device nowhere: no device of this name works here"),
        ("audit net.onnx --train acts.npz --device cpu", "--device is for --activations"),
        ("audit --activations acts.npz --move 0", "a move by nothing"),
        ("audit --activations acts.npz --test missing.npz", "missing.npz: there is no such file or folder"),
        ("audit --activations tested.npz --test acts.npz", "holds test rows itself; leave --test out"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(words, message):
    before = contents(Path())
    told = run(words, 2)
    assert re.search(re.escape(message), told) and told.count("\n") == 1 and contents(Path()) == before


def test_the_folder_of_another_recording_is_replaced_only_when_asked():
    run("audit --activations acts.npz -o out", 1)
    np.savez("other.npz", X=TRAIN[:, :2])
    assert "of another recording or model" in run("audit --activations other.npz -o out", 2)
    run("audit --activations other.npz -o out --force", 0)
