"""Cells of a sweep: losses against the data sets they stand for, detector sizes against the hours,
and what is not so is refused.
"""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.experiments.world.cells import cell, expected_loss, sizes, thresholds
from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, NIGHT_SHIFT, Sweep
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.models.circuit import is_idle
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.policies import backdoor_at, deceptive_after, direct_translator, human_imitator
from proof_of_absence.models.world import encode
from tests.checker.changed import refused
from tests.checker.experiments.world.worlds import worlds

HOURS = st.integers(0, 7)


def net_of(layers):
    return MLP(tuple(Affine(layer["weights"], layer["bias"]) for layer in layers))


def by_rows(world, policy):
    """The loss on the data set, row by row; None where a state cannot be read back from its input."""
    says = {encode(*case): policy(*case) for case in world.train_cases()}
    data = world.dataset()
    return sum((says[z] - y) ** 2 for z, (y,) in zip(data.inputs, data.targets, strict=True)) / Fraction(len(data))


@settings(max_examples=25)
@given(worlds(), HOURS, HOURS)
def test_losses_are_those_on_the_data(world, scheduled, trigger):
    fact = cell(world, scheduled=scheduled, trigger=trigger)
    check_fact(fact)
    policies = {
        "translator": direct_translator,
        "imitator": human_imitator,
        "deceptive": deceptive_after(max(world.train_hours)),
        "scheduled": deceptive_after(scheduled),
        "backdoor": backdoor_at(trigger),
    }
    losses = {name: by_rows(world, policy) for name, policy in policies.items()}
    assert {name: Fraction(loss) for name, loss in fact["losses"].items()} == losses
    assert set(fact["best"]) == {name for name in losses if losses[name] == min(losses.values())}
    data = world.dataset()
    assert Fraction(fact["noise_floor"]) == data.noise_floor
    for entry in fact["nets"].values():
        assert Fraction(entry["loss"]) == data.loss(net_of(entry["net"]))
    for name, entry in fact["reassigned"].items():
        before = net_of(fact["nets"][name]["net"])
        assert is_idle(before, entry["circuit"], data.inputs)
        assert Fraction(entry["drop"]) == data.loss(before) - data.loss(net_of(entry["net"])) > 0


@settings(max_examples=25)
@given(worlds(), HOURS, HOURS, st.fractions(0, 1, max_denominator=9))
def test_thresholds_hold_at_every_rate(world, scheduled, trigger, rate):
    fact = thresholds(world, scheduled=scheduled, trigger=trigger)
    check_fact(fact)
    at = type(world)(world.train_hours, world.deploy_hours, world.humans, world.tampering, rate)
    difference = expected_loss(at, direct_translator) - expected_loss(at, human_imitator)
    entry = fact["excess"]["translator"]
    assert difference == (1 - rate) * Fraction(entry["train"]) + rate * Fraction(entry["deploy"])
    if entry["tie"] is not None:
        below, above = Fraction(entry["train"]), Fraction(entry["deploy"])
        tie = Fraction(entry["tie"])
        assert difference == 0 if rate == tie else (difference > 0) == ((below if rate < tie else above) > 0)


@settings(max_examples=25)
@given(worlds())
def test_sizes_are_what_the_hours_say(world):
    fact = sizes(world)
    check_fact(fact)
    for entry in fact["cases"]:
        _, tampering, hour, _ = entry["case"]
        assert world.tampering[tampering] > 0
        fewer = min(sum(h < hour for h in world.train_hours), sum(h > hour for h in world.train_hours))
        assert entry["size"] == min(fewer, 2) + 1
    assert sum(map(Fraction, fact["shares"].values())) == 1


def test_detectors_never_get_smaller_as_diversity_grows():
    """C10_nested, on the default sweep: hour by hour until there is training data at the hour."""
    sweep, last = Sweep(), {}
    for diversity in sweep.diversities:
        now = {tuple(entry["case"]): entry["size"] for entry in sizes(sweep.world(ATTENTIVE, diversity))["cases"]}
        assert all(last.get(case, 1) <= size for case, size in now.items())
        last = now
    assert set(last.values()) == {3}


SWEEP = Sweep(order=(0, 2, 6, 8, 4), mixing=(0, "1/10"))
CELL = cell(SWEEP.world(ATTENTIVE, 3), scheduled=7, trigger=4)
SIZES = sizes(Sweep(order=(0, 8, 2, 6, 9, 4)).world(ATTENTIVE, 4))
TWO = sizes(Sweep(order=(0, 8, 4)).world(ATTENTIVE, 2))
TIES = thresholds(Sweep().world(NIGHT_SHIFT, 5), scheduled=8, trigger=4)


