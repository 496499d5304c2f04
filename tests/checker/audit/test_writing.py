"""The time that is set aside for writing grows with what there is to write, and each part is counted once."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.audit import writing as module
from proof_of_absence.checker.audit.engine import examine
from proof_of_absence.checker.audit.examination import Examination
from proof_of_absence.checker.audit.findings import CircuitFinding, DeploymentFinding
from proof_of_absence.checker.audit.folder import write_folder
from proof_of_absence.checker.audit.writing import Writing
from proof_of_absence.checker.numbers.deadline import Deadline, within
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.objective import Loss

NET = FloatNet([(np.ones((3, 2)), [-99.0, -99.0, 1.0]), (np.ones((400, 3)), np.zeros(400))])
ROWS = np.arange(8.0).reshape(-1, 2)


def examination():
    return Examination(NET, ROWS, np.zeros((4, 400)), Loss.SQUARED, None, None)


def circuit(value):
    return CircuitFinding((Unit(1, 0),), {Unit(2, k): Fraction(value) for k in range(400)})


def test_what_there_is_more_to_write_takes_longer():
    times = []
    silent, sends = circuit(0), circuit(1)
    for circuits, regions in (((), 0), ((silent,), 0), ((silent,), 9), ((sends,), 9), ((sends, sends), 9)):
        found = examination()
        found.fired = circuits
        times.append(Writing(found).seconds(regions))
    assert times == sorted(set(times))
    found = examination()
    before = Writing(found).seconds(0)
    found.deploy = np.zeros((10**4, 2))
    open_ = Writing(found).seconds(0)
    found.deployment = tuple(DeploymentFinding(row, None, decided=False) for row in range(10**4))
    assert before < open_ == Writing(found).seconds(0)


def test_each_part_is_counted_once_until_it_is_another(monkeypatch):
    counted = []
    count = module._of_circuits
    monkeypatch.setattr(module, "_of_circuits", lambda part: counted.append(1) or count(part))
    found = examination()
    writing = Writing(found)
    found.fired = (circuit(0),)
    assert len({writing.seconds(0) for _ in range(3)}) == 1 and len(counted) == 1
    found.fired = tuple(replace(one, fires=(1,)) for one in found.fired)
    writing.seconds(0)
    assert len(counted) == 2


def test_circuits_that_send_0_share_what_says_so():
    """Thousands of readers of hundreds of circuits are one dictionary, and one list in the report."""
    circuits = examine(NET, ROWS, np.zeros((4, 400)), seconds=None).audit.circuits
    assert len(circuits) == 2 and circuits[0].value is circuits[1].value
    assert len(circuits[0].value) == 400 and not any(circuits[0].value.values())


def test_what_is_shown_beside_comes_out_of_what_the_files_leave(tmp_path):
    """That no circuit is missed in a layer, which takes long on wide nets."""
    net = FloatNet([([[1.0], [1.0], [1.0]], [-99.0, 0.0, -1.5]), (np.ones((1, 3)), [0.0])])
    rows = np.arange(6.0).reshape(-1, 1)
    outcome = examine(net, rows, rows, seconds=None)
    shown = []
    for seconds in (1.0, 9.0):
        folder = tmp_path / f"{seconds}"
        with within(Deadline(5.0, lambda: 0.0)):
            write_folder(folder, replace(outcome, writing=seconds))
        facts = json.loads((folder / "certificate.json").read_text())["facts"]
        shown.append([fact["units"] for fact in facts if fact["kind"] == "full-rank"])
    assert shown == [[[1, 2]], []]
