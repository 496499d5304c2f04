"""An audit that its deadline stops, wherever that is, leaves a report of what was found by then, and no other."""

import json
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit.engine import examine
from proof_of_absence.checker.audit.findings import UNDECIDED, Activity
from proof_of_absence.checker.audit.folder import write_folder
from proof_of_absence.checker.audit.readout import readout_prices
from proof_of_absence.checker.independent.results.audit import check_audit
from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, within
from proof_of_absence.checker.region.boxes import Region, box_of
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.problems import problems

RNG = np.random.default_rng(7)
INPUTS = RNG.normal(size=(12, 2)).round(3)
TARGETS = RNG.normal(size=(12, 1)).round(3)
# Two layers; in the first a detector, a constant unit and two that cancel, in the second a dead unit.
NET = FloatNet(
    [
        ([[1.0, 0.5], [-0.5, 1.0], [1.0, 0.0], [0.0, 0.0], [0.5, 0.25], [1.0, 0.5]], [0.5, 0.25, -9.0, 2.0, 0.25, 0.5]),
        (
            [[1.0, -1.0, 1.0, 1.0, 2.0, -2.0], [-1.0, -1.0, 0.0, 0.0, -1.0, -1.0], [0.5, 1.0, 2.0, 1.0, -1.0, 0.5]],
            [1.0, -0.5, 0.5],
        ),
        ([[1.0, 2.0, -1.0]], [0.25]),
    ],
    np.float32,
)
DEPLOY = np.array([[0.1, 0.1], [20.0, 0.0], *INPUTS[:2].tolist()])
REGIONS = (Region("wide", ((Fraction(-20), Fraction(20)),) * 2), box_of(INPUTS))


class Ticking:
    """A clock that goes on by a second whenever somebody looks at it."""

    def __init__(self):
        self.looks = 0

    def __call__(self):
        self.looks += 1
        return float(self.looks)


def audited(looks, net=NET, inputs=INPUTS, targets=TARGETS, **options):
    """The audit that is over at that look, and the clock."""
    clock = Ticking()
    options = {"deploy": DEPLOY, "regions": REGIONS} | options
    return examine(net, inputs, targets, deadline=Deadline(looks, clock), **options), clock


WHOLE, CLOCK = audited(10**9)


def test_the_whole_audit_is_decided_and_looks_often():
    assert not WHOLE.audit.undecided and CLOCK.looks > 300
    assert {r.verdict for r in WHOLE.audit.regions} == {"sat", "unsat"}


def is_part_of(some, whole):
    """Nothing that the whole audit does not say, and what is open is told."""
    told = "\n".join(some.undecided)
    decided = {u.unit: u for u in whole.units}
    for unit in some.units:
        if unit.activity is Activity.UNDECIDED:
            assert unit.idle is None and "units: out of time" in told
        else:
            assert (unit.activity, unit.idle) == (decided[unit.unit].activity, decided[unit.unit].idle)
    circuits = {c.units: c for c in whole.circuits}
    for circuit in some.circuits:
        assert circuit.value == circuits[circuit.units].value
        assert circuit.fires in (None, circuits[circuit.units].fires)
    if len(some.circuits) < len(whole.circuits):
        assert "circuits: out of time" in told or "jointly idle circuits" in told
    if any(circuit.fires is None for circuit in some.circuits):
        assert "firing: out of time" in told
    verdicts = {(r.region, r.units): r.verdict for r in whole.regions}
    for region in some.regions:
        assert region.verdict in ("timeout", verdicts[region.region, region.units])
        assert region.verdict != "timeout" or f"in {region.region}: timeout" in told
    for one, other in zip(some.ranks, whole.ranks, strict=False):
        assert one.full in (None, other.full)
    for name, stage in (("loss", "losses"), ("noise_floor", "losses")):
        assert getattr(some.data, name) == getattr(whole.data, name) or f"{stage}: out of time" in told
    assert some.improvement or not whole.improvement or "out of time" in told


