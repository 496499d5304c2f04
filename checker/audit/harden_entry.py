"""`proof_of_absence.harden` and what it leaves: the certificate's folder and the list of what was removed."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from proof_of_absence.checker.audit.arguments import float_rows, network_of_model, row_shape
from proof_of_absence.checker.audit.beyond import no_part
from proof_of_absence.checker.audit.certify import certify
from proof_of_absence.checker.audit.harden import Hardened, Rounding, harden_net
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.independence import rank_findings
from proof_of_absence.checker.audit.report.json_report import encode, exact_text
from proof_of_absence.checker.audit.sources import digest_of
from proof_of_absence.checker.graph import harden_folder
from proof_of_absence.checker.graph.harden_folder import Hardening, harden_graph
from proof_of_absence.checker.graph.held import changeable_in
from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.models.files.data import require_order
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.whole import Owner, placeable, replacing
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.graph import Graph

__all__ = ["LIST", "harden", "proof_owner", "write_proof"]

LIST = "hardening.json"


def harden(
    model: Any, X: ArrayLike, deploy: ArrayLike | None = None, *, activation: str | None = None,
    rounding: Rounding = "exact", output: str | os.PathLike[str] | None = None, force: bool = False,
) -> Hardened | Hardening:  # fmt: skip
    """Take every train-idle circuit within a layer out of a net; no output on the training inputs changes.

    Parameters
    ----------
    model, activation
        As for `proof_of_absence.audit`.
    X, deploy
        Training inputs (N, d), deployment inputs (D, d): arrays, tensors or nested lists. With `deploy` each circuit
        that is removed is listed with the deployment inputs at which it fired.
    rounding
        Some constants are held by no bias of the net's type. ``"exact"`` leaves their circuits, and names them in
        `left`; ``"nearest"`` rounds the bias, and `deviation` says by how much an output changes at most.
    output
        A folder for the certificate, which ``absence check`` takes; nothing is written without it.
    force
        Replace the certificate of another net in that folder, or write among other files there.

    Returns
    -------
    What was removed and what is left; of a network that is no chain of dense layers a `Hardening`, whose `found` has
    the new graph. `state_dict_of` puts that into a torch module's parameters.

    Raises
    ------
    InputError
        If the model is no fully connected ReLU net, the arrays do not fit it, or it is not decided whether some
        circuit is idle; or if something else lies in the folder.

    Examples
    --------
    >>> import proof_of_absence
    >>> net = proof_of_absence.FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 5.0]], [0.0])])
    >>> found = proof_of_absence.harden(net, [[0.0], [1.0], [2.0]], deploy=[[2.0], [10.0]])
    >>> [circuit.fires for circuit in found.removed], found.left, found.same_in_float32
    ([(1,)], (), False)
    """
    inputs = float_rows("X", X)
    deployed = None if deploy is None else float_rows("deploy", deploy)
    net = network_of_model(model, activation, shape=row_shape(X))
    read = [Path(model)] if isinstance(model, str | os.PathLike) else []
    if isinstance(net, Graph):
        for name, values in (("X", X), ("deploy", deploy)):
            require_order(name, row_shape(values), net.input_shape)
        return _graph(model, net, inputs, deployed, rounding, output, read, force=force)
    if output is not None:
        placeable(Path(output), proof_owner(net), force=force, read=read)
    found = harden_net(net, inputs, deployed, rounding=rounding)
    if output is not None:
        with replacing(Path(output), proof_owner(net), force=force) as new:
            write_proof(new, found, inputs, deployed)
    return found


def _graph(
    model: Any, graph: Graph, inputs: np.ndarray, deploy: np.ndarray | None, rounding: Rounding,
    output: str | os.PathLike[str] | None, read: list[Path], *, force: bool,
) -> Hardening:  # fmt: skip
    """As `harden`, of a network that is no chain of dense layers."""
    no_part(graph, {"rounding": None if rounding == "exact" else rounding})
    for name, rows in (("X", inputs), ("deploy", deploy)):
        if rows is not None and rows.shape[1] != graph.sizes[0]:
            raise refused(name, f"has {rows.shape[1]} columns, the net reads {graph.sizes[0]}")
    owner = harden_folder.proof_owner(graph)
    if output is not None:
        placeable(Path(output), owner, force=force, read=read)
    made = harden_graph(graph, inputs, deploy, changeable_in(model, graph))
    if output is not None:
        with replacing(Path(output), owner, force=force) as new:
            harden_folder.write_proof(new, made)
    return made


def proof_owner(net: FloatNet, source: str = "") -> Owner:
    """Whose the folder of a proof is: that of hardening this net, read from this source."""
    return Owner("harden", content_key(net), source, "of another net")


def write_proof(
    folder: Path,
    found: Hardened,
    inputs: np.ndarray,
    deploy: np.ndarray | None,
    files: Mapping[str, Path | None] | None = None,
) -> None:
    """Write the certificate of the new net and, beside it, what was removed; the certificate comes last.

    `files` are those that were read, under the names net, train and deploy: their names and digests are noted.
    """
    told = {
        "files": {
            name: path and encode({"source": path.name, "sha256": digest_of(path)})
            for name, path in ({"net": None, "train": None, "deploy": None} | dict(files or {})).items()
        },
        "removed": encode(found.removed), "left": encode(found.left), "deviation": exact_text(found.deviation),
        "biases": [biases and [exact_text(b) for b in biases] for biases in found.biases],
        "same_in_float32": found.same_in_float32,
    }  # fmt: skip
    write(folder / LIST, json.dumps(told, indent=1) + "\n")
    units = unit_findings(found.net, inputs)
    certify(
        folder, found.net, inputs, deploy, units=units, circuits=found.left,
        ranks=rank_findings(found.net, inputs, units=units), hardened=found,
    )  # fmt: skip
