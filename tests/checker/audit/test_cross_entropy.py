"""The cross-entropy of an audit against mpmath: loss, floor, rents, and the drop of a reassignment."""

from collections import Counter
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit import cross_entropy
from proof_of_absence.checker.audit.class_improve import improve_class, improve_classes
from proof_of_absence.checker.audit.class_rent import class_rents
from proof_of_absence.checker.audit.cross_entropy import LEAST, class_losses, drop_of, outputs_of
from proof_of_absence.checker.audit.findings import Activity, CircuitFinding, UnitFinding
from proof_of_absence.checker.audit.reuse import Unimproved
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.class_problems import DIGITS, class_problems, holds, logits, mp_loss, mp_of

KINDS = st.one_of(class_problems(), class_problems(soft=True), class_problems(depth=2), class_problems(rational=True))


@pytest.fixture(autouse=True)
def digits():
    """mpmath at 80 digits."""
    with mpmath.workdps(DIGITS):
        yield


@pytest.mark.parametrize("bound", [2**25, 0])
def test_losses_and_floors_are_enclosed(monkeypatch, bound):
    monkeypatch.setattr(cross_entropy, "AFFORDABLE", bound)

    @given(KINDS)
    @settings(max_examples=60)
    def check(problem):
        loss, floor = class_losses(problem.net, problem.inputs, problem.targets)
        assert holds(loss, mp_loss(logits(problem.net, problem.inputs), problem.targets))
        assert holds(floor, entropy(problem.inputs, problem.targets))
        assert floor.low <= loss.high and floor.low >= 0
        assert loss.high - loss.low <= (loss.high + 1) * Fraction(1, 2**30)

    check()


def entropy(inputs, targets) -> mpmath.mpf:
    """The mean over the rows of the entropy of the mean targets at the row's input."""
    rows = [tuple(row) for row in inputs.tolist()]
    total = mpmath.mpf(0)
    for key, count in Counter(rows).items():
        mean = [sum(map(Fraction, column)) / count for column in targets[[row == key for row in rows]].T.tolist()]
        total += count * -sum(mp_of(p) * mpmath.log(mp_of(p)) for p in mean if p)
    return total / len(rows)


def test_the_floor_of_pure_groups_is_exactly_0():
    net = FloatNet([([[1.0]], [0.0]), ([[1.0], [2.0]], [0.0, 0.0])])
    _, floor = class_losses(net, np.array([[1.0], [1.0], [-0.0], [0.0]]), np.eye(2)[[0, 0, 1, 1]])
    assert floor.is_exact and floor.low == 0


@given(class_problems())
@settings(max_examples=60)
def test_the_cross_entropy_falls_by_what_is_certified(problem):
    found = improve_classes(problem.net, problem.inputs, problem.targets, problem.circuits, limit=3)
    if isinstance(found, Unimproved):
        assert found.reason
        return
    steps, better = found
    old, new = (mp_loss(logits(net, problem.inputs), problem.targets) for net in (problem.net, better))
    assert holds(steps[0].loss_before, old) and holds(steps[-1].loss_after, new)
    assert all(step.drop.low > LEAST for step in steps)
    assert sum(mp_of(step.drop.low) for step in steps) <= old - new <= sum(mp_of(step.drop.high) for step in steps)
    assert better.dtype == problem.net.dtype


def part_of(outputs, targets, k):
    """The mean of t_k (ln sum exp f - f_k)."""
    logs = [mpmath.log(sum(mpmath.exp(f) for f in row)) - row[k] for row in outputs]
    return sum(t * log for t, log in zip(targets[:, k].tolist(), logs, strict=True)) / len(targets)


@given(st.one_of(class_problems(), class_problems(depth=2), class_problems(rational=True)))
@settings(max_examples=40)
def test_rents_are_what_the_loss_rises_by_with_the_unit_at_its_mean(problem):
    last = len(problem.net.layers) - 1
    units = [UnitFinding(Unit(last, j), Activity.UNDECIDED, None) for j in range(problem.net.widths[last])]
    exact = problem.net.exact()
    hidden = [exact.activations(row)[last] for row in problem.inputs.tolist()]
    outputs = logits(problem.net, problem.inputs)
    whole = mp_loss(outputs, problem.targets)
    for finding in class_rents(problem.net, problem.inputs, problem.targets, units):
        j = finding.unit.index
        column = [Fraction(row[j]) for row in hidden]
        mean = sum(column) / len(column)
        sent = [row[j] for row in exact.layers[last].weights]
        held = [
            [f - mp_of(a * (phi - mean)) for f, a in zip(row, sent, strict=True)]
            for row, phi in zip(outputs, column, strict=True)
        ]
        assert holds(finding.rent, mp_loss(held, problem.targets) - whole)
        # The loss is linear in the targets, so a class alone leaves the part that falls on it.
        for k, part in enumerate(finding.by_class):
            assert holds(part, part_of(held, problem.targets, k) - part_of(outputs, problem.targets, k))


def test_a_loss_that_no_function_falls_below_is_said_to_be_at_the_floor():
    net = FloatNet([([[1.0], [0.0]], [0.0, -1.0]), ([[0.0, 3.0], [0.0, 3.0]], [0.5, 0.5])])
    inputs, targets = np.array([[1.0], [1.0], [2.0], [2.0]]), np.eye(2)[[0, 1, 1, 0]]
    circuit = CircuitFinding((Unit(1, 1),), {Unit(2, 0): Fraction(0), Unit(2, 1): Fraction(0)})
    found = improve_class(net, inputs, targets, [circuit])
    assert isinstance(found, Unimproved) and found.at_floor
    # One row more of a class, and there is something to gain.
    found = improve_class(net, np.vstack([inputs, [[2.0]]]), np.vstack([targets, [[0.0, 1.0]]]), [circuit])
    assert not isinstance(found, Unimproved)


def test_a_drop_is_claimed_by_no_bound_that_does_not_show_it():
    net = FloatNet([([[1.0]], [0.0]), ([[1.0], [0.0]], [0.0, 0.0])])
    inputs, targets = np.array([[1.0], [2.0]]), np.eye(2)[[0, 1]]
    same = outputs_of(net, inputs)
    assert drop_of(same, same, targets) is None
    near = cross_entropy.Outputs(same.rows, np.full((2, 2), 1e-3))
    lower = FloatNet([([[1.0]], [0.0]), ([[0.9999], [0.0]], [0.0, 0.0])])
    assert drop_of(same, outputs_of(lower, inputs), targets) is not None
    assert drop_of(near, outputs_of(lower, inputs), targets) is None
    assert drop_of(outputs_of(lower, inputs), same, targets) is None


def test_a_unit_that_float32_rounds_to_silence_is_passed_over():
    net = FloatNet([([[0.0] * 3] * 2, [0.0, 1.5]), ([[0.0, 0.0], [0.0, 1.0]], [0.0, 1.5])], np.float32)
    near = np.array([[1.5, 1.89999998, -2.50712633], [0.0, 1.23049864e-08, -3.05218267]], np.float32).astype(float)
    circuit = CircuitFinding((Unit(1, 0),), {Unit(2, 0): Fraction(0), Unit(2, 1): Fraction(0)})
    found = improve_class(net, near[[0, 1, 1, 1, 0, 0]], np.eye(2)[[0, 1, 1, 1, 1, 1]], [circuit])
    assert isinstance(found, Unimproved) or found[0].drop.low > LEAST
