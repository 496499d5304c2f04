"""Folders of graphs to forge: audits and hardenings of small convolutional nets, from ONNX files and from Python.

Each with what it states, told apart from how that is shown.
"""

import json
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from proof_of_absence import audit, harden
from proof_of_absence.checker.cli import app
from proof_of_absence.checker.graph import readout
from tests.reliability.forged_folders import Example, arrays, model

# Channel 1 is dead in training and fires above 9; channel 2 is a constant that the convolution after it may fold.
WEIGHTS = {
    "w": np.array([[[[1, -1]]], [[[1, 0]]], [[[0, 0]]]], np.float32),
    "b": np.array([0.5, -9, 0.75], np.float32),
    "v": np.array([[[[1.0]], [[2.0]], [[-1.0]]], [[[-0.5]], [[1.0]], [[0.5]]]], np.float32),
    "d": np.array([0.25, 1], np.float32),
    "u": np.arange(-4, 4, dtype=np.float32).reshape(2, 4) / 4,
    "c": np.array([0.25, 0], np.float32),
}
HIDDEN = {
    "h": np.array([[1, 0, 1, 1], [2, 0, 2, 2], [1, -1, 0, 0], [0, 1, 1, 0]], np.float32),
    "hb": np.array([0.5, 1, -12, 0.25], np.float32),
    "o": np.array([[2, -1, 1, 1], [-2, 1, 0, 3]], np.float32),
}
BOX = "".join(f"(declare-const X_{k} Real)" for k in range(5)) + "(declare-const Y_0 Real)(declare-const Y_1 Real)"
BOX += "".join(f"(assert (<= X_{k} 10))(assert (>= X_{k} 0))" for k in range(5))

# What need not be said.
OPTIONAL = ("graph-readout", "graph-together")
SAME = "graph-same-in-float32"
# Arrays of data that have no file, and no digest in a report.
UNSEEN = {"the file of the deployment inputs": "deploy", "the file of its data": "train"}
# Entries of the first activation, and those of channel 2: it reads nothing, so it is still in every box.
IDLE, CONSTANT = range(4, 12), range(8, 12)


def network(*, hidden: bool = False) -> ModelProto:
    """Two convolutions, a pool and a dense layer, over five numbers.

    With `hidden` there is one more layer, whose units 0 and 1 are one, and 2 is dead; in the box it comes to 0.
    """
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], kernel_shape=[1, 2]),
        helper.make_node("Relu", ["conv"], ["relu"], name="relu"),
        helper.make_node("Conv", ["relu", "v", "d"], ["mixed"], kernel_shape=[1, 1]),
        helper.make_node("Relu", ["mixed"], ["second"], name="second"),
        helper.make_node("MaxPool", ["second"], ["pool"], kernel_shape=[1, 2], strides=[1, 2]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "u", "c"], ["y"], transB=1),
    ]
    if hidden:
        nodes[-1:] = [
            helper.make_node("Gemm", ["flat", "h", "hb"], ["before"], transB=1),
            helper.make_node("Relu", ["before"], ["last"], name="last"),
            helper.make_node("Gemm", ["last", "o", "c"], ["y"], transB=1),
        ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ["n", 1, 1, 5]), ("y", ["n", 2]))
    ]
    tensors = [numpy_helper.from_array(array, name) for name, array in (WEIGHTS | (HIDDEN if hidden else {})).items()]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def made(root: Path) -> list[Example]:
    """The examples, each in a folder of its own."""
    rng, examples = np.random.default_rng(1), []
    rows = rng.integers(0, 9, (12, 1, 1, 5)).astype(np.float32)
    deploy = np.array([[0, 0, 0, 0, 0], [0, 12, 0, 0, 0], [9, 9, 9, 9, 20]], np.float32)
    for name in ("squared", "classes", "hard", "together"):
        here = root / name
        here.mkdir(parents=True)
        (here / "net.onnx").write_bytes(network(hidden=name == "together").SerializeToString())
        labels = rng.integers(0, 2, 12) if name == "classes" else rng.integers(0, 4, (12, 2)) / 2
        np.savez(here / "train.npz", X=rows, Y=labels)
        np.savez(here / "deploy.npz", X=deploy)
        (here / "box.vnnlib").write_text(BOX)
        words = [str(here / "net.onnx"), "--train", str(here / "train.npz"), "--deploy", str(here / "deploy.npz")]
        if name == "hard":
            done = CliRunner().invoke(app, ["harden", *words, "-o", str(here / "hard.onnx")])
            examples.append(Example(here, "hard.onnx.proof"))
        else:
            boxes = ["--region", str(here / "box.vnnlib"), "--region-from-data"]
            with pytest.MonkeyPatch.context() as patch:
                if name == "together":
                    # Prices in bounds, which a factor shows.
                    patch.setattr(readout, "SMALL", 0)
                done = CliRunner().invoke(app, ["audit", *words, *boxes, "-o", str(here / "net.audit")])
            examples.append(Example(here, "net.audit"))
            (here / "net.audit" / "notes.txt").write_text("by hand\n")
        assert done.exit_code in (0, 1), done.output
    return [*examples, *_in_python(root / "python", rows, deploy)]


