"""Take out of a graph what sleeps: weights that read what idle units make become 0, and what they sent stays in a bias.

No output on the training inputs changes, over the reals. What is shared with units that work is left, and named.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import numpy as np

from proof_of_absence.checker.graph.findings import NodeFinding
from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.passes.graph_constants import U32
from proof_of_absence.checker.passes.graph_enclosure import GraphPass, blocks
from proof_of_absence.checker.passes.graph_exact import values
from proof_of_absence.checker.passes.graph_part import part
from proof_of_absence.checker.passes.graph_reads import met, moves
from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import AveragePool, Conv, Dense, MaxPool, Sum
from proof_of_absence.models.steps import float_of

__all__ = ["Cut", "Hardened", "Left", "harden"]


SHARED = "the file has no array of its own for the weights that read it"


@dataclass(frozen=True)
class Cut:
    """Inputs of a dense layer or channels of a convolution that it no longer reads, and what it received from each.

    `entries` are those of the value that node `node` reads; `index` is the input or the channel, `value` what it is at
    all training inputs.
    """

    node: int
    index: int
    entries: tuple[int, ...]
    value: Fraction


@dataclass(frozen=True)
class Left:
    """An idle unit that something still reads, by its activation node and entry, and why."""

    node: int
    entry: int
    reason: str


@dataclass(frozen=True, eq=False)
class Hardened:
    """The graph before and after, what was cut, and the idle units that are left.

    `removed` are the idle units that were read before and are not now, by node; `same_in_float32` says that a float32
    evaluation gives the very same numbers at the training inputs, for whoever sums in the same order.
    """

    before: Graph
    graph: Graph
    cuts: tuple[Cut, ...]
    removed: dict[int, tuple[int, ...]]
    left: tuple[Left, ...]
    same_in_float32: bool


def harden(
    graph: Graph,
    inputs: np.ndarray,
    nodes: Sequence[NodeFinding],
    changeable: tuple[Container[int], Container[int]] | None = None,
) -> Hardened:
    """Cut whatever reads only what idle units make.

    Parameters
    ----------
    inputs
        Training inputs, shape (N, d), float64, finite.
    nodes
        What the units do at them, as `engine.unit_findings` has it.
    changeable
        The nodes whose weights may be changed, and those whose biases may; all by default.

    Raises
    ------
    ValueError
        If it is not decided of some unit whether it is idle.
    OutOfTime
        If the deadline in force passes.

    Notes
    -----
    An entry of a value is *asleep* where it depends on idle units alone. If all that one column of a dense layer reads
    is asleep, with one value v, the weights w of the column become 0 and the bias b + w v, where the type holds that.
    Likewise a channel that a convolution reads, asleep at all positions with one value: but at a border padding stands
    in for it, so there v has to be 0. A weight keeps its sign, so that ``0 * v`` is the 0 that it was for v = 0.

    Examples
    --------
    >>> from proof_of_absence.checker.graph.engine import unit_findings
    >>> from proof_of_absence.models.graph_layers import Relu
    >>> graph = Graph((1,), [Node(Dense([[1.0], [1.0]], [0.0, -9.0]), (0,)), Node(Relu(), (1,)),
    ...                      Node(Dense([[1.0, 5.0]], [0.0]), (2,))])
    >>> inputs = np.array([[0.0], [1.0], [2.0]])
    >>> found = harden(graph, inputs, unit_findings(graph, inputs))
    >>> found.graph.nodes[2].layer.weights.tolist(), found.removed, found.left
    ([[1.0, 0.0]], {2: (1,)}, ())
    """
    if any(node.undecided for node in nodes):
        raise ValueError("it is not decided of each unit whether it is idle")
    asleep = _asleep(graph, nodes)
    sent = _sent(graph, inputs, asleep)
    new, cuts, refused = list(graph.nodes), list[Cut](), dict[int, str]()
    for number, node in enumerate(looking(graph.nodes), 1):
        if isinstance(node.layer, Dense | Conv) and asleep[node.reads[0]].any():
            if changeable and number not in changeable[0]:
                refused[node.reads[0]] = SHARED
                continue
            bound = changeable is not None and number not in changeable[1]
            layer, found, reason = _cut(node.layer, number, asleep[node.reads[0]], sent[node.reads[0]],
                                        graph.shapes[node.reads[0]], None if bound else graph.dtype)  # fmt: skip
            cuts += found
            refused |= dict.fromkeys([node.reads[0]] * bool(reason), reason)
            if found:
                new[number - 1] = replace(node, layer=layer)
    after = Graph(graph.input_shape, new, graph.dtype, graph.reading)
    read = met(after)
    removed = {node.node: tuple(k for k in node.idle if not read[node.node][k]) for node in nodes}
    left = tuple(Left(node.node, k, _reason(after, node.node, refused)) for node in nodes
                 for k in node.idle if read[node.node][k])  # fmt: skip
    same = bool(cuts) and graph.dtype == np.float32 and _float_dead(graph, inputs, cuts)
    return Hardened(graph, after, tuple(cuts), {k: units for k, units in removed.items() if units}, left, same)


def _asleep(graph: Graph, nodes: Sequence[NodeFinding]) -> list[np.ndarray]:
    """For the input and each node, the entries that depend on idle units, and on nothing else that may change."""
    still = {}
    for node in nodes:
        still[node.node] = np.zeros(graph.sizes[node.node], dtype=bool)
        still[node.node][list(node.idle)] = True
    alone = moves(graph, np.ones(graph.sizes[0], dtype=bool), still)
    reached = moves(graph, np.zeros(graph.sizes[0], dtype=bool), {}, still)
    return [~one & other for one, other in zip(alone, reached, strict=True)]


def _sent(graph: Graph, inputs: np.ndarray, asleep: Sequence[np.ndarray]) -> dict[int, dict[int, Fraction | None]]:
    """The value of each entry that is asleep and that a weight reads; None where it is not rational."""
    wanted = {
        node.reads[0]: np.flatnonzero(asleep[node.reads[0]])
        for node in graph.nodes
        if isinstance(node.layer, Dense | Conv) and asleep[node.reads[0]].any()
    }
    found = values(graph, inputs[:1], wanted) if wanted else {}
    return {node: dict(zip(entries.tolist(), found[node][0], strict=True)) for node, entries in wanted.items()}


def _cut(
    layer: Dense | Conv, number: int, asleep: np.ndarray, sent: dict[int, Fraction | None], shape: tuple[int, ...],
    dtype: np.dtype | None,
) -> tuple[Dense | Conv, list[Cut], str]:  # fmt: skip
    """The layer without what it reads of sleepers, what was cut, and why some of it could not be.

    `dtype` is the type of the biases; None if they cannot be changed.
    """
    positions = np.arange(prod(shape)).reshape(shape)
    by_index = positions.reshape(-1, shape[-1]).T if isinstance(layer, Dense) else positions.reshape(shape[0], -1)
    weights, bias, cuts, reason = layer.weights.copy(), layer.bias.copy(), list[Cut](), ""
    for index, entries in enumerate(by_index.tolist()):
        column = _column(layer, index)
        if not asleep[entries].any() or not weights[column].any():
            continue
        if not asleep[entries].all():
            reason = "its weights are shared with positions where it works"
            continue
        here = {sent[entry] for entry in entries}
        (value, *others) = here
        if others or value is None:
            reason = "it sends different numbers at different positions" if others else "what it sends has roots"
            continue
        if value and isinstance(layer, Conv) and (layer.window.index(shape[1:]) < 0).any():
            reason = "at the border 0 stands in for what it sends"
            continue
        moved = _folded(bias, layer, weights, index, value, dtype)
        if moved is None:
            reason = "no bias there holds what it sends"
            continue
        bias = moved
        # With its sign kept, 0 times a unit that is 0 is the very float that it was.
        weights[column] = np.copysign(0.0, weights[column])
        cuts.append(Cut(number, index, tuple(entries), value))
    if isinstance(layer, Dense):
        return Dense(weights, bias), cuts, reason
    return Conv(weights, bias, layer.window, layer.groups), cuts, reason


def _column(layer: Dense | Conv, index: int) -> tuple[slice, int]:
    """Where the weights lie that read an input of a dense layer, or a channel of a convolution."""
    if isinstance(layer, Dense):
        return slice(None), index
    each, out = layer.channels_in // layer.groups, len(layer.weights) // layer.groups
    group = index // each
    return slice(group * out, (group + 1) * out), index % each


def _folded(
    bias: np.ndarray, layer: Dense | Conv, weights: np.ndarray, index: int, value: Fraction, dtype: np.dtype | None
) -> np.ndarray | None:
    """The biases with what an input sends added; None where the type does not hold one."""
    if not value:
        return bias
    if dtype is None:
        return None
    rows, place = _column(layer, index)
    new = bias.copy()
    for row in range(*rows.indices(len(bias))):
        wanted = Fraction(new[row]) + sum(map(Fraction, weights[row, place].reshape(-1).tolist()), Fraction(0)) * value
        near = float_of(wanted)
        if near is None or (dtype == np.float32 and float(np.float32(near)) != near):
            return None
        new[row] = near
    return new


def _reason(graph: Graph, node: int, refused: dict[int, str]) -> str:
    """Why units of a node are left: what first stands between them and a weight."""
    seen, todo = set[int](), [node]
    while todo:
        here = todo.pop()
        if here in refused:
            return refused[here]
        for reader in graph.readers[here]:
            layer: Node = graph.nodes[reader - 1]
            if not isinstance(layer.layer, Dense | Conv) and reader not in seen:
                seen.add(reader)
                todo.append(reader)
    if len(graph.nodes) in {node, *seen}:
        return "it is among the outputs"
    mixing = (graph.nodes[k - 1].layer for k in sorted(seen))
    kinds = dict.fromkeys(type(layer).__name__ for layer in mixing if isinstance(layer, AveragePool | MaxPool | Sum))
    return f"{' and '.join(kinds) or 'something'} reads it together with what works"


def _float_dead(graph: Graph, inputs: np.ndarray, cuts: Sequence[Cut]) -> bool:
    """Whether all that was cut is 0 in every float32 evaluation too, at each input."""
    if any(cut.value for cut in cuts):
        return False
    wanted: dict[int, list[int]] = {}
    for cut in cuts:
        wanted.setdefault(graph.nodes[cut.node - 1].reads[0], []).extend(cut.entries)
    some, ends = part(graph, {node: np.unique(entries) for node, entries in wanted.items()})
    run = GraphPass(some, U32)
    for rows in blocks(some, len(inputs)):
        balls = run(inputs[rows])
        for node in wanted:
            ball = balls[ends[node]]
            if ball.values.any() or ball.radius.any():
                return False
    return True
