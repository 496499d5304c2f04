"""Where a classifier's ONNX graph ends for the audit: at the logits, before Softmax and what turns it into labels.

A graph is cut only where everything behind the cut depends on the value before it alone.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass

import onnx

from proof_of_absence.models.files.constants import label
from proof_of_absence.models.reading import LOSS

__all__ = ["Ending", "ending"]

CUTS = {"Softmax", "LogSoftmax", "Sigmoid"}
# What exporters put behind it to make labels and probabilities by class.
BEHIND = {
    "ArgMax", "ArrayFeatureExtractor", "Binarizer", "Cast", "Concat", "Constant", "Flatten", "Identity", "Log",
    "Normalizer", "Reshape", "Squeeze", "Sub", "ZipMap",
}  # fmt: skip


@dataclass(frozen=True)
class Ending:
    """The nodes to follow, the value at which the net ends, and the node that was left off with all behind it."""

    nodes: list[onnx.NodeProto]
    output: str
    cut: onnx.NodeProto | None
    note: str = ""


def ending(graph: onnx.GraphProto, constants: Container[str]) -> Ending | None:
    """The part of a graph that is to be followed; None if it has several outputs and no such end."""
    outputs = [value.name for value in graph.output]
    fixed = {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    nodes = list(graph.node)
    for place, node in enumerate(nodes):
        if node.op_type not in CUTS or node.domain not in ("", "ai.onnx") or len(node.input) != 1:
            continue
        if _is_last(node, (nodes[later] for later in range(place + 1, len(nodes))), outputs, constants, fixed):
            of = f" (the outputs {', '.join(outputs)})" if len(outputs) > 1 else ""
            note = (
                f"{label(node)} and what follows it{of} are left off: what is audited are the logits before it "
                f"(the value {node.input[0]}). {LOSS}"
            )
            return Ending(nodes[:place], node.input[0], node, note)
    return Ending(nodes, outputs[0], None) if len(outputs) == 1 and outputs[0] else None


def _is_last(
    node: onnx.NodeProto,
    behind: Iterable[onnx.NodeProto],
    outputs: list[str],
    constants: Container[str],
    fixed: set[str],
) -> bool:
    """Whether everything behind the node is computed from its output alone, and every output is."""
    # An exporter may put the constants of the end anywhere.
    known = {node.output[0], *fixed}
    for later in behind:
        reads = filter(None, later.input)
        if later.op_type not in BEHIND or not all(name in known or name in constants for name in reads):
            return False
        known.update(later.output)
    return all(name in known or name == node.input[0] for name in outputs)
