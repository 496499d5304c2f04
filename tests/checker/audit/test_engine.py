"""The stages of an audit: none that fails lets the audit pass, and what is kept is used for the same contents alone."""

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit import examination, regions
from proof_of_absence.checker.audit.certify import NAME
from proof_of_absence.checker.audit.engine import CODEC, examine
from proof_of_absence.checker.audit.findings import CLEAN, FINDINGS, UNDECIDED
from proof_of_absence.checker.audit.folder import write_folder
from proof_of_absence.checker.audit.report.verdict import headline
from proof_of_absence.checker.independent.results.audit import check_audit
from proof_of_absence.checker.kernel import stages as stages_room
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.checker.kernel.stages import Stages
from proof_of_absence.checker.region.boxes import Region, box_of, read_regions
from proof_of_absence.models.circuit import hidden_units, is_idle
from proof_of_absence.models.files import InputError
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.problems import problems

INPUTS = np.array([[-1.0], [0.0], [1.0], [2.0], [3.0]])
TARGETS = np.array([[0.0], [1.0], [0.0], [2.0], [1.0]])
CLEAN_NET = FloatNet([([[1.0], [-1.0]], [0.5, 1.5]), ([[1.0, 2.0]], [0.0])], np.float32)
IDLE_NET = FloatNet([([[1.0], [-1.0], [1.0]], [0.5, 1.5, -9.0]), ([[1.0, 2.0, 3.0]], [0.0])], np.float32)
STAGES = [
    "losses",
    "unit_findings",
    "idle_circuits",
    "firing",
    "deployment_findings",
    "rank_findings",
    "improve",
    "rents",
    "prices",
    "readout_prices",
    "float32_deviation",
    "witnesses",
    "decide",
]
# The idle circuit of IDLE_NET is silent in the first, and acts in the second.
REGIONS = tuple(Region(name, ((Fraction(-1), Fraction(end)),)) for name, end in (("quiet", 8), ("box", 12)))
OPTIONS = {"deploy": np.array([[4.0], [11.0]]), "regions": REGIONS}


def boom(*arguments, **options):
    """A stage that fails."""
    raise RuntimeError("no\nluck")


def test_a_clean_net_and_one_that_is_not():
    assert examine(CLEAN_NET, INPUTS, TARGETS, **OPTIONS).audit.exit_code == CLEAN
    audit = examine(IDLE_NET, INPUTS, TARGETS, **OPTIONS).audit
    assert audit.exit_code == FINDINGS and not audit.undecided
    assert audit.findings[-1] == "circuit {1.2} acts in box"
    assert audit.circuits[0].fires == (1,)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_fails_is_undecided_and_never_clean(monkeypatch, stage):
    called = []

    def fails(*arguments, **options):
        called.append(stage)
        boom()

    monkeypatch.setattr(regions if stage in ("witnesses", "decide") else examination, stage, fails)
    for net in (CLEAN_NET, IDLE_NET):
        called.clear()
        audit = examine(net, INPUTS, TARGETS, **OPTIONS).audit
        if called:
            assert audit.exit_code in (FINDINGS, UNDECIDED)
            assert any("failed: RuntimeError: no luck" in line for line in audit.undecided)
            assert "Clean" not in headline(audit)
    # The net with an idle circuit goes through every stage that it can.
    assert called


def test_a_circuit_whose_firing_failed_is_not_said_to_be_silent(monkeypatch):
    monkeypatch.setattr(examination, "firing", boom)
    assert examine(IDLE_NET, INPUTS, TARGETS, **OPTIONS).audit.circuits[0].fires is None


@settings(max_examples=25)
@given(st.one_of(problems(), problems(rational=True), problems(depth=2, rational=True)))
def test_what_is_found_is_so(problem):
    outcome = examine(problem.net, problem.inputs, problem.targets, seconds=5, regions=[box_of(problem.inputs)])
    audit = outcome.audit
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder), outcome)
        check_audit(Path(folder) / NAME)
    net, inputs = problem.net.exact(), problem.inputs.tolist()
    for circuit in audit.circuits:
        assert is_idle(net, circuit.units, inputs)
    assert {c.units for c in audit.circuits if len(c.units) == 1} == {
        (unit,) for unit in hidden_units(net) if is_idle(net, [unit], inputs)
    }
    assert audit.data.loss.low <= problem.data.loss(net) <= audit.data.loss.high
    assert audit.data.distinct_inputs == len(problem.data.groups)
    assert not any("failed" in line for line in audit.undecided)


