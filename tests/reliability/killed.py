"""kill -9 at random moments, then the same command again: nothing may be lost, half-written or left lying. Run by `make reliability`.

After each kill every finished file must be whole; the last run must come to what an undisturbed run comes to.
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
ABSENCE = str(Path(sys.executable).with_name("absence"))
# They differ from run to run.
TIMES = {"seconds", "digest"}


@dataclass(frozen=True)
class Scenario:
    """A command that is run in a folder, and the folder where it leaves its work."""

    name: str
    command: tuple[str, ...]
    work: str
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
    Scenario("verify", ("verify", "--no-kernel"), "certificates"),
    Scenario("audit", ("audit", "net.safetensors", "--train", "train.npz"), "net.audit", a_net_with_idle_units),
    Scenario("census", ("census",), "build/experiments/census"),
]


def timeless(node):
    """JSON without its times."""
    if isinstance(node, dict):
        return {key: timeless(value) for key, value in node.items() if key not in TIMES}
    return [timeless(value) for value in node] if isinstance(node, list) else node


def product(folder: Path) -> dict[str, object]:
    """Every file that a run leaves: JSON without times, scripts as they are, of the others that they are there."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = path.read_text(encoding="utf-8") if path.suffix in (".json", ".smt2") else ""
        found[str(path.relative_to(folder))] = timeless(json.loads(text)) if path.suffix == ".json" else text
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


def whole(folder: Path) -> list[str]:
    """The JSON files that are not JSON, temporary ones aside."""
    broken = []
    for path in folder.rglob("*.json"):
        if not path.name.startswith("."):
            try:
                json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                broken.append(path.name)
    return broken


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
        broken, hit = [], 0
        for _ in range(kills):
            process = start(scenario, killed)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=draw.uniform(0, seconds / 2))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                hit += 1
            broken += whole(killed / scenario.work)
        code = start(scenario, killed).wait()
        left, right = product(quiet / scenario.work), product(killed / scenario.work)
        differ = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
        return {
            "name": scenario.name,
            "seconds": round(seconds, 1),
            "killed": hit,
            "exit": [expected, code],
            "broken": broken,
            "differ": differ,
            "ok": hit > 0 and code == expected and not broken and not differ,
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
            results.append(trial(scenario, options.kills, random.Random(options.seed)))
            print(json.dumps(results[-1]), flush=True)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if all(result["ok"] for result in results) else 1)


if __name__ == "__main__":
    main()
