"""C4 as an algorithm: a direction that tells the inputs apart, and a unit that correlates with the residuals.

All is exact, with no solver; the cost is one sort and one pass over the data for each direction tried.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.numbers.linear_algebra import inner
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Vector

__all__ = ["SeparatingUnit", "distinct_direction", "residual_sums", "separating_unit"]


class SeparatingUnit(NamedTuple):
    """w, b and the inner products sum_i r_ik relu(w . z_i + b), one for each output k, not all zero."""

    weights: Vector
    bias: Fraction
    inner_products: Vector


def distinct_direction(points: Sequence[Vector]) -> Vector:
    """A direction along which the distinct points have distinct projections.

    Two points project alike along (1, t, t^2, ..) for at most d - 1 values of t, so one of the first
    (d - 1) G (G - 1) / 2 + 1 naturals serves.

    Raises
    ------
    ValueError
        If two points are equal.

    Examples
    --------
    >>> distinct_direction([(0, 1), (1, 0)])
    (1, 0)
    """
    if len(set(points)) < len(points):
        raise ValueError("two of the points are equal: no direction tells them apart")
    dimension = len(points[0])
    for t in looking(range((dimension - 1) * len(points) * (len(points) - 1) // 2 + 1)):
        direction = tuple(t**k for k in range(dimension))
        if len({inner(direction, point) for point in points}) == len(points):
            return direction
    raise AssertionError("the moment curve left every candidate degenerate")


def separating_unit(points: Sequence[Vector], residuals: Sequence[Vector]) -> SeparatingUnit | None:
    """A hidden unit whose inner product with the residuals is not zero (C4), or None if they all are.

    Parameters
    ----------
    points
        Distinct inputs, shape (G, d).
    residuals
        Residual sums at these inputs, shape (G, m).
    """
    if not any(any(row) for row in residuals):
        return None
    direction = distinct_direction(points)
    line = sorted((inner(direction, point), row) for point, row in zip(points, residuals, strict=True))
    top = max(i for i, (_, row) in enumerate(line) if any(row))
    # Above the threshold stand the top group, and groups whose residual is zero.
    below = line[top - 1][0] if top else line[top][0] - 2
    threshold = Fraction(line[top][0] + below) / 2
    weight = line[top][0] - threshold
    return SeparatingUnit(tuple(map(Fraction, direction)), -threshold, tuple(weight * r for r in line[top][1]))


def residual_sums(net: MLP, data: Dataset) -> list[Vector]:
    """The sum of the residuals at each distinct input, in the order of the groups; shape (G, m)."""
    return [
        tuple(group.multiplicity * r for r in row)
        for group, row in zip(data.groups, data.group_residuals(net), strict=True)
    ]
