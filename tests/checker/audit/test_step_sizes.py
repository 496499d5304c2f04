"""The float32 bound of files that list several operators for a layer, against what runs them, however they are joined.

Exact values come from the operators one after the other in fractions.
"""

import hashlib
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import proof_of_absence
from proof_of_absence.checker.audit.certify import NAME
from proof_of_absence.checker.audit.deviation import dead_in_float32, float32_deviation
from proof_of_absence.checker.audit.net_arrays import unshared
from proof_of_absence.checker.audit.sources import Given
from proof_of_absence.checker.audit.tied import check_folder
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.audit import check_audit
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.checker.independent.values.singles import singles
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.files import InputError, read_net
from proof_of_absence.models.files.chain import Chain
from proof_of_absence.models.files.torch_state import from_module
from tests.checker.audit.test_products import FORMS, D, Steps, inputs_of

SINGLE = np.dtype(np.float32)
LEVELS = [onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL]


def bounds_of(net, inputs):
    """Our bound and the checker's, over all outputs and rows."""
    inputs = inputs.astype(float)
    ours = float32_deviation(net, inputs)
    *_, last = singles(unshared(net), inputs, len(net.layers))
    return ours, Fraction(float(last.delta.max()))


def ran_by_onnx(path, inputs):
    for level in LEVELS:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        yield onnxruntime.InferenceSession(path, options).run(None, {"x": inputs})[0]


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_onnxruntime_stays_within_the_bound(tmp_path_factory, form, seed):
    steps, path = Steps(form, seed), tmp_path_factory.mktemp("net") / "net.onnx"
    steps.save(path)
    inputs = inputs_of(seed)
    exact = [steps.exact([Fraction(float(x)) for x in z])[0] for z in inputs]
    for bound in bounds_of(read_net(path), inputs):
        assert bound is not None and 0 < bound < 100
        for ran in ran_by_onnx(path, inputs):
            assert all(abs(Fraction(f) - g) <= bound for f, g in zip(ran.ravel().tolist(), exact, strict=True))


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_torch_stays_within_the_bound(seed):
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.BatchNorm1d(D), nn.Linear(D, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 4, bias=False), nn.Linear(4, 2)
    )
    for _ in range(3):
        module(torch.randn(32, D) * 3 + 1)
    with torch.no_grad():
        for norm in (module[0], module[2]):
            norm.weight.normal_()
            norm.bias.normal_()
    module.eval()
    inputs, net = inputs_of(seed), from_module(module)
    exact = [net.exact()(z) for z in inputs.astype(float).tolist()]
    with torch.no_grad():
        ran = module(torch.tensor(inputs)).tolist()
    for bound in bounds_of(net, inputs):
        assert bound is not None
        for row, wanted in zip(ran, exact, strict=True):
            assert all(abs(Fraction(f) - g) <= bound for f, g in zip(row, wanted, strict=True))


# From what float32 flushes to 0 to what it does not hold; or plain ones.
SIZES = {True: [-3, 0, 4], False: [-140, -60, -3, 0, 9, 60, 110]}


