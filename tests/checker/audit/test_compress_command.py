"""`absence harden --compress` end to end: each file format, what frameworks compute from the new file, bad input."""

import io
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.numpy import load, save
from typer.testing import CliRunner

from proof_of_absence.checker.cli import app
from proof_of_absence.models.files import onnx, read_net
from proof_of_absence.models.floatnet import FloatNet

FORMATS = (".onnx", ".safetensors", ".pt")
# On 0 <= x <= 1: unit 0 and 2 are active and alike, 1 is off, 3 is idle on the training inputs, 4 changes sign.
NET = FloatNet(
    [
        ([[1.0], [-1.0], [2.0], [1.0], [2.0]], [1.0, -1.0, 4.0, -0.875, -1.0]),
        ([[1.0, 5.0, 3.0, 7.0, 1.0], [1.0, 1.0, 0.5, 8.0, -2.0]], [0.0, 1.0]),
    ],
    np.float32,
)
BOX = "(declare-const X_0 Real)(assert (<= X_0 1))(assert (>= X_0 0))"


def absence(*arguments, expect=0) -> str:
    """Run the command in this process and folder; its standard output, then its standard error."""
    done = CliRunner().invoke(app, [str(word) for word in arguments], env={"COLUMNS": "200"})
    assert done.exit_code == expect, done.output
    return done.stdout + done.stderr


def state() -> dict[str, np.ndarray]:
    return {
        f"{2 * k}.{name}": array.astype(np.float32)
        for k, layer in enumerate(NET.layers)
        for name, array in zip(("weight", "bias"), layer, strict=True)
    }


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder with the net in each format, data and a box."""
    monkeypatch.chdir(tmp_path)
    onnx.write("net.onnx", NET)
    Path("net.safetensors").write_bytes(save(state()))
    torch.save({name: torch.from_numpy(array) for name, array in state().items()}, "net.pt")
    np.savez("train.npz", X=np.array([[0.0], [0.25], [0.5], [0.75]]))
    np.savez("deploy.npz", X=np.array([[0.5], [1.0]]))
    Path("box.vnnlib").write_text(BOX)
    return tmp_path


def outputs(path: Path, inputs: np.ndarray) -> np.ndarray:
    """What onnxruntime or torch computes from the file."""
    if path.suffix == ".onnx":
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return session.run(None, {session.get_inputs()[0].name: inputs})[0]
    data = path.read_bytes()
    found = torch.load(io.BytesIO(data), weights_only=True) if path.suffix == ".pt" else load(data)
    shapes = [np.shape(found[f"{2 * k}.weight"]) for k in range(2)]
    linear = [torch.nn.Linear(fan_in, fan_out) for fan_out, fan_in in shapes]
    module = torch.nn.Sequential(linear[0], torch.nn.ReLU(), linear[1])
    module.load_state_dict({name: torch.as_tensor(np.asarray(array)) for name, array in found.items()})
    return module(torch.from_numpy(inputs)).detach().numpy()


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_net_is_hardened_and_smaller_in_every_format(here, suffix):
    out = absence(
        "harden", f"net{suffix}", "--activation", "relu", "--train", "train.npz", "--deploy", "deploy.npz",
        "-o", f"new{suffix}",
        "--compress", "--region", "box.vnnlib",
    )  # fmt: skip
    assert "1 x 5 x 2 became 1 x 2 x 2" in out and "in box.vnnlib" in out
    net = read_net(f"new{suffix}", activation="relu")
    assert net.widths == (1, 2, 2) and net.dtype == np.float32
    assert "3 units removed" in absence("check", f"new{suffix}.compression")
    absence("check", f"new{suffix}.proof")
    # Between the training inputs and the edge the idle unit fires; elsewhere in the box nothing has changed.
    inputs = np.linspace(0, 0.875, 8, dtype=np.float32)[:, None]
    assert (outputs(here / f"new{suffix}", inputs) == outputs(here / f"net{suffix}", inputs)).all()


def test_without_a_region_only_what_was_cut_is_deleted(here):
    out = absence("harden", "net.onnx", "--train", "train.npz", "-o", "new.onnx", "--compress")
    assert "those of the hardened net at every input" in out and read_net("new.onnx").widths == (1, 3, 2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--region", "box.vnnlib"], "--region goes with --compress"),
        (["--compress", "--region", "wide.vnnlib"], "is a box of 2 inputs, the net reads 1"),
        (["--compress", "--region", "none.vnnlib"], "there is no such file"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(here, words, told):
    wide = BOX + "(declare-const X_1 Real)(assert (<= X_1 1))(assert (>= X_1 0))"
    Path("wide.vnnlib").write_text(wide)
    before = sorted(here.iterdir())
    out = absence("harden", "net.onnx", "--train", "train.npz", "-o", "new.onnx", *words, expect=2)
    assert told in out and out.count("\n") == 1 and sorted(here.iterdir()) == before


def test_a_folder_that_lies_there_is_not_replaced(here):
    (here / "new.onnx.compression").mkdir()
    out = absence("harden", "net.onnx", "--train", "train.npz", "-o", "new.onnx", "--compress", expect=2)
    assert "new.onnx.compression" in out and not (here / "new.onnx").exists()


def test_training_inputs_outside_the_box_are_counted(here):
    np.savez("train.npz", X=np.array([[-1.0], [0.0], [0.25], [0.5], [0.75], [2.0]]) / 2)
    Path("box.vnnlib").write_text(BOX.replace("1))", "0.375))", 1))
    words = ("--compress", "--region", "box.vnnlib")
    out = absence("harden", "net.onnx", "--train", "train.npz", "-o", "new.onnx", *words)
    assert "2 training inputs outside the box: there an output may differ." in out


def test_a_proof_of_an_earlier_net_does_not_stay_beside_a_new_one(here):
    words = ("harden", "net.onnx", "--train", "train.npz", "-o", "out.onnx")
    absence(*words, "--compress")
    told = absence(*words, "--force", expect=2)
    assert "out.onnx.compression: is of an earlier net; move it" in told and told.count("\n") == 1
    absence(*words, "--compress", "--force")
