"""At which deployment rows the idle units of a graph send another value than at all training rows."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from proof_of_absence.checker.independent.kinds.graph_idle import below_of, entries_of
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.graph_bounded import bounded
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, apart_from, blocks_of
from proof_of_absence.checker.independent.values.graph_masks import Truths, moving, read
from proof_of_absence.checker.independent.values.graph_settled import Asked, at_row, settle
from proof_of_absence.checker.independent.values.graphs import Graph, Places
from proof_of_absence.checker.independent.values.reported import require_same


def graph_firing(subject: GraphSubject, *facts: Fact) -> None:
    """`fires` has of the idle units of a node that something reads all deployment rows at which they fire.

    A unit comes with the rows at which it fires, and those of which nothing is said; one that is not listed is silent
    at all rows.
    """
    graph, deploy = subject.graph, subject.deployment
    nodes = [graph.activation(fact["node"]) for fact in facts]
    require(len(set(nodes)) == len(nodes), "two facts about one node")
    seen = read(graph)
    listed = {node: _listed(subject, fact, seen[node]) for node, fact in zip(nodes, facts, strict=True)}
    still = {node: _silent(graph, node, *pair) for node, pair in listed.items()}
    first = at_row(graph, subject.train[:1], {node: entries for node, (entries, *_) in listed.items()})
    # What rests on nothing that is otherwise than at the first training row is silent with it.
    changing = moving(graph, apart_from(subject.train[:1], deploy), still)
    for block in blocks_of(graph, deploy):
        asked = {}
        for node, (entries, fires, open_) in listed.items():
            moved = changing[below_of(graph, node)][entries]
            require(not fires[block][:, ~moved].any(), f"a unit of node {node} fires that rests on nothing else")
            asked[node] = Asked(entries[moved], ~fires[block][:, moved], ~open_[block][:, moved])
        settle(graph, subject.train[:1], deploy[block], asked, bounded(graph, deploy[block], nodes), first)


def _listed(subject: GraphSubject, fact: Fact, seen: Truths) -> tuple[Places, Truths, Truths]:
    """The entries, and at which rows (rows, entries) each fires, and at which nothing is said of it."""
    node, count = fact["node"], len(subject.deployment)
    require_same("the number of deployment rows", fact["rows"], count)
    if node not in subject.idle:
        raise Refused(f"which units of node {node} are idle is not stated")
    entries = np.flatnonzero(subject.idle[node] & seen)
    listed = entries_of(subject.graph, node, [entry for entry, _, _ in fact["fires"]])
    require(np.isin(listed, entries).all(), f"a unit of node {node} fires that is not idle, or that nothing reads")
    fires, open_ = (np.zeros((count, len(entries)), dtype=bool) for _ in range(2))
    for k, (_, *lists) in zip(np.searchsorted(entries, listed), fact["fires"], strict=True):
        for rows, marks in zip(lists, (fires, open_), strict=True):
            require(all(type(i) is int and 0 <= i < count for i in rows), "no such deployment row")
            require(all(a < b for a, b in pairwise(rows)), "deployment rows are not in order")
            marks[rows, k] = True
        require(any(lists), f"a unit of node {node} is listed without a row")
    require(not (fires & open_).any(), "of a deployment row something and nothing is said")
    return entries, fires, open_


def _silent(graph: Graph, node: int, entries: Places, fires: Truths, open_: Truths) -> Truths:
    """The entries that fire at no row."""
    found = np.zeros(graph.sizes[node], dtype=bool)
    found[entries[~(fires | open_).any(axis=0)]] = True
    return found


KINDS: dict[str, Callable[..., None]] = {"graph-firing": graph_firing}