@given(st.data(), st.booleans())
def test_operators_joined_in_any_way_stay_within_the_bound(data, flush):
    """Numbers of all sizes; each shift and scale on its own, or multiplied into the matrix beside it in float32."""

    plain = data.draw(st.booleans())
    numbers = st.builds(lambda m, e: np.ldexp(m, e), st.floats(0.5, 9, width=32), st.sampled_from(SIZES[plain]))
    numbers = st.builds(lambda x, negative: float(np.float32(-x if negative else x)), numbers, st.booleans())

    def drawn(*shape):
        return np.array([data.draw(numbers) for _ in range(int(np.prod(shape)))]).reshape(shape)

    chain, ops = Chain("net", SINGLE), []
    for kind in data.draw(st.permutations(["scale", "dense", "shift", "scale", "dense", "shift"])):
        match kind:
            case "dense":
                ops.append((kind, drawn(2, 2)))
                chain.affine(ops[-1][1], np.zeros(2), "dense")
            case "shift":
                ops.append((kind, drawn(2)))
                chain.shift(ops[-1][1], "shift")
            case _:
                ops.append((kind, drawn(2)))
                chain.scale(list(map(Fraction, ops[-1][1].tolist())), "scale")
    net = _net(chain)
    if net is None or net.steps is None:
        return
    x = drawn(1, 2)
    assert not plain or float32_deviation(net, x) is not None
    ours = float32_deviation(net, x)
    try:
        *_, last = singles(unshared(net), x, 1)
        theirs = [Fraction(float(b)) for b in last.delta[0]]
    except Refused as refusal:
        assert "might overflow" in str(refusal)
        theirs = None
    exact = net.exact()(x[0].tolist())
    for joined in (False, True):
        ran = _run(ops, x[0], joined=joined, flush=flush)
        for k, (value, wanted) in enumerate(zip(ran.tolist(), exact, strict=True)):
            assert ours is None or abs(Fraction(value) - wanted) <= ours
            assert theirs is None or abs(Fraction(value) - wanted) <= theirs[k]


def _net(chain):
    try:
        return chain.net()
    except InputError:
        # A product beyond the normal float64 numbers.
        return None


def _run(ops, x, *, joined, flush):
    """One evaluation in float32, each operation rounded once; with `joined`, the operators are multiplied first."""

    def rounded(values):
        values = np.asarray(values, dtype=np.float32)
        return np.where(np.abs(values) < np.finfo(np.float32).tiny, np.float32(0), values) if flush else values

    def times(matrix, other):
        total = rounded(matrix[:, :1] * other[:1])
        for k in range(1, len(other)):
            total = rounded(total + rounded(matrix[:, k : k + 1] * other[k : k + 1]))
        return total

    with np.errstate(all="ignore"):
        matrix, shift, value = np.eye(2, dtype=np.float32), np.zeros((2, 1), np.float32), rounded(x)[:, None]
        for kind, array in ops:
            array = rounded(array)
            match kind:
                case "dense":
                    matrix, shift, value = times(array, matrix), times(array, shift), times(array, value)
                case "scale":
                    column = array[:, None]
                    matrix, shift, value = (rounded(column * part) for part in (matrix, shift, value))
                case _:
                    shift, value = rounded(shift + array[:, None]), rounded(value + array[:, None])
        return (rounded(times(matrix, rounded(x)[:, None]) + shift) if joined else value)[:, 0]


def test_that_there_is_no_bound_is_said_and_checked(tmp_path):
    module = nn.Sequential(nn.Linear(D, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1)).eval()
    with torch.no_grad():
        module[1].running_var[0] = 1e30
    inputs = inputs_of(1)
    found = proof_of_absence.audit(module, inputs, np.sin(inputs[:, :1]), output=tmp_path)
    assert found.float32_deviation is None and any("what float32 makes of its root" in line for line in found.not_asked)
    assert check_folder(tmp_path, Given())


def test_where_nothing_bounds_the_root_no_bound_is_stated():
    for variance in (-1e-6, 1e-30, 1e30):
        chain = Chain("net", SINGLE)
        chain.affine(np.ones((1, 2)), np.zeros(1), "map")
        chain.normalise(np.zeros(1), np.float64([variance]), 2e-6 if variance < 0 else 0.0, *np.ones((2, 1)), "norm")
        assert float32_deviation(chain.net(), np.ones((3, 2))) is None


def test_a_unit_is_dead_in_float32_only_where_the_operators_show_it():
    """x - 1000 + 999.9: the sum of the shifts is -0.1, and float32 may be off by more than that."""
    for last, dead in ((999.9, False), (900.0, True)):
        chain = Chain("net", SINGLE)
        chain.affine(np.ones((1, 1)), np.float64([-1e7]), "map")
        chain.shift(np.float64([float(np.float32(1e7 - 1000))]), "shift")
        chain.shift(np.float64([float(np.float32(last))]), "shift")
        chain.relu("relu")
        chain.affine(np.ones((1, 1)), np.zeros(1), "out")
        assert dead_in_float32(chain.net(), np.zeros((2, 1)), 1, [0]) is dead


