"""`absence lifetimes`: make the runs that are missing, then the result and its plots.
Exit codes as in `checker.cli`.
"""

import json
import os
from concurrent.futures import BrokenExecutor
from dataclasses import asdict
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.screen.terminal import (
    Force,
    ResultFolder,
    bad_input,
    console,
    ending,
    errors,
    needs,
    progress,
    say,
    to_folder,
)
from proof_of_absence.models.files.whole import replacing

__all__ = ["lifetimes_command"]


def lifetimes_command(
    output: ResultFolder = Path("build/experiments/lifetimes"),
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="Steps of each run.")] = 1000,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Seeds, from 0 on.")] = 5,
    every: Annotated[int, typer.Option(min=1, help="Steps from one reassignment to the next.")] = 50,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time.")] = os.cpu_count() or 1,
    force: Force = False,
) -> None:
    """Measure how long planted detectors live while nets are trained, with and without reassignment (C18).

    A run that is repeated, or goes on after an interrupt, makes only what is missing.
    """
    # Takes seconds to load, which only the processes that train need.
    if find_spec("torch") is None:
        raise bad_input("torch is missing; install it with pip install 'proof-of-absence[torch]'")
    from proof_of_absence.checker.experiments.lifetimes.experiment import RESULT, make, result
    from proof_of_absence.checker.experiments.lifetimes.plan import Plan
    from proof_of_absence.checker.experiments.place import owned

    with needs("plots"):
        from proof_of_absence.checker.experiments.lifetimes.pictures import draw
    to_folder(output)
    plan = Plan(steps, seeds, every)
    try:
        with ending(output, "the runs that are done are kept for the next time."), progress() as bar:
            owner = owned(output, "lifetimes", asdict(plan), force=force)
            task = bar.add_task("training")
            records = make(output, plan, jobs, lambda done, total: bar.update(task, completed=done, total=total))
            bar.update(task, description="drawing")
            found = result(output, plan, records)
            with replacing(output, owner, force=force) as new:
                pictures = draw(new, plan, records, found)
                write(new / RESULT, json.dumps(found))
    except BrokenExecutor as error:
        errors.print("absence: a process that trained was ended; run it again, it goes on from there", highlight=False)
        raise typer.Exit(1) from error
    console.print(_table(found))
    say(f"Wrote {output / RESULT} and {len(pictures)} plots; `absence check {output}` re-checks what is exact")


def _table(found: dict[str, Any]) -> Table:
    """A row for each detector and optimiser; what differs with reassignment stands beside it."""
    parameters = found["parameters"]
    table = Table(title=f"Detectors in {parameters['steps']} steps, {parameters['seeds']} seeds", box=SIMPLE)
    reassigned = f"reassigned every {parameters['every']}"
    for name in ("Detector", "Optimiser", "It ends", f"It ends, {reassigned}"):
        table.add_column(name)
    for name in ("Median L - E", f"L - E, {reassigned}"):
        table.add_column(name, justify="right")
    groups: dict[tuple[str, str], dict[bool, dict[str, Any]]] = {}
    for row in found["summary"]:
        groups.setdefault((row["detector"], row["optimizer"]), {})[row["reassigned"]] = row
    for (detector, optimizer), pair in groups.items():
        both = [pair.get(False), pair.get(True)]
        table.add_row(
            found["detectors"][detector]["title"], found["optimizers"][optimizer]["title"],
            *("; ".join(f"{end} {count}" for end, count in row["ends"].items()) if row else "" for row in both),
            *(f"{float(Fraction(row['median_excess'])):.4f}" if row else "" for row in both),
        )  # fmt: skip
    return table
