"""The facts of C23: accepted exactly if they are so, by another computation; each way to be wrong has its reason."""

import copy
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.cover import cover
from proof_of_absence.checker.independent.facts import KINDS, check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import matrix, vector
from proof_of_absence.proofs import c23_confinement as c23
from proof_of_absence.proofs import facts
from tests.checker.changed import accepted
from tests.checker.independent.kinds import confinement as oracle
from tests.checker.independent.oracles import true
from tests.checker.independent.test_tampering import DELTAS, change, numbers_in

SQUARE = matrix([[0, 0], [2, 0], [0, 2], [2, 2]])
LEFT = shallow([([1, 1], -1, [1])], [0])
DEEP = MLP((*shallow([([1, 0], 1, [1]), ([1, 1], -4, [1])], [0]).layers, Affine([[2]], [1])))
INSIDE = matrix([["3/2", "3/2"], [2, 1]])
COVERED = facts.covered(LEFT, DEEP, SQUARE, {x: cover([LEFT, DEEP], SQUARE, x) for x in INSIDE})
GAPS = c23._gaps(c23.ZIGZAG, c23.SINGLE)
TURNS = facts.alternation(c23.ZIGZAG, c23.SINGLE, [[x] for x in c23.ALTERNATE])
CROSSED = facts.crossed_boxes([1, -2], Fraction(1, 2), [[0, 1, 3], [-1, 0, "1/2"]])
COST = facts.grid_cost(c23.RAMP_UP, c23.RAMP_END, [[0, 1, 2, 4]] * 2, Fraction(1, 4))
FACTS = [COVERED, GAPS, TURNS, CROSSED, COST]


def test_the_facts_are_of_all_the_kinds():
    assert {fact["kind"] for fact in FACTS} == set(oracle.SAYS) <= set(KINDS)


@pytest.mark.parametrize("fact", FACTS)
def test_they_are_accepted(fact):
    check_fact(fact)
    assert true(fact, None)


@given(st.data(), st.sampled_from(FACTS), DELTAS)
@settings(max_examples=300, deadline=None)
def test_a_changed_number_is_refused_exactly_if_the_fact_is_false(data, fact, by):
    changed = change(fact, data.draw(st.sampled_from(list(numbers_in(fact)))), by)
    assert accepted(changed) == true(changed, None)


def put(fact, **more):
    return copy.deepcopy(fact) | more


@pytest.mark.parametrize(
    ("fact", "match"),
    [
        (put(COVERED, points=[]), "no point at all"),
        (put(COVERED, right=TURNS["right"]), "other inputs or outputs"),
        (
            put(COVERED, points=[COVERED["points"][0] | {"combination": [[0, "1/4"], [3, "3/4"]]}]),
            "a unit changes sign between the inputs",
        ),
        (put(COVERED, points=[COVERED["points"][0] | {"difference": ["0"]}]), "the difference, entry 0"),
        (put(GAPS, left=COVERED["right"], right=COVERED["right"]), "not a shallow net"),
        (put(GAPS, inputs=GAPS["inputs"][:1]), "one input is no line"),
        (put(GAPS, inputs=[["0"], ["1"], ["0"]]), "the line has no direction"),
        (put(GAPS, inputs=[["0"], ["0"], ["4"]]), "the inputs are not in order"),
        (put(GAPS, inputs=[*GAPS["inputs"], ["9"]]), "the nets differ at"),
        (put(GAPS, differ=[*GAPS["differ"], GAPS["differ"][0]]), "a gap is listed twice"),
        (put(GAPS, differ=[[3, "1/2"]]), "no such gap"),
        (put(GAPS, differ=[[0, "1"]]), "not a share of a gap"),
        (put(GAPS, gaps=2), "the gaps: stated 2, recomputed 3"),
        (put(GAPS, gaps=True, differ=GAPS["differ"][:1]), "the gaps: not a whole number"),
        (put(GAPS, units=4), "the units: stated 4, recomputed 3"),
        (put(TURNS, output=1), "no such output"),
        (put(TURNS, inputs=TURNS["inputs"][::2]), "keeps its sign"),
        (put(TURNS, points=6), "the points: stated 6, recomputed 5"),
        (put(CROSSED, axes=[["0", "1"], ["1", "0"]]), "do not increase"),
        (put(CROSSED, axes=[["0"], ["1"]]), "the grid has no box"),
        (put(CROSSED, axes=[["0", "1"]] * 3), "another dimension than the grid"),
        (put(CROSSED, axes=[["0", "1"]] * 12), "too many boxes"),
        (put(CROSSED, most=4), "the bound: stated 4, recomputed 3"),
        (put(COST, axes=COST["axes"][:1]), "another dimension than the grid"),
        (put(COST, square="-1"), "a square is negative"),
        (put(COST, moved=[[[0, 3], ["0", "3"]]]), "no such box"),
        (put(COST, moved=[[[0, 0], ["2", "0"]]]), "a point is not in its box"),
        (put(COST, moved=[[[0, 0], ["0", "0"]]]), "the nets are closer in the box"),
        (put(COST, moved=[COST["moved"][0]] * 2), "a box is listed twice"),
        (put(COST, bound="100"), "the bound: stated 100"),
    ],
)
def test_each_way_to_be_wrong_has_its_reason(fact, match):
    with pytest.raises(Refused, match=match):
        check_fact(fact)


