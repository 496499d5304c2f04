"""Readout prices of nets against exact leverages and exact margins; where a move is free, just there."""

import tempfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import proof_of_absence
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.readout import Hidden, readout_prices
from proof_of_absence.checker.audit.sources import Given
from proof_of_absence.checker.audit.tied import check_folder
from proof_of_absence.checker.construct import pricing
from proof_of_absence.checker.construct.readout_facts import readout_fact
from proof_of_absence.checker.independent.results.audit import decide
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, within
from proof_of_absence.checker.screen.spread import LISTED, listed_rows
from proof_of_absence.models.files import InputError
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.independent.kinds.float_readout import leverage as said

GRID = st.sampled_from([0.0, 1.0, -1.0, 2.0, -0.5, 3.0, 0.1])


@st.composite
def cases(draw):
    """A net of one or two hidden layers, with copies and idle units, and inputs for it."""
    widths = draw(st.sampled_from([(1, 2, 1), (2, 3, 2), (2, 2, 3, 2), (1, 4, 3)]))

    def array(*shape):
        return np.array(draw(st.lists(GRID, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))).reshape(shape)

    layers = [(array(above, below), array(above)) for below, above in pairwise(widths)]
    train, deploy = array(draw(st.integers(1, 6)), widths[0]), array(draw(st.integers(1, 4)), widths[0])
    return FloatNet(layers), train, np.vstack([deploy, train[:1]])


def rows_of(net, inputs, layer):
    """Values of a layer at each input, exactly."""
    found = [list(map(Fraction, z)) for z in inputs.tolist()]
    for number, (weights, bias) in enumerate(net.float_layers[:layer], 1):
        found = [
            [sum(Fraction(w) * v for w, v in zip(row, z, strict=True)) + Fraction(b)
             for row, b in zip(weights.tolist(), bias.tolist(), strict=True)] for z in found
        ]  # fmt: skip
        if number < len(net.layers):
            found = [[max(v, Fraction(0)) for v in z] for z in found]
    return found


def square(net, z, move):
    """t^2: that of the move, or half of the squared margin between the two largest outputs."""
    if move is not None or net.widths[-1] == 1:
        return (move or Fraction(1)) ** 2
    (outputs,) = rows_of(net, z[None], len(net.layers))
    *_, second, first = sorted(outputs)
    return (first - second) ** 2 / 2


@settings(deadline=None, max_examples=60)
@given(cases(), st.sampled_from([None, Fraction(1, 3)]), st.sampled_from([Fraction(0), Fraction(1, 4)]), st.booleans())
def test_prices_are_those_of_exact_leverages_and_the_checker_confirms_them(case, move, penalty, exactly):
    net, train, deploy = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pricing, "moderate", lambda rows, width: exactly)
        found = readout_prices(
            net, train, unit_findings(net, train), deploy=deploy, test=train, move=move, penalty=penalty
        )
    assert (found.factor is None) == exactly
    layer = len(net.layers) - 1
    table = [[Fraction(1), *row] for row in rows_of(net, train, layer)]
    for part, inputs in (("deployment", deploy), ("test", train), ("training", train)):
        there = [[Fraction(1), *row] for row in rows_of(net, inputs, layer)]
        assert [one.row for one in found.readout.part(part)] == list(range(len(inputs)))
        for one, phi, z in zip(found.readout.part(part), there, inputs, strict=True):
            exact = said(table, phi, penalty)
            assert (exact is None) == (one.free is not None)
            if exact is None:
                assert sum(v * phi[j] for j, v in found.readout.directions[one.free])
                continue
            assert one.leverage[0] <= exact <= one.leverage[1] <= one.leverage[0] * (1 + Fraction(1, 2**20))
            price = square(net, z, move) / (len(train) * exact)
            assert one.price[0] <= price <= one.price[1]
            assert not exactly or one.price[0] == price == one.price[1]
    subject = Subject(Unshared(net.float_layers), train, deploy=deploy, test=train, factor=found.factor)
    decide(subject, [readout_fact(found.readout)])


@st.composite
def nearly_tied(draw):
    """A net whose sums are exact in float64, with outputs that tie, or nearly so beside their size; inputs for it."""
    whole = st.sampled_from([0.0, 0.0, 1.0, -1.0, 2.0**30])
    widths = draw(st.sampled_from([(1, 4, 3), (1, 2, 2), (2, 3, 2, 3)]))

    def array(*shape, of=whole):
        return np.array(draw(st.lists(of, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))).reshape(shape)

    layers = [(array(above, below), array(above)) for below, above in pairwise(widths)]
    last = layers[-1][0] * draw(st.sampled_from([0.0, 1.0])), array(widths[-1], of=st.sampled_from([0.0, 1.0, 2.0**40]))
    train, deploy = array(draw(st.integers(1, 5)), widths[0]), array(draw(st.integers(1, 3)), widths[0])
    return FloatNet([*layers[:-1], last]), train, deploy


