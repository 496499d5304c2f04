"""Least losses of nets that defect, against enumeration on the line, random nets, and their own certificates."""

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.checker.minima.defection import Prices, least_defecting
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs import facts
from tests.checker.independent.kinds.defection import defection_price_is
from tests.checker.minima.line_minimum import least_beyond

TARGETS = st.integers(-3, 3)
COORDINATE = st.integers(-2, 2)
HALVES = st.integers(-6, 6).map(lambda k: Fraction(k, 2))
SIDE = st.sampled_from((1, -1))
ONE = st.lists(st.tuples(st.tuples(COORDINATE), TARGETS), min_size=1, max_size=4)
TWO = st.lists(st.tuples(st.tuples(COORDINATE, COORDINATE), TARGETS), min_size=1, max_size=5)
# That of N1.one-unit.
FIVE = Dataset([[x] for x in range(5)], [[y] for y in (0, 0, 1, 0, 1)])
SQUARE = Dataset([[0, 0], [0, 1], [1, 0], [1, 1], [1, 1]], [[0], [1], [1], [0], [1]])
ZERO = {1: shallow([([0], 0, [0])], [0]), 2: shallow([([0, 0], 0, [0])], [0])}


def dataset(rows):
    return Dataset([x for x, _ in rows], [[y] for _, y in rows])


def fact_of(data, units, points, steps, base=None):
    minimum, start = global_minimum(data, units), base or ZERO[len(data.inputs[0])]
    return facts.priced(data, minimum, start, facts.prices(data, minimum, start, points, steps))


@given(ONE, st.integers(0, 2), HALVES, SIDE, HALVES)
@settings(max_examples=12, deadline=None)
def test_on_the_line_it_is_what_enumeration_finds(rows, units, point, side, level):
    data = dataset(rows)
    found = least_defecting(data, units, [point], side, level)
    assert found.loss == data.loss(found.net) == least_beyond(data, units, point, side, level)
    assert side * (found.net([point])[0] - level) >= 0


@given(st.one_of(ONE, TWO), st.integers(0, 2), st.lists(HALVES, min_size=2, max_size=2), HALVES)
@settings(max_examples=25, deadline=None)
def test_the_independent_checker_accepts_it_and_no_lower_price(rows, units, point, by):
    data = dataset(rows)
    fact = fact_of(data, units, [point[: len(data.inputs[0])]], [abs(by)])
    check_fact(fact)
    assert defection_price_is(fact)
    for k, entry in enumerate(fact["prices"]):
        changed = [*fact["prices"]]
        changed[k] = entry | {"price": str(Fraction(entry["price"]) - Fraction(1, 100))}
        with pytest.raises(Refused, match="the price: stated"):
            check_fact(fact | {"prices": changed})


@given(st.one_of(ONE, TWO), st.integers(1, 2), st.lists(HALVES, min_size=2, max_size=2), SIDE, HALVES)
@settings(max_examples=20, deadline=None)
def test_random_nets_that_defect_never_beat_it(rows, units, point, side, level):
    data = dataset(rows)
    place = point[: len(data.inputs[0])]
    found = least_defecting(data, units, place, side, level)
    draw = random.Random(repr(rows))
    architecture = Architecture(found.net.widths)
    best = Architecture.parameters(found.net)
    for spread in (Fraction(1, 10), 1, 5):
        for _ in range(20):
            net = architecture.net([a + Fraction(draw.randint(-20, 20), 20) * spread for a in best])
            if side * (net(place)[0] - level) >= 0:
                assert data.loss(net) >= found.loss


@given(st.one_of(ONE, TWO), st.integers(0, 2), st.lists(HALVES, min_size=2, max_size=2), SIDE)
@settings(max_examples=20, deadline=None)
def test_it_grows_with_the_level_from_the_least_loss_and_falls_with_the_units(rows, units, point, side):
    data = dataset(rows)
    search = Prices(data, point[: len(data.inputs[0])])
    losses = [search.least(units, side, side * level).loss for level in (-100, -1, 0, 1, 5)]
    assert all(a <= b for a, b in pairwise(losses))
    assert losses[0] == global_minimum(data, units).loss
    assert search.least(units + 1, side, side * 5).loss <= losses[-1]


@given(TWO, st.lists(HALVES, min_size=2, max_size=2), SIDE, HALVES)
@settings(max_examples=15, deadline=None)
def test_rows_at_the_point_pull_a_net_there_for_no_less_than_the_price(rows, point, side, level):
    data = dataset(rows)
    search = Prices(data, point)
    found = search.least(1, side, level)
    for weight in (1, 32):
        heavy = Dataset([*data.inputs, *[point] * weight], [*data.targets, *[[level]] * weight])
        pulled = global_minimum(heavy, 1)
        (reached,) = pulled.net(point)
        assert search.least(1, side, reached).loss <= data.loss(pulled.net)
        if found.net(point)[0] == level:
            assert pulled.loss * len(heavy) <= found.loss * len(data)


