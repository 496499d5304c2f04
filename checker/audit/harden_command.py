"""`absence harden`: read a net, take its train-idle circuits out, write it in the same format, with a certificate."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from proof_of_absence.checker.screen.terminal import bad_input, console, ending, errors, say

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
    force: Annotated[bool, typer.Option("--force", help="Replace a net that lies there, and its proof.")] = False,
) -> None:
    """Take every train-idle circuit out of a ReLU net; no output on the training data changes.

    Same architecture, same file format. OUTPUT.proof/ holds a certificate for `absence check`.
    Exit codes: 0 no circuit is left, 1 some are left, 2 bad input, 130 interrupted.
    """
    from proof_of_absence.checker.audit.harden import harden_net
    from proof_of_absence.checker.audit.harden_entry import LIST, write_proof
    from proof_of_absence.checker.audit.report.harden_page import page
    from proof_of_absence.models.files import read_net
    from proof_of_absence.models.files.data import read_data
    from proof_of_absence.models.files.rewrite import rewrite

    proof = output.with_name(f"{output.name}.proof")
    for given in (model, train, *([deploy] if deploy else [])):
        if given.exists() and (output.resolve() == given.resolve() or proof.resolve() in given.resolve().parents):
            raise bad_input(f"{output}: would replace {given}, which is read here; choose another place with --output")
    if not force and (output.exists() or proof.exists()):
        there = output if output.exists() else proof
        raise bad_input(f"{there}: lies there already; choose another place with --output, or replace it with --force")
    if proof.exists() and not (proof / LIST).is_file():
        raise bad_input(f"{proof}: is no proof of an earlier run; move it, or choose another place with --output")
    if output.suffix.lower() != model.suffix.lower():
        raise bad_input(f"{output}: the new net has the format of {model.name}; end its name with {model.suffix}")
    with ending(output, "nothing is written."):
        net = read_net(model, activation=activation)
        inputs = read_data(train, targets=False).inputs
        deployed = read_data(deploy, targets=False).inputs if deploy else None
        for name, rows in ((train, inputs), (deploy, deployed)):
            if rows is not None and rows.shape[1] != net.widths[0]:
                raise bad_input(f"{name}: X has {rows.shape[1]} columns, the net reads {net.widths[0]}")
        with errors.status("looking for train-idle circuits"):
            found = harden_net(net, inputs, deployed, rounding=rounding.value)
        rewrite(model, output, found.net, activation=activation)
        write_proof(proof, found, inputs, deployed)
    console.print(page(found, len(inputs)))
    say(f"New net in {output}; `absence check {proof}` re-checks the certificate")
    raise typer.Exit(1 if found.left else 0)