def test_inputs_off_the_line_are_refused():
    flat = shallow([([0, 0], 0, [1])], [0])
    fact = facts.line_gaps(flat, flat, [[0, 0], [1, 1], [2, 0]], {})
    with pytest.raises(Refused, match="lie on no line"):
        check_fact(fact)
    check_fact(facts.line_gaps(flat, flat, [[0, 0], [1, 1], [2, 2]], {}))


numbers = st.fractions(-3, 3, max_denominator=2)
units = st.lists(st.tuples(st.tuples(numbers, numbers), numbers, st.tuples(numbers)), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(units, units, st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4), st.data())
def test_what_is_covered_is_accepted_and_what_is_said_is_so(one, other, inputs, data):
    left, right = shallow(one, [1]), shallow(other, [0])
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(inputs), max_size=len(inputs)).filter(any))
    total = sum(weights)
    x = vector(sum(w * z[k] for w, z in zip(weights, inputs, strict=True)) / Fraction(total) for k in (0, 1))
    point = {
        "point": [str(v) for v in x],
        "combination": [[i, str(Fraction(w, total))] for i, w in enumerate(weights)],
        "difference": [str(left(x)[0] - right(x)[0])],
    }
    base = facts.covered(left, right, matrix(inputs), {})
    fact = base | {"points": [point]}
    assert accepted(fact) == oracle.covered(fact)
    if found := cover([left, right], inputs, x):
        check_fact(facts.covered(left, right, matrix(inputs), {x: found}))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.data())
def test_boxes_are_counted_as_their_corners_say_and_never_exceed_the_bound(d, s, data):
    coordinates = st.lists(numbers, min_size=s + 1, max_size=s + 1, unique=True).map(sorted)
    axes = data.draw(st.lists(coordinates, min_size=d, max_size=d))
    w = data.draw(st.lists(numbers, min_size=d, max_size=d))
    fact = facts.crossed_boxes(w, data.draw(numbers), axes)
    check_fact(fact)
    assert oracle.crossed_boxes(fact)
    assert fact["crossed"] <= fact["most"] <= s**d
    assert s * fact["most"] <= d * s**d


@settings(max_examples=30, deadline=None)
@given(units, units, st.integers(1, 3), st.fractions(0, 4, max_denominator=4))
def test_the_cost_is_at_least_its_bound(one, other, s, square):
    fact = facts.grid_cost(shallow(one, [1]), shallow(other, [0]), [range(s + 1)] * 2, square)
    check_fact(fact)
    assert oracle.grid_cost(fact)
    assert Fraction(fact["bound"]) <= Fraction(fact["cost"])
