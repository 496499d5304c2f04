"""`absence world`: sweep the question-answering world over diversity and mixing, show it, write its folder.

Exit codes as in cli.py. The libraries behind it take a second to load, so each step imports its own.
"""

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.screen.terminal import (
    Force,
    ResultFolder,
    bad_input,
    console,
    ending,
    needs,
    progress,
    say,
    to_folder,
)
from proof_of_absence.models.files.whole import replacing
from proof_of_absence.models.rational import rational

if TYPE_CHECKING:
    from proof_of_absence.checker.experiments.world.sweep import Company, Sweep

__all__ = ["world_command"]

Order = Annotated[
    str | None,
    typer.Option(
        "--order",
        help="Hours in the order in which they enter training; the last stays out.",
        show_default="0,1,2,3,5,6,7,8,11,10,4,9",
    ),
]
Mixing = Annotated[
    str | None,
    typer.Option("--mixing", help="Rates of deployment mixed into training.", show_default="0,1/1000,1/100,1/10,1/2"),
]
Lapses = Annotated[
    str | None,
    typer.Option(
        "--lapses",
        help="Humans by the hours at which each lapses, - for never, such as '-;2,6'.",
        show_default="two companies",
    ),
]
Tampering = Annotated[
    str | None,
    typer.Option(
        "--tampering",
        help="Weights of no, clumsy and skilled tampering, such as 2,1,1.",
        show_default="each company's",
    ),
]
Scheduled = Annotated[int, typer.Option("--scheduled", help="The hour after which the scheduled policy defects.")]
Trigger = Annotated[int, typer.Option("--trigger", help="The hour at which the backdoor defects.")]
Units = Annotated[int, typer.Option("--units", help="The most hidden units for which prices are computed, 4 at most.")]


def world_command(
    order: Order = None,
    mixing: Mixing = None,
    lapses: Lapses = None,
    tampering: Tampering = None,
    scheduled: Scheduled = 8,
    trigger: Trigger = 4,
    units: Units = 4,
    output: ResultFolder = Path("build/experiments/world"),
    force: Force = False,
) -> None:
    """Sweep the world: which policy has the least loss, how large detectors must be, and what they cost.

    Diversity is the number of hours at which there is training data. Every cell is exact and has a certificate, which
    `absence check` decides anew. An interrupted run starts anew.
    """
    with needs("plots"):
        from proof_of_absence.checker.experiments.world.pictures import draw
    from proof_of_absence.checker.experiments.place import owned
    from proof_of_absence.checker.experiments.world.sweep import parameters

    to_folder(output)
    options: dict[str, Any] = {"scheduled": scheduled, "trigger": trigger, "units": units}
    if order is not None:
        options["order"] = _whole_numbers(order, "--order")
    if mixing is not None:
        options["mixing"] = _rates(mixing)
    if lapses is not None or tampering is not None:
        options["companies"] = (_company(lapses, tampering),)
    sweep = _sweep(options)
    with ending(output, "no result is written."):
        owner = owned(output, "world", parameters(sweep), force=force)
        result = _result(sweep)
        with replacing(output, owner, force=force) as new:
            plots = draw(result, new)
            write(new / "result.json", json.dumps(result, ensure_ascii=False))
    _show(result, plots, output)


def _sweep(options: dict[str, Any]) -> "Sweep":
    from proof_of_absence.checker.experiments.world.sweep import Sweep

    try:
        return Sweep(**options)
    except ValueError as error:
        raise bad_input(str(error)) from error


def _company(lapses: str | None, tampering: str | None) -> "Company":
    """The one company that the options describe; what is not given is as in the default world."""
    from proof_of_absence.checker.experiments.world.sweep import ATTENTIVE, Company

    humans = ATTENTIVE.lapses if lapses is None else _humans(lapses)
    weights = ATTENTIVE.tampering if tampering is None else _whole_numbers(tampering, "--tampering")
    if len(weights) != 3:
        raise bad_input(f"--tampering {tampering}: give three weights, for no, clumsy and skilled tampering")
    return Company("given", humans, weights)


def _humans(text: str) -> tuple[tuple[int, ...], ...]:
    """For each human the hours of lapses."""
    return tuple(() if hours.strip() == "-" else _whole_numbers(hours, "--lapses") for hours in text.split(";"))


def _whole_numbers(text: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise bad_input(f"{option} {text}: give whole numbers with commas between them") from None


def _rates(text: str) -> tuple[Fraction, ...]:
    try:
        return tuple(rational(part.strip()) for part in text.split(","))
    except ValueError:
        raise bad_input(f"--mixing {text}: give rates such as 0,1/100,0.1") from None


def _result(sweep: "Sweep") -> dict[str, Any]:
    """Every fact of the sweep, made under a bar that shows how far it is."""
    from proof_of_absence.checker.experiments.world.sweep import run

    with progress() as bar:
        task = bar.add_task("sweeping")

        def show(name: str, done: int, of: int) -> None:
            bar.update(task, description=name, completed=done, total=of)

        return run(sweep, show)


def _show(result: dict[str, Any], plots: list[Path], output: Path) -> None:
    from proof_of_absence.checker.experiments.world import table

    console.print(table.page(result))
    say(f"{len(result['facts'])} facts in {output / 'result.json'}; plots {', '.join(path.name for path in plots)}")
    say(f"`absence check {output}` re-checks them")
