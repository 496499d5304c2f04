"""Facts about recorded activations, computed again from the recorded numbers: all rows of all files, block by block.

They are about the files that a certificate names, so they are in the table of results/recorded.py. Columns of [1 | X]
are counted with that of ones, which is 0.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import lcm

import numpy as np
from flint import nmod_mat

from proof_of_absence.checker.independent.kinds.float_readout import (
    Direction,
    Places,
    Truths,
    readout_prices,
    rounded,
)
from proof_of_absence.checker.independent.kinds.rank import is_prime
from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Bounded, Exact, Floats, integers
from proof_of_absence.checker.independent.values.recording import Table, Window

# Training rows whose price is told; and how far apart the first and the last of rows are that are read as one.
LISTED, NEAR = 2048, 2**13


@dataclass
class Layer:
    """What was recorded of a layer, rows of training, deployment and test, and what facts have shown of it so far."""

    train: Sequence[Table]
    deploy: Sequence[Table]
    test: Sequence[Table] = ()
    factor: Floats | None = None
    constant: dict[int, float] | None = None
    relations: list[Direction] = field(default_factory=list)
    rank: tuple[int, int] | None = None

    @property
    def columns(self) -> int:
        """The width."""
        return self.train[0].columns

    def rows(self) -> int:
        """The number of training rows."""
        return sum(table.rows for table in self.train)

    def inputs(self) -> int:
        """The number of deployment rows."""
        return sum(table.rows for table in self.deploy)

    def training(self) -> Iterator[Floats]:
        """All training rows."""
        for table in self.train:
            yield from table.blocks()

    def deployment(self) -> Iterator[Floats]:
        """All deployment rows."""
        for table in self.deploy:
            yield from table.blocks()

    def still(self) -> dict[int, float]:
        """The constant columns and their values."""
        if self.constant is None:
            raise Refused("which columns are constant is not stated")
        return self.constant


def recorded_columns(layer: Layer, fact: Fact) -> None:
    """At all training rows just the listed columns have one value, which is the stated one."""
    require_equal("the number of rows", fact["rows"], layer.rows())
    require_equal("the number of columns", fact["columns"], layer.columns)
    first: Floats | None = None
    varies = np.zeros(layer.columns, dtype=bool)
    for block in layer.training():
        first = block[0].copy() if first is None else first
        varies |= (block != first).any(axis=0)
    if first is None:
        raise Refused("there is no training row")
    require_equal("the constant columns", fact["constant"], np.flatnonzero(~varies).tolist())
    stated = [float.fromhex(text) for text in fact["values"]]
    require_equal("the values of the constant columns", stated, first[~varies].tolist())
    layer.constant = dict(zip(fact["constant"], stated, strict=True))


def recorded_rank(layer: Layer, fact: Fact) -> None:
    """The rank of [1 | X] lies between `low` and `high`.

    A minor of `low` rows and columns is not 0 modulo the prime. Each relation makes one more column, not constant
    itself, of the columns of the minor, at all training rows; `high` is what these and the constant columns leave.
    """
    rows, columns, prime = fact["rows"], fact["columns"], fact["prime"]
    require(is_prime(prime) and 2 < prime < 2**31, "the modulus is not an odd prime below 2^31")
    for named, count in ((rows, layer.rows()), (columns, layer.columns + 1)):
        require(all(type(i) is int and 0 <= i < count for i in named), "a row or a column is not there")
        require(all(a < b for a, b in pairwise(named)), "a row or a column is listed twice")
    require(len(rows) == len(columns) == fact["low"] > 0, "a minor has as many rows as columns")
    relations, still = [_direction(terms, layer) for terms in fact["relations"]], layer.still()
    own = [[j for j in relation if j not in columns] for relation in relations]
    require(all(len(new) == 1 for new in own), "a relation is not of one more column")
    new = {j for (j,) in own}
    require(len(new) == len(relations) and not new & {j + 1 for j in still}, "a column is settled twice")
    minor, done = np.zeros((len(rows), layer.columns)), 0
    for block in layer.training():
        here = [(k, i - done) for k, i in enumerate(rows) if done <= i < done + len(block)]
        for k, i in here:
            minor[k] = block[i]
        done += len(block)
        for relation in relations:
            require(_zero(block, relation).all(), f"the relation of column {max(relation)} does not hold")
    require(_invertible(minor, columns, prime), "the minor is 0 modulo the prime")
    most = min(layer.rows(), layer.columns + 1 - len(still) - len(new))
    require_equal("the upper bound of the rank", fact["high"], most)
    layer.relations, layer.rank = relations, (fact["low"], fact["high"])


def recorded_moves(layer: Layer, fact: Fact) -> None:
    """How many deployment rows have another value in each constant column, and in how many of them each row has; and
    how many break each relation.
    """
    require_equal("the number of deployment rows", fact["rows"], layer.inputs())
    still = layer.still()
    chosen, values = list(still), np.array(list(still.values()))
    by_column, by_row, broken = [0] * len(chosen), [], [0] * len(layer.relations)
    for block in layer.deployment():
        for row in block[:, chosen] != values:
            by_row.append(int(row.sum()))
        for k, column in enumerate(chosen):
            by_column[k] += int(np.count_nonzero(block[:, column] != values[k]))
        for k, relation in enumerate(layer.relations):
            broken[k] += int((~_zero(block, relation)).sum())
    require_equal("the deployment rows at which each column moves", fact["columns"], by_column)
    require_equal("the deployment rows that break each relation", fact["relations"], broken)
    require_equal("the constant columns that move at each deployment row", fact["inputs"], by_row)


def prices(layer: Layer, fact: Fact) -> None:
    """Leverages and prices at every deployment and test row, and at some of training, in order: see `float_readout`."""
    require(fact["layer"] == 1, "recorded features are of one layer")
    features = _Recorded(layer)
    parts = {part: _told(part, count) for part, count in features.counts.items() if count}
    require(set(fact["rows"]) == set(parts), "prices are stated at rows of each part that is there")
    for part, rows in parts.items():
        require([entry["row"] for entry in fact["rows"][part]] == rows, f"other {part} rows are listed, or in no order")
    readout_prices(fact, features, layer.factor)


def _told(part: str, count: int) -> list[int]:
    """The rows that are listed: all, but some at even distances of training."""
    return list(range(count)) if part != "training" or count <= LISTED else [i * count // LISTED for i in range(LISTED)]


class _Recorded:
    """The features of a layer: what was recorded, after a 1, read in windows."""

    def __init__(self, layer: Layer):
        self.layer, self.width = layer, layer.columns + 1
        tables = {"training": layer.train, "deployment": layer.deploy, "test": layer.test}
        self.counts = {part: sum(table.rows for table in found) for part, found in tables.items()}
        self._tables: Mapping[str, Sequence[Table]] = tables
        self._apart: dict[str, dict[int, Floats]] = {}
        self._windows: Mapping[str, Window] = {part: Window(found) for part, found in tables.items()}
        shown = [{0: Fraction(value), j + 1: Fraction(-1)} for j, value in layer.still().items()]
        self._known = [{j: x for j, x in one.items() if x} for one in shown] + [dict(one) for one in layer.relations]

    def bounded(self, part: str, rows: Sequence[int]) -> Bounded:
        found = np.column_stack([np.ones(len(rows)), self._rows(part, rows)])
        return Bounded(found, np.zeros_like(found))

    def free(self, part: str, rows: Sequence[int], directions: Sequence[Direction]) -> Places:
        found = np.full(len(rows), -1)
        for k, direction in reversed(list(enumerate(directions))):
            found[~_zero(self._rows(part, rows), direction)] = k
        return found

    def vanishes_in_training(self, direction: Direction) -> bool:
        return direction in self._known or all(bool(_zero(x, direction).all()) for x in self.layer.training())

    def squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> tuple[Floats, Floats]:
        if move is None:
            raise Refused("recorded features have no classes: a move is missing")
        return rounded(move**2, len(rows))

    def exact(self, part: str, rows: Sequence[int]) -> Exact:
        return Exact(*integers(self._rows(part, rows)))

    def exact_squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> list[Fraction]:
        if move is None:
            raise Refused("recorded features have no classes: a move is missing")
        return [move**2] * len(rows)

    def _rows(self, part: str, rows: Sequence[int]) -> Floats:
        chosen = np.asarray(rows)
        first, last = int(chosen.min()), int(chosen.max())
        if last - first < max(NEAR, len(rows)):
            found: Floats = self._windows[part].rows(first, last + 1)[chosen - first]
            return found
        # Rows far apart, of which some are asked for again: what lies between them is not held.
        if part not in self._apart or not set(rows) <= self._apart[part].keys():
            self._apart = {part: dict(_picked(self._tables[part], sorted(set(rows))))}
        return np.array([self._apart[part][row] for row in rows])


def _picked(tables: Sequence[Table], rows: Sequence[int]) -> Iterator[tuple[int, Floats]]:
    """Rows of several tables by their numbers, which ascend."""
    first, place = 0, 0
    for block in (block for table in tables for block in table.blocks()):
        while place < len(rows) and rows[place] < first + len(block):
            yield rows[place], block[rows[place] - first].copy()
            place += 1
        first += len(block)


def _direction(terms: Sequence[tuple[int, str]], layer: Layer) -> Direction:
    found: Direction = {j: hexadecimal(value) for j, value in terms}
    require(len(found) == len(terms) and all(found.values()), "a relation names a column twice, or not at all")
    require(all(type(j) is int and 0 <= j <= layer.columns for j in found), "a relation is of no columns")
    return found


def _zero(block: Floats, relation: Direction) -> Truths:
    """At which rows the combination is exactly 0."""
    scale = lcm(*(value.denominator for value in relation.values()))
    members = [j for j in relation if j]
    whole, exponent, _ = integers(block[:, [j - 1 for j in members]])
    sums = whole.dot(np.array([int(relation[j] * scale) for j in members], dtype=object)) if members else 0
    one = int(relation.get(0, Fraction(0)) * scale)
    # M 2^e + v_0 = 0, in integers.
    up, down = max(exponent, 0), max(-exponent, 0)
    return np.asarray(np.equal((sums << up) + (one << down), 0) & np.ones(len(block), dtype=bool), dtype=bool)


def _invertible(rows: Floats, columns: Sequence[int], prime: int) -> bool:
    """Whether the minor of [1 | X] is not 0 modulo the prime."""
    mantissa, exponent = np.frexp(rows)
    whole = np.ldexp(mantissa, 53).astype(np.int64) % prime
    powers = {e: pow(2, e - 53, prime) for e in set(exponent.ravel().tolist())}
    entries = whole * np.vectorize(powers.__getitem__, otypes=[np.int64])(exponent) % prime
    table = np.column_stack([np.ones(len(rows), dtype=np.int64), entries])[:, columns]
    return bool(nmod_mat(len(rows), len(rows), table.ravel().tolist(), prime).rank() == len(rows))


KINDS: dict[str, Callable[[Layer, Fact], None]] = {
    "recorded-columns": recorded_columns,
    "recorded-rank": recorded_rank,
    "recorded-moves": recorded_moves,
}
# Those of a family that is decided elsewhere.
DECIDED = KINDS | {"readout-prices": prices}
