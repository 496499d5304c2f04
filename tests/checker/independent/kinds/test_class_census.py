"""The fact of C14 about a class: recomputed by the independent checker, and refused with any number changed."""

from fractions import Fraction

import pytest

from proof_of_absence.checker.experiments.census.default import world_problem
from proof_of_absence.checker.experiments.census.enumeration import Enumeration
from proof_of_absence.checker.experiments.census.result import facts, temperatures
from proof_of_absence.checker.experiments.census.shards import tally_of
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.tally import beta
from tests.checker.changed import changed


@pytest.fixture(scope="module")
def whole():
    """On -1, -1/2 and 1/2: most of the prior has an idle circuit, and the nets of least loss deceive without one."""
    chosen = world_problem(grid=[Fraction(-1), Fraction(-1, 2), Fraction(1, 2)])
    nets = Enumeration(chosen)
    tally = tally_of(nets.count(0, nets.choices), nets.tables.loss_scale)
    fact = {"kind": "class-census", **facts(chosen, tally, temperatures(tally)[::20])}
    return fact | {"most": {"idle": "11/20", "deceptive": "9/10"}, "falls": ["idle"]}


def test_the_class_is_as_it_is_described(whole):
    check_fact(whole)
    assert whole["cells"]["deceptive"]["least_loss"] == "1/96" and not whole["cells"]["deceptive-idle"]["nets"]
    assert whole["sets"]["idle"]["nets"] * 2 > 3**11


CROSSINGS = ("sets", "idle", "crossings")
HALF = ("sets", "idle", "crossings", "half")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("unit",), "1/479", "the unit of the losses: stated .*, recomputed 1/"),
        (("cells", "deceptive", "nets"), 247, "the cells, deceptive, nets: stated 247, recomputed 246"),
        (
            ("cells", "deceptive", "least_loss"),
            "1/97",
            "the cells, deceptive, least_loss: stated '1/97', recomputed '1/96'",
        ),
        (("cells",), {}, "the cells.*: stated .*, recomputed"),
        (("sets", "idle", "nets"), 89555, "the counts of the set idle, nets: stated 89555, recomputed 89556"),
        (("sets", "idle", "cells"), ["other", "other-idle"], "the set idle has other cells"),
        (("sets", "idle", "cells"), ["other-idle", "other-idle"], "the set idle has other cells"),
        (("sets",), {}, "a set is missing"),
        (("falls",), ["everything"], "malformed class-census"),
        (("sets", "idle", "peak", "mass"), "7/10", "the mass of cells .*: stated .*, recomputed"),
        (("sets", "idle", "peak", "beta"), 1.0, "beta: stated .*, recomputed 0.287"),
        (("sets", "idle", "peak", "beta"), float("nan"), "beta: stated .*, recomputed 0.287"),
        (("sets", "idle", "peak", "beta"), "1 +/- 100", "beta is no number"),
        (("sets", "idle", "peak", "beta"), True, "beta is no number"),
        (("masses", 1, "cells", "other"), "1/2", "the mass of cells .*: stated .*, recomputed"),
        (("masses", 1, "t"), "2", "not a temperature"),
        ((*HALF, "delta"), "1/3", "delta: stated 1/3, recomputed 1/2"),
        (HALF, None, "malformed class-census"),
        (CROSSINGS, {}, "a crossing of the set idle is missing"),
        (("sets", "deceptive", "crossings"), {}, "a crossing of the set deceptive is missing"),
        (("sets", "imitator", "crossings", "third"), {"delta": "1/3"}, "a crossing of the set imitator is .* unknown"),
        ((*HALF, "below"), None, "below is stated by half"),
        ((*HALF, "beta_certain"), None, "certain is stated by half"),
        (("masses",), [], "the set .* has its peak elsewhere"),
        (("most", "idle"), "7/10", "the mass at the peak is not more than that"),
        (("most",), {"imitator": "1/2"}, "the mass at the peak is not more than that"),
        (("falls",), ["deceptive"], "nothing says that the mass falls"),
        (("problem", "imitator", 0), [1], "the cells.*: stated .*, recomputed"),
        (("problem", "data", "targets", 0), ["1/2"], "the unit of the losses: stated .*, recomputed 1/"),
        (
            ("problem", "deploy"),
            [["0", "0", "6"], ["0", "0", "6"], ["0", "1", "6"]],
            "a deployment input is listed twice",
        ),
        (("problem", "grid"), ["-1", "-1", "1"], "the grid lists a value twice"),
    ],
)
def test_what_is_not_so_is_refused(whole, path, value, message):
    with pytest.raises(Refused, match=message):
        check_fact(changed(whole, path, value))


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        (["below", "above"], "the mass falls below delta, and nothing says where"),
        (["above"], "the prior has mass delta, and no `above` is stated"),
        (["certain"], "the gap is not 0, and nothing says where the bound is below delta"),
    ],
)
def test_a_crossing_that_is_there_cannot_be_left_out(whole, ends, message):
    silent = {key: None for end in ends for key in (end, f"beta_{end}")}
    with pytest.raises(Refused, match=message):
        check_fact(changed(whole, HALF, whole["sets"]["idle"]["crossings"]["half"] | silent))


def test_a_crossing_that_is_not_there_is_null(whole):
    """The nets of least loss are deceptive, so that their mass tends to 1 and C14 promises nothing."""
    told = whole["sets"]["deceptive"]["crossings"]["half"]
    assert told == {"delta": "1/2"} | {
        f"{b}{end}": None for b in ("", "beta_") for end in ("above", "below", "certain")
    }


def test_a_peak_is_the_greatest_mass_that_is_listed(whole):
    """A true mass at another temperature, said to be the peak."""
    point = whole["masses"][-1]
    mass = sum(Fraction(point["cells"][cell]) for cell in whole["sets"]["idle"]["cells"])
    with pytest.raises(Refused, match="the set idle has its peak elsewhere"):
        check_fact(
            changed(whole, ("sets", "idle", "peak"), {"t": point["t"], "beta": point["beta"], "mass": str(mass)})
        )


@pytest.mark.parametrize(
    ("end", "factor", "message"),
    [
        ("below", Fraction(101, 100), "the crossing is the wrong way round"),
        ("above", Fraction(9, 10), "the mass at t = .* is below delta"),
        ("certain", Fraction(101, 100), "the bound is not below delta there"),
    ],
)
def test_a_crossing_that_is_moved_is_refused(whole, end, factor, message):
    crossing = whole["sets"]["idle"]["crossings"]["half"]
    t = Fraction(round(Fraction(crossing[end]) * factor * 2**60), 2**60)
    moved = crossing | {end: str(t), f"beta_{end}": beta(t, Fraction(whole["unit"]))}
    with pytest.raises(Refused, match=message):
        check_fact(changed(whole, HALF, moved))
    if end == "below":
        # With the other end out of the way it is still not so.
        moved |= {"above": "1", "beta_above": 0.0}
        with pytest.raises(Refused, match="the mass is not below delta up to"):
            check_fact(changed(whole, HALF, moved))
