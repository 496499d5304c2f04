"""`absence audit`: read the files, run the audit, show it, write its folder. Exit codes: see `checker.audit.findings`."""

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from absence.checker.audit.findings import BAD_INPUT
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

__all__ = ["audit_command", "client_for"]

console = Console()
errors = Console(stderr=True)


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
    seconds: Annotated[float, typer.Option(min=0, help="Time for all questions about regions together.")] = 60,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes on this machine that take part.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Address of a dask scheduler whose workers take part.")
    ] = None,
) -> None:
    """Audit a trained ReLU net: train-idle circuits, where they fire, what they cost, and a net with a lower loss.

    Exit codes: 0 clean, 1 findings, 2 bad input, 3 nothing found but something undecided, 130 interrupted.
    A run that is repeated, or goes on after an interrupt, takes the stages that are done from the folder.
    """
    # The libraries behind these take a second to load, which other commands need not wait for.
    from absence.checker.audit import table
    from absence.checker.audit.folder import STAGES, write_folder
    from absence.checker.audit.run import Source, box_of, examine, read_region
    from absence.models.files import InputError, read_net
    from absence.models.files.data import read_data

    folder = output or Path(f"{model.stem}.audit")
    if workers is not None and scheduler is not None:
        raise _bad_input("--workers starts processes here, --scheduler asks for them elsewhere; choose one")
    if folder.exists() and not folder.is_dir():
        raise _bad_input(f"{folder} is not a folder; name another with --output")
    if improved and improved.suffix.lower() != ".onnx":
        raise _bad_input(f"{improved}: the improved net is written as ONNX; name a file that ends in .onnx")
    try:
        with ExitStack() as stack:
            net = read_net(model)
            data = read_data(train)
            deployed = read_data(deploy, targets=False).inputs if deploy else None
            regions = [read_region(path) for path in region or []]
            if region_from_data:
                regions.append(box_of(data.inputs))
            client = client_for(stack, scheduler, workers)
            bar = Progress(
                SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn(),
                console=errors, transient=True, disable=not errors.is_terminal,
            )  # fmt: skip
            stack.enter_context(bar)
            task = bar.add_task("reading")
            outcome = examine(
                net,
                data.inputs,
                data.targets,
                deploy=deployed,
                regions=regions,
                seconds=seconds,
                source=Source(model.name, _sha256(model)),
                data_source=Source(train.name, _sha256(train)),
                keep=folder / STAGES,
                progress=lambda stage: bar.update(task, description=stage),
                client=client,
            )
            bar.update(task, description="writing")
            like = model if model.suffix.lower() == ".onnx" else None
            audit = write_folder(folder, outcome, improved=improved, like=like)
    except InputError as error:
        raise _bad_input(str(error)) from error
    except OSError as error:
        # Files are written under another name first, which would tell nobody anything.
        place = Path(error.filename).parent if error.filename else folder
        raise _bad_input(f"{place}: {error.strerror or error}; choose another place with --output") from error
    except KeyboardInterrupt as interrupt:
        errors.print("Interrupted; no report is written. The stages that are done are kept for the next run.")
        raise typer.Exit(130) from interrupt
    console.print(table.page(audit))
    if outcome.kept:
        told = f"Taken from an earlier run: {', '.join(outcome.kept)}"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"Reports in {folder}; `absence check {folder}` re-checks the certificate",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    raise typer.Exit(audit.exit_code)


def _bad_input(message: str) -> typer.Exit:
    errors.print(f"absence: {message}", highlight=False, soft_wrap=True, markup=False)
    return typer.Exit(BAD_INPUT)


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def client_for(stack: ExitStack, scheduler: str | None, workers: int | None):
    """A client of dask.distributed, or None if nobody asked for one; what is wrong ends the command in one line."""
    if scheduler is None and workers is None:
        return None
    try:
        from absence.checker.audit.distributed import cluster
    except ImportError as error:
        raise _bad_input(f"{error.name} is missing; install it with pip install 'absence[distributed]'") from error
    try:
        return stack.enter_context(cluster(scheduler, workers))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise _bad_input(f"{scheduler or 'local workers'}: no scheduler answers there ({reason})") from error
