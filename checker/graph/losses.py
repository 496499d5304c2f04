"""The loss of a graph on its training data and the loss's floor, from one rigorous pass over the outputs."""

from fractions import Fraction

import numpy as np
from flint import ctx

from proof_of_absence.checker.construct.class_losses import PRECISIONS, Outputs, cross_entropy, enclosed, entropy_floor
from proof_of_absence.checker.construct.squared_loss import enclosed_loss, noise_floor
from proof_of_absence.checker.numbers.enclosure import Enclosure, point
from proof_of_absence.checker.numbers.rounding import U64, UP
from proof_of_absence.checker.passes.graph_enclosure import GraphPass, blocks
from proof_of_absence.checker.passes.graph_exact import sharp_blocks, sharp_pass
from proof_of_absence.checker.passes.residuals import Evaluation
from proof_of_absence.models.graph import Graph
from proof_of_absence.models.objective import OF_CLASSES, Objective

__all__ = ["losses"]

# A radius that is wider than that, relatively, makes no useful bound of a loss.
WIDE = 2.0**-20


def losses(graph: Graph, inputs: np.ndarray, aim: Objective) -> tuple[Enclosure, Enclosure]:
    """The loss and its floor, the infimum over all functions of the input.

    Parameters
    ----------
    inputs
        Shape (N, d), float64, finite.
    aim
        The loss and its targets (N, m); m is the number of entries of the output.

    Raises
    ------
    ValueError
        If there are no targets.
    OverflowError
        If a value leaves the range of float64.
    """
    if aim.targets is None or aim.loss is None:
        raise ValueError("there are no targets")
    values, radius = _outputs(graph, inputs)
    if aim.loss in OF_CLASSES:
        with ctx.workprec(PRECISIONS[0]):
            floor = enclosed(entropy_floor(inputs, aim.targets))
            loss = enclosed(cross_entropy(Outputs.near(values, radius), aim.targets))
        floor = Enclosure(max(floor.low, Fraction(0)), floor.high)
        return Enclosure(max(loss.low, floor.low), loss.high), floor
    least = noise_floor(inputs, aim.targets)
    with np.errstate(over="ignore", invalid="ignore"):
        residuals = aim.targets - values
        # The subtraction rounds once.
        within = (radius + U64 * np.abs(residuals)) * UP
    return enclosed_loss(Evaluation(residuals, within), least), point(least)


def _outputs(graph: Graph, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The outputs at every row, and how far the exact ones are from them, both (N, m).

    Balls of 128 bits give them where float64 lost its digits in many layers.
    """
    run = GraphPass(graph)
    found = [run(inputs[part])[-1] for part in blocks(graph, len(inputs))]
    if not all((one.radius <= WIDE * (1 + np.abs(one.values))).all() for one in found):
        last = len(graph.nodes)
        found = [sharp_pass(graph, inputs[part], [last])[last] for part in sharp_blocks(graph, len(inputs))]
    radius = np.vstack([one.radius for one in found]).astype(np.float64)
    if not np.isfinite(radius).all():
        raise OverflowError("an output leaves the range that floats decide")
    return np.vstack([one.values for one in found]), radius
