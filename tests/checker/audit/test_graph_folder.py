"""Audits of networks that are no dense chain, by the console: the folder they leave, its check, and edits of it."""

import errno
import json
import os

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

import proof_of_absence
from proof_of_absence.checker.cli import app
from proof_of_absence.models.files.disk import InputError
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import Conv, Dense, Rearrange, Relu
from proof_of_absence.models.windows import Window
from tests.checker.audit.graph_folder import absence, audited, edited, model


def test_a_planted_channel_is_found_and_the_folder_is_accepted(place):
    folder = audited(place)
    report = json.loads((folder / "report.json").read_text())
    (node,) = report["units"]
    assert node["idle_channels"] == [1] and node["fires"] == {"5": [1]}
    told = absence("check", folder)
    assert "Accepted" in told and "net.onnx" in told and "deploy.npz" in told and "report.html" in told


def test_the_command_to_copy_stands_whole_on_a_line_however_narrow_the_terminal(place):
    done = CliRunner().invoke(app, ["audit", "net.onnx", "--train", "train.npz"], env={"COLUMNS": "40"})
    assert "absence harden net.onnx --train train.npz -o net.hardened.onnx" in done.stdout.splitlines()


def test_a_full_disk_leaves_nothing(place, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    told = absence("audit", "net.onnx", "--train", "train.npz", "-o", "net.audit", expect=2)
    assert "net.audit: No space left on device" in told
    assert sorted(path.name for path in place.iterdir()) == ["deploy.npz", "net.onnx", "train.npz"]


def test_a_repeated_audit_replaces_its_folder_and_that_of_another_net_is_left(place):
    folder = audited(place)
    audited(place)
    other = model()
    other.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.array([0.5, -8.5], np.float32), "b"))
    (place / "net.onnx").write_bytes(other.SerializeToString())
    told = absence("audit", "net.onnx", "--train", "train.npz", "-o", "net.audit", expect=2)
    assert "another net" in told
    assert "net.onnx, which is not here" in absence("check", folder)
    assert "REFUSED" in absence("check", folder, "--net", "net.onnx", expect=1)


def test_a_batch_normalisation_with_roots_is_audited_and_accepted(place):
    """The first channel reads nothing and sends 1 / sqrt(2) throughout, the second one 0."""
    zeros, ones = np.zeros(2, np.float32), np.ones(2, np.float32)
    weights = {
        "w": np.array([[[[0, 0]]], [[[1, 0]]]], np.float32), "b": np.array([1, -9], np.float32), "scale": ones,
        "shift": zeros, "mean": zeros, "var": ones * 1.5, "v": np.ones((2, 8), np.float32), "c": zeros,
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], kernel_shape=[1, 2]),
        helper.make_node("BatchNormalization", ["conv", "scale", "shift", "mean", "var"], ["norm"], epsilon=0.5),
        helper.make_node("Relu", ["norm"], ["relu"]), helper.make_node("Flatten", ["relu"], ["flat"]),
        helper.make_node("Gemm", ["flat", "v", "c"], ["y"], transB=1),
    ]  # fmt: skip
    ends = model().graph
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "net", list(ends.input), list(ends.output), tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (place / "net.onnx").write_bytes(made.SerializeToString())
    (node,) = json.loads((audited(place) / "report.json").read_text())["units"]
    assert node["idle_channels"] == [0, 1] and node["constant"] == [0, 1, 2, 3] and node["values"] == {}
    assert node["fires"] == {"5": [1]}
    assert "Accepted" in absence("check", place / "net.audit", "--net", "net.onnx")


