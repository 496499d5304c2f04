"""Certified minima against oracles that share nothing with them: random search, and every kink with least squares."""

import random
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from absence.checker.certificate import data_json, net_json
from absence.checker.independent.facts import check_fact
from absence.checker.independent.refusal import Refused
from absence.checker.minimum import global_minimum, patterns
from absence.models.circuit import is_idle
from absence.models.data import Dataset
from absence.models.family import Architecture
from absence.models.net import shallow
from hypothesis import given, settings
from hypothesis import strategies as st

TARGETS = st.integers(-3, 3)
ONE = st.lists(st.tuples(st.integers(-2, 2), TARGETS), min_size=1, max_size=5)


def dataset(rows):
    return Dataset([[x] for x, _ in rows], [[y] for _, y in rows])


def fact(minimum, data, net=None):
    return minimum.fact(net_json(net or minimum.net), data_json(data))


def kinks(xs):
    """A grid of kinks: every input, midpoints, and a fine mesh between neighbours, and beyond the ends."""
    xs = sorted(set(xs))
    mesh = [a + (b - a) * Fraction(k, 60) for a, b in pairwise(xs) for k in range(60)]
    return [xs[0] - 1, *mesh, xs[-1]]


@given(ONE)
@settings(max_examples=25)
def test_one_unit_against_every_kink_with_least_squares(rows):
    data = dataset(rows)
    minimum = global_minimum(data, 1)
    xs, ys = (np.array([float(v) for v in column]) for column in zip(*rows, strict=True))
    best = np.inf
    for kink in kinks([Fraction(x) for x, _ in rows]):
        for side in (1, -1):
            features = np.stack([np.ones_like(xs), np.maximum(side * (xs - float(kink)), 0)], axis=1)
            solution = np.linalg.lstsq(features, ys, rcond=None)[0]
            best = min(best, float(np.mean((features @ solution - ys) ** 2)))
    # The mesh reaches the minimum up to its width; it never beats it.
    assert float(minimum.loss) <= best + 1e-9
    assert best <= float(minimum.loss) + 0.05
    check_fact(fact(minimum, data))


@given(ONE, st.integers(1, 2))
@settings(max_examples=25)
def test_random_nets_never_beat_the_minimum(rows, units):
    data = dataset(rows)
    minimum = global_minimum(data, units)
    assert data.loss(minimum.net) == minimum.loss >= data.noise_floor
    draw = random.Random(repr(rows))
    architecture = Architecture((1, units, 1))
    best = Architecture.parameters(minimum.net)
    for spread in (Fraction(1, 10), 1, 5):
        for _ in range(20):
            noise = [Fraction(draw.randint(-20, 20), 20) * spread for _ in best]
            assert data.loss(architecture.net([a + b for a, b in zip(best, noise, strict=True)])) >= minimum.loss
            assert data.loss(architecture.net([3 * n for n in noise])) >= minimum.loss


@given(ONE)
@settings(max_examples=15)
def test_the_independent_checker_accepts_the_minimum_and_no_worse_net(rows):
    data = dataset(rows)
    minimum = global_minimum(data, 1)
    check_fact(fact(minimum, data))
    (hidden, output) = minimum.net.layers
    worse = shallow([(hidden.weights[0], hidden.bias[0], [output.weights[0][0]])], [output.bias[0] + 1])
    if data.loss(worse) > minimum.loss:
        with pytest.raises(Refused, match=r"the bound of the pattern .* is too low"):
            check_fact(fact(minimum, data, worse))


@given(ONE)
@settings(max_examples=15)
def test_more_units_never_do_worse_and_enough_reach_the_floor(rows):
    data = dataset(rows)
    losses = [global_minimum(data, units).loss for units in (1, 2)]
    assert losses[0] >= losses[1] >= data.noise_floor
    if len(data.groups) <= 3:
        assert losses[1] == data.noise_floor


def test_a_minimum_by_hand():
    # On 0, 1, 2, 3 with targets 1, -1, -1, 1 one unit fits all but the first point: the rest lie on a hinge at 2.
    data = dataset([(0, 1), (1, -1), (2, -1), (3, 1)])
    minimum = global_minimum(data, 1)
    assert minimum.loss == Fraction(2, 3)
    assert not is_idle(minimum.net, {(1, 0)}, data.inputs)


def test_patterns_are_those_that_units_can_have():
    inputs = [0, 1, 2]
    seen = set()
    for w in (-1, 0, 1):
        for b in (Fraction(k, 2) for k in range(-6, 7)):
            on = [i for i, x in enumerate(inputs) if w * x + b > 0]
            seen.add((on[0], on[-1] + 1) if on else (0, 0))
    assert {(first, end) for ((first, end, _),) in patterns(3, 1)} == seen


@pytest.mark.parametrize(("inputs", "targets"), [([[0, 1]], [[0]]), ([[0]], [[0, 1]])])
def test_other_dimensions_are_refused(inputs, targets):
    with pytest.raises(ValueError, match="one input and one output"):
        global_minimum(Dataset(inputs, targets), 1)


def test_a_missing_pattern_is_refused():
    data = dataset([(0, 1), (1, -1), (2, 1)])
    whole = fact(global_minimum(data, 1), data)
    for k in range(len(whole["patterns"])):
        with pytest.raises(Refused, match="no bound for the pattern"):
            check_fact(whole | {"patterns": whole["patterns"][:k] + whole["patterns"][k + 1 :]})
