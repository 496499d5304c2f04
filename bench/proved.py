"""What the proved checker needs for an audit's certificate beside the Python checker on the same, in seconds of CPU.

The facts that the proved checker leaves are the Python checker's to decide; its time is told for all facts.
"""

import platform
import resource
import time
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer
from audit_idle import planted
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.audit.certify import certify
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.independent.results.audit import check_audit
from proof_of_absence.checker.proved.opinion import audit_summary, opinions
from proof_of_absence.checker.proved.program import program
from proof_of_absence.models.floatnet import FloatNet


def cases(*, large: bool):
    """Name, layers and inputs: planted dead and constant units, in both types, and deep nets."""
    for name, dtype, rows in (
        ("64-256-1, 1,000 rows, float32", np.float32, 1000),
        ("64-256-1, 100,000 rows, float32", np.float32, 100_000),
        ("64-256-1, 100,000 rows, float64", np.float64, 100_000),
        ("64-128-128-10, 2,000 rows, float32", np.float32, 2000),
    ):
        rng = np.random.default_rng(0)
        inputs, weights, bias, _ = planted(rng, rows, 64, 128 if "-128-" in name else 256)
        above = [rng.standard_normal((128, 128)), rng.standard_normal((10, 128))] if "-128-" in name else []
        above = above or [rng.standard_normal((1, 256))]
        layers = [(weights, bias), *((matrix, rng.standard_normal(len(matrix)) - 4) for matrix in above)]
        rounded = [tuple(part.astype(dtype).astype(float) for part in layer) for layer in layers]
        yield name, rounded, inputs.astype(dtype)
    for rows in (2000, 60_000) if large else ():
        yield f"784-512-512-10, {rows:,} rows, float32", *images(rows)


def images(rows: int):
    """Layers and inputs of the size of MNIST: inputs k/255, few of them 0, and a tenth of the units dead."""
    rng = np.random.default_rng(0)
    inputs = (rng.integers(0, 256, (rows, 784)) / 255).astype(np.float32)
    layers = []
    for fan_in, fan_out in pairwise((784, 512, 512, 10)):
        weights, bias = rng.standard_normal((fan_out, fan_in)) * np.sqrt(2 / fan_in), rng.standard_normal(fan_out) * 0.1
        if fan_out != 10:
            bias[: fan_out // 10] -= 4 * np.sqrt(2)
        layers.append(tuple(part.astype(np.float32).astype(float) for part in (weights, bias)))
    return layers, inputs


def main(
    large: Annotated[bool, typer.Option(help="Nets of the size of MNIST too, which takes minutes.")] = False,
) -> None:
    """Print a table; the program is compiled before."""
    program()
    table = Table("net", "proved", "Python", "ratio", "decided")
    for name, layers, inputs in cases(large=large):
        net, inputs = FloatNet(layers), inputs.astype(float)
        with TemporaryDirectory() as folder:
            path = certify(Path(folder), net, inputs, units=unit_findings(net, inputs))
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            (opinion,) = opinions([path]).values()
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            started = time.process_time()
            check_audit(path)
            other = time.process_time() - started
        ours = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        table.add_row(name, f"{ours:.2f} s", f"{other:.2f} s", f"{ours / other:.2f}", audit_summary(opinion))
    console = Console()
    console.print(f"{platform.processor() or platform.machine()}, numpy {np.__version__}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
