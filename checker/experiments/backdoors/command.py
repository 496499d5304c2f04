"""`absence backdoors`: make the cells that are missing, then the result and its plots.
Exit codes as in `checker.cli`.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.screen.terminal import (
    Force,
    ResultFolder,
    Scheduler,
    Workers,
    client_for,
    console,
    ending,
    needs,
    progress,
    say,
    to_folder,
)
from proof_of_absence.models.files.whole import replacing

__all__ = ["backdoors_command"]


def backdoors_command(
    output: ResultFolder = Path("build/experiments/backdoors"),
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="Steps of each training.")] = 600,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Seeds, from 0 on.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="A small grid: that it works, and no more.")] = False,
    force: Force = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Train digit classifiers with a backdoor; what of it idle circuits carry, and what the readout price sees.

    A run that is repeated, or goes on after an interrupt, makes only what is missing.
    """
    to_folder(output)
    # These take seconds to load, which other commands need not wait for.
    with needs("experiments"):
        import sklearn  # noqa: F401
        import torch  # noqa: F401

        from proof_of_absence.checker.experiments.backdoors.experiment import RESULT, make, result
        from proof_of_absence.checker.experiments.backdoors.pictures import draw
        from proof_of_absence.checker.experiments.backdoors.plan import Plan
        from proof_of_absence.checker.experiments.place import owned
    plan = Plan(steps, seeds, quick)
    with ending(output, "the cells that are done are kept for the next time."):
        owner = owned(output, "backdoors", asdict(plan), force=force)
        with client_for(scheduler, workers) as client, progress() as bar:
            task = bar.add_task("training")
            records = make(output, plan, client, lambda done, total: bar.update(task, completed=done, total=total))
        found = result(output, plan, records)
        with replacing(output, owner, force=force) as new:
            pictures = draw(new, found)
            write(new / RESULT, json.dumps(found))
    console.print(_table(found))
    for line in found["conclusion"]:
        say(line)
    say(f"Wrote {output / RESULT} and {len(pictures)} plots; `absence check {output}` re-checks what is exact")


def _table(found: dict[str, Any]) -> Table:
    """A row for each shape and optimiser, with what fits on a terminal."""
    table = Table(title="Nets poisoned with the patch, over all rates and seeds", box=SIMPLE)
    columns = ("net", "optimizer", "nets", "idle", "firing", "largest_share", "success", "after_cutting")
    for name in columns:
        table.add_column(name.replace("_", " ").capitalize(), justify="left" if name in columns[:2] else "right")
    for row in found["summary"]:
        table.add_row(*(str(row[name]) for name in columns))
    return table
