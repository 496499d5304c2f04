"""Gauges and gaps against all pairs of inputs in fractions, and prices against the units of the proof of C12."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from proof_of_absence.checker.audit import gauge as module
from proof_of_absence.checker.audit.findings import CircuitFinding, Enclosure
from proof_of_absence.checker.audit.gauge import gauge, measure, prices
from proof_of_absence.checker.audit.loss import losses
from proof_of_absence.checker.construct.gap import Gauge
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.problems import problems

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 3))
ENTRIES = st.one_of(
    st.floats(-4, 4, width=32), st.integers(-3, 3).map(float), st.sampled_from([2.0**-60, 1 + 2.0**-52])
)


def differences(inputs, direction):
    """All distances of projections of distinct inputs, exactly."""
    points = {tuple(map(Fraction, z)) for z in inputs.tolist()}
    line = [sum(w * x for w, x in zip(direction, z, strict=True)) for z in points]
    return [abs(a - b) for a, b in combinations(line, 2)]


@given(hnp.arrays(np.float64, SHAPES, elements=ENTRIES))
def test_the_gauge_is_exact(inputs):
    found = gauge(inputs)
    apart = differences(inputs, found.direction)
    if apart:
        assert found.separation == min(apart) > 0 and found.spread == max(apart)
    else:
        assert found.separation > 0 == found.spread


@given(hnp.arrays(np.float64, SHAPES, elements=ENTRIES), hnp.arrays(np.float64, 3, elements=ENTRIES))
def test_measured_directions(inputs, direction):
    inputs = np.unique(inputs + 0.0, axis=0)
    direction = direction[: inputs.shape[1]]
    if len(inputs) < 2:
        return
    found = measure(inputs, direction)
    apart = differences(inputs, [Fraction(w) for w in direction.tolist()])
    if found is None:
        assert min(apart) == 0
    else:
        assert (found.separation, found.spread) == (min(apart), max(apart)) and found.separation > 0


def test_floats_that_cannot_order_the_projections_are_not_trusted():
    # Along (1, 1) the float projections of the first two coincide; the exact ones do not.
    inputs = np.array([[1.0, 2.0**-60], [1.0, 2.0**-61], [0.0, 0.0]])
    found = measure(inputs, np.array([1.0, 1.0]))
    assert found.separation == Fraction(1, 2**61) and found.spread == 1 + Fraction(1, 2**60)


def test_a_grid_has_the_best_gap_there_is():
    grid = np.array([[i, j] for i in range(4) for j in range(5)], dtype=float)
    found = gauge(grid)
    # Twenty distinct projections cannot be more evenly spread.
    assert found.separation / found.spread == Fraction(1, 19)
    assert found.gap(20) == Fraction(1, 18 * 20**2 * 20**2)


@given(problems())
def test_prices_hold_for_the_class(problem):
    loss, floor = losses(problem.net, problem.inputs, problem.targets)
    found = prices(problem.net, problem.inputs, loss, floor, problem.circuits)
    excess = loss.low - floor.low
    assert found.gap == Gauge(found.direction, found.spacing, found.spread).gap(len(problem.inputs)) < 1
    assert [s.low for s in found.steps] == [s.high for s in found.steps]
    assert [s.low for s in found.steps] == [(1 - (1 - found.gap) ** k) * excess for k in (1, 2, 3)]
    assert found.margin == found.steps[0] and found.freed == 2 and found.overpaid == found.steps[:2]


@given(problems())
def test_the_overpayment_is_no_more_than_the_best_bump_gains(problem):
    # C12's own proof: one of three thresholds at one of the groups gains what the gap says.
    loss, floor = losses(problem.net, problem.inputs, problem.targets)
    found = prices(problem.net, problem.inputs, loss, floor, problem.circuits)
    data = problem.data
    residuals = data.residuals(problem.net.exact())
    line = [sum(w * x for w, x in zip(found.direction, z, strict=True)) for z in data.inputs]
    gains = [Fraction(0)]
    for p in set(line):
        for shift in (-found.spacing, 0, found.spacing):
            phi = [max(q - p - shift, Fraction(0)) for q in line]
            norm = sum(v * v for v in phi)
            sums = [sum(v * r[k] for v, r in zip(phi, residuals, strict=True)) for k in range(len(residuals[0]))]
            gains.append(sum(s * s for s in sums) / norm / len(data) if norm else Fraction(0))
    assert max(gains) >= found.margin.low


def test_overlapping_circuits_are_not_counted_twice():
    one = Enclosure(Fraction(1), Fraction(1))
    zero = Enclosure(Fraction(0), Fraction(0))
    circuits = [CircuitFinding((Unit(1, a), Unit(1, b)), {}) for a, b in ((0, 1), (1, 2), (3, 4))]
    layer = ([[1.0]], [0.0])
    inputs = np.array([[0.0], [1.0]])
    assert prices(FloatNet([layer, layer]), inputs, one, zero, circuits).freed == 4
    assert prices(FloatNet([layer, layer]), inputs, one, zero).overpaid == ()
    assert prices(FloatNet([layer, layer, layer]), inputs, one, zero) is None


@pytest.mark.parametrize("limit", [0, 10**6])
def test_inputs_too_close_for_every_direction_tried(monkeypatch, limit):
    monkeypatch.setattr(module, "_directions", lambda distinct, rng: iter([np.zeros(distinct.shape[1])]))
    monkeypatch.setattr(module, "CURVE", limit)
    found = gauge(np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
    assert (found is None) == (limit == 0)
