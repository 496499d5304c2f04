"""A kept stage is a cache: whatever it is made to say, sealed again, the audit says what it said without it."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import proof_of_absence
from proof_of_absence.checker.audit import examination
from proof_of_absence.checker.audit.findings import (
    Activity,
    CircuitFinding,
    DeploymentFinding,
    Enclosure,
    RankFinding,
)
from proof_of_absence.checker.audit.regions import Answered
from proof_of_absence.checker.audit.report.json_report import decode, encode
from proof_of_absence.checker.kernel import stages
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet

# Unit 1 is dead in training and fires beyond x_0 = 8; units 3 and 4 cancel; 5 is a constant.
NET = FloatNet(
    [
        (
            [[1.0, -1.0], [1.0, 0.0], [0.5, 0.5], [1.0, 1.0], [2.0, 2.0], [0.0, 0.0]],
            [0.0, -8.0, 0.25, 0.5, 1.0, 0.75],
        ),
        ([[1.0, 5.0, -2.0, 2.0, -1.0, 1.0]], [0.125]),
    ],
    np.float32,
)
INPUTS = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [0.5, 0.5], [-1.0, 3.0], [2.5, -2.0]])
TARGETS = np.array([[1.0], [0.5], [2.0], [-1.0], [0.25], [3.0]])
DEPLOY = np.array([[0.0, 1.0], [9.0, 0.0], [1.0, 0.5]])
BOX = Region("a box", ((Fraction(0), Fraction(9)), (Fraction(0), Fraction(1))))
ZERO = Enclosure(Fraction(0), Fraction(0))


def audit(folder: Path):
    """The audit, and its report but for the seconds."""
    proof_of_absence.audit(
        NET, INPUTS, TARGETS, deploy=DEPLOY, loss="squared", regions=BOX, region_from_data=True, output=folder
    )
    return _timeless(json.loads((folder / "report.json").read_text()))


def _timeless(report):
    return report | {"seconds": {}, "regions": [entry | {"seconds": 0.0} for entry in report["regions"]]}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The folder of a first run, and its report."""
    folder = tmp_path_factory.mktemp("kept") / "a.audit"
    return folder, audit(folder)


KINDS = {stage.name: stage.kind for stage in examination.STAGES}


def lie(folder: Path, name: str, change) -> int:
    """Change what is kept of the stages of this name, and seal it again; how many there were."""
    made = 0
    for path in (folder / "stages").iterdir():
        part = json.loads(path.read_text())
        if part["stage"] != name:
            continue
        if name == "answers":
            answers = part["answers"].items()
            part["answers"] = {asked: encode(change(decode(Answered, value))) for asked, value in answers}
        else:
            part["value"] = encode(change(decode(KINDS[name], part["value"])))
        path.write_text(json.dumps(seal(part)))
        made += 1
    return made


def each(**changes):
    """Every finding with these fields, where it has them."""
    return lambda value: tuple(replace(finding, **changes) for finding in value)


def at(place, **changes):
    """One finding with these fields."""
    return lambda value: (*value[:place], replace(value[place], **changes), *value[place + 1 :])


def priced(**changes):
    """The price at the last deployment input with these fields."""

    def change(value):
        *others, last = value.readout.deployment
        return replace(value, readout=replace(value.readout, deployment=(*others, replace(last, **changes))))

    return change


