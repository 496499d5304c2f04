"""Bounds of prices in the whole world: nets lie between them, and what is not so is refused."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, NIGHT_SHIFT, Sweep
from proof_of_absence.checker.experiments.world.whole import bounds, refitted
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.policies import IMITATOR, TRANSLATOR
from tests.checker.changed import refused

LINE = (0, 1, 1)


@settings(max_examples=8)
@given(st.permutations(range(6)), st.integers(1, 3), st.sampled_from([ATTENTIVE, NIGHT_SHIFT]))
def test_bounds_are_accepted(order, diversity, company):
    world = Sweep(order=tuple(order)).world(company, diversity)
    fact = bounds(world, LINE, 3)
    check_fact(fact)
    assert all(0 <= Fraction(price["low"]) <= Fraction(price["high"]) for price in fact["prices"])


def test_a_refit_is_the_best_for_the_hidden_units():
    data = Sweep().world(ATTENTIVE, 4).dataset()
    for net in (IMITATOR, TRANSLATOR):
        best = refitted(net, data)
        assert best.layers[0] == net.layers[0] and data.loss(best) <= data.loss(net)
        for k in range(5):
            row = list(best.layers[1].weights[0])
            row[k] += Fraction(1, 7)
            assert data.loss(MLP((best.layers[0], Affine([row], best.layers[1].bias)))) >= data.loss(best)


FACT = bounds(Sweep().world(ATTENTIVE, 4), LINE, 3)


@pytest.mark.parametrize(
    ("match", "path", "value"),
    [
        ("the price of 1 of 1 units, entry 0: stated 1, recomputed", ["prices", 0, "low"], "1"),
        ("the price of 1 of 1 units, entry 1: stated 0, recomputed", ["prices", 0, "high"], "0"),
        ("no such net, or no such detector", ["prices", 0, "size"], 2),
        ("the gap: stated 1, recomputed", ["gap"], "1"),
        ("the gap: stated .*, recomputed", ["humans"], [[], [2, 6], []]),
        ("closer than that", ["separation"], "1000"),
        ("further apart than that", ["spread"], "1"),
        ("too low a bound", ["minima", 0, "net", 1, "bias", 0], "9"),
        ("does not fit the world", ["nets", 0], [{"weights": [["1"]], "bias": ["0"]}]),
        ("no price is stated", ["prices"], []),
    ],
)
def test_a_bound_that_is_not_so_is_refused(match, path, value):
    refused(FACT, match, (path, value))
