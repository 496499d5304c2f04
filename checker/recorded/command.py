"""`absence audit --activations`: read recordings, audit them, show what was found, write its folder."""

from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import typer

from proof_of_absence.checker.screen.answers import terminal_page
from proof_of_absence.checker.screen.terminal import (
    bad_input,
    client_for,
    console,
    ending,
    needs,
    progress,
    say,
    to_folder,
)

__all__ = ["activations_command"]

# Squares of what is smaller or larger are out of reach of floats.
LEAST = Fraction(1, 2**300)


def activations_command(
    path: Path,
    deploy: Path | None,
    output: Path | None,
    *,
    test: Path | None,
    ridge: str,
    move: str,
    force: bool,
    workers: int | None,
    scheduler: str | None,
    device: str | None,
) -> NoReturn:
    """Audit what was recorded elsewhere; exit codes as those of `absence audit`."""
    penalty, step = _number("--ridge", ridge), _number("--move", move)
    if not step:
        raise bad_input("--move 0: a move by nothing has no price; name a number above 0")
    if device is not None:
        _require_device(device)
    from proof_of_absence.checker.recorded.engine import Asked, examine
    from proof_of_absence.checker.recorded.folder import STATE, guard, half_written, named_from, write_folder
    from proof_of_absence.checker.recorded.report.view import report_of
    from proof_of_absence.checker.recorded.shards import Passes
    from proof_of_absence.models.files.recording import read_recording

    folder = output or Path(f"{path.resolve().name.removesuffix(path.suffix)}.audit")
    to_folder(folder)
    with ending(folder, "no report is written. What was seen of the rows is kept for the next run."):
        guard(folder, path.name, [given for given in (path, deploy, test) if given], force=force)
        recording = read_recording(path, deploy, test=test)
        rows = sum(part.rows for part in recording.parts)
        with half_written(folder, STATE), client_for(scheduler, workers) as client, progress() as bar:
            task = bar.add_task("rows", total=rows)
            passes = Passes(folder / STATE, client, device)
            audit = examine(
                [recording],
                Asked(
                    move=step,
                    penalty=penalty,
                    named=lambda file: named_from(folder, file),
                    passes=passes,
                    told=lambda more: bar.advance(task, more),
                ),
            )
        went_on = passes.went_on
        passes.forget()
        write_folder(folder, audit, path.name, force=force)
    console.print(terminal_page(report_of(audit, 10)), crop=False)
    if went_on:
        say(f"Taken from an earlier run: {went_on:,} training rows")
    say(f"Reports in {folder}; `absence check {folder}` re-checks the certificate")
    raise typer.Exit(audit.exit_code)


def _number(option: str, text: str) -> Fraction:
    """An exact number within the reach of floats."""
    try:
        number = Fraction(text)
    except (ValueError, ZeroDivisionError):
        number = Fraction(-1)
    if number and not LEAST <= number <= 1 / LEAST:
        raise bad_input(f"{option} {text}: is no number from 0 to 2^300; write 0.1 or 1/10")
    return number


def _require_device(device: str) -> None:
    """End the command unless torch can add two numbers there."""
    with needs("torch"):
        import torch
    try:
        torch.zeros(1, dtype=torch.float64, device=device) + 1
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise bad_input(f"--device {device}: no device of this name works here; leave it out, or name cpu") from error
