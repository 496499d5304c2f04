"""Whatever fails, and wherever a command is killed: what lay there is there, or what is new is there, whole."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from proof_of_absence.checker.kernel.kept import kept
from proof_of_absence.models.files.disk import is_stray
from proof_of_absence.models.files.whole import MARK, mark_of
from tests.checker.replacing import NOTES, PATCHED, SCENARIOS
from tests.failing import failing, killed

# Where parts of an experiment lie, which are written one by one.
KEPT = {"shards", "runs", "stages"}


def state(folder: Path) -> dict[str, str]:
    """The digest of every file; pages vary from run to run, and so do the marks that give their digests.

    Parts that are kept between runs may be there or not, but whole.
    """
    found = {}
    for path in folder.rglob("*"):
        if not path.is_file() or ".spare" in str(path) or is_stray(path):
            continue
        if KEPT & set(path.parts) and str(path.relative_to(folder / "out")) not in NOTES:
            assert kept(path, json.loads(path.read_text())["key"])
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
    for module, changed in PATCHED:
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


globals().update({f"killed_{name}".replace(" ", "_"): scenario(name) for name in SCENARIOS})


@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_every_change(name, tmp_path):
    killed(f"tests.checker.test_nothing_lost:killed_{name}".replace(" ", "_"), tmp_path)
