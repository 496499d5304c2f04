"""`absence audit` end to end: what it finds, its files, its exit codes, bad input, interrupts,
and what a second run reuses.
"""

import gzip
import itertools
import json
import os
import signal
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from jsonschema import Draft202012Validator
from onnx import helper, numpy_helper
from safetensors.numpy import save_file
from typer.testing import CliRunner

from proof_of_absence.checker.audit.report.json_report import from_json
from proof_of_absence.checker.cli import app
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files import onnx, read_net
from proof_of_absence.models.files.whole import MARK
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.console import ABSENCE, stopped

REPORTS = {"report.json", "report.schema.json", "report.html", MARK}


def absence(*arguments, expect) -> str:
    """Run the command in this process and folder; its standard output, then its standard error."""
    done = CliRunner().invoke(app, [str(word) for word in arguments], env={"COLUMNS": "200"})
    assert done.exit_code == expect, done.output
    return done.stdout + done.stderr


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Each test runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def fitted(hidden, bias, inputs, targets):
    """A float32 net whose output layer is the least-squares one for these hidden units."""
    features = np.hstack([np.maximum(inputs @ hidden.T + bias, 0), np.ones((len(inputs), 1))])
    output = np.linalg.lstsq(features, targets, rcond=None)[0].T
    return [hidden, bias, output[:, :-1], output[:, -1]]


