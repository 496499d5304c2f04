"""Branch and bound over parts of the box: each leaf is closed by an exact certificate, or a witness ends the search.

Parts are cut in two along an input coordinate while many signs are unknown, and bounded many at a time; then they are
split by the sign of a hidden unit, which always comes to an end (`checker.region.signs`). `solve` is a pure function
of a question, a sub-problem in JSON and a budget, so that sub-problems can be farmed out; what it leaves open are
sub-problems again.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np

from proof_of_absence.checker.numbers.deadline import look
from proof_of_absence.checker.region.affine import constant
from proof_of_absence.checker.region.bounds import OFF, UNKNOWN, Bounds
from proof_of_absence.checker.region.part import Json, Part, Undecided
from proof_of_absence.checker.region.question import Question
from proof_of_absence.checker.region.signs import step
from proof_of_absence.checker.region.witness import Replayer
from proof_of_absence.models.rational import Vector

__all__ = ["Budget", "SearchResult", "graft", "open_leaves", "root", "solve"]

# Parts bounded together: so many, as long as their coefficients are at most so many numbers.
BATCH, ENTRIES = 64, 2**22
# Beyond so many free coordinates, or with so few unknown signs, splitting by signs pays better than cutting; where
# units cancel, with fewer.
CUT_DIMENSIONS, FEW_SIGNS, FEW_THAT_CANCEL = 12, 8, 4
# With at most so many weights a part is bounded sooner than inputs are looked for.
SMALL = 2**8


@dataclass(frozen=True)
class Budget:
    """Stop after so many parts of the box, or so many seconds of the clock."""

    nodes: int | None = None
    seconds: float | None = None


UNLIMITED = Budget()
NO_HINTS: Iterator[np.ndarray] = iter(())


@dataclass(frozen=True)
class SearchResult:
    """The proof tree below a sub-problem, and a witness if one was found.

    `tree` is in the form of the fact `irrelevant-region`; a leaf ``{"open": sub-problem}`` is not decided, and `reason`
    says why: "timeout", "node limit", or what else stopped it.
    """

    tree: Json
    witness: Vector | None
    nodes: int
    reason: str = ""


def root(asked: Question) -> Json:
    """The whole box as a sub-problem."""
    return Part.root(asked).write()


def open_leaves(tree: Json) -> list[Json]:
    """The leaves of a tree that are not decided, in order."""
    found, stack = [], [tree]
    while stack:
        node = stack.pop()
        if "open" in node:
            found.append(node)
        stack += [node[side] for side in ("off", "on", "high", "low") if side in node]
    return found


def solve(
    asked: Question, sub: Json, budget: Budget = UNLIMITED, hints: Iterator[np.ndarray] = NO_HINTS
) -> SearchResult:
    """Search a sub-problem, depth first, in an order that depends on nothing but the arguments.

    Parameters
    ----------
    hints
        Inputs (N, d) that may differ. Some are tried each time that parts stay open; in large nets all of them at once.

    Raises
    ------
    ImportError
        If highspy is not installed, and bounds alone do not decide.
    """
    started, nodes, reason = time.monotonic(), 0, ""
    first = Part.read(asked, sub)
    stack, replayer = [first], Replayer(asked)
    at_once = 1 if _small(asked) else None
    while stack:
        look()
        if budget.nodes is not None and nodes >= budget.nodes:
            reason = "node limit"
        if budget.seconds is not None and time.monotonic() - started >= budget.seconds:
            reason = "timeout"
        if reason in ("timeout", "node limit"):
            for part in stack:
                part.leave_open()
            break
        if stack[-1].by_signs:
            part = stack.pop()
            nodes += 1
            before = part.stated
            try:
                children, witness = step(part, replayer)
            except Undecided as error:
                # What this part stated goes with its place in the tree.
                part.stated = before
                part.leave_open()
                reason = str(error)
                continue
        else:
            widest = max(layer.fan_out for layer in asked.layers[: asked.depth])
            count = max(1, min(BATCH, ENTRIES // (2 * widest**2)))
            count = count if budget.nodes is None else min(count, budget.nodes - nodes)
            parts: list[Part] = []
            while stack and len(parts) < count and not stack[-1].by_signs:
                parts.append(stack.pop())
            nodes += len(parts)
            children, witness = _cut(parts, replayer)
        stack += children
        for points in islice(hints, at_once) if stack and witness is None else ():
            witness = replayer.first(points)
            if witness is not None:
                break
        if witness is not None:
            return SearchResult(first.tree, witness, nodes)
    return SearchResult(first.tree, None, nodes, reason)


def _small(asked: Question) -> bool:
    return sum(layer.weights.size for layer in asked.layers[: asked.depth]) <= SMALL


def _cut(parts: list[Part], replayer: Replayer) -> tuple[list[Part], Vector | None]:
    """Bound the parts together; close what is closed, cut in two what is not, or leave it to be divided by signs."""
    asked = replayer.asked
    few = FEW_THAT_CANCEL if asked.parallel else FEW_SIGNS
    if len(parts) == 1 and not parts[0].depth:
        # The whole box: its bounds are those of every circuit.
        (part,) = parts
        known = asked.exact.shared(f"bounds {asked.depth}", (asked.low, asked.high), partial(_tightened, part.bounds))
        part.bounds = known.copy()
        part.bounds.asked = asked
        if part.empty() or _closed(part):
            return [], None
        if _small(asked) and not (_unknown(part.bounds) > few and len(asked.free) <= CUT_DIMENSIONS):
            return [part.to_signs()], None
        batch = Bounds.together([part.bounds])
    else:
        batch = Bounds.together([p.bounds for p in parts])
        batch.tighten(exactly=False)
        for i, part in enumerate(parts):
            for key in ("low", "high", "slope"):
                setattr(part.bounds, key, [row[i].copy() for row in getattr(batch, key)])
    left = [i for i, part in enumerate(parts) if not (part.empty() or _closed(part))]
    if not left:
        return [], None
    low, high = (end[left] for end in batch.box)
    steer = _steer(batch)[left]
    corners = np.where(steer[:, 0] > 0, high, low)
    witness = replayer.first(np.vstack([corners, low / 2 + high / 2]))
    if witness is not None:
        return [], witness
    unknown = _unknown(batch)
    longest = np.argmax(np.nan_to_num(np.abs(steer).max(axis=1) * (high - low), nan=0.0), axis=1)
    children: list[Part] = []
    for at, i in enumerate(left):
        coordinate, part = int(longest[at]), parts[i]
        middle = float(low[at, coordinate] / 2 + high[at, coordinate] / 2)
        if unknown[i] > few and len(asked.free) <= CUT_DIMENSIONS and part.may_cut(coordinate, middle):
            children += part.cut(coordinate, middle)
        else:
            children.append(part.to_signs())
    return children, None


def _tightened(bounds: Bounds) -> Bounds:
    bounds.tighten()
    return bounds


def _steer(batch: Bounds) -> np.ndarray:
    """For each part, the coefficients over the inputs (rows, d) of upper bounds of the live units that are not off."""
    found = []
    for target in batch.asked.targets:
        weights, bias = batch.layers[target.layer - 1]
        live = list(target.live)
        if not live:
            continue
        rows = np.vstack([weights[live], -weights[live]])
        _, seen = batch.upper(target.layer, rows, np.concatenate([bias[live], -bias[live]]))
        there = batch.status(target.layer - 1)[:, live] != OFF
        coef = np.broadcast_to(seen[-1], (len(there), *seen[-1].shape[-2:]))
        found.append(coef * np.concatenate([there, there], axis=1)[..., None])
    width = batch.box[0].shape
    return np.nan_to_num(np.concatenate(found, axis=1)) if found else np.zeros((width[0], 1, width[1]))


def _unknown(bounds: Bounds) -> np.ndarray:
    """How many signs below the last layer are unknown: a number, or one for each part."""
    return sum(((bounds.status(m) == UNKNOWN).sum(axis=-1) for m in range(bounds.asked.depth - 1)), np.zeros(()))


def _closed(part: Part) -> bool:
    return _may_close(part.bounds) and part.closed(constant)


def _may_close(bounds: Bounds) -> bool:
    """Whether it is worth asking for the exact form: units of unknown sign make a kink unless they are parallel."""
    for target in bounds.asked.targets:
        unknown = (bounds.status(target.layer - 1)[list(target.live)] == UNKNOWN).sum()
        if unknown == 1 or (unknown and not bounds.asked.parallel):
            return False
    return True


def graft(asked: Question, tree: Json, budget: Budget, hints: Iterator[np.ndarray] = NO_HINTS) -> SearchResult:
    """Go on with a tree that has open leaves: each is solved in turn, and replaced in place. `hints`: see `solve`."""
    started, nodes, reason = time.monotonic(), 0, ""
    for leaf in open_leaves(tree):
        left = None if budget.seconds is None else budget.seconds - (time.monotonic() - started)
        more = None if budget.nodes is None else budget.nodes - nodes
        done = solve(asked, leaf["open"], Budget(more, left), hints)
        nodes += done.nodes
        if done.witness is not None:
            return SearchResult(tree, done.witness, nodes)
        leaf.clear()
        leaf.update(done.tree)
        reason = done.reason or reason
        if reason in ("timeout", "node limit"):
            break
    return SearchResult(tree, None, nodes, reason)