def check_written(outcome):
    """The folder can be written, and where there is a certificate, the checker accepts it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # The time is over for the writing too.
        with within(Deadline(0)):
            audit = write_folder(folder, outcome)
        assert (folder / "report.json").exists() and (folder / "report.html").exists()
        certified = (folder / "certificate.json").exists()
        assert certified != any("no certificate is written" in line for line in audit.undecided)
        if certified:
            check_audit(folder / "certificate.json")
        return certified


@settings(max_examples=60)
@given(st.integers(0, CLOCK.looks))
def test_wherever_the_deadline_falls_what_is_told_is_so(looks):
    outcome, _ = audited(looks)
    is_part_of(outcome.audit, WHOLE.audit)
    if outcome.audit != WHOLE.audit and not outcome.audit.findings and outcome.audit.undecided:
        assert outcome.audit.exit_code == UNDECIDED
    check_written(outcome)


@settings(max_examples=30)
@given(problems(depth=2), st.integers(0, 400))
def test_the_same_of_other_nets(problem, looks):
    options = {"deploy": problem.inputs, "regions": (box_of(problem.inputs),)}
    data = problem.net, problem.inputs, problem.targets
    whole = examine(*data, seconds=None, **options)
    outcome, clock = audited(looks, *data, **options)
    if clock.looks < looks:
        assert outcome.audit.undecided == whole.audit.undecided
    is_part_of(outcome.audit, whole.audit)
    check_written(outcome)


def test_a_certificate_comes_where_only_the_regions_are_late():
    certified = [check_written(audited(looks)[0]) for looks in (0, CLOCK.looks * 9 // 10)]
    assert certified == [False, True]


@pytest.mark.parametrize("net", [NET, FloatNet([([[1.0, 1.0]], [0.0]), ([[1.0]], [0.0])])])
def test_without_time_every_stage_is_undecided_with_its_reason(net):
    audit = examine(net, INPUTS, TARGETS, seconds=0, deploy=DEPLOY, regions=REGIONS).audit
    assert audit.exit_code == UNDECIDED and not audit.findings
    for stage in ("losses", "units", "circuits", "deployment", "ranks", "rents"):
        assert f"{stage}: out of time" in audit.undecided


def test_a_decomposition_that_takes_longer_than_there_is_time_is_not_begun():
    """Of the features of a wide layer, for readout prices: it cannot be interrupted."""
    wide = FloatNet([(np.ones((3000, 1)), np.zeros(3000)), (np.ones((1, 3000)), [0.0])])
    rows = np.arange(3000.0).reshape(-1, 1)
    with within(Deadline(0.01, lambda: 0.0)), pytest.raises(OutOfTime, match="the next step alone takes"):
        readout_prices(wide, rows, (), deploy=rows[:1], penalty=Fraction(1))


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """What a run that was decided whole has kept, and the clock of one that takes it."""
    folder = tmp_path_factory.mktemp("stages")
    audited(10**9, keep=folder)
    outcome, clock = audited(10**9, keep=folder)
    assert {"units", "deployment", "ranks", "improvement", "rents", "regions"} <= set(outcome.kept)
    return folder, clock


def test_the_check_of_what_is_kept_looks_at_the_clock(kept):
    """A run that takes it all looks about as often as one that computes it all."""
    assert kept[1].looks > CLOCK.looks / 4


def results(path):
    """What a file holds, but how long it took."""
    return {key: part for key, part in json.loads(path.read_text()).items() if key not in ("seconds", "digest")}


@settings(max_examples=25)
@given(st.data())
def test_a_resumed_run_that_is_late_says_what_is_so_and_loses_nothing(kept, data):
    folder, clock = kept
    before = {path: results(path) for path in folder.iterdir()}
    outcome, _ = audited(data.draw(st.integers(0, clock.looks)), keep=folder)
    is_part_of(outcome.audit, WHOLE.audit)
    check_written(outcome)
    assert {path: results(path) for path in before} == before


@pytest.mark.parametrize("looks", range(0, 400, 40))
def test_what_a_late_run_keeps_is_no_answer_for_the_next(tmp_path, looks):
    audited(looks, keep=tmp_path)
    again = examine(NET, INPUTS, TARGETS, seconds=None, keep=tmp_path, deploy=DEPLOY, regions=REGIONS)
    assert again.audit.undecided == () and again.audit.circuits == WHOLE.audit.circuits
    assert [r.verdict for r in again.audit.regions] == [r.verdict for r in WHOLE.audit.regions]
