"""What was found in recorded activations: exact facts about these numbers, and not about the net at other inputs."""

from dataclasses import dataclass
from fractions import Fraction
from math import inf, nextafter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.recorded.relations import Relation

__all__ = ["CLEAN", "FINDINGS", "SCOPE", "UNDECIDED", "Constant", "File", "Joint", "LayerFindings", "PricedRows",
           "Prices", "Rank", "RecordedAudit", "outward"]  # fmt: skip

CLEAN, FINDINGS, UNDECIDED = 0, 1, 3
SCOPE = (
    "Scope: instance, recorded activations. Every statement is about the recorded numbers, exactly; nothing is said "
    "about the network at other inputs, nor about intent: a high leverage says that a row is far from the training "
    "rows."
)


def outward(value: Fraction) -> tuple[float, float]:
    """The floats on either side of a number that is not negative; itself twice if it is one.

    Examples
    --------
    >>> outward(Fraction(1, 2)), outward(Fraction(1, 10))
    ((0.5, 0.5), (0.09999999999999999, 0.1))
    """
    try:
        near = float(value)
    except OverflowError:
        return float(np.finfo(np.float64).max), inf
    own = Fraction(near)
    return nextafter(near, 0) if own > value else near, nextafter(near, inf) if own < value else near


@dataclass(frozen=True)
class File:
    """An array of a file that was read: where it is, its SHA-256, and the number of rows."""

    file: str
    sha256: str
    array: str
    rows: int


@dataclass(frozen=True)
class Constant:
    """A column with one value at all training rows; `moves` is the number of deployment rows where it has another."""

    column: int
    value: float
    moves: int

    @property
    def relation(self) -> Relation:
        """The same as a relation of [1 | X]."""
        value = Fraction(self.value)
        return {0: value, self.column + 1: Fraction(-1)} if value else {self.column + 1: Fraction(-1)}


@dataclass(frozen=True)
class Joint:
    """Columns that are constant together: the relation is 0 at all training rows, and not at `moves` in deployment."""

    relation: Relation
    moves: int

    @property
    def columns(self) -> tuple[int, ...]:
        """The columns of X that take part, those of whose weighted sum is constant."""
        return tuple(j - 1 for j in sorted(self.relation) if j)


@dataclass(frozen=True)
class Rank:
    """The rank of [1 | X] on the training rows lies between the bounds.

    `rows` and `columns` of it are a minor that is not 0 modulo the prime; the column 0 of [1 | X] is that of ones.
    """

    low: int
    high: int
    prime: int
    rows: tuple[int, ...]
    columns: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PricedRows:
    """C21 at rows of one part.

    Parameters
    ----------
    rows
        Their numbers, shape (n,).
    leverage
        Lower and upper bounds of h, shape (n, 2); NaN where a move is free.
    free
        Which relation is broken, shape (n,), and -1 where none is: first those of `constant`, then those of `joint`.
    exact
        h itself, and None where a move is free; None altogether where only bounds are known.
    """

    rows: NDArray[np.int64]
    leverage: NDArray[np.float64]
    free: NDArray[np.int64]
    exact: tuple[Fraction | None, ...] | None = None


@dataclass(frozen=True, eq=False)
class Prices:
    """C21 at the rows of each part that is there, for a move by `move` through the readout, with the ridge `penalty`.

    All deployment and test rows are listed, and some of the training rows. `factor` is what shows the bounds, for the
    independent checker; None where all leverages are exact.
    """

    move: Fraction
    penalty: Fraction
    columns: tuple[int, ...]
    parts: dict[str, PricedRows]
    factor: NDArray[np.float64] | None

    @property
    def exact(self) -> bool:
        """Whether all leverages and prices are exact rationals, and not bounds."""
        return self.factor is None


