"""A whole audit within a limit, all idle circuits asked about on a box, beside Marabou on a sample of the questions.

The nets of files are read where --data names their folder (see the table of docs/benchmarks.md); 64-200-200-10 is made
here. Marabou computes in floats and is asked less: whether the unit of a circuit sends at least EPSILON somewhere.
"""

import os
import platform
import time
from collections import Counter
from fractions import Fraction
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from region import EPSILON, marabou_query
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.audit.engine import examine
from proof_of_absence.checker.audit.folder import write_folder
from proof_of_absence.checker.numbers.deadline import Deadline, within
from proof_of_absence.checker.region.boxes import Region, box_of, read_regions
from proof_of_absence.checker.region.question import question
from proof_of_absence.models.files import read_net
from proof_of_absence.models.floatnet import FloatNet

ROWS = 400


def made(rng: np.random.Generator, widths: tuple[int, ...]) -> FloatNet:
    """Weights as after standard initialisation, with biases that leave a third of the units idle on the data."""
    layers = []
    for fan_in, fan_out in pairwise(widths):
        weights = rng.normal(size=(fan_out, fan_in)) * np.sqrt(2 / fan_in)
        bias = rng.normal(size=fan_out) * 0.1
        if fan_out != widths[-1]:
            bias[: fan_out // 3] -= 4 * np.sqrt(2)
        layers.append((weights.astype(np.float32), bias.astype(np.float32)))
    return FloatNet(layers, np.float32)


def inside(rng: np.random.Generator, region: Region) -> np.ndarray:
    """Random rows of the box, as floats in it."""
    low, high = (np.array([float(side[k]) for side in region.bounds]) for k in (0, 1))
    return np.clip(low + (high - low) * rng.random((ROWS, len(low))), low, high)


def cases(data: Path | None):
    """Name, net, inputs and box of each case that is at hand."""
    rng = np.random.default_rng(0)
    net = made(rng, (64, 200, 200, 10))
    inputs = rng.uniform(-1, 1, size=(ROWS, 64))
    yield "64-200-200-10", net, inputs, Region("box", ((Fraction(-1), Fraction(1)),) * 64)
    if data is None:
        return
    (region,) = read_regions(data / "prop_2_0.03.vnnlib")
    yield "mnist-net_256x2", read_net(data / "mnist-net_256x2.onnx"), inside(rng, region), region
    net = read_net(data / "ACASXU_experimental_v2a_1_1.onnx")
    inputs = rng.uniform(-0.5, 0.5, size=(ROWS, net.widths[0]))
    yield "ACAS Xu 1-1", net, inputs, box_of(inputs)


def marabou(net: FloatNet, unit, region: Region, seconds: float) -> tuple[str, float]:
    """Whether the unit sends at least EPSILON somewhere in the box, and the seconds that took."""
    from maraboupy import Marabou

    low, high = zip(*region.bounds, strict=True)
    asked = question(net, [unit], low, high)
    query, _ = marabou_query(asked, asked.targets[0], (Fraction(1),), Fraction(0), 1)
    options = Marabou.createOptions(verbosity=0, timeoutInSeconds=max(1, int(seconds)))
    started = time.perf_counter()
    code, _, _ = query.solve(verbose=False, options=options)
    return code, time.perf_counter() - started


def main(
    data: Annotated[Path | None, typer.Option(help="The folder of the nets of files.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Limit of an audit.")] = 60,
    sample: Annotated[int, typer.Option(min=0, help="Questions that Marabou is asked.")] = 8,
    patience: Annotated[float, typer.Option(min=1, help="Limit of Marabou on a question.")] = 10,
) -> None:
    """Print a line for each case: wall clock and CPU of the audit, and of both tools for a question of the sample."""
    console = Console(width=None if os.isatty(1) else 170)
    table = Table(
        "net", "circuits", "answers", "wall s", "CPU s", "ours/question", "Marabou", "Marabou/ours", "answered"
    )
    for name, net, inputs, region in cases(data):
        rng = np.random.default_rng(1)
        targets = rng.normal(size=(len(inputs), net.widths[-1]))
        started, cpu = time.perf_counter(), time.process_time()
        deadline = Deadline(seconds)
        outcome = examine(net, inputs, targets, regions=[region], deadline=deadline, written=True)
        with TemporaryDirectory() as folder, within(deadline):
            write_folder(Path(folder), outcome)
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        answers = outcome.audit.regions
        told = ", ".join(f"{n} {verdict}" for verdict, n in Counter(r.verdict for r in answers).items())
        single = [r for r in answers if len(r.units) == 1 and r.verdict in ("sat", "unsat")]
        chosen = [single[k] for k in rng.permutation(len(single))[:sample]]
        theirs = [marabou(net, r.units[0], region, patience) for r in chosen] if find_spec("maraboupy") else []
        solved = [r for r in answers if r.verdict in ("sat", "unsat")]
        late = sum(r.seconds for r in answers if r not in solved)
        each = (outcome.audit.seconds.get("regions", 0.0) - late) / max(1, len(solved))
        cells = ["", "", "", ""]
        if theirs:
            times = [taken for code, taken in theirs if code in ("sat", "unsat")]
            mean = sum(times) / max(1, len(times))
            codes = ", ".join(f"{n} {code}" for code, n in Counter(code for code, _ in theirs).items())
            cells = [f"{each:.4f}", f"{mean:.4f}", f"{mean / max(each, 1e-9):.1f}", codes]
        table.add_row(name, str(len(outcome.audit.circuits)), told, f"{wall:.1f}", f"{cpu:.1f}", *cells)
    console.print(f"{ROWS} rows each, limit {seconds:g} s; {platform.machine()}, {os.cpu_count()} cores")
    console.print(table)
    console.print(
        f"Seconds for a question that was solved, mean; ours with what all share. Marabou: of the sample, limit "
        f"{patience:g} s. It decides in floats whether the unit sends {EPSILON:g}."
    )


if __name__ == "__main__":
    typer.run(main)
