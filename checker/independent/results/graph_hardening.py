"""Check the list of what was taken out of a graph against its certificate: units, cuts, what they sent, what is left.

What no fact shows is not looked at: where units fired, and why the rest is left.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.results.graph_report import node_name
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.graph_compare import value_at
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, apart_from
from proof_of_absence.checker.independent.values.graph_files import MALFORMED
from proof_of_absence.checker.independent.values.graph_masks import moving, read
from proof_of_absence.checker.independent.values.graph_settled import at_row
from proof_of_absence.checker.independent.values.graphs import Conv, Dense, Graph, Places
from proof_of_absence.checker.independent.values.reported import require_same

PARTS = {"format", "files", "removed", "left", "cuts", "same_in_float32"}


def check_list(listed: Fact, certificate: Fact, subject: GraphSubject) -> None:
    """Refuse the list of a hardening unless it goes with the certificate, which was accepted.

    Raises
    ------
    Refused
        With the part of the list that is wrong.
    """
    require(set(listed) == PARTS, "parts are missing or unknown")
    try:
        _units(listed, certificate, subject)
        _cuts(listed["cuts"], subject)
        same = any(fact["kind"] == "graph-same-in-float32" for fact in certificate["facts"])
        require(listed["same_in_float32"] is same, "says of float32 what no fact shows")
    except MALFORMED as error:
        raise Refused(f"a part is malformed: {type(error).__name__}: {error}") from error


def _units(listed: Fact, certificate: Fact, subject: GraphSubject) -> None:
    """The units that are listed are those that something read before, and nothing reads now; the rest is left."""
    graph = subject.graph
    was, now = read(_before(subject)), read(graph)
    removed = [
        {"node": k, "name": node_name(graph, k), "units": units, "fired": None}
        for k in graph.activations
        if (units := np.flatnonzero(subject.idle[k] & was[k] & ~now[k]).tolist())
    ]
    require_same("the units that were taken out", [one | {"fired": None} for one in listed["removed"]], removed)
    (fact,) = (fact for fact in certificate["facts"] if fact["kind"] == "graph-hardened")
    left = [{"node": k, "unit": unit, "reason": ""} for k, units in fact["left"] for unit in units]
    require(all(isinstance(one["reason"], str) for one in listed["left"]), "a reason is no text")
    require_same("the units that are left", [one | {"reason": ""} for one in listed["left"]], left)


def _cuts(stated: Any, subject: GraphSubject) -> None:
    """Each input or channel with a weight that became 0 is listed, with the one value that it has in training."""
    graph, own = subject.graph, list(_columns(_before(subject), subject.graph))
    places = [{"node": node, "index": index, "value": None} for node, index, _ in own]
    require_same("the weights that were cut", [cut | {"value": None} for cut in stated], places)
    moves = moving(graph, apart_from(subject.train[:1], subject.train), subject.idle)
    for cut, (node, index, entries) in zip(stated, own, strict=True):
        below = graph.nodes[node - 1].reads[0]
        what = f"what node {node} received from {index}"
        require(not moves[below][entries].any(), f"{what} is not known to be one value")
        require(_sent(subject, below, entries) == {hexadecimal(cut["value"])}, f"{what} is not {cut['value']}")


def _columns(before: Graph, after: Graph) -> Iterator[tuple[int, int, Places]]:
    """Each input of a dense layer, or channel of a convolution, of which a weight changed; and where it reads that."""
    for number, (old, new) in enumerate(zip(before.nodes, after.nodes, strict=True), 1):
        if not (isinstance(old.layer, Dense | Conv) and isinstance(new.layer, Dense | Conv)):
            continue
        differ = old.layer.weights != new.layer.weights
        groups = new.layer.groups if isinstance(new.layer, Conv) else 1
        by_group = differ.reshape(groups, len(differ) // groups, differ.shape[1], -1)
        shape = after.shapes[new.reads[0]]
        places = np.arange(after.sizes[new.reads[0]])
        # A dense layer reads along the last axis.
        read_at = places.reshape(shape[0], -1) if isinstance(new.layer, Conv) else places.reshape(-1, shape[-1]).T
        for index in np.flatnonzero(by_group.any(axis=(1, 3))).tolist():
            yield number, index, read_at[index]


def _sent(subject: GraphSubject, node: int, entries: Places) -> set[Fraction]:
    """The values of the entries at the first training row."""
    first = subject.train[:1]
    found = at_row(subject.graph, first, {node: entries})[node]
    known = found.radius[0, entries] == 0
    values = {Fraction(x) for x in found.value[0, entries[known]].tolist()}
    if (left := entries[~known]).size:
        values |= {end for ends in value_at(subject.graph, first, node, left) for end in ends}
    return values


def _before(subject: GraphSubject) -> Graph:
    if subject.before is None:
        raise Refused("its certificate names no network before")
    return subject.before
