"""`absence audit --activations`: read recordings, audit them, show what was found, write its folder."""

from pathlib import Path
from typing import NoReturn

import typer

from proof_of_absence.checker.screen.terminal import console, ending, progress, say, to_folder

__all__ = ["activations_command"]


def activations_command(path: Path, deploy: Path | None, output: Path | None, *, force: bool) -> NoReturn:
    """Audit what was recorded elsewhere; exit codes as those of `absence audit`."""
    from proof_of_absence.checker.recorded.engine import Asked, examine
    from proof_of_absence.checker.recorded.folder import guard, named_from, write_folder
    from proof_of_absence.checker.recorded.report import terminal
    from proof_of_absence.models.files.recording import read_recording

    folder = output or Path(f"{path.resolve().name.removesuffix(path.suffix)}.audit")
    to_folder(folder)
    with ending(folder, "no report is written."):
        guard(folder, path.name, [given for given in (path, deploy) if given], force=force)
        recording = read_recording(path, deploy)
        rows = sum(part.rows for part in (*recording.train, *recording.deploy))
        with progress() as bar:
            task = bar.add_task("rows", total=rows)
            audit = examine(
                [recording],
                Asked(
                    named=lambda file: named_from(folder, file),
                    told=lambda more: bar.advance(task, more),
                ),
            )
        write_folder(folder, audit, path.name, force=force)
    console.print(terminal.page(audit))
    say(f"Reports in {folder}; `absence check {folder}` re-checks the certificate")
    raise typer.Exit(audit.exit_code)
