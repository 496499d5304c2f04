"""Classifiers to try the cross-entropy on, and what mpmath makes of it with 80 digits."""

from fractions import Fraction

import mpmath
import numpy as np
from hypothesis import strategies as st

from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.net import MLP
from tests.checker.audit.problems import MILD, Problem, array, problems

DIGITS = 80


@st.composite
def class_problems(draw, *, depth=1, soft=False, rational=False):
    """Nets of 2 to 4 outputs with idle circuits, rows that repeat, and one-hot targets, or probabilities."""
    base = draw(problems(depth=depth, rational=rational).filter(lambda problem: problem.net.widths[-1] > 1))
    classes = base.net.widths[-1]
    labels = draw(st.lists(st.integers(0, classes - 1), min_size=len(base.inputs), max_size=len(base.inputs)))
    targets = np.eye(classes)[labels]
    if soft:
        quarters = array(draw, (len(targets), 1), st.sampled_from([0.0, 0.25, 0.5]))
        targets = targets * (1 - quarters) + quarters * np.roll(targets, 1, axis=1)
    return base._replace(targets=targets)


def logits(net: FloatNet | MLP, inputs: np.ndarray) -> list[list[mpmath.mpf]]:
    """The outputs by `MLP`, which shares no code with the audit's passes."""
    exact = net.exact() if isinstance(net, FloatNet) else net
    return [[mp_of(f) for f in exact(row)] for row in inputs.tolist()]


def mp_of(value: Fraction) -> mpmath.mpf:
    """A rational to 80 digits."""
    return mpmath.mpf(value.numerator) / value.denominator


def mp_loss(outputs: list[list[mpmath.mpf]], targets: np.ndarray) -> mpmath.mpf:
    """The mean of ln sum exp f - t.f."""
    total = mpmath.mpf(0)
    for row, wanted in zip(outputs, targets.tolist(), strict=True):
        total += mpmath.log(sum(mpmath.exp(f) for f in row)) - sum(t * f for t, f in zip(wanted, row, strict=True))
    return total / len(targets)


def holds(enclosure, value: mpmath.mpf) -> bool:
    """Whether the number lies in the enclosure, up to what mpmath itself rounds."""
    off = mpmath.mpf(10) ** -60 * (1 + abs(value))
    return mp_of(enclosure.low) - off <= value <= mp_of(enclosure.high) + off


__all__ = ["DIGITS", "MILD", "Problem", "class_problems", "holds", "logits", "mp_loss", "mp_of"]
