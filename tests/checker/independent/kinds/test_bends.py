"""C20's bends: accepted exactly if they are so, by another computation; and no net has more bends than units."""

import copy
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs import facts
from tests.checker.changed import accepted
from tests.checker.independent.oracles import true
from tests.checker.independent.test_tampering import DELTAS, change, numbers_in

# Up at 1 and 3, down at 2 on one line; on the other the reverse. One input repeats.
PLANE = Dataset(
    [*([x, 0] for x in range(5)), *([x, x + 1] for x in range(5)), [0, 0]],
    [[y, 7] for y in (0, 0, 1, 0, 1, 1, 1, 0, 1, 0, -1)],
)
LINES = [[x, 0] for x in range(5)], [[x, x + 1] for x in range(5)]
FACT = facts.bends(PLANE, 0, *LINES)


def test_it_is_accepted_and_counts_what_was_drawn():
    check_fact(FACT)
    assert true(FACT, None)
    assert [len(FACT[name]) for name in ("up", "down")] == [2, 2] and FACT["units"] == 4


@given(st.data(), DELTAS)
@settings(max_examples=150, deadline=None)
def test_a_changed_number_is_refused_exactly_if_the_fact_is_false(data, by):
    changed = change(FACT, data.draw(st.sampled_from(list(numbers_in(FACT)))), by)
    assert accepted(changed) == true(changed, None)


ONE = FACT["up"][0]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"output": 2}, "no such output"),
        ({"output": 1}, "do not bend up"),
        ({"up": FACT["down"]}, "do not bend up"),
        ({"down": FACT["up"]}, "do not bend down"),
        ({"up": [ONE[:2]]}, "not three inputs"),
        ({"up": [ONE, ONE]}, "do not follow one another"),
        ({"up": [[ONE[1], ONE[0], ONE[2]]]}, "not between the ends"),
        ({"up": [[ONE[0], ONE[1], ["5", "0"]]]}, "no training input"),
        ({"up": [ONE, FACT["down"][0]]}, "lie on no line"),
        ({"up": [[ONE[0], ONE[1], ONE[0]]]}, "no direction"),
        ({"units": 5}, "the units: stated 5, recomputed 4"),
        ({"units": True, "up": [ONE], "down": []}, "not a whole number"),
    ],
)
def test_each_way_to_be_wrong_is_refused_with_its_reason(more, match):
    with pytest.raises(Refused, match=match):
        check_fact(copy.deepcopy(FACT) | more)


small = st.fractions(-3, 3, max_denominator=2)


@given(st.lists(st.tuples(small, small, small, small), min_size=1, max_size=4), small)
@settings(max_examples=100, deadline=None)
def test_no_net_has_more_bends_than_units(units, shift):
    """Along every line: the outputs of a random net as data, whose bends are as many as its units at most."""
    net = shallow([([w, w2], b, [a]) for w, w2, b, a in units], [shift])
    inputs = [z for line in LINES for z in line]
    fact = facts.bends(Dataset(inputs, net.outputs(inputs)), 0, *LINES)
    check_fact(fact)
    assert fact["units"] <= len(units)


def test_a_mean_counts_and_not_its_rows():
    """The mean of 1 and -1 at the middle is on the chord."""
    data = Dataset([[0], [1], [1], [2]], [[0], [1], [-1], [0]])
    assert facts.bends(data, 0, [[0], [1], [2]], [[0], [1], [2]])["units"] == 0
    assert Fraction(FACT["data"]["targets"][0][0]) == 0
