"""Nets with preprocessing, BatchNorm and Linear after Linear are hardened in their own files, map by map.

The oracle takes the new file's steps one after the other, in fractions, and shares no code with what wrote it.
"""

import hashlib
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from safetensors.torch import load_file, save_file
from torch import nn

import proof_of_absence
from proof_of_absence.checker.audit.harden import harden_net
from proof_of_absence.checker.audit.harden_entry import LIST, write_proof
from proof_of_absence.checker.audit.sources import Given
from proof_of_absence.checker.audit.tied import check_folder
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files import read_net
from proof_of_absence.models.files.rewrite import rewrite
from proof_of_absence.models.layers import Affine, same_layer
from proof_of_absence.models.net import MLP
from tests.checker.audit.test_command import absence
from tests.checker.audit.test_products import FORMS, D, H, Steps, inputs_of, normalised
from tests.checker.audit.test_step_sizes import ran_by_onnx
from tests.models.files.onnx_models import model, node


def constants(path):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


def of_file(steps: Steps, path: Path) -> Steps:
    """The steps with the constants that a file has under the same names."""
    new, found = Steps.__new__(Steps), constants(path)
    new.steps = [
        (step, [found[f"v{at}c{k}"] for k in range(len(arrays))]) for at, (step, arrays) in enumerate(steps.steps)
    ]
    return new


def exact_outputs(steps, inputs):
    return [steps.exact([Fraction(float(x)) for x in z])[0] for z in inputs]


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32), nearest=st.booleans())
def test_the_file_is_edited_and_no_output_changes(tmp_path_factory, form, seed, nearest):
    folder = tmp_path_factory.mktemp("net")
    steps, path, out = Steps(form, seed), folder / "net.onnx", folder / "hard.onnx"
    steps.save(path)
    inputs = inputs_of(seed)
    found = harden_net(read_net(path), inputs.astype(float), rounding="nearest" if nearest else "exact")
    rewrite(path, out, found.net)
    # Nodes, names, types and shapes are those before, and nothing but weights and biases is edited.
    before, after = onnx.load(path), onnx.load(out)
    assert [n.SerializeToString() for n in before.graph.node] == [n.SerializeToString() for n in after.graph.node]
    gemms = {name for n in before.graph.node if n.op_type == "Gemm" for name in n.input[1:]}
    gemms |= {n.input[2] for n in before.graph.node if n.op_type == "BatchNormalization"}
    old, new = constants(path), constants(out)
    assert {name: (a.dtype, a.shape) for name, a in old.items()} == {
        name: (a.dtype, a.shape) for name, a in new.items()
    }
    assert {name for name in old if old[name].tobytes() != new[name].tobytes()} <= gemms
    # Over the reals, by the file's own steps.
    pairs = zip(exact_outputs(steps, inputs), exact_outputs(of_file(steps, out), inputs), strict=True)
    assert max(abs(a - b) for a, b in pairs) == found.deviation
    assert nearest or not found.deviation
    dead = [circuit for circuit in (*found.removed, *found.left) if Unit(1, 0) in circuit.units]
    # What a BatchNorm above adds to a unit that is 0 is a constant, and a float only by chance.
    assert dead and (not nearest or not found.left)
    if not {"norm"} & set(FORMS[form][2]):
        assert dead[0] in found.removed
    if "norm" not in FORMS[form][2] and [circuit.units for circuit in found.removed] == [(Unit(1, 0),)]:
        # Nothing is added to the dead unit before it is weighed.
        assert found.same_in_float32
    if found.same_in_float32:
        assert not any(found.biases) and not found.deviation
        for one, other in zip(ran_by_onnx(path, inputs), ran_by_onnx(out, inputs), strict=True):
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(("form", "rounding", "expect"), [
    ("all at once", "exact", 1), ("all at once", "nearest", 0), ("preprocessing", "exact", 0),
])  # fmt: skip
def test_by_the_console(tmp_path, monkeypatch, form, rounding, expect):
    monkeypatch.chdir(tmp_path)
    steps, inputs = Steps(form, 1), inputs_of(1)
    steps.save(Path("net.onnx"))
    np.savez("train.npz", X=inputs)
    given = ["--train", "train.npz", "-o", "hard.onnx", "--rounding", rounding]
    told = absence("harden", "net.onnx", *given, expect=expect)
    assert ("taken out" in told) is (expect == 0) and ("--rounding nearest" in told) is (expect == 1)
    assert "hard.onnx, net.onnx and train.npz; hardening.json agrees" in absence("check", "hard.onnx.proof", expect=0)
    (dead,) = (n for n in onnx.load("hard.onnx").graph.node if n.op_type == "Gemm" and n.output[0] == "y")
    assert bool(constants("hard.onnx")[dead.input[1]].any())


