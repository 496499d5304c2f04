"""Graphs in ONNX files as a whole: which reader takes a file, where the net begins and ends, and what is refused."""

import gzip

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from proof_of_absence.models.files import InputError, read_network
from proof_of_absence.models.files.onnx import sourced
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.graph import Graph, same_graph
from proof_of_absence.models.graph_layers import Conv, Dense, LeakyRelu, Relu
from tests.models.files.onnx_graphs import run
from tests.models.files.onnx_models import CONSTANTS, HEAD, TAIL, model, node

VALUE = helper.make_tensor_value_info
RESIDUAL = [
    *HEAD,
    node("Relu", "h", "r"),
    node("Gemm", "r E", "g"),
    node("Add", "g h", "s"),
    node("Gemm", "s W2 B2", "y", transB=1),
]
MORE = CONSTANTS | {"E": np.eye(3, dtype=np.float32)}


@pytest.fixture
def read(tmp_path):
    def read(data, name="net.onnx"):
        path = tmp_path / name
        path.write_bytes(data)
        return read_network(path)

    return read


def test_a_dense_chain_stays_one_and_all_else_is_a_graph(read):
    assert isinstance(read(model([*HEAD, *TAIL], CONSTANTS)), FloatNet)
    net = read(gzip.compress(model(RESIDUAL, MORE)), "net.onnx.gz")
    assert isinstance(net, Graph) and net.reading.known_from == "the graph" and net.reading.activation == "ReLU"
    assert net.reading.layers == (
        "Gemm (n_h) 2 -> 3", "Relu (n_r) 3 -> 3", "Gemm (n_g) 3 -> 3", "Add (n_s) 3 -> 3", "Gemm (n_y) 3 -> 1"
    )  # fmt: skip
    assert [made.name for made in net.nodes] == ["h", "r", "g", "s", "y"] and net.nodes[3].reads == (3, 1)
    assert net.activations == (2,) and net.dtype == np.float32


@pytest.mark.parametrize(
    ("nodes", "why"),
    [
        ([*HEAD, node("Relu", "h", "r"), node("Gemm", "r W2 missing", "y", transB=1)], "nothing defines"),
        ([node("Gemm", "x M B1", "h"), *TAIL], "NaN"),
        ([*HEAD, TAIL[1], TAIL[0]], "sort the nodes"),
        ([*RESIDUAL[:-1], node("Gemm", "s N", "y")], "NaN"),
        ([*RESIDUAL[:-1], node("Gemm", "s W2 missing", "y", transB=1)], "reads missing, which nothing defines"),
        ([RESIDUAL[1], RESIDUAL[0], *RESIDUAL[2:]], "sort the nodes"),
        ([*RESIDUAL[:-1], node("Gemm", "s V1", "y")], "multiplies weights that read 2 values"),
        ([*HEAD, node("Erf", "h", "y")], "record activations.*absence audit --activations"),
        ([*HEAD, node("Softmax", "h", "s"), node("Gemm", "s W2 B2", "y", transB=1)], "audit --activations"),
        ([*HEAD, node("Mul", "h h", "y")], "multiplies two values that depend on the input; record activations"),
        ([*HEAD, node("TopK", "h h", "y")], "operator TopK .* is not supported; record activations"),
        ([*HEAD, node("Relu", "h", "r", slope=1.0), node("Add", "r h", "y")], "slope"),
        ([node("Relu", "x", "r"), node("Relu", "r", "x"), node("Add", "x r", "y")], "a name that is taken"),
        ([node("Identity", "x", "y")], "x"),
    ],
)
def test_one_line_says_why_not(read, nodes, why):
    with pytest.raises(InputError, match=why) as caught:
        read(model(nodes, MORE | {"M": np.full((2, 3), np.nan, np.float32), "N": np.full((3, 3), np.nan, np.float32)}))
    assert "\n" not in str(caught.value)


def test_an_operator_that_is_not_known_is_refused_before_anything_is_read(read):
    broken = {"W": np.full((3, 3), np.nan, np.float32)}
    with pytest.raises(InputError, match="operator Gelu"):
        read(model([node("MatMul", "x W", "h"), node("Gelu", "h", "y")], broken, shape=("n", 5), opset=20))


