"""The facts of rank and hull: what they say, by another computation; each way to be wrong has its reason."""

import copy
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.hull import Combination, Separation, detector, locate
from proof_of_absence.checker.construct.rank import Dependency, FullRank, full_rank
from proof_of_absence.checker.independent.facts import KINDS, check_fact
from proof_of_absence.checker.independent.kinds.rank import LARGEST_PRIME
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.circuit import hidden_units
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import matrix, vector
from proof_of_absence.proofs import facts
from tests.checker.independent.oracles import true
from tests.checker.independent.test_tampering import DELTAS, change, numbers_in

INPUTS = matrix([[0], [0], [1], [2], ["5/2"]])
NET = shallow([([1], 0, [1]), ([1], -1, [1])], [0])
TWICE = shallow([([1], 0, [1]), ([2], 0, [1])], [0])
DEEP = MLP((*NET.layers[:1], Affine([[1, 0], [0, 1]], [0, "1/2"]), Affine([[1, 1]], [0])))
SQUARE = matrix([[0, 0], [2, 0], [0, 2], [2, 2]])

RANK = full_rank(NET, INPUTS).fact(NET, INPUTS)
DEEP_RANK = full_rank(DEEP, INPUTS, 2).fact(DEEP, INPUTS)
DEPENDENT = full_rank(TWICE, INPUTS).fact(TWICE, INPUTS)
OUTSIDE = locate(SQUARE, [3, 1]).fact(SQUARE, vector([3, 1]))
INSIDE = locate(SQUARE, [1, "1/2"]).fact(SQUARE, vector([1, "1/2"]))
FACTS = [RANK, DEEP_RANK, DEPENDENT, OUTSIDE, INSIDE]


def test_the_facts_are_of_these_kinds():
    assert {fact["kind"] for fact in FACTS} == {"full-rank", "dependency", "outside-hull", "inside-hull"} <= set(KINDS)


@pytest.mark.parametrize("fact", FACTS)
def test_they_are_accepted(fact):
    check_fact(fact)
    assert true(fact, None)


@given(st.data(), st.sampled_from(FACTS), DELTAS)
@settings(max_examples=300)
def test_a_changed_number_is_refused_exactly_if_the_fact_is_false(data, fact, by):
    changed = change(fact, data.draw(st.sampled_from(list(numbers_in(fact)))), by)
    try:
        check_fact(changed)
    except Refused:
        assert not true(changed, None)
    else:
        assert true(changed, None)


