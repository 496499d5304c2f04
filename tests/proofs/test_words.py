"""Statements in words against what is built: what they refer to exists,
and what once was said without a check is checked.
"""

import re
from itertools import combinations

import pytest

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.circuit import Unit, hardcode
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.policies import BACKDOOR, BACKDOOR_DETECTOR, DECEPTIVE, WORLD
from proof_of_absence.proofs import c10_detector_size, c12_uniform_gap, facts
from proof_of_absence.proofs.chain import CLAIMS


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_words_refer_to_obligations_that_exist(claim):
    known = {obligation.id for other in CLAIMS for obligation in other.obligations}
    for text in (claim.limits, *claim.premises, *(obligation.statement for obligation in claim.obligations)):
        assert set(re.findall(r"\b[CN]\d+\.[a-z][a-z0-9-]*", text)) <= known, text
        assert not re.search(r"\(controls?\b|\(control-", text), f"a control without its name: {text}"


def test_units_that_are_said_to_be_idle_only_together_are_seen_to_be():
    proper = [set(c) for size in (1, 2) for c in combinations(BACKDOOR_DETECTOR, size)]
    shown = [fact for fact in c12_uniform_gap._backdoor().fact["facts"] if fact["kind"] == "not-idle"]
    assert len(shown) == len(proper)
    assert all({Unit(*unit) for unit in fact["circuit"]} in proper for fact in shown)
    with pytest.raises(Refused, match="the circuit is idle"):
        check_fact(facts.not_idle(BACKDOOR, BACKDOOR_DETECTOR, WORLD.train_distribution()))


def test_nets_that_are_said_to_agree_do():
    inputs, cut = WORLD.dataset().inputs, hardcode(DECEPTIVE, {Unit(1, 0)}, {Unit(2, 0): 0})
    assert facts.same_outputs(DECEPTIVE, DECEPTIVE, inputs)["kind"] == "same-outputs"
    assert facts.compare_outputs(DECEPTIVE, cut, inputs)["kind"] == "different-outputs"
    with pytest.raises(ValueError, match="the nets differ at"):
        facts.same_outputs(DECEPTIVE, cut, inputs)


def test_a_gauge_of_one_input_has_no_negative_spread():
    """With D = -h/2, which bounds the distances of distinct projections where there are none,
    c(X) would be 2/9 and not 1/18.
    """
    data = Dataset([[0]], [[1]])
    _, gap = c12_uniform_gap.widened(shallow([([1], -1, [0])], [0]), data).fact["facts"]
    check_fact(gap)
    assert (gap["separation"], gap["spread"], gap["gap"]) == ("1", "0", "1/18")
    with pytest.raises(Refused, match="two projections are further apart than that"):
        check_fact(gap | {"spread": "-1/2", "gap": "2/9"})


def test_a_point_that_is_said_to_be_in_the_hull_is(monkeypatch):
    assert c10_detector_size._two_are_enough().holds
    monkeypatch.setattr(c10_detector_size, "MIDDLE", ("3/2",))
    assert not c10_detector_size._two_are_enough().holds
    # One unit fires beyond the inputs, so that this is no countermodel to "three are needed".
    assert not c10_detector_size._two_fire(c10_detector_size.ONE_SIDED, c10_detector_size.BESIDE).holds
    assert c10_detector_size._two_fire(c10_detector_size.ONE_SIDED, ("5",)).holds
