"""Which hidden units of a graph are idle on the training inputs; `firing` says where they act at deployment.

Balls in float64 decide most of it, on the part of the graph that is still open; exact arithmetic the rest.
"""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from proof_of_absence.checker.graph.findings import State
from proof_of_absence.checker.numbers.deadline import OutOfTime, look
from proof_of_absence.checker.passes.graph_enclosure import GraphBall, GraphPass, blocks
from proof_of_absence.checker.passes.graph_exact import (
    DIFFERS,
    OPEN,
    SHARP,
    TOO_MANY,
    differing,
    sharp_blocks,
    sharp_pass,
    values,
)
from proof_of_absence.checker.passes.graph_part import part
from proof_of_absence.checker.passes.graph_reads import met, moves
from proof_of_absence.models.graph import Graph

__all__ = ["OUT_OF_TIME", "UnitStates", "by_unit", "checked_inputs", "unit_states"]

OUT_OF_TIME = "there was no time to decide it"
# Rows that exact arithmetic looks at together: few at first, since one that differs is enough.
FEW, MANY = 2, 256


@dataclass(frozen=True, eq=False)
class UnitStates:
    """The units of one activation node, by their entry in its flattened value.

    Parameters
    ----------
    node
        The node's number.
    states
        A `State` for each unit, int8, shape (units,).
    values
        What dead and constant units send, by entry; a number that is not rational, or not known to be, is left out.
    witness
        For a unit that varies two training rows with different values, int64, shape (units, 2); else -1.
    read
        Whether something reads the unit with a weight other than 0 (`graph_reads.met`), shape (units,).
    reasons
        Why a unit is undecided, by entry.
    """

    node: int
    states: np.ndarray
    values: dict[int, Fraction]
    witness: np.ndarray
    read: np.ndarray
    reasons: dict[int, str]

    @property
    def one_value(self) -> np.ndarray:
        """Whether a unit sends one value at all training rows, shape (units,)."""
        return _sends_one(self.states)

    @property
    def idle(self) -> np.ndarray:
        """Whether a unit sends one value at all training rows, or nothing reads it, shape (units,)."""
        return np.asarray(self.one_value | ~self.read)


def checked_inputs(graph: Graph, inputs: np.ndarray, what: str = "inputs") -> np.ndarray:
    """The inputs as float64, shape (rows, size).

    Raises
    ------
    ValueError
        If they have no row, another shape than the graph's, lose digits in float64, or are not finite.
    """
    array = np.asarray(inputs)
    flat = (graph.sizes[0],)
    if not array.ndim or not len(array) or array.shape[1:] not in (graph.input_shape, flat):
        raise ValueError(
            f"{what} of shape {array.shape}: the net reads rows of shape {graph.input_shape}, at least one row"
        )
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise ValueError(f"{what} of type {array.dtype} are not all float64 numbers")
    result = array.reshape(len(array), -1).astype(np.float64)
    if not np.isfinite(result).all():
        raise ValueError(f"{what} hold NaN or infinity")
    if array.dtype.kind in "iu" and (np.abs(result) >= 2.0**53).any():
        raise ValueError(f"{what} of type {array.dtype} are not all float64 numbers")
    return result


def unit_states(graph: Graph, inputs: np.ndarray) -> tuple[UnitStates, ...]:
    """What the units of every activation node do on the training inputs, decided exactly.

    Where the deadline in force passes, what is open is undecided.

    Parameters
    ----------
    inputs
        Shape (rows, *input_shape) or (rows, size), float64: each float means the dyadic rational it is.

    Raises
    ------
    ValueError
        As `checked_inputs`.

    Examples
    --------
    >>> from proof_of_absence.models.graph import Node
    >>> from proof_of_absence.models.graph_layers import Dense, Relu
    >>> first, last = Dense([[1.0], [-1.0], [0.0]], [0, 0, 2.5]), Dense([[1.0, 1, 1]], [0])
    >>> net = Graph((1,), [Node(first, (0,)), Node(Relu(), (1,)), Node(last, (2,))])
    >>> [found] = unit_states(net, np.array([[0.0], [3.0]]))
    >>> [State(state).name for state in found.states], dict(sorted(found.values.items()))
    (['VARIES', 'DEAD', 'CONSTANT'], {1: Fraction(0, 1), 2: Fraction(5, 2)})
    """
    search = _Search(graph, checked_inputs(graph, inputs))
    try:
        search.decide()
        reason = TOO_MANY
    except OutOfTime:
        reason = OUT_OF_TIME
    read = met(graph)
    return tuple(
        UnitStates(
            number, here.states, here.values, here.witness, read[number], dict.fromkeys(here.pending.tolist(), reason)
        )
        for number, here in search.nodes.items()
    )


