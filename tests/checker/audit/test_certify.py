"""Certificates of audits: what the engine finds is accepted, what is false is refused, whoever sealed it."""

import copy
import hashlib
import json
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from proof_of_absence.checker.audit.certify import NAME, certify
from proof_of_absence.checker.audit.circuits import firing, idle_circuits
from proof_of_absence.checker.audit.detectors import deployment_findings
from proof_of_absence.checker.audit.findings import DeploymentFinding
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.independence import rank_findings
from proof_of_absence.checker.audit.net_arrays import arrays_of
from proof_of_absence.checker.cli import app
from proof_of_absence.checker.independent.__main__ import main
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.audit import check_audit
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import PLAIN, any_nets, hidden_values, matrices


def audited(folder, net, inputs, deploy, deployment=()):
    units = unit_findings(net, inputs)
    circuits, _ = idle_circuits(net, inputs, units)
    circuits = firing(net, circuits, inputs, deploy)
    ranks = rank_findings(net, inputs, units=units)
    return certify(folder, net, inputs, deploy, units=units, circuits=circuits, ranks=ranks, deployment=deployment)


@given(any_nets(), st.data())
def test_what_is_found_is_accepted(case, data):
    net, inputs = case
    deploy = data.draw(matrices(3, net.widths[0], PLAIN))
    with tempfile.TemporaryDirectory() as folder:
        check_audit(audited(Path(folder), net, inputs, deploy, deployment_findings(inputs, deploy)))


@given(any_nets())
def test_the_checkers_own_arithmetic(case):
    net, inputs = case
    found = arrays_of(net)
    texts = {name: array for name, array in found.items() if array.dtype.kind == "S"}
    floats = {name: array for name, array in found.items() if name not in texts}
    other, expected = Unshared.read(floats, texts), hidden_values(net, inputs)
    for layer, width in enumerate(net.widths[1:-1], 1):
        integers, scale, divisor = other.exact(inputs, layer, list(range(width)))
        values, error = other.bounded(inputs, layer, list(range(width)))[-1]
        for (i, j), whole in np.ndenumerate(integers):
            exact = expected[i][layer - 1][j]
            assert Fraction(whole, divisor) * Fraction(2) ** scale == exact
            if np.isfinite(values[i, j]) and np.isfinite(error[i, j]):
                assert abs(max(Fraction(float(values[i, j])), 0) - exact) <= Fraction(float(error[i, j]))


@given(st.fractions())
def test_hexadecimal_numbers(value):
    assert hexadecimal(f"{value.numerator:x}/{value.denominator:x}") == value


# Rows 0, 1, 2 are (0,0), (1,2), (2,1).
# Units of layer 1: dead; constant 2; x; y; x + y, and (-3, 2) is outside, and (1,1) inside.
NET = FloatNet(
    [
        ([[-1.0, -1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 2.0, 0.0, 0.0, 0.0]),
        ([[1.0, 1.0, 1.0, 1.0, -1.0], [0.0, 0.5, 2.0, 2.0, -2.0]], [0.0, 0.0]),
        ([[1.0, 1.0]], [0.0]),
    ]
)
INPUTS, DEPLOY = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 1.0]]), np.array([[-3.0, 2.0], [1.0, 1.0], [1.0, 2.0]])
THIRDS = tuple((i, Fraction(1, 3)) for i in range(3))
DEPLOYMENT = (
    DeploymentFinding(0, (1, 1), separation=((Fraction(-1), Fraction(0)), Fraction(0))),
    DeploymentFinding(1, (2, 3), combination=THIRDS),
    DeploymentFinding(2, None, train_row=1),
)


@pytest.fixture
def certificate(tmp_path):
    return audited(tmp_path, NET, INPUTS, DEPLOY, DEPLOYMENT)


def test_the_example_holds_every_kind_of_fact(certificate):
    facts = check_audit(certificate)["facts"]
    kinds = [fact["kind"] for fact in facts]
    assert kinds == ["units", "units", *["circuit"] * 5, "few-inputs", "dependency", "outside", "inside", "train-input"]
    assert [(f["layer"], f["units"], f["fires"]) for f in facts if f["kind"] == "circuit"] == [
        (1, [0], [0]), (1, [1], []), (1, [2, 3, 4], [0]), (2, [0], [0]), (2, [1], [0]),
    ]  # fmt: skip


