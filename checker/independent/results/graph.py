"""Check the certificate of an audit of a graph: the graph and the data in files, and facts about them, decided anew.

`graph.json` and `graph.npz` hold the graph, `data.npz` the arrays `train`, `deploy` and `targets`; after a hardening
`before.json` and `before.npz` hold the graph before. `factor.npz` is what shows leverages that are no exact rationals.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.kinds import (
    graph_firing,
    graph_float32,
    graph_hardened,
    graph_idle,
    graph_irrelevant,
    graph_losses,
    graph_lower_loss,
    graph_readout,
    graph_same_in_float32,
)
from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.sealed import read_sealed
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import all_arrays, arrays
from proof_of_absence.checker.independent.values.graph_data import GraphSubject
from proof_of_absence.checker.independent.values.graph_files import MALFORMED, read_graph
from proof_of_absence.checker.independent.values.graphs import Graph

FORMAT = "absence-graph-certificate/1"
# Beside a certificate it tells that this is one of a graph.
GRAPH = "graph.json"
LARGEST = 2**30
FIELDS = {"format", "files", "facts", "about", "digest"}
FILES, BEFORE, FACTOR = {"graph", "arrays", "data"}, {"before", "before_arrays"}, "factor"
DATA = {"train", "deploy", "targets"}
# These are decided all together.
TOGETHER: dict[str, Callable[..., None]] = graph_idle.KINDS | graph_firing.KINDS | graph_irrelevant.KINDS
ALONE = graph_losses.KINDS | graph_float32.KINDS | graph_hardened.KINDS | graph_same_in_float32.KINDS
ALONE |= graph_lower_loss.KINDS | graph_readout.KINDS
KINDS: dict[str, Callable[..., None]] = TOGETHER | ALONE


def check_graph(path: Path) -> Fact:
    """Check the certificate of an audit of a graph and every fact in it; returns it.

    Raises
    ------
    Refused
        If the file is no such certificate, a file it names is another, or a fact is not so.
    """
    return accepted(path)[0]


def accepted(path: Path) -> tuple[Fact, GraphSubject]:
    """As `check_graph`; with the certificate, what its facts are about."""
    certificate = read_sealed(path, FORMAT, largest=LARGEST, fields=FIELDS)
    try:
        subject = read_subject(path.parent, certificate["files"])
        decide(subject, certificate["facts"])
        nodes = [fact["node"] for fact in certificate["facts"] if fact["kind"] == "graph-idle"]
        require_equal("the activation nodes with a fact about their units", nodes, list(subject.graph.activations))
        hardened = any(fact["kind"] == "graph-hardened" for fact in certificate["facts"])
        require(hardened == (subject.before is not None), "a graph before is named just where a fact is about it")
    except MALFORMED as error:
        raise Refused(f"a fact is malformed: {type(error).__name__}: {error}") from error
    return certificate, subject


def read_subject(folder: Path, files: object) -> GraphSubject:
    """The graph and the data in the files that a certificate in the folder names."""
    if not (isinstance(files, dict) and set(files) - {FACTOR} in (FILES, FILES | BEFORE)):
        raise Refused("files are missing or unknown")
    data = arrays(folder, files["data"])
    require("train" in data and set(data) <= DATA, "the data are the arrays train, deploy and targets")
    for name, array in data.items():
        require(array.ndim == 2 and array.size, f"{name} is no matrix with at least one row")
    before = _graph(folder, files["before"], files["before_arrays"]) if "before" in files else None
    graph = _graph(folder, files["graph"], files["arrays"])
    factor = arrays(folder, files[FACTOR]) if FACTOR in files else {FACTOR: None}
    require(set(factor) == {FACTOR}, "the factor is one array")
    return GraphSubject(
        graph, data["train"], deploy=data.get("deploy"), targets=data.get("targets"), before=before,
        factor=factor[FACTOR],
    )  # fmt: skip


def decide(subject: GraphSubject, facts: object) -> None:
    """Refuse unless each of the facts is so of this graph and these data; a malformed one may raise `MALFORMED`."""
    if not (isinstance(facts, list) and all(isinstance(fact, dict) for fact in facts)):
        raise Refused("facts are missing")
    for fact in facts:
        require(fact.get("kind") in KINDS, f"a fact of kind {str(fact.get('kind'))[:40]!r} is not understood")
    for kind, check in KINDS.items():
        own = [fact for fact in facts if fact["kind"] == kind]
        for group in [own] if kind in TOGETHER and own else [[fact] for fact in own]:
            check(subject, *group)


def told(certificate: Fact, subject: GraphSubject) -> str:
    """In words what was accepted."""
    units = sum(subject.graph.sizes[node] for node in subject.graph.activations)
    open_ = sum(len(fact["undecided"]) for fact in certificate["facts"] if fact["kind"] == "graph-idle")
    left = f", {open_:,} of them left open" if open_ else ""
    return f"{len(certificate['facts'])} facts of an audit of a graph, {units:,} units{left}"


def _graph(folder: Path, entry: Any, beside: object) -> Graph:
    require(isinstance(entry, dict) and set(entry) == {"file", "sha256"}, "a file is not named with its sha256")
    name = entry["file"]
    require(isinstance(name, str) and Path(name).name == name and name.endswith(".json"), "a file is not named")
    try:
        require((folder / name).stat().st_size <= LARGEST, f"{name} is larger than {LARGEST} bytes")
        data = (folder / name).read_bytes()
    except OSError as error:
        raise Refused(f"{name}: {error.strerror}") from error
    require(hashlib.sha256(data).hexdigest() == entry["sha256"], f"{name} is not the file that was audited")
    try:
        stated = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{name} is not readable as JSON: {error}") from error
    found: dict[str, np.ndarray[Any, Any]] = all_arrays(folder, beside)
    return read_graph(stated, found)
