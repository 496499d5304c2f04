"""The certificate of an audit of a graph: the graph and the rows as arrays, and beside them the facts that were found.

`checker/independent/results/graph.py` reads the folder with code of its own and decides every fact anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.graph.findings import GraphAudit, GraphImprovement, NodeFinding, State
from proof_of_absence.checker.graph.readout_facts import graph_readout_fact, together_fact
from proof_of_absence.checker.graph.report.report_json import data_json, net_json
from proof_of_absence.checker.kernel.graph_certificate import certificate_files
from proof_of_absence.checker.kernel.graph_facts import (
    firing_fact,
    float32_fact,
    idle_fact,
    irrelevant_fact,
    losses_fact,
    lower_loss_fact,
)
from proof_of_absence.checker.kernel.lock import version_of
from proof_of_absence.checker.numbers.enclosure import of_ends
from proof_of_absence.models.files.disk import replace as write
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.objective import Loss
from proof_of_absence.models.reading import Source

__all__ = ["Audited", "certify", "facts_of", "idle_facts", "lower_loss"]


@dataclass(frozen=True, eq=False)
class Audited:
    """An audit of a graph with what it is about: inputs (N, d), targets (N, m) and deployment inputs (D, d)."""

    audit: GraphAudit
    graph: Graph
    inputs: np.ndarray
    targets: np.ndarray | None = None
    deploy: np.ndarray | None = None
    deploy_source: Source | None = None


def certify(folder: Path, audited: Audited) -> GraphAudit:
    """Write the graph, the data and, last, certificate.json.

    Returns the audit with the losses as the facts state them: a little wider than they were found, so that bounds of
    another arithmetic confirm them. What is undecided is named in the certificate, and nothing is claimed of it.
    """
    facts, audit = facts_of(audited)
    end = audit.end
    files = certificate_files(
        audited.graph, audited.inputs, facts, deploy=audited.deploy, targets=audited.targets,
        factor=end.readout.factor if end and end.readout else None, about=_about(audit, audited.deploy_source),
    )  # fmt: skip
    for name, data in files.items():
        write(folder / name, data)
    return audit


def facts_of(audited: Audited) -> tuple[list[dict[str, Any]], GraphAudit]:
    """The facts that an audit found, and the audit with its losses as they state them."""
    audit = audited.audit
    facts = idle_facts(audit.nodes, audit.data.rows)
    if audit.deployment_rows is not None:
        looked = (node for node in audit.nodes if node.fires is not None)
        facts += [firing_fact(n.node, audit.deployment_rows, n.fires or {}, n.open_fires) for n in looked]
    facts += [irrelevant_fact(b.node, b.box, b.bounds, b.still, b.acts, b.trees) for b in audit.boxes]
    if audit.end is not None and audit.end.readout is not None:
        facts.append(graph_readout_fact(audit.end.readout))
    if audit.end is not None and audit.end.together:
        facts.append(together_fact(audit.end.node, audit.end.together))
    if audit.float32_deviation is not None:
        facts.append(float32_fact(audit.float32_deviation))
    data = audit.data
    if data.loss is not None and data.noise_floor is not None:
        fact = losses_fact(Loss(data.loss_name), data.loss, data.noise_floor)
        facts.append(fact)
        data = replace(data, loss=of_ends(fact["loss"]), noise_floor=of_ends(fact["noise_floor"]))
    if audit.improvement is not None:
        facts.append(lower_loss(audit.improvement, Loss(data.loss_name)))
    return facts, replace(audit, data=data)


def idle_facts(nodes: Iterable[NodeFinding], rows: int) -> list[dict[str, Any]]:
    """What the units of each node do at so many training rows."""
    return [_idle(node, rows) for node in nodes]


def _idle(node: NodeFinding, rows: int) -> dict[str, Any]:
    varies = node.states == State.VARIES
    # A number with roots has no value here, and none is stated.
    constant = {entry: node.values.get(entry) for entry in np.flatnonzero(node.states == State.CONSTANT).tolist()}
    return idle_fact(
        node.node, rows, dead=np.flatnonzero(node.states == State.DEAD).tolist(),
        constant=constant, undecided=np.flatnonzero(node.states == State.UNDECIDED).tolist(),
        witness=node.witness[varies].tolist(), unread=np.flatnonzero(~node.read).tolist(),
    )  # fmt: skip


def lower_loss(found: GraphImprovement, of: Loss) -> dict[str, Any]:
    """That a network has a lower loss of this kind."""
    units = ((one.unit, one.weights, one.bias, one.outgoing) for one in found.units)
    return lower_loss_fact(of, found.node, units, found.output_bias, found.loss_before, found.loss_after)


def _about(audit: GraphAudit, deploy: Source | None) -> dict[str, Any]:
    """What the report says that no fact shows: of files, of what is open, and our version."""
    return {
        "net": net_json(audit.net),
        "data": data_json(audit.data),
        "improved": None if audit.improvement is None else audit.improvement.file,
        "unimproved": audit.unimproved,
        "unpriced": audit.unpriced,
        "undecided": list(audit.undecided),
        "not_asked": list(audit.not_asked),
        "deploy": deploy and {"source": deploy.name, "sha256": deploy.sha256},
        "program": version_of("proof-of-absence"),
    }
