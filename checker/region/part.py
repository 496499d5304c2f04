"""A part of the box at work: its bounds, its place in the proof tree,
and what the certificate states about it so far.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np

from proof_of_absence.checker.region.bounds import OFF, ON, UNKNOWN, Bounds, Multipliers
from proof_of_absence.checker.region.lp import Affine
from proof_of_absence.checker.region.question import Question
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.rational import Vector

__all__ = ["WHOLE", "Json", "Part", "Undecided"]


Json = dict[str, Any]
Stated = tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]

# The whole box as a sub-problem, for short.
WHOLE: Json = {"whole": True}

# A part cut so often is very thin, and divided by signs from there on.
DEEP = 60


class Undecided(Exception):
    """A part that the search cannot close; the message says why."""


def text(value: float) -> str:
    """A float as an exact rational in text."""
    above, below = value.as_integer_ratio()
    return str(above) if below == 1 else f"{above}/{below}"


@dataclass
class Part:
    """A part of the box.

    Attributes
    ----------
    bounds
        What is known.
    stated
        Bounds (low, high, slope) that the certificate has proved on the way to here, an array a layer.
    tree
        The node of the proof tree, filled in as the part is closed or divided.
    by_signs
        Whether it is divided by signs of units from here on.
    conditions, point
        The sign conditions that are affine functions of the input, and a point where all are positive.
    split
        The unit that it was last split by.
    bounded
        Whether its bounds follow, layer by layer, from what is stated.
    """

    bounds: Bounds
    stated: Stated
    tree: Json = field(default_factory=dict)
    by_signs: bool = False
    depth: int = 0
    conditions: dict[tuple[int, int], Affine] = field(default_factory=dict)
    point: Vector | None = None
    split: tuple[int, int] | None = None
    bounded: bool = False

    @classmethod
    def root(cls, asked: Question) -> "Part":
        """The whole box."""
        bounds = Bounds(asked)
        made = cls(bounds, _kept(bounds))
        if asked.carried:
            made.tree["bounds"] = [_carried_line(unit, source) for unit, source in asked.carried]
        return made

    def write(self) -> Json:
        """The part as a sub-problem in JSON: its box, sign conditions, and what the certificate states."""
        signs = [[m + 1, int(i), int(s[i])] for m, s in enumerate(self.bounds.sign) for i in np.flatnonzero(s)]
        box = [[str(x) for x in end] for end in (self.bounds.low_end, self.bounds.high_end)]
        stated = [[[x.hex() for x in row.tolist()] for row in side] for side in self.stated]
        return {"box": box, "signs": signs, "stated": stated, "by_signs": self.by_signs, "depth": self.depth}

    @classmethod
    def read(cls, asked: Question, sub: Json) -> "Part":
        """The part that `write` wrote, or the whole box for `WHOLE`."""
        if sub == WHOLE:
            return cls.root(asked)
        bounds = Bounds(asked).within(*(tuple(map(Fraction, end)) for end in sub["box"]))
        for key, side in zip(("low", "high", "slope"), sub["stated"], strict=True):
            setattr(bounds, key, [np.array([float.fromhex(x) for x in row]) for row in side])
        for layer, i, sign in sub["signs"]:
            bounds.sign[layer - 1][i] = sign
        return cls(bounds, _kept(bounds), by_signs=sub["by_signs"], depth=sub["depth"])

    def leave_open(self) -> None:
        """Mark the place in the tree as not decided."""
        self.tree.clear()
        self.tree["open"] = self.write()

    def to_signs(self) -> "Part":
        """The same part, just bounded, to be divided by signs from here on."""
        self.by_signs = self.bounded = True
        return self

    def forget(self) -> None:
        """Go back to the stated bounds: what is proved from here on must follow from them."""
        self.bounds.low, self.bounds.high, self.bounds.slope = ([a.copy() for a in side] for side in self.stated)

    def may_cut(self, coordinate: int, at: float) -> bool:
        """Whether the number is inside the side of the box, and the part has not been cut very often."""
        if not isfinite(at) or self.depth > DEEP:
            return False
        return self.bounds.low_end[coordinate] < Fraction(at) < self.bounds.high_end[coordinate]

    def cut(self, coordinate: int, at: float) -> tuple["Part", "Part"]:
        """Two parts, by an input coordinate. This one's bounds are left out of the certificate."""
        self.forget()
        self.tree["cut"] = [coordinate, text(at)]
        low, high = self.bounds.cut(coordinate, at)
        self.tree |= {"high": {}, "low": {}}
        return (
            Part(high, self.stated, self.tree["high"], depth=self.depth + 1),
            Part(low, self.stated, self.tree["low"], depth=self.depth + 1),
        )

    def halves(self, layer: int, i: int) -> list["Part"]:
        """Two parts, by the sign of a unit's pre-activation."""
        self.tree["split"] = [layer, i]
        children = []
        for side, sign in (("off", OFF), ("on", ON)):
            self.tree[side] = {}
            bounds = self.bounds.signed(layer, i, sign)
            children.append(
                Part(
                    bounds,
                    self.stated,
                    self.tree[side],
                    True,
                    self.depth + 1,
                    dict(self.conditions),
                    self.point,
                    (layer, i),
                )
            )
        return children

    def state(self) -> None:
        """Write into the certificate what the bounds say and the statements so far do not."""
        lines = self.tree.setdefault("bounds", [])
        for m in range(len(self.bounds.low)):
            low, high = self.bounds.low[m], self.bounds.high[m]
            old_low, old_high, _ = (side[m] for side in self.stated)
            sign = self.bounds.sign[m]
            was_known = (old_low >= 0) | (old_high <= 0) | (sign != UNKNOWN)
            contradicts = (
                ((sign == ON) & (high <= 0)) | ((sign == OFF) & (low >= 0)) | ((sign == UNKNOWN) & (low > high))
            )
            if m == self.bounds.asked.depth - 1:
                # Of the last layer only the circuit's own units play a part, and what shows the part to be empty.
                was_known[self.bounds.asked.strangers] = True
            # A relaxation needs both bounds, a sign the one that shows it.
            # What is stated already need not follow again from relaxations that are tighter now, but not always better.
            unknown = ((low < 0) & (high > 0)) | ((sign == UNKNOWN) & (low > high))
            state_low = (unknown | (low >= 0)) & (low != old_low) & np.isfinite(low)
            state_high = (unknown | (high <= 0)) & (high != old_high) & np.isfinite(high)
            for i in np.flatnonzero((state_low | state_high) & (~was_known | contradicts)).tolist():
                lines.append(self._line(m, i, state_low[i], state_high[i]))
        self.stated = _kept(self.bounds)
        if not lines:
            del self.tree["bounds"]

    def _line(self, m: int, i: int, with_low: bool, with_high: bool) -> list[int | str | None]:
        low, high, slope = (side[m].item(i) for side in (self.bounds.low, self.bounds.high, self.bounds.slope))
        return [m + 1, i, text(low) if with_low else None, text(high) if with_high else None, text(slope)]

    def state_dual(self, layer: int, i: int, sign: int, dual: Multipliers) -> None:
        """Write the one bound that the multipliers prove: the upper one of sign * pre-activation."""
        alpha, beta = [], []
        for m in range(layer - 1):
            status = self.bounds.status(m)
            alpha += [[m + 1, int(j), text(float(dual.alpha[m][j]))] for j in np.flatnonzero(status == UNKNOWN)]
            beta += [[m + 1, int(j), text(float(dual.beta[m][j]))] for j in np.flatnonzero(dual.beta[m])]
        line = self._line(layer - 1, i, sign == OFF, sign == ON)
        self.tree.setdefault("bounds", []).append([*line, {"alpha": alpha, "beta": beta}])
        self.stated = _kept(self.bounds)

    def empty(self) -> bool:
        """Close the part if its bounds contradict its sign conditions, or each other."""
        unit = self.bounds.contradiction()
        if unit is not None:
            self.state()
            self.tree |= {"leaf": "empty", "unit": list(unit)}
        return unit is not None

    def closed(self, constant: Callable[[Bounds], bool]) -> bool:
        """Close the part if the circuit is constant on it."""
        if not constant(self.bounds):
            return False
        self.state()
        self.tree["leaf"] = "constant"
        return True


def _carried_line(unit: Unit, source: Unit | None) -> list[Any]:
    """That a unit which carries what another one sends is on: by the line 0 below the other's ReLU."""
    line = [*unit, "0", None, "1"]
    return line if source is None else [*line, {"alpha": [[*source, "0"]], "beta": []}]


def _kept(bounds: Bounds) -> Stated:
    return [a.copy() for a in bounds.low], [a.copy() for a in bounds.high], [a.copy() for a in bounds.slope]
