"""ONNX: every exporter's spelling of a net gives the same exact net, and what is written is read back."""

import os
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from proof_of_absence.models.files import InputError, read_net
from proof_of_absence.models.files.onnx import read, write
from proof_of_absence.models.floatnet import FloatNet
from tests.models.files.conftest import float_nets, same
from tests.models.files.onnx_models import B1, CONSTANTS, NET, TAIL, W1, model, node


def run(path, inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]


SPELLINGS = {
    "gemm": (TAIL, [node("Gemm", "x W1 B1", "h", transB=1)], {}),
    "gemm of the transpose": (TAIL, [node("Gemm", "x V1 B1", "h")], {}),
    "gemm with factors": (
        TAIL,
        [helper.make_node("Gemm", ["x", "W1h", "B1d"], ["h"], transB=1, alpha=2.0, beta=0.5)],
        {"W1h": W1 / 2, "B1d": B1 * 2},
    ),
    "gemm without C": (TAIL, [node("Gemm", "x V1", "g"), node("Add", "g B1", "h")], {}),
    "gemm with an empty C": (
        TAIL,
        [helper.make_node("Gemm", ["x", "V1", ""], ["g"]), node("Add", "g B1", "h")],
        {},
    ),
    "matmul, add": (TAIL, [node("MatMul", "x V1", "g"), node("Add", "g B1", "h")], {}),
    "matmul, add from the left": (TAIL, [node("MatMul", "x V1", "g"), node("Add", "B1 g", "h")], {}),
    "bias of two dimensions": (TAIL, [node("MatMul", "x V1", "g"), node("Add", "g c", "h")], {"c": B1[np.newaxis]}),
    "bias in two parts": (
        TAIL,
        [node("Gemm", "x W1 c", "g", transB=1), node("Add", "g c", "h")],
        {"c": B1 / 2},
    ),
    "bias subtracted": (TAIL, [node("MatMul", "x V1", "g"), node("Sub", "g c", "h")], {"c": -B1}),
    "centred input": (
        TAIL,
        [node("Sub", "x mean", "z"), node("Gemm", "z W1 c", "h", transB=1)],
        {"mean": np.float32([1, 2]), "c": B1 + W1 @ np.float32([1, 2])},
    ),
    "identity everywhere": (
        [node("Relu", "h", "q"), node("Identity", "q", "r"), TAIL[1]],
        [node("Identity", "x", "z"), node("Identity", "W1", "U"), node("Gemm", "z U B1", "h", transB=1)],
        {},
    ),
    "flatten of the flat": (TAIL, [node("Flatten", "x", "z"), node("Gemm", "z W1 B1", "h", transB=1)], {}),
    "reshape": (
        TAIL,
        [node("Reshape", "x s", "z"), node("Gemm", "z W1 B1", "h", transB=1)],
        {"s": np.array([-1, 2])},
    ),
    "reshape without zeros": (
        TAIL,
        [node("Reshape", "x s", "z", allowzero=1), node("Gemm", "z W1 B1", "h", transB=1)],
        {"s": np.array([-1, 2])},
    ),
    "constant nodes": (
        TAIL,
        [
            helper.make_node("Constant", [], ["U"], value=numpy_helper.from_array(W1)),
            helper.make_node("Constant", [], ["c"], value_floats=B1.tolist()),
            node("Gemm", "x U c", "h", transB=1),
        ],
        {},
    ),
    "two affine maps": (
        TAIL,
        [node("MatMul", "x V1", "g"), node("Gemm", "g D B1", "h")],
        {"V1": W1.T / 2, "D": 2 * np.eye(3, dtype=np.float32)},
    ),
    "relu twice": ([node("Relu", "h", "q"), node("Relu", "q", "r"), TAIL[1]], [node("Gemm", "x V1 B1", "h")], {}),
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_of_one_net(tmp_path, spelling):
    tail, head, constants = SPELLINGS[spelling]
    path = tmp_path / "net.onnx"
    path.write_bytes(model(head + tail, CONSTANTS | constants))
    assert same(read_net(path), NET)
    inputs = np.float32([[0, 0], [1, -2], [3, 0.5]])
    assert run(path, inputs).tolist() == NET.forward(inputs).tolist()


@pytest.mark.parametrize(
    ("shape", "nodes", "constants", "inputs"),
    [
        (
            (1, 1, 1, 2),
            [
                node("Sub", "x m", "c"),
                node("Flatten", "c", "z"),
                node("MatMul", "z V1", "g"),
                node("Add", "g B1", "h"),
                *TAIL,
            ],
            {"m": np.zeros((1, 1, 1, 2), np.float32)},
            (1, 1, 1, 2),
        ),
        (
            ("n", 2, 1),
            [node("Flatten", "x", "z", axis=-2), node("Gemm", "z W1 B1", "h", transB=1), *TAIL],
            {},
            (3, 2, 1),
        ),
        (
            ("n", 1, 2),
            [
                node("MatMul", "x V1", "g"),
                node("Add", "g B1", "h"),
                node("Relu", "h", "r"),
                node("MatMul", "r V2", "s"),
                node("Add", "s B2", "y"),
            ],
            {},
            (3, 1, 2),
        ),
        (
            ("n", 1, 2),
            [node("Flatten", "x", "z", axis=2), node("Gemm", "z W1 B1", "h", transB=1), *TAIL],
            {},
            (3, 1, 2),
        ),
        (
            (2,),
            [
                node("MatMul", "W1 x", "g"),
                node("Add", "g B1", "h"),
                node("Relu", "h", "r"),
                node("MatMul", "r V2", "s"),
                node("Add", "s B2", "y"),
            ],
            {},
            (2,),
        ),
        (
            (2, 1),
            [
                node("MatMul", "W1 x", "g"),
                node("Add", "g C1", "h"),
                node("Relu", "h", "r"),
                node("MatMul", "W2 r", "s"),
                node("Add", "B2 s", "y"),
            ],
            {"C1": B1[:, np.newaxis]},
            (2, 1),
        ),
        (
            (2, "n"),
            [
                node("MatMul", "W1 x", "g"),
                node("Add", "g C1", "h"),
                node("Relu", "h", "r"),
                node("MatMul", "W2 r", "s"),
                node("Add", "B2 s", "y"),
            ],
            {"C1": B1[:, np.newaxis]},
            (2, 3),
        ),
        (
            (3, 2),
            [node("Reshape", "x s", "z"), node("Gemm", "z W1 B1", "h", transB=1), *TAIL],
            {"s": np.array([3, -1])},
            (3, 2),
        ),
    ],
)
def test_input_shapes(tmp_path, shape, nodes, constants, inputs):
    path = tmp_path / "net.onnx"
    path.write_bytes(model(nodes, CONSTANTS | constants, shape=shape))
    net = read(path)
    assert same(net, NET)
    values = np.random.default_rng(1).integers(-4, 5, inputs).astype(np.float32)
    rows = values.T if len(shape) == 2 and shape[0] == 2 else values.reshape(-1, 2)
    assert run(path, values).ravel().tolist() == net.forward(rows).ravel().tolist()


@given(float_nets(bound=None))
def test_written_and_read_back(tmp_path_factory, net):
    path = tmp_path_factory.getbasetemp() / "round.onnx"
    write(path, net)
    assert same(read_net(path), net)


@given(float_nets(), st.integers(0, 2**32))
def test_onnxruntime_computes_the_net(tmp_path_factory, net, seed):
    path = tmp_path_factory.getbasetemp() / "run.onnx"
    write(path, net)
    onnx.checker.check_model(str(path), full_check=True)
    for rows in (1, 3):
        inputs = np.random.default_rng(seed).normal(size=(rows, net.widths[0])).astype(net.dtype)
        outputs = run(path, inputs)
        assert outputs.dtype == net.dtype
        # Values stay below 2e4 = 3 * 4 * (3 * 4 * (3 * 4 * 10 + 4) + 4) + 4, and each passes a dozen roundings.
        np.testing.assert_allclose(outputs, net.forward(inputs), rtol=0, atol=2.5e5 * np.finfo(net.dtype).eps)


def test_like_keeps_names_and_input_shape(tmp_path):
    like, path = tmp_path / "like.onnx", tmp_path / "new.onnx"
    nodes = [
        node("Flatten", "layer1", "z"),
        node("Gemm", "z V1 B1", "h"),
        TAIL[0],
        node("Gemm", "r W2 B2", "layer", transB=1),
    ]
    value = helper.make_tensor_value_info
    inputs = [value("layer1", TensorProto.FLOAT, ("rows", 2, 1))]
    like.write_bytes(model(nodes, CONSTANTS, inputs=inputs, outputs=[value("layer", TensorProto.FLOAT, None)]))
    write(path, NET, like=like)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given_,), (out,) = session.get_inputs(), session.get_outputs()
    assert (given_.name, given_.shape, out.name, out.shape) == ("layer1", ["rows", 2, 1], "layer", ["rows", 1])
    rows = np.float32([[1, 2], [3, 4]])
    assert run(path, rows[:, :, np.newaxis]).tolist() == NET.forward(rows).tolist()
    assert same(read(path), NET) and sorted(os.listdir(tmp_path)) == ["like.onnx", "new.onnx"]
    double = FloatNet(NET.layers, np.dtype("float64"))
    write(path, double, like=like)
    assert read(path).dtype == np.float64


