"""Cross-entropy of an exact net in ball arithmetic (flint's arb),
and C7's construction for it with the step that C17 states.

A ball holds the value for sure; a sign is used only where the ball excludes 0.
"""

from collections.abc import Iterable
from fractions import Fraction

from flint import arb, ctx

from proof_of_absence.checker.construct.logistic import BITS, Descent
from proof_of_absence.checker.construct.reassignment import hardcoded
from proof_of_absence.checker.construct.separating_unit import separating_unit
from proof_of_absence.checker.numbers.balls import ball, middle
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.circuit import reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, relu

__all__ = ["class_gradients", "cross_entropy", "cross_entropy_descent"]

# Output weights, the step and the promised drop are rounded to so many significant bits; the drop is
# promised a little short.
SHORT = 24
SLACK = 1 - Fraction(1, 2**10)


def cross_entropy(net: MLP, data: Dataset) -> arb:
    """The mean over the rows of log(sum_k exp f_k(z)) - sum_k t_k f_k(z).

    Parameters
    ----------
    data
        Targets of shape (N, m), each row probabilities of the m classes; a unit vector for a label.

    Raises
    ------
    ValueError
        If the net's outputs are not as many as the classes, or a target row is not probabilities.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> loss = cross_entropy(shallow([([0], 0, [0, 0, 0])], [0, 0, 0]), Dataset([[1]], [[1, 0, 0]]))
    >>> bool(loss > 1.0986), bool(loss < 1.0987)  # log 3
    (True, True)
    """
    _check(net, data)
    with ctx.workprec(BITS):
        total = arb(0)
        for outputs, targets in zip(net.outputs(data.inputs), data.targets, strict=True):
            top = max(outputs)
            total += (
                ball(top) + sum((ball(f - top).exp() for f in outputs), arb(0)).log() - ball(inner(targets, outputs))
            )
        return total / len(data)


def class_gradients(net: MLP, data: Dataset) -> list[list[arb]]:
    """At each distinct input, the sum over its rows of the loss's gradient by the outputs, softmax(f) - t.

    Shape (G, m).
    """
    _check(net, data)
    with ctx.workprec(BITS):
        rows = []
        for group, outputs in zip(data.groups, net.outputs([group.input for group in data.groups]), strict=True):
            top = max(outputs)
            powers = [ball(f - top).exp() for f in outputs]
            whole = sum(powers, arb(0))
            rows.append(
                [group.multiplicity * (p / whole - ball(t)) for p, t in zip(powers, group.mean_target, strict=True)]
            )
        return rows


def cross_entropy_descent(net: MLP, circuit: Iterable[tuple[int, int]], data: Dataset) -> Descent | None:
    """Reuse a train-idle circuit to lower the cross-entropy; None where no group's gradient is surely not 0.

    One unit of the circuit becomes C4's for the group sums of the gradient. With s = sum_i phi_i g_i and q = sum_i
    phi_i^2 its output weights are -a s, a = min(1 / 4q, 1 / (2 max phi_i |s_k|)), for which C17 (C17_step_size in Coq)
    promises that the summed loss is lower by a |s|^2 / 2. Here s and a are rounded, so `drop` is a little short of
    that, and whoever needs it checks it.

    Raises
    ------
    ValueError
        If the circuit is not train-idle, or `cross_entropy` raises it.
    """
    circuit, cut = hardcoded(net, circuit, data)
    sums = [tuple(middle(g) if g > 0 or g < 0 else Fraction(0) for g in row) for row in class_gradients(net, data)]
    unit = separating_unit([group.input for group in data.groups], sums)
    if unit is None:
        return None
    phi = [relu(inner(unit.weights, group.input) + unit.bias) for group in data.groups]
    s = [_short(inner(phi, column)) for column in zip(*sums, strict=True)]
    norm = sum((group.multiplicity * p * p for group, p in zip(data.groups, phi, strict=True)), Fraction(0))
    step = _short(min(1 / (4 * norm), 1 / (2 * max(phi) * max(map(abs, s)))))
    after = reassign(cut, {min(circuit): (unit.weights, unit.bias, [-step * x for x in s])})
    return Descent(after, _short(SLACK * step * inner(s, s) / 2 / len(data)))


def _check(net: MLP, data: Dataset) -> None:
    if net.widths[-1] != len(data.targets[0]):
        raise ValueError(f"{net.widths[-1]} outputs for {len(data.targets[0])} classes")
    if any(min(row) < 0 or sum(row) != 1 for row in data.targets):
        raise ValueError("a target row of cross-entropy must be probabilities: at least 0, with sum 1")


def _short(value: Fraction) -> Fraction:
    """The number with SHORT significant bits, rounded towards 0."""
    if not value:
        return value
    shift = abs(value.numerator).bit_length() - value.denominator.bit_length() - SHORT
    return Fraction(int(value / Fraction(2) ** shift)) * Fraction(2) ** shift
