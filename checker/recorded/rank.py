"""The rank of [1 | X] on the training rows, and the relations of columns that are not constant themselves: exactly.

Rows that are independent modulo a prime are; relations that hold on them are shown at all rows, or a row breaks one,
which makes the rank larger.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.passes.modular import pivots, residues
from proof_of_absence.checker.recorded.findings import Constant, Rank
from proof_of_absence.checker.recorded.relations import Relation, candidates, pivot_columns, primes, zero
from proof_of_absence.checker.recorded.row_space import RowSpace, with_ones
from proof_of_absence.checker.recorded.shards import Passes
from proof_of_absence.models.files.recording import Part, Recording

__all__ = ["decided_rank"]

# Primes that are tried: columns that depend modulo all of these alone were made to.
TRIED = 12
Floats = NDArray[np.floating[Any]]


def decided_rank(
    recording: Recording, space: RowSpace, constant: Sequence[Constant], passes: Passes
) -> tuple[Rank, list[Relation]]:
    """Bounds of the rank, and the relations: without those that `candidates` gives up."""
    space.settle()
    rows, values = space.rows, space.values
    still = {one.column + 1 for one in constant}
    offsets = np.cumsum([0, *(part.rows for part in recording.train)])
    for prime, following in pairwise(primes(TRIED + 1)):
        columns = pivot_columns(values, prime)
        others = [j for j in range(recording.columns + 1) if j not in still and j not in set(columns)]
        found = candidates(values, columns, others, recording.rows) or []
        breaking = _Breaking(found)
        parts = [(part, None) for part in recording.train] if found else []
        seen = list(passes.each(breaking, parts, lambda rows: None))
        more = [(offset + row, value) for offset, broken in zip(offsets, seen, strict=False) for row, value in broken]
        holds = zero(np.array([x for _, x in more]).reshape(-1, recording.columns), found)
        low = len(rows)
        if not more:
            break
        last = (rows, values)
        rows = np.concatenate([rows, [row for row, _ in more]])
        values = np.vstack([values, [value for _, value in more]])
        kept = pivots(residues(with_ones(values), following).T, following)
        rows, values = rows[kept], values[kept]
    else:
        rows, values = last
    relations = [relation for k, relation in enumerate(found) if holds[:, k].all()]
    high = min(recording.rows, recording.columns + 1 - len(still) - len(relations))
    order = np.argsort(rows)
    return Rank(low, high, prime, tuple(rows[order].tolist()), tuple(columns)), relations


@dataclass(frozen=True, eq=False)
class _Breaking:
    """Asks for rows of a part that break relations: the first that breaks each, with its number."""

    relations: Sequence[Relation]

    def of(self, part: Part, rows: Sequence[int] | None, told: Callable[[int], None]) -> list[tuple[int, Floats]]:
        found: dict[int, Floats] = {}
        left = np.ones(len(self.relations), dtype=bool)
        for first, block in part.blocks():
            holds = zero(block, self.relations)
            broken = left & ~holds.all(axis=0)
            for row in sorted({int(i) for i in holds.argmin(axis=0)[broken]}):
                found[first + row] = block[row].astype(np.float64)
            left &= ~broken
        return list(found.items())