@pytest.mark.parametrize(
    ("fact", "more", "match"),
    [
        (RANK, {"prime": 4}, "not a prime"),
        (RANK, {"prime": 2147483647 * 2147483629}, "not a prime"),  # beyond what trial division is used for
        (RANK, {"prime": LARGEST_PRIME + 15}, "not a prime"),  # a prime, but larger than allowed
        (RANK, {"prime": 1}, "not a prime"),
        (RANK, {"prime": -7}, "not a prime"),
        (RANK, {"prime": "7"}, "not a prime"),
        (RANK, {"prime": True}, "not a prime"),
        (RANK, {"prime": 2, "rows": [0, 2, 4]}, "a denominator is a multiple of the prime"),
        (RANK, {"rows": [0, 1, 2]}, "the minor is 0 modulo the prime"),  # equal inputs
        (RANK, {"rows": [2, 2, 3]}, "the minor is 0 modulo the prime"),
        (RANK, {"rows": [0, 2]}, "one row more than there are units"),
        (RANK, {"rows": [0, 2, 3, 4]}, "one row more than there are units"),
        (RANK, {"rows": [0, 2, 5]}, "a row is no input's"),
        (RANK, {"rows": [0, 2, -1]}, "a row is no input's"),
        (RANK, {"rows": [False, 2, 3]}, "the rows are not named"),
        (RANK, {"rows": "023"}, "the rows are not named"),
        (RANK, {"layer": 2}, "no such hidden layer"),
        (RANK, {"layer": 0}, "no such hidden layer"),
        (RANK, {"layer": True}, "no such hidden layer"),
        (RANK, {"net": DEPENDENT["net"]}, "the minor is 0 modulo the prime"),
        (DEPENDENT, {"coefficients": ["0", "0", "0"]}, "all coefficients are 0"),
        (DEPENDENT, {"coefficients": ["0", "-2"]}, "not one coefficient for each column"),
        (DEPENDENT, {"coefficients": ["0", "-2", "1", "0"]}, "not one coefficient for each column"),
        (DEPENDENT, {"coefficients": ["0", "2", "1"]}, "not 0 at"),
        (DEPENDENT, {"coefficients": ["1", "0", "0"]}, "not 0 at"),
        (DEPENDENT, {"layer": 2}, "no such hidden layer"),
        (DEPENDENT, {"net": RANK["net"]}, "not 0 at"),
        (OUTSIDE, {"point": ["1", "1"]}, "the point is not beyond the half-space"),
        (OUTSIDE, {"point": ["2", "0"]}, "the point is not beyond the half-space"),  # on the boundary
        (OUTSIDE, {"bias": "0"}, "is beyond the half-space too"),
        (OUTSIDE, {"weights": ["1"]}, "malformed outside-hull"),
        (INSIDE, {"combination": []}, "the weights do not sum to 1"),
        (INSIDE, {"combination": [[0, "1/2"]]}, "the weights do not sum to 1"),
        (INSIDE, {"combination": [[0, "1"]]}, "the point, entry 0: stated 1, recomputed 0"),
        (INSIDE, {"combination": [[0, "2"], [1, "-1"]]}, "a negative weight"),
        (INSIDE, {"combination": [[0, "1/2"], [0, "1/2"]]}, "an input has two weights"),
        (INSIDE, {"combination": [[4, "1"]]}, "a weight of no input"),
        (INSIDE, {"combination": [[-1, "1"]]}, "a weight of no input"),
        (INSIDE, {"combination": [[True, "1"]]}, "a weight of no input"),
        (INSIDE, {"combination": [["0", "1"]]}, "a weight of no input"),
        (INSIDE, {"combination": [["0"]]}, "malformed inside-hull"),
        (INSIDE, {"point": ["1"]}, "the point has the wrong dimension"),
        (INSIDE, {"point": ["1", "1/2", "0"]}, "the point has the wrong dimension"),
    ],
)
def test_a_reason_is_given(fact, more, match):
    with pytest.raises(Refused, match=match):
        check_fact(fact | more)


@pytest.mark.parametrize("fact", FACTS)
def test_every_field_is_needed(fact):
    for field in set(fact) - {"kind"}:
        with pytest.raises(Refused, match=f"malformed {fact['kind']}: KeyError"):
            check_fact({key: value for key, value in fact.items() if key != field})


def test_a_minor_that_only_vanishes_modulo_the_prime_is_refused_though_the_rank_is_full():
    # On 0, 7, 8 the minor of 1, relu(z), relu(z - 7) is 7.
    wide = shallow([([1], 0, [1]), ([1], -7, [1])], [0])
    inputs = matrix([[0], [7], [8]])
    fact = FullRank(1, (0, 1, 2), 11).fact(wide, inputs)
    check_fact(fact)
    with pytest.raises(Refused, match="the minor is 0 modulo the prime"):
        check_fact(fact | {"prime": 7})


def test_what_is_dependent_on_some_inputs_is_refused_on_more():
    fact = Dependency(1, vector([1, -1, 1])).fact(shallow([([1], 1, [1]), ([1], 0, [1])], [0]), matrix([[0], [3]]))
    check_fact(fact)
    more = copy.deepcopy(fact)
    more["inputs"].append(["-1/2"])
    with pytest.raises(Refused, match="not 0 at"):
        check_fact(more)


def test_inside_and_outside_exclude_each_other():
    for point in ([1, 1], [3, 1], [2, 1], [-1, "1/2"]):
        place = locate(SQUARE, point)
        claims = [place.fact(SQUARE, vector(point))]
        check_fact(claims[0])
        other = (
            Combination({0: Fraction(1, 2), 3: Fraction(1, 2)})
            if isinstance(place, Separation)
            else Separation(vector([1, 0]), Fraction(-2))
        )
        with pytest.raises(Refused):
            check_fact(other.fact(SQUARE, vector(point)))


def test_a_detector_that_does_not_fire_is_refused():
    net = shallow([(w, b, [a]) for w, b, a in detector(SQUARE, [1, "1/2"])], [0])
    fact = facts.idle(net, hidden_units(net), SQUARE)
    check_fact(fact | {"fires": ["1", "1/2"]})
    for silent in SQUARE:
        with pytest.raises(Refused, match="does not fire there"):
            check_fact(fact | {"fires": [str(x) for x in silent]})
    with pytest.raises(Refused, match="the circuit is not idle"):
        check_fact(fact | {"circuit": [[1, 0]]})
