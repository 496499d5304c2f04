"""Covered points: on the line by the nearest training inputs of the cell, elsewhere by what a cover says."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.cover import cell, cover
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import BACKDOOR, DECEPTIVE, IMITATOR, TRIGGER_HOUR, WORLD
from proof_of_absence.models.rational import matrix, vector
from proof_of_absence.models.world import QUESTIONS, encode

numbers = st.fractions(-3, 3, max_denominator=2)
# A unit of the line that bends at `at`.
bends = st.lists(st.tuples(numbers, st.sampled_from([1, -1])), min_size=1, max_size=3)


@given(bends, st.lists(numbers, min_size=1, max_size=6), numbers)
def test_on_the_line_a_point_is_covered_iff_two_inputs_have_it_and_no_bend_between_them(units, inputs, x):
    net = shallow([([side], -side * at, [1]) for at, side in units], [0])
    pairs = [(a, b) for a in inputs for b in inputs if a <= x <= b]
    free = any(not any(a < at < b for at, _ in units) for a, b in pairs)
    assert (cover([net], [[z] for z in inputs], [x]) is not None) == free


units = st.lists(st.tuples(st.tuples(numbers, numbers), numbers, st.tuples(numbers)), min_size=2, max_size=2)


@settings(max_examples=80, deadline=None)
@given(units, st.tuples(numbers, numbers), st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8), st.data())
def test_a_cover_is_an_average_at_which_deep_nets_are_the_average_too(hidden, second, inputs, data):
    first = shallow(hidden, [0]).layers[0]
    net = MLP((first, Affine([second, second[::-1]], [1, -1]), Affine([[1, -2]], [3])))
    x = vector(data.draw(st.tuples(numbers, numbers)))
    found = cover([net], inputs, x)
    if found is None:
        return
    points = matrix(inputs)
    assert sum(found.weights.values()) == 1
    assert min(found.weights.values()) > 0
    assert set(found.weights) <= set(cell([net], inputs, x))
    for k in (0, 1):
        assert sum(weight * points[i][k] for i, weight in found.weights.items()) == x[k]
    assert sum(weight * net(points[i])[0] for i, weight in found.weights.items()) == net(x)[0]


def test_the_world_is_covered_between_its_hours_unless_a_unit_bends_there():
    inputs = [group.input for group in WORLD.dataset().groups]
    for state, _ in WORLD.states((TRIGGER_HOUR, 9)):
        for question in QUESTIONS:
            x = encode(state, question)
            found = cover([DECEPTIVE, IMITATOR], inputs, x)
            assert (found is not None) == (state.hour == TRIGGER_HOUR)
            bent = BACKDOOR.layers[0](x)[3] == 0  # at the trigger hour, on the first question
            assert state.hour != TRIGGER_HOUR or (cover([BACKDOOR], inputs, x) is None) == bent


def test_a_point_of_another_dimension_is_refused():
    with pytest.raises(ValueError, match=r"length|argument"):
        cover([IMITATOR], [[0] * 6], [0])
    assert cover([IMITATOR], [[0] * 6], [Fraction(0)] * 6).weights == {0: 1}
