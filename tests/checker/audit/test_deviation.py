"""The float32 bound against float32 evaluations in several orders, and what a certified drop is worth in float32."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.audit.deviation import float32_deviation
from proof_of_absence.checker.audit.findings import CircuitFinding
from proof_of_absence.checker.audit.improve import Unimproved, improve
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.problems import problems


def in_order(net, inputs, seed):
    """Float32 evaluation, one rounded operation at a time, the terms of each sum in a random order."""
    rng = np.random.default_rng(seed)
    values = inputs.astype(np.float32)
    for number, (weights, bias) in enumerate(net.layers):
        terms = values[:, None, :] * weights.astype(np.float32)
        terms = np.concatenate(
            [terms, np.broadcast_to(bias.astype(np.float32)[None, :, None], (*terms.shape[:2], 1))], 2
        )
        sums = np.zeros(terms.shape[:2], dtype=np.float32)
        for column in rng.permutation(terms.shape[2]):
            sums = sums + terms[:, :, column]
        values = np.maximum(sums, 0) if number < len(net.layers) - 1 else sums
    return values


def squared(outputs, targets):
    """The loss of computed outputs, exactly."""
    errors = [
        Fraction(f) - Fraction(y) for f, y in zip(outputs.ravel().tolist(), targets.ravel().tolist(), strict=True)
    ]
    return sum(e * e for e in errors) / len(outputs)


def at_loss(net, inputs, targets):
    """A bound on the distance of the loss of float32 outputs from L:
    each square moves by delta (2 |r| + delta) at most.
    """
    delta = float32_deviation(net, inputs)
    if delta is None:
        return None
    residuals = Dataset(inputs.tolist(), targets.tolist()).residuals(net.exact())
    return sum(delta * (2 * abs(r) + delta) for row in residuals for r in row) / len(inputs)


@given(problems(extreme=True), st.integers(0, 3))
def test_no_evaluation_is_farther_than_the_bound(problem, seed):
    bound = float32_deviation(problem.net, problem.inputs)
    if bound is None:
        return
    exact = problem.net.exact().outputs(problem.inputs.tolist())
    single = FloatNet([(w.astype(np.float32), b.astype(np.float32)) for w, b in problem.net.layers], np.float32)
    with np.errstate(under="ignore"):
        evaluations = [single.forward(problem.inputs), in_order(problem.net, problem.inputs, seed)]
    for outputs in evaluations:
        assert np.isfinite(outputs).all()
        for row, wanted in zip(outputs.tolist(), exact, strict=True):
            assert all(abs(Fraction(f) - g) <= bound for f, g in zip(row, wanted, strict=True))


@given(problems())
def test_a_drop_above_the_bounds_shows_in_float32(problem):
    found = improve(problem.net, problem.inputs, problem.targets, problem.circuits)
    if isinstance(found, Unimproved):
        return
    step, better = found
    bounds = [at_loss(net, problem.inputs, problem.targets) for net in (problem.net, better)]
    if None not in bounds and step.drop.low > sum(bounds):
        for evaluate in (lambda net: in_order(net, problem.inputs, 0), lambda net: net.forward(problem.inputs)):
            assert squared(evaluate(better), problem.targets) < squared(evaluate(problem.net), problem.targets)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_on_a_common_size_the_bound_is_small_and_the_drop_far_above_it(dtype):
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((500, 6)).astype(np.float32).astype(np.float64)
    net = FloatNet(
        [
            (rng.standard_normal((20, 6)).astype(np.float32), np.zeros(20)),
            (rng.standard_normal((2, 20)).astype(np.float32) / 4, [0.0, 0.0]),
        ],
        dtype,
    )
    assert float32_deviation(net, inputs) < Fraction(1, 1000)
    exact = np.array([[float(v) for v in row] for row in net.exact().outputs(inputs.tolist())])
    measured = np.abs(in_order(net, inputs, 0) - exact).max()
    assert 0 < measured < float32_deviation(net, inputs)


def in_onnxruntime(net, inputs):
    """Float32 evaluation by onnxruntime."""
    helper, numpy_helper = pytest.importorskip("onnx.helper"), pytest.importorskip("onnx.numpy_helper")
    runtime = pytest.importorskip("onnxruntime")
    nodes, weights, name = [], [], "x"
    for k, (w, b) in enumerate(net.layers):
        weights += [numpy_helper.from_array(a.astype(np.float32), f"{x}{k}") for x, a in (("w", w), ("b", b))]
        nodes.append(helper.make_node("Gemm", [name, f"w{k}", f"b{k}"], [f"z{k}"], transB=1))
        name = f"z{k}"
        if k < len(net.layers) - 1:
            nodes.append(helper.make_node("Relu", [name], [f"h{k}"]))
            name = f"h{k}"
    ends = [helper.make_tensor_value_info(n, 1, [None, w]) for n, w in (("x", net.widths[0]), (name, net.widths[-1]))]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": inputs.astype(np.float32)})[0]


def test_onnxruntime_shows_the_drop_too():
    rng = np.random.default_rng(5)
    inputs = rng.standard_normal((3000, 8)).astype(np.float32).astype(np.float64)
    weights, bias = rng.standard_normal((40, 8)).astype(np.float32), rng.standard_normal(40).astype(np.float32)
    bias[0] = -1000
    net = FloatNet([(weights, bias), (rng.standard_normal((2, 40)).astype(np.float32) / 8, [0.0, 0.0])], np.float32)
    targets = net.forward(inputs).astype(np.float64) + np.abs(inputs[:, :2]) / 4
    step, better = improve(
        net, inputs, targets, [CircuitFinding((Unit(1, 0),), {Unit(2, k): Fraction(0) for k in range(2)})]
    )
    bounds = [at_loss(n, inputs, targets) for n in (net, better)]
    assert step.drop.low > sum(bounds)
    outputs = [in_onnxruntime(n, inputs) for n in (net, better)]
    for mine, theirs in zip((net, better), outputs, strict=True):
        assert np.abs(theirs.astype(np.float64) - mine.forward(inputs)).max() <= 2 * float32_deviation(mine, inputs)
    before, after = (squared(out, targets) for out in outputs)
    assert after < before and abs(before - after - step.drop.low) <= sum(bounds) + step.drop.high - step.drop.low


def test_where_float32_overflows_there_is_no_bound():
    net = FloatNet([([[2.0**100]], [0.0]), ([[2.0**100]], [0.0])], np.float32)
    assert float32_deviation(net, np.ones((1, 1))) is None
    assert float32_deviation(FloatNet([([[1.0]], [0.0])]), np.full((1, 1), 1e39)) is None
    assert float32_deviation(FloatNet([([[1e300]], [0.0]), ([[1e300]], [0.0])]), np.ones((1, 1))) is None
