"""The audit of a graph, made again from its certificate: what the report and the page must say, to the byte.

What no fact shows, times and why something is open, is taken from the report, and named as not looked at.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from proof_of_absence.checker.construct.priced import PARTS, PricedInput, Readout
from proof_of_absence.checker.graph.findings import (
    BoxFinding,
    DataSummary,
    GraphAudit,
    GraphEnd,
    GraphImprovement,
    GraphReadout,
    GraphSummary,
    NodeFinding,
    Reused,
    State,
    Together,
    activation_name,
)
from proof_of_absence.checker.numbers.enclosure import of_ends
from proof_of_absence.checker.numbers.hexadecimal import of_hexadecimal
from proof_of_absence.models.graph_layers import Activation, Clip, LeakyRelu, Relu, Shape
from proof_of_absence.models.reading import Reading

__all__ = [
    "Called",
    "activation_of",
    "box_finding",
    "improvement_of",
    "node_finding",
    "rebuilt",
    "unseen",
]


class Called(NamedTuple):
    """An activation node as the certificate has it: its number, name, activation and shape."""

    node: int
    name: str
    layer: Activation
    shape: Shape


def activation_of(attributes: Mapping[str, Any]) -> Activation:
    """The activation of a node's attributes in graph.json.

    Raises
    ------
    ValueError
        If it is none.
    """
    match attributes["kind"]:
        case "relu":
            return Relu()
        case "leaky-relu":
            return LeakyRelu(of_hexadecimal(attributes["slope"]))
        case "clip":
            low, high = (attributes[end] for end in ("low", "high"))
            return Clip(None if low is None else of_hexadecimal(low), None if high is None else of_hexadecimal(high))
        case kind:
            raise ValueError(f"{kind!r} is no activation")


def rebuilt(certificate: Mapping[str, Any], nodes: Sequence[Called], report: Mapping[str, Any]) -> GraphAudit:
    """The audit that a certificate shows; `report` is what a report says of what no fact shows.

    Raises
    ------
    ValueError, LookupError, TypeError
        If the certificate or the report is malformed.
    """
    facts, about = certificate["facts"], certificate["about"]
    idle = {fact["node"]: fact for fact in facts if fact["kind"] == "graph-idle"}
    fires = {fact["node"]: fact for fact in facts if fact["kind"] == "graph-firing"}
    found = tuple(node_finding(called, idle[called.node], fires.get(called.node)) for called in nodes)
    loss = next((fact for fact in facts if fact["kind"] == "graph-losses"), None)
    bound = next((fact["bound"] for fact in facts if fact["kind"] == "graph-float32"), None)
    lower = next((fact for fact in facts if fact["kind"] == "graph-lower-loss"), None)
    data, boxes = about["data"], [fact for fact in facts if fact["kind"] == "graph-irrelevant"]
    idle_units = {node.node: node.idle for node in found}
    rows = {fact["rows"] for fact in fires.values()}
    return GraphAudit(
        _net(about["net"]),
        DataSummary(
            data["source"], data["sha256"], data["rows"], data["distinct_inputs"],
            loss and of_ends(loss["loss"]), loss and of_ends(loss["noise_floor"]), data["loss_name"],
            data["loss_reason"],
        ),
        found,
        rows.pop() if rows else report["deployment_rows"],
        tuple(box_finding(fact, idle_units, told) for fact, told in zip(boxes, report["boxes"], strict=True)),
        None if bound is None else of_hexadecimal(bound),
        None if lower is None else improvement_of(lower, about["improved"]),
        about["unimproved"],
        tuple(about["undecided"]),
        tuple(about["not_asked"]),
        dict(report["seconds"]),
        _end(report["end"], facts, data["rows"]),
        about["unpriced"],
    )  # fmt: skip


def unseen(audit: GraphAudit) -> list[str]:
    """What the report says that no fact shows."""
    boxes = ["whether the boxes are those of their files"] if audit.boxes else []
    # One that overflows is none.
    single = audit.net.dtype == "float32" and audit.float32_deviation is None
    bound = ["why float32 evaluations are not bounded"] if single else []
    unimproved = ["why no lower loss is shown"] if audit.unimproved else []
    unpriced = ["why nothing is priced"] if audit.unpriced else []
    sets = ["whether other sets are idle only together"] if audit.end and not audit.end.none_together else []
    return [*boxes, *bound, *unimproved, *unpriced, *sets, "lines about what is open", "seconds"]


def node_finding(called: Called, idle: Mapping[str, Any], fires: Mapping[str, Any] | None = None) -> NodeFinding:
    """The units of a node, as the facts about them say."""
    size = int(np.prod(called.shape))
    states = np.full(size, State.VARIES, dtype=np.int8)
    values: dict[int, Fraction] = {entry: Fraction(0) for entry in idle["dead"]}
    values |= {entry: of_hexadecimal(value) for entry, value in idle["constant"] if isinstance(value, str)}
    for state, entries in ((State.DEAD, idle["dead"]), (State.CONSTANT, [entry for entry, _ in idle["constant"]]),
                           (State.UNDECIDED, idle["undecided"])):  # fmt: skip
        states[np.array(entries, dtype=np.int64)] = state
    witness = np.full((size, 2), -1, dtype=np.int64)
    witness[states == State.VARIES] = np.array(idle["witness"], dtype=np.int64).reshape(-1, 2)
    read = np.ones(size, dtype=bool)
    read[np.array(idle["unread"], dtype=np.int64)] = False
    name = called.name or f"node {called.node}"
    node = NodeFinding(called.node, name, activation_name(called.layer), called.shape, states, values, witness, read)
    if fires is None:
        return node
    rows = {entry: tuple(fired) for entry, fired, _ in fires["fires"]}
    open_ = {entry: tuple(left) for entry, _, left in fires["fires"] if left}
    sent = {entry: rows.get(entry, ()) for entry in node.idle}
    return NodeFinding(
        called.node, name, node.kind, called.shape, states, values, witness, read, sent, open_fires=open_
    )


def _net(told: Mapping[str, Any]) -> GraphSummary:
    reading = told["reading"] and Reading(
        tuple(told["reading"]["layers"]), told["reading"]["activation"], told["reading"]["known_from"],
        tuple(told["reading"]["notes"]), told["reading"]["cut"], told["reading"]["multiplied"],
    )  # fmt: skip
    return GraphSummary(
        told["source"], told["sha256"], tuple(told["input_shape"]), tuple(told["output_shape"]), told["nodes"],
        told["units"], told["parameters"], told["dtype"], reading,
    )  # fmt: skip


def box_finding(fact: Mapping[str, Any], idle: Mapping[int, Sequence[int]], told: Mapping[str, Any]) -> BoxFinding:
    """What idle units do over a box; `told` has the reason why something is open."""
    acts = {entry: _numbers(z) for entry, z in fact["acts"]}
    still = tuple(fact["still"])
    left = tuple(entry for entry in idle[fact["node"]] if entry not in acts and entry not in still)
    return BoxFinding(fact["box"], fact["node"], still, acts, left, told["reason"])


def _end(told: Mapping[str, Any] | None, facts: Sequence[Mapping[str, Any]], count: int) -> GraphEnd | None:
    if told is None:
        return None
    readout = next((fact for fact in facts if fact["kind"] == "graph-readout"), None)
    listed: list[Any] = [one for fact in facts if fact["kind"] == "graph-together" for one in fact["sets"]]
    sets = (
        Together(
            tuple(one["features"]), tuple((a, b) for a, b in one["witness"]),
            None if one["fires"] is None else tuple(one["fires"]),
        )
        for one in listed
    )  # fmt: skip
    found = None if readout is None else GraphReadout(_readout(readout, count), None, readout["independent"])
    return GraphEnd(told["node"], told["name"], tuple(told["shape"]), found, tuple(sets))


def _readout(fact: Mapping[str, Any], count: int) -> Readout:
    rows = {part: tuple(map(_priced, fact["rows"].get(part, ()))) for part in PARTS}
    directions = tuple(tuple((j, of_hexadecimal(x)) for j, x in terms) for terms in fact["directions"])
    move = None if fact["move"] is None else of_hexadecimal(fact["move"])
    return Readout(
        fact["layer"], count, of_hexadecimal(fact["penalty"]), move, tuple(fact["columns"]), directions,
        rows["deployment"], rows["training"], rows["test"],
    )  # fmt: skip


def _priced(entry: Mapping[str, Any]) -> PricedInput:
    if "free" in entry:
        return PricedInput(entry["row"], None, None, entry["free"])
    leverage, price = (_pair(entry[part]) for part in ("leverage", "price"))
    return PricedInput(entry["row"], leverage, price)


def _pair(ends: Sequence[str | None]) -> tuple[Fraction, Fraction | None]:
    low, high = ends
    assert low is not None
    return of_hexadecimal(low), None if high is None else of_hexadecimal(high)


def improvement_of(fact: Mapping[str, Any], file: str) -> GraphImprovement:
    """The improvement of a fact, in this file."""
    units = (
        Reused(one["unit"], _numbers(one["weights"]), of_hexadecimal(one["bias"]), _numbers(one["outgoing"]))
        for one in fact["units"]
    )
    before, after = (of_ends(fact[part]) for part in ("loss_before", "loss_after"))
    return GraphImprovement(fact["node"], tuple(units), _numbers(fact["output_bias"]), before, after, file)


def _numbers(texts: Sequence[str]) -> tuple[Fraction, ...]:
    return tuple(map(of_hexadecimal, texts))
