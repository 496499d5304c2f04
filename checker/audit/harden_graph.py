"""`absence harden` of a network that is no chain of dense layers: harden it, and write it with its proof beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np
import typer

from proof_of_absence.checker.audit.beyond import no_part
from proof_of_absence.checker.graph.harden_folder import harden_graph, proof_owner, write_proof
from proof_of_absence.checker.graph.report.harden_page import page
from proof_of_absence.checker.screen.terminal import console, errors, say
from proof_of_absence.models.files.disk import sha256
from proof_of_absence.models.files.graph_write import changeable, rewrite
from proof_of_absence.models.files.whole import placing
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.reading import Source

__all__ = ["write_hardened_graph"]


def write_hardened_graph(
    graph: Graph,
    inputs: np.ndarray,
    deploy: np.ndarray | None,
    output: Path,
    proof: Path,
    read: Mapping[str, Path | None],
    *,
    force: bool,
    options: Mapping[str, object],
) -> NoReturn:
    """Write the hardened network to `output` and its proof into a folder, show what was done, and end the command.

    Parameters
    ----------
    read
        The files that were read, under the names net, train and deploy.
    options
        Options by their names that have no part here if they are given.

    Raises
    ------
    InputError
        If an option is for dense chains, a unit is undecided, or the file does not hold the new weights.
    """
    no_part(graph, options)
    net = read["net"]
    assert net is not None
    with errors.status("looking for train-idle units"):
        made = harden_graph(graph, inputs, deploy, changeable(net))
    files = {name: Source(path.name, sha256(path)) if path else None for name, path in read.items()}
    # The network comes last: no new one lies anywhere without its proof, whatever happens.
    with placing() as places:
        write_proof(places.folder(proof, proof_owner(graph, net.name), force=force), made, files)
        rewrite(net, output, made.found.graph, spare=places.file(output))
    console.print(page(made))
    say(f"New network in {output}; `absence check {proof}` re-checks the certificate")
    raise typer.Exit(1 if made.found.left else 0)
