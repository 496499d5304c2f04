"""kill -9 at random moments, then the same command again: nothing may be lost, half-written or left lying.

Run by `make reliability`.

No finished file may ever be seen half-written; what was finished is not made again; the last run comes to what an
undisturbed run comes to, and leaves no file that the undisturbed one does not.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from proof_of_absence.models.files.whole import MARK

ROOT = Path(__file__).parents[2]
ABSENCE = str(Path(sys.executable).with_name("absence"))
# They differ from run to run.
TIMES = {"seconds", "digest"}


@dataclass(frozen=True)
class Scenario:
    """A command that is run in a folder, the folder where it leaves its work,
    and which files there are parts that it keeps: a pattern, or None if it keeps none.
    """

    name: str
    command: tuple[str, ...]
    work: str
    parts: str | None
    prepare: Callable[[Path], None] = lambda folder: None


def a_net_with_idle_units(folder: Path) -> None:
    """net.safetensors and train.npz: 400 units, 20 of them silent, on 20,000 rows."""
    from safetensors.numpy import save_file

    draw = np.random.default_rng(0)
    inputs = draw.standard_normal((20_000, 30)).astype(np.float32)
    layers = {
        "0.weight": draw.standard_normal((400, 30)),
        "0.bias": draw.standard_normal(400),
        "2.weight": draw.standard_normal((1, 400)) / 20,
        "2.bias": draw.standard_normal(1),
    }
    layers["0.bias"][:20] = -100
    save_file({name: array.astype(np.float32) for name, array in layers.items()}, folder / "net.safetensors")
    np.savez(folder / "train.npz", X=inputs, Y=inputs[:, :1])


SCENARIOS = [
    Scenario("verify", ("verify", "--no-kernel"), "certificates", "*.json"),
    # One claim and what it rests on: most kills fall into its few obligations.
    Scenario("claim", ("verify", "--no-kernel", "C8"), "certificates", "*.json"),
    Scenario(
        "audit",
        ("audit", "net.safetensors", "--train", "train.npz", "--activation", "relu"),
        "net.audit",
        "stages/*",
        a_net_with_idle_units,
    ),
    Scenario("census", ("census", "--shard", "500000"), "build/experiments/census", "shards/*"),
    Scenario("world", ("world", "--order", "0,12,4,8", "--units", "2"), "build/experiments/world", None),
    Scenario("lifetimes", ("lifetimes", "--steps", "20", "--seeds", "1"), "build/experiments/lifetimes", "runs/*/*"),
    Scenario("backdoors", ("backdoors", "--quick", "--steps", "20"), "build/experiments/backdoors", "runs/*/*"),
]


def timeless(node):
    """JSON without its times, and without the digest of what has them."""
    if isinstance(node, dict):
        return {key: timeless(value) for key, value in node.items() if key not in TIMES}
    return [timeless(value) for value in node] if isinstance(node, list) else node


def product(folder: Path) -> dict[str, object]:
    """Every file that a run leaves: JSON without times, pages that they are there, all others to the byte."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".json":
            content = timeless(json.loads(content))
        if path.name == MARK:
            # The digests of files that have times.
            content["files"] = sorted(content["files"])
        found[str(path.relative_to(folder))] = "a page" if path.suffix == ".html" else content
    return found


