"""Audits of graphs over a box of inputs, by the console: what bounds leave open is decided, or told with the reason."""

import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from proof_of_absence.checker.graph import divide
from proof_of_absence.checker.passes.graph_forms import Limits
from tests.checker.audit.graph_folder import absence, edited


def residual():
    """Branches of a residual block, a leaky one and one that is clipped; unit 0 of `last` needs more than 4 of them."""
    weights = {
        "w": np.array([[[1, 1]], [[-1, -1]], [[1, -1]], [[-1, 1]]], np.float32), "b": np.zeros(4, np.float32),
        "v": np.array([[1, 1, 1, 1], [1, 0, 1, 0]], np.float32), "c": np.array([-4, 0], np.float32),
        "u": np.ones((1, 2), np.float32), "d": np.zeros(1, np.float32), "zero": np.float32(0), "six": np.float32(6),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], kernel_shape=[2]),
        helper.make_node("Relu", ["conv"], ["relu"]), helper.make_node("Clip", ["conv", "zero", "six"], ["clip"]),
        helper.make_node("Add", ["relu", "clip"], ["sum"]), helper.make_node("Flatten", ["sum"], ["flat"]),
        helper.make_node("Gemm", ["flat", "v", "c"], ["before"], transB=1),
        helper.make_node("LeakyRelu", ["before"], ["leaky"], alpha=0.5), helper.make_node("Relu", ["leaky"], ["last"]),
        helper.make_node("Gemm", ["last", "u", "d"], ["y"], transB=1),
    ]  # fmt: skip
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (("x", ["n", 1, 2]), ("y", ["n", 1]))]  # fmt: skip
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def box(size):
    """Both inputs lie between these."""
    declared = "".join(f"(declare-const {name} Real)" for name in ("X_0", "X_1", "Y_0"))
    return declared + "".join(f"(assert (<= X_{k} {size}))(assert (>= X_{k} -{size}))" for k in range(2))


def test_what_bounds_leave_open_over_a_box_is_decided_and_accepted(place):
    """Twice |x + y| + |x - y| is at most 4 where neither is more than 1, which bounds do not show."""
    (place / "net.onnx").write_bytes(residual().SerializeToString())
    np.savez("train.npz", X=np.array([[[0.25, 0.5]], [[-0.5, -0.75]]], np.float32))
    for name, size in (("quiet", "1"), ("loud", "1.001")):
        (place / f"{name}.vnnlib").write_text(box(size))
    command = ["audit", "net.onnx", "--train", "train.npz", "-o", "net.audit"]
    told = absence(*command, "--region", "quiet.vnnlib", "--region", "loud.vnnlib", expect=1)
    assert "quiet.vnnlib, last: 1 of 1 idle unit surely idle there too" in told
    assert "loud.vnnlib, last: 1 of 1 idle unit act" in told
    report, certificate = (json.loads((place / "net.audit" / name).read_text())
                           for name in ("report.json", "certificate.json"))  # fmt: skip
    assert [(one["still"], list(one["acts"]), one["undecided"]) for one in report["boxes"]] == [
        ([0], [], []), ([], ["0"], []),
    ]  # fmt: skip
    assert "Accepted" in absence("check", "net.audit")
    quiet = next(fact for fact in certificate["facts"] if fact["kind"] == "graph-irrelevant" and fact["still"])
    assert [entry for entry, _ in quiet["trees"]] == [0]
    edited(place / "net.audit", "certificate.json", lambda told: [
        fact["trees"].clear() for fact in told["facts"] if fact["kind"] == "graph-irrelevant"])  # fmt: skip
    assert "is not shown to be still" in absence("check", "net.audit", expect=1)


def test_what_is_too_large_to_divide_is_told_with_the_reason(place, monkeypatch):
    (place / "net.onnx").write_bytes(residual().SerializeToString())
    np.savez("train.npz", X=np.array([[[0.25, 0.5]], [[-0.5, -0.75]]], np.float32))
    (place / "box.vnnlib").write_text(box(1))
    monkeypatch.setattr(divide, "LIMITS", Limits(pieces=2, numbers=1000))
    told = absence("audit", "net.onnx", "--train", "train.npz", "--region", "box.vnnlib", expect=1)
    reason = "it rests on more than 2 bends that bounds leave open"
    report = json.loads((place / "net.audit" / "report.json").read_text())
    assert report["boxes"][0]["undecided"] == [0] and report["boxes"][0]["reason"] == reason
    # A terminal breaks lines.
    assert reason in " ".join(told.split()) and reason in (place / "net.audit" / "report.html").read_text()
    assert "lines about what is open" in absence("check", "net.audit")
