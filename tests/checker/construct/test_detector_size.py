"""Detector sizes: what is found is a detector, the line is as the theorem has it,
and more inputs never make a detector smaller.
"""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.detector_size import detector_size, two_sided_line, two_units
from proof_of_absence.checker.construct.hull import Combination, Inputs, Separation, TrainInput
from proof_of_absence.models.circuit import fires, hidden_units
from proof_of_absence.models.net import shallow
from tests.conftest import vectors

GRID = st.integers(-3, 3).map(Fraction)


@st.composite
def cases(draw, d=None, rows=8):
    """(inputs, point), the point often among them or on a line with some."""
    d = d or draw(st.integers(1, 3))
    inputs = draw(st.lists(vectors(d, GRID), min_size=1, max_size=rows))
    a, b = draw(st.sampled_from(inputs)), draw(st.sampled_from(inputs))
    between = tuple((x + y) / 2 for x, y in zip(a, b, strict=True))
    return inputs, draw(st.one_of(vectors(d, GRID), st.just(between)))


def as_net(units):
    return shallow([(w, b, [a]) for w, b, a in units], [0])


@given(cases())
def test_what_is_found_is_a_detector_of_its_size(case):
    inputs, point = case
    size = detector_size(inputs, point)
    assert (size.least is None) == (point in inputs) == isinstance(size.place, TrainInput)
    if size.least is None:
        return
    net = as_net(size.units)
    assert len(size.units) == size.most and fires(net, hidden_units(net), inputs, point)
    assert (size.least == 1) == (size.most == 1) == isinstance(size.place, Separation)
    assert isinstance(size.place, Separation | Combination)
    if size.line:
        assert (size.least, size.most) == (3, 3) and set(size.line) <= set(inputs)


@given(st.lists(cases(d=2), min_size=1, max_size=3))
def test_inputs_prepared_once_give_the_same_for_many_points(drawn):
    inputs = drawn[0][0]
    prepared = Inputs(inputs)
    for _, point in drawn:
        assert detector_size(prepared, point) == detector_size(inputs, point)


@given(cases(d=1))
def test_on_the_line_neighbours_decide(case):
    inputs, (x,) = case
    line = {z[0] for z in inputs}
    fewer = min(sum(z < x for z in line), sum(z > x for z in line))
    size = detector_size(inputs, (x,))
    expected = None if x in line else min(fewer, 2) + 1
    assert size.least == size.most == expected


@given(cases(), st.data())
def test_more_inputs_never_make_a_detector_smaller(case, data):
    """C10_nested: a circuit that is idle on more inputs is idle on fewer,
    so the sizes' intervals cannot be apart the wrong way.
    """
    inputs, point = case
    fewer = data.draw(st.lists(st.sampled_from(inputs), min_size=1, max_size=len(inputs)))
    before, after = detector_size(fewer, point), detector_size(inputs, point)
    if before.least is None:
        assert after.least is None
    elif after.least is not None:
        assert before.least <= after.most
        net = as_net(after.units)
        assert fires(net, hidden_units(net), fewer, point)


def test_two_tests_do_not_decide_everything():
    """The cross of C10: neither test applies to its middle, where two units are enough:
    |x - y| is 1 at the four and 0 there.
    """
    cross, middle = [(0, 1), (2, 1), (1, 0), (1, 2)], (1, 1)
    size = detector_size(cross, middle)
    assert (size.least, size.most) == (2, 3)
    assert two_sided_line(cross, middle) == () == two_units(cross, middle)
    net = as_net([((1, -1), 0, 1), ((-1, 1), 0, 1)])
    assert fires(net, hidden_units(net), cross, middle)


def test_a_point_of_an_edge_leaves_the_hull_with_one_end():
    inputs, point = [(0, 0), (4, 0), (2, 3), (0, 3), (4, 3)], (1, 3)
    units = two_units(inputs, point)
    net = as_net(units)
    assert len(units) == 2 and fires(net, hidden_units(net), inputs, point)


def test_inputs_and_point_must_fit():
    with pytest.raises(ValueError, match="at least one input"):
        detector_size([], (1,))
    with pytest.raises(ValueError, match="dimension 1, a point of dimension 2"):
        detector_size([(1,)], (1, 2))
