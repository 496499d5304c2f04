"""Leverage (C21) of what a net is shown: rigorous bounds, and which of two inputs they show to have the higher one.

An input that is free, off the row space of the clean features, has an infinite leverage, and ranks above all others.
"""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.audit.readout import Hidden, kernel_of
from proof_of_absence.checker.construct.leverage_bounds import SLACK
from proof_of_absence.checker.construct.pricing import whitening
from proof_of_absence.checker.experiments.backdoors.digits import Floats
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["Bounds", "Leverages", "higher", "leverages", "pairs", "share", "spread"]


@dataclass(frozen=True, eq=False)
class Bounds:
    """Lower and upper bounds, shape (inputs,) each: both infinite where a move is free, 0 and infinite if not known."""

    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Leverages:
    """The bounds by name, and the columns and directions of the clean features that they rest on, as JSON."""

    on: dict[str, Any]
    of: dict[str, Bounds]

    def as_json(self) -> dict[str, Any]:
        """Everything, for the independent checker to decide again."""
        return self.on | {"bounds": {name: _packed(bounds) for name, bounds in self.of.items()}}


def leverages(net: FloatNet, clean: Floats, shown: Mapping[str, Floats]) -> Leverages:
    """Bounds of the leverage that inputs have on the features of the last hidden layer at the clean rows.

    Parameters
    ----------
    clean
        Shape (rows, d).
    shown
        Inputs by name, shape (inputs, d) each.

    Raises
    ------
    OutOfTime
        If the deadline in force is over.
    """
    features = Hidden(net, {"training": clean, **shown})
    kernel = kernel_of(features, clean, unit_findings(net, clean))
    known, columns = whitening(features, kernel.columns), list(kernel.columns)
    found = {}
    for name, inputs in shown.items():
        every = range(len(inputs))
        free = features.free(name, every, kernel.directions) >= 0
        nothing = np.zeros(len(inputs)), np.full(len(inputs), np.inf)
        low, high = known.bounds(features.rows(name, every)[:, columns]) if known else nothing
        found[name] = _stated(low, high, free)
    directions = [[[j, _hexadecimal(value)] for j, value in sorted(terms.items())] for terms in kernel.directions]
    return Leverages({"columns": columns, "directions": directions}, found)


def _stated(low: Floats, high: Floats, free: NDArray[np.bool_]) -> Bounds:
    """Bounds three times as wide: any others that are as narrow as these, and hold the leverage too, lie within."""
    unknown = ~(high <= 2 * low)
    wide = np.where(unknown, 0, high) - np.where(unknown, 0, low)
    below = np.where(unknown, 0, np.maximum(low - wide, 0) * (1 - SLACK))
    above = np.where(unknown, np.inf, (high + wide) * (1 + SLACK))
    return Bounds(np.where(free, np.inf, below), np.where(free, np.inf, above))


def _hexadecimal(value: Fraction) -> str:
    return f"{value.numerator:x}" + (f"/{value.denominator:x}" if value.denominator != 1 else "")


def _packed(bounds: Bounds) -> str:
    """The bounds as text: all lower ones, then all upper ones, as float64."""
    data = np.concatenate([bounds.low, bounds.high]).astype("<f8").tobytes()
    return base64.b64encode(zlib.compress(data)).decode()


def higher(bad: Bounds, clean: Bounds) -> Floats:
    """Of each bad against each clean input 1 if its leverage is shown to be higher, 0 if lower, else 1/2."""
    above = bad.low[:, None] > clean.high
    below = bad.high[:, None] < clean.low
    return np.asarray(0.5 * (1.0 + above - below))


def pairs(bad: Bounds, clean: Bounds) -> dict[str, int]:
    """How many pairs are decided, by which side is higher; `tied` are both free, `open` those whose bounds overlap."""
    table = higher(bad, clean)
    free = int(np.isinf(bad.low).sum()) * int(np.isinf(clean.low).sum())
    half = int((table == 0.5).sum())
    return {"above": int((table == 1).sum()), "below": int((table == 0).sum()), "tied": free, "open": half - free}


def share(counted: Mapping[str, int]) -> Fraction:
    """The AUROC: the part of the pairs in which the bad input is higher, those that are tied or open by half."""
    return Fraction(2 * counted["above"] + counted["tied"] + counted["open"], 2 * sum(counted.values()))


def spread(bounds: Bounds) -> dict[str, Any]:
    """Bounds of the (lower) median, none where it is infinite; how many are free, and of how many nothing is known."""
    free, middle = np.isinf(bounds.low), (len(bounds.low) - 1) // 2
    ends = (float(np.sort(side)[middle]) for side in (bounds.low, bounds.high))
    return {
        "median": [end if isfinite(end) else None for end in ends],
        "free": int(free.sum()),
        "unknown": int((np.isinf(bounds.high) & ~free).sum()),
    }
