"""Nets with preprocessing, BatchNorm, and Linear after Linear: read, audited and certified as what they compute.

The oracle takes the file's steps one after the other, in fractions, and shares no code with the reader.
"""

import hashlib
import json
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import proof_of_absence
from proof_of_absence.checker.audit.certify import NAME
from proof_of_absence.checker.audit.findings import Activity
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.audit import check_audit
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files import read_net
from proof_of_absence.models.files.torch_state import from_module
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import Affine, RationalAffine
from proof_of_absence.models.net import MLP
from tests.checker.audit.test_command import absence
from tests.models.files.onnx_models import model, node

# Inputs, hidden units.
D, H = 3, 4
EPSILON = float(np.float32(1e-5))
# The steps before and after the first Gemm, and after the Relu. "norm" is BatchNormalization, "map" another Gemm.
FORMS = {
    "preprocessing": (["Sub", "Div", "Mul"], [], []),
    "division": (["Div"], [], []),
    "norm at the input": (["norm"], [], []),
    "norm before Relu": ([], ["norm"], []),
    "norm after Relu": ([], [], ["norm"]),
    "norm everywhere": (["norm"], ["norm"], ["norm"]),
    "two maps": ([], ["map"], []),
    "two maps at the end": ([], [], ["map"]),
    "all at once": (["Sub", "Div"], ["map", "norm"], ["norm", "map"]),
}


class Steps:
    """A net as the list of its steps: its file, its values in fractions, and bounds of what float32 makes of it."""

    def __init__(self, form: str, seed: int):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.constants, self.steps = [], {}, []
        before, between, behind = FORMS[form]
        for step in before:
            self.add(step, D)
        self.add("Gemm", D)
        # Unit 0 is dead: every step that follows keeps it so.
        for step in between:
            self.add(step, H)
        self.kill()
        self.add("Relu", H)
        for step in behind:
            self.add(step, H)
        self.add("Gemm", H, 1)
        self.nodes[-1].output[0] = "y"

    def numbers(self, *shape, positive=False):
        found = self.rng.normal(size=shape).astype(np.float32)
        return np.abs(found) + np.float32(0.25) if positive else found

    def add(self, step: str, width: int, out: int = H) -> None:
        name, value = f"v{len(self.steps)}", f"v{len(self.steps) - 1}" if self.steps else "x"
        match step:
            case "Gemm" | "map":
                operator, arrays = "Gemm", [self.numbers(out, width), self.numbers(out)]
            case "norm":
                operator = "BatchNormalization"
                arrays = [self.numbers(width) for _ in range(3)] + [self.numbers(width, positive=True)]
            case "Relu":
                operator, arrays = "Relu", []
            case _:
                operator, arrays = step, [self.numbers(width, positive=True)]
        names = [f"{name}c{k}" for k in range(len(arrays))]
        attributes = {"Gemm": {"transB": 1}, "BatchNormalization": {"epsilon": EPSILON}}.get(operator, {})
        self.nodes.append(node(operator, " ".join([value, *names]), name, **attributes))
        self.constants |= dict(zip(names, arrays, strict=True))
        self.steps.append((step, arrays))

    def kill(self) -> None:
        """Make unit 0 negative at all inputs of size 4, whatever the last step."""
        # Of a Gemm and of a BatchNormalization, the second array is what is added at the end.
        self.steps[-1][1][1][0] = -5000

    def save(self, path: Path) -> None:
        path.write_bytes(model(self.nodes, self.constants, shape=("batch", D)))

    def exact(self, z, take=Fraction, scale=None):
        """The output at z, step by step."""
        scale = scale or rounded
        for step, arrays in self.steps:
            numbers = [[[take(x) for x in row] for row in np.atleast_2d(a.astype(float)).tolist()] for a in arrays]
            match step:
                case "Gemm" | "map":
                    weights, (bias,) = numbers
                    z = [
                        sum((w * x for w, x in zip(row, z, strict=True)), b)
                        for row, b in zip(weights, bias, strict=True)
                    ]
                case "norm":
                    _, (shift,), (mean,), _ = numbers
                    scales = [take(scale(*pair)) for pair in zip(arrays[0].tolist(), arrays[3].tolist(), strict=True)]
                    centred = [x - m if take is Fraction else x + m for x, m in zip(z, mean, strict=True)]
                    z = [s * x + b for s, x, b in zip(scales, centred, shift, strict=True)]
                case "Relu":
                    z = [max(x, 0) for x in z]
                case "Sub":
                    z = [x - c if take is Fraction else x + c for x, c in zip(z, numbers[0][0], strict=True)]
                case "Div":
                    z = [x / c for x, c in zip(z, numbers[0][0], strict=True)]
                case "Mul":
                    z = [x * c for x, c in zip(z, numbers[0][0], strict=True)]
        return z

    def reach(self, z) -> float:
        """The same with every number replaced by its size: what relative errors of single steps are parts of."""
        (result,) = self.exact([abs(x) for x in z], take=lambda x: abs(float(x)))
        return result


