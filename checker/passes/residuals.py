"""One rigorous pass over the data: the residuals of every row with a bound on their error, where all losses start.

Whatever else needs the hidden activations reads them in the same pass, as a visitor.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from proof_of_absence.checker.numbers.rounding import U64, UP
from proof_of_absence.checker.passes.enclosure import Ball, blocks, enclose
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["ENTRIES", "Block", "Evaluation", "evaluate", "walk"]

# Entries of the widest layer in one block: 128 MiB of float64.
ENTRIES = 2**24


class Block(NamedTuple):
    """The rows of one block: their layers' pre-activations, and residuals y - f(z), the exact ones within `radius`."""

    rows: slice
    balls: list[Ball]
    residuals: np.ndarray
    radius: np.ndarray


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The residuals y - f(z) of every row, (N, m) float64, and the radius within which the exact ones lie."""

    residuals: np.ndarray
    radius: np.ndarray


def walk(net: FloatNet, inputs: np.ndarray, targets: np.ndarray) -> Iterator[Block]:
    """The data block by block, once; memory is one block.

    Parameters
    ----------
    inputs, targets
        Shapes (N, d) and (N, m), float64, finite.

    Raises
    ------
    ValueError
        If there is no row, or the shapes do not fit each other or the net.
    """
    rows, widths = len(inputs), net.widths
    if not rows or inputs.shape != (rows, widths[0]) or targets.shape != (rows, widths[-1]):
        raise ValueError(
            f"inputs {inputs.shape} and targets {targets.shape} do not fit a net "
            f"from {widths[0]} to {widths[-1]} values"
        )
    for part in blocks(rows, max(64, min(8192, ENTRIES // max(widths)))):
        balls = enclose(net, inputs[part])
        with np.errstate(over="ignore", invalid="ignore"):
            residuals = targets[part] - balls[-1].values
            # The subtraction rounds once.
            radius = (balls[-1].radius + U64 * np.abs(residuals)) * UP
        yield Block(part, balls, residuals, radius)


def evaluate(net: FloatNet, inputs: np.ndarray, targets: np.ndarray, *visitors: Callable[[Block], None]) -> Evaluation:
    """All residuals, in one pass that shows each block to the visitors too.

    Raises
    ------
    ValueError
        As `walk`.
    OverflowError
        If a value leaves the range of float64, so that the pass says nothing about some row.
    """
    residuals, radius = np.empty(targets.shape), np.empty(targets.shape)
    for block in walk(net, inputs, targets):
        residuals[block.rows], radius[block.rows] = block.residuals, block.radius
        for visit in visitors:
            visit(block)
    bad = ~np.isfinite(residuals) | ~np.isfinite(radius)
    if bad.any():
        raise OverflowError(f"the float64 pass overflows at {int(bad.any(axis=1).sum())} of {len(inputs)} rows")
    return Evaluation(residuals, radius)
