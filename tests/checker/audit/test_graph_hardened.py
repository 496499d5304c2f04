"""Networks that are no dense chain, hardened: the same file without sleepers, its proof, and edits of that."""

import json

import numpy as np
import onnx
import pytest

import proof_of_absence
from tests.checker.audit.graph_folder import absence
from tests.models.files.onnx_graphs import run


def hardened(place, *more, expect=0):
    absence("harden", "net.onnx", "--train", "train.npz", "--deploy", "deploy.npz", "-o", "new.onnx", *more,
            expect=expect)  # fmt: skip
    return place / "new.onnx.proof"


def test_a_hardened_network_has_the_same_file_and_no_detector(place):
    proof = hardened(place)
    told = absence("check", proof)
    assert "Accepted" in told and "new.onnx" in told and "hardening.json" in told and "net.onnx" in told
    rows = np.load("train.npz")["X"]
    before, after = (run((place / name).read_bytes(), rows) for name in ("net.onnx", "new.onnx"))
    # All that was cut is 0 in float32: the same bits.
    assert before.tobytes() == after.tobytes()
    old, new = (onnx.load(place / name) for name in ("net.onnx", "new.onnx"))
    assert [node.SerializeToString() for node in old.graph.node] == [n.SerializeToString() for n in new.graph.node]
    absence("audit", "new.onnx", "--train", "train.npz", "--deploy", "deploy.npz", expect=0)
    listed = json.loads((proof / "hardening.json").read_text())
    assert listed["removed"][0]["fired"] == {"5": [1]} and listed["left"] == [] and listed["same_in_float32"]


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["removed"][0]["units"].pop(),
        lambda told: told["removed"].clear(),
        lambda told: told.update(same_in_float32=False),
        lambda told: told["left"].append({"node": 2, "unit": 0, "reason": "none"}),
        lambda told: told["files"]["net"].update(sha256="0" * 64),
    ],
)
def test_an_edited_list_of_removals_is_refused_or_its_file_is_not_looked_at(place, change):
    proof = hardened(place)
    path = proof / "hardening.json"
    told = json.loads(path.read_text())
    change(told)
    path.write_text(json.dumps(told, indent=1) + "\n")
    if told["files"]["net"]["sha256"] == "0" * 64:
        assert "net.onnx, which is not here" in absence("check", proof)
    else:
        assert "REFUSED" in absence("check", proof, expect=1)


def test_another_network_beside_the_proof_is_refused(place):
    proof = hardened(place)
    (place / "new.onnx").write_bytes((place / "net.onnx").read_bytes())
    assert "is not the hardened network" in absence("check", proof, expect=1)


def test_what_is_shared_is_left_and_named(place):
    rows = np.load("train.npz")["X"]
    rows[:, :, :, 3] = 0
    rows[:, :, :, 2] = 9
    np.savez("train.npz", X=rows)
    told = absence("harden", "net.onnx", "--train", "train.npz", "-o", "new.onnx", expect=1)
    assert "4 train-idle units taken out; 2 left" in told and "MaxPool reads it together with what works" in told
    assert "Accepted" in absence("check", "new.onnx.proof")
    told = absence("harden", "net.onnx", "--train", "train.npz", "-o", "b.onnx", "--compress", expect=2)
    assert "--compress: is for chains of dense layers" in told and not (place / "b.onnx").exists()


def test_hardening_in_python(place, tmp_path):
    rows, deploy = (np.load(f"{name}.npz")["X"] for name in ("train", "deploy"))
    made = proof_of_absence.harden("net.onnx", rows, deploy, output=tmp_path / "proof")
    assert made.found.removed == {2: (4, 5, 6, 7)} and made.found.left == ()
    assert "Accepted" in absence("check", tmp_path / "proof")