def rounded(factor: float, variance: float) -> Fraction:
    """factor / sqrt(variance + epsilon) to 53 digits, by mpmath."""
    with mpmath.workprec(400):
        quotient = mpmath.mpf(factor) / mpmath.sqrt(mpmath.mpf(variance) + mpmath.mpf(EPSILON))
        return Fraction(float(quotient))


def inputs_of(seed: int, rows: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-4, 4, (rows, D)).astype(np.float32)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
def test_what_is_read_is_what_the_steps_compute(tmp_path_factory, form, seed):
    steps, path = Steps(form, seed), tmp_path_factory.mktemp("net") / "net.onnx"
    steps.save(path)
    net, inputs = read_net(path), inputs_of(seed)
    whole = net.exact()
    ran = onnxruntime.InferenceSession(path).run(None, {"x": inputs})[0]
    # Roundings in a row: those of each sum, and at most eight for each step.
    count = 2 * D + 4 * H + 8 * len(steps.steps)
    unit = 2.0**-24
    for z, (output,) in zip(inputs.astype(float).tolist(), ran.tolist(), strict=True):
        (exact,) = whole([Fraction(x) for x in z])
        assert [exact] == steps.exact([Fraction(x) for x in z])
        assert abs(output - float(exact)) <= count * unit / (1 - count * unit) * steps.reach(z) * 1.001
    assert net.reading.multiplied
    # A product of two float32 numbers fits a float64, and sometimes so do the sums of some.
    assert form.startswith("two maps") or any(isinstance(layer, RationalAffine) for layer in net.layers)


@pytest.mark.parametrize("form", FORMS)
def test_an_audit_by_the_console_is_certified(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    steps, inputs = Steps(form, 1), inputs_of(1)
    steps.save(Path("net.onnx"))
    np.savez("train.npz", X=inputs, Y=np.sin(inputs[:, :1]))
    np.savez("deploy.npz", X=inputs * 3000)
    Path("box.vnnlib").write_text(box(inputs))
    told = absence(
        "audit", "net.onnx", "--train", "train.npz", "--deploy", "deploy.npz", "--region", "box.vnnlib", expect=1
    )
    assert "1.0" in told and "failed" not in told and "no certificate" not in told
    told = absence("check", "net.audit", expect=0)
    assert "Accepted" in told
    report = json.loads(Path("net.audit/report.json").read_text())
    exact = [steps.exact([Fraction(float(x)) for x in z])[0] for z in inputs]
    ran = onnxruntime.InferenceSession("net.onnx").run(None, {"x": inputs})[0].ravel().tolist()
    off = max(abs(Fraction(f) - g) for f, g in zip(ran, exact, strict=True))
    assert off <= Fraction(report["float32_deviation"]["exact"]) and report["not_asked"] == []
    targets = [Fraction(float(y)) for y in np.sin(inputs[:, 0])]
    loss = sum((f - y) ** 2 for f, y in zip(exact, targets, strict=True)) / len(exact)
    found = report["data"]["loss"]
    assert Fraction(found["low"]) <= loss <= Fraction(found["high"])


def box(inputs: np.ndarray) -> str:
    lines = [f"(declare-const X_{i} Real)" for i in range(D)] + ["(declare-const Y_0 Real)"]
    for i, (low, high) in enumerate(zip(inputs.min(axis=0), inputs.max(axis=0), strict=True)):
        lines += [f"(assert (>= X_{i} {float(low):.20f}))", f"(assert (<= X_{i} {float(high):.20f}))"]
    return "\n".join(lines) + "\n"


def normalised(seed: int = 3) -> nn.Sequential:
    """Linear, BatchNorm1d, ReLU, Linear in use, with statistics of some data, and a dead unit."""
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(D, H), nn.BatchNorm1d(H), nn.ReLU(), nn.Linear(H, 1))
    for _ in range(20):
        module(torch.randn(64, D))
    with torch.no_grad():
        module[1].bias[0] = -500
    return module.eval()


