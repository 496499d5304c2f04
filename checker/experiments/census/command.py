"""`absence census`: count every net of a quantised class by behaviour and loss, write the result and its plots.

Exit codes as in `checker.cli`.
"""

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from proof_of_absence.checker.screen.terminal import (
    Force,
    ResultFolder,
    Scheduler,
    Workers,
    bad_input,
    client_for,
    console,
    ending,
    needs,
    progress,
    say,
    to_folder,
)
from proof_of_absence.models.files.whole import replacing

if TYPE_CHECKING:
    from proof_of_absence.checker.experiments.census.problem import Problem
    from proof_of_absence.models.tally import Tally

__all__ = ["cells_table", "census_command"]

# The folder of finished shards, within that of the result.
SHARDS = "shards"
Draw = Callable[[dict[str, Any], "Tally", Path], list[Path]]
KEPT = "counted shards are kept, the next run with the same options goes on from there."
NOT_KEPT = "the class is too large for the independent checker, so nothing is kept."


def census_command(
    grid: Annotated[
        str | None,
        typer.Option("--grid", help="Values of every parameter, such as -1,-1/2,0,1/2,1.", show_default="those five"),
    ] = None,
    hidden: Annotated[int | None, typer.Option("--hidden", min=1, help="Hidden units.", show_default="2")] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            help="Training data: .npz with X (N, d), Y (N, m), and the answers `imitator` and `translator` (N, m), "
            "0 or 1.",
        ),
    ] = None,
    deploy: Annotated[
        Path | None, typer.Option("--deploy", help="Deployment inputs: .npz with X, `imitator` and `translator`.")
    ] = None,
    output: ResultFolder = Path("build/experiments/census"),
    device: Annotated[str, typer.Option(help="numpy, or cpu or cuda for torch there.")] = "numpy",
    shard: Annotated[int | None, typer.Option(min=1, help="Nets of a shard.", show_default="4194304")] = None,
    force: Force = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Count every net of a quantised class: what it answers, its loss, its idle circuits; posterior masses.

    A net answers yes where its output is at least 1/2. Imitator and translator: it answers as that policy at every
    training and deployment input; deceptive: as the imitator at every training input, and not at some deployment input.
    Without files, the project's world. What an interrupted run has counted is kept, and counted no second time if the
    independent checker counts as many; of a class too large for it nothing is kept.
    """
    # The libraries behind these take a while to load, which other commands need not wait for.
    from proof_of_absence.checker.experiments.census.enumeration import DEVICES
    from proof_of_absence.checker.experiments.census.shards import SHARD, checkable, take
    from proof_of_absence.checker.experiments.place import owned

    if device not in DEVICES:
        raise bad_input(f"--device {device} is not known; take one of {', '.join(DEVICES)}")
    to_folder(output)
    from proof_of_absence.checker.experiments.census.exponents import exponents, exponents_table

    with needs("plots"):
        from proof_of_absence.checker.experiments.census.pictures import draw
    with ending(output, "nothing is counted."):
        chosen = _problem(grid, hidden, train, deploy)
        keeps = checkable(chosen)
    with ending(output, KEPT if keeps else NOT_KEPT):
        read = [path for path in (train, deploy) if path]
        owner = owned(output, "census", chosen.json(), force=force, read=read)
        with client_for(scheduler, workers) as client, progress() as bar:
            task, fresh = bar.add_task("nets", total=chosen.family.size), 0
            started = time.monotonic()

            def done(nets: int, counted: bool) -> None:
                nonlocal fresh
                fresh += nets if counted else 0
                bar.update(task, advance=nets)

            shards = output / SHARDS if keeps else None
            tally = take(chosen, shards, device=device, shard=shard or SHARD, client=client, progress=done)
            seconds = time.monotonic() - started
            bar.update(task, description="masses and crossings")
            with replacing(output, owner, force=force) as new:
                told = _write(new, chosen, tally, draw)
    console.print(cells_table(told))
    if found := exponents(tally):
        console.print(exponents_table(found))
    for line in (*_lines(told), _speed(fresh, tally.nets, seconds)):
        say(line)
    say(f"Result and plots in {output}; `absence check {output}` counts anew by another algorithm")


def _problem(grid: str | None, hidden: int | None, train: Path | None, deploy: Path | None) -> "Problem":
    from proof_of_absence.checker.experiments.census.default import GRID, UNITS, world_problem
    from proof_of_absence.checker.experiments.census.problem import problem
    from proof_of_absence.models.data import Dataset
    from proof_of_absence.models.files.data import read_array, read_data
    from proof_of_absence.models.files.disk import InputError, refused
    from proof_of_absence.models.rational import rational

    try:
        values = GRID if grid is None else [rational(text.strip()) for text in grid.split(",")]
    except ValueError as error:
        raise refused("--grid", f"{error}; write numbers with commas between them, such as -1,-1/2,0,1/2,1") from error
    units = UNITS if hidden is None else hidden
    if (train is None) != (deploy is None):
        raise refused(
            "--train and --deploy", "go together: the one file has the training data, the other deployment inputs"
        )
    try:
        if train is None or deploy is None:
            return world_problem(units=units, grid=values)
        data, deployed = read_data(train), read_data(deploy, targets=False).inputs
        targets = data.numbers
        if targets is None:
            raise refused(train, "has no targets Y")
        answers = [[read_array(path, name).tolist() for name in ("imitator", "translator")] for path in (train, deploy)]
        return problem(
            units, values, Dataset(data.inputs.tolist(), targets.tolist()), deployed.tolist(),
            train_answers=answers[0], deploy_answers=answers[1],
        )  # fmt: skip
    # What a file is refused for names it already.
    except InputError:
        raise
    except ValueError as error:
        raise refused(train or "this class", error) from error


def _write(folder: Path, chosen: "Problem", tally: "Tally", draw: Draw) -> dict[str, Any]:
    import json

    from proof_of_absence.checker.experiments.census.result import result
    from proof_of_absence.checker.kernel.certificate import write

    told = result(chosen, tally)
    draw(told, tally, folder)
    write(folder / "result.json", json.dumps(told, ensure_ascii=False))
    return told


def cells_table(told: dict[str, Any]) -> Table:
    """A row for each cell: its nets, the least loss among them, how many of them have it."""
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Cell", no_wrap=True)
    for column in ("Nets", "Least loss", "Nets of it"):
        # A loss is a fraction, which may be longer than a line.
        table.add_column(column, justify="right", overflow="fold", no_wrap=column == "Nets")
    for name, cell in told["cells"].items():
        table.add_row(name, f"{cell['nets']:,}", cell["least_loss"] or "", f"{cell['nets_of_least_loss']:,}")
    return table


def _lines(told: dict[str, Any]) -> Iterator[str]:
    for name in ("idle", "deceptive"):
        chosen = told["sets"][name]
        peak = chosen["peak"]
        yield (
            f"{name}: {chosen['nets']:,} nets; at the {len(told['masses'])} temperatures listed their mass is at most "
            f"{float(Fraction(peak['mass'])):.4f}, at beta {peak['beta']:.4g}"
        )
        for crossing in chosen["crossings"].values():
            if crossing["below"] is None:
                yield f"  tends to {crossing['delta']} or more as beta grows"
            elif crossing["below"] == "1":
                yield f"  below {crossing['delta']} at every beta"
            else:
                bound = crossing["beta_certain"]
                told_by = "C14 promises nothing" if bound is None else f"C14 promises it from {bound:.6g} on"
                yield f"  below {crossing['delta']} at every beta from {crossing['beta_below']:.6g} on; {told_by}"


def _speed(fresh: int, nets: int, seconds: float) -> str:
    kept = f", {nets - fresh:,} kept from an earlier run" if fresh < nets else ""
    return f"{fresh:,} nets counted in {seconds:.1f} s{kept}"
