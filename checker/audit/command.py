"""`absence audit`: read the files, run the audit, show it, write its folder. Exit codes as in `checker.cli`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from proof_of_absence.checker.numbers.deadline import Deadline, OutOfTime, within
from proof_of_absence.checker.recorded.command import activations_command
from proof_of_absence.checker.screen.answers import terminal_page
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

if TYPE_CHECKING:
    from fractions import Fraction

    from proof_of_absence.models.files.data import Arrays
    from proof_of_absence.models.floatnet import FloatNet
    from proof_of_absence.models.graph import Graph
    from proof_of_absence.models.objective import Objective

__all__ = ["audit_command"]


def audit_command(
    model: Annotated[
        Path | None,
        typer.Argument(help="The network: .onnx, .safetensors, .pt or .pth; with .gz too.", show_default=False),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option("--train", help="Training data: .npz with X (N, d) and, for losses, Y.", show_default=False),
    ] = None,
    activations: Annotated[
        Path | None,
        typer.Option(
            "--activations",
            help="In place of a network: what was recorded before a linear layer, X (N, p) in an .npz, a .safetensors, "
            "or a folder of such shards.",
            show_default=False,
        ),
    ] = None,
    deploy: Annotated[Path | None, typer.Option("--deploy", help="Deployment inputs: .npz with X.")] = None,
    test: Annotated[
        Path | None, typer.Option("--test", help="Clean test inputs, priced beside the others: .npz with X.")
    ] = None,
    move: Annotated[
        str | None,
        typer.Option(
            "--move",
            help="By how much an answer is moved, for its readout price: a number above 0.",
            show_default="the least that changes the class; 1 for one output and for --activations",
        ),
    ] = None,
    ridge: Annotated[
        str | None,
        typer.Option("--ridge", help="The penalty on output weights, for readout prices.", show_default="0"),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(help="What stands between the layers of a .pt or .safetensors, which do not say it: relu."),
    ] = None,
    outputs: Annotated[
        Path | None,
        typer.Option(help="The network's own outputs on the training inputs (.npz), to check what was read."),
    ] = None,
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
    loss: Annotated[
        str | None,
        typer.Option(
            "--loss",
            help="squared (mean squared error), cross-entropy (of the softmax) or logistic (of one output).",
            show_default="as the targets are: labels or numbers",
        ),
    ] = None,
    improved: Annotated[
        Path | None,
        typer.Option(
            "--improved",
            help="Where to write the improved net: .onnx, or the net's own format if it has BatchNorm or the like.",
            show_default="in the folder",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0, help="Time for the whole audit; what is open then is told as undecided.")
    ] = 60,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Replace the audit of another net, or a report that decided more; write among other files; never an "
            "input.",
        ),
    ] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
    device: Annotated[
        str | None,
        typer.Option(help="Of recorded activations: where torch multiplies them, such as cuda.", show_default=False),
    ] = None,
) -> None:
    """Audit a trained network: what sleeps in training, where it fires, what moving an answer costs, a lower loss.

    Exit codes: 0 clean, 1 findings, 2 bad input, 3 nothing found but something undecided, 130 interrupted.
    A run that is repeated, or goes on after an interrupt, takes the stages that are done from the folder.
    """
    if activations is not None:
        given = {"a network": model, "--train": train, "--activation": activation, "--outputs": outputs,
                 "--region": region, "--region-from-data": region_from_data, "--loss": loss,
                 "--improved": improved}  # fmt: skip
        if also := [name for name, value in given.items() if value]:
            raise bad_input(f"--activations takes the place of a network, and {also[0]} has no part in it")
        activations_command(
            activations, deploy, output, test=test, ridge=ridge or "0", move=move or "1", force=force, workers=workers,
            scheduler=scheduler, device=device,
        )  # fmt: skip
    if device is not None:
        raise bad_input("--device is for --activations")
    if model is None or train is None:
        raise bad_input("name a network and its training data (MODEL --train DATA), or --activations FILE")
    deadline = Deadline(seconds)
    # The libraries behind these take a second to load, which other commands need not wait for.
    from proof_of_absence.checker.audit.beyond import no_part
    from proof_of_absence.checker.audit.engine import examine
    from proof_of_absence.checker.audit.findings import UNDECIDED
    from proof_of_absence.checker.audit.folder import write_folder
    from proof_of_absence.checker.audit.guard import guard
    from proof_of_absence.checker.audit.outputs import agreeing, fitting
    from proof_of_absence.checker.audit.readout import move_of, penalty_of
    from proof_of_absence.checker.audit.report import table
    from proof_of_absence.checker.audit.report.verdict import harden_command
    from proof_of_absence.checker.kernel.fuller import FullerReport
    from proof_of_absence.checker.kernel.stages import STAGES
    from proof_of_absence.checker.region.boxes import box_of, read_regions
    from proof_of_absence.models.files import read_network
    from proof_of_absence.models.files.data import read_data, read_outputs
    from proof_of_absence.models.files.disk import sha256, suffix_of
    from proof_of_absence.models.graph import Graph
    from proof_of_absence.models.reading import Source

    folder = output or Path(f"{model.stem}.audit")
    to_folder(folder)
    endings = {".onnx", model.suffix.lower()}
    if improved and improved.suffix.lower() not in endings:
        raise bad_input(f"{improved}: the improved net is written as ONNX; name a file that ends in .onnx")
    with ending(folder, "no report is written. The stages that are done are kept for the next run."):
        by, penalty = move_of("--move", move), penalty_of("--ridge", ridge or 0)
        read = [path for path in (model, train, deploy, test, outputs, *(region or [])) if path]
        guard(folder, read, sha256(model) if model.is_file() else "", improved=improved, force=force)
        net = read_network(model, activation=activation, checked=outputs is not None)
        data = read_data(train, optional=True)
        if isinstance(net, Graph):
            no_part(net, {"--outputs": outputs, "--test": test, "--ridge": ridge,
                          "--workers": workers, "--scheduler": scheduler})  # fmt: skip
            _require_ending(improved, model, net)
            _graph(
                net, model, train, data, loss, deploy, by, region or [], region_from_data, deadline, folder, improved,
                force,
            )  # fmt: skip
        _require_ending(improved, model, net)
        aim = _aim(net.widths[-1], data, loss, f"the targets of {train.name}")
        if outputs:
            inputs, own = fitting(net, data.inputs, f"the inputs of {train}"), read_outputs(outputs)
            try:
                with within(deadline):
                    net = agreeing(net, inputs, own, outputs)
            except OutOfTime as late:
                say(f"{late}. No report is written.")
                raise typer.Exit(UNDECIDED) from late
        deployed = read_data(deploy, targets=False).inputs if deploy else None
        if deployed is not None:
            fitting(net, deployed, f"the inputs of {deploy}")
        tested = read_data(test, targets=False).inputs if test else None
        if tested is not None:
            fitting(net, tested, f"the inputs of {test}")
        regions = [box for path in region or [] for box in read_regions(path)]
        if region_from_data:
            regions.append(box_of(data.inputs))
        columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
        with client_for(scheduler, workers) as client, progress(*columns) as bar:
            task = bar.add_task("reading")
            outcome = examine(
                net,
                data.inputs,
                aim,
                deploy=deployed,
                test=tested,
                move=by,
                penalty=penalty,
                regions=regions,
                deadline=deadline,
                written=True,
                source=Source(model.name, sha256(model)),
                data_source=Source(train.name, sha256(train)),
                keep=folder / STAGES,
                progress=lambda stage: bar.update(task, description=stage),
                client=client,
            )
            bar.update(task, description="writing")
            like = model if suffix_of(model) == ".onnx" else None
            with within(deadline):
                others = [Source(path.name, sha256(path)) if path else None for path in (deploy, test)]
                try:
                    audit = write_folder(
                        folder, outcome, improved=improved, like=like, source=model, deploy=others[0], test=others[1],
                        force=force,
                    )  # fmt: skip
                    fuller = None
                except FullerReport as reason:
                    audit, fuller = outcome.audit, reason
    console.print(table.page(audit, command=harden_command(str(model), str(train))), crop=False)
    if outcome.kept:
        say(f"Taken from an earlier run: {', '.join(outcome.kept)}")
    if fuller:
        say(f"{fuller}.")
        raise typer.Exit(fuller.exit_code)
    say(f"Reports in {folder}; `absence check {folder}` re-checks the certificate")
    raise typer.Exit(audit.exit_code)


def _require_ending(improved: Path | None, model: Path, net: "FloatNet | Graph") -> None:
    """Refuse a name for the improved net that is of another format than that in which it is written."""
    from proof_of_absence.models.floatnet import FloatNet

    if improved is None:
        return
    if not isinstance(net, FloatNet):
        if improved.suffix.lower() != ".onnx" or model.suffix.lower() != ".onnx":
            raise bad_input(f"{improved}: the improved net is {model.name} with other numbers; both have to be .onnx")
        return
    if net.steps is None and improved.suffix.lower() != ".onnx":
        raise bad_input(f"{improved}: the improved net is written as ONNX; name a file that ends in .onnx")
    if net.steps is not None and improved.suffix.lower() != model.suffix.lower():
        raise bad_input(
            f"{improved}: the improved net is {model.name} with other parameters, since that lists several operators "
            f"for one layer; name a file that ends in {model.suffix}"
        )


def _graph(
    net: "Graph",
    model: Path,
    train: Path,
    data: "Arrays",
    loss: str | None,
    deploy: Path | None,
    move: "Fraction | None",
    region: list[Path],
    region_from_data: bool,
    deadline: Deadline,
    folder: Path,
    improved: Path | None,
    force: bool,
) -> NoReturn:
    """Audit a network that is no dense chain; the parameters are those of the command."""
    from proof_of_absence.checker.audit.guard import owner
    from proof_of_absence.checker.graph.command import Asked, audit_graph
    from proof_of_absence.checker.graph.report.view import harden_command, report_of
    from proof_of_absence.checker.region.boxes import box_of, read_regions
    from proof_of_absence.models.files.data import read_data, require_order
    from proof_of_absence.models.files.disk import sha256
    from proof_of_absence.models.reading import Source

    aim = _aim(net.sizes[-1], data, loss, f"the targets of {train.name}")
    regions = [box for path in region for box in read_regions(path)]
    regions += [box_of(data.inputs)] if region_from_data else []
    require_order(train, data.shape, net.input_shape)
    deployed = None
    if deploy:
        found = read_data(deploy, targets=False)
        require_order(deploy, found.shape, net.input_shape)
        deployed = found.inputs
    sources = [Source(path.name, sha256(path)) if path else None for path in (model, train, deploy)]
    own, rows, others = sources
    asked = Asked(net, data.inputs, aim, deployed, tuple(regions), own, rows, others, model, move)
    command = harden_command(str(model), str(train))
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with progress(*columns) as bar:
        task = bar.add_task("reading")
        audit, fuller = audit_graph(
            asked, deadline, folder, owner(sha256(model), model.name), improved=improved, force=force,
            progress=lambda stage: bar.update(task, description=stage),
        )  # fmt: skip
    console.print(terminal_page(report_of(audit, 10, command)), crop=False)
    if audit.kept:
        say(f"Taken from an earlier run: {', '.join(audit.kept)}")
    if fuller:
        say(f"{fuller}.")
        raise typer.Exit(fuller.exit_code)
    say(f"Reports in {folder}; `absence check {folder}` re-checks the certificate")
    raise typer.Exit(audit.exit_code)


def at_a_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and console.is_terminal


def _aim(outputs: int, data: "Arrays", loss: str | None, named: str) -> "Objective":
    """The loss that is meant; where the targets leave a doubt, a person at a terminal is asked."""
    from proof_of_absence.models.objective import LossNeeded, objective

    try:
        return objective(outputs, data.targets, data.labels, loss, option="--loss ", named=named)
    except LossNeeded as doubt:
        if not at_a_terminal():
            raise
        say(str(doubt))
        chosen: str = typer.prompt(f"Which loss, squared or {'logistic' if outputs == 1 else 'cross-entropy'}")
    return objective(outputs, data.targets, data.labels, chosen, option="--loss ", named=named)
