"""Certified minima against oracles that share nothing with them:
enumeration on the line, a census, gradient descent, random nets.
"""

import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.circuit import is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture, Family, Grid
from proof_of_absence.models.net import shallow
from proof_of_absence.models.posterior import census
from tests.checker.minima.line_minimum import least_loss

TARGETS = st.integers(-3, 3)
COORDINATE = st.integers(-2, 2)
ONE = st.lists(st.tuples(st.tuples(COORDINATE), TARGETS), min_size=1, max_size=5)
TWO = st.lists(st.tuples(st.tuples(COORDINATE, COORDINATE), TARGETS), min_size=1, max_size=7)
THREE = st.lists(st.tuples(st.tuples(COORDINATE, COORDINATE, COORDINATE), TARGETS), min_size=1, max_size=6)
ANY = st.one_of(ONE, TWO, THREE)
XOR = Dataset([[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]])
ZIGZAG = Dataset([[x] for x in range(6)], [[y] for y in (0, 2, -1, 2, 0, 3)])


def dataset(rows):
    return Dataset([x for x, _ in rows], [[y] for _, y in rows])


def fact(minimum, data, net=None):
    return minimum.fact(net_json(net or minimum.net), data_json(data))


@given(ONE, st.integers(1, 2))
@settings(max_examples=25)
def test_on_the_line_it_is_what_enumeration_finds(rows, units):
    data = dataset(rows)
    minimum = global_minimum(data, units)
    assert minimum.loss == least_loss(data, units) == data.loss(minimum.net)
    check_fact(fact(minimum, data))


@given(ANY, st.integers(0, 3))
@settings(max_examples=40)
def test_the_independent_checker_accepts_it_and_no_worse_net(rows, units):
    data = dataset(rows)
    minimum = global_minimum(data, units)
    assert minimum.net.widths == (len(data.inputs[0]), max(units, 1), 1)
    assert minimum.loss == data.loss(minimum.net) >= data.noise_floor
    check_fact(fact(minimum, data))
    (hidden, output) = minimum.net.layers
    units = zip(hidden.weights, hidden.bias, zip(*output.weights, strict=True), strict=True)
    worse = shallow(units, [output.bias[0] + Fraction(1, 1000)])
    with pytest.raises(Refused, match="a residual gives too low a bound"):
        check_fact(fact(minimum, data, worse))


@given(ANY, st.integers(1, 2))
@settings(max_examples=25)
def test_random_nets_never_beat_it(rows, units):
    data = dataset(rows)
    minimum = global_minimum(data, units)
    draw = random.Random(repr(rows))
    architecture = Architecture(minimum.net.widths)
    best = Architecture.parameters(minimum.net)
    for spread in (Fraction(1, 10), 1, 5):
        for _ in range(20):
            noise = [Fraction(draw.randint(-20, 20), 20) * spread for _ in best]
            assert data.loss(architecture.net([a + b for a, b in zip(best, noise, strict=True)])) >= minimum.loss
            assert data.loss(architecture.net([3 * n for n in noise])) >= minimum.loss


