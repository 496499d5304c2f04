"""Facts of C15: what is so is accepted; each thing that can be wrong is refused, with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.models.policies import DECEPTIVE
from proof_of_absence.models.world import Human, World
from proof_of_absence.proofs.c15_imitator import MIXED, TIED, acts_as, excess, losses
from tests.checker.changed import refused
from tests.checker.independent.kinds import policies as oracle

HOURS = st.lists(st.integers(0, 11), min_size=2, max_size=6, unique=True)
MIXED_LOSSES = losses(MIXED, ("imitator", "<", "deceptive"))
TIE = excess(TIED, "translator", "imitator", tie=True)


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (MIXED_LOSSES, "the losses, translator: stated 1699/6400, recomputed 849/3200", [(["mixing"], "1/50")]),
        (MIXED_LOSSES, "the losses, imitator: stated 0, recomputed 99/3200", [(["losses", "imitator"], "0")]),
        (
            MIXED_LOSSES,
            "the losses: stated {imitator: 99/3200}, recomputed {translator",
            [(["losses"], {"imitator": MIXED_LOSSES["losses"]["imitator"]})],
        ),
        (MIXED_LOSSES, "a relation fails", [(["relations", 0, 1], "=")]),
        (MIXED_LOSSES, "a relation fails", [(["relations", 0, 1], ">")]),
        (MIXED_LOSSES, "a relation fails", [(["relations", 0], ["deceptive", "<", "imitator"])]),
        (MIXED_LOSSES, "nothing is compared", [(["relations"], [])]),
        (MIXED_LOSSES, "not a mixing rate", [(["mixing"], "-1/50")]),
        (MIXED_LOSSES, "not weights", [(["tampering"], ["1", "-1", "1"])]),
        (MIXED_LOSSES, "not weights", [(["tampering"], ["0", "0", "0"])]),
        (MIXED_LOSSES, "listed twice", [(["train_hours", 0], 1)]),
        (MIXED_LOSSES, "whole numbers", [(["train_hours", 0], True)]),
        (MIXED_LOSSES, "of training and of deployment", [(["deploy_hours", 0], 1)]),
        (MIXED_LOSSES, "nobody", [(["humans"], [])]),
        (TIE, "the excess in train, entry 1: stated 0, recomputed -1/12", [(["train", 1], "0")]),
        (TIE, "the excess in train, entry 1: stated -1/12, recomputed 0", [(["left"], "deceptive")]),
        (TIE, "negative somewhere", [(["never_below"], True)]),
        (TIE, "differ without mixing", [(["only_mixed"], True)]),
        (TIE, "no such policy", [(["left"], "oracle")]),
        (TIE, "the losses differ there", [(["tie", "tampering", 2], "2")]),
        (TIE, "does not grow", [(["tie", "tampering"], ["1", "0", "0"])]),
        (acts_as(DECEPTIVE, "deceptive"), "answers otherwise", [(["policy"], "imitator")]),
        (acts_as(DECEPTIVE, "deceptive"), "answers otherwise", [(["last_hour"], 9)]),
    ],
)
def test_policies_that_are_otherwise(fact, match, changes):
    refused(fact, match, *changes)


@given(
    HOURS,
    st.lists(st.sets(st.integers(0, 11), max_size=4), min_size=1, max_size=3),
    st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any),
    st.fractions(0, 1, max_denominator=5),
)
def test_two_worlds_agree(hours, lapses, tampering, mixing):
    humans = tuple(Human(frozenset(hours)) for hours in lapses)
    world = World(tuple(hours[1:]), tuple(hours[:1]), humans, tuple(tampering), mixing)
    for fact in (losses(world, ("imitator", "=", "imitator")), excess(world, "deceptive", "translator")):
        check_fact(fact)
        assert oracle.SAYS[fact["kind"]](fact)
