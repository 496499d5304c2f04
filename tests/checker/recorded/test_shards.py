"""Passes that are kept and spread: killed runs go on, lost workers lose nothing, and the facts are the same."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from proof_of_absence.checker.independent.results.recorded import check_recorded
from proof_of_absence.checker.recorded import prices, shards
from proof_of_absence.checker.recorded.engine import Asked, examine
from proof_of_absence.checker.recorded.folder import write_folder
from proof_of_absence.checker.recorded.shards import Passes
from proof_of_absence.checker.recorded.state import State
from proof_of_absence.models.files import InputError
from proof_of_absence.models.files.recording import read_recording

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path):
    """Twelve shards; a column is dead but in the last, one is twice another, and rows repeat."""
    rng = np.random.default_rng(0)
    (tmp_path / "acts").mkdir()
    for k in range(12):
        rows = rng.integers(-3, 4, (20, 6)).astype(np.float32)
        rows[:, 1] = 0 if k < 11 else rows[:, 1]
        rows[:, 3], rows[:, 4] = 2 * rows[:, 0], 7
        np.savez(tmp_path / "acts" / f"{k:02}.npz", X=rows, **({"deploy": rows * 2} if k == 0 else {}))
    return tmp_path


def facts(audit):
    """Of every layer; rows that span may be others, and bounds are not compared."""
    found = [layer["facts"][:3] for layer in audit.certificate["layers"]]
    return [[{key: x for key, x in fact.items() if (fact["kind"], key) != ("recorded-rank", "rows")} for fact in layer]
            for layer in found]  # fmt: skip


def test_a_pass_that_was_kept_goes_on(folder, monkeypatch):
    monkeypatch.setattr(shards, "EVERY", 0.0)
    recording = read_recording(folder / "acts")
    whole = examine([recording])
    assert [one.column for one in whole.layers[0].constant] == [4] and len(whole.layers[0].joint) == 1
    seen = []
    see = State.see

    def counting(self, k, *rest):
        if len(seen) == 5:
            raise KeyboardInterrupt
        seen.append(k)
        see(self, k, *rest)

    monkeypatch.setattr(State, "see", counting)
    with pytest.raises(KeyboardInterrupt):
        examine([recording], Asked(passes=Passes(folder / "state")))
    seen.clear()
    monkeypatch.setattr(State, "see", lambda self, k, *rest: (seen.append(k), see(self, k, *rest)))
    passes = Passes(folder / "state")
    assert facts(examine([recording], Asked(passes=passes))) == facts(whole)
    assert (passes.went_on, seen) == (100, list(range(5, 12)))
    passes.forget()
    assert not (folder / "state").exists()


@pytest.mark.parametrize("how", ["other files", "cut", "empty"])
def test_what_was_kept_of_other_files_or_is_damaged_is_not_taken(folder, monkeypatch, how):
    monkeypatch.setattr(shards, "EVERY", 0.0)
    recording = read_recording(folder / "acts")
    Passes(folder / "state").gather(recording, "one", lambda rows: None)
    (path,) = (folder / "state").glob("*.npz")
    if how != "other files":
        path.write_bytes(path.read_bytes()[:-9] if how == "cut" else b"")
    again = Passes(folder / "state")
    state = again.gather(recording, "another" if how == "other files" else "one", lambda rows: None)
    assert (state.gram.rows, again.went_on) == (240, 0)


SLOW = """
import sys, time
from proof_of_absence.checker import cli
from proof_of_absence.checker.recorded import prices, shards
from proof_of_absence.checker.recorded.state import State
shards.EVERY = 0.0
see = State.see
def slowly(*arguments):
    time.sleep(0.2)
    see(*arguments)
State.see = slowly
sys.argv = ["absence", *sys.argv[1:]]
cli.main()
"""


def test_the_command_goes_on_after_kill_9(folder):
    words = ["audit", "--activations", str(folder / "acts"), "-o", str(folder / "out")]
    running = subprocess.Popen([sys.executable, "-c", SLOW, *words], cwd=ROOT, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not list(folder.glob("out/state/*.npz")) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.3)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (folder / "out/recorded.json").exists()
    code = "import sys; from proof_of_absence.checker import cli; sys.argv[0] = 'absence'; cli.main()"
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "Taken from an earlier run: " in done.stdout, done.stdout + done.stderr
    assert sorted(os.listdir(folder / "out")) == [".absence.json", "recorded.json", "report.html"]
    check_recorded(folder / "out" / "recorded.json")


@pytest.mark.parametrize("exactly", [True, False])
def test_workers_come_to_the_same_though_one_is_killed_in_each_pass(folder, monkeypatch, exactly):
    monkeypatch.setattr(prices, "moderate", lambda rows, width: exactly)
    pytest.importorskip("distributed")
    from proof_of_absence.checker.screen.cluster import cluster

    rng = np.random.default_rng(1)
    for k in range(3):
        rows = rng.integers(-3, 4, (30, 6)).astype(np.float32)
        np.savez(folder / f"test{k}.npz", X=rows)
    (folder / "test").mkdir()
    for k in range(3):
        (folder / f"test{k}.npz").rename(folder / "test" / f"{k}.npz")
    recording = read_recording(folder / "acts", test=folder / "test")
    killed, seen = [], []
    with cluster(workers=2) as client:

        def told(rows):
            seen.append(rows)
            # One in the pass over training, and one in that over test rows.
            if len(killed) < (1 if sum(seen) <= 240 else 2):
                workers = client.run(os.getpid, on_error="ignore")
                killed.append(next(iter(workers.values())))
                os.kill(killed[-1], signal.SIGKILL)

        found = examine([recording], Asked(passes=Passes(client=client), told=told))
    here = examine([recording])
    assert len(killed) == 2 and sum(seen) == 240 + 20 + 90 and facts(found) == facts(here)
    assert found.layers[0].priced.exact == exactly
    for part, array in here.prices["acts"].items():
        np.testing.assert_allclose(found.prices["acts"][part], array, rtol=1e-6)
    write_folder(folder / "out", found, "acts")
    check_recorded(folder / "out" / "recorded.json")


def test_what_a_worker_refuses_is_told_here(folder):
    pytest.importorskip("distributed")
    from proof_of_absence.checker.screen.cluster import cluster

    rows = np.full((3, 6), np.nan, np.float32)
    np.savez(folder / "acts" / "05.npz", X=rows)
    with cluster(workers=1) as client, pytest.raises(InputError, match=r"05.npz: X holds NaN or infinity"):
        examine([read_recording(folder / "acts")], Asked(passes=Passes(client=client)))
