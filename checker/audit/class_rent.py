"""Rents under cross-entropy: by how much it rises if one hidden unit is held at its mean over the training data."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from flint import arb, ctx

from proof_of_absence.checker.audit.findings import Enclosure, UnitFinding
from proof_of_absence.checker.construct.class_losses import Outputs, by_class, enclosed
from proof_of_absence.checker.numbers.intervals import Interval
from proof_of_absence.checker.passes.enclosure import enclose, weights_of
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import sending

__all__ = ["AFFORDED", "affordable", "class_rents"]

# Units times rows times classes, each an exponential here and again when the certificate is checked.
AFFORDED = 2**17
BITS = 64


def affordable(net: FloatNet, targets: np.ndarray) -> bool:
    """Whether the rents are asked: the exponentials that they take are not too many."""
    return net.widths[-2] * targets.size <= AFFORDED


def class_rents(
    net: FloatNet, inputs: np.ndarray, targets: np.ndarray, units: Sequence[UnitFinding]
) -> tuple[UnitFinding, ...]:
    """The units of the last hidden layer with `rent` filled in; unchanged where that is too much, or overflows.

    The rent of unit j is the loss with the outputs f - a_j (phi_j - mean of phi_j over the rows), less the loss. It is
    at least that of the best constant in place of the mean, and exactly 0 for an idle unit. `by_class` is its part that
    falls on each class, of either sign. There is no replacement gain: C13 is about squares.

    Parameters
    ----------
    inputs, targets
        Shapes (N, d) and (N, m), float64, finite.
    """
    last = len(net.layers) - 1
    if last < 1 or not affordable(net, targets):
        return tuple(units)
    with np.errstate(all="ignore"):
        *_, hidden, output = enclose(net, inputs)
        features = Interval(np.maximum(hidden.values, 0), hidden.radius)
        outputs = Interval(output.values, output.radius)
        centred = features - Interval(*_mean(features))
        try:
            with ctx.workprec(BITS):
                whole = by_class(Outputs.near(outputs.value, outputs.error), targets)
                result = []
                for finding in units:
                    if finding.unit.layer == last and finding.idle:
                        finding = replace(finding, rent=Enclosure(Fraction(0), Fraction(0)))
                    elif finding.unit.layer == last:
                        j = finding.unit.index
                        sent = centred[:, [j]] * weights_of(sending(net.layers[-1], [j]))[:, 0]
                        without = outputs - sent
                        held = by_class(Outputs.near(without.value, without.error), targets)
                        rises = [above - below for above, below in zip(held, whole, strict=True)]
                        rent, parts = enclosed(sum(rises, arb(0))), tuple(map(enclosed, rises))
                        finding = replace(finding, rent=rent, by_class=parts)
                    result.append(finding)
        except OverflowError:
            return tuple(units)
    return tuple(result)


def _mean(features: Interval) -> tuple[np.ndarray, np.ndarray]:
    found = features.sum(axis=0) / Interval.of(float(len(features.value)))
    return found.value, found.error
