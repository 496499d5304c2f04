"""Facts about recorded activations beside numpy on the same array: constant columns, and rank with prices.

Half of the columns are ReLU units, some of them dead; one column is twice another. Seconds are of the CPU.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.independent.results.recorded import check_recorded
from proof_of_absence.checker.recorded.columns import Columns
from proof_of_absence.checker.recorded.engine import examine
from proof_of_absence.checker.recorded.folder import write_folder
from proof_of_absence.models.files.recording import BLOCK, MOST_ROWS, read_recording

Floats = NDArray[np.floating[Any]]
DEPLOY = 1000
# The high water of this very program (Linux, in KiB); what a child is charged for holds its parent's too.
PEAK = """
import sys
from proof_of_absence.checker import cli
sys.argv = ["absence", "audit", "--activations", sys.argv[1]]
try:
    cli.main()
finally:
    print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0], file=sys.stderr)
"""


def activations(rows: int, columns: int) -> Floats:
    """Rows of ReLU units and of others, float32."""
    rng = np.random.default_rng(0)
    table = rng.standard_normal((rows, columns), dtype=np.float32)
    np.maximum(table[:, ::2] - 0.5, 0, out=table[:, ::2])
    table[:, ::64] = 0
    table[:, 3] = 2 * table[:, 1]
    return table


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """CPU seconds of the work, the least of several."""
    found = []
    for _ in range(times):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


def constant(table: Floats) -> Columns:
    """The columns of a table that is at hand, block by block as files are read."""
    found, size = Columns(table.shape[1]), min(MOST_ROWS, BLOCK // table.shape[1])
    for start in range(0, len(table), size):
        found.see(table[start : start + size])
    return found


def gram(table: Floats) -> Floats:
    """One float64 Gram matrix."""
    double = table.astype(np.float64)
    return double.T @ double


def memory(path: Path) -> float:
    """GiB that `absence audit --activations` holds at most, in a process of its own that does not have the array."""
    done = subprocess.run([sys.executable, "-c", PEAK, path.name], cwd=path.parent, capture_output=True, text=True)
    return int(done.stderr.split()[-1]) / 2**20


def main(
    rows: Annotated[int, typer.Option(help="Training rows.")] = 100_000,
    columns: Annotated[int, typer.Option(help="Columns.")] = 512,
) -> None:
    """Print what each part takes, and its ratio to the peer."""
    table = activations(rows, columns)
    ours, peer = seconds(lambda: constant(table), 3), seconds(lambda: (table.max(axis=0), table.min(axis=0)), 3)
    one = seconds(lambda: gram(table), 2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "acts.npz", X=table, deploy=activations(DEPLOY, columns) * 2)
        started = time.process_time()
        audit = examine([read_recording(folder / "acts.npz")])
        whole = time.process_time() - started
        peak = memory(folder / "acts.npz")
        write_folder(folder / "out", audit, "bench")
        check = seconds(lambda: check_recorded(folder / "out" / "recorded.json"))
    (layer,) = audit.layers
    low, high = layer.prices["deployment"].T
    shown = Table("what", "ours, s", "peer", "peer, s", "ratio")
    for what, mine, beside, theirs in (
        ("constant columns", ours, "numpy max and min", peer),
        ("the whole audit of the file, rank and prices too", whole, "one float64 Gram", one),
        ("its check", check, "one float64 Gram", one),
    ):
        shown.add_row(what, f"{mine:.3f}", beside, f"{theirs:.3f}", f"{mine / theirs:.2f}")
    console = Console()
    console.print(shown)
    console.print(
        f"{rows:,} rows, {columns} columns: {len(layer.constant)} constant, {len(layer.joint)} more relations, rank "
        f"{layer.rank.low}; {DEPLOY} deployment rows, spread of prices "
        f"{np.nanmax(high / np.maximum(low, 1e-300)) - 1:.1e}"
    )
    size = rows * columns * 4 / 2**30
    console.print(f"peak memory of `absence audit --activations`: {peak:.2f} GiB; the array has {size:.2f} GiB")
    console.print(f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}")


if __name__ == "__main__":
    typer.run(main)
