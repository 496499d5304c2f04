"""The JSON report of a graph, for programs: all that the audit holds, numbers as exact text."""

import json
from typing import Any

import numpy as np

from proof_of_absence.checker.graph.findings import (
    BoxFinding,
    DataSummary,
    GraphAudit,
    GraphEnd,
    GraphImprovement,
    GraphSummary,
    NodeFinding,
    State,
)
from proof_of_absence.checker.graph.readout_facts import graph_readout_fact, together_fact
from proof_of_absence.checker.graph.report.view import STATES, headline
from proof_of_absence.checker.numbers.enclosure import Enclosure
from proof_of_absence.checker.numbers.hexadecimal import hexadecimal

__all__ = ["FORMAT", "data_json", "net_json", "report_text", "to_json"]

FORMAT = "absence-graph-audit/1"


def to_json(audit: GraphAudit) -> dict[str, Any]:
    """The report as JSON values. Lists over units are in the order of the flattened value of the node."""
    net, data = audit.net, audit.data
    return {
        "format": FORMAT,
        "state": STATES[audit.exit_code],
        "headline": headline(audit),
        "net": net_json(net),
        "data": data_json(data) | {"loss": _enclosure(data.loss), "noise_floor": _enclosure(data.noise_floor)},
        "units": [_node(node) for node in audit.nodes],
        "deployment_rows": audit.deployment_rows,
        "boxes": [_box(box) for box in audit.boxes],
        "float32_deviation": None if audit.float32_deviation is None else hexadecimal(audit.float32_deviation),
        "improvement": None if audit.improvement is None else _improvement(audit.improvement),
        "unimproved": audit.unimproved,
        "end": None if audit.end is None else _end(audit.end),
        "unpriced": audit.unpriced,
        "findings": list(audit.findings),
        "undecided": list(audit.undecided),
        "not_asked": list(audit.not_asked),
        "seconds": audit.seconds,
    }


def net_json(net: GraphSummary) -> dict[str, Any]:
    """The network: its source, sizes, and how it was read."""
    reading = net.reading
    return {
        "source": net.source,
        "sha256": net.sha256,
        "input_shape": list(net.input_shape),
        "output_shape": list(net.output_shape),
        "nodes": net.nodes,
        "units": net.units,
        "parameters": net.parameters,
        "dtype": net.dtype,
        "reading": None if reading is None else {
            "layers": list(reading.layers), "activation": reading.activation, "known_from": reading.known_from,
            "notes": list(reading.notes), "cut": reading.cut, "multiplied": reading.multiplied,
        },
    }  # fmt: skip


def data_json(data: DataSummary) -> dict[str, Any]:
    """The data without the losses: their source, sizes, and which loss was taken for which reason."""
    return {
        "source": data.source,
        "sha256": data.sha256,
        "rows": data.rows,
        "distinct_inputs": data.distinct_inputs,
        "loss_name": data.loss_name,
        "loss_reason": data.loss_reason,
    }


def _end(end: GraphEnd) -> dict[str, Any]:
    """What the outputs read; prices and sets are those of the facts."""
    facts = (
        end.readout and graph_readout_fact(end.readout), together_fact(end.node, end.together) if end.together else None
    )  # fmt: skip
    readout, together = (fact and {key: value for key, value in fact.items() if key != "kind"} for fact in facts)
    return {
        "node": end.node,
        "name": end.name,
        "shape": list(end.shape),
        "readout": readout,
        "together": together["sets"] if together else [],
    }


def report_text(report: dict[str, Any]) -> str:
    """JSON, a line for each part."""
    parts = (f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in report.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _node(node: NodeFinding) -> dict[str, Any]:
    return {
        "node": node.node,
        "name": node.name,
        "kind": node.kind,
        "shape": list(node.shape),
        "count": len(node.states),
        "dead": _where(node, State.DEAD),
        "constant": _where(node, State.CONSTANT),
        "undecided": _where(node, State.UNDECIDED),
        "values": {str(entry): hexadecimal(node.values[entry]) for entry in sorted(node.values) if node.values[entry]},
        "not_read": np.flatnonzero(~node.read).tolist(),
        "idle_channels": [channel.index for channel in node.channels],
        "fires": None if node.fires is None else {str(k): list(rows) for k, rows in sorted(node.fires.items()) if rows},
        "open_fires": {str(k): list(rows) for k, rows in sorted(node.open_fires.items())},
    }


def _where(node: NodeFinding, state: State) -> list[int]:
    found: list[int] = np.flatnonzero(node.states == state).tolist()
    return found


def _box(box: BoxFinding) -> dict[str, Any]:
    return {
        "box": box.box,
        "node": box.node,
        "still": list(box.still),
        "acts": {str(entry): [hexadecimal(x) for x in z] for entry, z in sorted(box.acts.items())},
        "undecided": list(box.undecided),
        "reason": box.reason,
    }


def _improvement(found: GraphImprovement) -> dict[str, Any]:
    return {
        "node": found.node,
        "units": [
            {
                "unit": one.unit,
                "weights": [hexadecimal(x) for x in one.weights],
                "bias": hexadecimal(one.bias),
                "outgoing": [hexadecimal(x) for x in one.outgoing],
            }
            for one in found.units
        ],
        "output_bias": [hexadecimal(x) for x in found.output_bias],
        "loss_before": _enclosure(found.loss_before),
        "loss_after": _enclosure(found.loss_after),
        "file": found.file,
    }


def _enclosure(value: Enclosure | None) -> list[str] | None:
    return None if value is None else [hexadecimal(value.low), hexadecimal(value.high)]