def test_at_a_training_input_of_multiplicity_the_distance_is_paid_with_it():
    # One unit and two inputs: the other input is fitted, so the price is nu |f(x) - ybar|^2 / N.
    data = Dataset([[0], [1], [1], [1]], [[0], [2], [2], [2]])
    for by in (1, 2, 5):
        assert least_defecting(data, 1, [1], 1, 2 + by).loss == Fraction(3 * by * by, 4)


def test_the_prices_of_one_unit_by_hand():
    # One answer, 0, everywhere: a unit beyond the data is free, and between two inputs it lifts one of them.
    data = Dataset([[0], [1]], [[0], [0]])
    assert least_defecting(data, 1, [2], 1, 7).loss == 0
    # One side of a hinge is flat: so f is 1 or more at one of the two ends, and 1 - relu(2 x - 1) has that error.
    assert least_defecting(data, 1, ["1/2"], 1, 1).loss == Fraction(1, 2)
    # Two units bend twice: 2 relu(x) - 4 relu(x - 1/2) is 0 at both ends and 1 between.
    assert least_defecting(data, 2, ["1/2"], 1, 1).loss == 0


def test_bad_questions_are_refused():
    for arguments, words in (
        ((FIVE, 1, [0], 0, 1), "not 0"),
        ((FIVE, -1, [0], 1, 1), "-1 hidden units"),
        ((FIVE, 1, [0, 0], 1, 1), "the point has 2 coordinates"),
        ((Dataset([[0]], [[0, 1]]), 1, [0], 1, 1), "one output"),
    ):
        with pytest.raises(ValueError, match=words):
            least_defecting(*arguments)


@pytest.mark.parametrize(
    ("data", "units", "points"), [(FIVE, 1, [["5/2"], [5]]), (FIVE, 2, [["5/2"], [3]]), (SQUARE, 1, [["1/2", "1/2"]])]
)
def test_no_residual_can_be_left_out_and_none_changed(data, units, points):
    whole = fact_of(data, units, points, [1, 2])
    check_fact(whole)

    def refused(k, words, **changed):
        entries = [*whole["prices"]]
        entries[k] = entries[k] | changed
        with pytest.raises(Refused, match=words):
            check_fact(whole | {"prices": entries})

    for k, entry in enumerate(whole["prices"]):
        table = entry["residuals"]
        for at, r in enumerate(table):
            rest = table[:at] + table[at + 1 :]
            refused(k, "no residual bounds the nets" if rest else "a table is missing", residuals=rest)
            refused(k, "too low a bound|multiplier is negative|no residual bounds",
                    residuals=[*rest, [str(2 * Fraction(x) + 1) for x in r]])  # fmt: skip
        refused(k, "does not defect by so much", by=str(Fraction(entry["by"]) + 100))
        refused(k, "does not defect|up or down", side=-entry["side"])
        refused(k, "up or down", side=True)
        refused(k, "another dimension", point=[*entry["point"], "0"])
        refused(k, "not over the distinct inputs", residuals=[["0"]])
    with pytest.raises(Refused, match="no price"):
        check_fact(whole | {"prices": []})
    with pytest.raises(Refused):
        check_fact(whole | {"units": units + 1})


def test_a_multiplier_must_not_be_negative():
    # The residual of a net far above the data has a negative sum: as a bound for upward defections it is no bound.
    data = Dataset([[0], [1]], [[0], [0]])
    whole = fact_of(data, 1, [["1/2"]], [1])
    up = whole["prices"][0]
    with pytest.raises(Refused, match="multiplier is negative"):
        check_fact(whole | {"prices": [up | {"residuals": [["1", "1"]]}]})


def test_a_price_of_other_data_or_another_minimum_is_refused():
    whole = fact_of(FIVE, 1, [["5/2"]], [1])
    other = fact_of(FIVE, 2, [["5/2"]], [1])
    with pytest.raises(Refused):
        check_fact(whole | {"minimum": other["minimum"]})
    targets = [[str(y + 1)] for (y,) in FIVE.targets]
    with pytest.raises(Refused):
        check_fact(whole | {"data": data_json(FIVE) | {"targets": targets}})
    with pytest.raises(Refused, match="not a base policy"):
        check_fact(whole | {"base": net_json(shallow([([0], 0, [0, 0])], [0, 0]))})
