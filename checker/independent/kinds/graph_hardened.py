"""A graph that was hardened: against the graph before, some weights are 0 and some biases are others, and no more.

Where each weight that became 0 reads what has one value at all training rows, what it sent is one number; if the biases
make up for it, every value of the graph is what it was, node by node, and so is what is known of idle units.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.independent.kinds.graph_losses import PATIENT, GraphOutputs
from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Floats, aligned
from proof_of_absence.checker.independent.values.graph_compare import value_at
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, apart_from, blocks_of
from proof_of_absence.checker.independent.values.graph_exact import needs
from proof_of_absence.checker.independent.values.graph_masks import moving, read
from proof_of_absence.checker.independent.values.graph_settled import at_row
from proof_of_absence.checker.independent.values.graphs import AveragePool, Conv, Dense, Graph, Node, Rearrange
from proof_of_absence.checker.independent.values.reported import require_same
from proof_of_absence.checker.independent.values.rounding import UP


def graph_hardened(subject: GraphSubject, fact: Fact) -> None:
    """The graphs differ as stated, their outputs at the training rows by `deviation` at most; idle units are `left`.

    `weights` and `biases` say of each node how many differ; a weight that differs is 0 now. `left` are the idle units
    that something still reads.
    """
    before, after = subject.before, subject.graph
    if before is None:
        raise Refused("the certificate names no graph before")
    require_alike(before, after)
    changed = [k for k in range(1, len(after.shapes)) if _differs(before.nodes[k - 1], after.nodes[k - 1])]
    for part, name in (("weights", "weights"), ("biases", "bias")):
        counts = [[k, count] for k in changed if (count := _count(before, after, k, name))]
        require_same(f"how many {part} differ at each node", fact[part], counts)
    seen = read(after)
    require(set(subject.idle) == set(after.activations), "which units are idle is not stated of each node")
    left = [[k, np.flatnonzero(subject.idle[k] & seen[k]).tolist()] for k in after.activations]
    require_same("the idle units that are left", fact["left"], [entry for entry in left if entry[1]])
    deviation = hexadecimal(fact["deviation"])
    require(deviation >= 0, "a deviation is negative")
    if not all(_made_up(subject, before, k) for k in pausing(changed)):
        _compare(subject, before, deviation)


def require_alike(before: Graph, after: Graph) -> None:
    """One architecture, and arrays of indexes and divisors that are the same."""
    require_equal("the shapes of the values", before.shapes, after.shapes)
    require(before.dtype == after.dtype, "the types of float differ")
    for k, (old, new) in enumerate(zip(before.nodes, after.nodes, strict=True), 1):
        same = (old.reads, old.name, old.attributes) == (new.reads, new.name, new.attributes)
        one, other = old.layer, new.layer
        if isinstance(one, Rearrange) and isinstance(other, Rearrange):
            same = same and np.array_equal(one.index, other.index)
        if isinstance(one, AveragePool) and isinstance(other, AveragePool):
            same = same and np.array_equal(one.divisors, other.divisors)
        if isinstance(one, Dense | Conv) and isinstance(other, Dense | Conv):
            same = same and one.weights.shape == other.weights.shape
            require(same, f"node {k} is another than before")
            differ = one.weights != other.weights
            require(not other.weights[differ].any(), f"a weight of node {k} is another, and not 0")
            single = other.bias.astype(np.float32) == other.bias
            require(after.dtype == "float64" or single.all(), f"a bias of node {k} is no float32")
        require(same, f"node {k} is another than before")


def _differs(old: Node, new: Node) -> bool:
    one, other = old.layer, new.layer
    if not (isinstance(one, Dense | Conv) and isinstance(other, Dense | Conv)):
        return False
    return not (np.array_equal(one.weights, other.weights) and np.array_equal(one.bias, other.bias))


def _count(before: Graph, after: Graph, number: int, name: str) -> int:
    return int((getattr(before.nodes[number - 1].layer, name) != getattr(after.nodes[number - 1].layer, name)).sum())


def _made_up(subject: GraphSubject, before: Graph, number: int) -> bool:
    """Whether, with equal values below at all training rows, those of this node are equal too."""
    after, first = subject.graph, subject.train[:1]
    old, new = before.nodes[number - 1], after.nodes[number - 1]
    if not (isinstance(old.layer, Dense | Conv) and isinstance(new.layer, Dense | Conv)):
        return True
    gone = np.where(new.layer.weights == 0, old.layer.weights, 0)
    bias = np.zeros_like(old.layer.bias)
    layer = Conv(gone, bias, old.layer.window, old.layer.groups) if isinstance(old.layer, Conv) else Dense(gone, bias)
    # What the weights that are gone sent, in a graph that is otherwise the new one.
    nodes = list(after.nodes)
    nodes[number - 1] = Node(layer, new.reads, new.name, new.attributes)
    sent = Graph(after.shapes, tuple(nodes), after.dtype)
    shape = after.shapes[number]
    along = 0 if isinstance(old.layer, Conv) else len(shape) - 1
    touched = (gone != 0).reshape(len(gone), -1).any(axis=1) | (old.layer.bias != new.layer.bias)
    channel = np.unravel_index(np.arange(after.sizes[number]), shape)[along]
    entries = np.flatnonzero(touched[channel])
    (places,) = needs(sent, number, entries)
    moves = moving(after, apart_from(first, subject.train), subject.idle)[new.reads[0]]
    if moves[places].any():
        return False
    found = at_row(sent, first, {number: entries})[number]
    zero = (found.value[0] == 0) & (found.radius[0] == 0)
    own = [Fraction(b) - Fraction(a) for a, b in zip(old.layer.bias.tolist(), new.layer.bias.tolist(), strict=True)]
    if any(own[channel[k]] for k in entries[zero[entries]].tolist()):
        return False
    open_ = entries[~zero[entries]]
    values = value_at(sent, first, number, open_) if open_.size else []
    return all(low == high == own[channel[k]] for k, (low, high) in zip(open_.tolist(), values, strict=True))


def _compare(subject: GraphSubject, before: Graph, deviation: Fraction) -> None:
    """The outputs of both differ at no training row by more than that: by bounds, or exactly where there are few."""
    one, other = GraphOutputs(before), GraphOutputs(subject.graph)
    exact = before.is_rational and subject.graph.is_rational
    if exact and len(subject.train) * (one.parameters + other.parameters) <= PATIENT:
        left, right, exponent, divisor = aligned(one.outputs(subject.train), other.outputs(subject.train))
        worst = Fraction(int(abs(left - right).max()), divisor) * Fraction(2) ** exponent
        require(worst <= deviation, "an output differs by more than is stated at a training row")
        return
    for block in blocks_of(subject.graph, subject.train):
        (value, radius), (own, off) = (net.bounded_outputs(subject.train[block]) for net in (one, other))
        with np.errstate(all="ignore"):
            far: Floats = (np.abs(value - own) + radius + off) * UP
        shown = np.isfinite(far).all() and Fraction(float(far.max())) <= deviation
        require(shown, "bounds do not show that the outputs differ by no more than is stated")


KINDS: dict[str, Callable[[GraphSubject, Fact], None]] = {"graph-hardened": graph_hardened}
