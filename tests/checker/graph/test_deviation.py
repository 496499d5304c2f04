"""Bounds on float32 against what torch and onnxruntime compute in float32, compared with the exact value."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings

from proof_of_absence.checker.graph.deviation import deviations, float32_deviation
from proof_of_absence.checker.passes.graph_enclosure import balls
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import (
    AveragePool,
    BatchNorm,
    Clip,
    Concat,
    Conv,
    Dense,
    LeakyRelu,
    MaxPool,
    Rearrange,
    Relu,
    Scale,
    Sum,
)
from proof_of_absence.models.reading import Reading
from proof_of_absence.models.windows import Window
from tests.checker.passes.test_graph_exact import WITH_ROOTS, Surd, doubled, surds
from tests.graphs import graphs

torch = pytest.importorskip("torch")


def single(numbers):
    with np.errstate(over="ignore"):
        return torch.tensor(np.array(numbers, dtype=np.float64).astype(np.float32))


def patches(window, h, pad):
    """What each position reads of each channel, (channels, positions, size)."""
    flat = torch.cat([h.reshape(len(h), -1), torch.full((len(h), 1), pad)], dim=1)
    return flat[:, torch.tensor(window.index(tuple(h.shape[1:])))]


def padded(window, h):
    """The value with the padding that its window reads, cut where no position reads."""
    sides = []
    for k, count, stride, dilation, before, size in zip(
        window.kernel, window.counts, window.strides, window.dilations, window.before, h.shape[1:], strict=True
    ):
        sides = [before, (count - 1) * stride + (k - 1) * dilation + 1 - before - size, *sides]
    return torch.nn.functional.pad(h, sides)


def in_float32(graph, row):
    """The outputs by torch's operators."""
    found = [single(row)]
    for node in graph.nodes:
        below = [found[k].reshape(graph.shapes[k]) for k in node.reads]
        h, layer = below[0], node.layer
        match layer:
            case Dense():
                value = torch.nn.functional.linear(h, single(layer.weights), single(layer.bias))
            case Conv(window=window):
                convolve = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d}[len(window.kernel)]
                value = convolve(
                    padded(window, h)[None], single(layer.weights), single(layer.bias), stride=window.strides,
                    dilation=window.dilations, groups=layer.groups,
                )  # fmt: skip
            case AveragePool(window=window):
                value = patches(window, h, 0.0).sum(dim=2) / single(layer.divisors).reshape(-1)
            case MaxPool(window=window):
                value = patches(window, h, -np.inf).amax(dim=2)
            case Scale():
                value = h * single(layer.factor) + single(layer.shift)
            case BatchNorm():
                numbers = (single(x) for x in (layer.mean, layer.square, layer.factor, layer.shift))
                value = torch.nn.functional.batch_norm(h.reshape(1, len(h), -1), *numbers, eps=0.0)
            case Relu():
                value = torch.relu(h)
            case LeakyRelu(slope=slope):
                value = torch.nn.functional.leaky_relu(h, float(slope))
            case Clip(low=low, high=high):
                value = torch.clip(h, *(None if end is None else float(end) for end in (low, high)))
            case Sum(signs=signs):
                value = sum(sign * one for sign, one in zip(signs, below, strict=True))
            case Concat(axis=axis):
                value = torch.cat(below, dim=axis)
            case Rearrange(index=index, fill=fill):
                value = torch.cat([h.reshape(-1), single([fill])])[torch.tensor(index)]
        found.append(value.reshape(-1))
    return found[-1].numpy()


@settings(max_examples=200, deadline=None)
@given(graphs(dtype=np.float32))
def test_torch_in_float32_is_within_the_bound(case):
    graph, inputs = case
    bounds = deviations(graph, inputs)
    for row, bound in zip(inputs, bounds.tolist(), strict=True):
        if np.isfinite(bound):
            pairs = zip(in_float32(graph, row), graph(row.tolist()), strict=True)
            assert max(abs(Fraction(float(single)) - exact) for single, exact in pairs) <= Fraction(bound)
    whole = float32_deviation(graph, inputs)
    assert whole == (Fraction(bounds.max()) if np.isfinite(bounds).all() else None)


@settings(max_examples=60, deadline=None)
@given(graphs(kinds=("floats", "near"), dtype=np.float32))
def test_so_it_is_for_plain_numbers_and_the_bound_is_finite(case):
    graph, inputs = case
    assert np.isfinite(deviations(graph, inputs)).all()


@settings(max_examples=100, deadline=None)
@given(graphs(names=WITH_ROOTS, kinds=("floats", "halves"), most=5, dtype=np.float32))
def test_batch_normalisations_of_torch_are_within_the_bound(case):
    """Factors and means are no floats, so that torch rounds them."""
    graph, inputs = case
    graph = doubled(graph, np.random.default_rng(3))
    for row, bound in zip(inputs, deviations(graph, inputs).tolist(), strict=True):
        for single, exact in zip(in_float32(graph, row), surds(graph, row)[-1], strict=True):
            off = exact - Surd(Fraction(float(single)))
            assert off <= Surd(Fraction(bound)) and off >= Surd(-Fraction(bound))


