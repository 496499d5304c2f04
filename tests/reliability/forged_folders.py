"""Folders to forge: of an audit, of one with the cross-entropy, of a hardening that was then made smaller.

Each with what it states, told apart from how that is shown.
"""

import json
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx as onnx_library
import pytest
from typer.testing import CliRunner

from proof_of_absence.checker.cli import app
from proof_of_absence.checker.construct import pricing
from proof_of_absence.models.files import onnx
from proof_of_absence.models.floatnet import FloatNet

# Unit 1 is dead in training and fires beyond x_0 = 8; units 3 and 4 cancel; 5 is a constant.
NET = FloatNet(
    [
        (
            [[1.0, -1.0], [1.0, 0.0], [0.5, 0.5], [1.0, 1.0], [2.0, 2.0], [0.0, 0.0]],
            [0.0, -8.0, 0.25, 0.5, 1.0, 0.75],
        ),
        ([[1.0, 5.0, -2.0, 2.0, -1.0, 1.0], [-1.0, 2.0, 1.0, 1.0, -0.5, 0.0]], [0.125, 0.5]),
    ],
    np.float32,
)
INPUTS = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [0.5, 0.5], [-1.0, 3.0], [2.5, -2.0], [0.5, 0.5]])
TARGETS = np.array([[1.0, 0], [0.5, 1], [2.0, 2], [-1.0, 0], [0.25, 1], [3.0, 3], [0.0, 1]])
DEPLOY = np.array([[0.0, 1.0], [9.0, 0.0], [1.0, 0.5]])
BOX = "(declare-const X_0 Real)(declare-const X_1 Real)(declare-const Y_0 Real)" + "".join(
    f"(assert (<= X_{k} {high}))(assert (>= X_{k} 0))" for k, high in enumerate((9, 1))
)
# How a statement of a report is shown, and what is told of files: no fact, or another one, may show the same.
EVIDENCE = {
    "units": ("witness", "replacement"),
    "ranks": ("prime", "rows", "dependency"),
    "deployment": ("separation", "combination", "train_row", "cover"),
    "regions": ("witness", "seconds"),
}
# A wider bound states less; how the leverage is shown is in none of them.
PRICED = ("deployment", "training", "test")
UNSEEN = {"net": ("source", "sha256", "reading"), "data": ("source", "sha256", "loss_reason")}


@dataclass(frozen=True)
class Example:
    """A folder that is accepted, below `root`, where the files beside it lie too; `line` is what is said of it."""

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        """The folder that is checked."""
        return self.root / self.name

    @property
    def files(self) -> list[Path]:
        """Every file that plays a part, in order."""
        return sorted(path for path in self.root.rglob("*") if path.is_file())


def made(root: Path) -> list[Example]:
    """The examples, each in a folder of its own."""
    examples = []
    for name in ("squared", "classes", "hard"):
        here = root / name
        here.mkdir(parents=True)
        onnx.write(here / "net.onnx", NET)
        labels = TARGETS if name == "squared" else np.array([0, 1, 1, 0, 1, 0, 0])
        np.savez(here / "train.npz", X=INPUTS, Y=labels)
        np.savez(here / "deploy.npz", X=DEPLOY)
        np.savez(here / "test.npz", X=DEPLOY[::-1] / 4)
        (here / "box.vnnlib").write_text(BOX)
        words = [str(here / "net.onnx"), "--train", str(here / "train.npz"), "--deploy", str(here / "deploy.npz")]
        box = ["--region", str(here / "box.vnnlib")]
        if name == "hard":
            output = here / "hard.onnx"
            done = CliRunner().invoke(app, ["harden", *words, "-o", str(output), "--compress", *box])
            assert done.exit_code == 0, done.output
            shutil.copytree(here, root / "small")
            examples += [Example(here, "hard.onnx.proof"), Example(root / "small", "hard.onnx.compression")]
        else:
            test = ["--test", str(here / "test.npz"), "--region-from-data"]
            with pytest.MonkeyPatch.context() as patch:
                # One has exact prices, and the other bounds.
                patch.setattr(pricing, "moderate", lambda rows, width, exactly=name == "squared": exactly)
                done = CliRunner().invoke(app, ["audit", *words, *box, *test, "-o", str(here / "net.audit")])
            assert done.exit_code == 1, done.output
            (here / "net.audit" / "notes.txt").write_text("by hand\n")
            examples.append(Example(here, "net.audit"))
    return examples


def model(path: Path) -> list[tuple[str, bytes]]:
    """The weights in an ONNX file as the library reads them, and how its nodes hang together."""
    graph = onnx_library.load(path).graph
    # Adding 0 makes -0.0 the same as 0.0.
    tensors = {t.name: onnx_library.numpy_helper.to_array(t) + 0.0 for t in graph.initializer}
    return [
        (node.op_type, b"".join(tensors[name].tobytes() for name in node.input if name in tensors))
        for node in graph.node
    ]


def arrays(path: Path) -> dict[str, tuple]:
    """The arrays of an npz file."""
    with np.load(path) as found:
        return {key: (found[key].shape, (found[key] + 0.0).tobytes()) for key in found.files}


def stated(report: dict) -> dict:
    """What a report states, without how that is shown, times, and what is said of files."""
    report = json.loads(json.dumps(report)) | {"seconds": {}, "replacements": []}
    for part, keys in EVIDENCE.items():
        for entry in report[part]:
            for key in keys:
                entry[key] = None
    readout = report["readout"] or {}
    for part in PRICED:
        for entry in readout.get(part, ()):
            for key in ("leverage", "price"):
                entry[key] = entry[key] and dict(zip(("low", "high", "approximate"), [*entry[key], None], strict=True))
    readout |= dict.fromkeys(("columns", "directions"), None) if readout else {}
    for entry in (one for part in PRICED for one in readout.get(part, ()) if one["free"] is not None):
        entry["free"] = True
    for part, keys in UNSEEN.items():
        for key in keys:
            report[part][key] = None
    return report


def numbers_apart(report: dict) -> tuple[dict, list[tuple[Fraction, Fraction]]]:
    """The report without the bounds that enclose a number, and these."""
    found: list[tuple[Fraction, Fraction]] = []

    def without(node):
        if isinstance(node, dict) and set(node) == {"low", "high", "approximate"}:
            # What has no upper bound is below something larger than everything here.
            found.append((Fraction(node["low"]), Fraction(2**2000 if node["high"] is None else node["high"])))
            return None
        if isinstance(node, dict):
            return {key: without(value) for key, value in node.items()}
        return [without(value) for value in node] if isinstance(node, list) else node

    return without(report), found
