"""`absence harden`: read a net, take its train-idle circuits out, write it in the same format, with a certificate."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proof_of_absence.checker.screen.terminal import bad_input, console, ending, errors, say

if TYPE_CHECKING:
    from proof_of_absence.checker.audit.compress import Compressed
    from proof_of_absence.models.editing import Edits
    from proof_of_absence.models.floatnet import FloatNet

__all__ = ["harden_command"]


class RoundingChoice(StrEnum):
    """What is done with a constant that no bias holds."""

    EXACT = "exact"
    NEAREST = "nearest"


def harden_command(
    model: Annotated[Path, typer.Argument(help="The network: .onnx, .safetensors, .pt or .pth.")],
    train: Annotated[Path, typer.Option("--train", help="Training data: .npz with X (N, d).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the new net, in the same format.")],
    deploy: Annotated[Path | None, typer.Option("--deploy", help="Deployment inputs: .npz with X.")] = None,
    activation: Annotated[
        str | None,
        typer.Option(help="What stands between the layers of a .pt or .safetensors, which do not say it: relu."),
    ] = None,
    rounding: Annotated[
        RoundingChoice,
        typer.Option(help="For constants that no bias holds: leave the circuit (exact), or round the bias (nearest)."),
    ] = RoundingChoice.EXACT,
    compress: Annotated[
        bool, typer.Option("--compress", help="Then delete units that send nothing; with --region, more of them.")
    ] = False,
    region: Annotated[
        Path | None,
        typer.Option("--region", help="With --compress: a box (VNN-LIB) outside of which outputs may change."),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(min=0, help="With --region: for the search of units that bounds do not show to be stable there."),
    ] = 20,
    force: Annotated[bool, typer.Option("--force", help="Replace a net that lies there, and its proof.")] = False,
) -> None:
    """Take every train-idle circuit out of a ReLU net; no output on the training data changes.

    Same architecture, same file format. OUTPUT.proof/ holds a certificate for `absence check`. With --compress the net
    is then made smaller: in the box, or everywhere without one, its outputs stay those of the hardened net, over the
    reals. This has a certificate of its own in OUTPUT.compression/. With --deploy it is told what a move of the answer
    costs there by the output weights, before and after.
    Exit codes: 0 no circuit is left, 1 some are left, 2 bad input, 130 interrupted.
    """
    from proof_of_absence.checker.audit.compress import compress_net
    from proof_of_absence.checker.audit.compress_certify import NAME, certify_compression
    from proof_of_absence.checker.audit.harden import harden_net
    from proof_of_absence.checker.audit.harden_entry import LIST, proof_owner, write_proof
    from proof_of_absence.checker.audit.harden_graph import write_hardened_graph
    from proof_of_absence.checker.audit.harden_prices import repriced
    from proof_of_absence.checker.audit.report.compress_page import compress_page
    from proof_of_absence.checker.audit.report.harden_page import page, prices_page
    from proof_of_absence.checker.audit.tied_hardening import PROOF, SMALLER
    from proof_of_absence.checker.region.boxes import read_regions
    from proof_of_absence.models.files import read_network
    from proof_of_absence.models.files.data import read_data, require_order
    from proof_of_absence.models.files.rewrite import rewrite
    from proof_of_absence.models.files.whole import Owner, placeable, placing
    from proof_of_absence.models.graph import Graph

    if region and not compress:
        raise bad_input("--region goes with --compress; a net is hardened on the training data, not on a region")
    # Each folder with a file by which one of ours is known.
    folders = {output.with_name(output.name + PROOF): LIST}
    if compress:
        folders[output.with_name(output.name + SMALLER)] = NAME
    given = [path for path in (model, train, deploy, region) if path]
    _refuse_to_replace(output, folders, given, force=force)
    if (earlier := output.with_name(output.name + SMALLER)) not in folders and earlier.exists():
        raise bad_input(f"{earlier}: is of an earlier net; move it, or choose another place with --output")
    if output.suffix.lower() != model.suffix.lower():
        raise bad_input(f"{output}: the new net has the format of {model.name}; end its name with {model.suffix}")
    with ending(output, "nothing is written."):
        for folder in folders:
            placeable(folder, Owner("harden"), force=force, read=given)
        net = read_network(model, activation=activation)
        data = [(train, read_data(train, optional=True))]
        data += [(deploy, read_data(deploy, targets=False))] if deploy else []
        fan_in = net.sizes[0] if isinstance(net, Graph) else net.widths[0]
        for name, rows in data:
            if rows.inputs.shape[1] != fan_in:
                raise bad_input(f"{name}: X has {rows.inputs.shape[1]} columns, the net reads {fan_in}")
            if isinstance(net, Graph):
                require_order(name, rows.shape, net.input_shape)
        inputs, deployed = data[0][1].inputs, data[1][1].inputs if deploy else None
        if isinstance(net, Graph):
            nearest = None if rounding is RoundingChoice.EXACT else rounding
            write_hardened_graph(
                net, inputs, deployed, output, next(iter(folders)), {"net": model, "train": train, "deploy": deploy},
                force=force, options={"--compress": compress, "--region": region, "--rounding": nearest},
            )  # fmt: skip
        boxes = read_regions(region) if region else []
        if len(boxes) > 1:
            raise bad_input(f"{region}: holds {len(boxes)} boxes; a net is made smaller for one of them")
        box = boxes[0] if boxes else None
        with errors.status("looking for train-idle circuits"):
            found = harden_net(net, inputs, deployed, rounding=rounding.value)
        with errors.status("looking for units that are stable on the region"):
            smaller = compress_net(found.net, box, seconds=seconds) if compress else None
        nets = {"before": found.before, "hardened": found.net} | ({"smaller": smaller.net} if smaller else {})
        with errors.status("pricing moves of the answer at the deployment inputs"):
            prices = repriced(nets, inputs, deployed) if deployed is not None else None
        owner, (proof, *others) = proof_owner(found.before, model.name), folders
        # The net comes last: no new net lies anywhere without its proofs, whatever happens.
        with placing() as places:
            read = {"net": model, "train": train, "deploy": deploy}
            write_proof(places.folder(proof, owner, force=force), found, inputs, deployed, read)
            if smaller:
                certify_compression(places.folder(others[0], owner, force=force), smaller)
            new = smaller.net if smaller else found.net
            edits = _edits(net, found.net, smaller)
            rewrite(model, output, new, activation=activation, spare=places.file(output), edits=edits)
    console.print(page(found, len(inputs)))
    if prices:
        console.print(prices_page(prices))
    if smaller:
        console.print(compress_page(smaller, inputs))
    checks = " and ".join(f"`absence check {folder}`" for folder in folders)
    say(f"New net in {output}; {checks} re-check{'' if others else 's'} the certificate{'s' if others else ''}")
    raise typer.Exit(1 if found.left else 0)


def _edits(read: "FloatNet", hardened: "FloatNet", smaller: "Compressed | None") -> "Edits | None":
    """What makes the smaller net of the file, where that lists several operators for a layer."""
    from proof_of_absence.models.editing import edited
    from proof_of_absence.models.shrinking import then

    if smaller is None or smaller.edits is None or read.steps is None or hardened.steps is None:
        return None
    first = edited(read.steps, hardened.steps)
    assert first is not None
    return then(first, smaller.edits)


def _refuse_to_replace(output: Path, folders: dict[Path, str], given: list[Path], *, force: bool) -> None:
    """End the command if a file that is read, or anything that this command did not write, would be replaced."""
    for path in (path for path in given if path.exists()):
        inside = any(folder.resolve() in path.resolve().parents for folder in folders)
        if output.resolve() == path.resolve() or inside:
            raise bad_input(f"{output}: would replace {path}, which is read here; choose another place with --output")
    from proof_of_absence.checker.audit.tied_hardening import PROOF, apart

    if not force and output.is_file() and apart(output):
        raise bad_input(
            f"{output}: is not the net of {output.name}{PROOF}, as a run leaves them that was ended between the two; "
            "replace both with --force, or choose another place with --output"
        )
    for there in (output, *folders):
        if not force and os.path.lexists(there):
            raise bad_input(
                f"{there}: lies there already; choose another place with --output, or replace it with --force"
            )
    for folder, name in folders.items():
        if folder.exists() and not (folder / name).is_file():
            raise bad_input(f"{folder}: is no proof of an earlier run; move it, or choose another place with --output")