def convolutional(rng, channels=8):
    """A graph, and the same net as an ONNX model: two convolutions, the first one normalised, and a dense layer."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    arrays = {
        "w1": rng.standard_normal((channels, 3, 3, 3)), "b1": rng.standard_normal(channels),
        "scale": rng.standard_normal(channels), "shift": rng.standard_normal(channels),
        "mean": rng.standard_normal(channels), "var": rng.random(channels) + 0.1,
        "w2": rng.standard_normal((4, channels, 3, 3)), "b2": rng.standard_normal(4),
        "w3": rng.standard_normal((5, 64)), "b3": rng.standard_normal(5),
    }  # fmt: skip
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["a"], pads=[1] * 4),
        helper.make_node("BatchNormalization", ["a", "scale", "shift", "mean", "var"], ["b"], epsilon=2.0**-10),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("MaxPool", ["c"], ["d"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["d", "w2", "b2"], ["e"], pads=[1] * 4),
        helper.make_node("Relu", ["e"], ["f"]), helper.make_node("Flatten", ["f"], ["g"]),
        helper.make_node("Gemm", ["g", "w3", "b3"], ["y"], transB=1),
    ]  # fmt: skip
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    made = helper.make_graph(
        nodes, "net", [value("x", ["n", 3, 8, 8])], [value("y", ["n", 5])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    square = [Fraction(float(v)) + Fraction(1, 2**10) for v in arrays["var"]]
    window = Window((3, 3), (8, 8), before=(1, 1))
    norm = BatchNorm(*(arrays[n].astype(float) for n in ("scale", "mean")), square, arrays["shift"].astype(float))
    layers = [
        Conv(arrays["w1"], arrays["b1"], window), norm, Relu(), MaxPool(Window((2, 2), (4, 4), strides=(2, 2))),
        Conv(arrays["w2"], arrays["b2"], Window((3, 3), (4, 4), before=(1, 1))), Relu(), Rearrange(np.arange(64)),
        Dense(arrays["w3"], arrays["b3"]),
    ]  # fmt: skip
    return Graph((3, 8, 8), [Node(layer, (k,)) for k, layer in enumerate(layers)], np.float32), model


@pytest.mark.parametrize("optimised", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_onnxruntime_is_within_the_bound(optimised, seed):
    """Float64 stands for the exact value: it is a million times nearer than the bound is wide."""
    ort = pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(seed)
    graph, model = convolutional(rng)
    inputs = rng.standard_normal((6, 192)).astype(np.float32)
    options = ort.SessionOptions()
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"x": inputs.reshape(-1, 3, 8, 8)})
    exact, bounds = balls(graph, inputs.astype(np.float64))[-1], deviations(graph, inputs.astype(np.float64))
    off = np.abs(found - exact.values).max(axis=1)
    assert (exact.radius < 1e-9).all() and (off <= bounds).all() and (bounds < 1).all() and off.max() > 0


def test_a_batch_normalisation_at_the_ends_of_float32_is_within_the_bound():
    """Huge and tiny numbers, as torch evaluates them, or no bound."""
    rng = np.random.default_rng(0)

    def wide(low):
        return float(np.float32(np.ldexp(1 + rng.random(), rng.integers(low, 60)) * rng.choice([-1, 1])))

    for _ in range(60):
        factor, mean, shift, square = wide(-120), wide(-120), wide(-120), abs(wide(-60))
        graph = Graph((1, 1), [Node(BatchNorm([factor], [mean], [square], [shift]), (0,))], np.float32)
        row = [wide(-140)]
        [bound] = deviations(graph, np.array([row]))
        with mpmath.workdps(120):
            exact = mpmath.mpf(factor) * (mpmath.mpf(row[0]) - mean) / mpmath.sqrt(square) + shift
            assert not np.isfinite(bound) or abs(mpmath.mpf(float(in_float32(graph, row)[0])) - exact) <= bound


def test_where_float32_overflows_there_is_no_bound():
    graph = Graph((1,), [Node(Dense([[2.0**100]], [0]), (0,))], np.float32)
    assert float32_deviation(graph, np.array([[2.0**30]])) is None
    assert float32_deviation(graph, np.array([[1.0]])) is not None


def test_of_a_layer_that_is_a_product_of_several_there_is_no_bound():
    reading = Reading(("MatMul",), "Relu", "the graph", multiplied=True)
    graph = Graph((1,), [Node(Dense([[1.0]], [0]), (0,))], np.float32, reading)
    assert float32_deviation(graph, np.array([[1.0]])) is None


def test_a_batch_normalisation_with_a_factor_that_float32_flushes_has_no_bound():
    layer = BatchNorm([Fraction(1, 2**127)], [Fraction(2**60)], [Fraction(1, 2**60) * 2], [Fraction(0)])
    graph = Graph((1,), [Node(layer, (0,)), Node(Relu(), (1,)), Node(Dense([[1.0]], [0.0]), (2,))], np.float32)
    assert float32_deviation(graph, np.array([[1.0]])) is None
