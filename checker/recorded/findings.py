"""What was found in recorded activations: exact facts about these numbers, and not about the net at other inputs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLEAN", "FINDINGS", "SCOPE", "UNDECIDED", "Constant", "File", "LayerFindings", "RecordedAudit"]

CLEAN, FINDINGS, UNDECIDED = 0, 1, 3
SCOPE = (
    "Scope: instance, recorded activations. Every statement is about the recorded numbers, exactly; nothing is said "
    "about the network at other inputs, nor about intent."
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


@dataclass(frozen=True)
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
    """

    name: str
    dtype: str
    columns: int
    train: tuple[File, ...]
    deploy: tuple[File, ...]
    constant: tuple[Constant, ...]
    moving: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """The number of training rows."""
        return sum(file.rows for file in self.train)

    @property
    def inputs(self) -> int:
        """The number of deployment rows."""
        return sum(file.rows for file in self.deploy)

    @property
    def undecided(self) -> tuple[str, ...]:
        """What is open."""
        return ()


@dataclass(frozen=True)
class RecordedAudit:
    """The findings, a layer at a time; `certificate` is what the independent checker takes (a JSON object)."""

    layers: tuple[LayerFindings, ...]
    certificate: dict[str, Any]

    @property
    def exit_code(self) -> int:
        """0 clean, 1 findings, 3 nothing found but something undecided."""
        if any(layer.constant for layer in self.layers):
            return FINDINGS
        return UNDECIDED if any(layer.undecided for layer in self.layers) else CLEAN
