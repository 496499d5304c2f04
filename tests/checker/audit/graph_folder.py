"""What the tests of audits of graphs by the console share: the command, a network, an audit, and an edit of a file."""

import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from proof_of_absence.checker.cli import app
from proof_of_absence.checker.kernel.certificate import seal


def absence(*arguments, expect=0) -> str:
    """Run the command in this process; what it prints."""
    done = CliRunner().invoke(app, [str(word) for word in arguments], env={"COLUMNS": "200"})
    assert done.exit_code == expect, done.output
    return done.stdout + done.stderr


def model():
    """A convolution whose second channel fires above 9, a pool, and a dense layer on it."""
    weights = {
        "w": np.array([[[[1, -1]]], [[[1, 0]]]], np.float32), "b": np.array([0.5, -9], np.float32),
        "v": np.arange(8, dtype=np.float32).reshape(2, 4) / 4, "c": np.array([0.25, 0], np.float32),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], kernel_shape=[1, 2]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("MaxPool", ["relu"], ["pool"], kernel_shape=[1, 2], strides=[1, 2]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "v", "c"], ["y"], transB=1),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (("x", ["n", 1, 1, 5]), ("y", ["n", 2]))]  # fmt: skip
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def audited(place):
    command = ["audit", "net.onnx", "--train", "train.npz", "--deploy", "deploy.npz", "--region-from-data"]
    absence(*command, "-o", "net.audit", expect=1)
    return place / "net.audit"


def edited(folder, name, change):
    path = folder / name
    found = json.loads(path.read_text())
    change(found)
    if name == "certificate.json":
        found.pop("digest")
        path.write_text(json.dumps(seal(found), sort_keys=True, ensure_ascii=False) + "\n")
    else:
        path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items()) + "\n}\n")
