"""The cross-entropy of the softmax from outputs that are known exactly or within a radius, and its floor, as balls.

A net of one output has the logits 0 and f, and targets 1 - y and y: this is the logistic loss, of y of 0 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import arb

from proof_of_absence.checker.numbers.balls import ball, middle
from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.numbers.enclosure import Enclosure
from proof_of_absence.checker.passes.rows import groups
from proof_of_absence.models.dyadic import integers

__all__ = ["PRECISIONS", "Outputs", "by_class", "classes", "cross_entropy", "enclosed", "entropy_floor"]

# Binary digits of the balls: raised until a comparison is decided.
PRECISIONS = (64, 128, 256, 512, 1024)


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


def entropy_floor(inputs: np.ndarray, targets: np.ndarray) -> arb:
    """The infimum of the cross-entropy over all functions of the input: the entropy of the label frequencies."""
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
