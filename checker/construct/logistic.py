"""The logistic loss of an exact net in ball arithmetic (flint's arb), and C7's construction for it.

A ball holds the value for sure; a sign is used only where the ball excludes 0.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from flint import arb, ctx

from proof_of_absence.checker.construct.reassignment import hardcoded
from proof_of_absence.checker.construct.separating_unit import separating_unit
from proof_of_absence.checker.numbers.balls import ball, middle
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.circuit import reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP, relu

__all__ = ["BITS", "Descent", "group_gradients", "logistic_descent", "logistic_loss"]

BITS = 160
# Denominators of the output weight and of the stated drop: short numbers, chosen on the safe side.
SHORT = 2**24


class Descent(NamedTuple):
    """The net with its circuit reassigned, and a rational below the drop of its loss."""

    net: MLP
    drop: Fraction


def logistic_loss(net: MLP, data: Dataset) -> arb:
    """The mean over the rows of log(1 + exp f(z)) - y f(z).

    Raises
    ------
    ValueError
        If the net has not one output, or a target is neither 0 nor 1.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> loss = logistic_loss(shallow([([0], 0, [0])], [0]), Dataset([[1]], [[1]]))
    >>> bool(loss > 0.693), bool(loss < 0.694)  # log 2
    (True, True)
    """
    _check(net, data)
    with ctx.workprec(BITS):
        terms = (
            ball(f).exp().log1p() - ball(y * f)
            for (f,), (y,) in zip(net.outputs(data.inputs), data.targets, strict=True)
        )
        return sum(terms, arb(0)) / len(data)


def group_gradients(net: MLP, data: Dataset) -> list[arb]:
    """At each distinct input, the sum over its rows of the loss's derivative by the output, sigma(f) - y."""
    _check(net, data)
    with ctx.workprec(BITS):
        outputs = net.outputs([group.input for group in data.groups])
        return [
            group.multiplicity * (1 / (1 + ball(-f).exp()) - ball(group.mean_target[0]))
            for group, (f,) in zip(data.groups, outputs, strict=True)
        ]


def logistic_descent(net: MLP, circuit: Iterable[tuple[int, int]], data: Dataset) -> Descent | None:
    """Reuse a train-idle circuit to lower the logistic loss; None where no group's gradient is surely not 0.

    One unit of the circuit becomes C4's for the group sums of the gradient; the loss curves by at most 1/4 in its
    output, which gives a step that is never too long.

    Raises
    ------
    ValueError
        If the circuit is not train-idle, or `logistic_loss` raises it.
    """
    circuit, cut = hardcoded(net, circuit, data)
    # A midpoint serves to choose the step; whether it is one is decided by the losses' balls.
    pull = [-middle(g) if g > 0 or g < 0 else Fraction(0) for g in group_gradients(net, data)]
    unit = separating_unit([group.input for group in data.groups], [(p,) for p in pull])
    if unit is None:
        return None
    phi = [relu(inner(unit.weights, group.input) + unit.bias) for group in data.groups]
    norm = sum(group.multiplicity * p * p for group, p in zip(data.groups, phi, strict=True))
    step = Fraction(round(4 * inner(pull, phi) / norm * SHORT), SHORT)
    after = reassign(cut, {min(circuit): (unit.weights, unit.bias, [step])})
    with ctx.workprec(BITS):
        drop = (logistic_loss(net, data) - logistic_loss(after, data)).lower()
    return Descent(after, Fraction(int(middle(drop) * SHORT), SHORT))


def _check(net: MLP, data: Dataset) -> None:
    if net.widths[-1] != 1 or any(y not in (0, 1) for (y,) in data.targets):
        raise ValueError("the logistic loss is for one output and targets 0 and 1")
