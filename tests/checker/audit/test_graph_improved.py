"""Networks with a lower loss that audits of graphs write, in the form of the file, or why there is none; the check."""

import json

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import proof_of_absence
from proof_of_absence.models.files.disk import InputError
from tests.checker.audit.graph_folder import absence, audited, edited, model
from tests.models.files.onnx_graphs import run


def with_a_tail(*, shared=False):
    """The convolution, then a hidden layer: unit 1 is dead, unit 2 sends 5. Or the outputs share a bias with it."""
    rng = np.random.default_rng(3)
    made = model()
    arrays = {
        "h": np.vstack([rng.standard_normal((1, 4)), -np.ones((1, 4)), np.zeros((1, 4))]), "hb": np.array([1, -1, 5]),
        "v": np.array([[1, 0.5, 0.25], [0.5, 1, 1]]), "c": np.array([0.25, 0]),
    }  # fmt: skip
    del made.graph.initializer[2:]
    made.graph.initializer.extend(numpy_helper.from_array(a.astype(np.float32), name) for name, a in arrays.items())
    del made.graph.node[4:]
    made.graph.node.extend([
        helper.make_node("Gemm", ["flat", "h", "hb"], ["hidden"], transB=1),
        helper.make_node("Relu", ["hidden"], ["sent"]),
        helper.make_node("Gemm", ["sent", "v", "c"], ["y"], transB=1),
    ])  # fmt: skip
    if shared:
        made.graph.node[-1].input[2] = "b"
    return made


@pytest.fixture
def better(place):
    """The folder of an audit that found a network with a lower loss."""
    (place / "net.onnx").write_bytes(with_a_tail().SerializeToString())
    return audited(place)


@pytest.mark.parametrize("loss", ["squared", "cross-entropy"])
def test_a_network_with_a_lower_loss_is_written_in_the_files_own_form(place, loss):
    (place / "net.onnx").write_bytes(with_a_tail().SerializeToString())
    data = np.load("train.npz")
    np.savez("train.npz", X=data["X"], Y=np.eye(2)[data["Y"]])
    told = absence("audit", "net.onnx", "--train", "train.npz", "--loss", loss, "-o", "net.audit", expect=1)
    assert "reused, with another output bias" in told and "improved.onnx in the folder" in told
    report = json.loads((place / "net.audit" / "report.json").read_text())
    assert report["improvement"]["file"] == "improved.onnx" and report["unimproved"] == ""
    assert {one["unit"] for one in report["improvement"]["units"]} <= {1, 2}
    before, after = (onnx.load(path).graph for path in ("net.onnx", "net.audit/improved.onnx"))
    assert before.node == after.node and before.input == after.input
    outputs = [run(path, data["X"]) for path in ("net.onnx", "net.audit/improved.onnx")]
    own = [_loss(found, np.eye(2)[data["Y"]], loss) for found in outputs]
    for value, part in zip(own, ("loss_before", "loss_after"), strict=True):
        assert value == pytest.approx(float(_fraction(report["improvement"][part][0])), rel=1e-4)
    assert own[1] < own[0]
    assert "improved.onnx agree" in absence("check", "net.audit")


def _fraction(text):
    top, _, below = text.partition("/")
    return int(top, 16) / int(below or "1", 16)


def _loss(outputs, targets, loss):
    if loss == "squared":
        return ((outputs - targets) ** 2).sum(axis=1).mean()
    return (np.log(np.exp(outputs).sum(axis=1)) - (outputs * targets).sum(axis=1)).mean()


def test_weights_that_the_file_shares_are_not_reassigned(place):
    (place / "net.onnx").write_bytes(with_a_tail(shared=True).SerializeToString())
    folder = audited(place)
    report = json.loads((folder / "report.json").read_text())
    assert report["improvement"] is None and "no array of its own holds the bias" in report["unimproved"]
    assert not (folder / "improved.onnx").exists() and "why no lower loss is shown" in absence("check", folder)
    assert "None is shown: idle units are not reused" in (folder / "report.html").read_text()


def test_an_improved_network_that_is_missing_or_another_is_refused(better):
    (better / "improved.onnx").unlink()
    assert "is missing" in absence("check", better, expect=1)
    for path in ("net.onnx", "other.onnx"):
        other = onnx.load("net.onnx")
        if path == "other.onnx":
            other.graph.initializer[-1].CopyFrom(numpy_helper.from_array(np.array([0.25, 1], np.float32), "c"))
        onnx.save(other, better / "improved.onnx")
        assert "is not the network of the certified improvement" in absence("check", better, expect=1)


def test_an_improved_network_lies_where_it_is_asked_for_and_replaces_no_file(place):
    (place / "net.onnx").write_bytes(with_a_tail().SerializeToString())
    command = ["audit", "net.onnx", "--train", "train.npz", "--improved"]
    absence(*command, "better/net.onnx", expect=1)
    assert not (place / "net.audit" / "improved.onnx").exists()
    assert "net.onnx agree" in absence("check", "net.audit")
    held = (place / "better" / "net.onnx").read_bytes()
    assert "lies there already" in absence(*command, "better/net.onnx", expect=2)
    assert "is read here" in absence(*command, "net.onnx", "--force", expect=2)
    assert "written as ONNX" in absence(*command, "net.pt", expect=2)
    assert (place / "better" / "net.onnx").read_bytes() == held
    onnx.save(model(), "better/net.onnx")
    assert "is not the network of the certified improvement" in absence("check", "net.audit", expect=1)
    (place / "better" / "net.onnx").unlink()
    assert "the improved network, which is not in" in absence("check", "net.audit")


def test_an_improved_network_that_no_report_tells_of_is_refused(place):
    folder = audited(place)
    onnx.save(model(), folder / "improved.onnx")
    assert "tells of no improvement" in absence("check", folder, expect=1)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(improvement=None),
        lambda told: told["improvement"].update(file=""),
        lambda told: told["improvement"].update(loss_after=["0", "1"]),
        lambda told: told["improvement"]["units"][0].update(bias="7"),
        lambda told: told.update(unimproved="no"),
    ],
)
def test_an_edited_improvement_is_refused(better, change):
    edited(better, "report.json", change)
    assert "REFUSED" in absence("check", better, expect=1)


def test_from_python_it_is_told_and_written_beside_a_file(better, tmp_path):
    data = np.load("train.npz")
    found = proof_of_absence.audit("net.onnx", data["X"], data["Y"], output=tmp_path / "py.audit")
    assert found.improvement is not None and found.improvement.file == "improved.onnx"
    assert (tmp_path / "py.audit" / "improved.onnx").read_bytes() == (better / "improved.onnx").read_bytes()
    alone = proof_of_absence.audit("net.onnx", data["X"], data["Y"])
    assert alone.improvement is not None and alone.improvement.file == ""


def test_a_network_that_the_file_does_not_hold_is_not_claimed(place, monkeypatch):
    def refusing(like, path, graph, *, spare):
        raise InputError(f"{path}: its types do not hold a number")

    (place / "net.onnx").write_bytes(with_a_tail().SerializeToString())
    monkeypatch.setattr("proof_of_absence.models.files.graph_write.rewrite", refusing)
    folder = audited(place)
    report = json.loads((folder / "report.json").read_text())
    assert report["improvement"] is None and "cannot be written" in report["unimproved"]
    assert not (folder / "improved.onnx").exists() and "Accepted" in absence("check", folder)