@dataclass(eq=False)
class _Units:
    """The units of one node: of each the greatest lower and the least upper bound met, and where."""

    size: int
    values: dict[int, Fraction] = field(default_factory=dict)
    # Pairs (units, rows) at which a value is not known exactly, but of units that are so at all rows first met: `hard`.
    pairs: list[np.ndarray] = field(default_factory=lambda: [np.empty((2, 0), dtype=np.int64)])

    def __post_init__(self) -> None:
        self.states = np.full(self.size, State.UNDECIDED, dtype=np.int8)
        self.witness = np.full((self.size, 2), -1, dtype=np.int64)
        self.high, self.low = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        self.rows = np.zeros((2, self.size), dtype=np.int64)
        # A row at which the value is known exactly, and the value.
        self.sure, self.value = np.full(self.size, -1, dtype=np.int64), np.zeros(self.size)
        self.hard = np.zeros(self.size, dtype=bool)

    @property
    def pending(self) -> np.ndarray:
        return np.flatnonzero(self.states == State.UNDECIDED)

    @property
    def still(self) -> np.ndarray:
        """Which units are known to send one value."""
        return _sends_one(self.states)

    def see(self, ball: GraphBall, units: np.ndarray, rows: np.ndarray, *, first: bool) -> None:
        """Take in the values of pending units at some rows."""
        lower, upper = ball.lower, ball.upper
        columns = np.arange(len(units))
        for side, bounds, best in ((0, lower, lower.argmax(axis=0)), (1, upper, upper.argmin(axis=0))):
            kept, found = (self.high, self.low)[side], bounds[best, columns]
            better = found > kept[units] if side == 0 else found < kept[units]
            kept[units[better]] = found[better]
            self.rows[side, units[better]] = rows[best[better]]
        varies = units[self.high[units] > self.low[units]]
        self.vary(varies, self.rows[:, varies].T)
        known = ball.radius == 0
        at = known.argmax(axis=0)
        new = known[at, columns] & (self.sure[units] < 0)
        self.sure[units[new]], self.value[units[new]] = rows[at[new]], ball.values[at[new], columns[new]]
        if first:
            self.hard[units] = ~known.any(axis=0)
        unknown = ~known & (self.states[units] == State.UNDECIDED) & ~self.hard[units]
        if unknown.any():
            places, which = np.nonzero(unknown)
            self.pairs.append(np.stack([units[which], rows[places]]))

    def vary(self, units: np.ndarray, witness: np.ndarray) -> None:
        """These units vary, as two rows each show."""
        self.states[units] = State.VARIES
        self.witness[units] = witness

    def settle(self, unit: int, value: Fraction | None) -> None:
        """The unit sends one value; None for one that is not rational."""
        self.states[unit] = State.DEAD if value == 0 else State.CONSTANT
        if value is not None:
            self.values[unit] = value

    def known(self, unit: int) -> Fraction | None:
        """The value at the row at which it is sure."""
        return Fraction(float(self.value[unit])) if self.sure[unit] >= 0 else None

    def open_rows(self) -> dict[int, np.ndarray]:
        """Of each pending unit that is not hard, and not sure at all rows, the rows at which its value is not known."""
        pairs = np.concatenate(self.pairs, axis=1)
        return by_unit(pairs[:, self.states[pairs[0]] == State.UNDECIDED])


