"""Which hidden units are idle on the training inputs: dead, constant, or varying with two rows as witness.

Float passes with rigorous bounds decide most of it, exact arithmetic the rest; nothing is left to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from proof_of_absence.checker.audit.findings import Activity, UnitFinding
from proof_of_absence.checker.numbers.deadline import OutOfTime, look
from proof_of_absence.checker.passes import exact
from proof_of_absence.checker.passes.enclosure import Ball, blocks, enclose
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import nonzero, some_units

__all__ = ["checked_inputs", "truncated", "unit_findings"]

# Rows looked at first: almost every unit that varies does so among them.
SAMPLE = 512


def unit_findings(net: FloatNet, inputs: np.ndarray) -> tuple[UnitFinding, ...]:
    """Every hidden unit, layer by layer: what it does on the training inputs, decided exactly.

    Parameters
    ----------
    inputs
        Training inputs, shape (rows, d), float64: each float means the dyadic rational it is.

    Raises
    ------
    ValueError
        If the inputs are no finite float64 matrix of that width with at least one row.
    OutOfTime
        If the deadline in force passes; `so_far` has every unit, those that are open then as undecided.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [-1.0], [0.0]], [0.0, 0.0, 2.0]), ([[1.0, 1.0, 1.0]], [0.0])])
    >>> [(str(f.activity), f.idle, f.witness) for f in unit_findings(net, np.array([[0.0], [3.0]]))]
    [('varies', False, (1, 0)), ('dead', True, None), ('constant', True, None)]
    """
    inputs = checked_inputs(net, inputs)
    found: list[UnitFinding] = []
    # Units whose value varies, in the layer below: nothing else can make a unit vary.
    moving = inputs.any(axis=0) if len(inputs) == 1 else (inputs != inputs[0]).any(axis=0)
    for layer in range(1, len(net.layers)):
        work = _Layer(net, inputs, layer, moving)
        try:
            states = work.decide()
        except OutOfTime as late:
            found += _findings(net, layer, work.states)
            for above in range(layer + 1, len(net.layers)):
                found += _findings(net, above, [None] * net.widths[above])
            late.so_far = tuple(found)
            raise
        found += _findings(net, layer, states)
        moving = np.array([state is not None and state.activity is Activity.VARIES for state in states])
    return tuple(found)


def _findings(net: FloatNet, layer: int, states: "Sequence[_State | None]") -> list[UnitFinding]:
    """What is known of a layer's units; None stands for one that is open."""
    read = nonzero(net.layers[layer]).any(axis=0)
    found = []
    for j, state in enumerate(states):
        if state is None:
            found.append(UnitFinding(Unit(layer, j), Activity.UNDECIDED, None))
        else:
            idle = state.activity is not Activity.VARIES or not bool(read[j])
            found.append(UnitFinding(Unit(layer, j), state.activity, idle, state.witness))
    return found


def checked_inputs(net: FloatNet, inputs: np.ndarray, what: str = "inputs") -> np.ndarray:
    """The inputs as float64, shape (rows, d).

    Raises
    ------
    ValueError
        If they are no finite matrix of the net's input width, have no row, or lose digits in float64.
    """
    array = np.asarray(inputs)
    if array.ndim != 2 or not len(array) or array.shape[1] != net.widths[0]:
        raise ValueError(
            f"{what} of shape {array.shape}: the net reads rows of {net.widths[0]} numbers, at least one row"
        )
    result = array.astype(np.float64)
    if not np.isfinite(result).all():
        raise ValueError(f"{what} hold NaN or infinity")
    if (
        array.dtype.kind not in "fiub"
        or array.dtype.itemsize > 8
        or (array.dtype.kind in "iu" and (np.abs(result) >= 2.0**53).any())
    ):
        raise ValueError(f"{what} of type {array.dtype} are not all float64 numbers")
    return result


def truncated(net: FloatNet, layer: int, units: Sequence[int] | np.ndarray | None = None) -> FloatNet:
    """The net up to the pre-activations of a layer, of some of its units."""
    last = some_units(net.layers[layer - 1], slice(None) if units is None else units)
    return FloatNet((*net.layers[: layer - 1], last), net.dtype)


@dataclass(frozen=True)
class _State:
    activity: Activity
    witness: tuple[int, int] | None = None


