"""A run that comes late never replaces what an earlier report decided; one that decides as much or more does."""

import json
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proof_of_absence
from proof_of_absence.checker.audit import folder as module
from proof_of_absence.checker.audit.engine import examine
from proof_of_absence.checker.audit.findings import FINDINGS, UNDECIDED
from proof_of_absence.checker.audit.folder import write_folder
from proof_of_absence.checker.audit.fuller import decided
from proof_of_absence.checker.independent.results.audit import check_audit
from proof_of_absence.checker.kernel.fuller import FullerReport, together, undone
from proof_of_absence.checker.numbers.deadline import Deadline
from proof_of_absence.checker.region.boxes import Region, box_of
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.test_deadline import Ticking

INPUTS = np.random.default_rng(7).normal(size=(8, 2)).round(3)
TARGETS = INPUTS.sum(axis=1, keepdims=True) ** 2
# A detector that is silent in training, a unit that varies, and one that is constant.
NET = FloatNet([([[1.0, 0.5], [1.0, -1.0], [0.0, 0.0]], [-9.0, 0.5, 2.0]), ([[1.0, 2.0, 1.0]], [0.25])], np.float32)
DEPLOY = np.array([[0.1, 0.1], [20.0, 0.0], *INPUTS[:1].tolist()])
BOXES = (Region("wide", ((Fraction(-20), Fraction(20)),) * 2), box_of(INPUTS))


def run(folder, looks=10**9, force=False, **options):
    """An audit that is over at that look, written into the folder; what its run found."""
    options = {"deploy": DEPLOY, "regions": BOXES} | options
    deadline = Deadline(looks, Ticking())
    outcome = examine(NET, INPUTS, TARGETS, deadline=deadline, keep=folder / "stages", **options)
    write_folder(folder, outcome, force=force)
    return outcome


def content(folder):
    """Every file of the folder but the stages."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def looks(tmp_path_factory):
    """How often a whole run looks at the clock."""
    clock = Ticking()
    options = {"deploy": DEPLOY, "regions": BOXES, "keep": tmp_path_factory.mktemp("looks")}
    examine(NET, INPUTS, TARGETS, deadline=Deadline(10**9, clock), **options)
    return clock.looks


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=4), st.booleans())
def test_the_report_that_stands_has_all_that_any_before_it_had(looks, tmp_path_factory, ends, cached):
    """Whatever the lengths of the runs, and whether the stages are there."""
    folder = tmp_path_factory.mktemp("runs") / "out"
    standing = {}
    for end in ends:
        if not cached:
            for path in (folder / "stages").glob("[0-9a-f]*.json"):
                path.unlink() if path.name != "decided.json" else None
        before = content(folder) if folder.exists() else None
        outcome = None
        try:
            outcome = run(folder, int(end * looks))
        except FullerReport:
            assert content(folder) == before
        else:
            now = decided(outcome.audit)
            assert not undone(standing, now)
            standing = now
    told = json.loads((folder / "report.json").read_text())
    assert sum(unit["idle"] is not None for unit in told["units"]) == len(standing.get("units", ()))
    assert sum(one["verdict"] in ("sat", "unsat") for one in told["regions"]) == len(
        standing.get("answers on regions", ())
    )
    if (folder / "certificate.json").exists():
        check_audit(folder / "certificate.json")


def test_a_late_run_says_what_stands_and_force_replaces_it(tmp_path):
    folder = tmp_path / "out"
    whole = run(folder)
    before = content(folder)
    with pytest.raises(FullerReport, match=r"3 units, 2 circuits.* answers on regions.*--force") as late:
        run(folder, 0)
    assert late.value.exit_code == FINDINGS == whole.audit.exit_code
    assert content(folder) == before
    run(folder, 0, force=True)
    assert json.loads((folder / "report.json").read_text())["exit_code"] == UNDECIDED
    # And now the shorter one gives way.
    run(folder)
    assert json.loads((folder / "report.json").read_text())["exit_code"] == FINDINGS


@pytest.mark.parametrize(
    "change", [{"regions": BOXES[:1]}, {"deploy": DEPLOY[:1]}, {"move": Fraction(2)}, {"penalty": Fraction(1)}]
)
def test_another_question_is_answered_anew(tmp_path, change):
    run(tmp_path / "out")
    run(tmp_path / "out", 0, **change)
    assert json.loads((tmp_path / "out" / "report.json").read_text())["exit_code"] == UNDECIDED


def test_a_swap_that_fails_leaves_the_note_of_what_stands(tmp_path, monkeypatch):
    """As where the process is killed between the note and the swap."""
    folder = tmp_path / "out"
    run(folder)
    before, note = content(folder), module.note

    def fails(*arguments):
        note(*arguments)
        raise OSError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(module, "note", fails)
        with pytest.raises(OSError, match="killed here"):
            run(folder, 0, force=True)
    with pytest.raises(FullerReport):
        run(folder, 0)
    assert content(folder) == before


@pytest.mark.parametrize("damage", ["", "{", '{"key": "decided.json"}', None])
def test_a_note_that_is_damaged_says_nothing(tmp_path, damage):
    folder = tmp_path / "out"
    run(folder)
    path = folder / "stages" / "decided.json"
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage)
    run(folder, 0)
    assert json.loads((folder / "report.json").read_text())["exit_code"] == UNDECIDED


def test_in_python_a_warning_says_so_and_the_audit_of_this_run_comes_back(tmp_path):
    asked = {"deploy": DEPLOY, "regions": BOXES, "loss": "squared", "output": tmp_path / "out"}
    whole = proof_of_absence.audit(NET, INPUTS, TARGETS, **asked)
    before = content(tmp_path / "out")
    with pytest.warns(UserWarning, match="The earlier report in .* stands"):
        late = proof_of_absence.audit(NET, INPUTS, TARGETS, seconds=0, **asked)
    assert late.exit_code == UNDECIDED and whole.exit_code == FINDINGS
    assert content(tmp_path / "out") == before
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        proof_of_absence.audit(NET, INPUTS, TARGETS, seconds=0, force=True, **asked)


@pytest.mark.parametrize(("one", "other", "code"), [(0, 0, 3), (0, 1, 1), (1, 3, 1), (3, 0, 3)])
def test_the_exit_code_of_both_is_never_a_pass(one, other, code):
    assert together(one, other) == together(other, one) == code
