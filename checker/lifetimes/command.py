"""`absence lifetimes`: make the runs that are missing, then the result and its plots. Exit codes: 0 done, 1 not, 2 bad input, 130 interrupted."""

import json
import os
from concurrent.futures import BrokenExecutor
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from absence.checker.certificate import write
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

__all__ = ["lifetimes_command"]

console = Console()
errors = Console(stderr=True)


def lifetimes_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the result.")] = Path(
        "build/experiments/lifetimes"
    ),
    steps: Annotated[int, typer.Option(min=1, max=100_000, help="Steps of each run.")] = 1000,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="Seeds, from 0 on.")] = 5,
    every: Annotated[int, typer.Option(min=1, help="Steps from one reassignment to the next.")] = 50,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time.")] = os.cpu_count() or 1,
) -> None:
    """Measure how long planted detectors live while nets are trained, with and without reassignment (C18).

    A run that is repeated, or goes on after an interrupt, makes only what is missing.
    """
    for name, extra in (("torch", "torch"), ("matplotlib", "plots")):
        if find_spec(name) is None:
            raise _bad_input(f"{name} is missing; install it with pip install 'absence[{extra}]'")
    from absence.checker.lifetimes.experiment import RESULT, make, result
    from absence.checker.lifetimes.pictures import draw
    from absence.checker.lifetimes.plan import Plan
    from absence.models.files.disk import InputError

    if output.exists() and not output.is_dir():
        raise _bad_input(f"{output} is not a folder; name another with --output")
    plan = Plan(steps, seeds, every)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    try:
        with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
            task = bar.add_task("training")
            records = make(output, plan, jobs, lambda done, total: bar.update(task, completed=done, total=total))
            bar.update(task, description="drawing")
            found = result(output, plan, records)
            pictures = draw(output, plan, records, found)
            write(output / RESULT, json.dumps(found))
    except InputError as error:
        raise _bad_input(str(error)) from error
    except BrokenExecutor as error:
        errors.print("absence: a process that trained was ended; run it again, it goes on from there", highlight=False)
        raise typer.Exit(1) from error
    except OSError as error:
        raise _bad_input(f"{output}: {error.strerror or error}; choose another place with --output") from error
    except KeyboardInterrupt as interrupt:
        errors.print("Interrupted; the runs that are done are kept for the next time.")
        raise typer.Exit(130) from interrupt
    console.print(_table(found))
    told = f"Wrote {output / RESULT} and {len(pictures)} plots; `absence check {output}` re-checks what is exact"
    console.print(told, highlight=False, markup=False, soft_wrap=True)


def _table(found: dict) -> Table:
    """A row for each detector and optimiser; what differs with reassignment stands beside it."""
    parameters = found["parameters"]
    table = Table(title=f"Detectors in {parameters['steps']} steps, {parameters['seeds']} seeds", box=SIMPLE)
    reassigned = f"reassigned every {parameters['every']}"
    for name in ("Detector", "Optimiser", "It ends", f"It ends, {reassigned}"):
        table.add_column(name)
    for name in ("Median L - E", f"L - E, {reassigned}"):
        table.add_column(name, justify="right")
    groups: dict[tuple[str, str], dict[bool, dict]] = {}
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


def _bad_input(message: str) -> typer.Exit:
    errors.print(f"absence: {message}", highlight=False, soft_wrap=True, markup=False)
    return typer.Exit(2)
