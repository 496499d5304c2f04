"""The cross-entropy of the softmax of a float network on its training data, and its floor, as enclosures.

A net of one output has the logits 0 and f, and targets 1 - y and y: this is the logistic loss, of y of 0 and 1.
Outputs are exact integers, or floats within a bound; exp and log of them are flint's balls, which hold the value.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from flint import ctx

from proof_of_absence.checker.audit.findings import Enclosure
from proof_of_absence.checker.audit.loss import AFFORDABLE
from proof_of_absence.checker.construct.class_losses import PRECISIONS, Outputs, cross_entropy, enclosed, entropy_floor
from proof_of_absence.checker.passes.enclosure import enclose
from proof_of_absence.checker.passes.exact import activations, blocks, denominator
from proof_of_absence.models.floatnet import FloatNet

__all__ = ["LEAST", "class_losses", "drop_of", "outputs_of"]

# Drops of less are not claimed: certificates state them to within 2^-80.
LEAST = Fraction(1, 2**60)


def outputs_of(net: FloatNet, inputs: np.ndarray) -> Outputs:
    """All outputs, exactly up to `AFFORDABLE` rows times parameters, beyond that as floats within a bound.

    Raises
    ------
    OverflowError
        If there are so many and a float leaves the range of float64.
    """
    if len(inputs) * net.parameter_count <= AFFORDABLE:
        rows: list[tuple[Sequence[int], int]] = []
        for part in blocks(len(inputs), net):
            whole, exponent, _ = activations(net, inputs[part], len(net.layers)).integers()
            rows.extend((row if len(row) > 1 else [0, *row], exponent) for row in whole.tolist())
        return Outputs(rows, denominator=denominator(net, len(net.layers)))
    balls = [enclose(net, inputs[part])[-1] for part in blocks(len(inputs), net)]
    return Outputs.near(np.vstack([b.values for b in balls]), np.vstack([b.radius for b in balls]))


def class_losses(net: FloatNet, inputs: np.ndarray, targets: np.ndarray) -> tuple[Enclosure, Enclosure]:
    """The cross-entropy L and its floor E, the infimum over all functions of the input.

    E is (1/N) sum over the groups of equal inputs of nu ln nu - sum_k S_k ln S_k, where nu counts the rows and S_k sums
    their targets: the entropy of the label frequencies.

    Raises
    ------
    OverflowError
        As `outputs_of`.

    Examples
    --------
    >>> net = FloatNet([([[0.0]], [0.0]), ([[0.0], [0.0]], [0.0, 0.0])])
    >>> loss, floor = class_losses(net, np.array([[1.0], [2.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    >>> float(loss.low) <= 0.6931471805599453 <= float(loss.high), floor == Enclosure(Fraction(0), Fraction(0))
    (True, True)
    """
    outputs = outputs_of(net, inputs)
    with ctx.workprec(PRECISIONS[0]):
        floor = enclosed(entropy_floor(inputs, targets))
        loss = enclosed(cross_entropy(outputs, targets))
    floor = Enclosure(max(floor.low, Fraction(0)), floor.high)
    return Enclosure(max(loss.low, floor.low), loss.high), floor


def drop_of(before: Outputs, after: Outputs, targets: np.ndarray) -> tuple[Enclosure, Enclosure, Enclosure] | None:
    """Loss before, drop and loss after, if the drop is surely more than `LEAST`; None if it is not, or undecided."""
    for precision in PRECISIONS:
        with ctx.workprec(precision):
            old, new = cross_entropy(before, targets), cross_entropy(after, targets)
            drop = old - new
            if not drop.is_finite():
                return None
            found = enclosed(drop)
            near = before.radius is not None or after.radius is not None
            # Of floats a clear drop is asked, which other bounds confirm.
            if found.low > (max(LEAST, 16 * (found.high - found.low)) if near else LEAST):
                return enclosed(old), found, enclosed(new)
            # No precision makes the bounds of floats narrower.
            if found.high < LEAST or near:
                return None
    return None
