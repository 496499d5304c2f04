"""Bounds of leverages against the exact ones, and ranks against exact comparisons."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from proof_of_absence.checker.construct.leverage import FreeMove, leverage
from proof_of_absence.checker.experiments.backdoors.leverages import (
    Bounds,
    higher,
    leverages,
    pairs,
    share,
    spread,
)
from proof_of_absence.checker.independent.results.backdoor_ranks import check_ranks
from proof_of_absence.checker.independent.results.readout import Hidden
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP

WHOLE = st.integers(-3, 3).map(float)
WIDTH, INPUTS = 4, 2


@st.composite
def cases(draw):
    """A net of small integers, some of its units dead or alike, clean rows, and two tables of other inputs."""
    weights, bias = (
        draw(arrays(np.float64, (WIDTH, INPUTS), elements=WHOLE)),
        draw(arrays(np.float64, WIDTH, elements=WHOLE)),
    )
    if draw(st.booleans()):
        bias[0] = -50
    if draw(st.booleans()):
        weights[2], bias[2] = 2 * weights[1], 2 * bias[1]
    readout = np.ones((1, WIDTH)), np.zeros(1)
    rows = {name: draw(arrays(np.float64, (count, INPUTS), elements=st.integers(-6, 6).map(float)))
            for name, count in (("clean", 9), ("test", 4), ("bad", 3))}  # fmt: skip
    if draw(st.booleans()):
        # Where a dead unit may be on.
        rows["bad"] *= 20
    return FloatNet([(weights, bias), readout], np.float32), rows.pop("clean"), rows


def exact(net, clean, rows):
    """The leverages, infinite where a move is free."""
    layers = [Affine(layer.weights.astype(int).tolist(), layer.bias.astype(int).tolist()) for layer in net.float_layers]
    found = (leverage(MLP(layers), clean.astype(int).tolist(), row) for row in rows.astype(int).tolist())
    return [np.inf if isinstance(one, FreeMove) else one.value for one in found]


@settings(deadline=None, max_examples=60)
@given(cases())
def test_bounds_hold_the_exact_leverage_and_ranks_are_those_of_exact_numbers(case):
    net, clean, shown = case
    found, sure = leverages(net, clean, shown), {name: exact(net, clean, rows) for name, rows in shown.items()}
    for name, bounds in found.of.items():
        for low, high, value in zip(bounds.low, bounds.high, sure[name], strict=True):
            assert low == high == value if value == np.inf else low <= value <= high <= 1.00001 * value
    order = [[(b > c) + Fraction(int(b == c), 2) for c in sure["test"]] for b in sure["bad"]]
    table, counted = higher(found.of["bad"], found.of["test"]), pairs(found.of["bad"], found.of["test"])
    assert table.tolist() == [[float(one) for one in row] for row in order]
    assert share(counted) == sum(map(sum, order)) / 12
    assert counted["tied"] == sum(b == c == np.inf for b in sure["bad"] for c in sure["test"])


@settings(deadline=None, max_examples=60)
@given(cases())
def test_the_independent_checker_confirms_them(case):
    net, clean, shown = case
    assume(np.isfinite(clean).all())
    found = leverages(net, clean, shown)
    counted = pairs(found.of["bad"], found.of["test"])
    told = {"leverage": spread(found.of["bad"]), "pairs": counted, "auroc": {"leverage": float(share(counted))}}
    run = {"clean_leverage": spread(found.of["test"]), "shown": {"bad": told}}
    other = Unshared([(layer.weights, layer.bias) for layer in net.float_layers])
    check_ranks(run, found.as_json(), Hidden(other, {"training": clean, **shown}))


def test_what_is_not_known_is_open_and_what_is_free_ranks_first():
    inf = np.inf
    bad = Bounds(np.array([inf, 3.0, 1.0, 0.0]), np.array([inf, 3.1, 2.0, inf]))
    clean = Bounds(np.array([inf, 1.5]), np.array([inf, 1.6]))
    assert higher(bad, clean).tolist() == [[0.5, 1], [0, 1], [0, 0.5], [0.5, 0.5]]
    assert pairs(bad, clean) == {"above": 2, "below": 2, "tied": 1, "open": 3}
    assert share(pairs(bad, clean)) == Fraction(1, 2)
    assert spread(bad) == {"median": [1.0, 3.1], "free": 1, "unknown": 1}
    assert spread(Bounds(*[np.array([inf, 2.0, inf])] * 2))["median"] == [None, None]


def test_leverage_is_the_distance_to_the_mean_of_all_rows():
    clean, rows = np.random.default_rng(3).random((40, 4)) * 9, np.random.default_rng(4).random((30, 4)) * 20
    net = FloatNet([(np.eye(4), np.zeros(4)), (np.ones((1, 4)), np.zeros(1))])
    bounds = leverages(net, clean, {"rows": rows}).of["rows"]
    away = rows - clean.mean(axis=0)
    distance = (away * np.linalg.solve(np.cov(clean.T, bias=True), away.T).T).sum(axis=1)
    assert bounds.low == pytest.approx((1 + distance) / 40) and bounds.high == pytest.approx((1 + distance) / 40)
