"""ONNX graphs that nobody would export: read, or refused in one line, and in little memory and time."""

import re
import resource
import subprocess
import sys

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from proof_of_absence.models.files import InputError, read_network
from proof_of_absence.models.files.onnx_graph import FOLDED, OPERATORS
from proof_of_absence.models.files.onnx_graph_layout import LAYOUT
from tests.models.files.onnx_models import model, node

ODD = st.one_of(st.integers(-3, 5), st.sampled_from([2**31 - 1, 2**31, 2**62, -(2**62), 2**63 - 1, -(2**63)]))
FLOATS = st.sampled_from([0.0, 1.0, -1.0, 0.1, float("nan"), float("inf"), 1e38])
WORDS = st.sampled_from([b"SAME_UPPER", b"SAME_LOWER", b"VALID", b"NOTSET", b"edge", b"reflect", b"wrap", b"\xff"])
SHAPES = st.lists(st.integers(0, 4), max_size=4)


@st.composite
def tensors(draw, name):
    kind = draw(st.sampled_from(["integers", "floats", "floats", "flag", "words", "huge"]))
    match kind:
        case "integers":
            return numpy_helper.from_array(np.array(draw(st.lists(ODD, max_size=5)), np.int64), name)
        case "floats":
            array = np.ones(draw(SHAPES), draw(st.sampled_from([np.float32, np.float32, np.float64, np.float16])))
            array[...] = draw(FLOATS if array.dtype != np.float16 else st.just(0.5))
            return numpy_helper.from_array(array, name)
        case "flag":
            return numpy_helper.from_array(np.array(draw(st.booleans())), name)
        case "words":
            return helper.make_tensor(name, TensorProto.STRING, [1], [b"x"])
        case _:
            return TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2**20, 2**20], raw_data=bytes(16))


@st.composite
def attributes(draw, told):
    made = AttributeProto(name=told.name)
    made.type = AttributeProto.AttributeType.Value(told.type.name)
    match told.type.name:
        case "INT":
            made.i = draw(ODD)
        case "INTS":
            made.ints.extend(draw(st.lists(ODD, max_size=4)))
        case "FLOAT":
            made.f = draw(FLOATS)
        case "FLOATS":
            made.floats.extend(draw(st.lists(FLOATS, max_size=3)))
        case "STRING":
            made.s = draw(WORDS)
        case "TENSOR":
            made.t.CopyFrom(draw(tensors("value")))
    return made


@st.composite
def graphs(draw):
    opset = draw(st.sampled_from([7, 9, 11, 13, 17, 18, 21]))
    made, constants, values = [], [], ["x"]
    for number in range(draw(st.integers(1, 3))):
        operator = draw(st.sampled_from(sorted({*OPERATORS, *LAYOUT, *FOLDED})))
        one = onnx.NodeProto(op_type=operator, name=f"n{number}", output=[f"v{number}"])
        for place in range(draw(st.integers(0, 5))):
            if place == 0 or draw(st.integers(0, 9)) == 0:
                one.input.append(draw(st.sampled_from([values[-1], values[-1], values[0], ""])))
            else:
                constants.append(draw(tensors(f"c{number}_{place}")))
                one.input.append(constants[-1].name)
        for told in onnx.defs.get_schema(operator, 21, "").attributes.values():
            if draw(st.booleans()):
                one.attribute.append(draw(attributes(told)))
        made.append(one)
        values.append(one.output[0])
    shape = draw(st.sampled_from([["n", 3, 4, 4], [1, 3, 4], ["n", 4], [2, 4], [4], [4, "n"], [], ["n", 2**40, 2**40]]))
    ends = [helper.make_tensor_value_info("x", 1, shape)], [helper.make_tensor_value_info(values[-1], 1, None)]
    graph = helper.make_graph(made, "g", *ends, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("odd") / "net.onnx"


@given(graphs())
@settings(max_examples=400)
def test_read_or_refused_in_one_line(place, data):
    place.write_bytes(data)
    try:
        read_network(place)
    except InputError as error:
        assert "\n" not in str(error) and str(place) in str(error)


KERNEL = np.ones((2, 3, 2), np.float32)
GOOD = model(
    [node("Conv", "x W", "c"), node("MaxPool", "c", "p", kernel_shape=[2]), node("Flatten", "p", "f"),
     node("MatMul", "f V", "m"), node("Add", "m b", "y")],
    {"W": KERNEL, "V": np.ones((4, 2), np.float32), "b": np.zeros(2, np.float32)}, shape=("n", 3, 4),
)  # fmt: skip


def test_a_file_that_is_cut_or_damaged(refuses_every_cut):
    refuses_every_cut(GOOD, ".onnx", read_network)


def ints(*numbers):
    return {"s": np.array(numbers)}


BOMBS = {
    "input": ([node("Relu", "x", "y")], {}, ("n", 2**40, 2**20)),
    "expanded": ([node("Expand", "x s", "y")], ints(1, 2**40, 4), ("n", 1, 4)),
    "padded": ([node("Pad", "x s", "y")], ints(0, 0, 2**28, 0, 0, 2**28), ("n", 3, 4)),
    "padding": ([node("Conv", "x W", "y", pads=[2**30, 2**30])], {"W": KERNEL}, ("n", 3, 4)),
    "kernel": ([node("MaxPool", "x", "y", kernel_shape=[2**24], pads=[2**23, 2**23])], {}, ("n", 3, 4)),
    "strides": ([node("MaxPool", "x", "y", kernel_shape=[1], strides=[2**62])], {}, ("n", 3, 4)),
    "doubled": ([node("Concat", f"v{k} v{k}", f"v{k + 1}", axis=1) for k in range(60)], {}, ("n", 4)),
    "moved": ([node("Transpose", f"v{k}", f"v{k + 1}", perm=[0, 2, 1]) for k in range(999)], {}, ("n", 2**10, 2**11)),
    "computed": ([node("ConstantOfShape", "s", "v0"), *(node("Add", f"v{k} v{k}", f"v{k + 1}") for k in range(999)),
                  node("Add", "x v999", "y")], ints(1, 2**18), ("n", 2**18)),
    "gathered": ([node("Gather", "x s", "y", axis=1)], ints(*[0] * 2**20), ("n", 4, 2**10)),
    "exact": ([node("Mul", "x c", "y")], {"c": np.ones((1, 2**21), np.float32)}, ("n", 2**21)),
}  # fmt: skip
READ = """
import resource, sys
from proof_of_absence.models.files import InputError, read_network
try:
    read_network(sys.argv[1])
except InputError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, error)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_take_all_memory_is_refused_before(tmp_path, name):
    nodes, constants, shape = BOMBS[name]
    first = nodes[0].input[0] if nodes[0].op_type != "ConstantOfShape" else "x"
    value = helper.make_tensor_value_info
    data = model(nodes, constants, inputs=[value(first, 1, shape)], outputs=[value(nodes[-1].output[0], 1, None)])
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    limit = 3 * 2**30
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    found = re.fullmatch(r"(\d+) .*net\.onnx: [^\n]*\n", done.stdout)
    assert found and int(found[1]) < 1024, done.stdout + done.stderr
