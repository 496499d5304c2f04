"""Reassigned float nets: the certified drop against fractions, and what must be left undecided or refused."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from proof_of_absence.checker.audit import improve as module
from proof_of_absence.checker.audit import loss
from proof_of_absence.checker.audit.circuits import idle_circuits
from proof_of_absence.checker.audit.findings import CircuitFinding
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.improve import Unimproved, improve, improve_all, reassigned
from proof_of_absence.models.circuit import Unit, hardcode, is_idle, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.problems import problems


def check(problem, steps, net):
    """Every step's numbers are true, and the net is the old one but for the circuits and the output bias."""
    data, before = problem.data, problem.net
    old, new = data.loss(before.exact()), data.loss(net.exact())
    assert new < old
    assert sum(s.drop.low for s in steps) <= old - new <= sum(s.drop.high for s in steps)
    assert steps[0].loss_before.low <= old <= steps[0].loss_before.high
    assert steps[-1].loss_after.low <= new <= steps[-1].loss_after.high
    assert all(s.drop.low > 0 for s in steps)
    assert net.dtype == before.dtype and net.widths == before.widths
    touched = {unit.index for s in steps for unit in s.circuit}
    kept = [j for j in range(net.widths[1]) if j not in touched]
    for one, other in zip(before.layers, net.layers, strict=True):
        rows = kept if one is before.layers[0] else slice(None)
        columns = slice(None) if one is before.layers[0] else kept
        assert (one.weights[rows][:, columns] == other.weights[rows][:, columns]).all()
    assert (before.layers[0].bias[kept] == net.layers[0].bias[kept]).all()


@given(problems())
def test_the_drop_is_exact_on_small_data(problem):
    found = improve(problem.net, problem.inputs, problem.targets, problem.circuits)
    if isinstance(found, Unimproved):
        assert found.at_floor == (problem.data.loss(problem.net.exact()) == problem.data.noise_floor)
        return
    step, net = found
    assert step.drop.is_exact and step.loss_before.low - step.loss_after.low == step.drop.low
    check(problem, [step], net)
    # The finding alone gives the net: hardcode, reassign, and the rounded output bias.
    circuit = next(c for c in problem.circuits if c.units == step.circuit)
    exact = reassign(
        hardcode(problem.net.exact(), circuit.units, circuit.value),
        {step.circuit[0]: (step.weights, step.bias, step.outgoing)},
    )
    last = replace(exact.layers[-1], bias=step.output_bias)
    assert replace(exact, layers=(exact.layers[0], last)) == net.exact()


@pytest.mark.parametrize("extreme", [False, True])
def test_the_enclosed_drop_contains_the_true_one(monkeypatch, extreme):
    monkeypatch.setattr(loss, "SMALL", 0)
    monkeypatch.setattr(module, "SMALL", 0)
    monkeypatch.setattr(module, "AFFORDABLE", 0)

    @given(problems(extreme=extreme))
    def holds(problem):
        found = improve_all(problem.net, problem.inputs, problem.targets, problem.circuits)
        # Where huge terms cancel, the bounds decide nothing.
        if not isinstance(found, Unimproved):
            check(problem, *found)

    holds()


@given(problems(extreme=True))
def test_extreme_weights_exactly(problem):
    found = improve_all(problem.net, problem.inputs, problem.targets, problem.circuits)
    if not isinstance(found, Unimproved):
        check(problem, *found)