@dataclass(frozen=True, eq=False)
class LayerFindings:
    """What was found about one layer.

    Parameters
    ----------
    train, deploy, test
        The files; `deploy` and `test` are empty where no such row was recorded.
    constant
        The columns that are constant in training, in order.
    moving
        For each deployment row, how many of them have another value there, shape (D,).
    joint
        Relations that hold at all training rows, each of a column that is not constant itself.
    priced
        None where there is no deployment and no test row, or nothing could be shown.
    """

    name: str
    dtype: str
    columns: int
    train: tuple[File, ...]
    deploy: tuple[File, ...]
    constant: tuple[Constant, ...]
    moving: NDArray[np.int64]
    rank: Rank
    joint: tuple[Joint, ...] = ()
    priced: Prices | None = None
    test: tuple[File, ...] = ()

    @property
    def rows(self) -> int:
        """The number of training rows."""
        return sum(file.rows for file in self.train)

    @property
    def inputs(self) -> int:
        """The number of deployment rows."""
        return sum(file.rows for file in self.deploy)

    @property
    def relations(self) -> tuple[Relation, ...]:
        """All that are known to hold at the training rows: those of constant columns, then the others."""
        return *(one.relation for one in self.constant), *(one.relation for one in self.joint)

    @property
    def prices(self) -> dict[str, NDArray[np.float64]]:
        """Bounds of the readout price t^2 / (N h) at the rows of each part, shape (rows, 2); 0 where a move is free.

        Exact prices are rounded outwards. An upper bound is infinite where none is known, and the lower one 0.
        """
        return {} if self.priced is None else {part: self._prices(part) for part in self.priced.parts}

    def _prices(self, part: str) -> NDArray[np.float64]:
        assert self.priced is not None
        listed = self.priced.parts[part]
        if listed.exact is not None:
            ends = [(0.0, 0.0) if h is None else outward(self.price(h)) for h in listed.exact]
            return np.array(ends, np.float64).reshape(-1, 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = float(self.priced.move) ** 2 / (self.rows * listed.leverage[:, ::-1])
        found = np.nextafter(found * [1 - 2.0**-48, 1 + 2.0**-48], [0.0, np.inf])
        return np.where(listed.free[:, None] >= 0, 0.0, found)

    def price(self, leverage: Fraction) -> Fraction:
        """The price that a leverage makes, exactly."""
        assert self.priced is not None
        return self.priced.move**2 / (self.rows * leverage)

    @property
    def undecided(self) -> tuple[str, ...]:
        """What is open."""
        found = []
        if missing := self.columns + 1 - self.rank.low - len(self.constant) - len(self.joint):
            columns = f"{missing:,} columns depend" if missing > 1 else "a column depends"
            told = "" if self.rank.low == self.rank.high else f"the rank is at most {self.rank.high}, and "
            found.append(
                f"{told}what {columns} on is not known: the exact coefficients for {self.rank.low:,} columns may have "
                "more digits than are looked for"
            )
        asked = [part for part, files in (("deployment", self.deploy), ("test", self.test)) if files]
        if asked and self.priced is None:
            found.append(f"no price is known at any {' and '.join(asked)} row")
        for part in asked if self.priced else ():
            assert self.priced is not None
            if unknown := int(np.isinf(self.priced.parts[part].leverage[:, 1]).sum()):
                found.append(f"no lower bound of the price is known at {unknown:,} {part} rows: columns nearly depend")
        return tuple(found)


@dataclass(frozen=True, eq=False)
class RecordedAudit:
    """The findings, a layer at a time; `certificate` is what the independent checker takes (a JSON object)."""

    layers: tuple[LayerFindings, ...]
    certificate: dict[str, Any]

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 3 nothing found but something undecided."""
        if any(layer.constant or layer.joint for layer in self.layers):
            return FINDINGS
        return UNDECIDED if any(layer.undecided for layer in self.layers) else CLEAN

    @property
    def prices(self) -> dict[str, dict[str, NDArray[np.float64]]]:
        """For each layer and part of its rows the bounds of the readout price, shape (rows, 2)."""
        return {layer.name: layer.prices for layer in self.layers}