def fact(facts, kind, position=0):
    return [f for f in facts if f["kind"] == kind][position]


def change(kind, position=0, /, **fields):
    def edit(facts):
        fact(facts, kind, position).update(fields)

    return edit


def entry(kind, field, index, value):
    def edit(facts):
        fact(facts, kind)[field][index] = value

    return edit


def remove_units(facts):
    facts.remove(fact(facts, "units"))


def rank_of_a_part(facts):
    facts.append({"kind": "full-rank", "layer": 1, "prime": 7, "rows": [0, 1, 2], "units": [2, 4]})


def full_rank_of_two(facts):
    facts.append({"kind": "full-rank", "layer": 2, "prime": 7, "rows": [0, 1, 2]})


TAMPERED = {
    "a varying unit is called dead": (entry("units", "activity", 2, "dead"), "not as idle as it says"),
    "and idle": (
        lambda facts: (entry("units", "activity", 2, "dead")(facts), entry("units", "idle", 2, True)(facts)),
        "unit 1.2 has another value at a row of",
    ),
    "a varying unit is called constant": (
        lambda facts: (entry("units", "activity", 2, "constant")(facts), entry("units", "idle", 2, True)(facts)),
        "another value at row 0",
    ),
    "a dead unit is called constant": (entry("units", "activity", 0, "constant"), "another value at row 0"),
    "a constant unit is called dead": (entry("units", "activity", 1, "dead"), "another value at row 0"),
    "a dead unit is called varying": (
        lambda facts: (
            entry("units", "activity", 0, "varies")(facts),
            entry("units", "witness", 0, [0, 1])(facts),
            entry("units", "idle", 0, False)(facts),
        ),
        "unit 1.0 has one value at rows 0 and 1",
    ),
    "the witness shows nothing": (entry("units", "witness", 2, [1, 1]), "one value at rows 1 and 1"),
    "a witness beyond the data": (entry("units", "witness", 2, [0, 3]), "no such training row"),
    "a unit is left out": (entry("units", "idle", slice(0, 1), []), "not one entry for each unit"),
    "a layer is left out": (remove_units, "each hidden layer has one fact"),
    "another circuit": (change("circuit", 2, units=[2, 3]), "is not idle"),
    "another value": (change("circuit", 1, value=["2", "1/2"]), "is not idle"),
    "it fires elsewhere": (
        change("circuit", fires=[]),
        "the deployment rows at which circuit .* fires: stated .*, recomputed",
    ),
    "it fires where it does not": (
        change("circuit", 1, fires=[0]),
        "the deployment rows at which circuit .* fires: stated .*, recomputed",
    ),
    "a relation that is none": (
        change("dependency", coefficients=["0", "1", "0"]),
        "relation of layer 2 does not hold",
    ),
    "the empty relation": (change("dependency", coefficients=["0", "0", "0"]), "all coefficients are 0"),
    "a relation of fewer columns": (change("dependency", coefficients=["1"]), "not one coefficient for each column"),
    "rank of other units": (
        lambda facts: (rank_of_a_part(facts), change("full-rank", units=[1, 4])(facts)),
        "minor of layer 1 is 0 modulo 7",
    ),
    "full rank": (full_rank_of_two, "minor of layer 2 is 0 modulo 7"),
    "an even prime": (
        lambda facts: (full_rank_of_two(facts), change("full-rank", prime=2)(facts)),
        "the modulus is not an odd prime",
    ),
    "an odd modulus that is no prime": (
        lambda facts: (full_rank_of_two(facts), change("full-rank", prime=9)(facts)),
        "the modulus is not an odd prime",
    ),
    "more distinct inputs": (
        change("few-inputs", distinct_inputs=4),
        "the number of distinct training inputs: stated 4, recomputed 3",
    ),
    "few inputs, but enough": (change("few-inputs", layer=2), "no fewer of them than columns"),
    "a half-space through the data": (change("outside", bias="1"), "a training row is on the wrong side"),
    "a half-space without the point": (change("outside", weights=["0", "0"]), "deployment row 0 is not outside"),
    "a combination of another point": (change("inside", row=0), "is not that combination"),
    "weights that do not add up": (change("inside", combination=[[0, "1/2"], [1, "1/3"]]), "no convex weights"),
    "another training row": (change("train-input", train_row=0), "no such training row"),
    "a number with an exponent": (change("outside", bias="1e9999999999/0"), "division by zero"),
    "a decimal point": (change("outside", bias="0.5"), "not a hexadecimal rational"),
    "another kind": (change("inside", kind="inner"), "kind 'inner' is not understood"),
    "no layer": (change("circuit", layer=3), "no such hidden layer"),
    "malformed": (change("circuit", units=None), "malformed"),
}