def test_a_state_dictionary_keeps_its_names_and_its_batchnorm(tmp_path):
    inputs, state = inputs_of(5).astype(float), normalised().state_dict()
    state = {f"module.{name}": value for name, value in state.items()}
    for name in ("net.pt", "net.safetensors"):
        path, out = tmp_path / name, tmp_path / f"hard{Path(name).suffix}"
        torch.save(state, path) if name.endswith("pt") else save_file(state, path)
        net = read_net(path, activation="relu")
        found = harden_net(net, inputs)
        assert (Unit(1, 0),) in [circuit.units for circuit in found.removed]
        rewrite(path, out, found.net, activation="relu")
        new = torch.load(out) if name.endswith("pt") else load_file(out)
        assert {key: (v.shape, v.dtype) for key, v in new.items()} == {
            key: (v.shape, v.dtype) for key, v in state.items()
        }
        differ = {key for key in state if not torch.equal(new[key], state[key])}
        assert differ == {"module.3.weight"} and not new["module.3.weight"][:, 0].any()
        again = read_net(out, activation="relu")
        assert all(same_layer(a, b) for a, b in zip(again.layers, found.net.layers, strict=True))


def test_a_module_in_memory_is_hardened(tmp_path):
    inputs = inputs_of(5)
    found = proof_of_absence.harden(normalised(), inputs, output=tmp_path / "proof")
    assert not found.left and (Unit(1, 0),) in [circuit.units for circuit in found.removed]
    assert found.net.steps is not None and not found.net.steps[1].matrix()[:, 0].any()
    assert check_folder(tmp_path / "proof", Given())


def test_rationals_of_nobodys_file_take_every_constant(tmp_path):
    net = MLP([Affine([["1/3"], [0], ["-1/7"]], [0, "1/9", -3]), Affine([["2/3", "5/11", 1]], ["1/10"])])
    found = proof_of_absence.harden(net, [[0.0], [1.0], [2.0]], output=tmp_path / "proof")
    assert not found.left and not found.deviation
    assert found.net.exact().layers[1] == Affine([["2/3", 0, 0]], [Fraction(1, 10) + Fraction(5, 99)])
    assert check_folder(tmp_path / "proof", Given())


RNG = np.random.default_rng(0)
# Preprocessing makes the first layer a product; unit 1 is dead; unit 2 is 7/8 at all inputs.
CONSTANTS = {
    "c": np.float32([3.0]),
    "W": np.float32([[1, 0.5, -1], [1, 1, 0], [0, 0, 0], [-1, 1, 1]]),
    "b": np.float32([0, -900, 0.875, 0.5]),
    "V": np.float32([[1.0, 3.0, 0.1, -1.0]]),
    "d": np.float32([0.25]),
}
HEAD = [node("Div", "x c", "p"), node("Gemm", "p W b", "h", transB=1), node("Relu", "h", "r")]


def saved(path, tail, extra=None, unused=()):
    kept = {name: array for name, array in (CONSTANTS | (extra or {})).items() if name not in unused}
    path.write_bytes(model(HEAD + tail, kept, shape=("batch", D)))


def hardened(path, out, rounding="exact"):
    inputs = inputs_of(2).astype(float)
    found = harden_net(read_net(path), inputs, rounding=rounding)
    rewrite(path, out, found.net)
    return found


