"""Exact least losses of shallow nets with one output that defect: whose output at one input is beyond a level.

The search is that of `branch_and_bound`, with one linear constraint: the input joins those that tell cells apart.

On fixed dichotomies the outputs on the data and at the point form a convex cone, finitely generated, and the loss is
convex on the part of it that is beyond the level. So either its least loss without the constraint is reached beyond the
level, or the least with it is reached at the level, where the constant is no longer free. The part is a closed
polyhedron and the loss a sum of squares: its infimum is attained (Frank and Wolfe 1956). So a defecting minimiser
exists exactly if the price is 0.
"""

from collections.abc import Sequence
from copy import copy
from fractions import Fraction
from math import lcm, sqrt
from typing import NamedTuple, Self

import numpy as np

from proof_of_absence.checker.minima.branch_and_bound import Search
from proof_of_absence.checker.minima.dichotomies import Dichotomies, dichotomies
from proof_of_absence.checker.minima.relaxation import Node, Relaxation, Share, Values
from proof_of_absence.checker.numbers.fixed_order import dot
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Number, Numbers, Vector, rational, vector

__all__ = ["Defection", "Prices", "least_defecting"]


class Defection(NamedTuple):
    """A net of least loss over the nets of S_units that defect, and the `residuals` that prove it, each of shape (G,).

    A residual gives its own multiplier: minus its sum over the data, times the side.
    """

    net: MLP
    loss: Fraction
    residuals: tuple[Vector, ...]


def least_defecting(data: Dataset, units: int, point: Numbers, side: int, level: Number) -> Defection:
    """A net f of S_units with the least loss of those with side f(point) >= side level, for data of one output.

    The point may be a training input. The cost is that of `global_minimum`, with one input more.

    Raises
    ------
    ValueError
        If there is more than one output, the number of units is negative, the side is not 1 or -1, the point has
        another dimension than the inputs, or as `dichotomies`.

    Examples
    --------
    >>> data = Dataset([[0], [1], [2]], [[0], [0], [0]])
    >>> [str(least_defecting(data, 1, ["1/2"], 1, level).loss) for level in (-1, 1)]
    ['0', '7/15']
    """
    return Prices(data, point).least(units, side, level)


class Prices:
    """Least losses of nets that defect at one point, to any level; what they share is made once.

    Raises
    ------
    ValueError
        As `least_defecting`.
    """

    def __init__(self, data: Dataset, point: Numbers):
        if len(data.targets[0]) != 1:
            raise ValueError(f"prices are computed for one output, not for {len(data.targets[0])}")
        place, inputs = vector(point), [group.input for group in data.groups]
        if len(place) != len(inputs[0]):
            raise ValueError(f"the point has {len(place)} coordinates and the inputs have {len(inputs[0])}")
        points = inputs if place in inputs else [*inputs, place]
        found = dichotomies(points)
        self.data = data
        free, at = Relaxation(data, found), points.index(place)
        self._free, self._pinned = free, _Pinned(data, found, at)
        # What a column adds at the point if the constant keeps the mean.
        alone: list[Values] = [{k: Fraction(1)} for k in range(len(free.columns))]
        self._rises = [float(free.constant(one) - free.constant({}) + free.sent(one, at)) for one in alone]

    def least(self, units: int, side: int, level: Number) -> Defection:
        """As `least_defecting`."""
        if units < 0:
            raise ValueError(f"a net cannot have {units} hidden units")
        if side not in (1, -1):
            raise ValueError(f"a defection goes up (1) or down (-1), not {side}")
        search = Search(_Constrained(self._free, self._pinned.to(rational(level)), self._rises, side), units)
        search.run()
        net = search.net(len(self.data.inputs[0]))
        return Defection(net, self.data.loss(net), search.needed())


