"""Idle circuits of nets with preprocessing, BatchNorm and Linear after Linear are reused by parameters of the file.

The oracle takes the new file's steps one after the other, in fractions, and shares no code with what wrote it.
"""

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
from safetensors.torch import load_file, save_file
from torch import nn

import proof_of_absence
from proof_of_absence.checker.audit.circuits import idle_circuits
from proof_of_absence.checker.audit.deviation import float32_deviation
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.improve import Unimproved, improve_all
from proof_of_absence.checker.audit.sources import Given
from proof_of_absence.checker.audit.tied import check_folder
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.models.editing import Uneditable, with_outputs, with_unit
from proof_of_absence.models.files import InputError, read_net
from proof_of_absence.models.files.rewrite import rewrite
from proof_of_absence.models.files.torch_state import from_module
from proof_of_absence.models.layers import exact, same_layer
from tests.checker.audit.test_command import absence
from tests.checker.audit.test_harden_products import constants, exact_outputs, of_file, saved
from tests.checker.audit.test_products import FORMS, D, H, Steps, inputs_of, normalised
from tests.models.files.onnx_models import node


def squared(outputs, targets):
    """The mean squared error of one output, exactly."""
    return sum((f - Fraction(float(y))) ** 2 for f, y in zip(outputs, targets, strict=True)) / len(targets)


def circuits_of(net, inputs):
    return idle_circuits(net, inputs, unit_findings(net, inputs))[0]


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_file_has_other_parameters_and_a_lower_loss(tmp_path_factory, form, seed):
    folder = tmp_path_factory.mktemp("net")
    steps, path, out = Steps(form, seed), folder / "net.onnx", folder / "better.onnx"
    steps.save(path)
    net, inputs = read_net(path), inputs_of(seed).astype(float)
    targets = np.sin(inputs[:, :1])
    found = improve_all(net, inputs, targets, circuits_of(net, inputs))
    assert not isinstance(found, Unimproved)
    improvements, better = found
    rewrite(path, out, better)
    # Nodes, names, types and shapes are those before; weights and biases alone are others.
    before, after = onnx.load(path), onnx.load(out)
    assert [n.SerializeToString() for n in before.graph.node] == [n.SerializeToString() for n in after.graph.node]
    free = {name for n in before.graph.node if n.op_type == "Gemm" for name in n.input[1:]}
    free |= {n.input[2] for n in before.graph.node if n.op_type == "BatchNormalization"}
    old, new = constants(path), constants(out)
    assert {k: (a.dtype, a.shape) for k, a in old.items()} == {k: (a.dtype, a.shape) for k, a in new.items()}
    assert {k for k in old if old[k].tobytes() != new[k].tobytes()} <= free
    # The loss is that of the new file, step by step.
    losses = [squared(exact_outputs(of, inputs), targets[:, 0]) for of in (steps, of_file(steps, out))]
    assert improvements[0].loss_before.low <= losses[0] <= improvements[0].loss_before.high
    drops = [sum(getattr(one.drop, end) for one in improvements) for end in ("low", "high")]
    assert 0 < drops[0] <= losses[0] - losses[1] <= drops[1]
    # What float32 makes of it, where the drop is more than rounding.
    far = [float32_deviation(of, inputs) for of in (net, better)]
    ran = [onnxruntime.InferenceSession(p).run(None, {"x": inputs.astype(np.float32)})[0][:, 0] for p in (path, out)]
    floats = [squared(map(Fraction, values.tolist()), targets[:, 0]) for values in ran]
    moved = [
        2 * bound * Fraction(float(np.sqrt(float(loss)) * 1.01)) + bound**2
        for bound, loss in zip(far, losses, strict=True)
    ]
    assert floats[0] - floats[1] >= losses[0] - losses[1] - sum(moved)