class _Search:
    def __init__(self, graph: Graph, inputs: np.ndarray) -> None:
        self.graph, self.inputs = graph, inputs
        self.nodes = {number: _Units(graph.sizes[number]) for number in graph.activations}
        self.moving = (inputs != inputs[0]).any(axis=0)

    def decide(self) -> None:
        """Decide every unit, as far as there is time."""
        look()
        reached = moves(self.graph, self.moving, {})
        for number, here in self.nodes.items():
            # One row tells what a unit sends that nothing moving reaches.
            self._settle(number, here.pending[~reached[number][here.pending]], 0)
        self._stream()
        for bits in SHARP:
            # Radii grow from layer to layer: what float64 does not tell of many, more digits tell of all at once.
            rooted = bits == SHARP[0] and not self.graph.is_rational
            if rooted or any(here.hard[here.pending].any() for here in self.nodes.values()):
                self._stream(bits)
        for number, here in self.nodes.items():
            open_rows = here.open_rows()
            for unit in here.pending.tolist():
                if unit not in open_rows and not here.hard[unit]:
                    here.settle(unit, here.known(unit))
            if here.pending.size:
                # What was found to be still below may leave nothing here that moves.
                still = {below: units.still for below, units in self.nodes.items()}
                reached = moves(self.graph, self.moving, still)
                self._settle(number, here.pending[~reached[number][here.pending]], 0)
                self._compare(number, here.pending[here.hard[here.pending]], np.arange(len(self.inputs)))
                some = here.pending[~here.hard[here.pending]]
                self._compare(number, some, np.unique(np.concatenate([np.empty(0, int), *map(open_rows.get, some)])))

    def _stream(self, bits: int = 0) -> None:
        """All rows in balls, of so many bits if that is not 0; only what is pending is computed.

        They come in a random order, so that what varies is found early.
        """
        order = np.random.default_rng(0).permutation(len(self.inputs))
        start = 0
        for here in self.nodes.values():
            here.pairs = here.pairs[:1]
        while start < len(order):
            pending = {number: here.pending for number, here in self.nodes.items() if here.pending.size}
            if not pending:
                return
            some, ends = part(self.graph, pending)
            run, count = GraphPass(some), sum(map(len, pending.values()))
            for block in (sharp_blocks if bits else blocks)(some, len(order) - start):
                rows = order[start:][block]
                inputs = self.inputs[rows]
                balls = sharp_pass(some, inputs, ends.values(), bits) if bits else run(inputs)
                for number, units in pending.items():
                    left = self.nodes[number].states[units] == State.UNDECIDED
                    if left.any():
                        values_, radius = balls[ends[number]]
                        ball = GraphBall(values_[:, left], radius[:, left])
                        self.nodes[number].see(ball, units[left], rows, first=start + block.start == 0)
                if 2 * sum(self.nodes[number].pending.size for number in pending) < count:
                    break
            start += block.stop

    def _settle(self, number: int, units: np.ndarray, row: int) -> None:
        """These units send one value, that of this row; what cannot be told whether it is 0 is left undecided."""
        if not units.size:
            return
        here, inputs = self.nodes[number], self.inputs[[row]]
        [found] = values(self.graph, inputs, {number: units})[number]
        unknown = np.array([value is None for value in found])
        for unit, value in zip(units[~unknown].tolist(), found[~unknown], strict=True):
            here.settle(unit, value)
        roots = units[unknown]
        [told] = differing(self.graph, inputs, number, roots, [Fraction(0)] * len(roots))
        for unit in roots[told == DIFFERS].tolist():
            here.settle(unit, None)

    def _compare(self, number: int, units: np.ndarray, asked: np.ndarray) -> None:
        """Exact arithmetic at rows at which the balls do not tell what a unit sends: at all others it is sure."""
        if not units.size:
            return
        here = self.nodes[number]
        known = {unit: here.known(unit) for unit in units.tolist()}
        unknown = np.zeros(here.size, dtype=bool)
        # The rows of the extreme bounds come first: a unit that varies differs there, most likely.
        asked = np.array(list(dict.fromkeys([*here.rows[:, units].reshape(-1).tolist(), *asked.tolist()])))
        start, size = 0, FEW
        while start < len(asked):
            left = units[here.states[units] == State.UNDECIDED]
            if not left.size:
                return
            rows = np.concatenate([[0], asked[start : start + size]])
            told = differing(self.graph, self.inputs[rows], number, left, [known[unit] for unit in left.tolist()])
            unknown[left] |= (told == OPEN).any(axis=0)
            differs = told == DIFFERS
            found = differs.any(axis=0)
            other = np.maximum(here.sure[left], 0)
            here.vary(left[found], np.stack([rows[differs.argmax(axis=0)], other], axis=1)[found])
            start, size = start + size, min(2 * size, MANY)
        same = units[(here.states[units] == State.UNDECIDED) & ~unknown[units]]
        self._settle(number, same[here.sure[same] < 0], 0)
        for unit in same[here.sure[same] >= 0].tolist():
            here.settle(unit, known[unit])


def _sends_one(states: np.ndarray) -> np.ndarray:
    return np.asarray((states == State.DEAD) | (states == State.CONSTANT))


def by_unit(pairs: np.ndarray) -> dict[int, np.ndarray]:
    """Of units and rows, (2, pairs), the rows by unit, both in order."""
    units, rows = pairs[:, np.lexsort(pairs[::-1])]
    found, starts = np.unique(units, return_index=True)
    return dict(zip(found.tolist(), np.split(rows, starts[1:]), strict=False))
