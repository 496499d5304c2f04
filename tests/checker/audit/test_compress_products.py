"""Units are deleted from files with preprocessing, BatchNorm and Linear after Linear: rows, columns, entries between.

The oracle takes the new file's steps one after the other, in fractions, and shares no code with what wrote it.
"""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from proof_of_absence.checker.audit.compress import compress_net
from proof_of_absence.checker.audit.compress_certify import NAME, certify_compression
from proof_of_absence.checker.audit.harden import harden_net
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.compression import check_compression
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.editing import edited
from proof_of_absence.models.files import InputError, read_net
from proof_of_absence.models.files.rewrite import rewrite
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import RationalAffine
from proof_of_absence.models.shrinking import then
from tests.checker.audit.test_command import absence
from tests.checker.audit.test_harden_products import exact_outputs, of_file, saved
from tests.checker.audit.test_products import FORMS, D, H, Steps, box, inputs_of
from tests.models.files.onnx_models import node

CUBE = Region("box", ((Fraction(-4), Fraction(4)),) * D)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32), region=st.booleans())
def test_no_output_changes_and_the_units_are_gone_from_the_file(tmp_path_factory, form, seed, region):
    folder = tmp_path_factory.mktemp("net")
    steps, path, out = Steps(form, seed), folder / "net.onnx", folder / "small.onnx"
    steps.save(path)
    inputs, net = inputs_of(seed), read_net(path)
    hard = harden_net(net, inputs.astype(float))
    found = compress_net(hard.net, CUBE if region else None)
    rewrite(path, out, found.net, edits=then(edited(net.steps, hard.net.steps), found.edits))
    gone = {removal.unit for removal in found.removed}
    cut = {unit for circuit in hard.removed for unit in circuit.units}
    # One unit of the layer stays, whatever it is.
    assert cut <= gone or len(gone) == H - 1
    assert found.net.widths[1] == H - len(gone)
    small = of_file(steps, out)
    assert exact_outputs(small, inputs) == exact_outputs(of_file(steps, path) if not hard.deviation else small, inputs)
    ran = [onnxruntime.InferenceSession(p).run(None, {"x": inputs})[0] for p in (path, out)]
    scale = max(1.0, float(np.abs(ran[0]).max()))
    np.testing.assert_allclose(ran[1], ran[0], rtol=1e-3, atol=1e-3 * scale)
    check_compression(certify_compression(folder, found))