@given(TWO, st.integers(1, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_gradient_descent_in_floats_never_gets_below(rows, units, seed):
    data = dataset(rows)
    least = float(global_minimum(data, units).loss)
    x, y = np.array(data.inputs, dtype=float), np.array(data.targets, dtype=float)[:, 0]
    draw = np.random.default_rng(seed)
    starts = 30
    w, b, a = draw.normal(size=(starts, units, 2)), draw.normal(size=(starts, units)), draw.normal(size=(starts, units))
    c = np.full(starts, y.mean())
    lowest = np.inf
    for _ in range(400):
        heights = np.einsum("sud,nd->snu", w, x) + b[:, None]
        phi = np.maximum(heights, 0)
        residual = np.einsum("snu,su->sn", phi, a) + c[:, None] - y
        lowest = min(lowest, float((residual**2).mean(axis=1).min()))
        back = residual[:, :, None] * a[:, None] * (heights > 0) / len(y)
        steps = (np.einsum("snu,nd->sud", back, x), back.sum(axis=1), (residual[:, :, None] * phi).mean(axis=1))
        size = np.sqrt(sum((g.reshape(starts, -1) ** 2).sum(axis=1) for g in steps))
        rate = 0.05 / np.maximum(size, 1)
        w, b, a = (p - rate.reshape(-1, *[1] * (g.ndim - 1)) * g for p, g in zip((w, b, a), steps, strict=True))
        c = c - rate * residual.mean(axis=1)
    assert lowest >= least - 1e-9


@given(st.lists(st.tuples(st.tuples(COORDINATE), TARGETS), min_size=1, max_size=6))
@settings(max_examples=5)
def test_no_net_of_a_census_beats_it_and_its_own_grid_reaches_it(rows):
    data = dataset(rows)
    minimum = global_minimum(data, 1)
    halves = Grid([Fraction(k, 2) for k in range(-3, 4)])
    assert census(Family(Architecture((1, 1, 1)), halves), data, lambda net: False).levels[0].loss >= minimum.loss
    own = Grid({*Architecture.parameters(minimum.net), -1, 1})
    assert census(Family(Architecture((1, 1, 1)), own), data, lambda net: False).levels[0].loss == minimum.loss


def test_no_net_of_a_census_in_the_plane_beats_it():
    found = census(Family(Architecture((2, 2, 1)), Grid([-1, 1])), XOR, lambda net: False)
    assert found.levels[0].loss >= global_minimum(XOR, 2).loss
    found = census(
        Family(Architecture((2, 1, 1)), Grid([-1, Fraction(-1, 3), 0, Fraction(2, 3), 1])), XOR, lambda net: False
    )
    assert found.levels[0].loss == global_minimum(XOR, 1).loss == Fraction(1, 6)


@given(ANY)
@settings(max_examples=25)
def test_more_units_never_do_worse_and_enough_reach_the_floor(rows):
    data = dataset(rows)
    losses = [global_minimum(data, units).loss for units in range(4)]
    assert all(a >= b >= data.noise_floor for a, b in pairwise(losses))
    # Along a direction that keeps the inputs apart, n units and the constant fit n + 1 of them.
    assert all(loss == data.noise_floor for n, loss in enumerate(losses) if n + 1 >= len(data.groups))
    mean = sum(y for _, y in rows) / Fraction(len(rows))
    assert losses[0] == sum((y - mean) ** 2 for _, y in rows) / len(rows)


@given(TWO, st.integers(1, 2), st.permutations([0, 1]), st.integers(1, 5), st.integers(-4, 4))
@settings(max_examples=20)
def test_it_is_the_same_in_other_coordinates(rows, units, order, scale, shift):
    data = dataset(rows)
    moved = Dataset([[scale * x[order[0]] + shift, x[order[1]] - x[order[0]]] for x in data.inputs], data.targets)
    lifted = Dataset([[*x, x[0] + 2 * x[1] - 1] for x in data.inputs], [[3 * y + 1] for (y,) in data.targets])
    least = global_minimum(data, units).loss
    assert global_minimum(moved, units).loss == least
    assert global_minimum(lifted, units).loss == 9 * least


def test_a_minimum_by_hand():
    # On 0, 1, 2, 3 with targets 1, -1, -1, 1 one unit fits all but the first point: the rest lie on a hinge at 2.
    data = Dataset([[0], [1], [2], [3]], [[1], [-1], [-1], [1]])
    minimum = global_minimum(data, 1)
    assert minimum.loss == Fraction(2, 3)
    assert not is_idle(minimum.net, {(1, 0)}, data.inputs)


def test_ten_inputs_on_the_line_and_twelve_in_the_plane():
    draw = random.Random(1)
    line = Dataset([[x] for x in range(10)], [[draw.randint(-9, 9)] for _ in range(10)])
    check_fact(fact(global_minimum(line, 3), line))
    plane = Dataset(
        [[draw.randint(-9, 9), draw.randint(-9, 9)] for _ in range(12)], [[draw.randint(-9, 9)] for _ in range(12)]
    )
    check_fact(fact(global_minimum(plane, 2), plane))


def test_several_outputs_are_refused():
    with pytest.raises(ValueError, match="one output"):
        global_minimum(Dataset([[0]], [[0, 1]]), 1)
    with pytest.raises(ValueError, match="-1 hidden units"):
        global_minimum(Dataset([[0]], [[0]]), -1)
    whole = fact(global_minimum(XOR, 1), XOR)
    with pytest.raises(Refused, match="a residual is not over the distinct inputs"):
        check_fact(whole | {"residuals": [table * 2 for table in whole["residuals"]]})
    (hidden, output), (zero,) = whole["net"], [["0"] * len(XOR.inputs)]
    twice = {"weights": output["weights"] * 2, "bias": output["bias"] * 2}
    both = data_json(Dataset(XOR.inputs, [[y, y] for (y,) in XOR.targets]))
    with pytest.raises(Refused, match="not a shallow net with one output"):
        check_fact(whole | {"net": [hidden, twice], "data": both, "residuals": [[zero, zero]]})


@pytest.mark.parametrize(("data", "units"), [(XOR, 1), (ZIGZAG, 1), (ZIGZAG, 2)])
def test_no_residual_can_be_left_out_and_none_changed(data, units):
    whole = fact(global_minimum(data, units), data)
    table = whole["residuals"]
    assert len(table) > 1
    for k, (row,) in enumerate(table):
        with pytest.raises(Refused, match="no residual bounds the nets with some signs"):
            check_fact(whole | {"residuals": table[:k] + table[k + 1 :]})
        for g in range(len(row)):
            changed = [*row[:g], str(Fraction(row[g]) + 1), *row[g + 1 :]]
            with pytest.raises(Refused, match="a residual does not sum to 0"):
                check_fact(whole | {"residuals": [*table[:k], [changed], *table[k + 1 :]]})
        # Twice a residual bounds nothing: 2 r y - r^2 is largest at the residual itself.
        twice = [str(2 * Fraction(x)) for x in row]
        with pytest.raises(Refused, match="too low a bound"):
            check_fact(whole | {"residuals": [*table[:k], [twice], *table[k + 1 :]]})
        negative = [str(-Fraction(x)) for x in row]
        with pytest.raises(Refused, match="too low a bound"):
            check_fact(whole | {"residuals": [*table[:k], [negative], *table[k + 1 :]]})


def test_a_residual_that_bounds_more_than_any_net_can_reach_reaches_fewer_nets():
    # The mean's residual, at L*(0): no residual is higher, and nets that lower the loss correlate with it.
    whole = fact(global_minimum(ZIGZAG, 2), ZIGZAG)
    mean = Fraction(1)
    highest = [str(y - mean) for (y,) in ZIGZAG.targets]
    with pytest.raises(Refused, match="no residual bounds the nets with some signs"):
        check_fact(whole | {"residuals": [[highest]]})


def test_more_units_than_proved_are_refused():
    for data in (XOR, ZIGZAG):
        minimum = global_minimum(data, 1)
        (hidden, output) = minimum.net.layers
        wide = shallow(
            [(hidden.weights[0], hidden.bias[0], output.weights[0]), ([0] * len(hidden.weights[0]), 0, [0])],
            output.bias,
        )
        check_fact(fact(minimum, data, wide))
        with pytest.raises(Refused, match="no residual bounds the nets with some signs"):
            check_fact(fact(minimum, data, wide) | {"units": 2})
        with pytest.raises(Refused, match="a further unit sends something"):
            check_fact(fact(minimum, data) | {"units": 0})
        for units in (2, -1, True, "1", None):
            with pytest.raises(Refused, match="the net has not as many units"):
                check_fact(fact(minimum, data) | {"units": units})


def test_units_beyond_number_are_bounded_at_once():
    # Two units reach the floor, so any number of them does no better; and what is too much is refused, not tried.
    data = Dataset([[0], [1], [2]], [[0], [3], [1]])
    whole = fact(global_minimum(data, 2), data)
    hidden, output = whole["net"]
    hidden = {"weights": hidden["weights"] + [["0"]] * 5000, "bias": hidden["bias"] + ["0"] * 5000}
    output = output | {"weights": [output["weights"][0] + ["0"] * 5000]}
    check_fact(whole | {"net": [hidden, output], "units": 5002})
    many = Dataset([[x, x**2, x**3] for x in range(99)], [[0]] * 99)
    zero = shallow([([0] * 3, 0, [0])], [0])
    with pytest.raises(Refused, match="too many"):
        check_fact(whole | {"net": net_json(zero), "data": data_json(many), "residuals": [[["0"] * 99]], "units": 1})


def test_other_data_are_refused():
    whole = fact(global_minimum(ZIGZAG, 2), ZIGZAG)
    for k in range(len(ZIGZAG)):
        targets = [list(row) for row in whole["data"]["targets"]]
        targets[k] = [str(Fraction(targets[k][0]) + 1)]
        with pytest.raises(Refused):
            check_fact(whole | {"data": whole["data"] | {"targets": targets}})
