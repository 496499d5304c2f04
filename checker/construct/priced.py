"""What is found of leverages and readout prices (C21), as data: exact rationals, or bounds."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

__all__ = ["PARTS", "PricedInput", "Readout"]

PARTS = ("deployment", "training", "test")


@dataclass(frozen=True)
class PricedInput:
    """C21 at one input: the leverage h and the readout price t^2 / (N h), each as a lower and an upper bound.

    An upper bound that is None is not known. Where a move is free there are no bounds, and `free` is the place of a
    direction in `Readout.directions`.
    """

    row: int
    leverage: tuple[Fraction, Fraction | None] | None
    price: tuple[Fraction, Fraction | None] | None
    free: int | None = None


@dataclass(frozen=True)
class Readout:
    """C21 on a net's last hidden layer, or on recorded features: what it costs to move the answer by the readout alone.

    `rows` is N. `move` is t; None if it is at each input the least one that changes the class. `columns` are those of
    the features (1, phi_1 ..) that the leverage is on. Each of `directions` has an entry for some of these columns and
    for one other, and is 0 at all training inputs.
    """

    layer: int
    rows: int
    penalty: Fraction
    move: Fraction | None
    columns: tuple[int, ...]
    directions: tuple[tuple[tuple[int, Fraction], ...], ...]
    deployment: tuple[PricedInput, ...] = ()
    training: tuple[PricedInput, ...] = ()
    test: tuple[PricedInput, ...] = ()

    def part(self, name: str) -> tuple[PricedInput, ...]:
        """The inputs of one part: deployment, training or test."""
        found: tuple[PricedInput, ...] = getattr(self, name)
        return found

    @property
    def exact(self) -> bool:
        """Whether all leverages and prices are numbers and not bounds."""
        paid = (one.leverage for part in PARTS for one in self.part(part) if one.leverage is not None)
        return all(low == high for low, high in paid)

    @property
    def prices(self) -> dict[str, np.ndarray]:
        """The readout prices of each part, shape (rows, 2): lower and upper bounds, infinite where they are not known.

        Where a move is free both are 0.
        """
        return {part: _array([one.price for one in self.part(part)], 0.0) for part in PARTS}

    @property
    def leverages(self) -> dict[str, np.ndarray]:
        """The leverages likewise; where a move is free both are infinite."""
        return {part: _array([one.leverage for one in self.part(part)], np.inf) for part in PARTS}


def _array(bounds: list[tuple[Fraction, Fraction | None] | None], free: float) -> np.ndarray:
    """Floats, shape (rows, 2): the bounds are floats already, so none is rounded."""
    pairs = [(free, free) if one is None else (one[0], np.inf if one[1] is None else one[1]) for one in bounds]
    return np.array(pairs, dtype=np.float64).reshape(len(pairs), 2)