@pytest.fixture
def certificate(tmp_path, monkeypatch):
    """The certificate of an audit of a file with all kinds of operators."""
    monkeypatch.chdir(tmp_path)
    steps, inputs = Steps("all at once", 1), inputs_of(1)
    steps.save(Path("net.onnx"))
    found = proof_of_absence.audit("net.onnx", inputs, np.sin(inputs[:, :1]), output="net.audit")
    assert found.float32_deviation is not None
    return tmp_path / "net.audit" / NAME


def text_in(name, change):
    return lambda arrays: arrays | {name: np.array([change(entry) for entry in arrays[name].tolist()])}


TAMPERED = {
    "another shift": (text_in("shift_1_1", lambda text: b"3"), "do not multiply to it"),
    "another scale": (text_in("scale_1_2", lambda text: b"1"), "do not multiply to it"),
    "another matrix": (lambda a: a | {"dense_1_3": a["dense_1_3"] * 2}, "do not multiply to it"),
    "a matrix of another shape": (lambda a: a | {"dense_1_3": a["dense_1_3"][:2]}, "does not fit the one below"),
    "an operator less": (lambda a: {k: v for k, v in a.items() if k != "dense_1_3"}, "an operator is missing"),
    "no operators": (
        lambda a: {k: v for k, v in a.items() if k.split("_")[0] in ("weights", "bias", "numbers", "divisor")},
        "no float32 evaluation has",
    ),
    "of one layer": (
        lambda a: {k: v for k, v in a.items() if not k.startswith(("dense_2", "shift_2", "scale_2", "within_2"))},
        "operators of some layers are missing",
    ),
    "no number": (text_in("shift_1_1", lambda text: b"1/0"), "division by zero"),
    "no rational": (text_in("shift_1_1", lambda text: b"1.5"), "is not a hexadecimal rational"),
    "no way to a scale": (lambda a: {k: v for k, v in a.items() if k != "within_1_2"}, "does not say what is on"),
    "a way that is none": (lambda a: a | {"within_1_2": np.array(b"-1")}, "does not say what is on the way"),
    "a way alone": (lambda a: a | {"within_1_1": np.array(b"0")}, "an operator is missing"),
    "two at one place": (lambda a: a | {"shift_1_3": a["shift_1_1"]}, "two operators have one place"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_operators_are_refused(certificate, name):
    edit, message = TAMPERED[name]
    check_audit(certificate)
    path = certificate.parent / "net.npz"
    with np.load(path) as archive:
        arrays = edit(dict(archive))
    np.savez(path, **arrays)
    content = json.loads(certificate.read_text())
    content["files"]["net"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    certificate.write_text(json.dumps(seal(content)))
    with pytest.raises(Refused, match=message):
        check_audit(certificate)


def test_a_bound_that_is_too_small_is_refused(certificate):
    content = json.loads(certificate.read_text())
    (fact,) = (fact for fact in content["facts"] if fact["kind"] == "float32-deviation")
    fact["bound"] = str(Fraction(fact["bound"]) / 1000)
    certificate.write_text(json.dumps(seal(content)))
    with pytest.raises(Refused, match="may be off by"):
        check_audit(certificate)


def test_the_operators_of_a_net_are_read_back():
    chain = Chain("net", SINGLE)
    chain.scale([Fraction(1, 3)] * 2, "scale")
    chain.shift(np.float64([1, -2]), "shift")
    chain.affine(np.eye(2) * 0.1, np.float64([0.5, 0]), "map")
    own = unshared(chain.net())
    own.require_steps()
    assert isinstance(own, Unshared)
    assert [type(op).__name__ for op in own.steps[1]] == ["Scale", "Shift", "Dense", "Shift"]