def save(path, hidden, bias, output, shift):
    """Write the net as ONNX, its weights rounded to float32."""
    layers = [(hidden, bias), (output, shift)]
    rounded = [tuple(np.asarray(a, np.float32).astype(float) for a in layer) for layer in layers]
    onnx.write(path, FloatNet(rounded, np.float32))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A clean net, and the same with a detector planted and a pair that cancels; data;
    a box that reaches beyond them.
    """
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(1)
    inputs = rng.uniform(-1, 1, (200, 2)).astype(np.float32).astype(float)
    targets = np.maximum(inputs[:, :1], 0) - inputs[:, 1:] ** 2
    hidden = rng.standard_normal((5, 2))
    hidden, bias, output, shift = fitted(hidden, rng.uniform(-0.2, 0.2, 5), inputs, targets)
    save(folder / "clean.onnx", hidden, bias, output, shift)
    # relu(x_0 - 3) is dead in training; 2 relu(x_0 + x_1 + 1/2) - relu(2 x_0 + 2 x_1 + 1) is 0 everywhere.
    save(
        folder / "planted.onnx",
        np.vstack([hidden, [[1, 0], [1, 1], [2, 2]]]),
        np.append(bias, [-3, 0.5, 1]),
        np.hstack([output, [[50, 2, -1]]]),
        shift,
    )
    np.savez(folder / "train.npz", X=inputs, Y=targets)
    np.savez(folder / "deploy.npz", X=np.array([[5.0, 0.0], [0.0, 0.125], [3.5, 1.0]]))
    box = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)"
    for k, high in enumerate((4, 1)):
        box += f"(assert (<= X_{k} {high}))(assert (>= X_{k} -1))"
    (folder / "box.vnnlib").write_text(box)
    return folder


@pytest.fixture
def arguments(files):
    """The command line of an audit of the planted net."""
    return ["audit", files / "planted.onnx", "--train", files / "train.npz", "--deploy", files / "deploy.npz"]


def report(folder: Path) -> dict:
    """The JSON report in a folder, valid by its schema."""
    found = json.loads((folder / "report.json").read_text())
    Draft202012Validator(json.loads((folder / "report.schema.json").read_text())).validate(found)
    return found


def onnx_loss(path: Path, data: Path) -> float:
    """The loss of a model as onnxruntime runs it."""
    arrays = np.load(data)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (outputs,) = session.run(None, {session.get_inputs()[0].name: arrays["X"].astype(np.float32)})
    return float(((outputs - arrays["Y"]) ** 2).sum(axis=1).mean())


def test_the_planted_circuits_are_found_and_the_improved_net_is_better(arguments, files, tmp_path):
    command = [ABSENCE, *arguments, "--region", files / "box.vnnlib", "--region-from-data"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"})
    out = done.stdout
    assert done.returncode == 1 and not done.stderr
    assert out.startswith("2 train-idle circuits; 1 of them fires at") and "Reports in planted.audit" in out
    folder = tmp_path / "planted.audit"
    audit = from_json(report(folder))
    assert [(set(c.units), c.fires) for c in audit.circuits] == [
        ({Unit(1, 5)}, (0, 2)),
        ({Unit(1, 6), Unit(1, 7)}, ()),
    ]
    assert [f.size for f in audit.deployment] == [(1, 1), (2, 3), (1, 1)]
    assert {(r.region, len(r.units), r.verdict) for r in audit.regions} == {
        ("box.vnnlib", 1, "sat"),
        ("box.vnnlib", 2, "unsat"),
        ("training box", 1, "unsat"),
        ("training box", 2, "unsat"),
    }
    witness = next(r.witness for r in audit.regions if r.verdict == "sat")
    assert 3 < witness[0] <= 4
    before, after = (
        onnx_loss(path, files / "train.npz") for path in (files / "planted.onnx", folder / "improved.onnx")
    )
    assert after < before
    assert abs(Fraction(before) - audit.data.loss.low) < Fraction(1, 10**5)
    assert abs(Fraction(after) - audit.improvement.loss_after.low) < Fraction(1, 10**5)
    told = absence("check", "planted.audit", expect=0)
    assert told.startswith("Accepted: 17 facts on the net of net.npz") and "planted.onnx, which is not here" in told
    _, model, _, data, _, inputs = arguments
    told = absence("check", "planted.audit", "--net", model, "--train", data, "--deploy", inputs, expect=0)
    assert told.startswith("Accepted: 17 facts on planted.onnx (sha256 ")
    page = (folder / "report.html").read_text()
    assert "{1.5} fires at 2 inputs: rows 0, 2" in page and "<script" not in page


def test_a_certificate_that_was_changed_is_refused(arguments, files, tmp_path):
    absence(*arguments, "--region", files / "box.vnnlib", "--output", "out", expect=1)
    path = tmp_path / "out" / "certificate.json"
    whole = json.loads(path.read_text())
    kinds = {"units", "circuit", "dependency", "irrelevant-region", "relevant-at"}
    kinds |= {"training-loss", "lower-training-loss", "unit-rents", "uniform-gap", "float32-deviation"}
    assert {fact["kind"] for fact in whole["facts"]} >= kinds
    for kind, change, reason in (
        ("units", {"activity": ["dead"] * 8}, "not as idle as it says"),
        ("circuit", {"fires": []}, "fires"),
        ("irrelevant-region", {"high": ["4", "9"]}, ""),
        ("relevant-at", {"input": ["3", "1"]}, "the circuit sends the constants there"),
        ("relevant-at", {"net": []}, "about the net of this folder"),
        ("training-loss", {"loss": ["0", "1/1000"]}, "the loss: stated 0 to 1/1000, recomputed"),
        ("training-loss", {"data": {}}, "about the net and the data of this folder"),
        ("lower-training-loss", {"output_bias": ["1"]}, "the drop: stated"),
        ("lower-training-loss", {"dtype": "int8"}, "no type of float"),
        ("uniform-gap", {"gap": "1"}, "the gap: stated 1, recomputed"),
        ("float32-deviation", {"bound": "1/1000000000"}, "may be off by"),
    ):
        facts = [dict(fact) for fact in whole["facts"]]
        next(fact for fact in facts if fact["kind"] == kind).update(change)
        path.write_text(json.dumps(seal(whole | {"facts": facts})))
        out = absence("check", "out", expect=1)
        assert "REFUSED" in out and reason in out, (kind, out)
    path.write_text(json.dumps(whole))
    absence("check", "out", expect=0)


def test_a_clean_net_is_clean(files, tmp_path):
    out = absence("audit", files / "clean.onnx", "--train", files / "train.npz", expect=0)
    assert "Clean: no train-idle circuit" in out
    folder = tmp_path / "clean.audit"
    assert report(folder)["exit_code"] == 0
    assert {path.name for path in folder.iterdir()} == REPORTS | {
        "stages",
        "certificate.json",
        "net.npz",
        "train.npz",
        "targets.npz",
    }


def test_without_time_a_report_says_that_nothing_is_decided(files, tmp_path):
    out = absence(
        "audit", files / "planted.onnx", "--train", files / "train.npz", "--deploy", files / "deploy.npz",
        "--region", files / "box.vnnlib", "--seconds", "0", expect=3,
    )  # fmt: skip
    assert "this is not a pass" in out
    told = report(tmp_path / "planted.audit")
    assert told["circuits"] == [] and {unit["activity"] for unit in told["units"]} == {"undecided"}
    for stage in ("losses", "units", "circuits", "deployment", "ranks"):
        assert f"{stage}: out of time" in told["undecided"]
    assert not (tmp_path / "planted.audit" / "certificate.json").exists()


def test_a_second_run_takes_its_stages_from_the_first_and_says_the_same(arguments, tmp_path):
    absence(*arguments, expect=1)
    folder = tmp_path / "planted.audit"
    first, html = report(folder), (folder / "report.html").read_text()
    out = absence(*arguments, expect=1)
    assert "Taken from an earlier run: units, deployment, ranks, improvement, rents, prices, readout" in out
    second = report(folder)
    assert first | {"seconds": {}} == second | {"seconds": {}}
    # A damaged stage is no result.
    for path in (folder / "stages").iterdir():
        path.write_text(path.read_text().replace("dead", "varies", 1)[:-3])
    out = absence(*arguments, expect=1)
    assert "earlier run" not in out
    assert report(folder) | {"seconds": {}} == first | {"seconds": {}}
    assert len((folder / "report.html").read_text()) == pytest.approx(len(html), rel=0.02)


def test_a_run_that_comes_late_leaves_the_report_that_decided_more(arguments, tmp_path):
    absence(*arguments, expect=1)
    folder = tmp_path / "planted.audit"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    out = absence(*arguments, "--seconds", "0", expect=1)
    assert "The earlier report in planted.audit stands" in out and "units: out of time" in out
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    absence(*arguments, "--seconds", "0", "--force", expect=3)
    assert report(folder)["circuits"] == []


def test_other_contents_are_not_taken_for_the_same(arguments, files, tmp_path):
    absence(*arguments, expect=1)
    data = np.load(files / "train.npz")
    # At x_0 = 4 the planted detector is active, so it is idle no more.
    np.savez(tmp_path / "more.npz", X=np.vstack([data["X"], [[4, 0]]]), Y=np.vstack([data["Y"], [[0]]]))
    arguments[3] = tmp_path / "more.npz"
    out = absence(*arguments, expect=1)
    assert "circuit {1.5} is train-idle" not in out and "earlier run" not in out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({1: "missing.onnx"}, "missing.onnx: there is no such file"),
        ({1: "net.h5"}, "net.h5: unknown suffix"),
        ({3: "missing.npz"}, "missing.npz: there is no such file"),
        ({3: "text.npz"}, "text.npz: is no whole .npz file"),
        ({3: "wide.npz"}, "the training inputs of wide.npz: have 3 columns, the net reads 2"),
        ({3: "labels.npz"}, "the targets of labels.npz: have 2 columns, the net has 1 outputs"),
        ({3: "nan.npz"}, "nan.npz: "),
        ({5: "wide.npz"}, "the inputs of wide.npz: have 3 columns, the net reads 2"),
        ({6: "--region", 7: "text.npz"}, "text.npz: "),
        ({6: "--output", 7: "text.npz"}, "text.npz is not a folder"),
        ({6: "--output", 7: "text.npz/out"}, "text.npz/out: Not a directory; choose another place with --output"),
        ({6: "--improved", 7: "net.pt"}, "net.pt: the improved net is written as ONNX"),
        ({6: "--workers", 7: "1", 8: "--scheduler", 9: "tcp://x"}, "choose one"),
        ({6: "--scheduler", 7: "nonsense://x"}, "no scheduler answers there"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_code_2(arguments, tmp_path, change, message):
    (tmp_path / "text.npz").write_text("no data")
    np.savez(tmp_path / "wide.npz", X=np.ones((4, 3)), Y=np.ones((4, 1)))
    np.savez(tmp_path / "labels.npz", X=np.ones((4, 2)), Y=np.ones((4, 2)))
    np.savez(tmp_path / "nan.npz", X=np.full((4, 2), np.nan), Y=np.ones((4, 1)))
    (tmp_path / "net.h5").write_text("x")
    line = dict(enumerate(arguments)) | change
    out = absence(*line.values(), expect=2)
    assert message in out and len(out.splitlines()) == 1 and out.startswith("absence: ")
    assert not list(tmp_path.glob("*.audit/report*"))


def test_an_interrupt_leaves_no_report_and_the_next_run_goes_on(files, tmp_path):
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((60_000, 24))
    np.savez(tmp_path / "big.npz", X=inputs, Y=rng.standard_normal((60_000, 1)))
    save(tmp_path / "big.onnx", rng.standard_normal((400, 24)), rng.standard_normal(400), np.ones((1, 400)), [0.0])
    command = ("audit", "big.onnx", "--train", "big.npz")
    told = stopped(*command, cwd=tmp_path, how=signal.SIGINT, parts="big.audit/stages/*.json")
    assert "Interrupted; no report is written" in told
    assert [path.name for path in (tmp_path / "big.audit").iterdir()] == ["stages"]
    assert not list(tmp_path.rglob("*.tmp"))
    assert all(json.loads(path.read_text()) for path in (tmp_path / "big.audit/stages").iterdir())


@pytest.mark.filterwarnings("ignore")
def test_another_process_finds_the_same(arguments, files, tmp_path):
    region = ["--region", files / "box.vnnlib"]
    absence(*arguments, *region, "--output", "alone", expect=1)
    absence(*arguments, *region, "--output", "apart", "--workers", "1", expect=1)
    alone, apart = (from_json(report(tmp_path / name)) for name in ("alone", "apart"))
    assert alone.findings == apart.findings and alone.circuits == apart.circuits


def test_markup_and_elements_in_a_name_stay_text(arguments, files, tmp_path):
    name = "[red]<script>alert(1)<" + chr(0x2215) + "script>.onnx"
    (tmp_path / name).write_bytes((files / "planted.onnx").read_bytes())
    arguments[1] = name
    out = absence(*arguments, "--output", "out", expect=1)
    assert "[red]<script>" in out
    assert "<script" not in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("layer", [1, 2])
def test_a_net_of_two_hidden_layers(layer, files, tmp_path):
    rng = np.random.default_rng(4)
    widths = (2, 4, 5, 1)
    layers = [
        (rng.standard_normal((out, into)).astype(np.float32), rng.standard_normal(out).astype(np.float32))
        for into, out in itertools.pairwise(widths)
    ]
    layers[layer - 1][1][0] = -1000
    onnx.write(tmp_path / "deep.onnx", FloatNet(layers, np.float32))
    absence("audit", "deep.onnx", "--train", files / "train.npz", "--region-from-data", expect=1)
    audit = from_json(report(tmp_path / "deep.audit"))
    assert (Unit(layer, 0),) in [c.units for c in audit.circuits]
    assert audit.improvement or layer == 1
    assert "facts on deep.onnx" in absence("check", "deep.audit", expect=0)
    if audit.improvement:
        assert {u.layer for u in audit.improvement.circuit} == {2}
        loss = onnx_loss(tmp_path / "deep.audit" / "improved.onnx", files / "train.npz")
        assert loss == pytest.approx(float(audit.improvement.loss_after.low), rel=1e-4)


def test_a_model_without_a_batch_dimension_is_improved_with_one(files, tmp_path):
    net = read_net(files / "planted.onnx")
    (w1, b1), (w2, b2) = (tuple(a.astype(np.float32) for a in layer) for layer in net.layers)
    tensors = [numpy_helper.from_array(a, name) for a, name in ((w1.T, "w1"), (b1, "b1"), (w2.T, "w2"), (b2, "b2"))]
    steps = [("MatMul", "x", "w1", "p"), ("Add", "p", "b1", "q"), ("MatMul", "r", "w2", "s"), ("Add", "s", "b2", "y")]
    nodes = [helper.make_node(op, inputs, [output]) for op, *inputs, output in steps]
    nodes.insert(2, helper.make_node("Relu", ["q"], ["r"]))
    ends = [helper.make_tensor_value_info(name, 1, [size]) for name, size in (("x", 2), ("y", 1))]
    graph = helper.make_graph(nodes, "flat", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (tmp_path / "flat.onnx").write_bytes(model.SerializeToString())
    absence("audit", "flat.onnx", "--train", files / "train.npz", expect=1)
    audit = from_json(report(tmp_path / "flat.audit"))
    loss = onnx_loss(tmp_path / "flat.audit" / "improved.onnx", files / "train.npz")
    assert loss == pytest.approx(float(audit.improvement.loss_after.low), rel=1e-4)


@pytest.fixture
def state(files):
    """The planted net as a state dictionary, its outputs on the training inputs, and the inputs' file."""
    net = read_net(files / "planted.onnx")
    arrays = {
        f"{2 * index}.{kind}": array.astype(np.float32)
        for index, layer in enumerate(net.layers)
        for kind, array in zip(("weight", "bias"), layer, strict=True)
    }
    save_file(arrays, "net.safetensors")
    session = onnxruntime.InferenceSession(files / "planted.onnx", providers=["CPUExecutionProvider"])
    inputs = np.load(files / "train.npz")["X"].astype(np.float32)
    (outputs,) = session.run(None, {session.get_inputs()[0].name: inputs})
    np.savez("outputs.npz", outputs=outputs)
    return ["audit", "net.safetensors", "--train", files / "train.npz"]


