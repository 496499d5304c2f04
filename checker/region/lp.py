"""Does a polytope have an interior? Decided exactly over Q: an interior point, or multipliers that show there is none.

The polytope is the free part of a box under conditions a . z + b >= 0 that are not constant. A float LP proposes a
vertex of max t, every condition >= t; rational arithmetic verifies it, and where that fails goes on by simplex steps
with Bland's rule.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from flint import fmpq, fmpq_mat

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.region.question import nearest
from proof_of_absence.checker.region.triangle import solve_lp
from proof_of_absence.models.rational import Vector

__all__ = ["Affine", "Interior", "interior"]

STEPS = 400
CAP = Fraction(1)


class Affine(NamedTuple):
    """weights . z + bias over the free coordinates."""

    weights: Vector
    bias: Fraction

    def __call__(self, z: Sequence[Fraction]) -> Fraction:
        return sum((w * x for w, x in zip(self.weights, z, strict=True)), self.bias)


class Interior(NamedTuple):
    """Either a `point` of the box at which every condition is strict, or `multipliers` >= 0 of the conditions.

    The multipliers' combination of the conditions is at most 0 on the box, and one of them is not 0.
    """

    point: Vector | None
    multipliers: Vector | None


def interior(conditions: Sequence[Affine], low: Vector, high: Vector) -> Interior | None:
    """A point of the box where the conditions are strict, or the proof that there is none.

    None where the steps run out.

    The box is full-dimensional, so a neighbourhood of such a point shares an open set with it.

    Parameters
    ----------
    conditions
        Affine functions of z that are to be >= 0; each has a nonzero weight.
    low, high
        The box, low < high in every coordinate.

    Examples
    --------
    >>> half = Fraction(1, 2)
    >>> above, below = Affine((Fraction(1),), -half), Affine((Fraction(-1),), half)
    >>> interior([above], (Fraction(0),), (Fraction(1),)).point
    (Fraction(1, 1),)
    >>> interior([above, below], (Fraction(0),), (Fraction(1),)).multipliers
    (Fraction(1, 2), Fraction(1, 2))
    """
    scales = [_scale(c) for c in conditions]
    if (proposed := _proposed(conditions, scales, low, high)) is not None:
        point, multipliers = proposed
        if all(c(point) > 0 for c in conditions):
            return Interior(point, None)
        scaled = tuple(y * s for y, s in zip(multipliers, scales, strict=True))
        if _highest(conditions, scaled, low, high) < 0:
            return Interior(None, scaled)
    return _exactly(conditions, scales, low, high)


def _exactly(conditions: Sequence[Affine], scales: list[Fraction], low: Vector, high: Vector) -> Interior | None:
    size = len(low)
    # Rows >= 0 of the unknowns (z, t): g(z) - t for conditions on a common scale, 1 - t, then the sides of the box.
    rows = [(*(s * w for w in c.weights), Fraction(-1)) for c, s in zip(conditions, scales, strict=True)]
    rights = [s * c.bias for c, s in zip(conditions, scales, strict=True)]
    rows.append((Fraction(0),) * size + (Fraction(-1),))
    rights.append(CAP)
    for i, (a, b) in enumerate(zip(low, high, strict=True)):
        unit = tuple(Fraction(int(k == i)) for k in range(size + 1))
        rows += [unit, tuple(-x for x in unit)]
        rights += [-a, b]
    corner = [sum((w * x for w, x in zip(row[:-1], low, strict=True)), r) for row, r in zip(rows, rights, strict=True)]
    tight = min(range(len(conditions) + 1), key=lambda i: (corner[i], i))
    answer = _simplex(rows, rights, [tight, *(len(conditions) + 1 + 2 * i for i in range(size))])
    if answer is None:
        return None
    vertex, duals = answer
    if vertex[-1] > 0:
        return Interior(tuple(vertex[:-1]), None)
    return Interior(None, tuple(duals.get(i, Fraction(0)) * s for i, s in enumerate(scales)))


def _scale(condition: Affine) -> Fraction:
    """A power of two that brings the largest weight near 1."""
    largest = max(map(abs, condition.weights))
    bits = largest.numerator.bit_length() - largest.denominator.bit_length()
    return Fraction(2) ** -bits


def _highest(conditions: Sequence[Affine], multipliers: Vector, low: Vector, high: Vector) -> Fraction:
    """The largest value on the box of the conditions' combination."""
    used = [(c, y) for c, y in zip(conditions, multipliers, strict=True) if y]
    total = sum((y * c.bias for c, y in used), Fraction(0))
    for i, (a, b) in enumerate(zip(low, high, strict=True)):
        weight = sum((y * c.weights[i] for c, y in used), Fraction(0))
        total += max(weight * a, weight * b)
    return total


