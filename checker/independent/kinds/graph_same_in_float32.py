"""A hardened graph gives the same float32 numbers as the one before at the training rows, to the bit.

Let sums be taken in one order in both, and let the only edits be weights that became 0, with their signs, and that read
what is 0 in every float32 evaluation. Node by node the values are then the same floats: a weight w and w' = 0 of its
sign meet the same zero h, so w h and w' h are one zero, and no sum changes.
"""

from collections.abc import Callable, Iterator

import numpy as np

from proof_of_absence.checker.independent.kinds.graph_hardened import require_alike
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.graph_data import GraphSubject, blocks_of
from proof_of_absence.checker.independent.values.graph_masks import Truths
from proof_of_absence.checker.independent.values.graph_singles import singles
from proof_of_absence.checker.independent.values.graphs import Conv, Dense, Graph


def graph_same_in_float32(subject: GraphSubject, fact: Fact) -> None:
    """Both graphs are of float32 and differ by such edits alone; what is no longer read is 0 there at every row."""
    before, after = subject.before, subject.graph
    require(set(fact) == {"kind"}, "the fact has other parts")
    if before is None:
        raise Refused("the certificate names no graph before")
    require(before.dtype == after.dtype == "float32", "the graphs are not of float32")
    require_alike(before, after)
    unread = dict(_unread(before, after))
    require(bool(unread), "no weight differs")
    for block in blocks_of(before, subject.train):
        for number, (found, delta) in enumerate(singles(before, subject.train[block])):
            if number in unread:
                sent = (array.reshape(len(delta), -1)[:, unread[number]] for array in (*found, delta))
                require(not any(array.any() for array in sent), f"what node {number} sends may not be 0 in float32")


def _unread(before: Graph, after: Graph) -> Iterator[tuple[int, Truths]]:
    """For each value that a changed weight read, which of its entries; refused where anything else differs."""
    found: dict[int, Truths] = {}
    for number, (old, new) in enumerate(zip(before.nodes, after.nodes, strict=True), 1):
        one, other = old.layer, new.layer
        if not (isinstance(one, Dense | Conv) and isinstance(other, Dense | Conv)):
            continue
        require(one.bias.tobytes() == other.bias.tobytes(), f"a bias of node {number} is another")
        changed = (one.weights != other.weights) | (np.signbit(one.weights) != np.signbit(other.weights))
        expected = np.where(changed, np.copysign(0.0, one.weights), one.weights)
        require(expected.tobytes() == other.weights.tobytes(), f"a weight of node {number} is not 0 with its sign")
        if changed.any():
            (below,) = old.reads
            mask = _met(one, changed, before.shapes[below])
            found[below] = found[below] | mask if below in found else mask
    yield from found.items()


def _met(layer: Dense | Conv, changed: Truths, shape: tuple[int, ...]) -> Truths:
    """The entries of a value that some changed weights meet: of a convolution whole channels."""
    if isinstance(layer, Dense):
        return np.broadcast_to(changed.any(axis=0), shape).reshape(-1)
    by_group = changed.reshape(layer.groups, -1, *changed.shape[1:])
    channels = by_group.any(axis=(1, *range(3, by_group.ndim))).reshape(-1)
    return np.repeat(channels, int(np.prod(shape[1:])))


KINDS: dict[str, Callable[[GraphSubject, Fact], None]] = {"graph-same-in-float32": graph_same_in_float32}
