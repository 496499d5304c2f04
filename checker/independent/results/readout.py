"""Readout prices of the net of an audit's folder: the features of its last hidden layer, decided anew."""

from collections.abc import Callable, Mapping, Sequence, Set
from fractions import Fraction
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.kinds.float_readout import (
    Direction,
    Places,
    Truths,
    combined,
    lone,
    readout_prices,
    rounded,
)
from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Bounded, Exact, FloatNet, Floats, blocks
from proof_of_absence.checker.independent.values.margins import class_squares, exact_class_squares
from proof_of_absence.checker.independent.values.reported import exact, rational, require_same

# Training rows whose price a report tells.
LISTED = 2048
KEYS = {"layer", "rows", "penalty", "move", "columns", "directions", "deployment", "training", "test"}


class Hidden:
    """The features of the last hidden layer of a net, at inputs of several parts, one of them training.

    Of units that are `still`, by their numbers, it is known that they have one value in training.
    """

    def __init__(self, net: FloatNet, parts: Mapping[str, Floats], still: Set[int] = frozenset()):
        require(len(net.layers) > 1, "there is no hidden layer")
        self.net, self.parts, self.still = net, parts, still
        self.layer = len(net.layers) - 1
        self.width = net.widths[self.layer] + 1
        self.counts = {part: len(rows) for part, rows in parts.items()}

    @classmethod
    def of(cls, audit: Subject) -> "Hidden":
        """Those of an audit's net: training, deployment and test inputs."""
        found = {"training": audit.train, "deployment": audit.deploy, "test": audit.test}
        last = len(audit.net.layers) - 1
        still = {j for layer, j in audit.still if layer == last}
        return cls(audit.net, {part: rows for part, rows in found.items() if rows is not None}, still)

    def bounded(self, part: str, rows: Sequence[int]) -> Bounded:
        value, radius = self.net.bounded(self.parts[part][list(rows)], self.layer)[-1]
        silent = value <= -radius
        one = np.ones((len(rows), 1))
        values, error = np.where(silent, 0, np.maximum(value, 0)), np.where(silent, 0, radius)
        return Bounded(np.hstack([one, values]), np.hstack([0 * one, error]))

    def free(self, part: str, rows: Sequence[int], directions: Sequence[Direction]) -> Places:
        inputs, found = self.parts[part][list(rows)], np.full(len(rows), -1)
        features = self.bounded(part, rows) if directions else None
        for k, direction in enumerate(directions):
            left = np.flatnonzero(found < 0)
            found[left[self._moves(inputs[left], direction, features and Bounded(*(a[left] for a in features)))]] = k
        return found

    def vanishes_in_training(self, direction: Direction) -> bool:
        rows = self.parts["training"]
        # Where each of them has one value, one row is enough.
        rows = rows[:1] if all(j - 1 in self.still for j in direction if j) else rows
        return not any(self._moves(rows[block], direction).any() for block in blocks(len(rows)))

    def _moves(self, inputs: Floats, direction: Direction, features: Bounded | None = None) -> Truths:
        """At which inputs the combination is not 0; exactly, but where bounds of the features show it."""
        members = [j for j in direction if j]
        if not members:
            return np.full(len(inputs), bool(direction.get(0)))
        moved, open_ = np.zeros(len(inputs), dtype=bool), np.arange(len(inputs))
        if features is not None and members == list(direction):
            # Where all of them are 0, so is the combination; where just one is above 0, it is not.
            weighs = np.array([bool(direction[j]) for j in members])
            moved, open_ = lone(features.value[:, members], features.radius[:, members], weighs)
        if open_.size:
            whole, exponent, divisor = self.net.exact(inputs[open_], self.layer, [j - 1 for j in members])
            moved[open_] = combined(whole, exponent, divisor, direction).astype(bool)
        return moved

    def squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> tuple[Floats, Floats]:
        if move is not None:
            return rounded(move**2, len(rows))
        require(self.net.widths[-1] > 1, "one output has no classes")
        return class_squares(self.net.bounded(self.parts[part][list(rows)])[-1])

    def exact(self, part: str, rows: Sequence[int]) -> Exact:
        return _stacked(self.net, self.parts[part][list(rows)], self.layer)

    def exact_squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> list[Fraction]:
        if move is not None:
            return [move**2] * len(rows)
        require(self.net.widths[-1] > 1, "one output has no classes")
        return exact_class_squares(_stacked(self.net, self.parts[part][list(rows)], len(self.net.layers)))


def _stacked(net: FloatNet, inputs: Floats, layer: int) -> Exact:
    """Values of a layer, block by block."""
    found = [net.exact(inputs[block], layer) for block in blocks(len(inputs))]
    low = min(part.exponent for part in found)
    # All blocks of one layer have one divisor.
    return Exact(np.vstack([part.whole << (part.exponent - low) for part in found]), low, found[0].divisor)