@np.errstate(all="ignore")
def _proposed(
    conditions: Sequence[Affine], scales: list[Fraction], low: Vector, high: Vector
) -> tuple[Vector, Vector] | None:
    """A point of the box and multipliers of the scaled conditions, from floats; None if HiGHS gives no optimum."""
    size = len(low)
    factors = np.array([nearest(s) for s in scales])
    weights = np.array([[nearest(w) for w in c.weights] for c in conditions])
    rights = np.array([nearest(c.bias) for c in conditions]) * factors
    matrix = np.hstack([weights * factors[:, None], -np.ones((len(conditions), 1))])
    ends = [np.array([*(nearest(x) for x in end), top]) for end, top in ((low, -np.inf), (high, nearest(CAP)))]
    if not (np.isfinite(matrix).all() and np.isfinite(rights).all() and np.isfinite(ends[1]).all()):
        return None
    cost = np.zeros(size + 1)
    cost[-1] = 1
    found = solve_lp(cost, matrix, -rights, np.full(len(rights), np.inf), *ends)
    if found is None or not (np.isfinite(found.x).all() and np.isfinite(found.row_dual).all()):
        return None
    point = tuple(min(max(Fraction(x), a), b) for x, a, b in zip(found.x[:-1].tolist(), low, high, strict=True))
    # Multipliers need not be exact where they leave a margin, so they are kept short.
    dual = np.rint(np.maximum(found.row_dual, 0) * 2**30).tolist()
    return point, tuple(Fraction(int(y), 2**30) for y in dual)


def _matrix(rows: Sequence[Sequence[Fraction]]) -> fmpq_mat:
    return fmpq_mat([[fmpq(x.numerator, x.denominator) for x in row] for row in rows])


def _fractions(column: fmpq_mat) -> list[Fraction]:
    return [Fraction(int(v.p), int(v.q)) for v in column.entries()]


def _simplex(
    rows: Sequence[Sequence[Fraction]], rights: Sequence[Fraction], basis: list[int]
) -> tuple[list[Fraction], dict[int, Fraction]] | None:
    """Maximise the last unknown over rows . x + rights >= 0 from a feasible vertex; the vertex and its dual."""
    size = len(rows[0])
    cost = [[Fraction(0)] for _ in range(size - 1)] + [[Fraction(1)]]
    for _ in looking(range(STEPS)):
        inverse = _matrix([rows[i] for i in basis]).inv()
        vertex = _fractions(inverse * _matrix([[-rights[i]] for i in basis]))
        # cost = - sum_i y_i row_i with y >= 0 proves the vertex optimal.
        dual = [-y for y in _fractions(inverse.transpose() * _matrix(cost))]
        leaving = min((i for i, y in zip(basis, dual, strict=True) if y < 0), default=None)
        if leaving is None:
            return vertex, dict(zip(basis, dual, strict=True))
        place = basis.index(leaving)
        ray = _fractions(inverse * _matrix([[Fraction(int(k == place))] for k in range(size)]))
        best, entering = None, None
        for i, (row, right) in enumerate(zip(rows, rights, strict=True)):
            speed = sum((w * x for w, x in zip(row, ray, strict=True) if x), Fraction(0))
            if i not in basis and speed < 0:
                room = -(sum((w * x for w, x in zip(row, vertex, strict=True)), right)) / speed
                if best is None or room < best:
                    best, entering = room, i
        if entering is None:
            raise AssertionError("the cap on t leaves no ray")
        basis = [*basis[:place], entering, *basis[place + 1 :]]
    return None
