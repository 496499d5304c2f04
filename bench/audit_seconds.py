"""Seconds asked of an audit and seconds taken, by the command line: fresh and resumed, idle and beside two busy loops.

What is promised is the limit, a tenth of it and a second more, from when the command begins; the start of the
interpreter comes before. The nets of files are read where --data names their
folder; the others are made here.
"""

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.region.boxes import read_regions
from proof_of_absence.models.files import onnx
from proof_of_absence.models.floatnet import FloatNet

# Runs the command, and last on standard error tells the seconds that it took.
ABSENCE = """
import sys, time
from proof_of_absence.checker.cli import main
started = time.monotonic()
try:
    main()
finally:
    print(time.monotonic() - started, file=sys.stderr)
"""
# Resumed runs go on from what a run with so much time has kept.
FULL = 60
BUSY = "while True: pass"


@dataclass(frozen=True)
class Case:
    """An audit of the command line, without its limit and its folder."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """What was asked and what it took; `code` is the exit code."""

    case: str
    kind: str
    asked: float
    wall: float
    cpu: float
    code: int

    @property
    def late(self) -> float:
        """Seconds beyond what is promised."""
        return max(0.0, self.wall - 1.1 * self.asked - 1)


def dense(rng: np.random.Generator, widths: tuple[int, ...], idle: float = 1 / 3) -> FloatNet:
    """Weights as after standard initialisation; a part of the units is idle on the data."""
    layers = []
    for fan_in, fan_out in pairwise(widths):
        weights = rng.normal(size=(fan_out, fan_in)) * np.sqrt(2 / fan_in)
        bias = rng.normal(size=fan_out) * 0.1
        if fan_out != widths[-1]:
            bias[: int(fan_out * idle)] -= 4 * np.sqrt(2)
        layers.append((weights.astype(np.float32), bias.astype(np.float32)))
    return FloatNet(layers, np.float32)


def normalised(seed: int, widths: tuple[int, ...]) -> torch.nn.Module:
    """A BatchNorm behind each hidden Linear, with statistics of random data; a third of the units is idle."""
    torch.manual_seed(seed)
    parts: list[torch.nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        parts.append(torch.nn.Linear(fan_in, fan_out))
        if fan_out != widths[-1]:
            parts += [torch.nn.BatchNorm1d(fan_out), torch.nn.ReLU()]
    net = torch.nn.Sequential(*parts)
    for _ in range(20):
        net(torch.rand(256, widths[0]))
    for part in net:
        if isinstance(part, torch.nn.BatchNorm1d):
            part.bias.data[: len(part.bias) // 3] -= 5
    return net.eval()


def saved(folder: Path, name: str, inputs: np.ndarray, outputs: int) -> str:
    """Training data in a file; its path."""
    path = folder / f"{name}.npz"
    np.savez(path, X=inputs, Y=np.random.default_rng(1).normal(size=(len(inputs), outputs)).astype(np.float32))
    return str(path)


def boxed(folder: Path, name: str, inputs: int, size: float) -> str:
    """The box from -size to size as VNN-LIB; its path."""
    path = folder / f"{name}.vnnlib"
    declared = [f"(declare-const X_{i} Real)" for i in range(inputs)]
    bounds = [f"(assert ({side} X_{i} {end}))" for i in range(inputs) for side, end in ((">=", -size), ("<=", size))]
    path.write_text("\n".join([*declared, *bounds]) + "\n")
    return str(path)


def cases(folder: Path, data: Path | None) -> Iterator[Case]:
    """Nets of different shapes, with their data and boxes in files."""
    rng = np.random.default_rng(0)
    if data is not None:
        box = data / "prop_2_0.03.vnnlib"
        (region,) = read_regions(box)
        low, high = (np.array([float(side[k]) for side in region.bounds]) for k in (0, 1))
        rows = np.clip(low + (high - low) * rng.random((400, len(low))), low, high).astype(np.float32)
        train = saved(folder, "mnist", rows, 10)
        yield Case(
            "mnist-net_256x2, 400 rows", (str(data / "mnist-net_256x2.onnx"), "--train", train, "--region", str(box))
        )
        train = saved(folder, "acas", rng.uniform(-0.5, 0.5, size=(400, 5)).astype(np.float32), 5)
        yield Case(
            "ACAS Xu 1-1, 400 rows",
            (str(data / "ACASXU_experimental_v2a_1_1.onnx"), "--train", train, "--region-from-data"),
        )
    shapes = (
        ("64-200-200-10, 400 rows", (64, 200, 200, 10), 400),
        ("16-8192-4, 400 rows", (16, 8192, 4), 400),
        ("784-4096-10, 1,000 rows", (784, 4096, 10), 1000),
        ("64-2048-2048-10, 400 rows", (64, 2048, 2048, 10), 400),
        ("64-128-128-10, 100,000 rows", (64, 128, 128, 10), 100_000),
    )
    for name, widths, count in shapes:
        stem = "-".join(map(str, widths))
        onnx.write(folder / f"{stem}.onnx", dense(rng, widths))
        train = saved(folder, stem, rng.uniform(-1, 1, size=(count, widths[0])).astype(np.float32), widths[-1])
        region = boxed(folder, stem, widths[0], 1.0)
        yield Case(name, (str(folder / f"{stem}.onnx"), "--train", train, "--deploy", train, "--region", region))
    path, widths = folder / "norm.onnx", (784, 128, 64, 10)
    axes = {"input": {0: "rows"}}
    torch.onnx.export(
        normalised(0, widths), (torch.rand(2, 784),), path, dynamo=False, input_names=["input"], dynamic_axes=axes
    )
    train = saved(folder, "norm", rng.random((400, 784)).astype(np.float32), 10)
    yield Case("784-128-64-10, two BatchNorms, 400 rows", (str(path), "--train", train, "--region-from-data"))


def audit(case: Case, kind: str, asked: float, folder: Path) -> Run:
    """One run in a process of its own."""
    command = [sys.executable, "-c", ABSENCE, "audit", *case.arguments, "--seconds", str(asked), "-o", str(folder)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wall, after = float(done.stderr.split()[-1]), resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1, 3):
        print(done.stderr, file=sys.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(case.name, kind, asked, wall, cpu, done.returncode)


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many loops that take a core each, as long as it lasts."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def main(
    data: Annotated[Path | None, typer.Option(help="The folder of the nets of files.")] = None,
    seconds: Annotated[str, typer.Option(help="Limits, comma-separated.")] = "0,2,10",
    only: Annotated[str, typer.Option(help="Cases whose name has this in it.")] = "",
    kinds: Annotated[str, typer.Option(help="fresh, resumed, busy, comma-separated.")] = "fresh,resumed,busy",
) -> None:
    """Print a line for each run, then the runs in a table; what is late is said."""
    console = Console(width=None if os.isatty(1) else 130)
    table = Table("net", "run", "asked s", "taken s", "CPU s", "late s")
    wanted = kinds.split(",")
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory()))
        runs = []
        for number, case in enumerate(cases(place, data)):
            if only not in case.name:
                continue
            full = place / f"full{number}"
            if "resumed" in wanted:
                runs.append(audit(case, "fresh", FULL, full))
            for asked in map(float, seconds.split(",")):
                for kind in wanted:
                    folder = place / f"{number}-{kind}-{asked:g}"
                    if kind == "resumed":
                        copytree(full, folder)
                    with busy(2 if kind == "busy" else 0):
                        runs.append(audit(case, kind, asked, folder))
                    run = runs[-1]
                    console.print(f"{run.case} {run.kind} {run.asked:g} {run.wall:.1f} {run.cpu:.1f}", style="dim")
    for run in runs:
        late = f"{run.late:.1f}" if run.late else ""
        table.add_row(run.case, run.kind, f"{run.asked:g}", f"{run.wall:.1f}", f"{run.cpu:.1f}", late)
    console.print(table)
    console.print(f"{platform.machine()}, {os.cpu_count()} cores; the load before: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    typer.run(main)
