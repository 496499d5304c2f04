"""An audit of a graph from end to end: the stages in order; what fails or has no time is undecided, never a pass."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from proof_of_absence.checker.graph.boxes import over_box
from proof_of_absence.checker.graph.deviation import float32_deviation
from proof_of_absence.checker.graph.end import examine_end
from proof_of_absence.checker.graph.findings import (
    BoxFinding,
    DataSummary,
    GraphAudit,
    GraphImprovement,
    GraphSummary,
    NodeFinding,
    activation_name,
)
from proof_of_absence.checker.graph.firing import firing
from proof_of_absence.checker.graph.held import Changeable
from proof_of_absence.checker.graph.idle import UnitStates, unit_states
from proof_of_absence.checker.graph.improve import Unimproved, improve
from proof_of_absence.checker.graph.kept import Form, Forms
from proof_of_absence.checker.graph.losses import losses
from proof_of_absence.checker.kernel.kept import content_key
from proof_of_absence.checker.kernel.stages import Stages
from proof_of_absence.checker.numbers.deadline import Deadline, in_force, left, within
from proof_of_absence.checker.numbers.enclosure import Enclosure
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.objective import NO_TARGETS, Objective
from proof_of_absence.models.reading import Source

__all__ = ["NOT_ASKED", "examine", "fired", "not_asked", "unit_findings"]

T = TypeVar("T")
# What is kept of a stage are facts, as its `Form` has them.
CODEC = (lambda form, value: form.to(value), lambda form, facts: form.of(facts))

NOT_ASKED = (
    "sets of units that are idle only together below what the outputs read: what enters a linear layer can be recorded "
    "and audited for them (layers=... in Python, --activations)",
    "least detectors, rents and covered inputs: they are asked of dense chains",
)


def examine(
    graph: Graph,
    inputs: np.ndarray,
    aim: Objective,
    *,
    deploy: np.ndarray | None = None,
    regions: Sequence[Region] = (),
    source: Source | None = None,
    data_source: Source | None = None,
    move: Fraction | None = None,
    changeable: Changeable | None = None,
    keep: Path | None = None,
    deadline: Deadline | None = None,
    progress: Callable[[str], None] = lambda stage: None,
) -> GraphAudit:
    """Which hidden units are idle on the training inputs, where they fire, the losses, and the float32 deviation.

    Parameters
    ----------
    inputs, deploy
        Shapes (N, d) and (D, d), float64, finite, d the number of entries of one input.
    aim
        The loss and its targets, as `objective` has them.
    regions
        Boxes of inputs on which the idle units are asked to send what they send in training.
    source, data_source
        Where the network and the data came from; by default their contents.
    move
        By how much an answer is moved, for its readout price: as for `examine_end`.
    changeable
        Nodes whose weights, and whose biases, the network's file has for themselves; all by default.
    keep
        A folder for the stages that are done: a later run takes them from there, where facts show them.
    deadline
        What is open then is undecided.
    progress
        Called with the name of each stage before it runs.

    Raises
    ------
    InputError
        If the arrays do not fit the graph.
    """
    _fitting(graph, inputs, deploy, regions, data_source)
    given = ("" if array is None else array for array in (aim.targets, deploy))
    stages = Stages(keep, content_key(graph, inputs, aim.loss, *given), progress, *CODEC)
    forms = Forms(graph, inputs, deploy, aim.targets, aim.loss)

    def run(name: str, stage: Callable[[], T], form: Form | None = None, of: object = "") -> T | None:
        found: T | None = stages.run(
            name, form, stage, shown=form and form.is_so, keeps=form.whole if form else bool, of=of
        )
        return found

    nodes: tuple[NodeFinding, ...] = ()
    boxes: tuple[BoxFinding, ...] = ()
    loss: tuple[Enclosure, Enclosure] | None = None
    deviation: Fraction | None = None
    better: GraphImprovement | Unimproved | None = None
    with within(deadline or Deadline()):
        nodes = run("units", lambda: unit_findings(graph, inputs), forms.units()) or ()
        if deploy is not None and any(node.idle for node in nodes):
            nodes = run("firing", lambda: fired(graph, inputs, nodes, deploy), forms.firing(nodes)) or nodes
        if aim.targets is not None and aim.loss is not None:
            loss = run("losses", lambda: losses(graph, inputs, aim))
        if graph.dtype == np.float32:
            deviation = run("float32", lambda: float32_deviation(graph, inputs))
        end, unpriced, open_ = examine_end(graph, inputs, nodes, deploy, run, move)
        if loss is not None and any(node.idle for node in nodes):
            better = run(
                "lower loss", partial(improve, graph, inputs, aim, nodes, loss[0], changeable), forms.lower_loss(nodes),
                str(changeable),
            )  # fmt: skip
        for place, region in enumerate(regions):
            tried = inputs[:0] if deploy is None else deploy
            # Each box has an equal share of the time.
            with within(in_force().sooner(left() / (len(regions) - place))):
                asked = partial(over_box, graph, nodes, region, inputs, tried)
                boxes += run(f"box {region.name}", asked, forms.box(nodes, region), region.bounds) or ()
    arrays = (inputs,) if aim.targets is None else (inputs, aim.targets)
    told = data_source or Source("data", content_key(*arrays))
    data = DataSummary(
        told.name, told.sha256, len(inputs), len(distinct_rows(inputs)),
        loss[0] if loss else None, loss[1] if loss else None, "" if aim.loss is None else str(aim.loss), aim.reason,
    )  # fmt: skip
    audit = GraphAudit(
        _summary(graph, source), data, nodes, None if deploy is None else len(deploy), boxes, deviation,
        better if isinstance(better, GraphImprovement) else None,
        better.reason if isinstance(better, Unimproved) and not better.undecided else "",
        (*stages.undecided, *_unlowered(better), *open_), not_asked(data.loss_name), stages.seconds, end, unpriced,
        tuple(stages.kept),
    )  # fmt: skip
    return replace(audit, undecided=(*audit.undecided, *_open(audit)))


def not_asked(loss_name: str) -> tuple[str, ...]:
    """What is not asked of a graph, a line each; of a loss nothing if it has no name."""
    return (*NOT_ASKED, *(() if loss_name else (NO_TARGETS,)))


def unit_findings(graph: Graph, inputs: np.ndarray) -> tuple[NodeFinding, ...]:
    """What `unit_states` says of each activation node, with what the node is called."""
    return tuple(_finding(graph, one) for one in unit_states(graph, inputs))


def _finding(graph: Graph, found: UnitStates) -> NodeFinding:
    node = graph.nodes[found.node - 1]
    name = node.name or f"node {found.node}"
    return NodeFinding(
        found.node, name, activation_name(node.layer), graph.shapes[found.node], found.states, found.values,
        found.witness, found.read, reasons=found.reasons,
    )  # fmt: skip


def fired(
    graph: Graph, inputs: np.ndarray, nodes: Sequence[NodeFinding], deploy: np.ndarray
) -> tuple[NodeFinding, ...]:
    """The same findings, with the deployment inputs at which the idle units fire."""
    states = [UnitStates(n.node, n.states, n.values, n.witness, n.read, n.reasons) for n in nodes]
    fires = {one.node: one for one in firing(graph, inputs, states, deploy)}
    return tuple(
        replace(
            node,
            fires={entry: fires[node.node].rows.get(entry, ()) for entry in node.idle},
            open_fires=fires[node.node].undecided,
        )
        for node in nodes
    )


def _fitting(
    graph: Graph, inputs: np.ndarray, deploy: np.ndarray | None, regions: Sequence[Region], source: Source | None
) -> None:
    of = f" of {source.name}" if source else ""
    for name, rows in ((f"the training inputs{of}", inputs), ("the deployment inputs", deploy)):
        if rows is not None and rows.shape[1] != graph.sizes[0]:
            shape = " x ".join(map(str, graph.input_shape))
            raise refused(name, f"have {rows.shape[1]} columns, the net reads {graph.sizes[0]} ({shape})")
    # Last, since a box may be that of the training inputs.
    for region in regions:
        if len(region.bounds) != graph.sizes[0]:
            raise refused(region.name, f"is a box of {len(region.bounds)} inputs, the net reads {graph.sizes[0]}")


def _summary(graph: Graph, source: Source | None) -> GraphSummary:
    units = sum(graph.sizes[node] for node in graph.activations)
    told = source or Source("net", content_key(graph))
    return GraphSummary(
        told.name, told.sha256, graph.input_shape, graph.shapes[-1], len(graph.nodes), units,
        graph.parameter_count, graph.dtype.name, graph.reading,
    )  # fmt: skip


def _unlowered(found: GraphImprovement | Unimproved | None) -> tuple[str, ...]:
    """That it is open whether the loss can be lowered, if it is."""
    if not isinstance(found, Unimproved) or not found.undecided:
        return ()
    return (f"whether train-idle units can be reused for a lower loss: {found.reason}",)


def _open(audit: GraphAudit) -> list[str]:
    lines = []
    for node in audit.nodes:
        for reason, count in Counter(node.reasons.values()).items():
            lines.append(f"{count:,} unit{'' if count == 1 else 's'} of {node.name}: {reason}")
        if audit.deployment_rows is not None and node.idle and node.fires is None:
            lines.append(f"where the idle units of {node.name} fire")
        if node.open_fires:
            lines.append(f"whether {len(node.open_fires):,} idle units of {node.name} fire at some deployment inputs")
    names = {node.node: node.name for node in audit.nodes}
    for box in audit.boxes:
        if box.undecided:
            many = "an idle unit" if len(box.undecided) == 1 else f"{len(box.undecided):,} idle units"
            act = "acts" if len(box.undecided) == 1 else "act"
            told = f"whether {many} of {names[box.node]} {act} in {box.box}"
            lines.append(f"{told}: {box.reason}")
    return lines