@pytest.mark.parametrize("form", ["all at once", "preprocessing", "norm before Relu"])
def test_by_the_console(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    steps, inputs = Steps(form, 1), inputs_of(1)
    steps.save(Path("net.onnx"))
    np.savez("train.npz", X=inputs)
    Path("box.vnnlib").write_text(box(inputs))
    given = ["harden", "net.onnx", "--train", "train.npz", "--rounding", "nearest", "--compress"]
    told = " ".join(absence(*given, "-o", "small.onnx", "--region", "box.vnnlib", expect=0).split())
    assert "Compressed: 3 x 4 x 1 became 3 x" in told and "None is merged" in told
    assert "Accepted" in absence("check", "small.onnx.proof", expect=0)
    assert "small.onnx" in absence("check", "small.onnx.compression", expect=0)
    small = of_file(steps, Path("small.onnx"))
    for one, other in zip(exact_outputs(steps, inputs), exact_outputs(small, inputs), strict=True):
        # Rounded biases of the hardened net.
        assert abs(one - other) <= Fraction(1, 1000)
    Path("small.onnx").write_bytes(Path("net.onnx").read_bytes())
    absence("check", "small.onnx.compression", expect=1)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_state_dictionary_fits_a_smaller_module(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)

    def module(width, last):
        return nn.Sequential(
            nn.Linear(D, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, last), nn.ReLU(), nn.Linear(last, 1)
        ).eval()

    old, inputs = module(5, 4), inputs_of(1)
    with torch.no_grad():
        old[1].bias[2], old[3].bias[1] = -500, -500
    path = Path(f"net{suffix}")
    torch.save(old.state_dict(), path) if suffix == ".pt" else save_file(old.state_dict(), path)
    np.savez("train.npz", X=inputs)
    given = ["--activation", "relu", "--train", "train.npz", "-o", f"small{suffix}", "--compress"]
    absence("harden", str(path), *given, "--rounding", "nearest", expect=0)
    new = torch.load(f"small{suffix}") if suffix == ".pt" else load_file(f"small{suffix}")
    small = module(len(new["0.bias"]), len(new["3.bias"]))
    small.load_state_dict(new)
    assert len(new["0.bias"]) < 5 and len(new["3.bias"]) < 4
    with torch.no_grad():
        torch.testing.assert_close(small(torch.tensor(inputs)), old(torch.tensor(inputs)), rtol=1e-4, atol=1e-4)
    assert "Accepted" in absence("check", f"small{suffix}.proof", expect=0)
    assert f"small{suffix}" in absence("check", f"small{suffix}.compression", expect=0)


def test_what_a_batchnorm_makes_of_0_goes_into_a_bias_or_the_unit_stays(tmp_path):
    path, out = tmp_path / "net.onnx", tmp_path / "small.onnx"
    norm = {"f": np.ones(H), "B": np.full(H, 0.5), "m": np.zeros(H), "v": np.ones(H)}
    norm = {name: array.astype(np.float32) for name, array in norm.items()}
    region = Region("box", ((Fraction(-4), Fraction(4)),) * D)
    for reader, extra, stays in (("n V d", {}, False), ("n V", {}, True)):
        tail = [node("BatchNormalization", "r f B m v", "n", epsilon=0.0), node("Gemm", reader, "y", transB=1)]
        saved(path, tail, norm | extra, unused=("d",) if stays else ())
        net = read_net(path)
        found = compress_net(net, region)
        assert (Unit(1, 1) in [removal.unit for removal in found.removed]) is not stays
        rewrite(path, out, found.net, edits=found.edits)
        inputs = inputs_of(2)
        ran = [onnxruntime.InferenceSession(p).run(None, {"x": inputs})[0] for p in (path, out)]
        np.testing.assert_allclose(*ran, rtol=1e-4, atol=1e-4)
        check_compression(certify_compression(tmp_path, found))


def test_a_net_of_rationals_of_no_file_is_not_compressed():
    net = FloatNet([RationalAffine.of(np.array([[1, 2]], dtype=object), 3), ([[1.0]], [0.0])])
    with pytest.raises(InputError, match="no file says by which operators"):
        compress_net(net)


def unread(certificate):
    certificate["removed"].append({"layer": 1, "unit": 1, "how": "empty"})


def off(certificate):
    certificate["removed"].append({"layer": 1, "unit": 1, "how": "off"})


def merged(certificate):
    certificate["removed"].append({"layer": 1, "unit": 1, "how": "merged", "terms": [], "shift": "0"})


TAMPERED = {
    "one less": (lambda certificate: certificate["removed"].pop(), "the widths of the new net are others"),
    "one that sends": (unread, "sends something"),
    "one that is not off": (off, "is not shown to be off"),
    "one merged": (merged, "is not shown to be active|a unit is merged where"),
    "another net": ("after", "layer 2 of the new net is another"),
    "another net before": ("before", "of the new net is another|sends something"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_proof_that_was_changed_is_refused(tmp_path, name):
    path = tmp_path / "net.onnx"
    Steps("all at once", 1).save(path)
    hard = harden_net(read_net(path), inputs_of(1).astype(float), rounding="nearest")
    found = compress_net(hard.net)
    assert found.removed and Unit(1, 1) not in [removal.unit for removal in found.removed]
    proof = certify_compression(tmp_path, found)
    check_compression(proof)
    change, match = TAMPERED[name]
    content = json.loads(proof.read_text())
    if isinstance(change, str):
        import hashlib

        file = tmp_path / f"{change}.npz"
        with np.load(file) as archive:
            arrays = dict(archive)
        key = "numbers_2" if "numbers_2" in arrays else "weights_2"
        array = arrays[key].astype(object) if key == "numbers_2" else arrays[key].copy()
        array[0, 0] = b"3" if key == "numbers_2" else 3.0
        np.savez(file, **(arrays | {key: array.astype(arrays[key].dtype)}))
        content["files"][change]["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    else:
        change(content)
    (tmp_path / NAME).write_text(json.dumps(seal(content)))
    with pytest.raises(Refused, match=match):
        check_compression(tmp_path / NAME)
