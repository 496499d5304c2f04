"""`absence audit` end to end on a classifier: labels, one-hot rows, numbers, and no targets at all."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from proof_of_absence.checker.audit.report.json_report import from_json
from proof_of_absence.checker.cli import app
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files import onnx
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.console import ABSENCE

SQUARED, CROSS = "mean squared error", "cross-entropy of the softmax"


def absence(*arguments, expect) -> str:
    """Run the command in this process and folder; its standard output, then its standard error."""
    done = CliRunner().invoke(app, [str(word) for word in arguments], env={"COLUMNS": "200"})
    assert done.exit_code == expect, done.output
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A classifier of three classes with unit 1.4 idle, and its data in every form."""
    folder = tmp_path_factory.mktemp("classifier")
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 80)
    inputs = (np.array([[2, 0], [-1, 1], [-1, -2]])[labels] + rng.standard_normal((80, 2))).astype(np.float32)
    hidden, bias = rng.standard_normal((6, 2)), rng.standard_normal(6)
    bias[4] = -50
    features = np.hstack([np.maximum(inputs @ hidden.T + bias, 0), np.ones((80, 1))])
    output = np.zeros((7, 3))
    for _ in range(2000):
        powers = np.exp(features @ output)
        output += 0.05 * features.T @ (np.eye(3)[labels] - powers / powers.sum(axis=1, keepdims=True)) / 80
    output[4] = 1
    layers = [(hidden, bias), (output[:6].T, output[6])]
    rounded = [tuple(np.asarray(a, np.float32).astype(float) for a in layer) for layer in layers]
    onnx.write(folder / "net.onnx", FloatNet(rounded, np.float32))
    hot = np.eye(3)[labels]
    for name, arrays in {
        "labels": {"Y": labels}, "column": {"Y": labels[:, None].astype(np.int8)}, "hot": {"Y": hot},
        "real": {"Y": hot * 2}, "none": {}, "wrong": {"Y": labels + 1}, "float": {"Y": labels.astype(float)},
    }.items():  # fmt: skip
        np.savez(folder / f"{name}.npz", X=inputs, **arrays)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, files):
    """Each test runs in a folder of its own that has the files."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def told(folder="out"):
    """The audit that the report in the folder tells of, valid by its schema."""
    with open(f"{folder}/report.json", encoding="utf-8") as report, open(f"{folder}/report.schema.json") as schema:
        found = json.load(report)
        Draft202012Validator(json.load(schema)).validate(found)
    return from_json(found)


def kinds(folder="out") -> set[str]:
    with open(f"{folder}/certificate.json", encoding="utf-8") as stream:
        return {fact["kind"] for fact in json.load(stream)["facts"]}


def torch_style(path, data) -> float:
    """The cross-entropy of a model as onnxruntime runs it."""
    arrays = np.load(data)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (outputs,) = session.run(None, {session.get_inputs()[0].name: arrays["X"]})
    outputs = outputs.astype(float)
    return float((np.log(np.exp(outputs).sum(axis=1)) - outputs[np.arange(len(outputs)), arrays["Y"].ravel()]).mean())


@pytest.mark.parametrize("data", ["labels", "column"])
def test_class_labels_mean_cross_entropy(data):
    out = absence("audit", "net.onnx", "--train", f"{data}.npz", "-o", "out", expect=1)
    audit = told()
    assert audit.data.loss_name == CROSS and "class labels" in audit.data.loss_reason and CROSS in out
    assert [c.units for c in audit.circuits] == [(Unit(1, 4),)]
    assert float(audit.data.loss.low) == pytest.approx(torch_style("net.onnx", f"{data}.npz"), rel=1e-4)
    change = audit.improvement
    assert change.drop.low > 0 and change.circuit == (Unit(1, 4),)
    assert float(change.loss_after.low) == pytest.approx(torch_style("out/improved.onnx", f"{data}.npz"), rel=1e-4)
    assert not audit.idle_price and any("C12" in line for line in audit.not_asked)
    rents = {unit.unit.index: unit.rent for unit in audit.units}
    assert rents[4].is_exact and rents[4].low == 0 and rents[0].low > 0
    assert {"training-cross-entropy", "lower-training-cross-entropy", "cross-entropy-rents"} <= kinds()
    assert not {"training-loss", "unit-rents", "uniform-gap"} & kinds()
    assert CROSS in (Path("out") / "report.html").read_text(encoding="utf-8")
    absence("check", "out", expect=0)


def test_one_hot_rows_are_not_guessed_about():
    done = subprocess.run(
        [ABSENCE, "audit", "net.onnx", "--train", "hot.npz", "-o", "out"], capture_output=True, text=True
    )
    assert done.returncode == 2 and not done.stdout and len(done.stderr.splitlines()) == 1
    assert "--loss cross-entropy" in done.stderr and "--loss squared" in done.stderr
    losses = {}
    for asked, name in (("squared", SQUARED), ("cross-entropy", CROSS)):
        absence("audit", "net.onnx", "--train", "hot.npz", "--loss", asked, "-o", asked, expect=1)
        audit = told(asked)
        losses[name] = audit.data.loss
        assert audit.data.loss_name == name and "asked for" in audit.data.loss_reason
        absence("check", asked, expect=0)
    assert losses[SQUARED] != losses[CROSS]
    # The stages kept of one loss are none of the other's.
    absence("audit", "net.onnx", "--train", "hot.npz", "--loss", "squared", "-o", "cross-entropy", expect=1)
    assert told("cross-entropy").data.loss == losses[SQUARED]


def test_a_person_at_a_terminal_is_asked(monkeypatch):
    from proof_of_absence.checker.audit import command

    monkeypatch.setattr(command, "at_a_terminal", lambda: True)
    for answer, name in (("cross-entropy\n", CROSS), ("squared\n", SQUARED)):
        words = ["audit", "net.onnx", "--train", "hot.npz", "-o", "out"]
        done = CliRunner().invoke(app, words, input=answer)
        assert done.exit_code == 1 and "Which loss" in done.output and told().data.loss_name == name
    done = CliRunner().invoke(app, words, input="hinge\n")
    assert done.exit_code == 2 and "takes squared, cross-entropy or logistic" in done.output


def test_numbers_mean_the_squared_loss():
    out = absence("audit", "net.onnx", "--train", "real.npz", "-o", "out", expect=1)
    assert told().data.loss_name == SQUARED and SQUARED in out and told().not_asked == ()
    assert {"training-loss", "uniform-gap"} <= kinds() and told().data.loss_reason == "targets are numbers"


def test_without_targets_no_loss_is_asked():
    out = absence("audit", "net.onnx", "--train", "none.npz", "-o", "out", expect=1)
    audit = told()
    assert audit.data.loss is audit.data.noise_floor is audit.improvement is audit.idle_price is None
    assert audit.data.loss_name == "" and [c.units for c in audit.circuits] == [(Unit(1, 4),)] and audit.ranks
    assert audit.not_asked == ("there are no targets, so nothing about a loss was asked",) and audit.not_asked[0] in out
    assert not audit.undecided and not any(unit.rent for unit in audit.units)
    assert "float32-deviation" in kinds() and not any("loss" in kind or "entropy" in kind for kind in kinds())
    absence("check", "out", expect=0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["wrong.npz"], "hold the label 3; a net of 3 outputs has classes 0 to 2"),
        (["float.npz"], "have 1 columns, the net has 3 outputs; class labels are integers"),
        (["real.npz", "--loss", "cross-entropy"], "is no probabilities"),
        (["none.npz", "--loss", "squared"], "hold no targets, and --loss squared needs some"),
        (["hot.npz", "--loss", "hinge"], "--loss: is 'hinge'; it takes squared, cross-entropy or logistic"),
    ],
)
def test_what_does_not_fit_is_one_line_and_code_2(words, message):
    out = absence("audit", "net.onnx", "--train", *words, "-o", "out", expect=2)
    assert message in out and len(out.splitlines()) == 1


def test_an_edited_certificate_is_refused():
    absence("audit", "net.onnx", "--train", "labels.npz", "-o", "out", expect=1)
    with open("out/certificate.json", encoding="utf-8") as stream:
        whole = json.load(stream)
    for kind, change, reason in (
        ("training-cross-entropy", {"loss": ["0", "1/1000"]}, "the loss: stated"),
        ("training-cross-entropy", {"kind": "training-loss"}, "the loss: stated"),
        ("lower-training-cross-entropy", {"output_bias": ["1", "2", "3"]}, "the drop: stated"),
        ("lower-training-cross-entropy", {"kind": "lower-training-loss"}, "the drop: stated"),
        (
            "cross-entropy-rents",
            {"units": [{"unit": 0, "rent": ["0", "0"], "classes": [["0", "0"]] * 3}]},
            "the rent of unit 0: stated",
        ),
    ):
        facts = [dict(fact) for fact in whole["facts"]]
        next(fact for fact in facts if fact["kind"] == kind).update(change)
        with open("out/certificate.json", "w", encoding="utf-8") as stream:
            json.dump(seal(whole | {"facts": facts}), stream)
        out = absence("check", "out", expect=1)
        assert "REFUSED" in out and reason in out, (kind, out)