def test_weights_that_are_computed_or_shared_get_a_constant_of_their_own(tmp_path):
    path, out = tmp_path / "net.onnx", tmp_path / "hard.onnx"
    W, V = CONSTANTS["W"], CONSTANTS["V"]
    for name, tail, extra in (
        ("computed", [node("Transpose", "V", "T"), node("MatMul", "r T", "m"), node("Add", "m d", "y")], {}),
        ("a node", [
            onnx.helper.make_node("Constant", [], ["K"], value=numpy_helper.from_array(V.T.copy(), "K")),
            node("MatMul", "r K", "m"), node("Add", "m d", "y"),
        ], {}),
        ("shared", [
            node("Gemm", "r S s", "g", transB=1), node("Relu", "g", "k"), node("Gemm", "k S s", "y", transB=1),
        ], {"S": RNG.normal(size=(H, H)).astype(np.float32), "s": np.full(H, 30, np.float32)}),
    ):  # fmt: skip
        saved(path, tail, extra)
        found = hardened(path, out, "nearest")
        assert [(Unit(1, 1),), (Unit(1, 2),)] == [c.units for c in found.removed] and not found.left, name
        again, inputs = read_net(out), inputs_of(2)
        assert all(same_layer(a, b) for a, b in zip(again.layers, found.net.layers, strict=True))
        ran = [onnxruntime.InferenceSession(p).run(None, {"x": inputs})[0] for p in (path, out)]
        np.testing.assert_allclose(*ran, rtol=1e-5, atol=1e-5)
        assert (constants(path)["W"] == W).all()


def test_a_constant_goes_into_the_bias_of_its_own_type_or_is_left(tmp_path):
    path, out = tmp_path / "net.onnx", tmp_path / "hard.onnx"
    saved(path, [node("Gemm", "r V d", "y", transB=1)])
    assert [c.units for c in hardened(path, out).left] == [(Unit(1, 2),)]
    rounded = hardened(path, out, "nearest")
    wanted = Fraction(0.25) + Fraction(float(np.float32(0.1))) * Fraction(0.875)
    assert constants(out)["d"] == np.float32(float(wanted)) and not rounded.left
    assert rounded.deviation == abs(Fraction(float(constants(out)["d"][0])) - wanted) > 0
    # A number that a float32 holds is no rounding.
    saved(path, [node("Gemm", "r V d", "y", transB=1)], {"V": np.float32([[1, 3, 0.5, -1]])})
    found = hardened(path, out)
    assert not found.left and not found.deviation and constants(out)["d"].tolist() == [0.6875]
    # Sub adds the number with the other sign.
    saved(path, [node("Gemm", "r V", "g", transB=1), node("Sub", "g d", "y")], {"V": np.float32([[1, 3, 0.5, -1]])})
    assert not hardened(path, out).left and constants(out)["d"].tolist() == [-0.1875]


def test_a_constant_goes_into_the_bias_of_a_batchnorm(tmp_path):
    """Where the layer that reads it has no bias, or none that holds it."""
    path, out = tmp_path / "net.onnx", tmp_path / "hard.onnx"
    norm = {"f": np.float32([2]), "B": np.float32([0.5]), "m": np.float32([0.1]), "v": np.float32([1])}
    for reader, extra in (("r V", {}), ("r V d", {"d": np.float32([2**22 + 0.5])})):
        tail = [node("Gemm", reader, "g", transB=1), node("BatchNormalization", "g f B m v", "y", epsilon=0.0)]
        saved(path, tail, norm | extra | {"V": np.float32([[1, 3, 0.5, -1]])})
        found, inputs = hardened(path, out), inputs_of(2)
        assert not found.left and not found.deviation and (Unit(1, 2),) in [c.units for c in found.removed]
        before, after = constants(path), constants(out)
        # 7/8 times a half, times 2.
        assert after["B"] == before["B"] + 0.875 and all((after[k] == before[k]).all() for k in after if k not in "BV")
        ran = [onnxruntime.InferenceSession(p).run(None, {"x": inputs})[0] for p in (path, out)]
        np.testing.assert_allclose(*ran, rtol=1e-5, atol=1e-5)
        write_proof(tmp_path / "proof", found, inputs.astype(float), None)
        check_folder(tmp_path / "proof", Given())


