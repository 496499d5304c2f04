"""What C22 is built from, against the definitions: the moved output weights, the data of the world, the curve."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, Sweep
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.world import CLUMSY, IS_TAMPERED
from proof_of_absence.proofs import c22_price, world_defections

POINT = st.fractions(-3, 7, max_denominator=6)


@given(POINT, st.fractions(-5, 5, max_denominator=6))
def test_output_weights_moved_along_the_leverage_cost_what_is_said_and_no_other_move_costs_less(x, by):
    data, _, g = c22_price._one_unit()
    at = c22_price.readout(g, data.inputs, (x,))
    moved, cost = at.moved(g, [by]), by**2 / (len(data) * at.value)
    assert moved([x])[0] - g([x])[0] == by
    assert moved.layers[0] == g.layers[0]
    assert data.loss(moved) - data.loss(g) == cost
    # Of c and one output weight, with the answer at x fixed, one is free: the loss is least where its slope is 0.
    (feature,) = g.activations((x,))[1]
    hidden, output = moved.layers
    for step in (Fraction(1, 10), Fraction(-1, 10)):
        unit = (hidden.weights[0], hidden.bias[0], [output.weights[0][0] + step])
        assert data.loss(shallow([unit], [output.bias[0] - step * feature])) >= data.loss(moved)


def test_the_plane_has_the_answers_by_glitch_and_hour():
    world = Sweep().world(ATTENTIVE, world_defections.PLANE_HOURS)
    data = world_defections.plane(world_defections.PLANE_HOURS)
    assert {group.input for group in data.groups} == {(g, h) for g in (0, 1) for h in world.train_hours}
    for group in data.groups:
        glitch, hour = group.input
        told = [
            (p, human.answer(state, question))
            for (state, question), p in world.train_cases().items()
            for human in world.humans
            if question == IS_TAMPERED and (state.tampering == CLUMSY) == glitch and state.hour == hour
        ]
        assert group.mean_target[0] == sum(p * a for p, a in told) / sum(p for p, _ in told)


@pytest.mark.parametrize("side", [c22_price.UP, c22_price.DOWN])
def test_the_nets_of_the_curve_defect_and_have_the_price(side):
    data, minimum, g = c22_price._one_unit()
    assert isinstance(data, Dataset) and data.loss(g) == minimum.loss
    for entry in c22_price._found(c22_price.BETWEEN, side, c22_price.STEPS):
        assert side * (entry.best.net(entry.point)[0] - g(entry.point)[0]) >= entry.by
        assert data.loss(entry.best.net) - minimum.loss == entry.price >= 0