def start(scenario: Scenario, folder: Path) -> subprocess.Popen:
    """The command, in a session of its own."""
    return subprocess.Popen(
        [ABSENCE, *scenario.command],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def half_written(quiet: Path, killed: Path, process: int) -> None:
    """What a process leaves that is killed while it writes, which chance seldom hits:
    such a file for each that is not there yet.
    """
    for path in [path for path in quiet.rglob("*") if path.is_file()]:
        place = killed / path.relative_to(quiet)
        if not place.exists() and place.parent.is_dir():
            place.with_name(f".{place.name}.{process}.1.tmp").write_bytes(path.read_bytes()[:100])


class Watcher:
    """Reads every finished file of a folder as it appears; those that are not whole are `broken`."""

    def __init__(self, folder: Path):
        self.folder, self.broken = folder, []
        self._seen: set[tuple] = set()

    def look(self) -> None:
        """Read what is new."""
        for path in self.folder.rglob("*"):
            # Between listing and reading, a file may be replaced or deleted.
            with contextlib.suppress(FileNotFoundError):
                if path.name.endswith(".tmp") or not path.is_file():
                    continue
                mark = identity(path)
                if mark not in self._seen and not is_whole(path):
                    self.broken.append(path.name)
                self._seen.add(mark)


def identity(path: Path) -> tuple:
    """Changes whenever the file is written anew: every writing makes a new file."""
    status = path.stat()
    return str(path), status.st_ino, status.st_mtime_ns


def is_whole(path: Path) -> bool:
    """Whether a file ends as its kind must."""
    content = path.read_bytes()
    if path.suffix == ".json":
        try:
            json.loads(content)
        except ValueError:
            return False
    if path.suffix == ".npz":
        return zipfile.is_zipfile(path)
    end = {".svg": b"</svg>", ".html": b"</html>", ".pdf": b"%%EOF", ".smt2": b"(check-sat)"}.get(path.suffix, b"")
    return content.rstrip().endswith(end)


def trial(scenario: Scenario, kills: int, draw: random.Random) -> dict:
    """One undisturbed run, one that is killed again and again and then left alone; what differs between them."""
    with tempfile.TemporaryDirectory() as scratch:
        quiet, killed = Path(scratch) / "quiet", Path(scratch) / "killed"
        for folder in (quiet, killed):
            folder.mkdir()
            scenario.prepare(folder)
        started = time.monotonic()
        expected = start(scenario, quiet).wait()
        seconds = time.monotonic() - started
        work = killed / scenario.work
        watcher, hit, dead, strays, again = Watcher(work), 0, 0, 0, set()

        def finished() -> set[tuple]:
            parts = work.glob(scenario.parts) if scenario.parts else ()
            return {identity(path) for path in parts if path.suffix != ".tmp"}

        kept = finished()
        for last in [*[False] * kills, True]:
            if last and hit:
                half_written(quiet / scenario.work, work, dead)
            process = start(scenario, killed)
            end = time.monotonic() + draw.uniform(0, seconds / 2)
            while process.poll() is None and (last or time.monotonic() < end):
                watcher.look()
                time.sleep(0.02)
            if process.poll() is None:
                # Solvers and workers are processes of the same session.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                hit, dead = hit + 1, process.pid
            watcher.look()
            strays = max(strays, len(list(work.rglob("*.tmp"))))
            again |= kept - finished()
            kept = finished()
        left, right = product(quiet / scenario.work), product(work)
        differ = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
        # What was built beside its place is gone.
        differ += sorted(path.name for path in work.parent.glob(".*.spare"))
        return {
            "name": scenario.name,
            "command": " ".join(scenario.command),
            "seconds": round(seconds, 1),
            "killed": hit,
            "exit": [expected, process.returncode],
            "parts": len(kept),
            "most_strays_after_a_kill": strays,
            "made_again": sorted(Path(name).name for name, *_ in again),
            "broken": watcher.broken,
            "differ": differ,
            "ok": hit > 0
            and process.returncode == expected
            and (len(kept) > 0 or not scenario.parts)
            and not (again or watcher.broken or differ),
        }


def main() -> None:
    """Try every scenario; exit 1 if something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=[s.name for s in SCENARIOS])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=ROOT / "build/reliability/killed.json")
    options = parser.parse_args()
    results = []
    for scenario in SCENARIOS:
        if scenario.name in options.scenarios:
            results.append({"seed": options.seed} | trial(scenario, options.kills, random.Random(options.seed)))
            print(json.dumps(results[-1]), flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if all(result["ok"] for result in results) else 1)


if __name__ == "__main__":
    main()
