"""What `absence harden` leaves of a graph: the certificate of the new one, and the list of what was taken out."""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.graph.certify import idle_facts
from proof_of_absence.checker.graph.engine import fired, unit_findings
from proof_of_absence.checker.graph.findings import NodeFinding
from proof_of_absence.checker.graph.harden import Hardened, harden
from proof_of_absence.checker.kernel.certificate import write
from proof_of_absence.checker.kernel.graph_certificate import certificate_files
from proof_of_absence.checker.kernel.graph_facts import hardened_fact, same_in_float32_fact
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.checker.kernel.lock import version_of
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.disk import replace as write_bytes
from proof_of_absence.models.files.whole import Owner
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.reading import Source

__all__ = ["FORMAT", "LIST", "Hardening", "harden_graph", "proof_owner", "write_proof"]

LIST = "hardening.json"
FORMAT = "absence-graph-hardening/1"


@dataclass(frozen=True, eq=False)
class Hardening:
    """A hardened graph, what is known of the units before, with where they fire, and the rows that this is about."""

    found: Hardened
    nodes: tuple[NodeFinding, ...]
    inputs: np.ndarray
    deploy: np.ndarray | None


def harden_graph(
    graph: Graph,
    inputs: np.ndarray,
    deploy: np.ndarray | None = None,
    changeable: tuple[Container[int], Container[int]] | None = None,
) -> Hardening:
    """Take out of a graph what sleeps on the training inputs.

    Parameters
    ----------
    inputs, deploy
        Shapes (N, d) and (D, d), float64, finite.
    changeable
        As for `harden`.

    Raises
    ------
    InputError
        If it is not decided of some unit whether it is idle.
    """
    nodes = unit_findings(graph, inputs)
    if open_ := [node for node in nodes if node.undecided]:
        why = next(iter(open_[0].reasons.values()), "no method decided it")
        raise refused(open_[0].name, f"it is not decided of {open_[0].undecided} units whether they are idle: {why}")
    if deploy is not None:
        nodes = fired(graph, inputs, nodes, deploy)
    return Hardening(harden(graph, inputs, nodes, changeable), nodes, inputs, deploy)


def proof_owner(graph: Graph, source: str = "") -> Owner:
    """Whose the folder of a proof is: that of hardening this graph, read from this source."""
    return Owner("harden", content_key(graph), source, "of another net")


def write_proof(folder: Path, made: Hardening, files: Mapping[str, Source | None] | None = None) -> None:
    """Write the list of what was taken out and, last, the certificate of the new graph.

    `files` are those that were read, under the names net, train and deploy.
    """
    found = made.found
    told = {
        "format": FORMAT,
        "files": {name: source and {"source": source.name, "sha256": source.sha256}
                  for name, source in ({"net": None, "train": None, "deploy": None} | dict(files or {})).items()},
        "removed": _removed(made),
        "left": [{"node": one.node, "unit": one.entry, "reason": one.reason} for one in found.left],
        "cuts": [{"node": cut.node, "index": cut.index, "value": hexadecimal(cut.value)} for cut in found.cuts],
        "same_in_float32": found.same_in_float32,
    }  # fmt: skip
    write(folder / LIST, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    left: dict[int, list[int]] = {}
    for one in found.left:
        left.setdefault(one.node, []).append(one.entry)
    facts = idle_facts(unit_findings(found.graph, made.inputs), len(made.inputs))
    facts.append(hardened_fact(found.before, found.graph, left))
    facts += [same_in_float32_fact()] if found.same_in_float32 else []
    contents = certificate_files(
        found.graph, made.inputs, facts, deploy=made.deploy, before=found.before,
        about={"program": version_of("proof-of-absence")},
    )  # fmt: skip
    for name, data in contents.items():
        write_bytes(folder / name, data)


def _removed(made: Hardening) -> list[dict[str, Any]]:
    """For each node the units that nothing reads any more, and at which deployment inputs each of them fired."""
    return [
        {
            "node": node.node,
            "name": node.name,
            "units": list(units),
            "fired": None if node.fires is None else {str(k): list(node.fires[k]) for k in units if node.fires[k]},
        }
        for node, units in _taken(made)
    ]


def _taken(made: Hardening) -> Sequence[tuple[NodeFinding, tuple[int, ...]]]:
    return [(node, made.found.removed[node.node]) for node in made.nodes if node.node in made.found.removed]
