"""Relations between stated numbers: against direct evaluation, and what must be refused."""

import copy
import operator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.kinds.conjunction import compare
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs import facts

DATA = Dataset([[0], [1], [2]], [[0], [1], [3]])
FLAT, SLOPE = shallow([([0], 0, [0])], [1]), shallow([([1], 0, [1])], [0])
PARTS = (facts.lower_loss(FLAT, SLOPE, DATA), facts.loss_above_floor(SLOPE, DATA))
VALUES = {(0, "drop"): DATA.loss(FLAT) - DATA.loss(SLOPE), (1, "loss"): DATA.loss(SLOPE), (1, "noise_floor"): 0}
SIGNS = {"<": operator.lt, "<=": operator.le, "=": operator.eq}

small = st.fractions(-3, 3, max_denominator=3)
sides = st.lists(st.tuples(small, st.sampled_from([None, *VALUES])), min_size=1, max_size=3)


def written(side):
    return [(coefficient, *(place or ())) for coefficient, place in side]


def value(side):
    return sum(coefficient * (VALUES[place] if place else 1) for coefficient, place in side)


@given(sides, st.sampled_from(list(SIGNS)), sides)
def test_a_relation_is_accepted_exactly_where_it_holds(left, sign, right):
    fact = facts.every(*PARTS, compared=[(written(left), sign, written(right))])
    if SIGNS[sign](value(left), value(right)):
        check_fact(fact)
    else:
        with pytest.raises(Refused, match="it is not so"):
            check_fact(fact)


def test_every_relation_must_hold():
    true, false = ([("1", 1, "loss")], "=", [("1/3",)]), ([("1",)], "<", [("1",)])
    check_fact(facts.every(*PARTS, compared=[true]))
    with pytest.raises(Refused, match="it is not so"):
        check_fact(facts.every(*PARTS, compared=[true, false]))


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        (["1", 0, "loss"], "lower-loss states no such number"),
        (["1", 0, "before", 0, "drop"], "lower-loss states no such number"),
        (["1", 0, "prices", 0, "low"], "lower-loss states no such number"),
        (["1", 0], "lower-loss states no such number"),
        (["1", 2, "drop"], "malformed all: IndexError"),
        (["1", -2, "drop"], "not the place of a fact"),
        (["1", True, "loss"], "not the place of a fact"),
        ([1, 0, "drop"], "1 is not an exact number"),
        ([], "not a term"),
        ("1", "not a term"),
    ],
)
def test_what_is_not_a_stated_number_is_refused(term, reason):
    fact = facts.every(*PARTS) | {"compared": [[[term], "<=", [["1000000"]]]]}
    # A net may carry anything beside its weights.
    fact = copy.deepcopy(fact)
    fact["facts"][0]["before"][0]["drop"] = "1"
    with pytest.raises(Refused, match=reason):
        check_fact(fact)


@pytest.mark.parametrize("relation", [[[], "<", [["1"]]], [[["1"]], "!=", [["2"]]], [[["1"]], "<"]])
def test_what_is_not_a_relation_is_refused(relation):
    with pytest.raises(Refused):
        check_fact(facts.every(*PARTS) | {"compared": [relation]})


def test_whole_numbers_are_compared_too():
    prices = {"kind": "world-price", "prices": [{"size": 3, "price": "1/2"}]}
    compare([[[["1", 0, "prices", 0, "size"]], "<", [["7/2"]]]], [prices])
    with pytest.raises(Refused, match="states no such number"):
        compare([[[["1", 0, "prices", 0, "hour"]], "<", [["7/2"]]]], [prices])


def test_numbers_of_a_refused_fact_are_not_compared():
    forged = PARTS[0] | {"drop": str(Fraction(PARTS[0]["drop"]) + 1)}
    with pytest.raises(Refused, match="the drop: stated 7/3, recomputed 4/3"):
        check_fact(facts.every(forged, compared=[([("1", 0, "drop")], "<", [("100",)])]))
