"""C21 at recorded rows: the leverage h, exact or in bounds, and where a relation of training is broken: free moves.

h is on [1 | X]. The price of a move by t through the readout is t^2 / (N h): see `construct.leverage_bounds`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.construct.leverage_bounds import SLACK, Whitened, whitened, whitened_by_gram
from proof_of_absence.checker.construct.leverage_exact import Inverse, inverse, moderate, scaled
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.recorded.columns import Columns, moved
from proof_of_absence.checker.recorded.findings import PricedRows, outward
from proof_of_absence.checker.recorded.gram import Gram
from proof_of_absence.checker.recorded.relations import Relation, zero
from proof_of_absence.checker.recorded.row_space import with_ones
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.files.recording import Part, Recording

__all__ = ["Answer", "Question", "Told", "joined", "leverages_of"]

Floats = NDArray[np.floating[Any]]
Whole = NDArray[np.int64]
# Told how many rows more were read.
Told = Callable[[int], None]
# Beyond this the Gram matrix has lost too many digits: a QR decomposition loses half as many, in two more passes.
WIDE = 2.0**-10


def leverages_of(
    recording: Recording, gram: Gram, columns: Sequence[int], penalty: Fraction, told: int
) -> Whitened | Inverse | None:
    """What tells leverages on these columns, which are independent: exactly if `told` of them are short, else bounds.

    None where floats find nothing.
    """
    columns = list(columns)
    if moderate(recording.rows, len(columns)):
        table = np.concatenate([block.astype(np.float64) for part in recording.train for _, block in part.blocks()])
        if (exact := inverse(scaled(table), columns, penalty, told)) is not None:
            return exact
    found = whitened_by_gram(gram.interval(columns), penalty)
    if found is not None and found.full_rank and found.spread < WIDE:
        return found

    def blocks() -> Iterable[Interval]:
        for part in recording.train:
            for _, block in part.blocks():
                yield Interval.of(with_ones(block)[:, columns])

    better = whitened(blocks, penalty)
    return better if found is None or (better is not None and better.order < found.order) else found


@dataclass(frozen=True, eq=False)
class Answer:
    """Of some rows: how many constant columns move at each, and what `PricedRows` has; and in how many rows each
    constant column moves, and each relation is broken.
    """

    moving: Whole
    moves: Whole
    broken: Whole
    priced: PricedRows


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of rows: where constant columns have other values, which relations are broken, and the leverages.

    `free` says whether a broken relation makes a move free: not with a penalty. `leverages` are on the `columns` of
    [1 | X].
    """

    constant: NDArray[np.intp]
    values: Floats
    relations: Sequence[Relation]
    columns: Sequence[int]
    leverages: Whitened | Inverse | None
    free: bool

    def of(self, part: Part, rows: Sequence[int] | None, told: Told = lambda rows: None) -> Answer:
        """The answer at some rows of a part, in order; at all of them if none are named.

        Raises
        ------
        InputError
            If the file is damaged, or one of the numbers is NaN or infinite.
        """
        answers = [self._block(block) for block in _picked(part, rows, told)]
        return joined(answers, np.arange(part.rows) if rows is None else np.asarray(rows, np.int64))

    def _block(self, block: Floats) -> Answer:
        there = moved(block, self.constant, self.values)
        broken = np.hstack([there, ~zero(block, self.relations)])
        free = np.full(len(block), -1)
        if self.free and broken.shape[1]:
            free = np.where(broken.any(axis=1), broken.argmax(axis=1), -1)
        exact, leverage = None, np.full((len(block), 2), np.nan)
        paid = free < 0
        if isinstance(self.leverages, Inverse):
            found = iter(self.leverages.leverages(scaled(block[paid])))
            exact = tuple(next(found) if pays else None for pays in paid)
            ends = [outward(value) for value in exact if value is not None]
            leverage[paid] = np.array(ends, np.float64).reshape(-1, 2)
        elif self.leverages is not None:
            low, high = self.leverages.bounds(Interval.of(with_ones(block[paid])[:, list(self.columns)]))
            leverage[paid] = np.column_stack([low * (1 - SLACK), high * (1 + SLACK)])
        count = len(self.constant)
        totals = broken.sum(axis=0, dtype=np.int64)
        rows = PricedRows(np.arange(len(block)), leverage, free, exact)
        return Answer(there.sum(axis=1, dtype=np.int64), totals[:count], totals[count:], rows)


def joined(answers: Sequence[Answer], rows: Whole) -> Answer:
    """The answers one after the other; `rows` are the numbers of all of their rows."""
    priced = [answer.priced for answer in answers]
    exact = [one.exact for one in priced if one.exact is not None]
    return Answer(
        np.concatenate([np.zeros(0, np.int64), *(answer.moving for answer in answers)]),
        sum((answer.moves for answer in answers[1:]), answers[0].moves) if answers else np.zeros(0, np.int64),
        sum((answer.broken for answer in answers[1:]), answers[0].broken) if answers else np.zeros(0, np.int64),
        PricedRows(
            rows,
            np.concatenate([np.zeros((0, 2)), *(one.leverage for one in priced)]),
            np.concatenate([np.zeros(0, np.int64), *(one.free for one in priced)]),
            tuple(value for values in exact for value in values) if len(exact) == len(priced) > 0 else None,
        ),
    )


def _picked(part: Part, rows: Sequence[int] | None, told: Told) -> Iterator[Floats]:
    """The rows in blocks, all of whose numbers are finite."""
    finite, chosen = Columns(part.columns), None if rows is None else np.asarray(rows, np.int64)
    for first, block in part.blocks():
        if chosen is None:
            try:
                finite.see(block)
            except ValueError as error:
                raise refused(part.path, f"{part.array} {error}") from error
            yield block
            told(len(block))
        elif len(here := chosen[(first <= chosen) & (chosen < first + len(block))]):
            yield block[here - first]
