"""The stages of an audit about what the outputs read: constants, dependence, sets idle together, readout prices."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Protocol, TypeVar

import numpy as np

from proof_of_absence.checker.graph.features import GraphFeatures, NoEnd, end_of
from proof_of_absence.checker.graph.findings import GraphEnd, NodeFinding
from proof_of_absence.checker.graph.readout import constants_of, dependence_of, priced_readout
from proof_of_absence.checker.graph.together import idle_together, together_fired
from proof_of_absence.models.graph import Graph

__all__ = ["PRICES", "Run", "examine_end"]

T = TypeVar("T")
# Stages, as what they leave undecided is called.
FEATURES, TOGETHER, PRICES = "what the outputs read", "sets that are idle only together", "readout prices"
LISTED = 8


class Run(Protocol):
    """Runs a stage of this name; None where it fails, which is then told as undecided."""

    def __call__(self, name: str, stage: Callable[[], T]) -> T | None: ...


def examine_end(
    graph: Graph,
    inputs: np.ndarray,
    nodes: Sequence[NodeFinding],
    deploy: np.ndarray | None,
    run: Run,
    move: Fraction | None = None,
) -> tuple[GraphEnd | None, str, tuple[str, ...]]:
    """What the outputs read, or why there is no such end; and lines about what is open.

    Parameters
    ----------
    inputs, deploy
        Shapes (N, d) and (D, d), float64, finite.
    nodes
        What is known of the units.
    move
        By how much an answer is moved; None for the least that makes another output as large, or 1 for one output.
    """
    try:
        end = end_of(graph)
    except NoEnd as reason:
        return None, str(reason), ()
    name = (graph.nodes[end.node - 1].name or f"node {end.node}") if end.node else "the input"
    found, lines = GraphEnd(end.node, name, graph.shapes[end.node]), []
    constants = run(FEATURES, lambda: constants_of(graph, end, inputs, nodes))
    if constants is None:
        return found, "", ()
    parts = {"training": inputs} | ({} if deploy is None else {"deployment": deploy})
    features = GraphFeatures(graph, end, parts, Fraction(1) if move is None and graph.sizes[-1] == 1 else move)
    dependence = run("whether they are independent", lambda: dependence_of(features, constants))
    if dependence is None:
        return found, "", ()
    # Without a hidden unit there is no circuit.
    asked = bool(graph.activations)
    sets = run(TOGETHER, lambda: idle_together(graph, end, inputs, constants, dependence)) if asked else None
    if sets is not None:
        found = replace(found, together=sets[0])
        lines += [f"{TOGETHER}: {sets[1]}"] if sets[1] else []
    if found.together and deploy is not None:
        fired = run("where they fire together", lambda: together_fired(features, found.together))
        found = replace(found, together=fired or found.together)
    found = replace(found, readout=run(PRICES, lambda: priced_readout(features, dependence)))
    return found, "", (*lines, *_open(found))


def _open(found: GraphEnd) -> tuple[str, ...]:
    """A line about deployment inputs whose price has no lower bound, if there are some."""
    told = found.readout.readout.deployment if found.readout else ()
    rows = [one.row for one in told if one.leverage and one.leverage[1] is None]
    if not rows:
        return ()
    named = ", ".join(map(str, rows[:LISTED])) + (", ..." if len(rows) > LISTED else "")
    return (f"the readout price at {len(rows):,} deployment inputs (rows {named}): no lower bound is shown",)
