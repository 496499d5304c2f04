"""How far the running model, in float32, can be from the exact network on given inputs: a rigorous bound."""

from fractions import Fraction

import numpy as np

from proof_of_absence.checker.passes.graph_constants import U32
from proof_of_absence.checker.passes.graph_enclosure import GraphPass, blocks
from proof_of_absence.models.graph import Graph

__all__ = ["float32_deviation"]


def float32_deviation(graph: Graph, inputs: np.ndarray) -> Fraction | None:
    """At least |float32 output - exact output| at all rows, for any order of summation; None where none is shown.

    Convolutions by Winograd's or a Fourier transform are not covered; see `graph_enclosure.balls`.

    Parameters
    ----------
    inputs
        Shape (rows, size), float64, finite; the running model rounds them to float32.
    """
    run, most = GraphPass(graph, U32), 0.0
    for part in blocks(graph, len(inputs)):
        # Both numbers lie within the radius of the computed one.
        most = max(most, float(run(inputs[part])[-1].radius.max()))
    return None if not np.isfinite(most) else 2 * Fraction(most)