@pytest.mark.parametrize(
    "change",
    [
        lambda report: report["units"][0]["dead"].pop(),
        lambda report: report["units"][0].update(fires={}),
        lambda report: report["net"].update(parameters=report["net"]["parameters"], nodes=4),
        lambda report: report["data"].update(rows=21),
        lambda report: report.update(undecided=[], not_asked=[]),
        lambda report: report["data"].update(loss=["0", "1"]),
        lambda report: report.update(headline="Clean"),
        lambda report: report["net"].update(source="other.onnx"),
    ],
)
def test_an_edited_report_is_refused(place, change):
    folder = audited(place)
    edited(folder, "report.json", change)
    assert "REFUSED" in absence("check", folder, expect=1)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["facts"][0]["dead"].pop(),
        lambda told: told["facts"].pop(0),
        lambda told: told["facts"][1].update(fires=[]),
        lambda told: told["about"]["net"].update(parameters=1),
        lambda told: told["about"]["data"].update(rows=19),
        lambda told: told["files"].pop("data"),
    ],
)
def test_an_edited_certificate_is_refused(place, change):
    folder = audited(place)
    edited(folder, "certificate.json", change)
    assert "REFUSED" in absence("check", folder, expect=1)


@pytest.mark.parametrize("name", ["report.html", "graph.json", "graph.npz", "data.npz"])
def test_a_file_with_another_byte_is_refused(place, name):
    folder = audited(place)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    assert "REFUSED" in absence("check", folder, expect=1)


def test_what_is_for_dense_chains_is_refused_by_name_before_any_work(place):
    told = absence("audit", "net.onnx", "--train", "train.npz", "--test", "deploy.npz", expect=2)
    assert "--test" in told and "Conv" in told and not (place / "net.audit").exists()


def test_rows_of_another_length_are_told_with_the_shape(place):
    np.savez("bad.npz", X=np.zeros((3, 4)))
    told = absence("audit", "net.onnx", "--train", "bad.npz", expect=2)
    assert "bad.npz: have 4 columns, the net reads 5 (1 x 1 x 5)" in told and not (place / "net.audit").exists()


def test_a_graph_in_python(tmp_path):
    conv = Conv([[[1.0, -1.0]], [[1.0, 0.0]]], [0.5, -9.0], Window((2,), (3,)))
    flat, out = Rearrange(np.arange(6), "Flatten"), Dense(np.ones((1, 6)), [0])
    net = Graph((1, 4), [Node(conv, (0,), "conv"), Node(Relu(), (1,), "relu"), Node(flat, (2,)), Node(out, (3,))])
    X = np.array([[[1.0, 2, 3, 0]], [[4, 0, 8, 1]], [[2, 2, 0, 5]]])
    found = proof_of_absence.audit(net, X, [0.0, 1.5, 1.25], deploy=[[0, 12.0, 0, 0]], output=tmp_path / "out")
    assert [channel.index for channel in found.nodes[0].channels] == [1] and found.nodes[0].fires[4] == (0,)
    assert "given in Python" in absence("check", tmp_path / "out")
    with pytest.raises(proof_of_absence.InputError, match="test: is for chains of dense layers"):
        proof_of_absence.audit(net, X, test=X)


def test_rows_with_axes_in_another_order_are_refused_before_any_work(place):
    """Channels last, where the net reads them first: flattened, they would be other inputs."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2, 3]) for name in "xy"]
    nodes = [helper.make_node("Relu", ["x"], ["h"]), helper.make_node("Neg", ["h"], ["y"])]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:])
    imports = [helper.make_opsetid("", 17)]
    (place / "net.onnx").write_bytes(helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString())
    rows = np.arange(24.0).reshape(4, 2, 3)
    np.savez("right.npz", X=rows)
    np.savez("last.npz", X=rows.transpose(0, 2, 1))
    for words in (["--train", "last.npz"], ["--train", "right.npz", "--deploy", "last.npz"]):
        for command in (["audit", "net.onnx", *words], ["harden", "net.onnx", *words, "-o", "hard.onnx"]):
            told = absence(*command, expect=2)
            assert "last.npz: has inputs of shape 3 x 2, the net reads 2 x 3; give the axes that order" in told
    assert not {"net.audit", "hard.onnx"} & {path.name for path in place.iterdir()}
    with pytest.raises(InputError, match="X: has inputs of shape 3 x 2"):
        proof_of_absence.audit("net.onnx", rows.transpose(0, 2, 1))
