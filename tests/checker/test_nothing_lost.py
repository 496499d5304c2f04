"""Whatever fails, and wherever a command is killed: what lay there is there, or what is new is there, whole."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer

from proof_of_absence.checker import cli
from proof_of_absence.checker.audit.engine import examine
from proof_of_absence.checker.audit.folder import write_folder
from proof_of_absence.checker.audit.harden_command import harden_command
from proof_of_absence.checker.audit.objective import objective
from proof_of_absence.checker.experiments.scale import command
from proof_of_absence.checker.report.site import folder as pages_of
from proof_of_absence.checker.screen.terminal import console, errors
from proof_of_absence.models.files import onnx
from proof_of_absence.models.files.whole import MARK, mark_of
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.scaling import HOFFMANN, RESOLUTION
from tests.failing import failing, killed

NOTES = {"notes.txt": "mine", "stages/1.json": "kept"}
X, Y = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [1.5], [1.0]])
NET = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 5.0]], [0.0])], np.float32)


def audit(folder: Path) -> Callable[[Path, bool], object]:
    """An audit of one net, with the improved net beside the folder; the new one knows of deployment."""
    found = [
        examine(NET, X, objective(1, Y, None, None), deploy=rows, deadline=None, written=True)
        for rows in (None, X + 20)
    ]  # fmt: skip
    return lambda folder, new: write_folder(folder / "out", found[new], improved=folder / "better.onnx", force=True)


def harden(folder: Path) -> Callable[[Path, bool], object]:
    """Two nets, hardened and made smaller under one name."""
    data, nets = folder / "train.npz", [folder / "one.onnx", folder / "other.onnx"]
    np.savez(data, X=X)
    for path, weight in zip(nets, (1.0, 3.0), strict=True):
        layers = [([[1.0], [1.0], [2.0]], [0.0, -9.0, 0.0]), ([[weight, 5.0, 0.0]], [0.0])]
        onnx.write(path, FloatNet(layers, np.float32))
    return lambda folder, new: ended(harden_command, nets[new], data, folder / "out.onnx", compress=True, force=True)


def site(folder: Path) -> Callable[[Path, bool], object]:
    """A small site."""
    pages = [{"index.html": b"old", "a/b.css": b"old"}, {"index.html": b"new", "c.css": b"new"}]
    return lambda folder, new: pages_of.write(folder / "out", pages[new])


def scale(folder: Path) -> Callable[[Path, bool], object]:
    """Two results, which are computed before."""
    made = {k: command.experiment([HOFFMANN], 10**9, 10**10, k, RESOLUTION) for k in (10**5, 10**6)}
    command.experiment = lambda laws, parameters, tokens, detector, spread, watch: made[detector]
    command._picture = lambda *_: Plain()
    words = {"parameters": "1e9", "tokens": "1e10", "law": ["hoffmann"], "force": True}
    return lambda folder, new: ended(
        command.scale_command, detector="1e6" if new else "1e5", output=folder / "out", **words
    )


def tables(folder: Path) -> Callable[[Path, bool], object]:
    """The tables of no claims, with what experiments found."""
    cli.load_claims = tuple
    told = ["old", "new"]

    def write(folder: Path, new: bool) -> None:
        cli.results.latex = lambda *_, **__: told[new]
        ended(cli.tables_command, output=folder / "out", certificates=folder / "none", measured=folder / "no")

    return write


class Plain:
    """A plot that is not drawn, which would take most of the time."""

    def savefig(self, stream, **_):
        stream.write(b"a plot")


def ended(work: Callable[..., object], *words, **options) -> None:
    """Run a command; an exception if it does not end well, or as a command does that found something."""
    with console.capture(), errors.capture():
        try:
            work(*words, **options)
        except typer.Exit as end:
            if end.exit_code > 1:
                raise


# Each gives a function that writes its targets below a folder; and the targets, in their order.
SCENARIOS = {
    "audit": (audit, ("better.onnx", "out")),
    "harden": (harden, ("out.onnx.proof", "out.onnx.compression", "out.onnx")),
    "site": (site, ("out",)),
    "scale": (scale, ("out",)),
    "tables": (tables, ("out",)),
}


def state(folder: Path) -> dict[str, str]:
    """The digest of every file; pages vary from run to run, and so do the marks that give their digests."""
    found = {}
    for path in folder.rglob("*"):
        if not path.is_file() or ".spare" in str(path):
            continue
        found[str(path.relative_to(folder))] = "whole" if path.name == MARK and agrees(path) else digest(path)
    return {name: "a page" if name.endswith(".html") else told for name, told in found.items()}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def agrees(mark: Path) -> bool:
    """Whether the files are those that the mark tells of."""
    told = mark_of(mark.parent).files
    return bool(told) and all(digest(mark.parent / name) == sha256 for name, sha256 in told.items())


def tops(found: dict[str, str]) -> dict[str, dict[str, str]]:
    """What is found, by the target that it lies in."""
    targets: dict[str, dict[str, str]] = {}
    for name, digest in found.items():
        targets.setdefault(name.partition("/")[0], {})[name] = digest
    return targets


class Trial:
    """A scenario in a folder: what lies there before, what is to lie there, and what is there now."""

    def __init__(self, name: str, folder: Path):
        made, self.targets = SCENARIOS[name]
        (folder / "inputs").mkdir()
        self.below, self.write = folder / "work", made(folder / "inputs")
        self.first = folder / "first"
        self.write(self.first, False)
        if (self.first / "out").is_dir():
            for place, text in NOTES.items():
                (self.first / "out" / place).parent.mkdir(exist_ok=True)
                (self.first / "out" / place).write_text(text)
        self.prepare()
        self.old = state(self.below)
        self.write(self.below, True)
        self.new = state(self.below)
        assert self.old.keys() & self.new.keys() and self.old != self.new

    def prepare(self) -> None:
        """The old ones, and beside them what others wrote."""
        shutil.rmtree(self.below, ignore_errors=True)
        shutil.copytree(self.first, self.below)

    def work(self) -> None:
        """What fails, or is killed."""
        self.write(self.below, True)

    def which(self) -> str:
        """Old or new, if all of them are; mixed, if the first ones are new and the others old."""
        found = state(self.below)
        if found in (self.old, self.new):
            return "new" if found == self.new else "old"
        old, new, now = tops(self.old), tops(self.new), tops(found)
        assert now.keys() == set(self.targets)
        replaced = [now[name] == new[name] for name in self.targets]
        assert all(now[name] in (old[name], new[name]) for name in self.targets), now
        assert replaced == sorted(replaced, reverse=True), replaced
        return "mixed"

    def again(self) -> None:
        """Nothing is in the way of the next run."""
        self.work()
        assert state(self.below) == self.new
        assert {path.name for path in self.below.iterdir()} == set(tops(self.new))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_failure_leaves_the_old(name, tmp_path, monkeypatch):
    for module, changed in ((command, ("experiment", "_picture")), (cli, ("load_claims",)), (cli.results, ("latex",))):
        for attribute in changed:
            # Taken back at the end.
            monkeypatch.setattr(module, attribute, getattr(module, attribute))
    trial, seen = Trial(name, tmp_path), set()
    for raised in failing(trial.work, tmp_path, trial.prepare):
        assert trial.which() == ("old" if raised else "new"), raised
        seen.add(trial.which())
    trial.again()
    assert "old" in seen


def scenario(name: str) -> Callable[[Path], tuple]:
    """For `tests.failing.killed`."""

    def made(folder: Path) -> tuple:
        trial, seen = Trial(name, folder), set()

        def check(ended: bool) -> None:
            seen.add(trial.which())
            assert trial.which() == "new" or not ended
            assert {"old", "new"} <= seen or not ended

        return trial.prepare, trial.work, check

    return made


globals().update({f"killed_{name}": scenario(name) for name in SCENARIOS})


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_every_change(name, tmp_path):
    killed(f"tests.checker.test_nothing_lost:killed_{name}", tmp_path)
