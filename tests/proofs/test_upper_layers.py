"""The nets of C27 (iii) and (iv) against what they are said to be: a layer on another, and a residual stream."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs import facts
from proof_of_absence.proofs import upper_layers as upper

places = st.fractions(0, 5, max_denominator=8)


@given(places, st.sampled_from(upper.CENTRES), st.lists(st.fractions(-3, 3, max_denominator=3), min_size=4, max_size=4))
def test_the_whole_net_is_its_last_layer_on_the_distance(x, centre, numbers):
    w, b, a, c = numbers
    net = shallow([([w], b, [a])], [c])
    assert upper.above(net, centre)([x]) == (c + a * max(w * abs(x - centre) + b, 0),)
    assert upper.below(centre)([x]) == (abs(x - centre),)


def through_blocks(x, reading, circuit):
    """The two blocks one after the other, each added to the stream."""
    s = [x, Fraction(0)]
    s[0] -= 2 * max(x - 1, 0)
    sent = circuit(x)
    s = [s[0] + sent[0], s[1] + sent[1]]
    s[0] += upper.WRITTEN * max(reading[0] * s[0] + reading[1] * s[1] - 5, 0)
    return sum(s)


@given(places, st.sampled_from([(1, 0), (1, 1)]))
def test_the_stream_is_that_of_two_residual_blocks(x, reading):
    sent = max(x + 1, 0) + max(5 - x, 0)
    assert upper.stream(reading)([x]) == (through_blocks(x, reading, lambda _: (sent, sent / 2)),)


@pytest.mark.parametrize("reading", [(1, 0), (1, 1)])
def test_the_reused_unit_writes_along_the_second_coordinate(reading):
    """In training: 6 and 3 are in place of the circuit, and s2 gets what the unit writes."""
    after, _ = upper.reused(upper.stream(reading), upper.STREAM_DATA, reading)
    freed = min(upper.STREAM_CIRCUIT)
    (w,), b = after.layers[0].weights[freed.index], after.layers[0].bias[freed.index]
    t = after.layers[1].weights[1][freed.index]
    for (x,) in upper.STREAM_DATA.inputs:
        expected = through_blocks(x, reading, lambda x: (6, 3 + t * max(w * x + b, 0)))
        assert after([x]) == (expected,)


def test_features_that_the_layer_below_does_not_put_out_are_refused():
    data = upper.featured(upper.FEATURED, 1)
    with pytest.raises(Refused, match="above the noise floor"):
        check_fact(facts.loss_at_floor(upper.below(2), type(data)(upper.FEATURED.inputs, data.inputs)))
