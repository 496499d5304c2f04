"""At which deployment inputs units of a graph that are idle in training send another value.

Balls in float64 decide most of it, those of 128 bits what many layers in a row leave open, exact arithmetic the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.graph.idle import UnitStates, by_unit, checked_inputs
from proof_of_absence.checker.passes.graph_constants import edge
from proof_of_absence.checker.passes.graph_enclosure import GraphBall, GraphPass, blocks
from proof_of_absence.checker.passes.graph_exact import DIFFERS, OPEN, SAME, differing, sharp_blocks, sharp_pass
from proof_of_absence.checker.passes.graph_part import part
from proof_of_absence.models.graph import Graph

__all__ = ["Firing", "firing"]

# What each unit sends in training, between bounds, and as the exact number where that is rational.
Sent = tuple[np.ndarray, np.ndarray, list[Fraction | None]]


@dataclass(frozen=True)
class Firing:
    """The deployment rows at which idle units of a node send another value, and those where that is open, by entry."""

    node: int
    rows: dict[int, tuple[int, ...]]
    undecided: dict[int, tuple[int, ...]]


def firing(graph: Graph, inputs: np.ndarray, found: Sequence[UnitStates], deployment: np.ndarray) -> tuple[Firing, ...]:
    """At which deployment inputs the units that send one value on the training inputs, and are read, send another.

    Parameters
    ----------
    inputs, deployment
        Training and deployment inputs, as those of `unit_states`.
    found
        What `unit_states` says of the training inputs.

    Raises
    ------
    ValueError
        As `checked_inputs`.
    OutOfTime
        If the deadline in force passes.
    """
    first, rows = checked_inputs(graph, inputs[:1]), checked_inputs(graph, deployment, "deployment inputs")
    wanted = {one.node: np.flatnonzero(one.one_value & one.read) for one in found}
    wanted = {node: units for node, units in wanted.items() if units.size}
    fires: dict[int, list[np.ndarray]] = {one.node: [] for one in found}
    unknown: dict[int, list[np.ndarray]] = {one.node: [] for one in found}
    if wanted:
        asked = _Fired(graph, first, [one for one in found if one.node in wanted], wanted)
        for block in blocks(asked.some, len(rows)):
            for node, told in asked.told(rows[block]).items():
                for what, kept in ((DIFFERS, fires[node]), (OPEN, unknown[node])):
                    which, at = np.nonzero((told == what).T)
                    kept.append(np.stack([wanted[node][which], at + block.start]))
    return tuple(Firing(one.node, _joined(fires[one.node]), _joined(unknown[one.node])) for one in found)


class _Fired:
    """What units that send one value send at other rows: balls tell, sharp ones where many layers lost digits."""

    def __init__(
        self, graph: Graph, first: np.ndarray, found: Sequence[UnitStates], wanted: dict[int, np.ndarray]
    ) -> None:
        self.graph, self.first, self.found, self.wanted = graph, first, found, wanted
        self.some, self.ends = part(graph, wanted)
        self._run = GraphPass(self.some)
        self._sent = self._bounds(self._run(first))
        self._sharp: dict[int, Sent] = {}

    def _bounds(self, balls: Mapping[int, GraphBall] | Sequence[GraphBall]) -> dict[int, Sent]:
        return {one.node: _bounds(one, self.wanted[one.node], balls[self.ends[one.node]]) for one in self.found}

    def told(self, rows: np.ndarray) -> dict[int, np.ndarray]:
        """SAME, DIFFERS or OPEN for each node, (rows, units); OPEN is left where square roots meet."""
        balls = self._run(rows)
        told = {node: _told(balls[self.ends[node]], *self._sent[node][:2]) for node in self.wanted}
        self._sharpen(rows, told)
        for node, units in self.wanted.items():
            places, which = (np.flatnonzero((told[node] == OPEN).any(axis=axis)) for axis in (1, 0))
            if places.size:
                asked = np.concatenate([self.first, rows[places]])
                references = [self._sent[node][2][k] for k in which.tolist()]
                here = np.ix_(places, which)
                exact = differing(self.graph, asked, node, units[which], references)[1:]
                told[node][here] = np.where(told[node][here] == OPEN, exact, told[node][here])
        return told

    def _sharpen(self, rows: np.ndarray, told: dict[int, np.ndarray]) -> None:
        """Decide by sharp balls what is open."""
        open_ = np.flatnonzero(np.any([(marks == OPEN).any(axis=1) for marks in told.values()], axis=0))
        if open_.size and not self._sharp:
            self._sharp = self._bounds(sharp_pass(self.some, self.first, self.ends.values()))
        for block in sharp_blocks(self.some, len(open_)):
            places = open_[block]
            balls = sharp_pass(self.some, rows[places], self.ends.values())
            for node, marks in told.items():
                own = _told(balls[self.ends[node]], *self._sharp[node][:2])
                marks[places] = np.where(marks[places] == OPEN, own, marks[places])


def _joined(pairs: Sequence[np.ndarray]) -> dict[int, tuple[int, ...]]:
    found = by_unit(np.concatenate([np.empty((2, 0), dtype=np.int64), *pairs], axis=1))
    return {unit: tuple(rows.tolist()) for unit, rows in found.items()}


def _bounds(one: UnitStates, units: np.ndarray, ball: GraphBall) -> Sent:
    """Bounds of what the units send, and the exact numbers that are rational; the ball is that of a training input."""
    low, high = ball.lower[0].copy(), ball.upper[0].copy()
    exact = [one.values.get(unit) for unit in units.tolist()]
    for k, value in enumerate(exact):
        if value is not None:
            near, off = edge(value)
            if not off:
                low[k] = high[k] = near
            elif np.isfinite(off):
                low[k], high[k] = np.nextafter(near - off, -np.inf), np.nextafter(near + off, np.inf)
    return low, high, exact


def _told(ball: GraphBall, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """What the balls tell of units that send a value between two bounds: SAME, DIFFERS or OPEN, (rows, units)."""
    lower, upper = ball.lower, ball.upper
    told = np.where((lower > high) | (upper < low), DIFFERS, OPEN)
    return np.where((lower == upper) & (lower == high) & (low == high), SAME, told).astype(np.int8)