@settings(max_examples=40)
@given(st.sampled_from(sorted(FORMS)), st.integers(0, 2**32), st.data())
def test_a_unit_is_the_one_that_was_asked_for_up_to_rounding(tmp_path_factory, form, seed, data):
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    Steps(form, seed).save(path)
    hidden, output = read_net(path).steps
    rng, unit = np.random.default_rng(seed), data.draw(st.integers(0, H - 1))
    inner = [op.weights.shape[1] for op in hidden.ops if hasattr(op, "weights")][-1]
    weights, bias = rng.normal(size=inner).astype(np.float32).astype(float), float(np.float32(rng.normal()))
    new = with_unit(hidden, unit, weights, bias)
    before, after = exact(hidden.layer()), exact(new.layer())
    # The other units are the very same.
    for j in (j for j in range(H) if j != unit):
        assert before.weights[j] == after.weights[j] and before.bias[j] == after.bias[j]
    outgoing = rng.normal(size=1)
    wanted = [Fraction(float(rng.normal()))]
    last = with_outputs(output, [unit], unit, outgoing, wanted)
    row = exact(last.layer())
    assert abs(float(row.weights[0][unit]) - outgoing[0]) <= 1e-4 * (1 + abs(outgoing[0]))
    assert abs(float(row.bias[0] - wanted[0])) <= 1e-3 * (1 + float(max(abs(b) for b in exact(output.layer()).bias)))
    others = [j for j in range(H) if j != unit]
    assert [row.weights[0][j] for j in others] == [exact(output.layer()).weights[0][j] for j in others]


