"""Random edits of what census, lifetimes and backdoors keep, sealed again; the next run must come to what is so, or
make it anew.

`make reliability` runs thousands. World and scale keep nothing.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from proof_of_absence.checker.experiments.backdoors.digits import digits  # noqa: E402
from proof_of_absence.checker.experiments.backdoors.experiment import shown as cell_shown  # noqa: E402
from proof_of_absence.checker.experiments.backdoors.measure import measure  # noqa: E402
from proof_of_absence.checker.experiments.backdoors.plan import Plan as Grid  # noqa: E402
from proof_of_absence.checker.experiments.backdoors.plan import cells, triggers  # noqa: E402
from proof_of_absence.checker.experiments.census.default import world_problem  # noqa: E402
from proof_of_absence.checker.experiments.census.shards import take  # noqa: E402
from proof_of_absence.checker.experiments.lifetimes.experiment import FOUND, OF, setting, shown  # noqa: E402
from proof_of_absence.checker.experiments.lifetimes.plan import DETECTORS, OPTIMIZERS, Plan, Run  # noqa: E402
from proof_of_absence.checker.independent.results.lifetimes import Experiment  # noqa: E402
from proof_of_absence.checker.kernel.certificate import seal  # noqa: E402
from proof_of_absence.models.policies import WORLD  # noqa: E402
from tests.reliability.forging import bytes_changed, entry_changed  # noqa: E402

PLAN = Plan(steps=12, seeds=1, every=6)
GRID = Grid(steps=12, seeds=1, quick=True)


class Shards:
    """A small census, of which four shards are kept."""

    def __init__(self, folder: Path):
        self.folder, self.problem = folder, world_problem(grid=[0, 1], units=1)
        self.size = self.problem.family.size // 4
        self.whole = take(self.problem, folder, shard=self.size)
        self.parts = {path: path.read_bytes() for path in sorted(folder.iterdir())}

    def case(self, draw: random.Random) -> str:
        """Edit a shard, or exchange two, and go on; what came of it."""
        path, other = draw.sample(sorted(self.parts), 2)
        sort = draw.randrange(8)
        if sort == 0:
            path.write_bytes(bytes_changed(self.parts[path], draw))
        elif sort == 1:
            path.write_bytes(self.parts[other])
        else:
            told = json.loads(self.parts[path])
            found = entry_changed({"counts": told["counts"]}, draw)
            path.write_text(json.dumps(seal(told | found)))
        counted: list[bool] = []
        tally = take(self.problem, self.folder, shard=self.size, progress=lambda nets, now: counted.append(now))
        for one, content in self.parts.items():
            one.write_bytes(content)
        if tally != self.whole:
            return "WRONG"
        return "counted again" if True in counted else "says the same"


class Runs:
    """Two runs of lifetimes: one whose circuit is reassigned, and one that goes its way."""

    def __init__(self) -> None:
        # Takes seconds to load.
        from proof_of_absence.checker.experiments.lifetimes.train import train

        self.experiment = Experiment(setting())
        of = [Run(DETECTORS[0], OPTIMIZERS[0], True, 0), Run(DETECTORS[2], OPTIMIZERS[2], False, 0)]
        self.runs = [(run, json.dumps(train(run, PLAN, WORLD.dataset()))) for run in of]
        assert all(shown(json.loads(text), PLAN, run, self.experiment) for run, text in self.runs)

    def case(self, draw: random.Random) -> str:
        """Edit a record; whether it is taken, and if it is, says the same of what is exact."""
        run, text = draw.choice(self.runs)
        edited = entry_changed(json.loads(text), draw)
        for _ in range(draw.randrange(2)):
            edited = entry_changed(edited, draw)
        if not shown(edited, PLAN, run, self.experiment):
            return "made again"
        return "says the same" if exact(edited) == exact(json.loads(text)) else "WRONG"


def exact(record: dict[str, Any]) -> dict[str, Any]:
    """What a record says that only training could not show: all but weights, and what is measured where none are."""
    looked = {str(line["step"]): {k: line[k] for k in ("others", "spread", "size")} for line in record["measured"]}
    splices = [
        {"step": splice["step"], "drop": splice["drop"], "units": sorted({j for c in splice["circuits"] for j in c})}
        for splice in record["splices"]
    ]
    return {
        **{name: record[name] for name in (*OF, *FOUND)},
        "looked": {step: seen for step, seen in looked.items() if step in record["nets"]},
        "splices": sorted(splices, key=lambda splice: splice["step"]),
    }


class Cells:
    """Two cells of backdoors: a net of one hidden layer, and one by its recorded activations."""

    def __init__(self) -> None:
        known = triggers(digits(), GRID)
        of = {cell.name: cell for cell in cells(GRID, known)}
        chosen = [of["mlp16.adam.5.patch"], of["cnn8.adam.5.patch"]]
        self.cells = [(cell, json.dumps(measure(cell, GRID, digits(), known))) for cell in chosen]
        assert all(cell_shown(json.loads(text), GRID, cell) for cell, text in self.cells)

    def case(self, draw: random.Random) -> str:
        """Edit a record; whether it is taken, and if it is, says the same of what is decided."""
        cell, text = draw.choice(self.cells)
        edited = entry_changed(json.loads(text), draw)
        for _ in range(draw.randrange(2)):
            edited = entry_changed(edited, draw)
        if not cell_shown(edited, GRID, cell):
            return "made again"
        return "says the same" if decided(edited) == decided(json.loads(text)) else "WRONG"


# Not among them are the circuits that are left: to which are cut only what is counted after it refers.
DECIDED = ("seed", "fires", "firing", "moved_idle", "correct", "correct_cut", "hits", "hits_cut", "clean_leverage")


def decided(record: dict[str, Any]) -> list[Any]:
    """What a record of backdoors says that is decided of its nets, not measured; the effect is within rounding."""
    found: list[Any] = [record["auroc"]["leverage"]["mean"]]
    for run in record["runs"]:
        found += [run[key] for key in DECIDED]
        found += [sorted(map(sorted, run["idle"])), round(float(Fraction(run["moved"])), 6)]
        for name in ("patch", "scattered"):
            shown = run["shown"][name]
            found += [shown["leverage"], shown["pairs"], shown["auroc"]["leverage"]]
    return found


def main() -> None:
    """Make so many edits of each; exit 1 if one led to something false."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told: Counter[str] = Counter()
        for made in (Shards(Path(folder)), Runs(), Cells()):
            for seed in range(options.seed, options.seed + options.cases // 3):
                told[f"{type(made).__name__}: {made.case(random.Random(seed))}"] += 1
    print(json.dumps(told, indent=1, sort_keys=True))
    sys.exit(any("WRONG" in what for what in told))


if __name__ == "__main__":
    main()
