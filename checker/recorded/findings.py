"""What was found in recorded activations: exact facts about these numbers, and not about the net at other inputs."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.recorded.relations import Relation

__all__ = ["CLEAN", "FINDINGS", "SCOPE", "UNDECIDED", "Constant", "File", "Joint", "LayerFindings", "Prices", "Rank",
           "RecordedAudit"]  # fmt: skip

CLEAN, FINDINGS, UNDECIDED = 0, 1, 3
SCOPE = (
    "Scope: instance, recorded activations. Every statement is about the recorded numbers, exactly; nothing is said "
    "about the network at other inputs, nor about intent: a high leverage says that a row is far from the training "
    "rows."
)


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
class Prices:
    """C21 at each deployment row, for a move by `move` through the readout, with the ridge `penalty`.

    Parameters
    ----------
    leverage
        Lower and upper bounds of h, shape (D, 2); NaN where a move is free.
    free
        Which relation is broken, shape (D,), and -1 where none is: first those of `constant`, then those of `joint`.
    factor
        What shows the bounds, for the independent checker.
    """

    move: Fraction
    penalty: Fraction
    columns: tuple[int, ...]
    leverage: NDArray[np.float64]
    free: NDArray[np.int64]
    factor: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerFindings:
    """What was found about one layer.

    Parameters
    ----------
    train, deploy
        The files; `deploy` is empty where no deployment row was recorded.
    constant
        The columns that are constant in training, in order.
    moving
        For each deployment row, how many of them have another value there, shape (D,).
    joint
        Relations that hold at all training rows, each of a column that is not constant itself.
    priced
        None where there is no deployment row, or nothing could be shown.
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
    def prices(self) -> NDArray[np.float64]:
        """Bounds of the readout price t^2 / (N h) at each deployment row, shape (D, 2); 0 where a move is free.

        The upper one is infinite where none is known; where nothing is, the lower one is 0.
        """
        if self.priced is None:
            return np.tile([0.0, np.inf], (self.inputs, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = float(self.priced.move) ** 2 / (self.rows * self.priced.leverage[:, ::-1])
        found = np.nextafter(found * [1 - 2.0**-48, 1 + 2.0**-48], [0.0, np.inf])
        return np.where(self.priced.free[:, None] >= 0, 0.0, found)

    @property
    def undecided(self) -> tuple[str, ...]:
        """What is open."""
        found = []
        if self.rank.low < self.rank.high:
            told = f"the rank is between {self.rank.low} and {self.rank.high}"
            found.append(f"{told}: relations beyond these are too long, or none is")
        if self.deploy and self.priced is None:
            found.append("no price is known at any deployment row")
        elif self.priced is not None and (unknown := int(np.isinf(self.priced.leverage[:, 1]).sum())):
            found.append(f"no lower bound of the price is known at {unknown:,} deployment rows: columns nearly depend")
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
    def prices(self) -> dict[str, NDArray[np.float64]]:
        """For each layer the bounds of the readout price at its deployment rows, shape (D, 2)."""
        return {layer.name: layer.prices for layer in self.layers}