def test_like_that_does_not_fit(tmp_path):
    like = tmp_path / "like.onnx"
    write(like, NET)
    with pytest.raises(InputError, match=r"like.onnx: maps \(2,\) to \(1,\), the net maps 1 to 1 values"):
        write(tmp_path / "new.onnx", FloatNet([([[1]], [0])]), like=like)
    like.write_bytes(model([node("MatMul", "W1 x", "y")], CONSTANTS, shape=(2,)))
    with pytest.raises(InputError, match=r"like.onnx: its input has no batch dimension"):
        write(tmp_path / "new.onnx", NET, like=like)
    assert not (tmp_path / "new.onnx").exists()


def test_files(tmp_path):
    with pytest.raises(InputError, match=r"nowhere.onnx: there is no such file"):
        read(tmp_path / "nowhere.onnx")
    with pytest.raises(InputError, match="is no regular file"):
        read(tmp_path)
    giant = tmp_path / "giant.onnx"
    giant.touch()
    os.truncate(giant, 2**31)
    with pytest.raises(InputError, match=r"giant.onnx: is larger than 2048 MiB"):
        read(giant)
    with pytest.raises(InputError, match=r"unknown suffix '\.h5'"):
        read_net(tmp_path / "net.h5")
    with pytest.raises(InputError, match="unknown suffix ''"):
        read_net(Path("net"))
    write(tmp_path / "NET.ONNX", NET)
    assert same(read_net(str(tmp_path / "NET.ONNX")), NET)


def test_without_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"net.onnx: ONNX files need onnx: pip install 'proof-of-absence\[audit\]'"):
        read(tmp_path / "net.onnx")
