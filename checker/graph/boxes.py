"""Over a box of inputs: do the idle units of a graph send there what they send in training?

Linear bounds show that some do; a corner or a row of the box, evaluated rigorously, that some do not.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.graph.findings import BoxFinding, NodeFinding
from proof_of_absence.checker.numbers.deadline import OutOfTime, look
from proof_of_absence.checker.passes.graph_bounds import bounded, upper
from proof_of_absence.checker.passes.graph_enclosure import GraphPass
from proof_of_absence.checker.passes.graph_intervals import Span
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.graph import Graph

__all__ = ["floats_around", "over_box"]

# Units whose corners are tried at a time.
CORNERS = 64
OPEN = "the bounds do not show it, and no input was found where it acts"
ROOTS = "what it sends in training is not known as a rational number"


def over_box(graph: Graph, nodes: Sequence[NodeFinding], box: Region, inputs: np.ndarray) -> tuple[BoxFinding, ...]:
    """For each node with idle units what they do over the box.

    Parameters
    ----------
    nodes
        What is known of the units in training.
    inputs
        Inputs that are tried as witnesses where they lie in the box, such as deployment inputs, shape (rows, d).

    Raises
    ------
    OutOfTime
        If the deadline in force passes; `so_far` has all nodes, the rest as undecided.

    Examples
    --------
    >>> from proof_of_absence.checker.graph.engine import unit_findings
    >>> from proof_of_absence.models.graph import Node
    >>> from proof_of_absence.models.graph_layers import Dense, Relu
    >>> graph = Graph((1,), [Node(Dense([[1.0], [1.0]], [-3.0, -9.0]), (0,)), Node(Relu(), (1,)),
    ...                      Node(Dense([[1.0, 1.0]], [0.0]), (2,))])
    >>> nodes = unit_findings(graph, np.array([[0.0], [1.0]]))
    >>> (found,) = over_box(graph, nodes, Region("box", ((Fraction(0), Fraction(5)),)), np.zeros((0, 1)))
    >>> found.still, found.acts
    ((1,), {0: (Fraction(5, 1),)})
    """
    idle = [node for node in nodes if node.idle]
    work = _Work(graph, box)
    found: list[BoxFinding] = []
    try:
        for node in idle:
            found.append(work.of(node, inputs))
    except OutOfTime as late:
        left = idle[len(found) :]
        open_ = (BoxFinding(box.name, one.node, (), {}, one.idle, "out of time", box.bounds) for one in left)
        late.so_far = (*found, *open_)
        raise
    return tuple(found)


def floats_around(box: Region) -> tuple[Span, Span]:
    """The least box of floats that holds the box, and the largest one within it, whose sides may be empty."""
    ends = [(_float(low), _float(high)) for low, high in box.bounds]
    low, high = (np.array([side[k] for side in ends]) for k in (0, 1))
    held = [[Fraction(a) == x, Fraction(b) == y] for (a, b), (x, y) in zip(ends, box.bounds, strict=True)]
    below = [[Fraction(a) < x, Fraction(b) < y] for (a, b), (x, y) in zip(ends, box.bounds, strict=True)]
    same, under = np.array(held), np.array(below)
    down = [np.where(same[:, k] | under[:, k], x, np.nextafter(x, -np.inf)) for k, x in enumerate((low, high))]
    up = [np.where(same[:, k] | ~under[:, k], x, np.nextafter(x, np.inf)) for k, x in enumerate((low, high))]
    return Span(down[0], up[1]), Span(up[0], down[1])


def _float(number: Fraction) -> float:
    """The nearest float.

    Raises
    ------
    ValueError
        If there is none.
    """
    try:
        return float(number)
    except OverflowError as error:
        raise ValueError("a bound of the box is beyond the floats") from error


class _Work:
    """What all nodes share: the spans over the box, and the pass that replays inputs."""

    def __init__(self, graph: Graph, box: Region):
        self.graph, self.box = graph, box
        self.outer, self.inner = floats_around(box)
        self.replay = GraphPass(graph)
        self.spans: list[Span] | None = None

    def of(self, node: NodeFinding, inputs: np.ndarray) -> BoxFinding:
        if self.spans is None:
            self.spans = bounded(self.graph, self.outer)
        known = {entry: value for entry in node.idle if (value := node.sent(entry)) is not None}
        rest = tuple(entry for entry in node.idle if entry not in known)
        entries, values = np.array(list(known), dtype=np.int64), list(known.values())
        still = self._still(node.node, entries, values)
        open_ = [k for k in range(len(entries)) if not still[k]]
        inside = inputs[((inputs >= self.inner.low) & (inputs <= self.inner.high)).all(axis=1)]
        acts = self._acting(node.node, {int(entries[k]): values[k] for k in open_}, inside)
        undecided = sorted((*rest, *(int(entries[k]) for k in open_ if int(entries[k]) not in acts)))
        reason = OPEN if len(undecided) > len(rest) else ROOTS if rest else ""
        return BoxFinding(
            self.box.name, node.node, tuple(int(e) for e, so in zip(entries, still, strict=True) if so), acts,
            tuple(undecided), reason, self.box.bounds,
        )  # fmt: skip

    def _still(self, number: int, entries: np.ndarray, values: list[Fraction]) -> list[bool]:
        """Whether the span of the activation, whose argument is bounded by lines, is one point: that of training."""
        assert self.spans is not None
        low, high = self.spans[number]
        points = zip(low[entries].tolist(), high[entries].tolist(), values, strict=True)
        return [a == b and np.isfinite(a) and Fraction(a) == value for a, b, value in points]

    def _acting(
        self, number: int, values: dict[int, Fraction], inside: np.ndarray
    ) -> dict[int, tuple[Fraction, ...]]:
        """For some of these units an input of the box at which they surely send something else."""
        assert self.spans is not None
        acts: dict[int, tuple[Fraction, ...]] = {}
        reads = self.graph.nodes[number - 1].reads[0]
        left = list(values)
        for start in range(0, len(inside), 1024):
            self._try(number, inside[start : start + 1024], values, acts)
        for start in range(0, len(left), CORNERS):
            look()
            some = np.array([entry for entry in left[start : start + CORNERS] if entry not in acts], dtype=np.int64)
            for sign in (1, -1):
                if some.size and (self.inner.low <= self.inner.high).all():
                    corners = upper(self.graph, self.spans, reads, some, sign=sign)[1]
                    self._try(number, np.clip(corners, self.inner.low, self.inner.high), values, acts)
        return acts

    def _try(
        self, number: int, points: np.ndarray, values: dict[int, Fraction], acts: dict[int, tuple[Fraction, ...]]
    ) -> None:
        left = np.array([entry for entry in values if entry not in acts], dtype=np.int64)
        if not (left.size and len(points)):
            return
        ball = self.replay(points, number)[number]
        lower, higher = ball.lower[:, left], ball.upper[:, left]
        # Compared as fractions where a float is near: the value may be none.
        for place, entry in enumerate(left.tolist()):
            value = float(values[entry])
            sure = (lower[:, place] > np.nextafter(value, np.inf)) | (higher[:, place] < np.nextafter(value, -np.inf))
            if sure.any():
                acts[entry] = tuple(map(Fraction, points[int(sure.argmax())].tolist()))
