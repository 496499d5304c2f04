"""What was found of a graph's end as facts: leverages and prices, and sets of features that are idle together."""

from collections.abc import Iterable
from typing import Any

from proof_of_absence.checker.construct.readout_facts import readout_fact
from proof_of_absence.checker.graph.findings import GraphReadout, Together

__all__ = ["graph_readout_fact", "together_fact"]


def graph_readout_fact(found: GraphReadout) -> dict[str, Any]:
    """The prices at all inputs that are listed, and whether the columns are shown to be independent."""
    return readout_fact(found.readout) | {"kind": "graph-readout", "independent": found.independent}


def together_fact(node: int, sets: Iterable[Together]) -> dict[str, Any]:
    """Sets of entries of a node from which the outputs receive one value together, and where they receive another."""
    return {
        "kind": "graph-together",
        "node": node,
        "sets": [
            {
                "features": list(one.features),
                "fires": None if one.fires is None else list(one.fires),
                "witness": [list(pair) for pair in one.witness],
            }
            for one in sets
        ],
    }
