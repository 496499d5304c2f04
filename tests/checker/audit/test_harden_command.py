"""`absence harden` end to end: every format, what it writes and what it never touches, exit codes, the check."""

import hashlib
import os
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.numpy import load_file, save_file

from proof_of_absence.models.files import onnx, read_net
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.test_command import absence

INPUTS = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [0.5, 0.5]])
DEPLOY = np.array([[0.0, 0.0], [9.0, 0.0], [10.0, 1.0]])
# Unit 1 is dead in training, and fires beyond x_0 = 8.
NET = FloatNet([([[1.0, -1.0], [1.0, 0.0], [0.5, 0.5]], [0.0, -8.0, 0.25]), ([[1.0, 5.0, -2.0]], [0.125])], np.float32)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("train.npz", X=INPUTS, Y=np.zeros((4, 1)))
    np.savez("deploy.npz", X=DEPLOY)


def save(path):
    """NET in a file of any format."""
    (w, b), (a, c) = ((layer.weights.astype(np.float32), layer.bias.astype(np.float32)) for layer in NET.layers)
    arrays = {"net.0.weight": w, "net.0.bias": b, "net.2.weight": a, "net.2.bias": c}
    if path.endswith(".onnx"):
        onnx.write(path, NET)
    elif path.endswith(".safetensors"):
        save_file(arrays, path)
    else:
        torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, path)


def digests(*paths):
    return [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths]


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ".pt", ".pth"])
def test_every_format_is_written_as_it_was_read(suffix):
    net, out = f"net{suffix}", f"hard{suffix}"
    save(net)
    before = digests(net, "train.npz", "deploy.npz")
    said = [] if suffix == ".onnx" else ["--activation", "relu"]
    told = absence("harden", net, *said, "--train", "train.npz", "--deploy", "deploy.npz", "-o", out, expect=0)
    assert told.startswith("1 train-idle circuit taken out; none is left.")
    assert "{1.1}" in told and "1-2" in told and "Nor does any in float32" in told
    assert digests(net, "train.npz", "deploy.npz") == before
    assert read_net(out, activation="relu").layers[1].weights.tolist() == [[1.0, 0.0, -2.0]]
    assert f" facts on {out}, {net}, train.npz and deploy.npz; hardening.json agrees" in absence(
        "check", f"{out}.proof", expect=0
    )
    if suffix == ".safetensors":
        assert {name: (a.shape, a.dtype) for name, a in load_file(out).items()} == {
            name: (a.shape, a.dtype) for name, a in load_file(net).items()
        }
    if suffix == ".onnx":
        rows = INPUTS.astype(np.float32)
        one, other = (onnxruntime.InferenceSession(path).run(None, {"input": rows})[0] for path in (net, out))
        assert (one == other).all()


def test_the_audit_finds_nothing_afterwards():
    save("net.onnx")
    told = absence("audit", "net.onnx", "--train", "train.npz", "--deploy", "deploy.npz", expect=1)
    assert "absence harden net.onnx --train train.npz -o net.hardened.onnx" in told
    absence("harden", "net.onnx", "--train", "train.npz", "-o", "net.hardened.onnx", expect=0)
    told = absence("audit", "net.hardened.onnx", "--train", "train.npz", "--deploy", "deploy.npz", expect=0)
    assert told.startswith("Clean")
    told = absence("harden", "net.hardened.onnx", "--train", "train.npz", "-o", "again.onnx", expect=0)
    assert told.startswith("Nothing to take out; none is left.")


def test_nothing_is_replaced_without_being_asked_and_an_input_never():
    save("net.onnx")
    save("other.onnx")
    before = digests("net.onnx", "other.onnx", "train.npz")
    for out, words in (
        ("net.onnx", "would replace net.onnx"),
        ("./net.onnx", "would replace net.onnx"),
        ("other.onnx", "lies there already"),
        ("hard.pt", "end its name with .onnx"),
    ):
        told = absence("harden", "net.onnx", "--train", "train.npz", "-o", out, expect=2)
        assert words in told and told.count("\n") == 1
    absence("harden", "net.onnx", "--train", "train.npz", "-o", "net.onnx", "--force", expect=2)
    assert digests("net.onnx", "other.onnx", "train.npz") == before
    absence("harden", "net.onnx", "--train", "train.npz", "-o", "other.onnx", "--force", expect=0)
    absence("check", "other.onnx.proof", expect=0)


