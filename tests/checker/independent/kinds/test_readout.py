"""Readout prices of C21: what is so is accepted; each thing that can be wrong is refused, with its reason."""

from fractions import Fraction

import pytest
from hypothesis import given, settings

from proof_of_absence.checker.construct.leverage import Leverage, leverage
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.minima.ridge import minimum_norm, ridge
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import facts
from tests.checker.changed import changed, refused
from tests.checker.construct.test_leverage import PENALTIES, cases, least
from tests.checker.independent.kinds import readout as oracle

DATA = Dataset([[0], [1], [3], [3]], [[1, 0], [0, 1], [2, 2], [3, 0]])
UNITS = shallow([([1], -2, [0, 0])], [0, 0])
POINT = vector([4])
NET = minimum_norm(UNITS, DATA, intercept=True).net
FOUND = leverage(NET, DATA.inputs, POINT)
PRICE = facts.readout_price(NET, FOUND.moved(NET, [1, -1]), DATA, POINT, FOUND)
BELOW = facts.readout_price(NET, UNITS, DATA, POINT, FOUND)
AT = facts.leverage_at(NET, DATA.inputs, POINT, FOUND)
PENALISED = facts.leverage_at(UNITS, DATA.inputs, POINT, leverage(UNITS, DATA.inputs, POINT, 1), 1)
SILENT = Dataset([[0], [1]], [[0, 0], [1, 1]])
FREE = facts.free_readout(UNITS, SILENT.inputs, POINT, leverage(UNITS, SILENT.inputs, POINT))


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (AT, "feature 0 of the input: stated 1, recomputed", [(["solution", 0], "7")]),
        (AT, "the leverage: stated 1, recomputed", [(["leverage"], "1")]),
        (AT, "does not fit the features", [(["solution"], ["1"])]),
        (AT, "feature 1 of the input", [(["at"], ["5"])]),
        (AT, "feature 1 of the input", [(["penalty"], "1")]),
        (PENALISED, "feature 1 of the input", [(["penalty"], "0")]),
        (PENALISED, "penalty is negative", [(["penalty"], "-1")]),
        (FREE, "not 0 at", [(["inputs"], [["0"], ["3"]])]),
        (FREE, "does not move", [(["at"], ["2"])]),
        (FREE, "does not fit the features", [(["direction"], ["0", "1", "0"])]),
        (PRICE, "normal equations fail", [(["net", 1, "bias", 0], "0")]),
        (PRICE, "normal equations fail", [(["penalty"], "1")]),
        (PRICE, "features differ", [(["moved", 0, "bias", 0], "-1")]),
        (PRICE, "squared distance: stated 3", [(["square"], "3")]),
        (PRICE, "bound: stated 3", [(["bound"], "3")]),
        (PRICE, "other is stated", [(["attained"], False)]),
        (PRICE, "truth value", [(["attained"], "yes")]),
        (BELOW, "other is stated", [(["attained"], True)]),
        (PRICE, "the leverage: stated 1, recomputed", [(["leverage"], "1")]),
        (PRICE, "not a shallow net", [(["data", "targets"], [["1"]] * 4)]),
    ],
)
def test_a_readout_that_is_not_so(fact, match, changes):
    refused(fact, match, *changes)


def test_neither_is_said_of_a_deep_net():
    layer = {"weights": [["1"]], "bias": ["0"]}
    for fact in (AT, FREE, PRICE):
        with pytest.raises(Refused, match="not a shallow net"):
            check_fact(changed(fact, ["net"], [layer] * 3))


def test_a_net_that_is_not_of_least_loss_may_be_moved_for_nothing():
    """With the features' leverage a net above the least loss has a cheaper move: the checker asks for the least."""
    fact = facts.readout_price(UNITS, NET, DATA, POINT, FOUND)
    assert Fraction(fact["square"]) > Fraction(fact["bound"])
    with pytest.raises(Refused, match="normal equations fail"):
        check_fact(fact)
    assert not oracle.readout_price(fact)


@settings(deadline=None)
@given(cases(), PENALTIES)
def test_what_is_made_is_accepted(case, penalty):
    features, data, point = case
    net, found = least(features, data, penalty), leverage(features, data.inputs, point, penalty)
    if not isinstance(found, Leverage):
        fact = facts.free_readout(net, data.inputs, point, found)
        check_fact(fact)
        assert oracle.free_readout(fact)
        return
    at = facts.leverage_at(net, data.inputs, point, found, penalty)
    price = facts.readout_price(net, ridge(features, data, 5, intercept=True), data, point, found, penalty)
    check_fact(at)
    check_fact(price)
    assert oracle.leverage(at) and oracle.readout_price(price)
