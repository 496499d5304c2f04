"""Operators that move numbers about, of values and of constants: as onnxruntime has them, number for number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.onnx import sourced
from tests.models.files.onnx_graphs import run
from tests.models.files.onnx_models import model, node


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("layout") / "net.onnx"


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3)


@st.composite
def moves(draw, shape, first):
    """A node from z to y that keeps the axes before `first` of a value of a shape, its constants, and an opset."""
    rank = len(shape)
    axes = st.integers(first, rank - 1)
    signed = st.sampled_from([0, -rank])
    operators = [
        "Flatten",
        "Reshape",
        "Transpose",
        "Squeeze",
        "Unsqueeze",
        "Slice",
        "Gather",
        "Expand",
        "Pad",
        "Identity",
    ]
    match draw(st.sampled_from(operators)):
        case "Flatten":
            return node("Flatten", "z", "y", axis=draw(st.integers(first, rank if not first else 1))), {}, 17
        case "Reshape":
            size = int(np.prod(shape[first:]))
            parts = draw(st.sampled_from([p for p in range(1, size + 1) if size % p == 0]))
            tail = draw(st.sampled_from([[parts, size // parts], [size], [1, parts, size // parts], [-1, parts]]))
            head = [0] if first and (-1 in tail or draw(st.booleans())) else [-1] if first and -1 not in tail else []
            return node("Reshape", "z s", "y"), {"s": np.array([*head, *tail])}, 17
        case "Transpose":
            perm = {"perm": draw(st.permutations(range(rank)))} if draw(st.booleans()) else {}
            return node("Transpose", "z", "y", **perm), {}, 17
        case "Squeeze":
            ones = [axis for axis in range(first, rank) if shape[axis] == 1]
            told = draw(st.lists(st.sampled_from(ones), unique=True, min_size=1)) if ones else []
            if not told:
                return node("Identity", "z", "y"), {}, 17
            told = [axis + draw(signed) for axis in told]
            if draw(st.booleans()):
                return node("Squeeze", "z", "y", axes=told), {}, 11
            return node("Squeeze", "z a", "y"), {"a": np.array(told)}, 13
        case "Unsqueeze":
            told = draw(st.lists(st.integers(first, rank), unique=True, min_size=1, max_size=2))
            told = [axis for axis in told if axis < rank + len(told)]
            if draw(st.booleans()):
                return node("Unsqueeze", "z", "y", axes=told), {}, 11
            return node("Unsqueeze", "z a", "y"), {"a": np.array(told)}, 13
        case "Slice":
            told = draw(st.lists(axes, unique=True, min_size=1))
            count = len(told)
            ends = st.lists(st.sampled_from([-9, -3, -1, 0, 1, 2, 3, 9, 2**31 - 1]), min_size=count, max_size=count)
            starts, stops = draw(ends), draw(ends)
            told = [axis + draw(signed) for axis in told]
            if draw(st.booleans()):
                return node("Slice", "z", "y", starts=starts, ends=stops, axes=told), {}, 9
            steps = draw(st.lists(st.sampled_from([-2, -1, 1, 2]), min_size=count, max_size=count))
            stops = [9 if step < 0 < stop else stop for stop, step in zip(stops, steps, strict=True)]
            constants = {"b": starts, "e": stops, "a": told, "t": steps}
            return node("Slice", "z b e a t", "y"), {key: np.array(value) for key, value in constants.items()}, 13
        case "Gather":
            axis = draw(axes)
            inside = st.integers(-shape[axis], shape[axis] - 1)
            places = draw(
                st.one_of(
                    inside,
                    st.lists(inside, min_size=1, max_size=3),
                    st.lists(st.lists(inside, min_size=2, max_size=2), min_size=1, max_size=2),
                )
            )
            return node("Gather", "z i", "y", axis=axis + draw(signed)), {"i": np.array(places)}, 13
        case "Expand":
            wide = [
                1 if axis < first else draw(st.sampled_from([1, size])) if size > 1 else draw(st.integers(1, 3))
                for axis, size in enumerate(shape)
            ]
            more = draw(st.sampled_from([[], [2]])) if not first else []
            return node("Expand", "z s", "y"), {"s": np.array([*more, *wide])}, 13
        case "Pad":
            mode = draw(st.sampled_from(["constant", "edge", "reflect", None]))
            most = [
                0 if axis < first else min(2, size - 1 if mode == "reflect" else 2) for axis, size in enumerate(shape)
            ]
            pads = [draw(st.integers(0, size)) for size in most * 2]
            told = {"mode": mode} if mode else {}
            if draw(st.booleans()):
                value = {"value": 2.0} if mode in (None, "constant") and draw(st.booleans()) else {}
                return node("Pad", "z", "y", pads=pads, **told, **value), {}, 10
            value = mode in (None, "constant") and draw(st.booleans())
            constants = {"p": np.array(pads)} | ({"v": np.float32(3)} if value else {})
            if first and draw(st.booleans()):
                some = list(range(first, rank))
                constants["p"] = np.array([pads[axis] for axis in some] + [pads[rank + axis] for axis in some])
                constants["a"] = np.array(some)
                made = node("Pad", "z p", "y", **told)
                made.input[:] = ["z", "p", "v" if value else "", "a"]
                return made, constants, 18
            return node("Pad", "z p v" if value else "z p", "y", **told), constants, 13
        case _:
            return node("Identity", "z", "y"), {}, 13


@given(st.data())
@settings(max_examples=400)
def test_of_a_batch(place, data):
    shape = data.draw(shapes)
    made, constants, opset = data.draw(moves([2, *shape], 1))
    made.input[0] = "x"
    fixed = data.draw(st.sampled_from(["n", 2]))
    bytes_ = model([made], constants, shape=(fixed, *shape), opset=opset)
    inputs = np.arange(1, 1 + 2 * int(np.prod(shape)), dtype=np.float32).reshape(2, *shape)
    try:
        expected = run(bytes_, inputs)
    except Exception:
        return
    if not expected.size:
        return
    place.write_bytes(bytes_)
    net = read(place)
    rows = list(made.attribute[0].ints).index(0) if made.op_type == "Transpose" and made.attribute else 0
    rows = expected.ndim - 1 if made.op_type == "Transpose" and not made.attribute else rows
    expected = np.moveaxis(expected, rows, 0) if made.op_type == "Transpose" else expected
    assert of(net, inputs) == expected.reshape(2, -1).tolist()


def of(net, inputs):
    """What the graph makes of each row; the rows themselves where it computes nothing."""
    rows = inputs.reshape(len(inputs), -1).tolist()
    return rows if net is None else [[float(x) for x in net(row)] for row in rows]


def read(place):
    """The graph in a file; None if nothing is computed."""
    try:
        return sourced(place)[0]
    except InputError as error:
        if "nothing is computed" not in str(error):
            raise
        return None


@given(st.data())
@settings(max_examples=300)
def test_of_one_row(place, data):
    shape = data.draw(shapes)
    made, constants, opset = data.draw(moves([1, *shape], 0))
    made.input[0] = "x"
    bytes_ = model([made], constants, shape=(1, *shape), opset=opset)
    inputs = np.arange(1, 1 + int(np.prod(shape)), dtype=np.float32).reshape(1, *shape)
    try:
        expected = run(bytes_, inputs)
    except Exception:
        return
    if not expected.size:
        return
    place.write_bytes(bytes_)
    net = read(place)
    assert of(net, inputs) == [expected.reshape(-1).tolist()]


@given(st.data())
@settings(max_examples=200)
def test_of_a_constant(place, data):
    """A constant is moved about, and added to a value of its shape."""
    shape = data.draw(shapes)
    made, constants, opset = data.draw(moves(shape, 0))
    array = np.arange(1, 1 + int(np.prod(shape)), dtype=np.float32).reshape(shape)
    nodes = [made, node("Mul", "x nothing", "h"), node("Add", "h y", "r")]
    constants |= {"z": array, "nothing": np.float32(0)}
    bytes_ = model(nodes, constants, shape=(1, 1), opset=opset).replace(b"\x0a\x01y\x12", b"\x0a\x01r\x12")
    inputs = np.float32([[1]])
    try:
        expected = run(bytes_, inputs)
    except Exception:
        return
    if not expected.size:
        return
    place.write_bytes(bytes_)
    assert [float(x) for x in sourced(place)[0]([1])] == expected.reshape(-1).tolist()


@given(st.data())
@settings(max_examples=100)
def test_split(place, data):
    shape = data.draw(shapes)
    axis = data.draw(st.integers(1, len(shape)))
    size = shape[axis - 1]
    constants, told, reads = {}, {}, "x"
    opset = data.draw(st.sampled_from([11, 13, 18]))
    sizes = (
        data.draw(st.lists(st.integers(1, size), min_size=1, max_size=size).filter(lambda s: sum(s) == size))
        if size > 1
        else [1]
    )
    if opset == 11:
        told = {"split": sizes}
    elif data.draw(st.booleans()) or opset == 13:
        constants, reads = {"s": np.array(sizes)}, "x s"
    else:
        told = {"num_outputs": len(sizes)}
    outputs = [f"p{k}" for k in range(len(sizes))]
    made = node("Split", reads, "p0", axis=axis, **told)
    made.output[:] = outputs
    # Put together the other way round.
    nodes = [made, node("Concat", " ".join(outputs[::-1]), "y", axis=axis)]
    bytes_ = model(nodes, constants, shape=("n", *shape), opset=opset)
    inputs = np.arange(2 * int(np.prod(shape)), dtype=np.float32).reshape(2, *shape)
    try:
        expected = run(bytes_, inputs)
    except Exception:
        return
    place.write_bytes(bytes_)
    net = read(place)
    assert of(net, inputs) == expected.reshape(2, -1).tolist()
