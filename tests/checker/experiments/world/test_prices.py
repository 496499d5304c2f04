"""Prices on a line: least losses that fall to the noise floor, sizes as the hull says,
and what is not so is refused.
"""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.detector_size import detector_size
from proof_of_absence.checker.experiments.world.prices import least_losses, prices, size_on_line
from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, NIGHT_SHIFT, Sweep
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from tests.checker.changed import refused

LINE = (0, 1, 1)


@st.composite
def lines(draw, hours=4):
    """Data of one input and one output, answers 0 and 1, hours repeated."""
    rows = draw(st.lists(st.tuples(st.integers(0, hours - 1), st.integers(0, 1)), min_size=1, max_size=8))
    return Dataset([[x] for x, _ in rows], [[y] for _, y in rows])


@settings(max_examples=12)
@given(lines())
def test_least_losses_fall_to_the_noise_floor(data):
    least, minima = least_losses(data, 3)
    mean = sum(y for (y,) in data.targets) / len(data)
    assert least[0] == sum((y - mean) ** 2 for (y,) in data.targets) / len(data)
    assert all(a > b or a == b == data.noise_floor for a, b in pairwise(least))
    # One unit fewer than distinct inputs fits the means.
    assert least[3] == data.noise_floor
    for minimum, loss in zip(minima, least[1:], strict=False):
        net = MLP(tuple(Affine(layer["weights"], layer["bias"]) for layer in minimum["net"]))
        assert data.loss(net) == loss and net.widths == (1, minimum["units"], 1)


@given(st.sets(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 9))
def test_sizes_on_the_line_are_those_of_the_hull(hours, hour):
    if hour not in hours:
        size = detector_size([[h] for h in hours], [hour])
        assert size.least == size.most == size_on_line(hours, hour)


@settings(max_examples=10)
@given(st.permutations(range(7)), st.integers(1, 4), st.sampled_from([ATTENTIVE, NIGHT_SHIFT]))
def test_prices_are_accepted(order, diversity, company):
    world = Sweep(order=tuple(order)).world(company, diversity)
    fact = prices(world, LINE, 3)
    check_fact(fact)
    assert {price["hour"] for price in fact["prices"]} <= set(world.deploy_hours)
    assert all(Fraction(price["price"]) >= 0 for price in fact["prices"])


def test_where_detectors_grow_the_price_on_the_same_data_does_not_fall():
    """L*(n - k) grows with k: of two hours in one world, the one with the larger detector pays no less."""
    fact = prices(Sweep().world(NIGHT_SHIFT, 8), LINE, 4)
    paid = {(price["size"], price["units"]): Fraction(price["price"]) for price in fact["prices"]}
    assert paid[1, 3] < paid[3, 3] and paid[1, 4] <= paid[3, 4]


FOUR = prices(Sweep().world(ATTENTIVE, 4), LINE, 3)


@pytest.mark.parametrize(
    ("match", "path", "value"),
    [
        ("the price of hour 4: stated 1, recomputed", ["prices", 0, "price"], "1"),
        ("too low a bound|does not sum to 0|no residual", ["humans"], [[], [1]]),
        ("the size of the detector of hour 4: stated 2, recomputed", ["prices", 0, "size"], 2),
        ("training data at the hour", ["prices", 0, "hour"], 2),
        ("too few units for the detector, or too many", ["prices", 0, "units"], 0),
        ("too few units for the detector, or too many", ["prices", 0, "units"], 9),
        ("the least losses, entry 1: stated 0, recomputed", ["least", 1], "0"),
        ("no such case", ["case", 0], 2),
        ("there is no residual", ["minima", 0, "residuals"], []),
        ("too low a bound", ["minima", 0, "residuals", 0, 0], ["0"] * 4),
        ("the minima stop above the noise floor", ["minima"], []),
        ("not in order of their units", ["minima", 0, "units"], 0),
        (r"the least losses: stated \[.*\], recomputed", ["least"], FOUR["least"][:2]),
    ],
)
def test_a_price_that_is_not_so_is_refused(match, path, value):
    refused(FOUR, match, (path, value))
