"""ONNX as exporters write it around a chain of layers: read as the same net, which onnxruntime agrees with."""

import gzip
from fractions import Fraction

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from proof_of_absence.models.files import InputError, read_net
from tests.models.files.conftest import float_nets, same
from tests.models.files.onnx_models import B1, CONSTANTS, HEAD, NET, TAIL, W1, model, node

VALUE = helper.make_tensor_value_info


def run(data, inputs, output=None):
    """What onnxruntime computes of a model's bytes."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(output and [output], {session.get_inputs()[0].name: inputs})[0]


def read(tmp_path, data, name="net.onnx"):
    path = tmp_path / name
    path.write_bytes(data)
    return read_net(path)


VIEW = [
    node("Shape", "x", "s"),
    node("Gather", "s zero", "n"),
    node("Unsqueeze", "n axes", "u"),
    node("Concat", "u rest", "t", axis=0),
    node("Reshape", "x t", "z"),
    node("Gemm", "z V1 B1", "h"),
    *TAIL,
]
INTEGERS = {"zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1]), "one": np.array([1])}
FORMS = {
    "view of the legacy exporter": (VIEW, INTEGERS, ("n", 2, 1)),
    "view of the newer exporter": (
        [
            node("Shape", "x", "s", start=0, end=1),
            node("Concat", "s rest", "t", axis=0),
            node("Reshape", "x t", "z"),
            *[node("Gemm", "z V1 B1", "h"), *TAIL],
        ],
        INTEGERS,
        ("n", 1, 2),
    ),
    "transposed weights": (
        [node("Transpose", "W1", "U", perm=[1, 0]), node("Gemm", "x U B1", "h"), *TAIL], {}, ("n", 2)
    ),
    "transposed without an order": ([node("Transpose", "W1", "U"), node("Gemm", "x U B1", "h"), *TAIL], {}, ("n", 2)),
    "squeezed input": ([node("Squeeze", "x one", "z"), node("Gemm", "z V1 B1", "h"), *TAIL], INTEGERS, ("n", 1, 2)),
    "squeezed output": (
        [*HEAD, TAIL[0], node("Gemm", "r W2 B2", "o", transB=1), node("Squeeze", "o one", "y")], INTEGERS, ("n", 2)
    ),
    "unsqueezed and squeezed": (
        [*HEAD, node("Unsqueeze", "h one", "u"), node("Squeeze", "u one", "v"), node("Relu", "v", "r"), TAIL[1]],
        INTEGERS,
        ("n", 2),
    ),
    "dropout": ([*HEAD, node("Relu", "h", "q"), node("Dropout", "q p f", "r"), TAIL[1]],
                {"p": np.float32(0.5), "f": np.bool_(False)}, ("n", 2)),
    "cast to the same type": ([node("Cast", "x", "z", to=1), node("Gemm", "z V1 B1", "h"), *TAIL], {}, ("n", 2)),
    "scaled by powers of 2": (
        [node("Mul", "x k", "z"), node("Gemm", "z H B1", "h"), *TAIL],
        {"k": np.float32([2, 4]), "H": W1.T / np.float32([[2], [4]])},
        ("n", 2),
    ),
    "preprocessed": (
        [node("Sub", "x m", "c"), node("Div", "c k", "z"), node("Gemm", "z H c1", "h"), *TAIL],
        {"m": np.float32([1, 2]), "k": np.float32([0.5, 2]), "H": W1.T * np.float32([[0.5], [2]]),
         "c1": B1 + W1 @ np.float32([1, 2])},
        ("n", 2),
    ),
    "negated twice": ([node("Neg", "x", "a"), node("Sub", "o a", "z"), node("Gemm", "z V1 c1", "h"), *TAIL],
                      {"o": np.float32([1, 1]), "c1": B1 - W1.sum(axis=1)}, ("n", 2)),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_one_net(tmp_path, form):
    nodes, constants, shape = FORMS[form]
    data = model(nodes, CONSTANTS | constants, shape=shape)
    net = read(tmp_path, data)
    assert same(net, NET) and net.reading.known_from == "the graph" and net.reading.activation == "ReLU"
    inputs = np.random.default_rng(1).integers(-4, 5, (3, *shape[1:])).astype(np.float32)
    assert run(data, inputs).ravel().tolist() == net.forward(inputs.reshape(3, -1)).ravel().tolist()


@given(float_nets(dtype=np.float32, bound=2.0), st.sampled_from([TensorProto.FLOAT16, TensorProto.BFLOAT16]))
def test_types_of_16_bits_are_exact(tmp_path_factory, net, kind):
    """Against numpy's and ml_dtypes' own conversion of the numbers that the file holds."""
    nodes, tensors, value, expected = [], [], "x", []
    for number, layer in enumerate(net.layers):
        names = []
        for part, array in zip("wb", layer, strict=True):
            tensor = helper.make_tensor(f"{part}{number}", kind, array.shape, array.ravel().tolist())
            tensors.append(tensor)
            names.append(tensor.name)
            expected.append(numpy_helper.to_array(tensor).astype(np.float64).tolist())
        out = "y" if number == len(net.layers) - 1 else f"h{number}"
        nodes.append(helper.make_node("Gemm", [value, *names], [out], transB=1))
        value = out
        if out != "y":
            nodes.append(helper.make_node("Relu", [out], [f"r{number}"]))
            value = f"r{number}"
    graph = helper.make_graph(nodes, "g", [VALUE("x", kind, ["n", net.widths[0]])], [VALUE("y", kind, None)], tensors)
    path = tmp_path_factory.getbasetemp() / "half.onnx"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(made.SerializeToString())
    found = read_net(path)
    assert [array.tolist() for layer in found.layers for array in layer] == expected and found.dtype == np.float32
    assert "which holds them exactly" in found.reading.notes[-1]


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
def test_the_last_softmax_is_left_off(tmp_path, operator):
    data = model([*HEAD, *TAIL[:1], node("Gemm", "r I B1", "logits"), node(operator, "logits", "y")],
                 CONSTANTS | {"I": np.eye(3, dtype=np.float32)})  # fmt: skip
    net = read(tmp_path, data)
    inputs = np.float32([[1, 2], [-1, 3]])
    logits = net.forward(inputs)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = probabilities if operator == "Softmax" else np.log(probabilities)
    np.testing.assert_allclose(run(data, inputs), expected, rtol=1e-4)
    assert net.reading.cut == operator
    assert "what is audited are the logits before it (the value logits)" in net.reading.notes[-1]
    assert "cross-entropy" in net.reading.notes[-1]


def classifier(binary):
    """As skl2onnx writes an MLPClassifier: a cast, layers, probabilities, and the label chosen by them."""
    widths = 1 if binary else 3
    nodes = [
        node("Cast", "x", "cast", to=TensorProto.FLOAT),
        node("MatMul", "cast V1", "m"),
        node("Add", "m B1", "a"),
        node("Relu", "a", "r"),
        node("MatMul", "r U", "n"),
        node("Add", "n c", "logits"),
    ]
    if binary:
        nodes += [
            node("Sigmoid", "logits", "p"),
            node("Sub", "one p", "q"),
            node("Concat", "q p", "probabilities", axis=1),
        ]
    else:
        nodes += [node("Softmax", "logits", "probabilities", axis=1)]
    nodes += [
        node("ArgMax", "probabilities", "index", axis=1, keepdims=0),
        helper.make_node("ArrayFeatureExtractor", ["classes", "index"], ["chosen"], domain="ai.onnx.ml"),
        node("Reshape", "chosen shape", "label"),
    ]
    constants = CONSTANTS | {
        "U": np.arange(3 * widths, dtype=np.float32).reshape(3, widths), "c": np.ones(widths, np.float32),
        "one": np.float32(1), "classes": np.arange(3), "shape": np.array([-1]),
    }  # fmt: skip
    outputs = [VALUE("label", TensorProto.INT64, None), VALUE("probabilities", TensorProto.FLOAT, None)]
    made = onnx.ModelProto.FromString(model(nodes, constants, outputs=outputs))
    made.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    return made.SerializeToString()


@pytest.mark.parametrize("binary", [False, True])
def test_a_classifier_with_two_outputs_is_read_to_its_logits(tmp_path, binary):
    data = classifier(binary)
    net = read(tmp_path, data)
    inputs = np.float32([[1, 2], [-1, 3], [0.5, -2]]) / 8
    logits = net.forward(inputs)
    if binary:
        logits = np.hstack([np.zeros((3, 1)), logits])
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(run(data, inputs, "probabilities"), probabilities, atol=1e-6)
    assert net.reading.cut == ("Sigmoid" if binary else "Softmax")
    assert "(the outputs label, probabilities)" in net.reading.notes[-1] and "logits" in net.reading.notes[-1]


def test_a_classifier_whose_end_reads_something_else_is_not_cut(tmp_path):
    nodes = [*HEAD, node("Softmax", "h", "p"), node("Sub", "p h", "y")]
    with pytest.raises(InputError, match=r"operator Softmax \(n_p\) is not supported"):
        read(tmp_path, model(nodes, CONSTANTS))


def test_relu_at_the_end(tmp_path):
    data = model([*HEAD, node("Relu", "h", "y")], CONSTANTS)
    net = read(tmp_path, data)
    inputs = np.float32([[1, 2], [-1, 3]])
    assert run(data, inputs).tolist() == net.forward(inputs).tolist() and net.widths == (2, 3, 3)
    assert "ends with ReLU" in net.reading.notes[0]


@given(st.data())
def test_affine_maps_of_float32_are_one_of_float64_where_that_is_exact(tmp_path_factory, data):
    entries = st.floats(-4, 4, width=32).map(lambda x: float(np.float32(x)))
    k, w = np.float32([[data.draw(entries)]]), np.float32([[data.draw(entries)]])
    path = tmp_path_factory.getbasetemp() / "two.onnx"
    path.write_bytes(model([node("Mul", "x k", "z"), node("MatMul", "z w", "y")], {"k": k, "w": w}, shape=("n", 1)))
    net = read_net(path)
    assert net.layers[0].weights[0, 0] == float(k[0, 0]) * float(w[0, 0])


def test_a_cast_between_types_is_said(tmp_path):
    wide = {name: np.asarray(array, np.float64) for name, array in CONSTANTS.items()}
    nodes = [node("Cast", "x", "z", to=TensorProto.DOUBLE), node("Gemm", "z V1 B1", "h"), *TAIL]
    data = model(nodes, wide, outputs=[VALUE("y", TensorProto.DOUBLE, None)])
    net = read(tmp_path, data)
    assert net.dtype == np.float64 and [layer.weights.tolist() for layer in net.layers] == [
        layer.weights.tolist() for layer in NET.layers
    ]
    assert "from FLOAT to DOUBLE changes no value over the reals" in net.reading.notes[0]


def test_packed(tmp_path):
    data = model(HEAD + TAIL, CONSTANTS)
    assert same(read(tmp_path, gzip.compress(data), "net.onnx.gz"), NET)
    with pytest.raises(InputError, match=r"cut.onnx.gz: is no whole gzip file"):
        read(tmp_path, gzip.compress(data)[:-12], "cut.onnx.gz")
    with pytest.raises(InputError, match=r"net.h5.gz: unknown suffix '.h5'"):
        read(tmp_path, b"", "net.h5.gz")


def test_a_pointer_is_named(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    for name in ("net.onnx", "net.pt", "net.safetensors", "net.onnx.gz"):
        with pytest.raises(InputError, match=r"net\.[a-z.]+: is a Git-LFS pointer, not the file itself; fetch it"):
            read(tmp_path, pointer, name)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    from proof_of_absence.models.files import onnx as files

    monkeypatch.setattr(files, "LARGEST", 2**16)
    with pytest.raises(InputError, match="unpacks to more than"):
        read(tmp_path, gzip.compress(bytes(2**20)), "bomb.onnx.gz")


class Viewed(torch.nn.Module):
    """As many tutorials write it."""

    def __init__(self):
        super().__init__()
        self.fc1, self.drop, self.fc2 = torch.nn.Linear(4, 3), torch.nn.Dropout(), torch.nn.Linear(3, 2)

    def forward(self, inputs):
        hidden = torch.relu(self.fc1(inputs.view(inputs.size(0), -1)))
        return torch.log_softmax(self.fc2(self.drop(hidden)), dim=1)


@pytest.mark.filterwarnings("ignore")
def test_a_module_through_the_legacy_exporter(tmp_path):
    torch.manual_seed(0)
    module, path = Viewed().eval(), tmp_path / "net.onnx"
    torch.onnx.export(
        module, (torch.randn(1, 2, 2),), path, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}},
        do_constant_folding=False,
    )  # fmt: skip
    net = read_net(path)
    assert [layer.weights.tolist() for layer in net.layers] == [module.fc1.weight.tolist(), module.fc2.weight.tolist()]
    assert net.reading.cut == "LogSoftmax"
    inputs = torch.randn(5, 2, 2)
    logits = torch.tensor(net.forward(inputs.reshape(5, 4).numpy()))
    with torch.no_grad():
        torch.testing.assert_close(torch.log_softmax(logits, dim=1), module(inputs))


def test_a_factor_of_gemm_that_no_float_holds_is_exact(tmp_path):
    nodes = [node("Gemm", "x V1 B1", "h", alpha=0.1, beta=0.3), *TAIL]
    net = read(tmp_path, model(nodes, CONSTANTS | {"V1": W1.T + np.float32(0.1)}))
    alpha, beta = (Fraction(float(np.float32(x))) for x in (0.1, 0.3))
    layer, z = net.exact().layers[0], [Fraction(1, 3), Fraction(-2)]
    weights = (W1 + np.float32(0.1)).astype(float).tolist()
    assert list(layer(z)) == [
        alpha * sum(Fraction(w) * x for w, x in zip(row, z, strict=True)) + beta * Fraction(b)
        for row, b in zip(weights, B1.astype(float).tolist(), strict=True)
    ]


def test_a_cast_to_fewer_digits_is_said(tmp_path):
    half = {name: np.asarray(array, np.float16) for name, array in CONSTANTS.items()}
    nodes = [
        node("Cast", "x", "z", to=TensorProto.FLOAT16),
        node("Gemm", "z V1 B1", "h"),
        TAIL[0],
        node("Gemm", "r W2 B2", "o", transB=1),
        node("Cast", "o", "y", to=TensorProto.FLOAT),
    ]
    net = read(tmp_path, model(nodes, half))
    assert same(net, NET)
    assert "over the reals; the running model rounds there." in net.reading.notes[0]
    assert net.reading.notes[1].endswith("from FLOAT16 to FLOAT changes no value over the reals.")
