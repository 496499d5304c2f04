"""Hardening a classifier whose file ends with Softmax: the end stays, and the probabilities are the same bits."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from proof_of_absence.checker.cli import app
from tests.models.files.onnx_graphs import run


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_the_end_of_a_classifier_stays(tmp_path, monkeypatch, operator):
    monkeypatch.chdir(tmp_path)
    arrays = {
        "w": np.array([[1, -1], [0, 1], [1, 1]], np.float32), "b": np.array([0, 0.5, -9], np.float32),
        "v": np.array([[1, 2, 5], [0.5, -1, -5]], np.float32), "c": np.array([0, 0.25], np.float32),
    }  # fmt: skip
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"], transB=1), helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v", "c"], ["l"], transB=1), helper.make_node(operator, ["l"], ["y"], axis=1),
    ]  # fmt: skip
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy"]
    tensors = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "net.onnx")
    rows = np.random.default_rng(0).random((30, 2)).astype(np.float32)
    np.savez("train.npz", X=rows)
    done = CliRunner().invoke(app, ["harden", "net.onnx", "--train", "train.npz", "-o", "new.onnx"])
    assert done.exit_code == 0, done.output
    assert onnx.load("new.onnx").graph.node[-1].op_type == operator
    before, after = (run((tmp_path / name).read_bytes(), rows) for name in ("net.onnx", "new.onnx"))
    assert before.tobytes() == after.tobytes()
    assert CliRunner().invoke(app, ["check", "new.onnx.proof"]).exit_code == 0
    small = ["harden", "net.onnx", "--train", "train.npz", "-o", "small.onnx", "--compress"]
    told = CliRunner().invoke(app, small)
    assert told.exit_code == 2 and f"ends with {operator}, which a smaller net would lose" in told.stderr