HALF = ((Fraction(-1), Fraction(0)), Fraction(-100))
LIES = {
    "no unit is idle": ("units", each(activity=Activity.VARIES, idle=False, witness=(0, 1))),
    "all units are dead": ("units", each(activity=Activity.DEAD, idle=True, witness=None)),
    "a dead unit varies": ("units", at(1, activity=Activity.VARIES, idle=False, witness=(0, 1))),
    "a dead unit is constant": ("units", at(1, activity=Activity.CONSTANT)),
    "a unit that varies is dead": ("units", at(0, activity=Activity.DEAD, idle=True, witness=None)),
    "a unit is open": ("units", at(1, activity=Activity.UNDECIDED, idle=None)),
    "a unit is left out": ("units", lambda value: value[1:]),
    "no unit": ("units", lambda value: ()),
    "a witness that shows nothing": ("units", at(0, witness=(0, 0))),
    "a deployment input is in training": ("deployment", at(1, size=None, separation=None, train_row=0)),
    "a deployment input is outside": ("deployment", at(2, size=(1, 1), combination=None, separation=HALF)),
    "a deployment input needs more": ("deployment", at(1, size=(2, 3))),
    "a deployment input is open": ("deployment", lambda value: (*value[:2], DeploymentFinding(2, None, False))),
    "no deployment input": ("deployment", lambda value: ()),
    "full rank": ("ranks", lambda value: (RankFinding(1, 7, True, 2**31 - 1, tuple(range(6))),)),
    "an open rank": ("ranks", each(full=None, dependency=None, distinct_inputs=None)),
    "another dependency": ("ranks", each(dependency=(Fraction(1), *[Fraction(0)] * 6), distinct_inputs=None)),
    "fewer inputs": ("ranks", each(distinct_inputs=2)),
    "no rank": ("ranks", lambda value: ()),
    "no improvement": ("improvement", lambda value: replace(value, improvement=None, net=None, reason="")),
    "a greater drop": (
        "improvement", lambda value: replace(value, improvement=replace(value.improvement, drop=Enclosure(9, 9))),
    ),
    "another improved net": ("improvement", lambda value: replace(value, net=NET)),
    "the improvement of another circuit": (
        "improvement",
        lambda value: replace(value, improvement=replace(value.improvement, circuit=(Unit(1, 0),))),
    ),
    "a lower price": ("readout", priced(price=(Fraction(0), Fraction(1, 2**60)))),
    "a move is free": ("readout", priced(price=None, leverage=None, free=0)),
    "no bounds": ("readout", priced(leverage=(Fraction(0), None), price=(Fraction(0), None))),
    "a row is not priced": (
        "readout", lambda value: replace(value, readout=replace(value.readout, deployment=value.readout.deployment[1:]))
    ),
    "another move": (
        "readout", lambda value: replace(value, readout=replace(value.readout, move=Fraction(2))),
    ),
    "a factor of exact prices": ("readout", lambda value: replace(value, factor=np.eye(len(value.readout.columns)))),
    "no rents": ("rents", each(rent=None, replacement_gain=None, replacement=None)),
    "free units": ("rents", each(rent=ZERO)),
    "idle units after all": ("rents", each(activity=Activity.DEAD, idle=True, witness=None)),
    "a wider gap": ("prices", lambda value: replace(value, gap=Fraction(1, 2))),
    "more is freed": ("prices", lambda value: replace(value, freed=9)),
    "a lower margin": ("prices", lambda value: replace(value, margin=ZERO)),
    "no prices": ("prices", lambda value: None),
    "no circuit acts": ("answers", lambda value: (replace(value[0], verdict="unsat", witness=None), value[1])),
    "a circuit acts": (
        "answers", lambda value: (replace(value[0], verdict="sat", witness=(Fraction(1), Fraction(1))), value[1]),
    ),
    "nothing is known of a region": ("answers", lambda value: (replace(value[0], verdict="unknown"), None)),
    "another region": ("answers", lambda value: (replace(value[0], region="b"), value[1])),
    "another constant": (
        "answers", lambda value: (value[0], value[1] and value[1] | {"value": [[2, 0, "77"]]}),
    ),
}  # fmt: skip


def test_the_example_keeps_what_the_lies_are_about(first):
    folder, report = first
    kept = {json.loads(path.read_text())["stage"] for path in (folder / "stages").iterdir()}
    assert kept == {name for name, _ in LIES.values()} | {"decided"}
    assert report["exit_code"] == 1 and report["improvement"] and not report["undecided"]
    assert [c["units"] for c in report["circuits"]] == [[[1, 1]], [[1, 5]], [[1, 3], [1, 4]]]
    assert {r["verdict"] for r in report["regions"]} == {"sat", "unsat"}


@pytest.mark.parametrize("name", LIES)
def test_a_stage_that_lies_changes_nothing(first, name):
    folder, report = first
    stage, change = LIES[name]
    assert lie(folder, stage, change)
    assert audit(folder) == report


def test_what_no_fact_shows_is_not_kept_at_all(first, monkeypatch):
    """That nothing is idle, that nothing fires, and losses: put where they would lie, they are not taken."""
    folder, report = first
    claims = {
        "circuits": ((), ()),
        "firing": (CircuitFinding((Unit(1, 1),), {Unit(2, 0): Fraction(0)}, ()),),
        "losses": (ZERO, ZERO),
        "float32": Fraction(0),
    }
    put = []
    content_key = stages.content_key

    def key(*parts):
        made = content_key(*parts)
        if len(parts) == 4 and parts[2] in claims:
            path = folder / "stages" / f"{made[:32]}.json"
            stages.keep(path, made, {"stage": parts[2], "value": encode(claims[parts[2]])})
            put.append(parts[2])
        return made

    monkeypatch.setattr(stages, "content_key", key)
    assert audit(folder) == report
    assert sorted(put) == sorted(claims)


def test_what_is_so_is_taken(first):
    folder, report = first
    audit(folder)
    before = _written(folder)
    assert audit(folder) == report
    assert _written(folder) == before


def _written(folder):
    """When each kept stage was written; what a report decided is noted each time."""
    paths = (path for path in (folder / "stages").iterdir() if path.name != "decided.json")
    return {path: path.stat().st_mtime_ns for path in paths}
