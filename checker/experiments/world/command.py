"""`absence world`: sweep the question-answering world over diversity and mixing, show it, write its folder. Exit codes as in cli.py."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from proof_of_absence.checker.screen.terminal import (
    ResultFolder,
    bad_input,
    console,
    ending,
    needs,
    progress,
    say,
    to_folder,
)
from proof_of_absence.models.rational import rational

__all__ = ["world_command"]


def world_command(
    order: Annotated[
        str | None,
        typer.Option(
            "--order",
            help="Hours in the order in which they enter training; the last stays out.",
            show_default="0,1,2,3,5,6,7,8,11,10,4,9",
        ),
    ] = None,
    mixing: Annotated[
        str | None,
        typer.Option(
            "--mixing",
            help="Rates of deployment mixed into training.",
            show_default="0,1/1000,1/100,1/10,1/2",
        ),
    ] = None,
    lapses: Annotated[
        str | None,
        typer.Option(
            "--lapses",
            help="Humans by the hours at which each lapses, - for never, such as '-;2,6'.",
            show_default="two companies",
        ),
    ] = None,
    tampering: Annotated[
        str | None,
        typer.Option(
            "--tampering",
            help="Weights of no, clumsy and skilled tampering, such as 2,1,1.",
            show_default="each company's",
        ),
    ] = None,
    scheduled: Annotated[
        int, typer.Option("--scheduled", help="The hour after which the scheduled policy defects.")
    ] = 8,
    trigger: Annotated[int, typer.Option("--trigger", help="The hour at which the backdoor defects.")] = 4,
    units: Annotated[
        int, typer.Option("--units", help="The most hidden units for which prices are computed, 4 at most.")
    ] = 4,
    output: ResultFolder = Path("build/experiments/world"),
) -> None:
    """Sweep the world: which policy has the least loss, how large detectors must be, and what they cost.

    Diversity is the number of hours at which there is training data. Every cell is exact and has a certificate, which
    `absence check` decides anew. A run that is repeated, or goes on after an interrupt, takes the parts that are done.
    """
    # The libraries behind these take a second to load, which other commands need not wait for.
    from proof_of_absence.checker.experiments.world import table
    from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, Company, Sweep, run
    from proof_of_absence.checker.kernel.certificate import write

    with needs("plots"):
        from proof_of_absence.checker.experiments.world.pictures import draw
    to_folder(output)
    options: dict = {"scheduled": scheduled, "trigger": trigger, "units": units}
    if order is not None:
        options["order"] = _whole(order, "--order")
    if mixing is not None:
        options["mixing"] = _rates(mixing)
    if lapses is not None or tampering is not None:
        humans = ATTENTIVE.lapses
        if lapses is not None:
            humans = tuple(() if one.strip() == "-" else _whole(one, "--lapses") for one in lapses.split(";"))
        weights = ATTENTIVE.tampering if tampering is None else _whole(tampering, "--tampering")
        if len(weights) != 3:
            raise bad_input(f"--tampering {tampering}: give three weights, for no, clumsy and skilled tampering")
        options["companies"] = (Company("given", humans, weights),)
    try:
        sweep = Sweep(**options)
    except ValueError as error:
        raise bad_input(str(error)) from error
    with ending(output, "no result is written. The parts that are done are kept for the next run."):
        with progress() as bar:
            task = bar.add_task("sweeping")
            result = run(
                sweep, output, lambda name, done, of: bar.update(task, description=name, completed=done, total=of)
            )
        pictures = draw(result, output)
        # Last, so that a result has its plots.
        write(output / "result.json", json.dumps(result, ensure_ascii=False))
    console.print(table.page(result))
    plots = ", ".join(path.name for path in pictures)
    say(f"{len(result['facts'])} facts in {output / 'result.json'}; plots {plots}")
    say(f"`absence check {output}` re-checks them")


def _whole(text: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise bad_input(f"{option} {text}: give whole numbers with commas between them") from None


def _rates(text: str) -> tuple[Fraction, ...]:
    try:
        return tuple(rational(part.strip()) for part in text.split(","))
    except ValueError:
        raise bad_input(f"--mixing {text}: give rates such as 0,1/100,0.1") from None
