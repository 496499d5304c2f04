"""Certified global minima against SCIP on the same problem, side by side in one run.

SCIP gets the form that suits it: |a_j| in w_j, b_j, one model for each number of positive output weights, each a convex
quadratic program but for the ReLUs, which are SOS1 pairs (no big M); the best loss so far is its cutoff.
"""

import json
import os
import platform
import random
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from pyscipopt import Model, quicksum
from rich.console import Console
from rich.table import Table

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.rational import Vector

RUNS = 3
# In the loss, how far SCIP's values may be from exact ones.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Case:
    """Data, and how many units."""

    name: str
    data: Dataset
    units: int


@dataclass(frozen=True)
class Row:
    """One line: `loss` of the net found, the lower `bound`, seconds; `check` to prove the bound again."""

    case: str
    by: str
    loss: float
    bound: float
    seconds: float
    check: float | None = None
    done: bool = True
    ratio: float | None = None


def cases() -> list[Case]:
    """Growing sizes; targets of the scattered data are noise, so that nothing fits them."""
    draw = random.Random(7)

    def scattered(count: int, d: int) -> Dataset:
        inputs = draw.sample(list(product(range(-9, 10), repeat=d)), count)
        return Dataset(inputs, [[draw.randint(-9, 9)] for _ in inputs])

    grid = list(product(range(3), repeat=2))
    return [
        Case("d=1, N=6, n=2", scattered(6, 1), 2),
        Case("d=2, N=7, n=1", scattered(7, 2), 1),
        Case("d=1, N=10, n=2", scattered(10, 1), 2),
        Case("d=2, N=9, n=2, parity on a grid", Dataset(grid, [[(x + y) % 2] for x, y in grid]), 2),
        Case("d=2, N=12, n=2", scattered(12, 2), 2),
        Case("d=1, N=12, n=4", scattered(12, 1), 4),
    ]


def certified(item: Case) -> Row:
    """Ours: the search, and the independent check of its certificate; medians."""
    found, checked = [], []
    for _ in range(RUNS):
        data = Dataset(item.data.inputs, item.data.targets)
        started = time.perf_counter()
        minimum = global_minimum(data, item.units)
        done = time.perf_counter()
        check_fact(minimum.fact(net_json(minimum.net), data_json(data)))
        found.append(done - started)
        checked.append(time.perf_counter() - done)
    loss = float(minimum.loss)
    return Row(item.name, "ours, exact", loss, loss, median(found), median(checked))


def scip_model(item: Case, positive: int, beyond: tuple[Vector, int, Fraction] | None = None) -> Model:
    """The least sum of squares over nets of which `positive` units have output weight 1, the others -1.

    With `beyond`, a point, a side and a level, over those nets f with side f(point) >= side level.
    """
    model = Model()
    model.hideOutput()
    model.setParam("parallel/maxnthreads", 1)
    sum_of_squares = model.addVar("squares", lb=0)
    c = model.addVar("c", lb=None)
    places = [*item.data.inputs, *([beyond[0]] if beyond else [])]
    sent = [c] * len(places)
    for j in range(item.units):
        w = [model.addVar(f"w{j}_{k}", lb=None) for k in range(len(item.data.inputs[0]))]
        b = model.addVar(f"b{j}", lb=None)
        for i, z in enumerate(places):
            on, off = model.addVar(f"on{j}_{i}", lb=0), model.addVar(f"off{j}_{i}", lb=0)
            model.addCons(quicksum(float(x) * v for x, v in zip(z, w, strict=True)) + b == on - off)
            model.addConsSOS1([on, off])
            sent[i] = sent[i] + (on if j < positive else -on)
    fitted = sent[: len(item.data)]
    model.addCons(
        quicksum((f - float(y)) * (f - float(y)) for f, (y,) in zip(fitted, item.data.targets, strict=True))
        <= sum_of_squares
    )
    if beyond:
        model.addCons(beyond[1] * sent[-1] >= beyond[1] * float(beyond[2]))
    model.setObjective(sum_of_squares)
    return model


