"""One search for all circuits: each input it gives lies in the box and is a witness by the plain definitions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, within
from proof_of_absence.checker.passes.integers import Integers
from proof_of_absence.checker.region import shared
from proof_of_absence.checker.region.decide import concluded, irrelevant
from proof_of_absence.checker.region.question import question
from proof_of_absence.checker.region.shared import witnesses
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import any_nets


def sent_by(net, units, z):
    """What each unit of the next layer receives from the units, from the definitions."""
    layer = units[0][0]
    for affine in net.exact().layers[:layer]:
        z = [
            max(sum((w * v for w, v in zip(row, z, strict=True)), b), Fraction(0))
            for row, b in zip(affine.weights, affine.bias, strict=True)
        ]
    return [sum((row[j] * z[j] for _, j in units), Fraction(0)) for row in net.exact().layers[layer].weights]


@settings(max_examples=40)
@given(any_nets(), st.data())
def test_every_input_is_a_witness(case, data):
    net, _ = case
    ends = [sorted(data.draw(st.tuples(st.fractions(-3, 3), st.fractions(-3, 3)))) for _ in range(net.widths[0])]
    low, high = zip(*ends, strict=True)
    exact = Integers(net)
    circuits = [[(layer, j)] for layer, width in enumerate(net.widths[1:-1], 1) for j in range(width)]
    circuits += [[(1, j) for j in range(net.widths[1])]]
    asked = [question(net, units, low, high, exact=exact) for units in circuits]
    for units, one, z in zip(circuits, asked, witnesses(asked), strict=True):
        if z is not None:
            assert all(a <= x <= b for a, x, b in zip(low, z, high, strict=True))
            assert sent_by(net, units, z) != sent_by(net, units, low)
            check_fact(concluded(one, {}, z, "", 0, 0.0).fact)


def test_units_of_the_first_layer_are_taken_to_their_best_corner():
    # Each fires at one corner of 2^24 alone.
    signs = np.random.default_rng(3).choice([-1.0, 1.0], size=(5, 24))
    net = FloatNet([(signs, np.full(5, -23.5)), (np.ones((1, 5)), [0.0])])
    exact = Integers(net)
    asked = [question(net, [(1, j)], [-1] * 24, [1] * 24, {(2, 0): 0}, exact=exact) for j in range(5)]
    assert [list(map(int, z)) for z in witnesses(asked)] == signs.astype(int).tolist()


def test_what_is_found_when_the_time_is_over_is_kept(monkeypatch):
    net = FloatNet([([[1.0], [1.0]], [0.0, -9.5]), ([[1.0, 1.0]], [0.0])])
    exact = Integers(net)
    asked = [question(net, [(1, j)], [-10], [10], {(2, 0): 0}, exact=exact) for j in range(2)]

    def late(*arguments):
        raise OutOfTime

    monkeypatch.setattr(shared, "_reached", late)
    with pytest.raises(OutOfTime) as stopped:
        witnesses(asked)
    assert stopped.value.so_far[0] is not None
    with within(Deadline(0)), pytest.raises(OutOfTime) as stopped:
        witnesses(asked)
    assert stopped.value.so_far == [None, None]


@pytest.mark.parametrize("bias", [0.0, -1.0, 0.7])
def test_units_without_incoming_weights_are_decided_at_once(bias):
    """Behind two layers, where bounds of what they would read are wide."""
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in ((6, 12), (12, 12), (12, 8), (8, 2))]
    layers[2][0][:3] = 0
    layers[2][1][:3] = bias
    net = FloatNet(layers)
    for units in ([(3, 0)], [(3, 0), (3, 1), (3, 2)]):
        found = irrelevant(net, units, [-1] * 6, [1] * 6, nodes=1, seconds=None)
        assert found.verdict == "unsat"
        check_fact(found.fact)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_repeated_rows_that_cancel_are_decided_at_once(factor):
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(b, a)), rng.normal(size=b)) for a, b in ((6, 12), (12, 12), (12, 8), (8, 2))]
    layers[2][0][1], layers[2][1][1] = layers[2][0][0] * factor, layers[2][1][0] * factor
    layers[3][0][:, 0] = -factor * layers[3][0][:, 1]
    net = FloatNet(layers)
    found = irrelevant(net, [(3, 0), (3, 1)], [-1] * 6, [1] * 6, nodes=1, seconds=None)
    assert found.verdict == "unsat"
    check_fact(found.fact)