def test_a_module_in_memory_is_audited_and_certified(tmp_path):
    module, inputs = normalised(), inputs_of(5)
    found = proof_of_absence.audit(module, inputs, np.sin(inputs[:, :1]), output=tmp_path)
    dead = [unit.unit for unit in found.units if unit.activity is Activity.DEAD]
    assert Unit(1, 0) in dead and any("53 digits of a float64" in note for note in found.net.reading.notes)
    check_audit(tmp_path / NAME)
    net = from_module(module)
    with torch.no_grad():
        ran = module(torch.tensor(inputs)).numpy()
    np.testing.assert_allclose(net.forward(inputs), ran, rtol=0, atol=2e-5)


@pytest.mark.filterwarnings("ignore")
def test_the_exported_module_is_the_same_net(tmp_path):
    module, path = normalised(), tmp_path / "net.onnx"
    torch.onnx.export(
        module, (torch.randn(2, D),), path, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}},
        do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE,
    )  # fmt: skip
    assert b"BatchNormalization" in path.read_bytes()
    ours, exported = (net.exact() for net in (from_module(module), read_net(path)))
    for z in inputs_of(7).astype(float).tolist():
        (one,), (other,) = ours(z), exported(z)
        # The file holds epsilon as float32, the module as float64.
        assert abs(one - other) <= abs(one) * Fraction(1, 10**6) + Fraction(1, 10**6)


@pytest.fixture
def certificate(tmp_path):
    """The certificate of an audit of a net with a rational layer."""
    module, inputs = normalised(), inputs_of(5)
    proof_of_absence.audit(module, inputs, np.sin(inputs[:, :1]), output=tmp_path)
    return tmp_path / NAME


def weigh(arrays):
    """Unit 0 sends something after all."""
    numbers = arrays["numbers_1"].astype(object)
    numbers[0, -1] = numbers[0, -1].lstrip(b"-")
    return arrays | {"numbers_1": numbers.astype(bytes)}


def with_text(place, text):
    def edit(arrays):
        numbers = arrays["numbers_1"].astype(object)
        numbers[place] = text
        return arrays | {"numbers_1": numbers.astype(bytes)}

    return edit