@pytest.mark.parametrize("form", ["all at once", "preprocessing", "two maps at the end"])
def test_by_the_console(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    steps, inputs = Steps(form, 1), inputs_of(1)
    steps.save(Path("net.onnx"))
    np.savez("train.npz", X=inputs, Y=np.sin(inputs[:, :1]))
    told = absence("audit", "net.onnx", "--train", "train.npz", expect=1)
    assert "A certified improvement" in told and "not tried" not in told
    assert "improved.onnx agree with them" in absence("check", "net.audit", expect=0)
    report = json.loads(Path("net.audit/report.json").read_text())["improvement"]
    better = of_file(steps, Path("net.audit/improved.onnx"))
    losses = [squared(exact_outputs(of, inputs), np.sin(inputs[:, 0])) for of in (steps, better)]
    assert 0 < Fraction(report["drop"]["low"]) <= losses[0] - losses[1] <= Fraction(report["drop"]["high"])
    # Another net in its place, and one with another number.
    improved = Path("net.audit/improved.onnx").read_bytes()
    Path("net.audit/improved.onnx").write_bytes(Path("net.onnx").read_bytes())
    assert "is not that of the certified improvement" in absence("check", "net.audit", expect=1)
    Path("net.audit/improved.onnx").write_bytes(improved)
    Path("net.audit/improved.pt").write_bytes(improved)
    assert "tells of no improvement in it" in absence("check", "net.audit", expect=1)


@pytest.mark.parametrize("change", ["weights", "bias", "outgoing", "output_bias", "drop"])
def test_a_fact_that_was_changed_is_refused(tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    Steps("all at once", 1).save(Path("net.onnx"))
    inputs = inputs_of(1)
    proof_of_absence.audit("net.onnx", inputs, np.sin(inputs[:, :1]), output="net.audit")
    check_folder(Path("net.audit"), Given())
    certificate = Path("net.audit/certificate.json")
    content = json.loads(certificate.read_text())
    (fact,) = (fact for fact in content["facts"] if fact["kind"] == "lower-training-loss")
    match change:
        case "bias":
            fact["bias"] = "1000000/3"
        case "drop":
            fact["drop"] = [str(Fraction(end) * 2) for end in fact["drop"]]
        case _:
            fact[change][0] = "1000000/3"
    certificate.write_text(json.dumps(seal(content)))
    with pytest.raises(Refused):
        check_folder(Path("net.audit"), Given())


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_state_dictionary_is_written_in_its_own_format(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    module, inputs = normalised(), inputs_of(5)
    state, path = module.state_dict(), Path(f"net{suffix}")
    torch.save(state, path) if suffix == ".pt" else save_file(state, path)
    np.savez("train.npz", X=inputs, Y=np.sin(inputs[:, :1]))
    given = ["audit", str(path), "--activation", "relu", "--train", "train.npz"]
    told = absence(*given, "--improved", "better.onnx", expect=2)
    assert f"name a file that ends in {suffix}" in " ".join(told.split())
    absence(*given, "--improved", f"better{suffix}", expect=1)
    new = torch.load(f"better{suffix}") if suffix == ".pt" else load_file(f"better{suffix}")
    assert {k: (v.shape, v.dtype) for k, v in new.items()} == {k: (v.shape, v.dtype) for k, v in state.items()}
    kept = {key for key in state if torch.equal(new[key], state[key])}
    assert {"1.running_mean", "1.running_var", "1.weight"} <= kept and "0.weight" not in kept
    targets = np.sin(inputs[:, :1])
    with torch.no_grad():
        before = float(((module(torch.tensor(inputs)).numpy() - targets) ** 2).mean())
        module.load_state_dict(new)
        after = float(((module(torch.tensor(inputs)).numpy() - targets) ** 2).mean())
    assert after < before
    assert f"better{suffix} agree with them" in absence("check", "net.audit", expect=0)
    absence(*given, expect=1)
    assert f"improved{suffix} agree with them" in absence("check", "net.audit", expect=0)


def test_of_a_module_in_memory_nothing_is_written_and_that_is_said(tmp_path):
    inputs = inputs_of(5)
    found = proof_of_absence.audit(normalised(), inputs, np.sin(inputs[:, :1]), output=tmp_path / "out")
    assert found.improvement is not None and found.improvement.file is None
    assert any("Reassignment changes a module" in line for line in found.undecided)
    assert check_folder(tmp_path / "out", Given())


def test_where_the_file_has_no_parameters_for_it_that_is_said(tmp_path):
    path, inputs = tmp_path / "net.onnx", inputs_of(2).astype(float)
    targets = np.sin(inputs[:, :1])
    # No bias behind the last matrix.
    saved(path, [node("Gemm", "r V", "y", transB=1)])
    net = read_net(path)
    found = improve_all(net, inputs, targets, circuits_of(net, inputs))
    assert isinstance(found, Unimproved) and "has no bias behind its last matrix" in found.reason
    # A BatchNorm that multiplies what is read by 0.
    norm = {"f": np.zeros(H), "B": np.ones(H), "m": np.zeros(H), "v": np.ones(H)}
    tail = [node("BatchNormalization", "r f B m v", "n", epsilon=0.0), node("Gemm", "n V d", "y", transB=1)]
    saved(path, tail, {name: array.astype(np.float32) for name, array in norm.items()})
    net = read_net(path)
    found = improve_all(net, inputs, targets, circuits_of(net, inputs))
    assert isinstance(found, Unimproved) and "multiplies the unit by 0" in found.reason
    with pytest.raises(Uneditable, match="multiplies the unit by 0"):
        with_outputs(net.steps[1], [0], 0, np.ones(1), [Fraction(0)])


def modules():
    torch.manual_seed(2)
    norm = nn.Sequential(nn.BatchNorm1d(D), nn.Linear(D, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))
    twice = nn.Sequential(nn.Linear(D, 5), nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4, bias=False), nn.Linear(4, 2))
    for module in (norm, twice):
        for _ in range(5):
            module(torch.randn(32, D))
        module.eval()
        with torch.no_grad():
            module[2 if module is norm else 1].bias[0] = -1000
    return {"norm": norm, "twice": twice}


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("name", ["norm", "twice"])
def test_a_module_is_reassigned_between_steps(name, labels):
    module, inputs = modules()[name], torch.tensor(inputs_of(3, rows=30))
    targets = (inputs[:, 0] > 0).long() if labels else torch.sin(inputs[:, :2])
    loss = nn.CrossEntropyLoss() if labels else nn.MSELoss()
    optimizer = torch.optim.Adam(module.parameters())
    loss(module(inputs), targets).backward()
    optimizer.step()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with torch.no_grad():
        worse = float(loss(module(inputs), targets))
    reassign = proof_of_absence.Reassignment(module, inputs, targets, certificate=not labels)
    done = reassign(optimizer)
    assert done and done.drop > 0 and done.units[0][0].index == 0
    with torch.no_grad():
        better = float(loss(module(inputs), targets))
    # Of two outputs the mean is half of the sum.
    assert better == pytest.approx(worse - float(done.drop) / (1 if labels else 2), rel=1e-3, abs=1e-4)
    now = from_module(module)
    assert all(same_layer(a, b) for a, b in zip(now.layers, done.after.layers, strict=True))
    changed = {key for key, value in module.state_dict().items() if not torch.equal(value, before[key])}
    assert changed and not any("running" in key for key in changed)
    last = {"norm": "1.weight", "twice": "1.weight"}[name]
    moment = optimizer.state[dict(module.named_parameters())[last]]["exp_avg"]
    assert not moment[0].any() and moment[1:].any()
    if not labels:
        check_fact(done.certificate)
    optimizer.step()


def test_in_training_mode_a_batchnorm_is_refused():
    module = modules()["norm"].train()
    with pytest.raises(InputError, match=r"call module.eval\(\) first"):
        proof_of_absence.Reassignment(module, inputs_of(3), np.zeros((12, 2)))