def prices(audit: Subject, fact: Fact) -> None:
    """What `float_readout` decides, of the last hidden layer of the net of this folder."""
    require(fact["layer"] == len(audit.net.layers) - 1, "not the last hidden layer")
    readout_prices(fact, Hidden.of(audit), audit.factor)


def covered(audit: Subject, fact: Fact) -> None:
    """A deployment row is an average of training rows between which no hidden unit changes sign (C23)."""
    combination = fact["combination"]
    chosen = [audit.row(i) for i, _ in combination]
    weights = [hexadecimal(w) for _, w in combination]
    own = len(chosen) == len(set(chosen)) > 0 and all(w > 0 for w in weights) and sum(weights) == 1
    require(own, "no convex weights")
    point = audit.deployment[audit.deployment_row(fact["row"])]
    columns = zip(audit.train[chosen].T.tolist(), point.tolist(), strict=True)
    same = all(sum((w * Fraction(x) for w, x in zip(weights, column, strict=True)), -Fraction(p)) == 0
               for column, p in columns)  # fmt: skip
    require(same, f"deployment row {fact['row']} is not that average")
    rows = audit.train[chosen]
    for layer, (value, radius) in enumerate(audit.net.bounded(rows)[:-1], 1):
        above, below = value > radius, value < -radius
        open_ = np.flatnonzero(~(above | below).all(axis=0))
        if open_.size:
            # As the last layer of a net, it is not cut off at 0.
            part = FloatNet(audit.net.layers[:layer], audit.net.dtype, audit.net.rational)
            whole = part.exact(rows, layer, open_.tolist()).whole
            above[:, open_], below[:, open_] = whole > 0, whole < 0
        both = np.flatnonzero(above.any(axis=0) & below.any(axis=0))
        require(not both.size, f"unit {layer}.{both[:1]} changes sign between the rows of deployment row {fact['row']}")


def check_readout(stated: Any, facts: list[Fact], subject: Subject, explained: Callable[..., bool]) -> None:
    """Refuse what a report states of readout prices unless it is what the fact shows, of every input there is."""
    require(len(facts) <= 1, "two facts about readout prices")
    require((stated is None) == (not facts), "the readout: stated without a fact, or not stated with one")
    if not facts:
        asked = subject.deploy is not None or subject.test is not None
        require(not asked or len(subject.net.layers) == 1 or explained("readout"), "the readout: missing, and not why")
        return
    (fact,) = facts
    require(set(stated) == KEYS, "the readout: parts are missing or unknown")
    require_same("the layer of the readout", stated["layer"], fact["layer"])
    require_same("the rows of the readout", stated["rows"], len(subject.train))
    require_same("the columns of the readout", stated["columns"], fact["columns"])
    require_equal("the penalty", exact(stated["penalty"]), hexadecimal(fact["penalty"]))
    own = fact["move"] and hexadecimal(fact["move"])
    require_equal("the move", stated["move"] and exact(stated["move"]), own)
    told = [[[j, rational(value)] for j, value in terms] for terms in stated["directions"]]
    found = [[[j, hexadecimal(value)] for j, value in terms] for terms in fact["directions"]]
    require_equal("the directions of the readout", told, found)
    parts = {"training": subject.train, "deployment": subject.deploy, "test": subject.test}
    for part, rows in parts.items():
        listed = [] if rows is None else _rows_told(part, len(rows))
        require_same(f"the {part} rows that are priced", [entry["row"] for entry in stated[part]], listed)
        entries = fact["rows"].get(part, [])
        require_equal(f"the number of {part} rows that are priced", len(entries), len(listed))
        for entry, one in zip(stated[part], entries, strict=True):
            require_same(f"{part} row {entry['row']}", _told(entry, rational), _told(one, hexadecimal))
            require(set(entry) == {"row", "leverage", "price", "free"}, f"{part} row {entry['row']}: other parts")
    open_ = any(entry["leverage"] and entry["leverage"][1] is None for entry in stated["deployment"])
    require(not open_ or explained("the readout price"), "the readout: a price is open, and no word on why")


def _told(entry: Fact, read: Callable[[object], Fraction]) -> dict[str, Any]:
    """Row, leverage, price and direction, with the numbers in one form."""
    told = {key: entry.get(key) for key in ("row", "leverage", "price", "free")}
    for key in ("leverage", "price"):
        if (pair := told[key]) is not None:
            told[key] = [None if text is None else str(read(text)) for text in pair]
    return told


def _rows_told(part: str, count: int) -> list[int]:
    """The rows that a report lists: all, but some at even distances of training."""
    return list(range(count)) if part != "training" or count <= LISTED else [i * count // LISTED for i in range(LISTED)]
