"""The audit of recordings: a pass over the training rows of each layer, one more if relations are to be shown, and then
one over its deployment rows.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.construct.leverage_bounds import Whitened
from proof_of_absence.checker.recorded.certify import certificate
from proof_of_absence.checker.recorded.columns import Columns, moved
from proof_of_absence.checker.recorded.findings import (
    Constant,
    File,
    Joint,
    LayerFindings,
    Prices,
    Rank,
    RecordedAudit,
)
from proof_of_absence.checker.recorded.prices import bounds, factor_of
from proof_of_absence.checker.recorded.relations import Relation, candidates, pivot_columns, zero
from proof_of_absence.checker.recorded.state import State, gathered
from proof_of_absence.models.files.disk import refused, sha256
from proof_of_absence.models.files.recording import Part, Recording

__all__ = ["Asked", "examine"]

# Told how many rows more were read.
Told = Callable[[int], None]
# Makes the pass over the training rows of a recording.
Gather = Callable[[Recording, str, Told], State]


def in_turn(recording: Recording, digest: str, told: Told) -> State:
    """The pass in this process, nothing kept."""
    state = State(recording.columns, len(recording.train))
    for more in gathered(recording, list(range(len(recording.train))), state):
        told(more)
    return state


@dataclass(frozen=True)
class Asked:
    """What is asked of every layer: prices of a move by `move`, with a ridge penalty; how files are named, and passes
    made.
    """

    move: Fraction = Fraction(1)
    penalty: Fraction = Fraction(0)
    named: Callable[[Path], str] = str
    gather: Gather = in_turn
    told: Told = field(default=lambda rows: None)


def examine(recordings: Iterable[Recording], asked: Asked | None = None) -> RecordedAudit:
    """Audit what was recorded of each layer.

    Raises
    ------
    InputError
        If a file is damaged, a number is NaN or infinite, or two layers have one name.
    """
    asked, recordings = asked or Asked(), list(recordings)
    for one, other in pairwise(sorted(recording.name for recording in recordings)):
        if one == other:
            raise refused(one, "two layers have this name; name each once")
    layers = tuple(_layer(recording, asked) for recording in recordings)
    return RecordedAudit(layers, certificate(layers))


def _layer(recording: Recording, asked: Asked) -> LayerFindings:
    # Digests first: what is read afterwards is compared with them by the checker.
    digests = {path: _digest(path) for path in dict.fromkeys(p.path for p in (*recording.train, *recording.deploy))}
    train, deploy = (
        [File(asked.named(part.path), digests[part.path], part.array, part.rows) for part in parts]
        for parts in (recording.train, recording.deploy)
    )
    state = asked.gather(recording, " ".join(file.sha256 for file in train), asked.told)
    constant = [Constant(int(j), float(state.columns.low[j]) + 0.0, 0) for j in state.columns.constant]
    rank, joint = _rank(recording, state, constant)
    priced = None
    # With a penalty all columns count, and no move is free.
    columns = list(rank.columns) if not asked.penalty else list(range(recording.columns + 1))
    decided = rank.low == len(columns) == recording.columns + 1 - len(constant) - len(joint) or asked.penalty > 0
    if recording.deploy and decided:
        priced = factor_of(recording.train, state.gram, columns, asked.penalty)
    relations = [*(one.relation for one in constant), *(one.relation for one in joint)]
    seen = _Deployment(constant, relations, columns, priced, asked)
    for part in recording.deploy:
        seen.see(part)
    still = tuple(Constant(one.column, one.value, int(n)) for one, n in zip(constant, seen.moves, strict=True))
    together = zip(joint, seen.broken[len(constant) :], strict=True)
    return LayerFindings(
        recording.name, recording.dtype, recording.columns, tuple(train), tuple(deploy), still,
        _joined(seen.moving, np.int64), rank, tuple(Joint(one.relation, int(n)) for one, n in together), seen.prices(),
    )  # fmt: skip


def _rank(recording: Recording, state: State, constant: Sequence[Constant]) -> tuple[Rank, list[Joint]]:
    """The rank, and the relations of columns that are not constant themselves, each shown at all rows."""
    low, space = state.space.rank, state.space
    pivots = pivot_columns(space.values, space.prime)
    settled = {*pivots, *(one.column + 1 for one in constant)}
    others = [j for j in range(recording.columns + 1) if j not in settled]
    found = candidates(space.values, pivots, others) or []
    holds = np.ones(len(found), dtype=bool)
    for part in recording.train if found else ():
        for _, block in part.blocks():
            holds &= zero(block, found).all(axis=0)
    joint = [Joint(relation, 0) for relation, so in zip(found, holds, strict=True) if so]
    high = min(recording.rows, recording.columns + 1 - len(constant) - len(joint))
    order = np.argsort(space.rows)
    return Rank(low, high, space.prime, tuple(space.rows[order].tolist()), tuple(pivots)), joint


class _Deployment:
    """What is gathered over deployment rows."""

    def __init__(
        self,
        constant: Sequence[Constant],
        relations: Sequence[Relation],
        columns: list[int],
        priced: Whitened | None,
        asked: Asked,
    ):
        self.still = np.array([one.column for one in constant], np.intp)
        self.values = np.array([one.value for one in constant])
        self.relations, self.columns, self.priced, self.asked = relations, columns, priced, asked
        self.moves, self.broken = np.zeros(len(constant), np.int64), np.zeros(len(relations), np.int64)
        self.moving: list[NDArray[Any]] = []
        self.free: list[NDArray[Any]] = []
        self.leverage: list[NDArray[Any]] = []

    def see(self, part: Part) -> None:
        """All rows of a part."""
        finite = Columns(part.columns)
        for _, block in part.blocks():
            try:
                finite.see(block)
            except ValueError as error:
                raise refused(part.path, f"{part.array} {error}") from error
            there = moved(block, self.still, self.values)
            self.moves += there.sum(axis=0)
            self.moving.append(there.sum(axis=1))
            joint = ~zero(block, self.relations[len(self.still) :])
            broken = np.hstack([there, joint])
            self.broken += broken.sum(axis=0)
            free = np.where(broken.any(axis=1), broken.argmax(axis=1) if broken.shape[1] else 0, -1)
            self.free.append(free if not self.asked.penalty else np.full(len(block), -1))
            if self.priced is not None:
                leverage = bounds(self.priced, block, self.columns)
                leverage[self.free[-1] >= 0] = np.nan
                self.leverage.append(leverage)
            self.asked.told(len(block))

    def prices(self) -> Prices | None:
        """The prices, if a factor was found."""
        if self.priced is None:
            return None
        return Prices(
            self.asked.move, self.asked.penalty, tuple(self.columns), np.concatenate(self.leverage),
            _joined(self.free, np.int64), self.priced.factor,
        )  # fmt: skip


def _joined(parts: Sequence[NDArray[Any]], dtype: "type[np.int64]") -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, dtype), *parts])


def _digest(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror or error}") from error