@settings(deadline=None, max_examples=60)
@given(nearly_tied(), st.booleans())
@example(
    (
        FloatNet([(np.zeros((4, 1)), np.zeros(4)), (np.zeros((3, 4)), [0.0, 1.0, 1.0])]),
        np.array([[0.0]]),
        np.ones((1, 1)),
    ),
    False,
)
def test_an_audit_with_prices_is_accepted_where_only_its_own_pass_is_exact(case, exactly):
    net, train, deploy = case
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as place:
        patch.setattr(pricing, "moderate", lambda rows, width: exactly)
        audit = proof_of_absence.audit(net, train, deploy=deploy, output=f"{place}/found")
        assert audit.readout.exact == exactly
        assert check_folder(Path(place, "found"), Given()).startswith("Accepted: ")


@settings(deadline=None)
@given(cases(), st.data(), st.integers(-5000, 5000))
def test_where_a_direction_is_not_0_does_not_depend_on_its_length(case, data, size):
    """Relations of many features have numbers beyond the floats."""
    net, train, deploy = case
    features = Hidden(net, {"training": train, "deployment": deploy})
    entries = st.sampled_from([Fraction(0), Fraction(1), Fraction(-1, 3), Fraction(2) ** 1100, Fraction(1, 3**800)])
    drawn = data.draw(st.lists(st.lists(entries, min_size=features.width, max_size=features.width), max_size=3))
    directions = [{j: v * Fraction(2) ** size for j, v in enumerate(row) if v} for row in drawn if any(row)]
    told = []
    for phi in rows_of(net, deploy, len(net.layers) - 1):
        sums = [sum(v * [Fraction(1), *phi][j] for j, v in direction.items()) for direction in directions]
        told.append(next((k for k, one in enumerate(sums) if one), -1))
    assert features.free("deployment", range(len(deploy)), directions).tolist() == told


def test_features_that_are_nearly_dependent_have_a_price_at_most(monkeypatch):
    """Units that are 2^-51 apart: floats do not tell them from dependent ones, and no relation is exact."""
    monkeypatch.setattr(pricing, "moderate", lambda rows, width: False)
    net = FloatNet([([[1.0], [1.0]], [0.0, -(2.0**-51)]), ([[1.0, 1.0]], [0.0])])
    train, deploy = np.array([[-1.0], [1.0], [2.0], [3.0]]), np.array([[40.0]])
    found = readout_prices(net, train, unit_findings(net, train), deploy=deploy)
    (one,) = found.readout.deployment
    table, (there,) = ([[Fraction(1), *row] for row in rows_of(net, inputs, 1)] for inputs in (train, deploy))
    assert one.leverage[1] is None and one.price[0] == 0
    exact = said(table, there, Fraction(0))
    assert one.leverage[0] <= exact and 1 / (4 * exact) <= one.price[1]
    audit = proof_of_absence.audit(net, train, deploy=deploy)
    assert audit.exit_code == 3
    assert audit.undecided == ("the readout price at 1 deployment inputs (rows 0): no lower bound is shown",)


def test_features_that_are_nearly_dependent_have_an_exact_price_where_they_are_few():
    net = FloatNet([([[1.0], [1.0]], [0.0, -(2.0**-51)]), ([[1.0, 1.0]], [0.0])])
    train, deploy = np.array([[-1.0], [1.0], [2.0], [3.0]]), np.array([[40.0]])
    found = proof_of_absence.audit(net, train, deploy=deploy)
    table, (there,) = ([[Fraction(1), *row] for row in rows_of(net, inputs, 1)] for inputs in (train, deploy))
    (one,) = found.readout.deployment
    assert found.exit_code == 0 and found.readout.exact
    assert one.leverage == (said(table, there, Fraction(0)),) * 2 and one.price == (1 / (4 * one.leverage[0]),) * 2


def test_of_many_training_inputs_some_at_even_distances_are_told():
    rows = listed_rows("training", 5 * LISTED + 3)
    assert len(rows) == LISTED and rows == sorted(set(rows)) and rows[-1] < 5 * LISTED + 3
    assert listed_rows("deployment", 5000) == list(range(5000))


NET = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 5.0]], [0.0])])


def test_prices_are_arrays_in_python():
    found = proof_of_absence.audit(NET, [[0.0], [1.0], [2.0]], deploy=[[3.0], [10.0]], test=[[1.0]], move=2)
    prices, leverages = found.prices, found.readout.leverages
    assert prices["deployment"].shape == (2, 2) and prices["test"].shape == (1, 2) and len(prices["training"]) == 3
    assert not prices["deployment"][1].any() and np.isinf(leverages["deployment"][1]).all()
    low, high = prices["deployment"][0]
    assert low <= 4 / (3 * (1 / 3 + 4 / 2)) <= high <= low * (1 + 1e-6)
    assert proof_of_absence.audit(NET, [[0.0], [1.0]]).prices == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"move": 0}, "move: is 0; a move is above 0"),
        ({"move": "x"}, "move: 'x' is no number"),
        ({"ridge": -1}, "ridge: is -1; a penalty is 0 or above"),
        ({"test": [[1.0, 2.0]]}, "the test inputs: have 2 columns, the net reads 1"),
        ({"test": [[np.nan]]}, "test: holds NaN"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        proof_of_absence.audit(NET, [[0.0], [1.0]], deploy=[[1.0]], **options)


def test_without_time_nothing_is_told():
    train = np.array([[0.0], [1.0]])
    units = unit_findings(NET, train)
    with pytest.raises(OutOfTime), within(Deadline(0)):
        readout_prices(NET, train, units, deploy=train)
