"""Certified reassignment at scale: its time over that of one rigorous forward pass on the same data, side by side.

The pass is `evaluate`: float64, every residual with its error bound. Targets come from another net, so that there is
something to gain; the net under audit has one dead unit, whose place is reused.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.audit.findings import CircuitFinding
from proof_of_absence.checker.audit.improve import Unimproved, improve
from proof_of_absence.checker.passes.enclosure import blocks
from proof_of_absence.checker.passes.residuals import evaluate
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet

# Rows, inputs, hidden units, outputs.
SIZES = [
    (10_000, 100, 980, 1),
    (20_000, 100, 980, 1),
    (100_000, 100, 980, 1),
    (100_000, 100, 9_803, 1),
]
RUNS = 3
# Beyond this many products a run takes minutes: one of each is enough.
LONG = 2**35


def problem(rows: int, d: int, hidden: int, outputs: int) -> tuple[FloatNet, np.ndarray, np.ndarray]:
    """A float32 net of the size with unit 0 dead, inputs, and targets that 8 units more would fit better."""
    rng = np.random.default_rng(rows + hidden)

    def single(shape, scale):
        return (rng.standard_normal(shape) * scale).astype(np.float32).astype(np.float64)

    inputs = single((rows, d), 1)
    weights, bias, output = single((hidden, d), d**-0.5), single(hidden, 0.5), single((outputs, hidden), hidden**-0.5)
    bias[0] = -1000
    net = FloatNet(((weights, bias), (output, np.zeros(outputs))), np.float32)
    teacher, send = single((8, d), d**-0.5), single((outputs, 8), 1)
    # In blocks, so that the peak of memory is not here.
    outputs_of_net = np.vstack([net.forward(inputs[part]) for part in blocks(rows, 512)])
    targets = outputs_of_net + np.maximum(inputs @ teacher.T, 0) @ send.T + single((rows, outputs), 0.1)
    return net, inputs, targets.astype(np.float64)


def measure(rows: int, d: int, hidden: int, outputs: int) -> dict:
    """Seconds of the pass and of the reassignment with its own pass, taken in turns; the least of some runs each."""
    net, inputs, targets = problem(rows, d, hidden, outputs)
    circuit = CircuitFinding((Unit(1, 0),), {Unit(2, k): Fraction(0) for k in range(outputs)})
    passes, reassignments, cpu = [], [], [0.0, 0.0]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    runs = RUNS if rows * net.parameter_count < LONG else 1
    for _ in range(runs):
        started, used = time.perf_counter(), time.process_time()
        evaluate(net, inputs, targets)
        done, half = time.perf_counter(), time.process_time()
        found = improve(net, inputs, targets, [circuit])
        passes.append(done - started)
        reassignments.append(time.perf_counter() - done)
        cpu = [cpu[0] + half - used, cpu[1] + time.process_time() - half]
    if isinstance(found, Unimproved):
        raise AssertionError(found.reason)
    step, _ = found
    return {
        "rows": rows,
        "runs": runs,
        "parameters": net.parameter_count,
        "net": f"{d}-{hidden}-{outputs}",
        "pass": min(passes),
        "reassignment": min(reassignments),
        "cpu": cpu[1] / cpu[0],
        "drop": float(step.drop.low),
        "width": float(step.drop.high - step.drop.low),
        "loss": float(step.loss_before.low),
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }


def main(
    size: Annotated[
        int | None, typer.Option(help="Only this one of the sizes, as JSON; used for a process of its own.")
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the rows here too.")] = None,
) -> None:
    """Time the reassignment against one pass, each size in a fresh process."""
    if size is not None:
        typer.echo(json.dumps(measure(*SIZES[size])))
        return
    host = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    table = Table(title=f"Certified reassignment of one dead unit · {host}", title_justify="left")
    for name in (
        "rows",
        "parameters",
        "net",
        "pass s",
        "reassign s",
        "ratio",
        "CPU",
        "loss",
        "drop at least",
        "width",
        "MB",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    rows = []
    for k in range(len(SIZES)):
        done = subprocess.run([sys.executable, __file__, "--size", str(k)], check=True, capture_output=True, text=True)
        row = json.loads(done.stdout)
        rows.append(row)
        table.add_row(
            f"{row['rows']:,}",
            f"{row['parameters']:,}",
            row["net"],
            f"{row['pass']:.2f}",
            f"{row['reassignment']:.2f}",
            f"{row['reassignment'] / row['pass']:.2f}",
            f"{row['cpu']:.2f}",
            f"{row['loss']:.4f}",
            f"{row['drop']:.4f}",
            f"{row['width']:.0e}",
            f"{row['megabytes']:.0f}",
        )
    console = Console(width=None if os.isatty(1) else 120)
    console.print(table)
    console.print(
        f"pass: one rigorous float64 pass (least of {RUNS} runs, 1 of the largest); "
        "reassign: the same with its own pass, search and certificate\n"
        "ratio: of these seconds; CPU: of processor time, which other processes disturb less\n"
        "width: of the enclosure of the drop; MB: memory beyond net and data, at its peak"
    )
    if json_path:
        json_path.write_text(json.dumps({"machine": host, "rows": rows}, indent=2))


if __name__ == "__main__":
    typer.run(main)