def test_what_a_state_dictionary_does_not_say_is_asked_for_and_said(state, tmp_path):
    out = absence(*state, expect=2)
    assert out.startswith("absence: net.safetensors: a state dictionary does not say") and "--activation relu" in out
    assert not (tmp_path / "net.audit").exists()
    out = absence(*state, "--activation", "tanh", expect=2)
    assert "only nets with relu between their layers are audited" in out and len(out.splitlines()) == 1
    out = absence(*state, "--activation", "relu", expect=1)
    assert "What is assumed" in out and "It was not checked; --outputs FILE.npz" in out
    reading = report(tmp_path / "net.audit")["net"]["reading"]
    assert reading["known_from"].startswith("an assumption (activation relu, given by the caller)")
    assert reading["layers"] == ["layer '0' 2 -> 8", "ReLU (assumed)", "layer '2' 8 -> 1"]
    page = (tmp_path / "net.audit" / "report.html").read_text()
    assert "an assumption (activation relu, given by the caller)" in page and "ReLU (assumed)" in page


def test_an_assumption_is_checked_against_the_networks_own_outputs(state, tmp_path):
    out = absence(*state, "--activation", "relu", "--outputs", "outputs.npz", expect=1)
    assert "The outputs in outputs.npz agree with it at all 200 training inputs" in out and "not checked" not in out
    assert any("outputs.npz agree" in note for note in report(tmp_path / "net.audit")["net"]["reading"]["notes"])
    outputs = np.load("outputs.npz")["outputs"]
    np.savez("tanh.npz", outputs=np.tanh(outputs))
    out = absence(*state, "--activation", "relu", "--outputs", "outputs.npz", "-o", "late", "--seconds", "0", expect=3)
    assert "outputs.npz: out of time before these outputs were compared" in out and not (tmp_path / "late").exists()
    out = absence(*state, "--activation", "relu", "--outputs", "tanh.npz", "-o", "other", expect=2)
    assert out.startswith(
        "absence: tanh.npz: these are not the outputs of the net as it was read: they differ by up to"
    )
    assert len(out.splitlines()) == 1 and not (tmp_path / "other").exists()


