"""A census three ways, side by side in one run: every net in 64-bit integers, multisets of what units send,
every net in Fractions.

The second is the independent checker's; the three histograms are compared before anything is printed.
"""

import platform
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.experiments.census.default import GRID, world_problem
from proof_of_absence.checker.experiments.census.enumeration import Enumeration
from proof_of_absence.checker.experiments.census.problem import CELLS, Problem
from proof_of_absence.checker.experiments.census.shards import tally_of
from proof_of_absence.checker.independent.kinds.class_census import Census
from proof_of_absence.models.posterior import census
from proof_of_absence.models.tally import Tally

RUNS = 3
# On these Fractions take seconds: one unit, three values.
SMALL = world_problem(units=1, grid=[-1, 0, 1])


def least(action: Callable[[], object]) -> tuple[float, object]:
    """The least of the times on the CPU that the action took, in seconds, and what it returned:
    all of it runs on one thread.
    """
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        result = action()
        times.append(time.process_time() - started)
    return min(times), result


def enumerated(chosen: Problem, device: str) -> Tally:
    """Every net, one after the other."""
    nets = Enumeration(chosen, device)
    return tally_of(nets.count(0, nets.choices), nets.tables.loss_scale)


def grouped(chosen: Problem) -> Tally:
    """The independent checker's way."""
    found = Census(chosen.json())
    return Tally.of([(loss, tuple(counts)) for loss, counts in found.levels.items()], found.unit, CELLS)


def fractions(chosen: Problem) -> Tally:
    """Losses only, as `models.posterior` counts them, all nets in one cell."""
    found = census(chosen.family, chosen.data, lambda net: False)
    levels = [(int(level.loss / found.unit), (level.nets,)) for level in found.levels]
    return Tally.of(levels, found.unit, ("all",))


def main(
    values: Annotated[int, typer.Option(min=2, max=5, help="Values of each parameter; 5 is the default census.")] = 4,
) -> None:
    """Print a table; times are the least of three runs, on the CPU."""
    large = world_problem(grid=[Fraction(k, 2) for k in (-2, -1, 1, 2)[:values]] if values < 5 else GRID)
    ways = {
        "every net, numpy": lambda chosen: enumerated(chosen, "numpy"),
        "every net, torch on one thread": lambda chosen: enumerated(chosen, "cpu"),
        "multisets of units": grouped,
    }
    table = Table("class", "way", "CPU time", "nets a second", "times the first")
    for chosen, more in ((large, {}), (SMALL, {"every net, Fractions": fractions})):
        first, whole = None, None
        for name, way in (ways | more).items():
            seconds, found = least(lambda way=way, chosen=chosen: way(chosen))
            if whole is None:
                first, whole = seconds, found
            losses = {loss * found.unit: sum(counts) for loss, counts in found.levels}
            if losses != {loss * whole.unit: sum(counts) for loss, counts in whole.levels}:
                raise SystemExit(f"{name}: another histogram of losses")
            if found.cells == whole.cells and found != whole:
                raise SystemExit(f"{name}: other cells")
            nets = whole.nets
            table.add_row(
                f"{nets:,} nets", name, f"{seconds:.3f} s", f"{nets / seconds:,.0f}", f"{seconds / first:.2f}"
            )
    console = Console()
    machine = platform.processor() or platform.machine()
    console.print(f"{machine}, numpy {np.__version__}, torch {torch.__version__}, one thread")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
