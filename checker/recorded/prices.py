"""C21 at recorded deployment rows: bounds of the leverage h, and where a relation of training is broken: free moves.

h is on [1 | X]. The price of a move by t through the readout is t^2 / (N h): see `construct.leverage_bounds`.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.construct.leverage_bounds import SLACK, Whitened, whitened, whitened_by_gram
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.recorded.gram import Gram
from proof_of_absence.checker.recorded.row_space import with_ones
from proof_of_absence.models.files.recording import Part

__all__ = ["bounds", "factor_of"]

Floats = NDArray[np.floating[Any]]
# Beyond this the Gram matrix has lost too many digits: a QR decomposition loses half as many, in two more passes.
WIDE = 2.0**-10


def factor_of(parts: Iterable[Part], gram: Gram, columns: list[int], penalty: Fraction) -> Whitened | None:
    """What makes the features of these columns nearly orthonormal; None where floats find nothing."""
    found = whitened_by_gram(gram.interval(columns), penalty)
    if found is not None and found.spread < WIDE:
        return found
    parts = list(parts)

    def blocks() -> Iterable[Interval]:
        for part in parts:
            for _, block in part.blocks():
                yield Interval.of(with_ones(block)[:, columns])

    better = whitened(blocks, penalty)
    return better if found is None or (better is not None and better.spread < found.spread) else found


def bounds(found: Whitened, block: Floats, columns: list[int]) -> NDArray[np.float64]:
    """Lower and upper bounds of the leverage of rows, shape (rows, 2); infinite where none is known."""
    low, high = found.bounds(Interval.of(with_ones(block)[:, columns]))
    return np.column_stack([low * (1 - SLACK), high * (1 + SLACK)])