def test_what_is_free_stays_free_until_the_unit_is_deleted():
    save("net.onnx")
    options = ("--train", "train.npz", "--deploy", "deploy.npz", "--compress")
    told = absence("harden", "net.onnx", *options, "-o", "small.onnx", expect=0)
    free = {line.split()[0]: line.split()[1:4] for line in told.splitlines() if " of 3 " in line}
    # At the last two unit 1 fires, of whose weight training knows nothing.
    assert free == {"before": ["2", "of", "3"], "hardened": ["2", "of", "3"], "smaller": ["0", "of", "3"]}
    assert "deletes no unit" in told and "Units that send nothing are deleted with --compress" not in told
    told = absence("harden", "net.onnx", *options[:4], "-o", "hard.onnx", expect=0)
    # However the lines are broken.
    assert "Units that send nothing are deleted with --compress" in " ".join(told.split())
    assert "What a move costs" not in absence("harden", "net.onnx", *options[:2], "-o", "bare.onnx", expect=0)


def test_data_that_do_not_fit_are_named():
    save("net.onnx")
    np.savez("wide.npz", X=np.zeros((3, 5)))
    told = absence("harden", "net.onnx", "--train", "wide.npz", "-o", "hard.onnx", expect=2)
    assert told == "absence: wide.npz: X has 5 columns, the net reads 2\n"


def test_what_no_bias_holds_is_left_and_named_or_rounded():
    tenth = float(np.float32(0.1))
    onnx.write("net.onnx", FloatNet([([[0.0, 0.0], [1.0, 1.0]], [tenth, 0.0]), ([[tenth, 1.0]], [tenth])], np.float32))
    told = absence("harden", "net.onnx", "--train", "train.npz", "-o", "hard.onnx", expect=1)
    assert "1 left" in told and "--rounding nearest" in told
    words = ("--rounding", "nearest", "-o", "rounded.onnx")
    told = absence("harden", "net.onnx", "--train", "train.npz", *words, expect=0)
    assert "an output changes by" in told
    for proof in ("hard.onnx.proof", "rounded.onnx.proof"):
        absence("check", proof, expect=0)


@pytest.mark.parametrize("left", [("hard.onnx",), ("hard.onnx", "hard.onnx.compression")], ids=["net", "nets"])
def test_a_run_that_was_ended_between_two_targets_is_told_and_mended(left):
    save("net.onnx")
    onnx.write("second.onnx", FloatNet([NET.layers[0], ([[3.0, 5.0, -2.0]], [0.125])], np.float32))
    options = ("--train", "train.npz", "-o", "hard.onnx", *(["--compress"] if len(left) > 1 else []))
    absence("harden", "net.onnx", *options, expect=0)
    for name in left:
        os.rename(name, f"old.{name}")
    absence("harden", "second.onnx", *options, "--force", expect=0)
    # Targets are replaced in their order, the net last.
    for name in left:
        os.rename(name, f"new.{name}")
        os.rename(f"old.{name}", name)
    for folder in Path().glob("hard.onnx.*/"):
        told = absence("check", folder, expect=1)
        assert told.startswith("REFUSED ") and "run it again with --force" in told and told.count("\n") == 1
    told = absence("harden", "second.onnx", *options, expect=2)
    assert "is not the net of hard.onnx.proof" in told and "replace both with --force" in told
    assert told.count("\n") == 1
    absence("harden", "second.onnx", *options, "--force", expect=0)
    for folder in Path().glob("hard.onnx.*/"):
        absence("check", folder, expect=0)


def test_an_input_or_a_net_of_others_under_a_second_name_keeps_its_bytes():
    save("net.onnx")
    onnx.write("other.onnx", FloatNet(NET.layers, np.float64))
    before = digests("net.onnx", "train.npz", "other.onnx")
    os.link("net.onnx", "hard.onnx")
    os.symlink("other.onnx", "soft.onnx")
    for out in ("hard.onnx", "soft.onnx"):
        absence("harden", "net.onnx", "--train", "train.npz", "-o", out, expect=2)
        absence("harden", "net.onnx", "--train", "train.npz", "-o", out, "--force", expect=0)
        absence("check", f"{out}.proof", expect=0)
    assert digests("net.onnx", "train.npz", "other.onnx") == before
