"""A changed graph in a copy of its file: read again it is the graph, and all else of the file is as it was."""

from fractions import Fraction

import numpy as np
import onnx
import onnx.numpy_helper
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.graph_write import rewrite, write
from proof_of_absence.models.files.onnx import sourced
from proof_of_absence.models.graph import Graph, Node, same_graph
from proof_of_absence.models.graph_layers import BatchNorm, Conv, Dense, Scale
from tests.models.files.onnx_models import model, node

NODES = [
    node("Conv", "x K", "c"),
    node("BatchNormalization", "c s b m v", "n"),
    node("Relu", "n", "r"),
    node("Add", "r k", "a"),
    node("Flatten", "a", "f"),
    node("Transpose", "W", "V", perm=[1, 0]),
    node("MatMul", "f V", "p"),
    node("Sub", "p d", "q"),
    node("Gemm", "q U u", "y", alpha=-2.0, beta=0.5, transB=1),
]
CONSTANTS = {
    "K": np.float32([[[1, 2]], [[3, -1]]]),
    "s": np.float32([1, 2]), "b": np.float32([1, -1]), "m": np.float32([0, 1]), "v": np.float32([4, 4]),
    "k": np.arange(4, dtype=np.float32).reshape(1, 2, 2),
    "W": np.arange(12, dtype=np.float32).reshape(3, 4), "d": np.float32([1, 2, 3]),
    "U": np.float32([[1, 0, -1], [2, 1, 0]]), "u": np.float32([4, 6]),
}  # fmt: skip


def changed(net: Graph, number: int, **fields) -> Graph:
    """The graph with other arrays in one layer."""
    nodes = list(net.nodes)
    old = nodes[number - 1]
    given = {name: fields.get(name, getattr(old.layer, name)) for name in old.layer.__dataclass_fields__}
    nodes[number - 1] = Node(type(old.layer)(**given), old.reads, old.name)
    return Graph(net.input_shape, nodes, net.dtype, net.reading)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    folder = tmp_path_factory.mktemp("write")
    (folder / "net.onnx").write_bytes(model(NODES, CONSTANTS, shape=("n", 1, 3), opset=13))
    return folder / "net.onnx", folder / "out.onnx"


def stored(path):
    graph = onnx.load(path).graph
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}, graph


@given(st.data())
@settings(max_examples=40)
def test_what_is_changed_is_read_back(places, data):
    like, out = places
    net = sourced(like)[0]
    now = net
    for number, one in enumerate(net.nodes, 1):
        for field in ("weights", "bias", "shift"):
            array = getattr(one.layer, field, None)
            if array is None or (isinstance(one.layer, Conv) and field == "bias") or not data.draw(st.booleans()):
                continue
            new = array.copy()
            entry = data.draw(st.integers(0, new.size - 1))
            new.flat[entry] = new.flat[entry] + data.draw(st.integers(-2, 2))
            if field == "weights" and data.draw(st.booleans()):
                new.flat[entry] = -0.0
            now = changed(now, number, **{field: new})
    rewrite(like, out, now)
    assert same_graph(sourced(out)[0], now)
    for one, other in zip(sourced(out)[0].nodes, now.nodes, strict=True):
        if isinstance(one.layer, Dense | Conv):
            assert np.array_equal(np.signbit(one.layer.weights), np.signbit(other.layer.weights))
    (before, graph), (after, copy) = stored(like), stored(out)
    assert list(before) == list(after) and list(graph.node) == list(copy.node)
    assert all(before[name].dtype == after[name].dtype and before[name].shape == after[name].shape for name in before)
    same = {name for name in before if np.array_equal(before[name], after[name])}
    assert {"s", "m", "v"} <= same


def test_the_graph_itself_changes_no_number(places):
    like, out = places
    rewrite(like, out, sourced(like)[0])
    assert all(np.array_equal(array, stored(like)[0][name]) for name, array in stored(out)[0].items())


@pytest.mark.parametrize(
    ("number", "fields", "why"),
    [
        (1, {"bias": [0.0, 1.0]}, "no array of its own for the bias of c"),
        (1, {"weights": [[[1e-300, 2]], [[3, -1]]]}, "does not hold the new numbers"),
        (4, {"factor": 2}, "read again it is not the graph"),
        (4, {"shift": [Fraction(1, 3)]}, "no array of its own for the shift"),
        (4, {"shift": [[Fraction(1, 3)] * 2] * 2}, "no number in k that gives 1/3"),
        (6, {"weights": np.full((3, 4), 1e300)}, "does not hold the new numbers"),
    ],
)
def test_what_no_array_of_the_file_holds_is_refused(places, number, fields, why):
    like, out = places
    net = sourced(like)[0]
    out.unlink(missing_ok=True)
    with pytest.raises(InputError, match=why) as caught:
        rewrite(like, out, changed(net, number, **fields))
    assert "\n" not in str(caught.value) and list(out.parent.iterdir()) == [like]


def shares(tmp_path, nodes, constants, name, array):
    like = tmp_path / "net.onnx"
    like.write_bytes(model(nodes, constants, shape=("n", 2)))
    sourced(like)
    write(like, tmp_path / "out.onnx", {name: array})
    return stored(tmp_path / "out.onnx")[0][name]


SQUARE = {"W": np.eye(2, dtype=np.float32)}
TWICE = [
    [node("MatMul", "x W", "h"), node("MatMul", "h W", "y")],
    [node("Identity", "W", "V"), node("MatMul", "x W", "h"), node("MatMul", "h V", "y")],
    [node("Transpose", "W", "V"), node("MatMul", "x V", "h"), node("MatMul", "h V", "y")],
]


@pytest.mark.parametrize("nodes", TWICE)
def test_a_shared_array_is_refused(tmp_path, nodes):
    with pytest.raises(InputError, match="reads the array W at several places"):
        shares(tmp_path, nodes, SQUARE, "W", np.zeros((2, 2)))
    assert not (tmp_path / "out.onnx").exists()


def test_an_array_of_another_shape_or_name_is_refused(tmp_path):
    for name, array, why in (("W", np.zeros(2), "does not hold"), ("V", np.zeros(2), "holds no array V")):
        with pytest.raises(InputError, match=why):
            shares(tmp_path, [TWICE[0][0], node("Relu", "h", "y")], SQUARE, name, array)


def test_a_batch_normalization_that_is_not_rational_keeps_its_place(tmp_path):
    nodes = [node("MatMul", "x W", "h"), node("BatchNormalization", "h s b m v", "y")]
    constants = SQUARE | {name: np.float32([1, 2]) for name in "sbmv"}
    like, out = tmp_path / "net.onnx", tmp_path / "out.onnx"
    like.write_bytes(model(nodes, constants, shape=("n", 2)))
    net = sourced(like)[0]
    assert isinstance(net.nodes[1].layer, BatchNorm) and not isinstance(net.nodes[1].layer, Scale)
    now = changed(net, 2, shift=[5, 2])
    rewrite(like, out, now)
    assert same_graph(sourced(out)[0], now) and stored(out)[0]["b"].tolist() == [5, 2]


def test_packed_files_are_not_written(tmp_path, places):
    with pytest.raises(InputError, match="unpack it"):
        rewrite(places[0], tmp_path / "out.onnx.gz", sourced(places[0])[0])