def test_a_graph_says_itself_what_it_is(arguments, tmp_path):
    out = absence(*arguments, expect=1)
    assert "What is assumed" not in out and "ReLU, known from the graph" in out
    reading = report(tmp_path / "planted.audit")["net"]["reading"]
    assert reading["known_from"] == "the graph" and reading["activation"] == "ReLU" and reading["cut"] == ""


def test_packed_files_and_regions_of_several_boxes(files, tmp_path):
    for name in ("planted.onnx", "box.vnnlib"):
        Path(f"{name}.gz").write_bytes(gzip.compress((files / name).read_bytes()))
    either = (files / "box.vnnlib").read_text() + "(assert (or (<= X_0 1) (>= X_0 3.5)))"
    Path("either.vnnlib").write_text(either)
    absence(
        "audit", "planted.onnx.gz", "--train", files / "train.npz", "--region", "box.vnnlib.gz", "--region",
        "either.vnnlib", "-o", "out", expect=1,
    )  # fmt: skip
    told = {(r["region"], r["verdict"]) for r in report(tmp_path / "out")["regions"] if r["units"] == [[1, 5]]}
    assert told == {
        ("box.vnnlib.gz", "sat"), ("either.vnnlib, box 1 of 2", "unsat"), ("either.vnnlib, box 2 of 2", "sat")
    }  # fmt: skip


def test_the_command_to_copy_stands_whole_on_a_line_however_narrow_the_terminal(files):
    data = files / "train.npz"
    arguments = ["audit", str(files / "planted.onnx"), "--train", str(data)]
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "40"})
    lines = [line for line in done.stdout.splitlines() if line.startswith("absence harden")]
    assert len(lines) == 1 and str(data) in lines[0] and lines[0].endswith("planted.hardened.onnx"), done.stdout
