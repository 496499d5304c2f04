"""Cross-entropy in ball arithmetic and the step that C17 states, against floating point and finite differences."""

import math

import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.cross_entropy import class_gradients, cross_entropy, cross_entropy_descent
from proof_of_absence.checker.construct.logistic import logistic_loss
from proof_of_absence.checker.numbers.balls import ball
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from tests.conftest import SMALL, vectors


def probabilities(classes):
    """Rows of small natural numbers, over their sum."""
    rows = st.lists(st.integers(0, 4), min_size=classes, max_size=classes).filter(any)
    return rows.map(lambda row: [f"{x}/{sum(row)}" for x in row])


def in_floats(net, data):
    total = 0.0
    for outputs, targets in zip(net.outputs(data.inputs), data.targets, strict=True):
        total += math.log(math.fsum(map(math.exp, outputs))) - math.fsum(
            t * f for t, f in zip(targets, outputs, strict=True)
        )
    return total / len(data)


def in_fine_balls(net, data):
    """The loss at the precision of the context."""
    total = arb(0)
    for outputs, targets in zip(net.outputs(data.inputs), data.targets, strict=True):
        total += sum((ball(f).exp() for f in outputs), arb(0)).log()
        total -= ball(sum(t * f for t, f in zip(targets, outputs, strict=True)))
    return total / len(data)


@given(st.data(), st.integers(1, 4), vectors(2), SMALL)
def test_a_silent_unit_gains_what_the_theorem_promises(data, classes, w, b):
    inputs = data.draw(st.lists(vectors(2), min_size=1, max_size=5))
    examples = Dataset(inputs, [data.draw(probabilities(classes)) for _ in inputs])
    outgoing, shift = data.draw(vectors(classes)), data.draw(vectors(classes))
    net = shallow([(w, b, outgoing), ([0, 0], -1, [1] * classes)], shift)
    before = cross_entropy(net, examples)
    assert float(before.mid()) == pytest.approx(in_floats(net, examples))
    result = cross_entropy_descent(net, {Unit(1, 1)}, examples)
    balanced = all(len(set(net(g.input))) == len(set(g.mean_target)) == 1 for g in examples.groups)
    assert (result is None) == balanced
    if result is not None:
        # Where the net is sure of itself the drop is as small as 1e-48, less than the balls of `cross_entropy`.
        with ctx.workprec(400):
            assert result.drop > 0
            assert in_fine_balls(net, examples) - in_fine_balls(result.net, examples) > ball(result.drop)


@given(st.data(), vectors(2))
def test_gradients_are_those_of_the_loss(data, shift):
    examples = Dataset([[0], [1], [1]], [data.draw(probabilities(2)) for _ in range(3)])
    sums = [sum(column) for column in zip(*class_gradients(shallow([([1], 0, [1, -1])], shift), examples), strict=True)]
    for k, total in enumerate(sums):
        losses = []
        for step in (1e-4, -1e-4):
            moved = [c + (step if i == k else 0) for i, c in enumerate(map(float, shift))]
            losses.append(in_floats(shallow([([1], 0, [1, -1])], moved), examples) * 3)
        assert float(total.mid()) == pytest.approx((losses[0] - losses[1]) / 2e-4, abs=1e-6)


@given(SMALL, SMALL, st.lists(st.integers(0, 1), min_size=3, max_size=3))
def test_the_logistic_loss_is_that_of_two_classes(w, c, labels):
    inputs = [[0], [1], [3]]
    one = shallow([([w], 1, [1])], [c])
    (row,), (bias,) = one.layers[1].weights, one.layers[1].bias
    two = MLP((one.layers[0], Affine([row, [0]], [bias, 0])))
    binary, pairs = Dataset(inputs, [[y] for y in labels]), Dataset(inputs, [[y, 1 - y] for y in labels])
    assert logistic_loss(one, binary).overlaps(cross_entropy(two, pairs))


def test_what_cross_entropy_is_not_for():
    net = shallow([([1], 0, [1, 1])], [0, 0])
    with pytest.raises(ValueError, match="2 outputs for 3 classes"):
        cross_entropy(net, Dataset([[0]], [[1, 0, 0]]))
    for target in ([1, 1], [2, -1], [0, 0]):
        with pytest.raises(ValueError, match="must be probabilities"):
            class_gradients(net, Dataset([[0]], [target]))
    with pytest.raises(ValueError, match="not train-idle"):
        cross_entropy_descent(net, {Unit(1, 0)}, Dataset([[0], [1]], [[1, 0], [0, 1]]))