@pytest.mark.parametrize("limit", [loss.SMALL, 0])
@given(problem=problems(depth=2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_deeper_nets_by_their_last_two_layers(monkeypatch, limit, problem):
    for owner in (loss, module):
        monkeypatch.setattr(owner, "SMALL", limit)
    found = improve(problem.net, problem.inputs, problem.targets, problem.circuits)
    if isinstance(found, Unimproved):
        # Two inputs that the layers below do not tell apart cannot be told apart here either.
        return
    step, net = found
    assert step.circuit[0].layer == 2 and net.layers[0] is not problem.net.layers[0]
    assert (net.layers[0].weights == problem.net.layers[0].weights).all()
    old, new = (problem.data.loss(n.exact()) for n in (problem.net, net))
    assert step.drop.low <= old - new <= step.drop.high and step.drop.low > 0


@given(problems())
def test_at_the_noise_floor_nothing_is_claimed(problem):
    # Targets that the net attains on average over each group.
    targets = problem.net.forward(problem.inputs).astype(np.float64)
    data = problem._replace(targets=targets).data
    if data.loss(problem.net.exact()) != data.noise_floor:
        # The targets were rounded.
        return
    found = improve(problem.net, problem.inputs, targets, problem.circuits)
    assert isinstance(found, Unimproved) and found.at_floor and "noise floor" in found.reason


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_circuit_idle_only_jointly_frees_both_units(dtype):
    # relu(z + 4) + relu(4 - z) = 8 on [-4, 4], with output weights 1/4 and target |z|.
    net = FloatNet([([[1.0], [-1.0]], [4.0, 4.0]), ([[0.25, 0.25]], [0.0])], dtype)
    inputs = np.linspace(-4, 4, 9)[:, None]
    circuit = CircuitFinding((Unit(1, 0), Unit(1, 1)), {Unit(2, 0): Fraction(2)})
    assert is_idle(net.exact(), circuit.units, inputs.tolist())
    steps, better = improve_all(net, inputs, np.abs(inputs), [circuit])
    assert [s.circuit for s in steps] == [(Unit(1, 0), Unit(1, 1)), (Unit(1, 1),)]
    found, _ = loss.losses(better, inputs, np.abs(inputs))
    assert found == steps[-1].loss_after and steps[0].loss_after == steps[1].loss_before
    assert found.low < Fraction(16, 9) / 4 and steps[0].loss_before.low == Fraction(16, 9)


def test_where_the_search_finds_nothing_there_is_the_unit_of_c4(monkeypatch):
    monkeypatch.setattr(module, "candidates", lambda *arguments: [])
    net = FloatNet([([[0.0, 0.0]], [-1.0]), ([[1.0]], [0.0])], np.float32)
    inputs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = np.array([[0.0], [1.0], [1.0], [0.0]])
    step, better = improve(net, inputs, targets, [CircuitFinding((Unit(1, 0),), {Unit(2, 0): Fraction(0)})])
    # The first direction of the moment curve that tells the four apart.
    assert step.weights == (1, 2)
    assert step.drop.low == loss.exact_loss(net, inputs, targets) - loss.exact_loss(better, inputs, targets) > 0


def test_on_data_too_large_for_exact_arithmetic_the_enclosure_is_narrow():
    rng = np.random.default_rng(7)
    inputs = rng.standard_normal((3000, 8)).astype(np.float32).astype(np.float64)
    weights, bias = rng.standard_normal((200, 8)).astype(np.float32), rng.standard_normal(200).astype(np.float32)
    weights[3], bias[3] = 0, 0.75
    output = (rng.standard_normal((1, 200)) / 14).astype(np.float32)
    net = FloatNet([(weights, bias), (output, [0.0])], np.float32)
    targets = net.forward(inputs).astype(np.float64) + np.abs(inputs[:, :1])
    assert len(inputs) * net.parameter_count > loss.SMALL
    circuit = CircuitFinding((Unit(1, 3),), {Unit(2, 0): Fraction(float(output[0, 3])) * Fraction(3, 4)})
    step, better = improve(net, inputs, targets, [circuit])
    before, after = (loss.exact_loss(n, inputs, targets) for n in (net, better))
    assert not step.drop.is_exact and step.drop.high - step.drop.low < step.drop.low / 10**8
    assert step.drop.low <= before - after <= step.drop.high
    assert (
        step.loss_before.low <= before <= step.loss_before.high and step.loss_after.low <= after <= step.loss_after.high
    )


def test_residuals_that_cancel_within_a_group_are_the_floor():
    net = FloatNet([([[0.0]], [-1.0]), ([[1.0]], [1.5])])
    circuit = CircuitFinding((Unit(1, 0),), {Unit(2, 0): Fraction(0)})
    found = improve(net, np.ones((2, 1)), np.array([[1.0], [2.0]]), [circuit])
    assert found == Unimproved("the loss is the noise floor: no net has a lower one", at_floor=True)


@pytest.mark.parametrize(
    ("layers", "units", "reason"),
    [
        ([([[1.0]], [0.0]), ([[1.0]], [0.0])], (), "no idle circuit"),
        ([([[1.0]], [0.0]), ([[1.0]], [0.0]), ([[1.0]], [0.0])], (Unit(1, 0),), "last hidden layer"),
    ],
)
def test_nothing_to_reuse(layers, units, reason):
    circuits = [CircuitFinding(units, {Unit(2, 0): Fraction(0)})] if units else []
    found = improve(FloatNet(layers), np.ones((1, 1)), np.zeros((1, 1)), circuits)
    assert isinstance(found, Unimproved) and not found.at_floor and reason in found.reason


def test_an_output_bias_that_cannot_hold_the_constant_is_accounted_for():
    # The constant 2^-30 vanishes next to the bias 1 in float32, and no shift is wanted.
    net = FloatNet([([[0.0], [1.0]], [1.0, 0.0]), ([[2.0**-30, 0.0]], [1.0])], np.float32)
    inputs = np.array([[-1.0], [0.0], [1.0], [2.0]])
    targets = np.array([[1.0], [1.0], [1.5], [1.0]]) + 2.0**-30
    circuit = CircuitFinding((Unit(1, 0),), {Unit(2, 0): Fraction(2) ** -30})
    step, better = improve(net, inputs, targets, [circuit])
    before, after = (loss.exact_loss(n, inputs, targets) for n in (net, better))
    assert step.drop.low == before - after > 0


def test_reassigned_refuses_what_the_type_cannot_hold():
    net = FloatNet([([[1.0]], [0.0]), ([[1.0]], [0.0])], np.float32)
    with pytest.raises(ValueError, match="no float32"):
        reassigned(net, [Unit(1, 0)], [0.1], 0.0, [1.0], [0.0])


def test_circuits_of_other_layers_are_refused():
    net = FloatNet([([[1.0]], [0.0]), ([[1.0]], [0.0])])
    with pytest.raises(ValueError, match="not a circuit of hidden units"):
        improve(net, np.ones((1, 1)), np.zeros((1, 1)), [CircuitFinding((Unit(2, 0),), {})])


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where_all_inputs_are_equal_the_output_bias_alone_lowers_the_loss(depth, dtype):
    inputs, targets = np.full((4, 2), 0.5), np.array([[1.0], [2.0], [4.0], [8.0]])
    below = [([[1.0, 0.5], [0.25, 1.0]], [0.5, -0.25])] * (depth - 1)
    net = FloatNet([*below, ([[1.0, 1.0], [-1.0, 0.0]], [0.0, 0.0]), ([[1.0, 2.0]], [0.5])], dtype)
    circuits, _ = idle_circuits(net, inputs, unit_findings(net, inputs))
    found, improved = improve(net, inputs, targets, circuits)
    data = Dataset(inputs.tolist(), targets.tolist())
    before, after = data.loss(net.exact()), data.loss(improved.exact())
    # The best constant has the loss of the noise floor, and 15/4 is a float.
    assert after == Fraction(115, 16) < before
    assert found.drop.low <= before - after <= found.drop.high