class _Layer:
    """The units of one layer: for each the greatest lower and the least upper bound of its value met, and where."""

    def __init__(self, net: FloatNet, inputs: np.ndarray, layer: int, moving: np.ndarray):
        self.net, self.inputs, self.layer = net, inputs, layer
        weighed = nonzero(net.layers[layer - 1])
        self.states: list[_State | None] = [None] * len(weighed)
        self.still = ~weighed[:, moving].any(axis=1)
        self.high, self.low = np.full(len(weighed), -np.inf), np.full(len(weighed), np.inf)
        self.rows = np.zeros((2, len(weighed)), dtype=np.int64)

    @property
    def pending(self) -> np.ndarray:
        return np.array([j for j, state in enumerate(self.states) if state is None], dtype=np.int64)

    def decide(self) -> "list[_State | None]":
        """The state of each unit."""
        still = np.flatnonzero(self.still)
        look()
        if still.size:
            # They read constants only, so one row tells.
            signs = exact.activations(self.net, self.inputs[:1], self.layer, still).signs()[0]
            for j, sign in zip(still, signs, strict=True):
                self.states[j] = _State(Activity.CONSTANT if sign else Activity.DEAD)
        rows = len(self.inputs)
        if self.pending.size:
            sample = np.unique(np.linspace(0, rows - 1, min(rows, SAMPLE)).astype(np.int64))
            self._pass(sample, self.pending, np.float64)
        if self.pending.size:
            self._finish(*self._screen())
        return self.states

    def _pass(self, rows: np.ndarray, units: np.ndarray, precision: type) -> np.ndarray:
        """Bounds of units at these rows; returns (units, rows) where none shows that the pre-activation is <= 0."""
        ball = enclose(truncated(self.net, self.layer, units), self.inputs[rows], precision)[-1]
        # Most entries need no bound of their own. Rounded up, and < since both sides may be infinite.
        with np.errstate(over="ignore", under="ignore"):
            limit = np.nextafter(ball.unit_radius.astype(precision), precision(np.inf))
        open_ = ~(ball.values < -limit)
        closed_at = open_.argmin(axis=0)
        closed = ~open_[closed_at, np.arange(len(units))]
        self._meet(1, units[closed], np.zeros(closed.sum()), rows[closed_at[closed]])
        some_rows, some_units = np.flatnonzero(open_.any(axis=1)), np.flatnonzero(open_.any(axis=0))
        if some_rows.size:
            lower, upper, still_open = _bounds(ball.part(some_rows, some_units))
            open_[np.ix_(some_rows, some_units)] &= still_open
            for side, values, best in ((0, lower, lower.argmax(axis=0)), (1, upper, upper.argmin(axis=0))):
                self._meet(side, units[some_units], values[best, np.arange(len(some_units))], rows[some_rows[best]])
        for j in units[self.high[units] > self.low[units]]:
            self._vary(j, *self.rows[:, j])
        return open_.T

    def _meet(self, side: int, units: np.ndarray, values: np.ndarray, rows: np.ndarray) -> None:
        """Keep greater lower bounds (side 0) and lesser upper bounds (side 1), and where they were met."""
        kept = (self.high, self.low)[side]
        better = values > kept[units] if side == 0 else values < kept[units]
        kept[units[better]] = values[better]
        self.rows[side, units[better]] = rows[better]

    def _vary(self, unit: int, one: int, other: int) -> None:
        self.states[unit] = _State(Activity.VARIES, (int(one), int(other)))

    def _screen(self) -> tuple[np.ndarray, np.ndarray]:
        """All rows in float32, then what that leaves open in float64:
        units still pending, and (units, rows) left open.
        """
        units = self.pending
        open_ = np.ones((len(units), len(self.inputs)), dtype=bool)
        # Units that are open at all rows of a block: constants, most likely. Floats are wasted on them.
        hard = np.zeros(len(units), dtype=bool)
        for precision in (np.float32, np.float64):
            for block in blocks(len(self.inputs)):
                left = np.flatnonzero([self.states[j] is None for j in units] & ~hard)
                rows = np.arange(block.start, block.stop)
                if precision is np.float64:
                    rows = rows[open_[left, block].any(axis=0)]
                if left.size and rows.size:
                    found = self._pass(rows, units[left], precision)
                    open_[np.ix_(left, rows)] &= found
                    hard[left] |= found.all(axis=1) & (precision is np.float32)
        left = np.flatnonzero([self.states[j] is None for j in units])
        return units[left], open_[left]

    def _finish(self, units: np.ndarray, open_: np.ndarray) -> None:
        """Exact arithmetic at the open rows. At a row that is not open the value is 0."""
        counts = open_.sum(axis=1)
        for j in units[counts == 0]:
            self.states[j] = _State(Activity.DEAD)
        # Together, units that are open at most rows: to decide each by itself would pass over the rows again and again.
        most = counts > open_.shape[1] // 2
        for group in (most, ~most & (counts > 0)):
            if group.any():
                self._compare(units[group], open_[group])

    def _compare(self, units: np.ndarray, open_: np.ndarray) -> None:
        closed = np.where(open_.all(axis=1), -1, (~open_).argmax(axis=1))
        first = np.where(closed >= 0, closed, 0)
        # The value that each other row is compared with, as an exact number.
        reference = [0 if closed[k] >= 0 else None for k in range(len(units))]
        candidates = np.flatnonzero(open_.any(axis=0))
        for block in exact.blocks(len(candidates), self.net):
            left = np.array([k for k, j in enumerate(units) if self.states[j] is None], dtype=np.int64)
            if not left.size:
                return
            rows = candidates[block]
            digits = exact.activations(self.net, self.inputs[rows], self.layer, units[left])
            same, signs = digits.equals_row(0), digits.signs()
            for column, k in enumerate(left):
                if reference[k] is None:
                    reference[k] = digits.fraction(0, column)
                    first[k] = rows[0]
                if reference[k] == 0:
                    differs = signs[:, column] != 0
                elif digits.fraction(0, column) == reference[k]:
                    differs = ~same[:, column]
                else:
                    differs = np.ones(len(rows), dtype=bool)
                if differs.any():
                    self._vary(units[k], rows[differs.argmax()], first[k])
        for k, j in enumerate(units):
            if self.states[j] is None:
                self.states[j] = _State(Activity.CONSTANT if reference[k] else Activity.DEAD)


def _bounds(ball: Ball) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper bounds of relu, and where the pre-activation is not shown to be <= 0."""
    radius = ball.radius
    values = np.where(np.isfinite(radius), ball.values, 0).astype(np.float64)
    lower, upper = values - radius, values + radius
    if not ball.is_exact:
        # Both sums may have been rounded the wrong way.
        lower, upper = np.nextafter(lower, -np.inf), np.nextafter(upper, np.inf)
    return np.maximum(lower, 0), np.maximum(upper, 0), ~(upper <= 0)
