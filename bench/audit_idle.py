"""The exact idle decision of `absence audit` against one float64 forward pass in numpy, side by side in one run.

The planted net has dead units, units one rounding from the edge of the data, exact zeros and constants that only exact
arithmetic can tell; what is found is compared with what was planted.
"""

import platform
import time
from collections import Counter
from collections.abc import Callable
from statistics import median
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.models.floatnet import FloatNet

RUNS = 7
EDGE = 8  # units whose greatest pre-activation is 0 as near as float64 tells


def planted(
    rng: np.random.Generator, rows: int, width: int, units: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    """Inputs, weights, biases, and how many units of each kind there are besides those at the edge."""
    inputs, weights, bias = (rng.standard_normal(shape) for shape in ((rows, width), (units, width), units))
    inputs[: rows // 100] = 0
    inputs[:, 1], inputs[:, 2] = inputs[:, 0], 0
    bias[:16] = -100
    weights[16:20] = 0
    bias[16:20] = (0, -1, 1, 2)
    # Their weights read two equal columns with opposite signs, or a column of zeros.
    weights[20:28] = 0
    weights[20:24, :2] = rng.standard_normal((4, 1)) * [1, -1]
    weights[24:28, 2] = rng.standard_normal(4)
    bias[20:28] = (0, 1, -1, 0.1) * 2
    for j in range(28, 28 + EDGE):
        bias[j] = -(inputs @ weights[j]).max()
    # 0 at the rows that are 0.
    bias[28 + EDGE : 40 + EDGE] = 0
    return inputs, weights, bias, {"dead": 16 + 2 + 4, "constant": 2 + 4}


def best(action: Callable[[], object]) -> tuple[float, float]:
    """The least and the median of the times that the action took, in seconds."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times), median(times)


def main(
    rows: Annotated[int, typer.Option(min=1000)] = 100_000,
    width: Annotated[int, typer.Option(min=4)] = 64,
    units: Annotated[int, typer.Option(min=64)] = 256,
) -> None:
    """Print a table; the ratio is of the least times, the one that other work on the machine disturbs least."""
    rng = np.random.default_rng(0)
    table = Table("net", "numpy min", "median", "exact min", "median", "ratio", "found")
    plain = (rng.standard_normal((rows, width)), rng.standard_normal((units, width)), rng.standard_normal(units), {})
    special = planted(rng, rows, width, units)
    rounded = *(array.astype(np.float32).astype(np.float64) for array in plain[:3]), {}
    for name, (inputs, weights, bias, expected) in {
        "random": plain,
        "random, float32": rounded,
        "planted": special,
    }.items():
        net = FloatNet([(weights, bias), (np.ones((1, units)), [0.0])])
        found = Counter(str(f.activity) for f in unit_findings(net, inputs))
        for activity in ("dead", "constant"):
            least = expected.get(activity, 0)
            edge = EDGE if expected and activity == "dead" else 0
            if not least <= found[activity] <= least + edge:
                raise SystemExit(f"{name}: {found[activity]} {activity} units found, {least} to {least + edge} planted")
        forward = best(lambda inputs=inputs, weights=weights, bias=bias: inputs @ weights.T + bias)
        exact = best(lambda net=net, inputs=inputs: unit_findings(net, inputs))
        times = [f"{seconds:.3f} s" for seconds in (*forward, *exact)]
        table.add_row(name, *times, f"{exact[0] / forward[0]:.2f}", ", ".join(f"{n} {a}" for a, n in found.items()))
    console = Console()
    console.print(
        f"{rows} x {width} inputs, {units} units; {platform.processor() or platform.machine()}, numpy {np.__version__}"
    )
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