def _in_python(here: Path, rows: np.ndarray, deploy: np.ndarray) -> list[Example]:
    """A residual module with a batch normalisation, given in Python: its audit, and its hardening."""
    torch.manual_seed(0)
    stem, norm = torch.nn.Conv2d(1, 3, (1, 2)), torch.nn.BatchNorm2d(3)
    module = Residual(stem, norm, torch.nn.Conv2d(3, 3, 1), torch.nn.Linear(12, 2)).eval()
    with torch.no_grad():
        norm.running_var[:] = torch.tensor([1.5, 2.5, 3.5])
        norm.bias[1] = -50
    found = []
    for name in ("audit", "hardened"):
        (here / name).mkdir(parents=True)
        folder = here / name / f"net.{name}"
        if name == "audit":
            audit(module, rows, rows.sum((1, 2, 3)).astype(int) % 2, deploy=9 * deploy, output=folder)
        else:
            harden(module, rows, deploy=9 * deploy, output=folder)
        found.append(Example(here / name, folder.name))
    return found


class Residual(torch.nn.Module):
    """A convolution with a batch normalisation, a second one around it, and a dense layer."""

    def __init__(self, stem: torch.nn.Module, norm: torch.nn.Module, inner: torch.nn.Module, last: torch.nn.Module):
        super().__init__()
        self.stem, self.norm, self.inner, self.last = stem, norm, inner, last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The outputs."""
        h = torch.relu(self.norm(self.stem(x)))
        return self.last(torch.relu(h + self.inner(h)).flatten(1))


def differs(old: dict[str, Any], new: dict[str, Any], told: str) -> str:
    """What two folders, as `stated` has them, state differently beyond what `told` names as not looked at; or ""."""
    one, other = dict(old), dict(new)
    if "which is not here" in told or "the file of" in told:
        one, other = (_without_files(found) for found in (one, other))
    unseen = {array for words, array in UNSEEN.items() if words in told}
    one, other = ({**found, "data.npz": _rest(found["data.npz"], unseen)} for found in (one, other))
    wide, wider, boxes, others = one.pop("bounds"), other.pop("bounds"), one.pop("boxes"), other.pop("boxes")
    # Of what is said of prices and of sets all may be left out, and more of the same is shown.
    less = {part for part in OPTIONAL if part not in other}
    one = {part: value for part, value in one.items() if part not in less}
    wide = {part: ends for part, ends in wide.items() if part.split(",")[0] not in less}
    # That float32 outputs are the same may be left out.
    if one.pop("same in float32", False) < other.pop("same in float32", False):
        return "that float32 outputs are the same"
    if "why float32 evaluations are not bounded" in told:
        wide = {part: ends for part, ends in wide.items() if "float32" not in part}
    for part in one.keys() | other.keys():
        if one.get(part) != other.get(part):
            return part
    if wide.keys() != wider.keys():
        return "bounds"
    # Both were shown to enclose one number.
    for part, (low, high) in wide.items():
        if not max(low, wider[part][0]) <= min(high, wider[part][1]):
            return part
    # A box of which less is said, or that is told of twice or not at all, states no more.
    if not all(any(_says_no_more(box, known) for known in boxes) for box in others):
        return "boxes"
    return ""


def _rest(data: dict[str, Any], unseen: set[str]) -> dict[str, Any]:
    return {name: array for name, array in data.items() if name not in unseen}


def _says_no_more(box: dict[str, Any], known: dict[str, Any]) -> bool:
    still = {*known["still"], *CONSTANT}
    return bool(box["node"] == known["node"] and {*box["still"]} <= still and {*box["acts"]} <= {*known["acts"]})


def stated(folder: Path) -> dict[str, Any]:
    """What a folder states, without how that is shown, and without what the line names as not looked at."""
    found: dict[str, Any] = {}
    certificate = json.loads((folder / "certificate.json").read_text())
    found["bounds"], found["boxes"] = {}, []
    found |= _of_the_end(certificate["facts"], found["bounds"])
    found["same in float32"] = any(fact["kind"] == SAME for fact in certificate["facts"])
    apart = ("graph-irrelevant", SAME, *OPTIONAL)
    for fact in (fact for fact in certificate["facts"] if fact["kind"] not in apart):
        key = f"{fact['kind']} {fact.get('node')}"
        for name in ("loss", "noise_floor"):
            if name in fact:
                found["bounds"][f"{fact['kind']}, {name}"] = tuple(map(Fraction, fact[name]))
        for name in ("bound", "deviation"):
            if name in fact:
                found["bounds"][f"{fact['kind']}, {name}"] = (Fraction(0), _hexadecimal(fact[name]))
        gone = ("witness", "loss", "noise_floor", "bound", "deviation")
        # That no unit of a node fires is said of one without idle units by nothing too.
        silent = fact["kind"] == "graph-firing" and not fact["fires"]
        if fact["kind"] != "graph-float32" and not silent:
            found[key] = {name: value for name, value in fact.items() if name not in gone}
    # Whether a box is that of its file is not looked at, and so not where it ends.
    for fact in (fact for fact in certificate["facts"] if fact["kind"] == "graph-irrelevant"):
        found["boxes"].append(
            {"node": fact["node"], "still": fact["still"], "acts": [entry for entry, _ in fact["acts"]]}
        )
    about = certificate["about"]
    found["about"] = {name: value for name, value in about.items() if name not in ("undecided", "not_asked")}
    # The factor is how prices are shown.
    for path in sorted(set(folder.glob("*.npz")) - {folder / "factor.npz"}):
        found[path.name] = arrays(path)
    for name in ("graph.json", "before.json"):
        if (folder / name).is_file():
            found[name] = json.loads((folder / name).read_text())
    if (folder / "report.json").is_file():
        report = json.loads((folder / "report.json").read_text())
        found["report"] = _report(report)
        found["report of boxes"] = [_box(box) for box in report["boxes"]] == [_box(box) for box in found["boxes"]]
    if (folder / "hardening.json").is_file():
        found["list"] = _list(json.loads((folder / "hardening.json").read_text()))
    if (folder / "improved.onnx").is_file():
        found["the improved net"] = model(folder / "improved.onnx")
    output = folder.with_name(folder.name.removesuffix(".proof"))
    if output != folder and output.is_file():
        found["the new net"] = model(output)
    # True is no 1, and 1.0 is none.
    own = {"the new net", "the improved net", "same in float32", "bounds", "boxes"}
    return {
        name: value if name.endswith(".npz") or name in own else json.dumps(value, sort_keys=True)
        for name, value in found.items()
    }


def _of_the_end(facts: list[dict[str, Any]], bounds: dict[str, Any]) -> dict[str, Any]:
    """What is said of prices and of sets that are idle together; where the numbers lie goes to the bounds."""
    found: dict[str, Any] = {}
    for fact in (fact for fact in facts if fact["kind"] == "graph-together"):
        found[fact["kind"]] = [fact["node"], [[one["features"], one["fires"]] for one in fact["sets"]]]
    for fact in (fact for fact in facts if fact["kind"] == "graph-readout"):
        free = {part: {entry["row"]: entry.get("free") for entry in rows} for part, rows in fact["rows"].items()}
        terms = [{j: _hexadecimal(x) for j, x in one} for one in fact["directions"]]
        # A multiple of a relation is the same.
        relations = [sorted((j, str(x / one[max(one)])) for j, x in one.items()) for one in terms]
        found[fact["kind"]] = [fact[name] for name in ("layer", "penalty", "move", "columns")] + [free, relations]
        for part, rows in fact["rows"].items():
            for entry, name in ((entry, name) for entry in rows for name in ("leverage", "price") if name in entry):
                low, high = entry[name]
                ends = _hexadecimal(low), inf if high is None else _hexadecimal(high)
                bounds[f"graph-readout, {part} {entry['row']} {name}"] = ends
    return found


def _report(report: dict[str, Any]) -> dict[str, Any]:
    """A report without times, bounds, boxes, and lines about what is open."""
    headline = report["headline"] if not report["undecided"] else None
    findings = [line for line in report["findings"] if " act in " not in line and "only together" not in line]
    # Prices and sets are those of the facts, which the checker compares.
    end = report["end"] and report["end"] | {"readout": None, "together": None}
    gone = dict.fromkeys(("seconds", "undecided", "not_asked", "boxes", "float32_deviation"))
    data = report["data"] | {"loss": None, "noise_floor": None}
    return report | gone | {"headline": headline, "data": data, "findings": findings, "end": end}


def _box(box: dict[str, Any]) -> list[Any]:
    """What is said of a box, in a report or a certificate."""
    still, acts = sorted(box["still"]), sorted(map(int, box["acts"]))
    left = [entry for entry in IDLE if entry not in (*still, *acts)]
    return [box["node"], still, acts, box.get("undecided", left)]


def _list(listed: dict[str, Any]) -> dict[str, Any]:
    """A list of what was taken out without where that fired, why the rest is left, and what float32 gives."""
    return listed | {
        "removed": [one | {"fired": None} for one in listed["removed"]],
        "left": [one | {"reason": None} for one in listed["left"]],
        "same_in_float32": None,
    }


def _without_files(found: dict[str, Any]) -> dict[str, Any]:
    """Without what is said of files, some of which are not here."""
    found = dict(found)
    for part in ("about", "report", "list"):
        if part in found:
            whole = json.loads(found[part])
            for name in ("net", "data"):
                if isinstance(whole.get(name), dict):
                    whole[name] |= dict.fromkeys(("source", "sha256", "reading", "loss_reason"))
            found[part] = json.dumps(whole | {"files": None, "deploy": None}, sort_keys=True)
    return found


def _hexadecimal(text: str) -> Fraction:
    top, _, bottom = text.partition("/")
    return Fraction(int(top, 16), int(bottom or "1", 16))
