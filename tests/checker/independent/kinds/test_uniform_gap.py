"""Facts of C12: what is so is accepted; each thing that can be wrong is refused, with its reason."""

import copy
from fractions import Fraction

import pytest

from proof_of_absence.checker.construct.gap import gauge, reassignment_along, uniform_gap, widening_along
from proof_of_absence.proofs.examples import CONSTANT_CIRCUIT, CONSTANT_NET, TWO_OUTPUTS
from tests.checker.changed import refused

PLANE_GAUGE = gauge([group.input for group in TWO_OUTPUTS.groups])
WIDER = uniform_gap(CONSTANT_NET, widening_along(CONSTANT_NET, TWO_OUTPUTS, PLANE_GAUGE).net, TWO_OUTPUTS, PLANE_GAUGE)
REUSED = uniform_gap(
    CONSTANT_NET,
    reassignment_along(CONSTANT_NET, CONSTANT_CIRCUIT, TWO_OUTPUTS, PLANE_GAUGE).net,
    TWO_OUTPUTS,
    PLANE_GAUGE,
    CONSTANT_CIRCUIT,
)


@pytest.mark.parametrize("fact", [WIDER, REUSED])
@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("the gap: stated 1/18, recomputed 1/16200", [(["gap"], "1/18")]),
        ("closer than that", [(["separation"], str(PLANE_GAUGE.separation * 2))]),
        ("closer than that", [(["separation"], "0")]),
        ("closer than that", [(["separation"], "-1")]),
        ("further apart than that", [(["spread"], str(PLANE_GAUGE.spread - Fraction(1, 9)))]),
        ("the same projection", [(["direction"], ["0", "1"])]),
        ("the drop: stated 1, recomputed 112645/3834", [(["drop"], "1")]),
        ("not shallow nets", [(["net"], [{"weights": [["1", "1"]], "bias": ["0"]}])]),
    ],
)
def test_a_gap_that_is_not_so(fact, match, changes):
    refused(fact, match, *changes)


def test_a_gain_below_the_gap_is_refused():
    loss = TWO_OUTPUTS.loss(CONSTANT_NET)
    idle_unit = [*CONSTANT_NET.layers[0].weights, PLANE_GAUGE.direction]
    after = copy.deepcopy(WIDER["after"])
    for row in after[1]["weights"]:
        row[-1] = "0"
    assert len(idle_unit) == 4 and loss > TWO_OUTPUTS.noise_floor
    refused(WIDER, "the gain is less than the gap promises", (["after"], after), (["drop"], "0"))


def test_one_more_unit_and_no_other_change():
    refused(WIDER, "not the old one and one unit more", (["after", 0, "weights", 0, 0], "7"))
    refused(WIDER, "not the old one and one unit more", (["after", 0, "bias", 0], "7"))
    refused(WIDER, "an old unit, or an output bias, differs", (["after", 1, "weights", 0, 0], "7"))
    refused(WIDER, "an old unit, or an output bias, differs", (["after", 1, "bias", 0], "7"))
    refused(WIDER, "not the old one and one unit more", (["after", 0, "weights", -1, 0], "7"))


def test_a_circuit_that_is_not_idle_or_not_the_only_change():
    refused(REUSED, "the circuit is not idle", (["circuit"], [[1, 0], [1, 1], [1, 2]]))
    refused(REUSED, r"outside the circuit differs|the bias of unit", (["circuit"], [[1, 2]]))
    refused(REUSED, "the architectures differ", (["after"], WIDER["after"]))
