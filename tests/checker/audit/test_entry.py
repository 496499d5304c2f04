"""`proof_of_absence.audit`: the same audit for modules, nets and paths, arrays, tensors and lists;
one line for what it cannot take.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import proof_of_absence
from proof_of_absence.checker.audit.report.json_report import to_json
from proof_of_absence.models.files import InputError, onnx, read_net
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP

INPUTS = [[-1.0], [0.0], [1.0], [2.0], [3.0]]
TARGETS = [[0.0], [1.0], [0.0], [2.0], [1.0]]
NET = FloatNet([([[1.0], [-1.0], [1.0]], [0.5, 1.5, -9.0]), ([[1.0, 2.0, 3.0]], [0.25])], np.float32)


def module():
    """The net as torch builds it."""
    made = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    with torch.no_grad():
        for layer, (weights, bias) in zip((made[0], made[2]), NET.layers, strict=True):
            layer.weight.copy_(torch.tensor(weights))
            layer.bias.copy_(torch.tensor(bias))
    return made


def told(audit) -> dict:
    """The report without what differs between sources: names, hashes, types, times, and the float32 bound."""
    report = to_json(audit)
    for name in ("seconds", "float32_deviation"):
        del report[name]
    for part, names in (("net", ("sha256", "dtype", "source", "reading")), ("data", ("sha256", "source"))):
        for name in names:
            del report[part][name]
    return report


def test_one_audit_whatever_the_form(tmp_path):
    expected = proof_of_absence.audit(NET, INPUTS, TARGETS, [[4.0], [11.0]])
    assert expected.findings[0] == "circuit {1.2} is train-idle" and expected.circuits[0].fires == (1,)
    onnx.write(tmp_path / "net.onnx", NET)
    for model in (module(), str(tmp_path / "net.onnx"), tmp_path / "net.onnx"):
        found = proof_of_absence.audit(model, np.array(INPUTS), np.array(TARGETS), np.array([[4], [11]]))
        assert told(found) == told(expected)
    tensors = [torch.tensor(rows, dtype=torch.float32) for rows in (INPUTS, TARGETS, [[4], [11]])]
    tensors[0].requires_grad_()
    assert told(proof_of_absence.audit(module(), *tensors)) == told(expected)
    flat = [row[0] for row in TARGETS]
    assert told(proof_of_absence.audit(NET, np.array(INPUTS, np.int32), flat, [[4], [11]])) == told(expected)
    # An exact net is one of float64: what is rounded to the type differs.
    exact = proof_of_absence.audit(NET.exact(), INPUTS, TARGETS, [[4.0], [11.0]])
    assert exact.net.dtype == "float64"
    assert exact.findings == expected.findings and exact.data.loss == expected.data.loss


def test_regions_and_files(tmp_path):
    (tmp_path / "box.vnnlib").write_text("(declare-const X_0 Real)(assert (<= X_0 12))(assert (>= X_0 -1))")
    audit = proof_of_absence.audit(
        NET, INPUTS, TARGETS, regions=[tmp_path / "box.vnnlib"], region_from_data=True, output=tmp_path / "out"
    )
    assert [(r.region, r.verdict) for r in audit.regions] == [("box.vnnlib", "sat"), ("training box", "unsat")]
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == to_json(audit)
    better = proof_of_absence.audit(read_net(tmp_path / "out" / audit.improvement.file), INPUTS, TARGETS)
    assert better.data.loss == audit.improvement.loss_after


@pytest.mark.parametrize(
    ("model", "inputs", "targets", "message"),
    [
        (NET, [[np.nan]] * 5, TARGETS, "^X: holds NaN or infinity$"),
        (NET, [1.0, 2.0], TARGETS, r"^X: has shape \(2,\); it takes \(rows, columns\), at least one of each$"),
        (NET, [[1.0], [2.0, 3.0]], TARGETS, "^X: is no array of numbers: "),
        (NET, [["a"]] * 5, TARGETS, "^X: is of type <U1; convert it to float64$"),
        (NET, [[2**53 + 1]] * 5, TARGETS, "^X: holds an integer that float64 does not"),
        (NET, np.ma.masked_greater(INPUTS, 2), TARGETS, "^X: has masked entries; fill them"),
        (NET, np.zeros((0, 1)), TARGETS, r"^X: has shape \(0, 1\)"),
        (NET, INPUTS, TARGETS[:3], "hold 5 inputs but 3 targets"),
        (NET, INPUTS, [[1.0, 2.0]] * 5, "have 2 columns, the net has 1 outputs"),
        (MLP((Affine([[10**400]], [0]),)), INPUTS, TARGETS, "^the net: an entry is larger than every float64"),
        (torch.nn.Tanh(), INPUTS, TARGETS, "tanh.*layers="),
        ("net.h5", INPUTS, TARGETS, "net.h5: unknown suffix"),
        (3, INPUTS, TARGETS, "module"),
    ],
)  # fmt: skip
def test_what_it_cannot_take(model, inputs, targets, message):
    with pytest.raises(InputError, match=message) as caught:
        proof_of_absence.audit(model, inputs, targets)
    assert len(str(caught.value).splitlines()) == 1


def test_importing_absence_loads_nothing_else():
    name = "proof_of_absence"
    code = f"import sys, {name}; print([m for m in sys.modules if m.startswith('{name}.') or m == 'numpy'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        proof_of_absence.nothing  # noqa: B018


def test_one_region_as_text_and_state_dictionaries(tmp_path):
    box = tmp_path / "box.vnnlib"
    box.write_text("(declare-const X_0 Real)(assert (< X_0 12))(assert (>= X_0 -1))")
    audit = proof_of_absence.audit(NET, INPUTS, TARGETS, regions=str(box))
    (found,) = audit.regions
    assert found.region == "box.vnnlib (closed: 1 strict bound holds with equality too)" and found.verdict == "sat"
    assert audit.net.reading.known_from == "the layers given in Python" and audit.net.reading.layers == (
        "1 -> 3",
        "3 -> 1",
    )
    torch.save(module().state_dict(), tmp_path / "net.pt")
    with pytest.raises(InputError, match=r"net.pt: a state dictionary does not say what stands between its layers"):
        proof_of_absence.audit(tmp_path / "net.pt", INPUTS, TARGETS)
    found = proof_of_absence.audit(tmp_path / "net.pt", INPUTS, TARGETS, activation="relu")
    assert found.circuits == audit.circuits and found.net.reading.known_from.startswith("an assumption")


def test_arrays_that_are_taken_as_they_are():
    found = proof_of_absence.audit(NET, np.ma.array(INPUTS), [[True]] * 5, loss="squared")
    assert found.data.rows == 5
    half = torch.tensor(INPUTS).bfloat16()
    assert proof_of_absence.audit(NET, half, TARGETS).circuits == found.circuits
