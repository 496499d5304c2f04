"""`absence census`: count every net of a quantised class by behaviour and loss, write the result, its plots, and where to go on.

Exit codes: 0 done, 2 bad input, 130 interrupted.
"""

import time
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer
from absence.checker.audit.command import client_for
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = ["census_command"]

console = Console()
errors = Console(stderr=True)

BAD_INPUT = 2
# The folder of finished shards, within that of the result.
SHARDS = "shards"


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
            help="Training data: .npz with X (N, d), Y (N, m), and the answers `imitator` and `translator` (N, m), 0 or 1.",
        ),
    ] = None,
    deploy: Annotated[
        Path | None, typer.Option("--deploy", help="Deployment inputs: .npz with X, `imitator` and `translator`.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the result.")] = Path(
        "build/experiments/census"
    ),
    device: Annotated[str, typer.Option(help="numpy, or cpu or cuda for torch there.")] = "numpy",
    shard: Annotated[int | None, typer.Option(min=1, help="Nets of a shard.", show_default="4194304")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes on this machine that take part.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Address of a dask scheduler whose workers take part.")
    ] = None,
) -> None:
    """Count every net of a quantised class: imitator, translator, deceptive or other; loss; idle circuits; posterior masses.

    A net answers yes where its output is at least 1/2. Imitator and translator: it answers as that policy at every training and
    deployment input; deceptive: as the imitator at every training input, and not at some deployment input. Without files, the
    project's world. What an interrupted run has counted is kept, and counted no second time.
    """
    # The libraries behind these take a while to load, which other commands need not wait for.
    from absence.checker.census.enumeration import DEVICES
    from absence.checker.census.shards import SHARD, take
    from absence.models.files.disk import InputError

    if device not in DEVICES:
        raise _bad_input(f"--device {device} is not known; take one of {', '.join(DEVICES)}")
    if workers is not None and scheduler is not None:
        raise _bad_input("--workers starts processes here, --scheduler asks for them elsewhere; choose one")
    if output.exists() and not output.is_dir():
        raise _bad_input(f"{output} is not a folder; name another with --output")
    try:
        from absence.checker.census.pictures import draw
    except ImportError as error:
        raise _bad_input(f"{error.name} is missing; install it with pip install 'absence[plots]'") from error
    try:
        with ExitStack() as stack:
            chosen = _problem(grid, hidden, train, deploy)
            client = client_for(stack, scheduler, workers)
            bar = stack.enter_context(_progress())
            task, fresh = bar.add_task("nets", total=chosen.family.size), 0
            started = time.monotonic()

            def done(nets: int, counted: bool) -> None:
                nonlocal fresh
                fresh += nets if counted else 0
                bar.update(task, advance=nets)

            tally = take(chosen, output / SHARDS, device=device, shard=shard or SHARD, client=client, progress=done)
            seconds = time.monotonic() - started
            bar.update(task, description="masses and crossings")
            told = _write(output, chosen, tally, draw)
    except InputError as error:
        raise _bad_input(str(error)) from error
    except OSError as error:
        place = Path(error.filename).parent if error.filename else output
        raise _bad_input(f"{place}: {error.strerror or error}; choose another place with --output") from error
    except KeyboardInterrupt as interrupt:
        told = "Interrupted; counted shards are kept, the next run with the same options goes on from there."
        errors.print(told, highlight=False, soft_wrap=True)
        raise typer.Exit(130) from interrupt
    console.print(_table(told))
    for line in (*_lines(told), _speed(fresh, tally.nets, seconds)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    where = f"Result and plots in {output}; `absence check {output}` counts anew by another algorithm"
    console.print(where, highlight=False, markup=False, soft_wrap=True)


def _bad_input(message: str) -> typer.Exit:
    errors.print(f"absence: {message}", highlight=False, soft_wrap=True, markup=False)
    return typer.Exit(BAD_INPUT)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=errors, transient=True, disable=not errors.is_terminal,
    )  # fmt: skip


def _problem(grid: str | None, hidden: int | None, train: Path | None, deploy: Path | None):
    from absence.checker.census.default import GRID, UNITS, world_problem
    from absence.checker.census.problem import problem
    from absence.models.data import Dataset
    from absence.models.files.data import read_array, read_data
    from absence.models.files.disk import refused
    from absence.models.rational import rational

    try:
        values = GRID if grid is None else [rational(text.strip()) for text in grid.split(",")]
    except ValueError as error:
        raise refused("--grid", f"{error}; write numbers with commas between them, such as -1,-1/2,0,1/2,1") from error
    units = UNITS if hidden is None else hidden
    if (train is None) != (deploy is None):
        raise refused(
            "--train and --deploy", "go together: the one file has the training data, the other deployment inputs"
        )
    if train is None:
        source, made = "this class", lambda: world_problem(units=units, grid=values)
    else:
        source, data = train, read_data(train)
        deployed = read_data(deploy, targets=False).inputs
        answers = [[read_array(path, name).tolist() for name in ("imitator", "translator")] for path in (train, deploy)]

        def made():
            return problem(
                units, values, Dataset(data.inputs.tolist(), data.targets.tolist()), deployed.tolist(),
                train_answers=answers[0], deploy_answers=answers[1],
            )  # fmt: skip

    try:
        return made()
    except ValueError as error:
        raise refused(source, error) from error


def _write(output: Path, chosen, tally, draw) -> dict:
    import json

    from absence.checker.census.result import result
    from absence.checker.certificate import write

    told = result(chosen, tally)
    draw(told, tally, output)
    # Last, so that a result has its plots.
    write(output / "result.json", json.dumps(told, ensure_ascii=False))
    return told


def _table(told: dict) -> Table:
    table = Table("cell", "nets", "least loss", "nets of it")
    for name, cell in told["cells"].items():
        table.add_row(name, f"{cell['nets']:,}", cell["least_loss"] or "", f"{cell['nets_of_least_loss']:,}")
    return table


def _lines(told: dict):
    for name in ("idle", "deceptive"):
        chosen = told["sets"][name]
        peak = chosen["peak"]
        yield (
            f"{name}: {chosen['nets']:,} nets; of the {len(told['masses'])} temperatures listed they have most of the mass, "
            f"{float(Fraction(peak['mass'])):.4f}, at beta {peak['beta']:.4g}"
        )
        for crossing in chosen["crossings"].values():
            if crossing["below"] is None:
                yield f"  not below {crossing['delta']} for any range of beta up to infinity"
            elif crossing["below"] == "1":
                yield f"  below {crossing['delta']} at every beta"
            else:
                bound = crossing["beta_certain"]
                told_by = "C14 promises nothing" if bound is None else f"C14 promises it from {bound:.6g} on"
                yield f"  below {crossing['delta']} at every beta from {crossing['beta_below']:.6g} on; {told_by}"


def _speed(fresh: int, nets: int, seconds: float) -> str:
    kept = f", {nets - fresh:,} kept from an earlier run" if fresh < nets else ""
    return f"{fresh:,} nets counted in {seconds:.1f} s{kept}"
