"""What is kept of an audit of a graph between runs: the facts that show a stage's result, which are decided anew.

Only what is decided whole is kept: what is left open the next run looks at again.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from proof_of_absence.checker.graph.certify import idle_facts, lower_loss
from proof_of_absence.checker.graph.findings import BoxFinding, GraphAudit, GraphImprovement, NodeFinding
from proof_of_absence.checker.graph.rebuilt import Called, box_finding, improvement_of, node_finding
from proof_of_absence.checker.independent.pause import at_pauses
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.graph import decide
from proof_of_absence.checker.independent.values.graph_data import GraphSubject
from proof_of_absence.checker.independent.values.graph_files import MALFORMED, read_graph
from proof_of_absence.checker.kernel.fuller import Decided
from proof_of_absence.checker.kernel.graph_facts import firing_fact, irrelevant_fact
from proof_of_absence.checker.kernel.graph_json import graph_arrays, graph_text
from proof_of_absence.checker.numbers.deadline import look
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.graph_layers import ACTIVATIONS
from proof_of_absence.models.objective import Loss

__all__ = ["Form", "Forms", "decided"]

Facts = list[dict[str, Any]]


class Form(NamedTuple):
    """How a stage's result is kept: `to` facts and back `of` them, when it `is_so`, and when it is whole."""

    to: Callable[[Any], Facts]
    of: Callable[[Facts], Any]
    is_so: Callable[[Any], bool]
    whole: Callable[[Any], bool]


class Forms:
    """The forms of the stages of one audit: inputs (N, d), deployment inputs (D, d), targets (N, m) and their loss."""

    def __init__(
        self,
        graph: Graph,
        inputs: np.ndarray,
        deploy: np.ndarray | None = None,
        targets: np.ndarray | None = None,
        loss: Loss | None = None,
    ):
        self.graph, self.inputs, self.deploy, self.targets, self.loss = graph, inputs, deploy, targets, loss
        self._subject: GraphSubject | None = None

    def units(self) -> Form:
        """What each unit does in training."""

        def of(facts: Facts) -> tuple[NodeFinding, ...]:
            return tuple(node_finding(self._called(fact["node"]), fact) for fact in facts)

        def is_so(nodes: Sequence[NodeFinding]) -> bool:
            every = [node.node for node in nodes] == list(self.graph.activations)
            return every and self._shown((), self._idle(nodes))

        return Form(self._idle, of, is_so, lambda nodes: not any(node.undecided for node in nodes))

    def firing(self, nodes: Sequence[NodeFinding]) -> Form:
        """Where idle units fire."""
        rows = 0 if self.deploy is None else len(self.deploy)

        def to(fired: Sequence[NodeFinding]) -> Facts:
            return [firing_fact(n.node, rows, n.fires or {}, n.open_fires) for n in fired]

        def of(facts: Facts) -> tuple[NodeFinding, ...]:
            rows = {fact["node"]: {entry: tuple(fired) for entry, fired, _ in fact["fires"]} for fact in facts}
            return tuple(
                replace(node, fires={entry: rows[node.node].get(entry, ()) for entry in node.idle}) for node in nodes
            )

        return Form(
            to, of, lambda fired: self._shown(nodes, to(fired)), lambda fired: not any(n.open_fires for n in fired)
        )

    def box(self, nodes: Sequence[NodeFinding], region: Region) -> Form:
        """What idle units do over a box."""
        idle = {node.node: node.idle for node in nodes if node.idle}

        def to(boxes: Sequence[BoxFinding]) -> Facts:
            return [irrelevant_fact(b.node, b.box, region.bounds, b.still, b.acts, b.trees) for b in boxes]

        def of(facts: Facts) -> tuple[BoxFinding, ...]:
            found = (box_finding(fact, idle, {"reason": ""}) for fact in facts)
            trees = ({entry: tree for entry, tree in fact["trees"]} for fact in facts)
            return tuple(
                replace(one, box=region.name, bounds=region.bounds, trees=own)
                for one, own in zip(found, trees, strict=True)
            )

        def whole(boxes: Sequence[BoxFinding]) -> bool:
            return [box.node for box in boxes] == list(idle) and not any(box.undecided for box in boxes)

        return Form(to, of, lambda boxes: whole(boxes) and self._shown(nodes, to(boxes)), whole)

    def lower_loss(self, nodes: Sequence[NodeFinding]) -> Form:
        """A network with a lower loss; that none is found is no fact."""

        def to(found: GraphImprovement) -> Facts:
            assert self.loss is not None
            return [lower_loss(found, self.loss)]

        return Form(
            to, lambda facts: improvement_of(facts[0], ""), lambda found: self._shown(nodes, to(found)),
            lambda found: isinstance(found, GraphImprovement),
        )  # fmt: skip

    def _idle(self, nodes: Sequence[NodeFinding]) -> Facts:
        return idle_facts(nodes, len(self.inputs))

    def _called(self, number: int) -> Called:
        node = self.graph.nodes[number - 1]
        if not isinstance(node.layer, ACTIVATIONS):
            raise ValueError(f"node {number} is no activation")
        return Called(number, node.name, node.layer, self.graph.shapes[number])

    def _shown(self, nodes: Sequence[NodeFinding], facts: Facts) -> bool:
        """Whether the independent checker accepts the facts, and what they rest on, looking at the clock."""
        try:
            with at_pauses(look):
                look()
                if self._subject is None:
                    read = read_graph(json.loads(graph_text(self.graph)), graph_arrays(self.graph))
                    self._subject = GraphSubject(read, self.inputs, deploy=self.deploy, targets=self.targets)
                rests_on = [] if self._subject.idle else self._idle(nodes)
                # As they would be read from a certificate.
                decide(self._subject, json.loads(json.dumps([*rests_on, *facts])))
        except (Refused, *MALFORMED):
            return False
        return True


def decided(audit: GraphAudit) -> Decided:
    """What an audit decided, by kind."""
    end = audit.end
    readout = end.readout.readout if end and end.readout else None
    priced = [(part, one) for part in ("deployment", "training") for one in readout.part(part)] if readout else []
    single = {
        "loss": audit.data.loss,
        "noise floor": audit.data.noise_floor,
        "improvement": audit.improvement,
        "float32 deviation": audit.float32_deviation,
        "independence": (end and end.readout and end.readout.independent) or None,
    }
    sets = {"+".join(map(str, one.features)): one for one in end.together} if end else {}
    fired = [node.node for node in audit.nodes if node.fires is not None and not node.open_fires]
    found: dict[str, Sequence[int | str]] = {
        "nodes with all units": [node.node for node in audit.nodes if not node.undecided],
        "nodes with the rows where units fire": fired,
        "answers on boxes": [f"{b.box} {b.node} {entry}" for b in audit.boxes for entry in (*b.still, *b.acts)],
        "sets idle together": list(sets),
        "sets with the rows where they fire": [name for name, one in sets.items() if one.fires is not None],
        "readout prices": [
            f"{part} {one.row}" for part, one in priced
            if one.free is not None or (one.leverage and one.leverage[1] is not None)
        ],
    }  # fmt: skip
    found |= {kind: ["it"] for kind, value in single.items() if value is not None}
    return {kind: frozenset(things) for kind, things in found.items() if things}
