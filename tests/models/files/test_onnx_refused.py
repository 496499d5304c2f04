"""ONNX: what is no fully connected ReLU net, or keeps its weights where it must not, is refused in one line."""

import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from proof_of_absence.models.files import InputError, read_net
from proof_of_absence.models.files.onnx import read
from tests.models.files.conftest import same
from tests.models.files.onnx_models import B1, CONSTANTS, HEAD, NET, TAIL, W1, model, node

VALUE = helper.make_tensor_value_info


def external(**told):
    """The tensor V1 with its data elsewhere."""
    tensor = TensorProto(name="V1", dims=[2, 3], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    for key, value in told.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


BAD_SHAPE = numpy_helper.from_array(W1.T.copy(), "V1")
BAD_SHAPE.dims[0] = 2**40


def with_weights(tensor, nodes=HEAD + TAIL):
    made = onnx.ModelProto.FromString(model(nodes, {k: v for k, v in CONSTANTS.items() if k != "V1"}))
    made.graph.initializer.append(tensor)
    return made.SerializeToString()


def changed(change, data=None):
    made = onnx.ModelProto.FromString(data or model(HEAD + TAIL, CONSTANTS))
    change(made)
    return made.SerializeToString()


REFUSED = {
    "convolution": (
        model([helper.make_node("Conv", ["x", "W1"], ["y"], name="conv1")], CONSTANTS),
        (
            r"net.onnx: operator Conv \(conv1\) is not supported; absence audits fully connected ReLU nets: Gemm, "
            r"MatMul, Add, "
        ),
    ),
    "foreign domain": (
        model([helper.make_node("Relu", ["x"], ["y"], domain="com.x")], CONSTANTS),
        r"operator com.x.Relu \(no name\) is not supported",
    ),
    "local function": (
        changed(lambda m: m.functions.append(helper.make_function("ai.onnx", "Relu", ["a"], ["b"], [], []))),
        "redefines the operator Relu",
    ),
    "starts with relu": (
        model([node("Relu", "x", "y")], CONSTANTS),
        r"Relu \(n_y\) has no Gemm or MatMul between it and the input",
    ),
    "no weights": (model([node("Identity", "x", "y")], CONSTANTS), "holds no Gemm or MatMul"),
    "residual branch": (
        model([*HEAD, node("Relu", "h", "r"), node("Add", "h r", "y")], CONSTANTS),
        r"Add \(n_y\) reads h, r, so the graph branches",
    ),
    "branch unused": (
        model([*HEAD, *TAIL, node("Relu", "h", "u")], CONSTANTS),
        r"Relu \(n_u\) reads h, so the graph branches",
    ),
    "node after the output": (
        model([*HEAD, *TAIL, node("Identity", "y", "u")], CONSTANTS),
        "output y is not the last value computed",
    ),
    "value with itself": (model([node("MatMul", "x x", "y")], CONSTANTS), "reads x, x, so the graph branches"),
    "output missing": (model(HEAD, CONSTANTS), "nothing computes the output y"),
    "unsorted": (model([*TAIL, *HEAD], CONSTANTS), "reads h, which a later node computes: sort the nodes"),
    "softmax within": (
        model([*HEAD, node("Softmax", "h", "r"), TAIL[1]], CONSTANTS),
        r"operator Softmax \(n_r\) is not supported",
    ),
    "softmax over rows": (
        model([*HEAD, node("Softmax", "h", "y", axis=0)], CONSTANTS),
        r"Softmax \(n_y\) does not run over the features",
    ),
    "dropout in training": (
        model([*HEAD, node("Dropout", "h p t", "r"), TAIL[1]], CONSTANTS | {"p": np.float32(0.5), "t": np.bool_(True)}),
        r"Dropout \(n_r\) is in training mode; export the model in evaluation mode",
    ),
    "cast to integers": (
        model([node("Cast", "x", "z", to=TensorProto.INT64), node("Gemm", "z V1", "y")], CONSTANTS),
        r"Cast \(n_z\) casts to INT64, which is no float type",
    ),
    "transpose of the value": (
        model([node("Transpose", "x", "z"), node("Gemm", "z V1", "y")], CONSTANTS),
        r"Transpose \(n_z\) reads the running value; it is supported of constants alone",
    ),
    "division by the value": (
        model([node("Div", "c x", "y")], {"c": np.ones(2, np.float32)}),
        r"Div \(n_y\) divides by the running value or by 0",
    ),
    "division by 0": (model([node("Div", "x c", "y")], {"c": np.float32([1, 0])}), r"Div \(n_y\) divides by"),
    "squeeze of the rows": (
        model([node("Squeeze", "x a", "z"), node("Gemm", "z V1", "y")], CONSTANTS | {"a": np.array([0])}),
        r"Squeeze \(n_z\) with axes \[0\] does not fit",
    ),
    "squeeze of all": (model([node("Squeeze", "x", "z")], {}), "names no axes"),
    "batch normalisation": (
        model(
            [node("BatchNormalization", "x o o o m", "z"), node("Gemm", "z V1", "y")],
            CONSTANTS | {"o": np.ones(2, "f"), "m": np.float32([1, -1])},
        ),
        r"BatchNormalization \(n_z\) has a variance \+ epsilon that is not positive for feature 1",
    ),
    "shape that merges rows": (
        model(
            [
                node("Shape", "x", "s"),
                node("Gather", "s one", "d"),
                node("Unsqueeze", "d zero", "e"),
                node("Concat", "minus e", "t", axis=0),
                node("Reshape", "x t", "y"),
            ],
            {"one": np.array(0), "zero": np.array([0]), "minus": np.array([-1])},
        ),
        r"Reshape \(n_y\) to \[-1, batch\] does not flatten",
    ),
    "constants that double": (
        model(
            [node("Concat", f"{'d' * i or 'one'} {'d' * i or 'one'}", "d" * (i + 1), axis=0) for i in range(40)],
            {"one": np.array([1])},
        ),
        r"computes more than 1048576 constants; export them folded",
    ),
    "cycle": (
        model([node("Add", "x b", "a"), node("Add", "a a", "b")], CONSTANTS),
        "reads b, which a later node computes",
    ),
    "undefined": (model([node("Gemm", "x U B1", "y")], CONSTANTS), "reads U, which nothing defines"),
    "name twice": (model([*HEAD, node("Relu", "h", "x")], CONSTANTS), "must have one output, with a name of its own"),
    "initializer twice": (
        changed(lambda m: m.graph.initializer.append(m.graph.initializer[0])),
        "initializer W1 is there twice",
    ),
    "constants folded": (
        model([node("Add", "B1 B1", "c"), node("Gemm", "x V1 c", "y")], CONSTANTS),
        r"Add \(n_c\) computes from constants alone",
    ),
    "two inputs": (
        model(HEAD + TAIL, CONSTANTS, inputs=[VALUE("x", 1, (1, 2)), VALUE("z", 1, (1,))]),
        r"has 2 inputs \(x, z\)",
    ),
    "two outputs": (
        model(HEAD + TAIL, CONSTANTS, outputs=[VALUE("y", 1, None), VALUE("h", 1, None)]),
        r"has 2 outputs \(y, h\)",
    ),
    "input in int64": (model(HEAD + TAIL, CONSTANTS, kind=TensorProto.INT64), "input x is INT64"),
    "weights in int64": (
        with_weights(numpy_helper.from_array(np.ones((2, 3), np.int64), "V1")),
        "V1 of type int64 where float32 is needed",
    ),
    "weights in float64": (
        with_weights(numpy_helper.from_array(np.ones((2, 3)), "V1")),
        "V1 of type float64 where float32 is needed",
    ),
    "weights too short": (with_weights(BAD_SHAPE), "the data of V1 does not fit its shape"),
    "nan": (with_weights(numpy_helper.from_array(W1.T * np.nan, "V1")), r"Gemm \(n_h\) holds NaN or infinity"),
    "infinity": (model(HEAD + TAIL, CONSTANTS | {"B1": B1 + np.inf}), r"Gemm \(n_h\) holds NaN or infinity"),
    "nan with alpha": (
        model([node("Gemm", "x V1 B1", "y", alpha=0.5)], CONSTANTS | {"B1": B1 * np.nan}),
        "holds NaN or infinity",
    ),
    "alpha infinite": (
        model([node("Gemm", "x V1 B1", "y", alpha=np.inf)], CONSTANTS),
        "attribute alpha that is no number",
    ),
    "alpha as text": (model([node("Gemm", "x V1 B1", "y", alpha="1")], CONSTANTS), "attribute alpha that is no number"),
    "unknown attribute": (
        model([node("Gemm", "x V1 B1", "y", broadcast=1)], CONSTANTS),
        "has an attribute broadcast, which is not supported",
    ),
    "attribute twice": (
        changed(
            lambda m: m.graph.node[1].attribute.extend([helper.make_attribute("alpha", 1.0)] * 2),
            model([node("Identity", "x", "z"), node("Gemm", "z V1 B1", "y")], CONSTANTS),
        ),
        "attribute alpha, which is not supported or there twice",
    ),
    "transA": (model([node("Gemm", "x V1 B1", "y", transA=1)], CONSTANTS), "transposes its input"),
    "gemm from the left": (
        model([node("Gemm", "W1 x", "y")], CONSTANTS),
        r"must have the value of shape \(batch, features\) as its first",
    ),
    "gemm of a vector": (
        model([node("Gemm", "x V1", "y")], CONSTANTS, shape=(2,)),
        r"must have the value of shape \(batch, features\)",
    ),
    "gemm with one operand": (model([node("Gemm", "x", "y")], CONSTANTS), r"Gemm \(n_y\) has 1 operands"),
    "fan-in": (model([node("Gemm", "x V2 B2", "y")], CONSTANTS), r"Gemm \(n_y\) reads 3 values, there are 2"),
    "weights of three dimensions": (
        model([node("MatMul", "x T", "y")], {"T": np.ones((1, 2, 3), np.float32)}),
        r"weights T of shape \(1, 2, 3\)",
    ),
    "bias by rows": (
        model([*HEAD, node("Add", "h c", "y")], CONSTANTS | {"c": np.ones((4, 3), np.float32)}),
        r"adds c of shape \(4, 3\) to a value of shape \(batch, 3\)",
    ),
    "bias of gemm": (
        model([node("Gemm", "x V1 B2w", "y")], CONSTANTS | {"B2w": np.ones(2, np.float32)}),
        r"adds B2w of shape \(2,\)",
    ),
    "bias that makes a matrix": (
        model([node("MatMul", "W1 x", "h"), node("Add", "h c", "y")], CONSTANTS | {"c": B1[:, None]}, shape=(2,)),
        r"adds c of shape \(3, 1\) to a value of shape \(3\)",
    ),
    "matmul over the batch": (
        model([node("MatMul", "W1 x", "y")], CONSTANTS),
        r"multiplies weights \(3, 2\) with a value of shape \(batch, 2\)",
    ),
    "matmul per position": (model([node("MatMul", "x V1", "y")], CONSTANTS, shape=(1, 4, 2)), "multiplies weights"),
    "flatten all": (
        model([node("Flatten", "x", "z", axis=0), node("Gemm", "z V1", "y")], CONSTANTS),
        "axis 0 mixes rows",
    ),
    "flatten per position": (
        model([node("Flatten", "x", "z", axis=2), node("Gemm", "z V1", "y")], CONSTANTS, shape=("n", 4, 2)),
        "axis 2 mixes rows",
    ),
    "reshape": (
        model([node("Reshape", "x s", "z")], {"s": np.array([1, -1])}),
        r"Reshape \(n_z\) to \[1, -1\] does not flatten",
    ),
    "reshape to no row": (
        model([node("Reshape", "x s", "z", allowzero=1)], {"s": np.array([0, 2])}),
        r"to \[0, 2\] does not flatten",
    ),
    "reshape by a float": (
        model([node("Reshape", "x s", "z")], {"s": np.float32([1, -1])}),
        "of type float32 where int64 is needed",
    ),
    "free features": (
        model(HEAD + TAIL, CONSTANTS, shape=("n", "d")),
        r"input x has shape \(n, d\); all but the batch",
    ),
    "no shape": (model(HEAD + TAIL, CONSTANTS, shape=None), r"input x has shape \(\); all but the batch"),
    "old opset": (model(HEAD + TAIL, CONSTANTS, opset=6), "has opset 6; export it with an opset from 7"),
    "new opset": (model(HEAD + TAIL, CONSTANTS, opset=99), "has opset 99"),
    "no opset": (changed(lambda m: m.ClearField("opset_import")), "has opset none"),
    "no graph": (changed(lambda m: m.ClearField("graph")), "holds no graph"),
    "sparse": (changed(lambda m: m.graph.sparse_initializer.add()), "sparse weights"),
    "constant with operands": (
        model([node("Constant", "x", "y", value_float=1.0)], {}),
        r"Constant \(n_y\) has operands",
    ),
    "identity of nothing": (
        model([helper.make_node("Identity", [""], ["c"], name="i"), node("Add", "x c", "y")], {}),
        r"Identity \(i\) computes from constants alone",
    ),
    "output without a name": (
        model([helper.make_node("Relu", ["x"], [""], name="r")], {}),
        r"Relu \(r\) must have one output, with a name",
    ),
    "constant sparse": (
        model([helper.make_node("Constant", [], ["c"], name="c"), node("Add", "x c", "y")], {}),
        r"Constant \(c\) must have one value",
    ),
    "constant of no tensor": (
        model([helper.make_node("Constant", [], ["c"], name="c", value=1.0), node("Add", "x c", "y")], {}),
        "value that is no tensor",
    ),
    "constant of no floats": (
        model([helper.make_node("Constant", [], ["c"], name="c", value_floats=1.0), node("Add", "x c", "y")], {}),
        "value_floats that is none",
    ),
    "no protobuf": (b"hello, world", "is no whole ONNX file"),
    "names with control characters": (
        model([helper.make_node("Co\n\x1b[31mnv", ["x"], ["y"])], {}),
        r"operator Co \?\[31mnv \(no name\)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path, case):
    data, message = REFUSED[case]
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        read_net(path)
    assert str(caught.value).startswith(str(path)) and str(caught.value).isprintable()


def test_weights_in_a_file_beside(tmp_path):
    path = tmp_path / "net.onnx"
    (tmp_path / "w.bin").write_bytes(b"1234" + W1.T.tobytes())
    for told in ({"offset": "4", "length": "24"}, {"offset": "4"}):
        path.write_bytes(with_weights(external(location="w.bin", **told)))
        assert same(read(path), NET)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({}, "weights V1 are in another file, '', which is not in the model's folder"),
        ({"location": "/etc/passwd"}, "'/etc/passwd', which is not in the model's folder; save the model in one file"),
        ({"location": "../w.bin"}, "'../w.bin', which is not in"),
        ({"location": "sub\\w.bin"}, "which is not in"),
        ({"location": ".."}, "which is not in"),
        ({"location": "w\0.bin"}, "which is not in"),
        ({"location": "link.bin"}, "link.bin, which is not there as a plain file; copy it beside the model"),
        ({"location": "missing.bin"}, "missing.bin, which is not there as a plain file"),
        ({"location": "w.bin", "offset": "5"}, "w.bin, which does not hold the 24 bytes of its shape"),
        ({"location": "w.bin", "offset": "-4"}, "does not hold the 24 bytes"),
        ({"location": "w.bin", "length": "20"}, "does not hold the 24 bytes"),
        ({"location": "w.bin", "offset": "four"}, "which cannot be read: invalid literal"),
    ],
)
def test_weights_elsewhere_are_refused(tmp_path, told, message):
    (tmp_path / "w.bin").write_bytes(b"1234" + W1.T.tobytes())
    (tmp_path / "link.bin").symlink_to("/etc/passwd")
    path = tmp_path / "net.onnx"
    path.write_bytes(with_weights(external(**told)))
    with pytest.raises(InputError, match=re.escape(message)):
        read(path)


def test_weights_among_the_inputs(tmp_path):
    path = tmp_path / "net.onnx"
    inputs = [VALUE("x", 1, ("n", 2)), VALUE("V1", 1, (2, 3)), VALUE("B1", 1, (3,))]
    path.write_bytes(model(HEAD + TAIL, CONSTANTS, inputs=inputs))
    assert same(read(path), NET)


def test_every_cut_is_refused(refuses_every_cut):
    refuses_every_cut(model(HEAD + TAIL, CONSTANTS), ".onnx", read)
