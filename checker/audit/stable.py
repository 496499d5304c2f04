"""Which hidden units are stable on a box: never active there, or active all over it.

Bounds come first; inputs at which a unit is on and off end the question for most others; the search of `checker.region`
decides what is left, in the time that is given. What it leaves open counts as not stable, and is named.
"""

from dataclasses import dataclass
from math import inf

import numpy as np

from proof_of_absence.checker.numbers.deadline import Deadline
from proof_of_absence.checker.passes.enclosure import enclose
from proof_of_absence.checker.region.bounds import OFF, ON, UNKNOWN, Bounds, round_down, round_up
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.checker.region.decide import decide
from proof_of_absence.checker.region.part import Json, Part
from proof_of_absence.checker.region.question import question
from proof_of_absence.checker.region.search import Budget
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine

__all__ = ["Searched", "Stability", "probe", "stability"]

# Inputs of the box that are tried: corners, and points inside.
TRIED = 512
# Seconds of one search at least: less than the first program takes decides nothing.
LEAST = 0.05


@dataclass(frozen=True)
class Searched:
    """A unit whose sign on the box the search proved: ON or OFF, and the tree of the proof, about `probe`."""

    unit: Unit
    sign: int
    tree: Json


@dataclass(frozen=True, eq=False)
class Stability:
    """What is known of every hidden unit on a box.

    `status` holds ON, OFF or UNKNOWN for each unit, an array a layer; `lines` are the bounds that prove most of it, and
    `searched` the rest. `varying` counts the units that are on at one input of the box and off at another. `undecided`
    are those of which neither is known.
    """

    status: list[np.ndarray]
    lines: list[list[int | str | None]]
    searched: tuple[Searched, ...] = ()
    varying: int = 0
    undecided: tuple[Unit, ...] = ()


def probe(net: FloatNet, unit: Unit, sign: int) -> FloatNet:
    """The net up to one unit, which is negated if the sign is ON; it sends 0 on a box just if the unit has the sign."""
    weights, bias = net.float_layers[unit.layer - 1]
    rows = slice(unit.index, unit.index + 1)
    alone = FloatAffine(-sign * weights[rows], -sign * bias[rows])
    return FloatNet([*net.layers[: unit.layer - 1], alone, FloatAffine(np.ones((1, 1)), np.zeros(1))])


def stability(net: FloatNet, region: Region | None, *, seconds: float = 0) -> Stability:
    """What bounds show of the units, and with some `seconds` the search.

    Parameters
    ----------
    net
        Of float weights.
    region
        A closed box of its inputs; without one nothing is known of any unit.

    Examples
    --------
    >>> from fractions import Fraction
    >>> net = FloatNet([([[1.0], [-1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0]), ([[1.0]], [0.0])])  # |z|
    >>> found = stability(net, Region("box", ((Fraction(-1), Fraction(1)),)), seconds=5)
    >>> [row.tolist() for row in found.status], found.varying
    ([[0, 0], [1]], 2)
    """
    hidden = net.widths[1:-1]
    if region is None or not hidden:
        return Stability([np.zeros(width, dtype=np.int8) for width in hidden], [])
    low, high = zip(*region.bounds, strict=True)
    # Bounds are about the layers up to that of a circuit; which one it is plays no part.
    last = {(len(hidden), j) for j in range(hidden[-1])}
    part = Part.root(question(net, last, low, high, {Unit(len(net.layers), k): 0 for k in range(net.widths[-1])}))
    part.bounds.tighten()
    part.state()
    status = [part.bounds.status(m) for m in range(len(hidden))]
    found = Stability(status, part.tree.get("bounds", []))
    return _searched(net, region, part.bounds, found, Deadline(seconds)) if seconds else found


def _searched(net: FloatNet, region: Region, bounds: Bounds, found: Stability, deadline: Deadline) -> Stability:
    on, off = _seen(net, region)
    open_ = [Unit(m + 1, int(j)) for m, row in enumerate(found.status) for j in np.flatnonzero(row == UNKNOWN).tolist()]
    varying = [unit for unit in open_ if on[unit.layer - 1][unit.index] and off[unit.layer - 1][unit.index]]
    left = sorted(set(open_) - set(varying), key=lambda unit: _doubt(bounds, unit))
    proved, changing, undecided = list[Searched](), len(varying), list[Unit]()
    for place, unit in enumerate(left):
        if not deadline.left():
            undecided += left[place:]
            break
        share = Deadline(deadline.left() / (len(left) - place))
        known: list[bool] = []
        for sign, otherwise in ((OFF, on), (ON, off)):
            if otherwise[unit.layer - 1][unit.index]:
                known.append(False)
                continue
            holds, tree = _decided(net, region, unit, sign, share)
            if tree is not None:
                found.status[unit.layer - 1][unit.index] = sign
                proved.append(Searched(unit, sign, tree))
                break
            known += [holds] if holds is not None else []
        else:
            changing += known == [False, False]
            undecided += [unit] if known != [False, False] else []
    return Stability(found.status, found.lines, tuple(proved), changing, tuple(sorted(undecided)))


def _seen(net: FloatNet, region: Region) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """For each hidden layer, which units are surely on at some input that is tried, and which surely off."""
    low, high = (np.array(ends) for ends in zip(*((round_up(a), round_down(b)) for a, b in region.bounds), strict=True))
    hidden = net.widths[1:-1]
    if not (np.isfinite(low).all() and np.isfinite(high).all() and (low <= high).all()):
        # No float lies in the box.
        none = [np.zeros(width, dtype=bool) for width in hidden]
        return none, none
    draw = np.random.default_rng(0)
    corners = np.where(draw.random((TRIED // 2, len(low))) < 1 / 2, low, high)
    inside = low + draw.random((TRIED // 2, len(low))) * (high - low)
    inputs = np.clip(np.vstack([corners, inside]), low, high)
    signs = [ball.signs()[0] for ball in enclose(net, inputs)[:-1]]
    return [np.asarray((of > 0).any(axis=0)) for of in signs], [np.asarray((of < 0).any(axis=0)) for of in signs]


def _doubt(bounds: Bounds, unit: Unit) -> tuple[float, Unit]:
    """How far the bounds are from settling the unit, as a part of their width; less is sooner."""
    low, high = (float(side[unit.layer - 1][unit.index]) for side in (bounds.low, bounds.high))
    width = high - low
    return (min(-low, high) / width if 0 < width < inf else inf), unit


def _decided(net: FloatNet, region: Region, unit: Unit, sign: int, share: Deadline) -> tuple[bool | None, Json | None]:
    """Whether the unit has the sign all over the box, None if the time does not do; and the tree that proves it."""
    low, high = zip(*region.bounds, strict=True)
    asked = question(probe(net, unit, sign), [(unit.layer, 0)], low, high, {Unit(unit.layer + 1, 0): 0})
    done = decide(asked, Budget(seconds=max(share.left(), LEAST)))
    match done.verdict:
        case "unsat":
            return True, done.tree
        case "sat":
            return False, None
        case _:
            return None, None
