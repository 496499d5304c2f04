"""How far a float32 evaluation of a graph can be from the exact one, whatever the order of its sums.

The audit decides about exact real arithmetic; this says what that is worth for the network as deployed.
"""

from fractions import Fraction

import numpy as np

from proof_of_absence.checker.passes.graph_constants import U32
from proof_of_absence.checker.passes.graph_enclosure import GraphPass, blocks
from proof_of_absence.models.graph import Graph

__all__ = ["deviations", "float32_deviation"]

# More than the roundings of a few sums in float64.
UP64 = 1 + 2.0**-40


def float32_deviation(graph: Graph, inputs: np.ndarray) -> Fraction | None:
    """A bound on |float32 evaluation - exact real evaluation|, over all outputs and rows.

    None where float32 might overflow, and where a layer is a product of several that the source evaluates one after the
    other (`Reading.multiplied`).

    Parameters
    ----------
    inputs
        Shape (rows, size), float64, finite.

    Raises
    ------
    OutOfTime
        If the deadline in force passes.

    Examples
    --------
    >>> from proof_of_absence.models.graph import Node
    >>> from proof_of_absence.models.graph_layers import Dense
    >>> net = Graph((2,), [Node(Dense([[1.0, 1.0]], [0.0]), (0,))])
    >>> float(float32_deviation(net, np.array([[0.1, 0.2]]))) < 1e-6
    True
    """
    if graph.reading is not None and graph.reading.multiplied:
        return None
    largest = float(deviations(graph, inputs).max(initial=0))
    return Fraction(largest) if np.isfinite(largest) else None


def deviations(graph: Graph, inputs: np.ndarray) -> np.ndarray:
    """The bound for each row, over all outputs: shape (rows,), infinite where float32 might overflow.

    Notes
    -----
    The float32 evaluation and the exact one lie in one ball, whose radius counts the roundings of both
    (`graph_enclosure.balls` says which evaluations that are). It holds for any order of summation, fused or not, with
    subnormal numbers flushed to 0 or kept, for classical products in float32 throughout: no TF32, no bfloat16, no
    convolution by Winograd's or a Fourier transform. A net or inputs of type float64 are first rounded to float32. It
    is a worst case: measured deviations are usually far smaller.
    """
    exact, single = GraphPass(graph), GraphPass(graph, U32)
    found = np.empty(len(inputs))
    for rows in blocks(graph, len(inputs)):
        one, other = exact(inputs[rows])[-1], single(inputs[rows])[-1]
        with np.errstate(all="ignore"):
            bound = (np.abs(one.values - other.values) + one.radius + other.radius) * UP64
        found[rows] = np.where(np.isfinite(bound), bound, np.inf).max(axis=1)
    return found
