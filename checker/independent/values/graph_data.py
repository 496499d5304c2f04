"""What the facts of an audit of a graph are about: the graph and the data of a folder, and what was shown of them."""

from collections.abc import Iterator

import numpy as np

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values.floats import Floats
from proof_of_absence.checker.independent.values.graph_bounded import rows_at_once
from proof_of_absence.checker.independent.values.graph_masks import Truths
from proof_of_absence.checker.independent.values.graphs import Graph


class GraphSubject:
    """A graph, training inputs (N, d), deployment inputs (D, d), targets (N, m), the graph before hardening, a factor.

    Raises
    ------
    Refused
        If the inputs do not fit the graph.
    """

    def __init__(
        self,
        graph: Graph,
        train: Floats,
        *,
        deploy: Floats | None = None,
        targets: Floats | None = None,
        before: Graph | None = None,
        factor: Floats | None = None,
    ):
        self.graph, self.train, self.deploy, self.targets, self.before = graph, train, deploy, targets, before
        # What shows that features are independent, and their leverages.
        self.factor = factor
        for inputs in (train, deploy):
            require(inputs is None or (inputs.ndim == 2 and inputs.shape[1] == graph.sizes[0]), "inputs do not fit")
        require(len(train) > 0, "there are no training rows")
        # Of each activation node that a fact was accepted of, the entries with one value at all training rows.
        self.idle: dict[int, Truths] = {}

    @property
    def deployment(self) -> Floats:
        """The deployment inputs."""
        if self.deploy is None:
            raise Refused("the certificate names no deployment inputs")
        return self.deploy

    def row(self, value: object) -> int:
        """The number of a training row."""
        if not (type(value) is int and 0 <= value < len(self.train)):
            raise Refused("no such training row")
        return value


def blocks_of(graph: Graph, rows: Floats) -> Iterator[slice]:
    """Slices of the rows that fit memory."""
    size = rows_at_once(graph)
    return (slice(start, min(start + size, len(rows))) for start in pausing(range(0, len(rows), size)))


def apart_from(first: Floats, rows: Floats) -> Truths:
    """The entries of inputs that some of the rows have otherwise than the first one (1, size)."""
    return np.asarray((rows != first).any(axis=0))
