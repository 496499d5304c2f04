"""Which columns of exact features [1 | phi] depend on others: relations modulo a prime, lifted to the rationals.

Modulo a prime there can only be more relations than over the rationals. What is lifted is shown at every row.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Protocol

import numpy as np
from flint import fmpz_mat

from proof_of_absence.checker.numbers.deadline import look
from proof_of_absence.checker.passes import exact
from proof_of_absence.checker.passes.modular import nullspace, pivots, product, reduced
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["LARGEST_RELATION", "LayerTable", "Relations", "Table", "broken_at", "lifted", "solved"]

# A relation of more columns than this is not lifted from the prime to Q: its coefficients would
# have thousands of digits.
LARGEST_RELATION = 128


class Table(Protocol):
    """Rows of [1 | phi], all of it times one number: `rows` and `columns` are their numbers."""

    @property
    def rows(self) -> int: ...

    @property
    def columns(self) -> int: ...

    def residues(self, rows: Sequence[int] | np.ndarray, columns: np.ndarray, prime: int) -> np.ndarray:
        """Some rows of some columns modulo an odd prime, int64; the multiple may be another than that of integers."""
        ...

    def integers(self, rows: Sequence[int] | np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Some rows of some columns, Python integers; each call may have a multiple of its own."""
        ...


class LayerTable:
    """1 and some units of a hidden layer of a float net at inputs, shape (N, d)."""

    def __init__(self, net: FloatNet, inputs: np.ndarray, layer: int, units: np.ndarray):
        self.net, self.inputs, self.layer, self.units = net, inputs, layer, units
        self.rows, self.columns = len(inputs), len(units) + 1

    def residues(self, rows: Sequence[int] | np.ndarray, columns: np.ndarray, prime: int) -> np.ndarray:
        rows = np.asarray(rows)
        one = exact.denominator(self.net, self.layer) % prime
        ones = np.full((len(rows), int(0 in columns)), one, dtype=np.int64)
        chosen = self.units[columns[columns > 0] - 1]
        parts = [
            exact.activations(self.net, self.inputs[rows[block]], self.layer, chosen).modulo(prime)
            for block in exact.blocks(len(rows), self.net)
        ]
        return np.hstack([ones, np.vstack(parts)])

    def integers(self, rows: Sequence[int] | np.ndarray, columns: np.ndarray) -> np.ndarray:
        chosen = self.units[columns[columns > 0] - 1]
        found = exact.activations(self.net, self.inputs[rows], self.layer, chosen)
        values, exponent, denominator = found.integers()
        one = np.full((len(values), int(0 in columns)), denominator << max(-exponent, 0), dtype=object)
        return np.hstack([one, values << max(exponent, 0)])


class Relations:
    """{v : table v = 0 modulo the prime at every row seen so far}.

    `basis` has a vector a column. `rows` are independent and span the row space, so their number is the rank there.

    Parameters
    ----------
    hints
        Rows that are looked at first, such as those where rare units are active.
    """

    def __init__(self, table: Table, hints: np.ndarray, prime: int):
        self.table, self.prime = table, prime
        count = table.columns
        wanted = min(table.rows, count + 32)
        hints = np.unique(hints.astype(np.int64))
        spread = np.random.default_rng(0).choice(table.rows, wanted, replace=False)
        rows = np.concatenate([hints, np.setdiff1d(spread, hints)[: max(wanted - len(hints), 0)]])
        features = table.residues(rows, np.arange(count), prime)
        self.rows = rows[pivots(features.T, prime)].tolist()
        self.basis = nullspace(features, prime) if len(self.rows) < count else np.zeros((count, 0), dtype=np.int64)

    def see(self, rows: np.ndarray) -> None:
        """Take more rows into account."""
        # Those that break a relation are independent of `rows`, in as far as they break relations independently.
        support = np.flatnonzero(self.basis.any(axis=1))
        broken = product(self.table.residues(rows, support, self.prime), self.basis[support], self.prime)
        if broken.any():
            self.rows += rows[pivots(broken.T, self.prime)].tolist()
            self.basis = product(self.basis, nullspace(broken, self.prime), self.prime)

    def see_all(self) -> None:
        """Take all rows into account, as long as there is a relation."""
        start, size = 0, 256
        while start < self.table.rows and self.basis.shape[1]:
            look()
            self.see(np.arange(start, min(start + size, self.table.rows)))
            start, size = start + size, min(2 * size, 8192)


def lifted(relations: Relations, support: np.ndarray) -> list[int] | None:
    """Coprime integers v, one for each of these columns, with table v = 0 at rows that have rank enough to tell.

    None if there are none.
    """
    if len(support) == 1:
        return [1]
    features = relations.table.integers(relations.rows, support)
    residues = (features % relations.prime).astype(np.int64)
    rows = pivots(residues[:, :-1].T, relations.prime)
    if len(rows) != len(support) - 1:
        return None
    matrix = fmpz_mat([[int(x) for x in features[row, :-1]] for row in rows])
    solution = matrix.solve(fmpz_mat([[-int(features[row, -1])] for row in rows]))
    values = [Fraction(int(solution[i, 0].p), int(solution[i, 0].q)) for i in range(len(rows))] + [Fraction(1)]
    scale = lcm(*(v.denominator for v in values))
    integers = [int(v * scale) for v in values]
    divisor = gcd(*integers) * (1 if next(v for v in integers if v) > 0 else -1)
    return [v // divisor for v in integers]


def broken_at(
    table: Table, blocks: Sequence[np.ndarray], support: np.ndarray, coefficients: Sequence[int]
) -> np.ndarray | None:
    """The first of these rows, given in blocks, at which the relation does not hold, exactly; None if it holds."""
    vector = np.array(coefficients, dtype=object)
    for rows in blocks:
        look()
        if (sums := table.integers(rows, support).dot(vector)).any():
            return np.asarray(rows[sums.astype(bool)])
    return None


def solved(
    relations: Relations, blocks: Sequence[np.ndarray], columns: np.ndarray
) -> Iterator[tuple[int, dict[int, Fraction]]]:
    """Relations that hold exactly at all rows of the blocks, each with a column that is in no other.

    `columns` are the numbers by which the table's columns are called.
    """
    if not relations.basis.shape[1]:
        return
    # Backwards, so that it is the last column of each that is in no other; it is never the constant.
    for vector in reduced(relations.basis[::-1], relations.prime)[::-1].T:
        look()
        support = np.flatnonzero(vector)
        if len(support) > LARGEST_RELATION or (found := lifted(relations, support)) is None:
            continue
        if broken_at(relations.table, blocks, support, found) is None:
            terms = zip(columns[support].tolist(), map(Fraction, found), strict=True)
            yield int(columns[support[-1]]), {j: value for j, value in terms if value}