def test_a_state_dictionary_takes_the_constant_in_its_batchnorm(tmp_path):
    module = nn.Sequential(
        nn.Linear(D, H), nn.ReLU(), nn.Linear(H, H, bias=False), nn.BatchNorm1d(H), nn.ReLU(), nn.Linear(H, 1)
    ).eval()
    with torch.no_grad():
        module[0].weight[1], module[0].bias[1] = 0, 0.5
        module[3].bias[:] = 7.0
    torch.save(module.state_dict(), tmp_path / "net.pt")
    inputs = inputs_of(1)
    found = harden_net(read_net(tmp_path / "net.pt", activation="relu"), inputs.astype(float), rounding="nearest")
    assert (Unit(1, 1),) in [c.units for c in found.removed]
    rewrite(tmp_path / "net.pt", tmp_path / "hard.pt", found.net, activation="relu")
    before, state = module(torch.tensor(inputs)), torch.load(tmp_path / "hard.pt")
    assert not torch.equal(state["3.bias"], module.state_dict()["3.bias"])
    module.load_state_dict(state)
    torch.testing.assert_close(module(torch.tensor(inputs)), before, rtol=1e-4, atol=1e-4)


def test_without_a_bias_the_circuit_is_left_and_it_is_said_why(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(Path("net.onnx"), [node("Gemm", "r V", "y", transB=1)])
    np.savez("train.npz", X=inputs_of(2))
    given = ["--train", "train.npz", "-o", "hard.onnx", "--rounding", "nearest"]
    # Words, wherever the terminal breaks lines.
    told = " ".join(absence("harden", "net.onnx", *given, expect=1).split())
    assert "1 train-idle circuit taken out; 1 left" in told and "give that layer a bias there" in told


def test_a_softmax_at_the_end_stays(tmp_path):
    path, out = tmp_path / "net.onnx", tmp_path / "hard.onnx"
    extra = {"V": RNG.normal(size=(3, H)).astype(np.float32), "d": np.zeros(3, np.float32)}
    saved(path, [node("Gemm", "r V d", "g", transB=1), node("Softmax", "g", "y", axis=1)], extra)
    found = hardened(path, out, "nearest")
    assert len(found.removed) == 2 and onnx.load(out).graph.node[-1].op_type == "Softmax"


def change_bias(told):
    told["biases"] = [["1/3"] for _ in told["biases"]]


TAMPERED = {
    "another bias": (change_bias, "is not what the removals make of it|is not idle"),
    "no biases": (lambda told: told.pop("biases"), "parts are missing"),
    "too few": (lambda told: told["biases"].pop(), "not one entry of biases"),
    "of another width": (lambda told: told.update(biases=[["0", "0"]] * 2), "not one bias for each reader"),
    "no numbers": (lambda told: told.update(biases=[["x"]] * 2), "is no exact number"),
    "one removal less": (lambda told: (told["removed"].pop(), told["biases"].pop()), "the units removed"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_list_that_was_changed_is_refused(tmp_path, name):
    path, (change, match) = tmp_path / "net.onnx", TAMPERED[name]
    saved(path, [node("Gemm", "r V d", "y", transB=1)])
    inputs = inputs_of(2).astype(float)
    found = harden_net(read_net(path), inputs, rounding="nearest")
    assert len(found.removed) == 2 and found.biases[0] is None and found.biases[1]
    write_proof(tmp_path / "proof", found, inputs, None)
    check_folder(tmp_path / "proof", Given())
    listed = tmp_path / "proof" / LIST
    told = json.loads(listed.read_text())
    change(told)
    listed.write_text(json.dumps(told))
    with pytest.raises(Refused, match=match):
        check_folder(tmp_path / "proof", Given())


def in_both(name, change):
    """The edit of an array in the net and in the net before."""
    return {"net": {name: change}, "before": {name: change}}


def with_sign(array):
    array = array.copy()
    array[:, 0] = -array[:, 0]
    return array


def text(value):
    return lambda array: np.array([value, *array.tolist()[1:]])


SINGLE_TAMPERED = {
    "the sign of a weight 0": ({"net": {"dense_2_1": with_sign}}, "differs in more than output weights that are 0"),
    "another bias": ({"net": {"shift_2_2": text(b"5")}}, "differs in more than|do not multiply"),
    "another shift in both": (in_both("shift_1_1", text(b"5")), "do not multiply to it"),
    "another scale": ({"net": {"scale_1_2": text(b"1/3")}}, "differs in more than"),
    "no operators": ({"net": {"": None}}, "one of the nets has no operators"),
}


@pytest.mark.parametrize("name", SINGLE_TAMPERED)
def test_a_proof_of_equal_bits_that_was_changed_is_refused(tmp_path, name):
    Steps("preprocessing", 1).save(tmp_path / "net.onnx")
    inputs, proof = inputs_of(1).astype(float), tmp_path / "proof"
    found = harden_net(read_net(tmp_path / "net.onnx"), inputs)
    assert found.same_in_float32 and (Unit(1, 0),) in [circuit.units for circuit in found.removed]
    write_proof(proof, found, inputs, None)
    check_folder(proof, Given())
    changes, match = SINGLE_TAMPERED[name]
    path = proof / "certificate.json"
    content = json.loads(path.read_text())
    for file, edits in changes.items():
        with np.load(proof / f"{file}.npz") as archive:
            arrays = dict(archive)
        for key, change in edits.items():
            if change is None:
                arrays = {
                    k: v for k, v in arrays.items() if k.split("_")[0] in ("numbers", "divisor", "weights", "bias")
                }
            else:
                arrays[key] = change(arrays[key])
        np.savez(proof / f"{file}.npz", **arrays)
        content["files"][file]["sha256"] = hashlib.sha256((proof / f"{file}.npz").read_bytes()).hexdigest()
    path.write_text(json.dumps(seal(content)))
    with pytest.raises(Refused, match=match):
        check_folder(proof, Given())


def test_what_a_batchnorm_adds_before_a_unit_is_weighed_forbids_equal_bits(tmp_path):
    """The unit is 0 in float32, and what the matrix reads of it is not."""
    path, out = tmp_path / "net.onnx", tmp_path / "hard.onnx"
    norm = {"f": np.ones(H), "B": np.full(H, 0.5), "m": np.full(H, 0.5), "v": np.ones(H)}
    tail = [node("BatchNormalization", "r f B m v", "n", epsilon=0.0), node("Gemm", "n V d", "y", transB=1)]
    saved(path, tail, {name: array.astype(np.float32) for name, array in norm.items()})
    found = harden_net(read_net(path), inputs_of(2).astype(float))
    assert (Unit(1, 1),) in [circuit.units for circuit in found.removed]
    # Over the reals 0.5 - 0.5 is 0.
    assert not found.same_in_float32
    rewrite(path, out, found.net)
    saved(path, tail, {name: np.where(name in "Bm", 0, array).astype(np.float32) for name, array in norm.items()})
    found = harden_net(read_net(path), inputs_of(2).astype(float))
    dead = [circuit for circuit in found.removed if circuit.units == (Unit(1, 1),)]
    assert dead and found.same_in_float32 is (len(found.removed) == 1)


def test_a_proof_of_another_rational_layer_is_refused(tmp_path):
    path = tmp_path / "net.onnx"
    saved(path, [node("Gemm", "r V d", "y", transB=1)])
    inputs = inputs_of(2).astype(float)
    found = harden_net(read_net(path), inputs, rounding="nearest")
    write_proof(tmp_path / "proof", found, inputs, None)
    proof = tmp_path / "proof"
    with np.load(proof / "before.npz") as archive:
        arrays = dict(archive)
    numbers = arrays["numbers_1"].astype(object)
    numbers[0, 0] = b"1"
    np.savez(proof / "before.npz", **(arrays | {"numbers_1": numbers.astype(bytes)}))
    with pytest.raises(Refused, match="is not the file that was audited"):
        check_folder(proof, Given())


def test_the_module_that_a_person_exports_is_the_same_function(tmp_path):
    """A BatchNorm in front of the net: its weights are read by a Gemm, and the dead unit's are cut there."""
    torch.manual_seed(1)
    module = nn.Sequential(nn.BatchNorm1d(D), nn.Linear(D, H), nn.ReLU(), nn.Linear(H, 2)).eval()
    with torch.no_grad():
        module[1].bias[0] = -500
    torch.save(module.state_dict(), tmp_path / "net.pt")
    net = read_net(tmp_path / "net.pt", activation="relu")
    found = harden_net(net, inputs_of(1).astype(float))
    rewrite(tmp_path / "net.pt", tmp_path / "hard.pt", found.net, activation="relu")
    before = module(torch.tensor(inputs_of(1)))
    module.load_state_dict(torch.load(tmp_path / "hard.pt"))
    assert found.removed and torch.equal(before, module(torch.tensor(inputs_of(1))))
