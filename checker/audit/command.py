"""`absence audit`: read the files, run the audit, show it, write its folder. Exit codes as in `checker.cli`."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from proof_of_absence.checker.numbers.deadline import Deadline, within
from proof_of_absence.checker.screen.terminal import (
    Scheduler,
    Workers,
    bad_input,
    client_for,
    console,
    ending,
    progress,
    say,
    to_folder,
)

__all__ = ["audit_command"]


def audit_command(
    model: Annotated[Path, typer.Argument(help="The network: .onnx, .safetensors, .pt or .pth.")],
    train: Annotated[Path, typer.Option("--train", help="Training data: .npz with X (N, d) and Y (N, m).")],
    deploy: Annotated[Path | None, typer.Option("--deploy", help="Deployment inputs: .npz with X.")] = None,
    region: Annotated[
        list[Path] | None,
        typer.Option("--region", help="A box of inputs (VNN-LIB) on which idle circuits must not act."),
    ] = None,
    region_from_data: Annotated[
        bool, typer.Option("--region-from-data", help="Also take the bounding box of the training inputs.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the reports.", show_default="NAME.audit")
    ] = None,
    improved: Annotated[
        Path | None,
        typer.Option("--improved", help="Where to write the improved net (.onnx).", show_default="in the folder"),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0, help="Time for the whole audit; what is open then is told as undecided.")
    ] = 60,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Audit a trained ReLU net: train-idle circuits, where they fire, what they cost, and a net with a lower loss.

    Exit codes: 0 clean, 1 findings, 2 bad input, 3 nothing found but something undecided, 130 interrupted.
    A run that is repeated, or goes on after an interrupt, takes the stages that are done from the folder.
    """
    deadline = Deadline(seconds)
    # The libraries behind these take a second to load, which other commands need not wait for.
    from proof_of_absence.checker.audit.engine import Source, box_of, examine, read_region
    from proof_of_absence.checker.audit.folder import STAGES, write_folder
    from proof_of_absence.checker.audit.report import table
    from proof_of_absence.models.files import read_net
    from proof_of_absence.models.files.data import read_data

    folder = output or Path(f"{model.stem}.audit")
    to_folder(folder)
    if improved and improved.suffix.lower() != ".onnx":
        raise bad_input(f"{improved}: the improved net is written as ONNX; name a file that ends in .onnx")
    with ending(folder, "no report is written. The stages that are done are kept for the next run."):
        net = read_net(model)
        data = read_data(train)
        deployed = read_data(deploy, targets=False).inputs if deploy else None
        regions = [read_region(path) for path in region or []]
        if region_from_data:
            regions.append(box_of(data.inputs))
        columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
        with client_for(scheduler, workers) as client, progress(*columns) as bar:
            task = bar.add_task("reading")
            outcome = examine(
                net,
                data.inputs,
                data.targets,
                deploy=deployed,
                regions=regions,
                deadline=deadline,
                written=True,
                source=Source(model.name, _sha256(model)),
                data_source=Source(train.name, _sha256(train)),
                keep=folder / STAGES,
                progress=lambda stage: bar.update(task, description=stage),
                client=client,
            )
            bar.update(task, description="writing")
            like = model if model.suffix.lower() == ".onnx" else None
            with within(deadline):
                audit = write_folder(folder, outcome, improved=improved, like=like)
    console.print(table.page(audit))
    if outcome.kept:
        say(f"Taken from an earlier run: {', '.join(outcome.kept)}")
    say(f"Reports in {folder}; `absence check {folder}` re-checks the certificate")
    raise typer.Exit(audit.exit_code)


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
