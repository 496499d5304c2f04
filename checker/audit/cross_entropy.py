"""The cross-entropy of the softmax of a float network on its training data, and its floor, as enclosures.

A net of one output has the logits 0 and f, and targets 1 - y and y: this is the logistic loss, of y of 0 and 1.
Outputs are exact integers, or floats within a bound; exp and log of them are flint's balls, which hold the value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb, ctx

from proof_of_absence.checker.audit.findings import Enclosure
from proof_of_absence.checker.audit.loss import AFFORDABLE
from proof_of_absence.checker.audit.rows import groups
from proof_of_absence.checker.numbers.balls import ball, middle
from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.passes.enclosure import enclose
from proof_of_absence.checker.passes.exact import activations, blocks, denominator
from proof_of_absence.models.dyadic import integers
from proof_of_absence.models.floatnet import FloatNet

__all__ = [
    "LEAST",
    "Outputs",
    "by_class",
    "class_losses",
    "classes",
    "cross_entropy",
    "drop_of",
    "enclosed",
    "outputs_of",
]

# Binary digits of the balls: raised until a comparison is decided.
PRECISIONS = (64, 128, 256, 512, 1024)
# Drops of less are not claimed: certificates state them to within 2^-80.
LEAST = Fraction(1, 2**60)


@dataclass(frozen=True, eq=False)
class Outputs:
    """The outputs of a net row by row: integers M and an exponent e, f = M 2^e, up to `radius` (N, m) if given.

    Where there is a `denominator`, f is M 2^e divided by it. A net of one output has 0 before it.
    """

    rows: Sequence[tuple[Sequence[int], int]]
    radius: np.ndarray | None = None
    denominator: int = 1

    @classmethod
    def near(cls, values: np.ndarray, radius: np.ndarray) -> "Outputs":
        """Floats within a radius, both of shape (N, m).

        Raises
        ------
        OverflowError
            If one is not finite.
        """
        if not (np.isfinite(values).all() and np.isfinite(radius).all()):
            raise OverflowError("an output leaves the range of float64")
        if values.shape[1] == 1:
            values, radius = (np.column_stack([np.zeros(len(array)), array]) for array in (values, radius))
        rows = []
        for row in values:
            whole, exponent = integers(row)
            rows.append((whole.tolist(), exponent))
        return cls(rows, radius)


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


def classes(targets: np.ndarray) -> np.ndarray:
    """The targets of every class: 1 - y and y where there is one column, of 0 and 1."""
    return np.column_stack([1 - targets, targets]) if targets.shape[1] == 1 else targets


def cross_entropy(outputs: Outputs, targets: np.ndarray) -> arb:
    """(1/N) sum over the rows of ln sum_k exp f_k - sum_k t_k f_k, at the precision of flint's context.

    Parameters
    ----------
    targets
        Shape (N, m), float64; each row at least 0 and of sum 1, or 0 or 1 if m is 1, which is not checked.
    """
    return sum(by_class(outputs, targets), arb(0))


def by_class(outputs: Outputs, targets: np.ndarray) -> list[arb]:
    """The part of the cross-entropy that falls on each class k: (1/N) sum over rows of t_k (ln sum_j exp f_j - f_k).

    Their sum is the cross-entropy, since the targets of a row have the sum 1.
    """
    targets = classes(targets)
    parts = [arb(0)] * targets.shape[1]
    for place, ((row, exponent), wanted) in enumerate(zip(looking(outputs.rows), targets.tolist(), strict=True)):
        top = max(range(len(row)), key=row.__getitem__)
        radii = None if outputs.radius is None else outputs.radius[place].tolist()
        # Differences of integers are exact, so that only exp and log round.
        below = [arb((m - row[top], exponent)) / outputs.denominator for m in row]
        if radii is not None:
            below = [d + arb(0, radii[k]) + arb(0, radii[top]) if k != top else d for k, d in enumerate(below)]
        others = sum((d.exp() for k, d in enumerate(below) if k != top), arb(0))
        log = others.log1p()
        for k, t in enumerate(wanted):
            if t:
                parts[k] += log - below[k] if t == 1 else arb(t) * (log - below[k])
    return [part / len(targets) for part in parts]


def enclosed(value: arb) -> Enclosure:
    """The ends of a ball.

    Raises
    ------
    OverflowError
        If it is not finite.
    """
    if not value.is_finite():
        raise OverflowError("a ball of the cross-entropy is not finite")
    return Enclosure(middle(value.lower()), middle(value.upper()))


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
        floor = enclosed(_floor(inputs, targets))
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


def _floor(inputs: np.ndarray, targets: np.ndarray) -> arb:
    sums: dict[int, tuple[int, list[Fraction]]] = {}
    targets = classes(targets)
    number = groups(inputs)
    for group, row in zip(number.tolist(), targets.tolist(), strict=True):
        count, old = sums.get(group, (0, [Fraction(0)] * len(row)))
        sums[group] = count + 1, [a + Fraction(t) if t else a for a, t in zip(old, row, strict=True)]
    total = arb(0)
    for count, parts in sums.values():
        # Equal targets of probability 1 have no entropy, exactly.
        if count not in parts:
            total += arb(count) * arb(count).log() - sum((ball(s) * ball(s).log() for s in parts if s), arb(0))
    return total / len(targets)
