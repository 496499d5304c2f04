"""The files of a graph's certificate: the graph, the data, and the facts about them, sealed.

`checker/independent/results/graph.py` reads them with code of its own and decides every fact anew.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.graph_json import array_bytes, graph_arrays, graph_text
from proof_of_absence.models.graph import Graph

__all__ = ["FORMAT", "NAME", "certificate_files"]

FORMAT = "absence-graph-certificate/1"
NAME = "certificate.json"


def certificate_files(
    graph: Graph,
    train: np.ndarray,
    facts: Iterable[dict[str, Any]],
    *,
    deploy: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    before: Graph | None = None,
    factor: np.ndarray | None = None,
    about: dict[str, Any] | None = None,
) -> dict[str, bytes]:
    """The bytes of each file by its name; the certificate comes last.

    Parameters
    ----------
    train, deploy, targets
        Shapes (N, d), (D, d) and (N, m), float64.
    facts
        Of `graph_facts`; those about idle units in the order of the nodes, one for each activation node.
    before
        The graph before a hardening.
    factor
        What shows the leverages of a `graph-readout`, where they are no exact rationals.
    about
        What the report beside it says and no fact shows.
    """
    data = {"train": train, "deploy": deploy, "targets": targets}
    files = _graph_files("graph", graph) | ({} if before is None else _graph_files("before", before))
    files["data.npz"] = array_bytes({name: array for name, array in data.items() if array is not None})
    named = {"graph": "graph.json", "arrays": "graph.npz", "data": "data.npz"}
    if factor is not None:
        files["factor.npz"] = array_bytes({"factor": factor})
        named["factor"] = "factor.npz"
    if before is not None:
        named |= {"before": "before.json", "before_arrays": "before.npz"}
    digests = {
        part: {"file": name, "sha256": hashlib.sha256(files[name]).hexdigest()} for part, name in named.items()
    }
    certificate = seal({"format": FORMAT, "files": digests, "facts": list(facts), "about": about or {}})
    return files | {NAME: (json.dumps(certificate, sort_keys=True, ensure_ascii=False) + "\n").encode()}


def _graph_files(name: str, graph: Graph) -> dict[str, bytes]:
    return {f"{name}.json": graph_text(graph).encode(), f"{name}.npz": array_bytes(graph_arrays(graph))}
