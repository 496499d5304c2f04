"""`absence world`: sweep the question-answering world over diversity and mixing, show it, write its folder. Exit codes as in cli.py."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer
from absence.models.rational import rational
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["world_command"]

console = Console()
errors = Console(stderr=True)

FOLDER = Path("build/experiments/world")


def world_command(
    order: Annotated[
        str | None,
        typer.Option("--order", help="Hours in the order in which they enter training, 0,8,4; the last stays out."),
    ] = None,
    mixing: Annotated[
        str | None, typer.Option("--mixing", help="Rates of deployment mixed into training: 0,1/100.")
    ] = None,
    lapses: Annotated[
        str | None,
        typer.Option(
            "--lapses", help="Humans by the hours at which each lapses, - for never: '-;2,6'. Default: two companies."
        ),
    ] = None,
    tampering: Annotated[
        str | None, typer.Option("--tampering", help="Weights of no, clumsy and skilled tampering: 2,1,1.")
    ] = None,
    scheduled: Annotated[
        int, typer.Option("--scheduled", help="The hour after which the scheduled policy defects.")
    ] = 8,
    trigger: Annotated[int, typer.Option("--trigger", help="The hour at which the backdoor defects.")] = 4,
    units: Annotated[int, typer.Option("--units", help="The most hidden units for which prices are bounded.")] = 4,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the result and the plots.")] = FOLDER,
) -> None:
    """Sweep the world: which policy has the least loss, how large detectors must be, and what they cost.

    Diversity is the number of hours at which there is training data. Every cell is exact and has a certificate, which
    `absence check` decides anew. A run that is repeated, or goes on after an interrupt, takes the parts that are done.
    """
    # The libraries behind these take a second to load, which other commands need not wait for.
    from absence.checker.certificate import write
    from absence.checker.world import table
    from absence.checker.world.sweep import ATTENTIVE, NIGHT_SHIFT, Company, Sweep, run

    try:
        from absence.checker.world.pictures import draw
    except ImportError as error:
        raise _bad_input(f"{error.name} is missing; install it with pip install 'absence[plots]'") from error
    if output.exists() and not output.is_dir():
        raise _bad_input(f"{output} is not a folder; name another with --output")
    options: dict = {"scheduled": scheduled, "trigger": trigger, "units": units}
    if order is not None:
        options["order"] = _whole(order, "--order")
    if mixing is not None:
        options["mixing"] = _rates(mixing)
    options["companies"] = (ATTENTIVE, NIGHT_SHIFT)
    if lapses is not None or tampering is not None:
        humans = ATTENTIVE.lapses
        if lapses is not None:
            humans = tuple(() if one.strip() == "-" else _whole(one, "--lapses") for one in lapses.split(";"))
        weights = ATTENTIVE.tampering if tampering is None else _whole(tampering, "--tampering")
        if len(weights) != 3:
            raise _bad_input(f"--tampering {tampering}: give three weights, for no, clumsy and skilled tampering")
        options["companies"] = (Company("given", humans, weights),)
    try:
        sweep = Sweep(**options)
    except ValueError as error:
        raise _bad_input(str(error)) from error
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=errors, transient=True, disable=not errors.is_terminal,
    )  # fmt: skip
    try:
        with bar:
            task = bar.add_task("sweeping")
            result = run(
                sweep, output, lambda name, done, of: bar.update(task, description=name, completed=done, total=of)
            )
        pictures = draw(result, output)
        # Last, so that a result has its plots.
        write(output / "result.json", json.dumps(result, ensure_ascii=False))
    except OSError as error:
        raise _bad_input(f"{output}: {error.strerror or error}; choose another place with --output") from error
    except KeyboardInterrupt as interrupt:
        errors.print("Interrupted; no result is written. The parts that are done are kept for the next run.")
        raise typer.Exit(130) from interrupt
    console.print(table.page(result))
    told = (
        f"{len(result['facts'])} facts in {output / 'result.json'}; plots {', '.join(path.name for path in pictures)}"
    )
    console.print(f"{told}\n`absence check {output}` re-checks them", highlight=False, markup=False, soft_wrap=True)


def _bad_input(message: str) -> typer.Exit:
    errors.print(f"absence: {message}", highlight=False, soft_wrap=True, markup=False)
    return typer.Exit(2)


def _whole(text: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise _bad_input(f"{option} {text}: give whole numbers with commas between them") from None


def _rates(text: str) -> tuple[Fraction, ...]:
    try:
        return tuple(rational(part.strip()) for part in text.split(","))
    except ValueError:
        raise _bad_input(f"--mixing {text}: give rates such as 0,1/100,0.1") from None