def test_of_several_outputs_the_first_is_taken(read):
    ends = [VALUE(name, TensorProto.FLOAT, None) for name in ("s", "y")]
    net = read(model(RESIDUAL, MORE, outputs=ends))
    assert net.nodes[-1].name == "s" and net.sizes[-1] == 3
    assert net.reading.notes[0] == "Of the outputs s, y the first one is audited, s."
    data = model([*RESIDUAL, node("Softmax", "s", "p")], MORE, outputs=[VALUE("p", 1, None), ends[1]])
    net = read(data)
    assert net.reading.cut == "Softmax" and net.nodes[-1].name == "s"


@pytest.mark.parametrize(("operator", "axis", "opset", "fits"), [
    ("Softmax", 1, 17, True), ("Softmax", -1, 17, True), ("Softmax", None, 17, True), ("LogSoftmax", 1, 11, True),
    ("Softmax", None, 11, True), ("Softmax", 0, 17, False), ("Softmax", 0, 11, False), ("Sigmoid", None, 17, True),
])  # fmt: skip
def test_a_last_softmax_is_cut(read, operator, axis, opset, fits):
    told = {} if axis is None else {"axis": axis}
    data = model([*RESIDUAL[:-1], node(operator, "s", "y", **told)], MORE, opset=opset)
    if fits:
        net = read(data)
        assert net.reading.cut == operator and net.nodes[-1].name == "s" and operator in net.reading.notes[-1]
    else:
        with pytest.raises(InputError, match="does not run over all features"):
            read(data)


def test_several_rows_are_taken_where_they_stay_apart(read):
    net = read(model(RESIDUAL, MORE, shape=(4, 2)))
    assert net.input_shape == (2,) and "4 rows at a time" in net.reading.notes[0]
    mixed = [*RESIDUAL[:-1], node("Flatten", "s", "y", axis=0)]
    for shape in ((4, 2), ("n", 2)):
        with pytest.raises(InputError, match="mixes the rows of a batch"):
            read(model(mixed, MORE, shape=shape))
    assert read(model(mixed, MORE, shape=(1, 2))).sizes[-1] == 3


def test_one_row_may_lose_its_axis(read):
    nodes = [node("Conv", "x W", "c"), node("Relu", "c", "r"), node("Reshape", "r s", "f"), node("MatMul", "f V", "y")]
    constants = {"W": np.ones((2, 1, 2), np.float32), "s": np.array([4]), "V": np.eye(4, dtype=np.float32)}
    data = model(nodes, constants, shape=(1, 1, 3))
    net = read(data)
    assert net.input_shape == (1, 3) and net([1, -5, 2]).tolist() == run(data, np.float32([[[1, -5, 2]]])).tolist()
    with pytest.raises(InputError, match="mixes the rows"):
        read(model(nodes, constants, shape=("n", 1, 3)))


def test_a_graph_of_float64_with_a_leaky_relu(read):
    weights = np.float64([[0.1, 2], [3, 4]])
    net = read(model([node("MatMul", "x W", "h"), node("LeakyRelu", "h", "y", alpha=0.1)], {"W": weights}, kind=11))
    assert net.dtype == np.float64 and isinstance(net.nodes[1].layer, LeakyRelu)
    assert net.reading.activation == "LeakyReLU 0.1" and net.nodes[1].layer.slope == float(np.float32(0.1))


