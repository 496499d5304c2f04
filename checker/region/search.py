"""Branch and bound over parts of the box: each leaf is closed by an exact certificate, or a witness ends the search.

Parts are cut in two along an input coordinate while many signs are unknown, and bounded many at a time; then they are
split by the sign of a hidden unit, which always comes to an end (`checker.region.signs`). `solve` is a pure function
of a question, a sub-problem in JSON and a budget, so that sub-problems can be farmed out; what it leaves open are
sub-problems again.
"""

import time
from copy import copy
from dataclasses import dataclass
from functools import partial

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


@dataclass(frozen=True)
class Budget:
    """Stop after so many parts of the box, or so many seconds of the clock."""

    nodes: int | None = None
    seconds: float | None = None


UNLIMITED = Budget()


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


def solve(asked: Question, sub: Json, budget: Budget = UNLIMITED) -> SearchResult:
    """Search a sub-problem, depth first, in an order that depends on nothing but the question and the sub-problem.

    Raises
    ------
    ImportError
        If highspy is not installed, and bounds alone do not decide.
    """
    started, nodes, reason = time.monotonic(), 0, ""
    first = Part.read(asked, sub)
    stack, replayer = [first], Replayer(asked)
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
        if witness is not None:
            return SearchResult(first.tree, witness, nodes)
        stack += children
    return SearchResult(first.tree, None, nodes, reason)


def _cut(parts: list[Part], replayer: Replayer) -> tuple[list[Part], Vector | None]:
    """Bound the parts together; close what is closed, cut in two what is not, or leave it to be divided by signs."""
    asked = replayer.asked
    batch = Bounds.together([p.bounds for p in parts])
    if len(parts) == 1 and not parts[0].depth:
        # The whole box: its bounds are those of every circuit.
        ends = asked.low, asked.high
        batch = copy(asked.exact.shared(f"bounds {asked.depth}", ends, partial(_tightened, batch)))
        batch.asked = asked
    else:
        batch.tighten(exactly=False)
    for i, part in enumerate(parts):
        for key in ("low", "high", "slope"):
            setattr(part.bounds, key, [row[i].copy() for row in getattr(batch, key)])
    left = [
        i
        for i, part in enumerate(parts)
        if not (part.empty() or (_may_close(part.bounds) and part.closed(constant)))
    ]  # fmt: skip
    if not left:
        return [], None
    low, high = (end[left] for end in batch.box)
    steer = _steer(batch)[left]
    corners = np.where(steer[:, 0] > 0, high, low)
    witness = replayer.first(np.vstack([corners, low / 2 + high / 2]))
    if witness is not None:
        return [], witness
    unknown = np.zeros(len(parts))
    for m in range(asked.depth - 1):
        unknown += (batch.status(m) == UNKNOWN).sum(axis=1)
    longest = np.argmax(np.nan_to_num(np.abs(steer).max(axis=1) * (high - low), nan=0.0), axis=1)
    children: list[Part] = []
    few = FEW_THAT_CANCEL if asked.parallel else FEW_SIGNS
    for at, i in enumerate(left):
        coordinate, part = int(longest[at]), parts[i]
        middle = float(low[at, coordinate] / 2 + high[at, coordinate] / 2)
        if unknown[i] > few and len(asked.free) <= CUT_DIMENSIONS and part.may_cut(coordinate, middle):
            children += part.cut(coordinate, middle)
        else:
            children.append(part.to_signs())
    return children, None


def _tightened(batch: Bounds) -> Bounds:
    batch.tighten(exactly=False)
    return batch


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


def _may_close(bounds: Bounds) -> bool:
    """Whether it is worth asking for the exact form: units of unknown sign make a kink unless they are parallel."""
    for target in bounds.asked.targets:
        unknown = (bounds.status(target.layer - 1)[list(target.live)] == UNKNOWN).sum()
        if unknown == 1 or (unknown and not bounds.asked.parallel):
            return False
    return True


def graft(asked: Question, tree: Json, budget: Budget) -> SearchResult:
    """Go on with a tree that has open leaves: each is solved in its turn, and replaced in place."""
    started, nodes, reason = time.monotonic(), 0, ""
    for leaf in open_leaves(tree):
        left = None if budget.seconds is None else budget.seconds - (time.monotonic() - started)
        more = None if budget.nodes is None else budget.nodes - nodes
        done = solve(asked, leaf["open"], Budget(more, left))
        nodes += done.nodes
        if done.witness is not None:
            return SearchResult(tree, done.witness, nodes)
        leaf.clear()
        leaf.update(done.tree)
        reason = done.reason or reason
        if reason in ("timeout", "node limit"):
            break
    return SearchResult(tree, None, nodes, reason)