class _Pinned(Relaxation):
    """Nets whose output at a point is the level: columns and targets are taken less what they are there."""

    def __init__(self, data: Dataset, found: Dichotomies, at: int):
        self.at, self.level, self.count = at, Fraction(0), len(data.groups)
        super().__init__(data, found)

    def to(self, level: Fraction) -> Self:
        """The same for another level."""
        other = copy(self)
        other.level = level
        other._aim()
        return other

    def _cleared_target(self) -> tuple[int, int, list[int]]:
        above = [y - self.level for y in self.targets]
        denominator = lcm(*(x.denominator for x in above))
        return denominator, 1, [int(x * denominator) for x in above]

    def _centred(self, row: list[int]) -> list[int]:
        return [x - row[self.at] for x in row]

    def constant(self, values: Values) -> Fraction:
        """The c that brings the output at the point to the level."""
        return self.level - self.sent(values, self.at)


class _Constrained:
    """Lower bounds for nets beyond the level: those of all nets where that is enough, else of nets at the level."""

    def __init__(self, free: Relaxation, pinned: _Pinned, rises: Sequence[float], side: int):
        self.free, self.pinned, self.side = free, pinned, side
        self.count = pinned.count
        self.at, self.level = pinned.at, pinned.level
        self.all_cells, self.positive = free.all_cells, free.positive
        squares = [r.square / Fraction(r.scale * r.denominator) ** 2 for r in (free, pinned)]
        # Every error is told as a share of the larger square.
        self._shares = [float(square / max(*squares, Fraction(1))) for square in squares]
        self._mean, self._rises = float(free.constant({})), rises
        self._unit = sqrt(max(free.square, 1)) / free.denominator

    def _chosen(self, node: Node) -> Relaxation:
        """By floats, the relaxation whose optimum is that of the node under the constraint."""
        values = self.free.guess(node)
        rise = dot(np.array(list(values.values())), np.array([self._rises[k] for k in values])) if values else 0.0
        reached = self._mean + self._unit * rise
        return self.free if self.side * (reached - float(self.level)) >= 0 else self.pinned

    def bound(self, node: Node) -> float:
        """In floats, the least error of the relaxation as a share of the larger square of the two."""
        chosen = self._chosen(node)
        return chosen.bound(node) * self._shares[chosen is self.pinned]

    def guess(self, node: Node) -> dict[int, float]:
        """In floats, the coefficients of the columns, up to one factor."""
        return self._chosen(node).guess(node)

    def exact(self, node: Node) -> tuple[Fraction, dict[int, Fraction]]:
        """The least error of the relaxation, and the coefficients of the columns."""
        error, values = self.free.exact(node)
        return (error, values) if self._beyond(values) else self.pinned.exact(node)

    def _beyond(self, values: Values) -> bool:
        """Whether the nets with these coefficients and the best constant for them satisfy the constraint."""
        return self.side * (self.free.constant(values) + self.free.sent(values, self.at) - self.level) >= 0

    def shares(self, node: Node, values: Values) -> list[Share]:
        """As `Relaxation.shares`."""
        return self.free.shares(node, values)

    def worst(self, shares: Sequence[Share]) -> tuple[int, int] | None:
        """As `Relaxation.worst`; the point counts as one row."""
        return self.free.worst(shares)

    def rounded(self, node: Node) -> Node:
        """As `Relaxation.rounded`."""
        return self._chosen(node).rounded(node)

    def holding(self, share: Share) -> list[int]:
        """As `Relaxation.holding`."""
        return self.free.holding(share)

    def weights(self, share: Share) -> Vector:
        """As `Relaxation.weights`."""
        return self.free.weights(share)

    def constant(self, values: Values) -> Fraction:
        """The best c under the constraint."""
        return (self.free if self._beyond(values) else self.pinned).constant(values)

    def residual(self, values: Values) -> Vector:
        """Mean target less output at each distinct input, shape (G,)."""
        chosen = self.free if self._beyond(values) else self.pinned
        return chosen.residual(values)[: self.count]

    def uncorrelated(self, residual: Vector) -> dict[int, int]:
        """By sign of the output weight, the cells on whose rays residual and multiplier are together not positive."""
        further = [Fraction(0)] * (len(self.free.nu) - self.count)
        total = sum((n * x for n, x in zip(self.free.nu, residual, strict=False)), Fraction(0))
        return self.free.uncorrelated((*residual, *further), self.at, -total)
