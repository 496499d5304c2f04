"""C21 on the last hidden layer of a net: what it costs to move the answer at deployment inputs by the readout alone.

Exact rationals where they are small. Else floats with rigorous bounds, and exact integers for what is 0: relations of
the features, and where they fail.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np

from proof_of_absence.checker.audit.findings import Activity, UnitFinding
from proof_of_absence.checker.audit.idle import truncated
from proof_of_absence.checker.audit.independence import hints
from proof_of_absence.checker.audit.report.json_report import short
from proof_of_absence.checker.construct.leverage_exact import Scaled
from proof_of_absence.checker.construct.pricing import (
    Direction,
    Kernel,
    Priced,
    class_squares,
    exactly_priced,
    first_moved,
    move_squares,
    priced,
    whitening,
)
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.passes import exact
from proof_of_absence.checker.passes.dependence import LayerTable, Relations, solved
from proof_of_absence.checker.passes.enclosure import enclose
from proof_of_absence.checker.passes.modular import PRIMES, SURPLUS
from proof_of_absence.checker.passes.rows import distinct_rows
from proof_of_absence.checker.screen.spread import listed_rows
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.rational import Number, rational

__all__ = ["Hidden", "kernel_of", "move_of", "penalty_of", "readout_prices"]

SMALLEST = Fraction(2) ** -400
STILL = (Activity.DEAD, Activity.CONSTANT)


def readout_prices(
    net: FloatNet,
    inputs: np.ndarray,
    units: Sequence[UnitFinding],
    *,
    deploy: np.ndarray | None = None,
    test: np.ndarray | None = None,
    move: Fraction | None = None,
    penalty: Fraction = Fraction(0),
) -> Priced:
    """Leverages and readout prices of deployment inputs, test inputs and some of the training inputs.

    Parameters
    ----------
    inputs, deploy, test
        Shapes (rows, d), float64, finite.
    units
        What `unit_findings` returned for these inputs.
    move
        t, by how much the answer is moved; None for the least move that changes the class, or for 1 if there is one
        output. The class is the output that is largest.
    penalty
        That of ridge regression, on all output weights but the biases.

    Raises
    ------
    ValueError
        If the net has no hidden layer, the penalty is negative, the move is not positive, or a feature overflows.
    OutOfTime
        If the deadline in force is over.

    Examples
    --------
    >>> from proof_of_absence.checker.audit.idle import unit_findings
    >>> net = FloatNet([([[1.0], [1.0]], [0.0, -9.0]), ([[1.0, 5.0]], [0.0])])
    >>> inputs = np.array([[0.0], [1.0], [2.0]])
    >>> found = readout_prices(net, inputs, unit_findings(net, inputs), deploy=np.array([[3.0], [10.0]])).readout
    >>> found.deployment[0].price, found.deployment[1].free
    ((Fraction(1, 7), Fraction(1, 7)), 0)
    """
    if len(net.layers) < 2:
        raise ValueError("a net without a hidden layer has no readout of features")
    if move is None and net.widths[-1] == 1:
        move = Fraction(1)
    if move is not None and move <= 0:
        raise ValueError(f"a move by {move} is no move")
    parts = {"training": inputs, "deployment": deploy, "test": test}
    features = Hidden(net, {part: rows for part, rows in parts.items() if rows is not None}, move)
    rows = {part: listed_rows(part, count) for part, count in features.counts.items()}
    told = exactly_priced(features, rows, layer=features.layer, penalty=penalty, move=move)
    if told is not None:
        return told
    kernel = Kernel(tuple(range(features.width))) if penalty else kernel_of(features, inputs, units)
    found = priced(features, kernel, rows, layer=features.layer, penalty=penalty, move=move)
    if found is None:
        raise ValueError("a feature leaves the range of float64")
    return found


def move_of(name: str, value: Number | None) -> Fraction | None:
    """The move that is asked for, under this name.

    Raises
    ------
    InputError
        If it is no number above 0 that float64 can square.
    """
    if value is None:
        return None
    found = _number(name, value)
    if not SMALLEST < found < 1 / SMALLEST:
        raise refused(name, f"is {short(found)}; a move is above 0, and its square within the range of floats")
    return found


def penalty_of(name: str, value: Number) -> Fraction:
    """The penalty that is asked for, under this name.

    Raises
    ------
    InputError
        If it is below 0, no number, or out of reach of floats.
    """
    found = _number(name, value)
    if found and not SMALLEST < found < 1 / SMALLEST:
        raise refused(name, f"is {short(found)}; a penalty is 0 or above, and within the range of floats")
    return found


def _number(name: str, value: Number) -> Fraction:
    try:
        return rational(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise refused(name, f"{str(value)[:40]!r} is no number") from error


class Hidden:
    """(1, phi_1 .. phi_n) of the last hidden layer at inputs by part, (rows, d) each: `pricing.Features`."""

    def __init__(self, net: FloatNet, parts: Mapping[str, np.ndarray], move: Fraction | None = None):
        self.net, self.parts, self.move = net, parts, move
        self.layer = len(net.layers) - 1
        self.width = net.widths[self.layer] + 1
        self.counts = {part: len(rows) for part, rows in parts.items()}
        self.below = truncated(net, self.layer, range(net.widths[self.layer]))
        # A block is asked for twice: once for what moves freely there.
        self._latest = lru_cache(maxsize=1)(self._rows)

    def rows(self, part: str, rows: Sequence[int]) -> Interval:
        return self._latest(part, tuple(rows))

    def _rows(self, part: str, rows: tuple[int, ...]) -> Interval:
        # The independent pass does not see where nothing is rounded: a radius of 0 is more than it confirms.
        before = enclose(self.below, self.parts[part][list(rows)], rounded=True)[-1]
        radius = before.radius
        with np.errstate(invalid="ignore"):
            silent = before.values <= -radius
        values, error = np.where(silent, 0, np.maximum(before.values, 0)), np.where(silent, 0, radius)
        one = np.ones((len(rows), 1))
        return Interval(np.hstack([one, values]), np.hstack([0 * one, error]))

    def free(self, part: str, rows: Sequence[int], directions: Sequence[Direction]) -> np.ndarray:
        return first_moved(
            self.rows(part, rows), directions, lambda some, one: self._moves(part, [rows[i] for i in some], one)
        )

    def _moves(self, part: str, rows: list[int], direction: Direction) -> np.ndarray:
        support = np.array(sorted(direction))
        scale = np.lcm.reduce(np.array([direction[j].denominator for j in sorted(direction)], dtype=object))
        vector = np.array([int(direction[j] * scale) for j in sorted(direction)], dtype=object)
        moved = [np.zeros(0, dtype=bool)]
        for block in exact.blocks(len(rows), self.net):
            own = LayerTable(self.net, self.parts[part], self.layer, np.arange(self.width - 1))
            moved.append(own.integers(rows[block], support).dot(vector).astype(bool))
        return np.concatenate(moved)

    def exactly(self, part: str, rows: Sequence[int]) -> Scaled:
        found = _digits(self.net, self.parts[part][list(rows)], self.layer)
        return Scaled.of(*found)

    def exact_squares(self, part: str, rows: Sequence[int]) -> list[Fraction]:
        if self.move is not None:
            return [self.move**2] * len(rows)
        whole, exponent, divisor = _digits(self.net, self.parts[part][list(rows)], len(self.net.layers))
        ordered, unit = np.sort(whole, axis=1), Fraction(2) ** exponent / divisor
        # To equal the largest output, the second is raised by half of the margin and the largest lowered by it.
        return [(int(margin) * unit) ** 2 / 2 for margin in ordered[:, -1] - ordered[:, -2]]

    def squares(self, part: str, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        if self.move is not None:
            return move_squares(self.move, len(rows))
        outputs = enclose(self.net, self.parts[part][list(rows)], rounded=True)[-1]
        return class_squares(Interval(outputs.values, outputs.radius))


def _digits(net: FloatNet, inputs: np.ndarray, layer: int) -> tuple[np.ndarray, int, int]:
    """Values of a layer as integers M, e and d: M 2^e / d."""
    units = np.arange(net.widths[layer])
    found = [exact.activations(net, inputs[block], layer, units).integers() for block in exact.blocks(len(inputs), net)]
    low = min((exponent for _, exponent, _ in found), default=0)
    tables = [np.zeros((0, len(units)), dtype=object), *(whole << (exponent - low) for whole, exponent, _ in found)]
    return np.vstack(tables), low, exact.denominator(net, layer)


def kernel_of(features: Hidden, inputs: np.ndarray, units: Sequence[UnitFinding]) -> Kernel:
    """Relations of the features in training: units with one value, and what other units depend on.

    Not all are found where they would have very many digits; then the features that are left are dependent.
    """
    net, layer = features.net, features.layer
    own = [unit for unit in units if unit.unit.layer == layer]
    still = [unit for unit in own if unit.activity in STILL]
    values = exact.activations(net, inputs[:1], layer, [unit.unit.index for unit in still]) if still else None
    directions: list[Direction] = []
    for place, unit in enumerate(still):
        value = values.fraction(0, place) if values else Fraction(0)
        directions.append({unit.unit.index + 1: Fraction(1)} | ({0: -value} if value else {}))
    rest = np.array([unit.unit.index for unit in own if unit.activity not in STILL], dtype=np.int64)
    columns = [0, *(rest + 1).tolist()]
    # More columns than rows are dependent without a look at them.
    if len(columns) <= len(inputs):
        known = whitening(features, columns)
        if known is None or known.full_rank:
            return Kernel(tuple(columns), tuple(directions))
    more = list(_relations(net, inputs, units, rest))
    taken = {place for place, _ in more}
    return Kernel(tuple(j for j in columns if j not in taken), (*directions, *(found for _, found in more)))


def _relations(
    net: FloatNet, inputs: np.ndarray, units: Sequence[UnitFinding], rest: np.ndarray
) -> Iterable[tuple[int, Direction]]:
    """Relations among 1 and these units, each with a column that is in no other; exact, at every input."""
    layer, distinct, columns = len(net.layers) - 1, distinct_rows(inputs), np.concatenate([[0], rest + 1])
    # The space is too large, and so are nearly all of its relations.
    if len(columns) - len(distinct) > SURPLUS:
        return
    relations = Relations(LayerTable(net, inputs, layer, rest), hints(tuple(units), layer), PRIMES[0])
    relations.see_all()
    yield from solved(relations, [distinct[block] for block in exact.blocks(len(distinct), net)], columns)