def test_rank_of_some_units(certificate):
    content = json.loads(certificate.read_text())
    rank_of_a_part(content["facts"])
    certificate.write_text(json.dumps(seal(content)))
    check_audit(certificate)


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_certificates_are_refused(certificate, name):
    edit, message = TAMPERED[name]
    content = json.loads(certificate.read_text())
    edit(content["facts"])
    certificate.write_text(json.dumps(content))
    with pytest.raises(Refused, match="digest does not fit"):
        check_audit(certificate)
    certificate.write_text(json.dumps(seal(content)))
    with pytest.raises(Refused, match=message):
        check_audit(certificate)


def test_other_files_are_refused(certificate, tmp_path):
    inputs = INPUTS.copy()
    inputs[0, 0] = 5e-324
    np.savez(tmp_path / "train.npz", inputs=inputs)
    with pytest.raises(Refused, match=r"train\.npz is not the file that was audited"):
        check_audit(certificate)
    (tmp_path / "train.npz").unlink()
    with pytest.raises(Refused, match=r"train\.npz: No such file"):
        check_audit(certificate)


@pytest.mark.parametrize(
    ("save", "message"),
    [
        (lambda path: np.savez(path, inputs=INPUTS.astype(np.float32)), "not float64 and finite"),
        (lambda path: np.savez(path, inputs=INPUTS * np.nan), "not float64 and finite"),
        (lambda path: np.savez_compressed(path, inputs=INPUTS), "compressed"),
        (lambda path: np.savez(path, inputs=np.array([{}], dtype=object), allow_pickle=True), "no npz file of plain"),
        (lambda path: path.write_bytes(b"PK"), "no npz file of plain"),
        (lambda path: np.savez(path, rows=INPUTS), "the array `inputs`"),
        (lambda path: np.savez(path, inputs=INPUTS[:, :1]), "do not fit the net"),
    ],
)
def test_bad_files_are_refused(certificate, tmp_path, save, message):
    save(tmp_path / "train.npz")
    content = json.loads(certificate.read_text())
    content["files"]["train"]["sha256"] = hashlib.sha256((tmp_path / "train.npz").read_bytes()).hexdigest()
    certificate.write_text(json.dumps(seal(content)))
    with pytest.raises(Refused, match=message):
        check_audit(certificate)


def test_the_commands_accept_and_refuse(certificate, tmp_path, capsys):
    for path in (tmp_path, tmp_path / NAME):
        result = CliRunner().invoke(app, ["check", str(path)])
        assert (result.exit_code, "12 facts o" in result.output) == (0, True)
    assert main([str(tmp_path)]) == 0
    content = copy.deepcopy(json.loads(certificate.read_text()))
    content["facts"][0]["witness"][2] = [0, 0]
    certificate.write_text(json.dumps(seal(content)))
    result = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert (result.exit_code, "REFUSED" in result.output) == (1, True)
    assert main([str(tmp_path)]) == 1
    assert "REFUSED" in capsys.readouterr().out


def test_deployment_facts_need_deployment_inputs(tmp_path):
    with pytest.raises(ValueError, match="need these inputs"):
        certify(tmp_path, NET, INPUTS, units=unit_findings(NET, INPUTS), deployment=DEPLOYMENT)