@pytest.mark.parametrize(
    ("inputs", "targets", "options", "message"),
    [
        (np.ones((5, 2)), TARGETS, {}, "the training inputs: have 2 columns, the net reads 1"),
        (INPUTS, np.ones((5, 2)), {}, "the targets: have 2 columns, the net has 1 outputs"),
        (INPUTS, TARGETS[:4], {}, "the training data: hold 5 inputs but 4 targets"),
        (INPUTS, TARGETS, {"deploy": np.ones((1, 3))}, "the deployment inputs: have 3 columns, the net reads 1"),
        (INPUTS, TARGETS, {"regions": [Region("b", ())]}, "b: is a box of 0 inputs, the net reads 1"),
    ],
)
def test_arrays_that_do_not_fit(inputs, targets, options, message):
    with pytest.raises(InputError, match=message):
        examine(CLEAN_NET, inputs, targets, **options)


def test_stages_are_kept_until_they_depend_on_something_else(tmp_path):
    calls = []

    def stage():
        calls.append(1)
        return (Fraction(1, 3),)

    def stages(subject="a"):
        return Stages(tmp_path, subject, lambda name: None, *CODEC)

    kind, so = tuple[Fraction, ...], {"shown": lambda value: value == (Fraction(1, 3),)}
    for runner in (stages(), stages()):
        assert runner.run("x", kind, stage, **so) == (Fraction(1, 3),)
    assert len(calls) == 1
    stages().run("x", kind, stage, of="other", **so)
    stages("b").run("x", kind, stage, **so)
    # What nothing shows is not kept, or not taken.
    for _ in range(2):
        stages().run("y", kind, stage)
        stages().run("x", kind, stage, shown=lambda value: False)
    assert len(calls) == 7 and len(list(tmp_path.iterdir())) == 3
    for path in tmp_path.iterdir():
        path.write_text("{}")
    assert stages().run("x", kind, stage, **so) == (Fraction(1, 3),) and len(calls) == 8


@pytest.mark.parametrize("quick", [0, 10**6])
def test_a_stage_that_was_quick_is_run_again_and_its_facts_are_not_decided(monkeypatch, tmp_path, quick):
    monkeypatch.setattr(stages_room, "QUICK", quick)
    asked, found = [], []

    def shown(value):
        asked.append(value)
        return True

    for _ in range(2):
        told = Stages(tmp_path, "a", lambda name: None, *CODEC)
        assert told.run("x", int, lambda: found.append(1) or 5, shown=shown) == 5
    assert (len(asked), len(found), tuple(told.kept)) == ((0, 2, ()) if quick else (1, 1, ("x",)))


def test_what_follows_from_a_failed_stage_is_not_kept_for_the_next_run(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        patch.setattr(examination, "idle_circuits", boom)
        assert examine(IDLE_NET, INPUTS, TARGETS, keep=tmp_path, **OPTIONS).audit.idle_price.freed == 0
    again = examine(IDLE_NET, INPUTS, TARGETS, keep=tmp_path, **OPTIONS)
    assert "units" in again.kept and "prices" not in again.kept
    assert again.audit.idle_price.freed == 1 and len(again.audit.circuits) == 1


def test_interrupts_are_not_findings(monkeypatch, tmp_path):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(examination, "rank_findings", interrupted)
    with pytest.raises(KeyboardInterrupt):
        examine(IDLE_NET, INPUTS, TARGETS, keep=tmp_path)
    monkeypatch.undo()
    assert examine(IDLE_NET, INPUTS, TARGETS, keep=tmp_path).kept == ("units",)


def test_contents_that_differ_have_other_keys():
    other = FloatNet(CLEAN_NET.layers, np.float64)
    keys = [
        content_key(*parts)
        for parts in ([CLEAN_NET], [other], [IDLE_NET], [INPUTS], [INPUTS.T], [INPUTS, INPUTS], ["ab"], ["a", "b"])
    ]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("outputs", [0, 1, 2])
def test_a_region_tells_what_of_its_file_is_not_used(tmp_path, outputs):
    lines = ["(declare-const X_0 Real)", "(declare-const Y_0 Real)", "(assert (>= X_0 0))", "(assert (<= X_0 1))"]
    (tmp_path / "box.vnnlib").write_text("\n".join(lines + ["(assert (>= Y_0 0))"] * outputs) + "\n")
    told = {
        0: "",
        1: " (its 1 assertion about outputs is not used)",
        2: " (its 2 assertions about outputs are not used)",
    }[outputs]
    assert read_regions(tmp_path / "box.vnnlib")[0].name == f"box.vnnlib{told}"
