"""Every operator of the graph reader with every attribute: what onnxruntime computes on small integers, exactly."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.onnx import sourced
from tests.models.files.onnx_graphs import run
from tests.models.files.onnx_models import model, node

SMALL = st.integers(-3, 3)


def arrays(*shape, elements=SMALL):
    return hnp.arrays(np.float32, shape, elements=elements.map(float))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs") / "net.onnx"


def agrees(place, nodes, constants, shape, data, *, opset=17, exact=True, rows=2, refusals=()):
    """Read the model that the nodes make, with a free batch or one of 1, and compare it with onnxruntime.

    `shape` is that of a row. What onnxruntime refuses is no model; `refusals` are what we may say of one.
    """
    batch = data.draw(st.sampled_from(["batch", 1]))
    count = rows if batch == "batch" else 1
    bytes_ = model(nodes, constants, shape=(batch, *shape), opset=opset)
    inputs = data.draw(arrays(count, *shape))
    try:
        expected = run(bytes_, inputs)
    except Exception:
        assume(False)
    assume(expected.size and np.isfinite(expected).all())
    place.write_bytes(bytes_)
    try:
        net = sourced(place)[0]
    except InputError as error:
        assume(not any(words in str(error) for words in refusals))
        raise
    assert net.input_shape == tuple(shape)
    found = np.array([[float(x) for x in net(row.reshape(-1).tolist())] for row in inputs])
    expected = expected.reshape(count, -1).astype(np.float64)
    if exact:
        assert found.tolist() == expected.tolist()
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    return net


@st.composite
def geometry(draw, axes, sizes, *, pool=False):
    """The attributes of a kernel on so many axes."""
    numbers = st.lists(st.integers(1, 3), min_size=axes, max_size=axes)
    found = {"kernel_shape": draw(numbers)}
    if draw(st.booleans()):
        found["strides"] = draw(numbers)
    if draw(st.booleans()):
        found["dilations"] = draw(st.lists(st.integers(1, 2), min_size=axes, max_size=axes))
    match draw(st.sampled_from(["none", "pads", "VALID", "SAME_UPPER", "SAME_LOWER", "NOTSET"])):
        case "none":
            pass
        case "pads":
            # A pool refuses padding as wide as its kernel.
            most = [min(2, k - 1) if pool else 2 for k in found["kernel_shape"]]
            found["pads"] = [draw(st.integers(0, size)) for size in most * 2]
        case by_itself:
            found["auto_pad"] = by_itself
    return found


@st.composite
def spaces(draw):
    return draw(st.lists(st.integers(2, 6), min_size=1, max_size=2))


# Where onnxruntime does not do what onnx says.
OPEN = ("wider than the value", "write the pads out")
# A last position that onnxruntime leaves out, and onnx's shape inference counts.
LAST = ("onnx gives y the shape",)


@given(st.data())
@settings(max_examples=150)
def test_conv(place, data):
    space = data.draw(spaces())
    attributes = data.draw(geometry(len(space), space))
    groups, each, out = (data.draw(st.integers(1, 2)) for _ in range(3))
    weights = data.draw(arrays(groups * out, each, *attributes["kernel_shape"]))
    constants, reads = {"W": weights}, "x W"
    if data.draw(st.booleans()):
        constants["b"], reads = data.draw(arrays(groups * out)), "x W b"
    if groups > 1 or data.draw(st.booleans()):
        attributes["group"] = groups
    if data.draw(st.booleans()):
        del attributes["kernel_shape"]
    agrees(place, [node("Conv", reads, "y", **attributes)], constants, [groups * each, *space], data)


@given(st.data())
@settings(max_examples=150)
def test_max_pool(place, data):
    space = data.draw(spaces())
    attributes = data.draw(geometry(len(space), space, pool=True))
    if attributes.get("auto_pad", "NOTSET") == "NOTSET" and data.draw(st.booleans()):
        attributes["ceil_mode"] = data.draw(st.integers(0, 1))
    refusals = OPEN + LAST * attributes.get("ceil_mode", 0)
    opset = data.draw(st.sampled_from([11, 17]))
    agrees(place, [node("MaxPool", "x", "y", **attributes)], {}, [2, *space], data, opset=opset, refusals=refusals)


@given(st.data())
@settings(max_examples=200)
def test_average_pool(place, data):
    space = data.draw(spaces())
    attributes = data.draw(geometry(len(space), space, pool=True))
    if attributes.get("auto_pad", "NOTSET") == "NOTSET" and data.draw(st.booleans()):
        attributes["ceil_mode"] = data.draw(st.integers(0, 1))
    refusals = OPEN + LAST * attributes.get("ceil_mode", 0)
    if data.draw(st.booleans()):
        attributes["count_include_pad"] = data.draw(st.integers(0, 1))
    opset = 19 if "dilations" in attributes else data.draw(st.sampled_from([11, 19]))
    agrees(
        place,
        [node("AveragePool", "x", "y", **attributes)],
        {},
        [2, *space],
        data,
        opset=opset,
        exact=False,
        refusals=refusals,
    )


@given(st.data())
def test_global_pools(place, data):
    operator = data.draw(st.sampled_from(["GlobalAveragePool", "GlobalMaxPool"]))
    agrees(place, [node(operator, "x", "y")], {}, [2, *data.draw(spaces())], data, exact="Max" in operator)


shapes = st.lists(st.integers(1, 3), min_size=1, max_size=3)


@given(st.data())
@settings(max_examples=150)
def test_reductions(place, data):
    shape = data.draw(shapes)
    axes = data.draw(st.lists(st.integers(1, len(shape)), min_size=1, unique=True))
    if data.draw(st.booleans()):
        axes = [axis - len(shape) - 1 for axis in axes]
    operator, opset = data.draw(
        st.sampled_from(
            [("ReduceMean", 13), ("ReduceMean", 18), ("ReduceSum", 13), ("ReduceMax", 13), ("ReduceMax", 18)]
        )
    )
    keep = {"keepdims": data.draw(st.integers(0, 1))} if data.draw(st.booleans()) else {}
    if opset == 18 or operator == "ReduceSum":
        nodes, constants = [node(operator, "x a", "y", **keep)], {"a": np.array(axes)}
    else:
        nodes, constants = [node(operator, "x", "y", axes=axes, **keep)], {}
    agrees(place, nodes, constants, shape, data, opset=opset, exact=operator != "ReduceMean")


def test_reductions_of_everything_are_of_one_row_alone(place):
    data = model([node("ReduceMean", "x", "y", keepdims=0)], {}, shape=(1, 3))
    place.write_bytes(data)
    assert sourced(place)[0]([1, 2, 3]).tolist() == [2] and run(data, np.float32([[1, 2, 3]])).tolist() == 2
    place.write_bytes(model([node("ReduceMean", "x", "y")], {}, shape=("n", 3)))
    with pytest.raises(InputError, match="mixes the rows of a batch"):
        sourced(place)


@st.composite
def broadcast(draw, shape):
    """A shape that broadcasts with that of a batch of rows, and has no numbers of its own for a row."""
    kept = shape[draw(st.integers(0, len(shape))) :]
    found = [size if draw(st.booleans()) else 1 for size in kept]
    return [1, *found] if len(found) == len(shape) and draw(st.booleans()) else found


@given(st.data())
@settings(max_examples=150)
def test_arithmetic_with_constants(place, data):
    shape = data.draw(shapes)
    elements, exact = SMALL, True
    match data.draw(st.sampled_from(["Add", "Sub", "Mul", "Div", "Sum"])):
        case "Div":
            operator, elements, exact = "Div", SMALL.filter(bool), False
        case operator:
            pass
    constant = data.draw(arrays(*data.draw(broadcast(shape)), elements=elements))
    first = operator != "Div" and data.draw(st.booleans())
    agrees(place, [node(operator, "c x" if first else "x c", "y")], {"c": constant}, shape, data, exact=exact)


@given(st.data())
def test_constants_that_are_wider_than_the_value(place, data):
    shape = data.draw(shapes)
    wide = [size if size > 1 else data.draw(st.integers(1, 3)) for size in shape]
    operator = data.draw(st.sampled_from(["Add", "Sub", "Mul", "Sum"]))
    agrees(place, [node(operator, "c x", "y")], {"c": data.draw(arrays(1, *wide))}, shape, data)


@given(st.data())
@settings(max_examples=150)
def test_sums_of_values(place, data):
    """Residual sums, with a constant between, of values of several shapes."""
    shape = data.draw(shapes)
    axis = data.draw(st.integers(1, len(shape)))
    constants = {"a": np.array([axis]), "c": data.draw(arrays(*shape)), "k": np.float32(2)}
    # Along one axis a value is added up; then it is repeated.
    nodes = [node("ReduceSum", "x a", "s"), node("Mul", "x k", "m")]
    terms = data.draw(st.lists(st.sampled_from("xsmc"), min_size=2, max_size=2).filter(lambda t: set(t) != {"c"}))
    operator = data.draw(st.sampled_from(["Add", "Sub", "Sum"]))
    if operator == "Sum":
        terms += data.draw(st.lists(st.sampled_from("xsmc"), max_size=2))
    agrees(place, [*nodes, node(operator, " ".join(terms), "y")], constants, shape, data)


@given(st.data())
@settings(max_examples=150)
def test_gemm(place, data):
    inner, outer = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    turned = data.draw(st.integers(0, 1))
    constants = {"W": data.draw(arrays(outer, inner) if turned else arrays(inner, outer))}
    attributes, reads = {"transB": turned} if turned or data.draw(st.booleans()) else {}, "x W"
    if data.draw(st.booleans()):
        shape = data.draw(st.sampled_from([[outer], [1, outer], [1], [], [1, 1]]))
        constants["C"], reads = data.draw(arrays(*shape)), "x W C"
    elif inner == outer and data.draw(st.booleans()):
        reads = "x W x"
    for name in ("alpha", "beta"):
        if data.draw(st.booleans()):
            attributes[name] = data.draw(st.sampled_from([0.0, 1.0, -2.0, 0.5, 3.0]))
    agrees(place, [node("Gemm", reads, "y", **attributes)], constants, [inner], data)


def test_gemm_with_a_factor_that_its_type_does_not_hold_is_exact(place):
    third, weights = np.float32(1 / 3), np.float32([[1 / 3, 2 / 3]])
    place.write_bytes(
        model([node("Gemm", "x W C", "y", alpha=1 / 3, beta=1 / 3)], {"W": weights.T, "C": weights[0, :1]})
    )
    net = sourced(place)[0]
    exact = [Fraction(float(third)) * Fraction(float(w)) for w in weights[0]]
    assert net([1, 10]).tolist() == [exact[0] * 1 + exact[1] * 10 + Fraction(float(third)) * Fraction(float(third))]
    assert net.reading.multiplied


@given(st.data())
def test_gemm_of_one_row_with_everything_turned(place, data):
    """The value is a matrix of one input: it may be transposed, or stand on the right."""
    a, b, c = (data.draw(st.integers(1, 3)) for _ in range(3))
    first, second = data.draw(st.integers(0, 1)), data.draw(st.integers(0, 1))
    right = data.draw(st.booleans())
    here = [b, c] if not (second if right else first) else [c, b]
    if right:
        weights = data.draw(arrays(b, a) if first else arrays(a, b))
        reads, result = "W z", (a, c)
    else:
        weights = data.draw(arrays(a, c) if second else arrays(c, a))
        reads, result = "z W", (b, a)
    nodes = [node("Reshape", "x s", "z"), node("Gemm", f"{reads} C", "y", transA=first, transB=second)]
    constants = {"s": np.array(here), "W": weights, "C": data.draw(arrays(*result))}
    data_ = model(nodes, constants, shape=(1, b * c))
    inputs = data.draw(arrays(1, b * c))
    place.write_bytes(data_)
    assert sourced(place)[0](inputs[0].tolist()).tolist() == run(data_, inputs).reshape(-1).tolist()


@given(st.data())
@settings(max_examples=150)
def test_matmul(place, data):
    shape = data.draw(shapes)
    out = data.draw(st.integers(1, 3))
    if len(shape) > 1 and data.draw(st.booleans()):
        weights, reads = data.draw(arrays(out, shape[-2])), "W x"
    else:
        weights, reads = data.draw(arrays(shape[-1], out)), "x W"
        weights = weights.reshape((1,) * data.draw(st.integers(0, len(shape) - 1)) + weights.shape)
    nodes, constants = [node("MatMul", reads, "h")], {"W": weights}
    kind = data.draw(st.sampled_from(["last", "one", "all", "none"]))
    whole = [*shape[:-1], out] if reads == "x W" else [*shape[:-2], out, shape[-1]]
    if kind == "none":
        nodes.append(node("Relu", "h", "y"))
    else:
        constants["b"] = data.draw(arrays(*{"last": [whole[-1]], "one": [1], "all": whole}[kind]))
        nodes.append(node("Add", data.draw(st.sampled_from(["h b", "b h"])), "y"))
    net = agrees(place, nodes, constants, shape, data)
    if reads == "x W" and kind in ("last", "one"):
        assert len(net.nodes) == 1


@given(st.data())
def test_matmul_of_columns(place, data):
    """The batch is the last axis of the input, and weights stand on the left."""
    a, b = data.draw(st.integers(2, 3)), data.draw(st.integers(1, 3))
    constants = {"W": data.draw(arrays(b, a)), "c": data.draw(arrays(b, 1))}
    bytes_ = model([node("MatMul", "W x", "h"), node("Add", "h c", "y")], constants, shape=(a, "n"))
    place.write_bytes(bytes_)
    inputs = data.draw(arrays(a, 2))
    net = sourced(place)[0]
    found = [[float(x) for x in net(column.tolist())] for column in inputs.T]
    assert found == run(bytes_, inputs).T.tolist() and len(net.nodes) == 1


@given(st.data())
def test_batch_normalization(place, data):
    shape = data.draw(shapes)
    rational = data.draw(st.booleans())
    variance = arrays(shape[0], elements=st.sampled_from([1, 4, 9]) if rational else st.integers(1, 5))
    constants = {"v": data.draw(variance)} | {name: data.draw(arrays(shape[0])) for name in "sbm"}
    nodes = [node("BatchNormalization", "x s b m v", "y", epsilon=0.0)]
    opset = data.draw(st.sampled_from([9, 15]))
    bytes_ = model(nodes, constants, shape=("n", *shape), opset=opset)
    place.write_bytes(bytes_)
    net = sourced(place)[0]
    inputs = data.draw(arrays(2, *shape))
    expected = run(bytes_, inputs).astype(np.float64)
    wide = {name: array.astype(np.float64).reshape(-1, *[1] * (len(shape) - 1)) for name, array in constants.items()}
    if net.is_rational:
        found = np.array([[float(x) for x in net(row.reshape(-1).tolist())] for row in inputs]).reshape(expected.shape)
    else:
        layer = net.nodes[0].layer
        told = zip((layer.factor, layer.mean, layer.square, layer.shift), "smvb", strict=True)
        assert all(array.tolist() == constants[name].tolist() for array, name in told)
        found = wide["s"] * (inputs - wide["m"]) / np.sqrt(wide["v"]) + wide["b"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    # A batch normalisation is what the model evaluates, so that a bound of float32 holds for it, whatever its roots.
    assert not net.reading.multiplied and (net.is_rational or not rational)


@given(st.data())
@settings(max_examples=150)
def test_activations(place, data):
    shape, opset, constants = data.draw(shapes), 17, {}
    match data.draw(st.sampled_from(["Relu", "LeakyRelu", "PRelu", "Clip", "Clip 6", "Max", "Min", "Abs"])):
        case "LeakyRelu":
            alpha = {"alpha": data.draw(st.sampled_from([0.5, 0.0, -1.0, 2.0]))} if data.draw(st.booleans()) else {}
            made = node("LeakyRelu", "x", "y", **alpha)
        case "PRelu":
            constants = {"s": np.full(data.draw(st.sampled_from([[], [1], shape])), 0.25, np.float32)}
            made = node("PRelu", "x s", "y")
        case "Clip":
            low, high = sorted(data.draw(st.tuples(SMALL, SMALL)))
            constants = {"l": np.float32(low), "h": np.float32(high)}
            reads = data.draw(st.sampled_from([["x"], ["x", "l"], ["x", "", "h"], ["x", "l", "h"]]))
            made = node("Clip", "x", "y")
            made.input[:] = reads
        case "Clip 6":
            opset, low, high = 6 + data.draw(st.integers(1, 4)), *sorted(data.draw(st.tuples(SMALL, SMALL)))
            told = {"min": float(low), "max": float(high)}
            kept = data.draw(st.sets(st.sampled_from(["min", "max"])))
            made = node("Clip", "x", "y", **{name: told[name] for name in kept})
        case "Max" | "Min" as operator:
            constants = {"c": np.full(data.draw(st.sampled_from([[], [1], shape])), data.draw(SMALL), np.float32)}
            made = node(operator, data.draw(st.sampled_from(["x c", "c x"])), "y")
        case operator:
            made = node(operator, "x", "y")
    # LeakyRelu without a slope has 0.01, which floats round.
    agrees(
        place, [made], constants, shape, data, opset=opset, exact=made.op_type != "LeakyRelu" or bool(made.attribute)
    )


@given(st.data())
def test_concat(place, data):
    shape = data.draw(shapes)
    axis = data.draw(st.integers(1, len(shape)))
    axis = data.draw(st.sampled_from([axis, axis - len(shape) - 1]))
    nodes = [
        node("Neg", "x", "n"),
        node("Concat", " ".join(data.draw(st.lists(st.sampled_from("xn"), min_size=1, max_size=3))), "y", axis=axis),
    ]
    agrees(place, nodes, {}, shape, data)


@given(st.data())
def test_concat_of_one_row_along_its_first_axis(place, data):
    shape = data.draw(shapes)
    nodes = [node("Neg", "x", "n"), node("Concat", "x n x", "h", axis=0), node("Relu", "h", "y")]
    bytes_ = model(nodes, {}, shape=(1, *shape))
    place.write_bytes(bytes_)
    inputs = data.draw(arrays(1, *shape))
    assert sourced(place)[0](inputs.reshape(-1).tolist()).tolist() == run(bytes_, inputs).reshape(-1).tolist()