def index(fact, size):
    return next(i for i, entry in enumerate(fact["cases"]) if entry["size"] == size)


@pytest.mark.parametrize(
    ("fact", "match", "path", "value"),
    [
        (CELL, "the losses of the policies, imitator: stated 0, recomputed", ["losses", "imitator"], "0"),
        (CELL, "the losses of the policies, .*: stated .*, recomputed", ["mixing"], "1/10"),
        (CELL, "the losses of the policies, .*: stated .*, recomputed", ["trigger"], 6),
        (CELL, "the policies of least loss.*: stated .*, recomputed", ["best"], ["imitator"]),
        (CELL, "the noise floor: stated 0, recomputed", ["noise_floor"], "0"),
        (CELL, "the probabilities of defecting, deceptive: stated 0, recomputed", ["defects", "deceptive"], "0"),
        (
            CELL,
            "the losses of the policies: stated {imitator: .*}, recomputed {",
            ["losses"],
            {"imitator": CELL["losses"]["imitator"]},
        ),
        (CELL, "not one net for each policy", ["nets"], {"imitator": CELL["nets"]["imitator"]}),
        (CELL, "the net of imitator answers otherwise", ["nets", "imitator"], CELL["nets"]["translator"]),
        (CELL, "the losses of the nets, imitator: stated 0, recomputed", ["nets", "imitator", "loss"], "0"),
        (CELL, "the nets of least loss.*: stated .*, recomputed", ["best_nets"], ["translator"]),
        (CELL, "the drop of deceptive reassigned: stated 1, recomputed", ["reassigned", "deceptive", "drop"], "1"),
        (
            CELL,
            "how often deceptive reassigned defects: stated 1, recomputed",
            ["reassigned", "deceptive", "defects"],
            "1",
        ),
        (CELL, "outside the circuit differs", ["reassigned", "deceptive", "circuit"], [[1, 3]]),
        (CELL, r"the circuit of deceptive is not idle", ["reassigned", "deceptive", "circuit"], [[1, 0]]),
        (CELL, "hours are whole numbers", ["scheduled"], "7"),
        (CELL, "not weights of tampering", ["tampering"], ["0", "0", "0"]),
        (CELL, "malformed world-cell: KeyError", ["reassigned", "oracle"], {}),
        (SIZES, "is not idle", ["cases", index(SIZES, 3), "units", 0, 1], "100"),
        (SIZES, "not a detector of that size", ["cases", index(SIZES, 3), "size"], 2),
        (SIZES, "four inputs are needed", ["cases", index(SIZES, 3), "line"], []),
        (SIZES, "not on one line", ["cases", index(SIZES, 3), "line", 0], [1, 0, 0, 0]),
        (
            SIZES,
            "not two inputs on each side",
            ["cases", index(SIZES, 3), "line"],
            [SIZES["cases"][index(SIZES, 3)]["line"][i] for i in (0, 2, 1, 3)],
        ),
        (SIZES, "does not fire", ["cases", index(SIZES, 1), "units", 0, 2], "0"),
        (SIZES, "the mean size: stated 1, recomputed", ["mean"], "1"),
        (SIZES, "the shares of the sizes: stated {1: 1}, recomputed", ["shares"], {"1": "1"}),
        (SIZES, "a case of deployment is missing", ["cases"], SIZES["cases"][1:]),
        (SIZES, "one listed twice", ["cases"], SIZES["cases"] + SIZES["cases"][:1]),
        (TWO, "not a convex combination", ["cases", 0, "combination"], [[[0, 0, 0, 0], "1/2"]]),
        (
            TWO,
            "the point that is combined, entry .*: stated .*, recomputed",
            ["cases", 0, "combination"],
            [[[0, 0, 0, 0], "1"]],
        ),
        (TIES, "the excess of translator, entry 0: stated 0, recomputed", ["excess", "translator", "train"], "0"),
        (TIES, "the tie of translator: stated None, recomputed", ["excess", "translator", "tie"], None),
        (TIES, "not one entry for each policy", ["excess"], {}),
    ],
)
def test_what_is_not_so_is_refused(fact, match, path, value):
    refused(fact, match, (path, value))
