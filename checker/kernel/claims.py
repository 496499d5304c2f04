"""The claims that are installed, the graph of what rests on what, and the status each earns from its obligations."""

from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from typing import NamedTuple

import networkx as nx

from proof_of_absence.checker.kernel.obligation import Claim, Obligation, Verdict

__all__ = ["Status", "claim_graph", "load_claims", "necessity", "select", "statuses"]

# What a claim with several undone obligations is said to be, worst first.
_WORST = (Verdict.ERROR, Verdict.REFUTED, Verdict.UNKNOWN, Verdict.PROVED)


class Status(NamedTuple):
    """`local`: from the claim's own obligations; `closed`: BLOCKED too where a claim it rests on is not PROVED."""

    local: Verdict
    closed: Verdict


def load_claims() -> tuple[Claim, ...]:
    """Every claim that an installed distribution registers, in the order of registration.

    Raises
    ------
    ValueError
        If two claims have one id, or `necessity` raises it.
    """
    claims = tuple(claim for entry in sorted(entry_points(group="proof_of_absence.claims")) for claim in entry.load())
    if len({claim.id for claim in claims}) < len(claims):
        raise ValueError("two claims have the same id")
    necessity(claims)
    return claims


def necessity(claims: Iterable[Claim]) -> dict[str, dict[str, list[Claim]]]:
    """For each claim that countermodels are about, each of its premises with those that drop it, an empty list if none.

    Raises
    ------
    ValueError
        If a countermodel is about a claim that does not exist, or drops what is no premise of it.
    """
    by_id = {claim.id: claim for claim in claims}
    found: dict[str, dict[str, list[Claim]]] = {}
    for claim in by_id.values():
        if claim.drops is None:
            continue
        if claim.drops.claim not in by_id:
            raise ValueError(f"{claim.id} drops a premise of {claim.drops.claim}, which is no claim")
        about = by_id[claim.drops.claim]
        try:
            premise = about.premise(claim.drops.premise)
        except LookupError as error:
            raise ValueError(f"{claim.id}: {error}") from error
        found.setdefault(about.id, {text: [] for text in about.premises})[premise].append(claim)
    return found


def claim_graph(claims: Iterable[Claim]) -> nx.DiGraph:
    """An edge from each claim to every claim that rests on it; nodes carry `claim`.

    Their order is topological, and keeps the given one where it can.

    Raises
    ------
    ValueError
        If a claim rests on one that does not exist, or on itself through others.
    """
    claims = list(claims)
    edges = nx.DiGraph()
    edges.add_nodes_from(claim.id for claim in claims)
    for claim in claims:
        for premise in claim.rests_on:
            if premise not in {other.id for other in claims}:
                raise ValueError(f"{claim.id} rests on {premise}, which is no claim")
            edges.add_edge(premise, claim.id)
    if not nx.is_directed_acyclic_graph(edges):
        cycle = " -> ".join(source for source, _ in nx.find_cycle(edges))
        raise ValueError(f"claims rest on each other: {cycle}")
    by_id = {claim.id: claim for claim in claims}
    graph = nx.DiGraph()
    for name in nx.lexicographical_topological_sort(edges, key=list(by_id).index):
        graph.add_node(name, claim=by_id[name])
    graph.add_edges_from(edges.edges)
    return graph


def select(claims: Iterable[Claim], names: Iterable[str]) -> list[Claim]:
    """The named claims and all they rest on, in order; all claims if none is named.

    Raises
    ------
    KeyError
        If a name is no claim's.
    """
    graph = claim_graph(claims)
    names = list(names)
    for name in names:
        if name not in graph:
            raise KeyError(name)
    wanted = set(names).union(*(nx.ancestors(graph, name) for name in names)) if names else set(graph)
    return [graph.nodes[name]["claim"] for name in graph if name in wanted]


def statuses(claims: Iterable[Claim], verdicts: Mapping[str, Verdict]) -> dict[str, Status]:
    """Each claim's status, from the verdict of each obligation (a missing one is UNKNOWN)."""
    graph = claim_graph(claims)
    found: dict[str, Status] = {}
    for name, claim in graph.nodes(data="claim"):
        local = min((_earned(o, verdicts.get(o.id, Verdict.UNKNOWN)) for o in claim.obligations), key=_WORST.index)
        below = all(found[premise].closed is Verdict.PROVED for premise in graph.predecessors(name))
        closed = local if local is not Verdict.PROVED or below else Verdict.BLOCKED
        found[name] = Status(local, closed)
    return found


def _earned(obligation: Obligation, verdict: Verdict) -> Verdict:
    """PROVED if the verdict is the expected one; a control that comes out PROVED is an ERROR of the claim."""
    if verdict is obligation.expect:
        return Verdict.PROVED
    return Verdict.ERROR if verdict is Verdict.PROVED else verdict