TAMPERED = {
    "another bias": (weigh, "another value|not dead|unit 1.0"),
    "another weight": (with_text((1, 0), b"1"), "."),
    "another divisor": (lambda a: a | {"divisor_1": np.array(b"7")}, "."),
    "divisor 0": (lambda a: a | {"divisor_1": np.array(b"0")}, "a divisor that is not positive"),
    "divisor below 0": (lambda a: a | {"divisor_1": np.array(b"-1")}, "a divisor that is not positive"),
    "no number": (with_text((0, 0), b"0x1"), "is not a hexadecimal integer"),
    "an exponent": (with_text((0, 0), b"1p9"), "is not a hexadecimal integer"),
    "nothing": (with_text((0, 0), b""), "is not a hexadecimal integer"),
    "beyond the floats": (with_text((0, 0), b"1" + b"0" * 400), "beyond the floats"),
    "below the floats": (lambda a: a | {"divisor_1": np.array(b"1" + b"0" * 400)}, "smaller than every normal float"),
    "no matrix": (lambda a: a | {"numbers_1": a["numbers_1"].ravel()}, "numbers are no matrix"),
    "no divisor": (lambda a: {k: v for k, v in a.items() if k != "divisor_1"}, "weights_1, bias_1"),
    "both forms": (lambda a: a | {"weights_1": np.zeros((H, D)), "bias_1": np.zeros(H)}, "weights_1, bias_1"),
    "text of another kind": (lambda a: a | {"numbers_1": a["numbers_1"].astype(str)}, "not float64 and finite"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_numbers_are_refused(certificate, name):
    edit, message = TAMPERED[name]
    check_audit(certificate)
    path = certificate.parent / "net.npz"
    with np.load(path) as archive:
        arrays = edit(dict(archive))
    np.savez(path, **arrays)
    with pytest.raises(Refused, match="is not the file that was audited"):
        check_audit(certificate)
    content = json.loads(certificate.read_text())
    content["files"]["net"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    certificate.write_text(json.dumps(seal(content)))
    with pytest.raises(Refused, match=message):
        check_audit(certificate)


def test_no_fact_about_float32_is_accepted_of_a_net_of_no_file(tmp_path):
    net = FloatNet([RationalAffine.of(np.array([[1, 2]], dtype=object), 3), ([[1.0]], [0.0])])
    proof_of_absence.audit(net, [[0.0], [1.0]], [[0.0], [1.0]], output=tmp_path)
    certificate = tmp_path / NAME
    content = json.loads(certificate.read_text())
    content["facts"].append({"kind": "float32-deviation", "dtype": "float32", "bound": "1" + "0" * 30})
    certificate.write_text(json.dumps(seal(content)))
    with pytest.raises(Refused, match="no float32 evaluation has"):
        check_audit(certificate)


def test_a_net_of_rationals_in_python_is_audited(tmp_path):
    net = MLP([Affine([["1/3"], [1], ["-1/7"]], [0, -9, 0]), Affine([["2/3", 5, 1]], ["1/10"])])
    found = proof_of_absence.audit(net, [[0.0], [1.0], [2.0]], [[0.0], [1.0], [0.0]], output=tmp_path)
    assert [circuit.units for circuit in found.circuits] == [(Unit(1, 1),), (Unit(1, 2),)]
    check_audit(tmp_path / NAME)


def test_outputs_are_compared(tmp_path, monkeypatch):
    """A state dictionary does not say epsilon: the network's own outputs do."""
    monkeypatch.chdir(tmp_path)
    module, inputs = normalised(), inputs_of(5)
    torch.save(module.state_dict(), "net.pt")
    np.savez("train.npz", X=inputs, Y=np.sin(inputs[:, :1]))
    outputs = module(torch.tensor(inputs)).detach().numpy()
    arguments = ["audit", "net.pt", "--activation", "relu", "--train", "train.npz", "--outputs", "outputs.npz"]
    np.savez("outputs.npz", outputs=outputs + 0.5)
    told = absence(*arguments, expect=2)
    assert "these are not the outputs" in told and not Path("net.audit/report.json").exists()
    np.savez("outputs.npz", outputs=outputs)
    assert "agree with it" in absence(*arguments, expect=1)
    assert "Accepted" in absence("check", "net.audit", expect=0)


def test_what_is_kept_of_a_stage_is_of_the_very_numbers():
    """Two nets that no float tells apart have keys of their own."""
    entries = np.array([[2**80, 3]], dtype=object), np.array([[2**80 + 1, 3]], dtype=object)
    one, other = (FloatNet([RationalAffine.of(numbers, 7)]) for numbers in entries)
    assert (one.layers[0].near.weights == other.layers[0].near.weights).all()
    assert content_key(one) != content_key(other) and content_key(one) == content_key(FloatNet(one.layers))