VIEWS = {
    "view of the legacy exporter": [
        node("Shape", "r", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n axes", "u"),
        node("Concat", "u rest", "t", axis=0), node("Reshape", "r t", "z"),
    ],
    "view with all sizes": [
        node("Shape", "r", "s"), node("Gather", "s zero", "n"), node("Gather", "s one", "c"),
        node("Gather", "s two", "w"), node("Mul", "c w", "m"), node("Unsqueeze", "n axes", "u"),
        node("Unsqueeze", "m axes", "v"), node("Concat", "u v", "t", axis=0), node("Reshape", "r t", "z"),
    ],
    "slice of the shape": [
        node("Shape", "r", "s"), node("Slice", "s axes ends", "n"), node("Concat", "n rest", "t", axis=0),
        node("Cast", "t", "t64", to=7), node("Reshape", "r t64", "z"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("batch", ["n", 1, 3])
def test_shapes_that_the_graph_computes(read, view, batch):
    constants = {"W": np.float32([[[1, -1]], [[2, 1]]]), "V": np.arange(12, dtype=np.float32).reshape(6, 2) - 5}
    integers = {"zero": 0, "one": 1, "two": 2, "axes": [0], "rest": [-1], "ends": [1]}
    constants |= {name: np.array(value) for name, value in integers.items()}
    nodes = [node("Conv", "x W", "c0"), node("Relu", "c0", "r"), *VIEWS[view], node("MatMul", "z V", "y")]
    data = model(nodes, constants, shape=(batch, 1, 4))
    net = read(data)
    inputs = np.random.default_rng(0).integers(-4, 5, (1 if batch == 1 else 3, 1, 4)).astype(np.float32)
    assert [list(map(float, net(row.reshape(-1).tolist()))) for row in inputs] == run(data, inputs).tolist()


def test_what_is_read_for_its_shape_alone_is_no_layer(read):
    nodes = [node("Conv", "x W", "c"), node("Relu", "c", "r"), node("Neg", "x", "n"), node("Shape", "r", "s"),
             node("Expand", "n s", "y")]  # fmt: skip
    net = read(model(nodes, {"W": np.ones((1, 1, 1), np.float32)}, shape=(1, 1, 4)))
    assert len(net.nodes) == 1 and net([1, 2, 3, 4]).tolist() == [-1, -2, -3, -4]


def test_where_weights_lie(tmp_path):
    weights, kernel = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones((1, 1, 2), np.float32)
    nodes = [
        node("Conv", "x K k", "c"), node("Relu", "c", "r"), node("Transpose", "W", "V"),
        node("MatMul", "r V", "m"), node("Sub", "m b", "y"),
    ]  # fmt: skip
    constants = {"K": kernel, "k": np.zeros(1, np.float32), "W": weights, "b": np.float32([1, 2])}
    path = tmp_path / "net.onnx"
    path.write_bytes(model(nodes, constants, shape=("n", 1, 4)))
    net, sources = sourced(path)
    assert [type(made.layer) for made in net.nodes] == [Conv, Relu, Dense]
    held = {number: (one.name, one.factor) for number, one in {**sources.weights}.items()}
    assert held == {1: ("K", 1), 3: ("W", 1)} and {n: (o.name, o.factor) for n, o in sources.bias.items()} == {
        1: ("k", 1), 3: ("b", -1)
    }  # fmt: skip
    for kind, arrays in (("weights", sources.weights), ("bias", sources.bias)):
        for number, one in arrays.items():
            array = constants[one.name].reshape(-1)[one.index].astype(np.float64) * float(one.factor)
            assert np.array_equal(array, getattr(net.nodes[number - 1].layer, kind))


def test_weights_and_shapes_in_a_file_beside_the_model(tmp_path):
    nodes = [node("Conv", "x W", "c"), node("Reshape", "c s", "f"), node("MatMul", "f V", "y")]
    constants = {"W": np.ones((2, 1, 2), np.float32), "s": np.array([0, 6]), "V": np.eye(6, dtype=np.float32)}
    data = model(nodes, constants, shape=("n", 1, 4))
    (tmp_path / "one.onnx").write_bytes(data)
    apart = {"save_as_external_data": True, "location": "net.data", "size_threshold": 0, "convert_attribute": True}
    onnx.save_model(onnx.load_from_string(data), tmp_path / "net.onnx", **apart)
    assert b"net.data" in (tmp_path / "net.onnx").read_bytes()
    one, other = (read_network(tmp_path / name) for name in ("one.onnx", "net.onnx"))
    assert same_graph(one, other)


def test_a_second_output_of_a_node_is_not_followed(tmp_path):
    pool = node("MaxPool", "x", "p", kernel_shape=[2])
    pool.output.append("places")
    nodes = [pool, node("Cast", "places", "c", to=1), node("Add", "p c", "y")]
    path = tmp_path / "net.onnx"
    path.write_bytes(model(nodes, {}, shape=("n", 1, 4)))
    with pytest.raises(InputError, match="reads places, which is a further output of a node"):
        sourced(path)


def test_a_constant_that_is_a_list_of_floats_lies_nowhere(tmp_path):
    path = tmp_path / "net.onnx"
    nodes = [node("Constant", "", "c", value_floats=[1.0, 2.0]), node("Neg", "x", "n"), node("Add", "n c", "y")]
    path.write_bytes(model(nodes, {}, shape=("n", 2)))
    net, sources = sourced(path)
    assert not sources.shift and net([0, 0]).tolist() == [1, 2]
