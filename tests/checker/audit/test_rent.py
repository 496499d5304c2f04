"""Rents and replacement gains against least squares in fractions; intervals against fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.audit.findings import Activity, UnitFinding
from proof_of_absence.checker.audit.rent import rents
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.models.circuit import hidden_units
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.net import relu
from tests.checker.audit.problems import problems, wild


def findings(net):
    return [UnitFinding(unit, Activity.UNDECIDED, None) for unit in hidden_units(net.exact())]


def centred(values):
    mean = sum(values) / len(values)
    return [v - mean for v in values]


def square(values):
    return sum(v * v for v in values)


def without(problem, index):
    """The residuals of the net with a unit replaced by the best constant, one centred column for each output."""
    net = problem.net.exact()
    features = [net.activations(z)[-2][index] for z in problem.data.inputs]
    residuals = problem.data.residuals(net)
    return [
        centred([r[k] + net.layers[-1].weights[k][index] * phi for r, phi in zip(residuals, features, strict=True)])
        for k in range(net.widths[-1])
    ]


@pytest.mark.parametrize(("extreme", "depth"), [(False, 1), (True, 1), (False, 2)])
def test_rents_and_gains_contain_the_exact_ones(extreme, depth):
    @given(problems(extreme=extreme, depth=depth, rational=True))
    def holds(problem):
        loss = problem.data.loss(problem.net.exact())
        for found in rents(problem.net, problem.inputs, problem.targets, findings(problem.net)):
            if found.unit.layer < depth or (extreme and found.rent is None):
                assert found.rent is None and found.replacement_gain is None
                continue
            columns = without(problem, found.unit.index)
            exact = sum(map(square, columns)) / len(problem.data) - loss
            assert found.rent.low <= exact <= found.rent.high
            if not extreme:
                assert found.rent.high - found.rent.low < Fraction(1, 10**6)
            if found.replacement_gain is None:
                continue
            weights, bias = found.replacement
            reads = [problem.net.exact().activations(z)[-3] for z in problem.data.inputs]
            unit = centred([relu(sum(w * x for w, x in zip(weights, z, strict=True)) + bias) for z in reads])
            products = [sum(u * r for u, r in zip(unit, column, strict=True)) for column in columns]
            gain = square(products) / square(unit) / len(problem.data)
            assert found.replacement_gain.low <= gain <= found.replacement_gain.high
            assert found.underpays <= (exact < gain)

    holds()


def test_a_useless_unit_underpays_and_a_needed_one_does_not():
    # Unit 0 is most of the target, unit 1 is dead, and relu(-z) / 8 is missing.
    net = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 1.0]], [0.0])])
    inputs = np.linspace(-4, 4, 17)[:, None]
    targets = np.maximum(inputs, 0) + np.maximum(-inputs, 0) / 8
    needed, dead = rents(net, inputs, targets, findings(net))
    assert dead.underpays and dead.rent.high <= 0 < dead.replacement_gain.low
    assert needed.rent.low > 0 and not needed.underpays


def test_overflow_and_nets_without_hidden_units_are_left_alone():
    assert rents(FloatNet([([[1.0]], [0.0])]), np.ones((2, 1)), np.ones((2, 1)), ()) == ()
    huge = FloatNet([([[1e300]], [0.0]), ([[1e300]], [0.0])])
    assert rents(huge, np.ones((2, 1)), np.ones((2, 1)), findings(huge)) == tuple(findings(huge))


ENTRIES = st.tuples(wild(np.float64), wild(np.float64).map(abs))


@given(st.lists(ENTRIES, min_size=2, max_size=2), st.lists(st.fractions(-1, 1), min_size=2, max_size=2))
def test_intervals_contain_what_they_are_about(pairs, places):
    left, right = (Interval(np.array([v]), np.array([e])) for v, e in pairs)
    x, y = (Fraction(v) + Fraction(e) * t for (v, e), t in zip(pairs, places, strict=True))
    with np.errstate(all="ignore"):
        results = [(left + right, x + y), (left - right, x - y), (left * right, x * y)]
        if right.value[0] > right.error[0]:
            results.append((left / right, x / y))
        results.append((Interval(*np.array(pairs).T).sum(axis=0), x + y))
    for result, exact in results:
        value, error = float(result.value.ravel()[0]), float(result.error.ravel()[0])
        if np.isfinite(value) and np.isfinite(error):
            assert abs(Fraction(value) - exact) <= Fraction(error)