def scip(item: Case, seconds: float, baseline: float, beyond: tuple[Vector, int, Fraction] | None = None) -> Row:
    """SCIP on each number of positive units in turn, which share one limit; the bound is the lowest of theirs."""
    started = time.perf_counter()
    best, bound, done = float("inf"), float("inf"), True
    for positive in range(item.units + 1):
        left = max(seconds - (time.perf_counter() - started), 0.0)
        model = scip_model(item, positive, beyond)
        model.setParam("limits/time", left / (item.units + 1 - positive))
        if best < float("inf"):
            model.setObjlimit(best)
        model.optimize()
        if model.getNSols():
            best = min(best, model.getObjVal())
        if model.getStatus() in ("optimal", "infeasible"):
            bound = min(bound, best if model.getStatus() == "infeasible" else model.getDualbound())
        else:
            bound, done = min(bound, max(model.getDualbound(), 0.0)), False
    taken = time.perf_counter() - started
    count = len(item.data)
    return Row(item.name, "SCIP", best / count, bound / count, taken, done=done, ratio=taken / baseline)


def agree(ours: Row, theirs: Row) -> None:
    """Neither a net below our minimum, nor a bound above it.

    Raises
    ------
    AssertionError
        If SCIP contradicts the certificate by more than its tolerance.
    """
    slack = TOLERANCE * max(1, ours.loss)
    if theirs.loss < ours.loss - slack or theirs.bound > ours.loss + slack:
        raise AssertionError(f"{ours.case}: SCIP says {theirs.loss} and at least {theirs.bound}, we say {ours.loss}")


def show(rows: list[Row], title: str) -> Table:
    """The rows as a table, a section for each case."""
    table = Table(title=title, title_justify="left")
    for name in ("case", "by"):
        table.add_column(name)
    for name in ("loss", "lower bound", "gap", "seconds", "check", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    for k, row in enumerate(rows):
        first = k == 0 or rows[k - 1].case != row.case
        if first and k:
            table.add_section()
        gap = f"{100 * (row.loss - row.bound) / row.loss:.0f}%" if row.loss > 0 else "0%"
        ratio = "1" if row.ratio is None else f"{'> ' * (not row.done)}{row.ratio:,.1f}"
        check = "" if row.check is None else f"{row.check:.3f}"
        name = row.case if first else ""
        table.add_row(name, row.by, f"{row.loss:.6f}", f"{row.bound:.6f}", gap, f"{row.seconds:.3f}", check, ratio)
    return table


def main(
    seconds: Annotated[float, typer.Option(min=1, help="Wall-clock limit of SCIP on each case.")] = 60,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the rows here too.")] = None,
) -> None:
    """Certified minima and SCIP on the same data."""
    console = Console(width=None if os.isatty(1) else 120)
    rows: list[Row] = []
    for item in cases():
        ours = certified(item)
        console.print(f"{item.name}: SCIP ..", style="dim")
        theirs = scip(item, seconds, ours.seconds + ours.check)
        agree(ours, theirs)
        rows += [ours, theirs]
    host = {"cores": str(os.cpu_count()), "python": platform.python_version(), "pyscipopt": version("pyscipopt")}
    console.print(show(rows, " · ".join(f"{key} {value}" for key, value in host.items())))
    console.print(
        f"seconds: ours, median of {RUNS} searches; SCIP, one run of {seconds:g} s at most on each case, one thread, "
        "default tolerances\n"
        "check: the independent checker proves the minimum again\n"
        "ratio: SCIP's seconds over our seconds and check; > where SCIP was stopped\n"
        "Our bound is exact and has a certificate; SCIP's is one of floating-point arithmetic."
    )
    if json_path:
        json_path.write_text(json.dumps({"machine": host, "rows": [asdict(r) for r in rows]}, indent=2))


if __name__ == "__main__":
    typer.run(main)
