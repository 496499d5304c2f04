"""Where a point lies relative to the convex hull of the training inputs,
and the smallest detector that the proof of C10 builds for it.

`locate` is an exact phase-1 simplex over Q: its dual solution is the separating half-space, its primal
one the convex combination.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

from flint import fmpq, fmpq_mat, fmpz_mat

from proof_of_absence.checker.kernel.certificate import rows_json
from proof_of_absence.checker.numbers.deadline import look
from proof_of_absence.checker.numbers.linear_algebra import fraction, inner
from proof_of_absence.models.rational import Matrix, Numbers, Vector, matrix, vector

__all__ = ["Combination", "Separation", "TrainInput", "detector", "detector_at", "locate"]


@dataclass(frozen=True)
class Separation:
    """Outside the hull: w . z + b <= 0 at every input, and > 0 at the point."""

    weights: Vector
    bias: Fraction

    def fact(self, inputs: Iterable[Vector], point: Vector) -> dict[str, Any]:
        """The fact for the independent checker."""
        half_space = {"weights": [str(w) for w in self.weights], "bias": str(self.bias)}
        return {"kind": "outside-hull", "inputs": rows_json(inputs), "point": [str(x) for x in point], **half_space}


@dataclass(frozen=True)
class Combination:
    """Inside the hull: the point is the sum of weight * inputs[row]; the weights are positive and sum to 1."""

    weights: Mapping[int, Fraction]

    def fact(self, inputs: Iterable[Vector], point: Vector) -> dict[str, Any]:
        """The fact for the independent checker."""
        pairs = [[row, str(weight)] for row, weight in sorted(self.weights.items())]
        table, x = rows_json(inputs), [str(coordinate) for coordinate in point]
        return {"kind": "inside-hull", "inputs": table, "point": x, "combination": pairs}


@dataclass(frozen=True)
class TrainInput:
    """The point is the input at position `row`."""

    row: int


def locate(inputs: Iterable[Numbers], point: Numbers) -> Separation | Combination | TrainInput:
    """Decide exactly whether the point is a training input, else inside or outside the inputs' convex hull.

    Raises
    ------
    ValueError
        If there is no input, or the point has another dimension than the inputs.

    Examples
    --------
    >>> locate([[0], [1]], ["1/4"])
    Combination(weights={0: Fraction(3, 4), 1: Fraction(1, 4)})
    >>> locate([[0], [1]], [3])
    Separation(weights=(Fraction(1, 1),), bias=Fraction(-1, 1))
    """
    inputs, point = _table(inputs, point)
    first = {z: i for i, z in reversed(list(enumerate(inputs)))}
    if point in first:
        return TrainInput(first[point])
    points = sorted(first)
    for axis, value in enumerate(point):  # a box is tried first: it costs one pass
        column = [z[axis] for z in points]
        for side, end in ((1, max(column)), (-1, min(column))):
            if side * (value - end) > 0:
                weights = tuple(Fraction(side if k == axis else 0) for k in range(len(point)))
                return Separation(weights, Fraction(-side * end))
    found = _phase_one(points, point)
    if isinstance(found, Separation):
        return found
    return Combination(dict(sorted((first[points[j]], weight) for j, weight in found.items())))


def detector(inputs: Iterable[Numbers], point: Numbers) -> list[tuple[Vector, Fraction, Fraction]]:
    """Units (w, b, a) that send 0 in sum at every input, and not at the point:
    one outside the hull, else the three of a bump.

    `a` is to multiply an output vector that is not 0. Inside the hull two units may be enough (C10); none are sought.

    Raises
    ------
    ValueError
        As `locate`, or if the point is a training input, where no train-idle circuit fires.

    Examples
    --------
    >>> [(int(b), int(a)) for _, b, a in detector([[0], [4]], [1])]
    [(0, 1), (-1, -2), (-2, 1)]
    """
    inputs, point = _table(inputs, point)
    return detector_at(locate(inputs, point), inputs, point)


def detector_at(
    place: Separation | Combination | TrainInput, inputs: Matrix, point: Vector
) -> list[tuple[Vector, Fraction, Fraction]]:
    """`detector`, once it is known where the point lies."""
    if isinstance(place, TrainInput):
        raise ValueError("the point is a training input: no train-idle circuit fires there")
    if isinstance(place, Separation):
        return [(place.weights, place.bias, Fraction(1))]
    weights = _apart(sorted(set(inputs)), point)
    height = inner(weights, point)
    radius = min(abs(inner(weights, z) - height) for z in inputs)
    return [(weights, side * radius - height, Fraction(a)) for side, a in ((1, 1), (0, -2), (-1, 1))]


def _table(inputs: Iterable[Numbers], point: Numbers) -> tuple[Matrix, Vector]:
    inputs, point = matrix(inputs), vector(point)
    if not inputs:
        raise ValueError("a convex hull needs at least one input")
    if len(inputs[0]) != len(point):
        raise ValueError(f"inputs of dimension {len(inputs[0])}, a point of dimension {len(point)}")
    return inputs, point


def _apart(points: Sequence[Vector], point: Vector) -> Vector:
    """A direction along which no point projects as `point` does: an axis, else (1, t, t^2, ..) as in C4.

    Each of the points spoils at most d - 1 values of t.
    """
    size = len(point)
    axes = (tuple(Fraction(k == axis) for k in range(size)) for axis in range(size))
    curve = (tuple(Fraction(t) ** k for k in range(size)) for t in range((size - 1) * len(points) + 1))
    for direction in (*axes, *curve):
        height = inner(direction, point)
        if all(inner(direction, z) != height for z in points):
            return direction
    raise AssertionError("the moment curve left every candidate degenerate")


def _phase_one(points: Sequence[Vector], point: Vector) -> Separation | dict[int, Fraction]:
    """Weights l >= 0 with sum_j l_j (1, z_j) = (1, x), or prices y with y . (1, z_j) <= 0 for all j and y . (1, x) > 0.

    Revised simplex on the sum of one artificial variable a row. The entering column is the dearest (Dantzig) while the
    sum falls, and the first (Bland) while it stands still, so that no basis comes back.
    """
    tableau = _Tableau(points, point)
    stalled = False
    while tableau.artificial_sum():
        look()
        prices = tableau.prices()
        gains = tableau.gains(prices)
        entering = [j for j, gain in enumerate(gains) if gain > 0]
        if not entering:
            bias, *weights = map(fraction, prices)
            return Separation(tuple(weights), bias)
        ratio = tableau.enter(entering[0] if stalled else max(entering, key=lambda j: (gains[j], -j)))
        stalled = ratio == 0
    return tableau.weights()


class _Tableau:
    """A basic solution of sum_j l_j (1, z_j) = (1, x), l >= 0, one variable a row: `values` of the variables `basis`.

    `inverse` is the inverse of the matrix of the basic columns. Variables from `count` on are artificial, one a row.
    """

    def __init__(self, points: Sequence[Vector], point: Vector):
        # A column may be scaled by a positive number; integers are cheaper.
        self.scales = [lcm(*(x.denominator for x in z)) for z in points]
        self.columns = fmpq_mat(fmpz_mat(_scaled_rows(points, self.scales)))
        self.count = len(points)
        target = [fmpq(1), *(fmpq(x.numerator, x.denominator) for x in point)]
        self.size = len(target)
        signs = [1 if b >= 0 else -1 for b in target]
        self.inverse = [[fmpq(signs[i] if i == k else 0) for k in range(self.size)] for i in range(self.size)]
        self.values = [abs(b) for b in target]
        self.basis = [self.count + i for i in range(self.size)]

    def _artificial(self) -> list[int]:
        return [i for i in range(self.size) if self.basis[i] >= self.count]

    def artificial_sum(self) -> fmpq:
        """What phase one minimises; 0 where the other variables solve the equations."""
        return sum((self.values[i] for i in self._artificial()), start=fmpq(0))

    def weights(self) -> dict[int, Fraction]:
        """The variables that are not 0, in the scale of the points."""
        return {j: fraction(v) * self.scales[j] for j, v in zip(self.basis, self.values, strict=True) if v}

    def prices(self) -> list[fmpq]:
        """The dual solution, one number a row."""
        rows = [self.inverse[i] for i in self._artificial()]
        return [sum(column, start=fmpq(0)) for column in zip(*rows, strict=True)]

    def gains(self, prices: list[fmpq]) -> list[fmpq]:
        """By how much the sum falls for each unit of each variable."""
        return (fmpq_mat([prices]) * self.columns).entries()

    def enter(self, new: int) -> fmpq:
        """Bring the variable into the basis in place of the one that reaches 0 first; its value there."""
        column = [self.columns[k, new] for k in range(self.size)]
        step = [sum((a * c for a, c in zip(row, column, strict=True)), start=fmpq(0)) for row in self.inverse]
        out = self._leaving(step)
        ratio = self.values[out] / step[out]
        self.inverse[out] = [a / step[out] for a in self.inverse[out]]
        for i in range(self.size):
            if i != out and step[i] != 0:
                pivot = zip(self.inverse[i], self.inverse[out], strict=True)
                self.inverse[i] = [a - step[i] * b for a, b in pivot]
                self.values[i] -= step[i] * ratio
        self.values[out], self.basis[out] = ratio, new
        return ratio

    def _leaving(self, step: list[fmpq]) -> int:
        """The row whose variable reaches 0 first. There is one: the sum that falls is bounded below by 0."""
        falling = [i for i in range(self.size) if step[i] > 0]
        return min(falling, key=lambda i: (self.values[i] / step[i], self.basis[i]))


def _scaled_rows(points: Sequence[Vector], scales: Sequence[int]) -> list[list[int]]:
    """The rows of the matrix of columns scale (1, z)."""
    rows = [list(scales)]
    for coordinates in zip(*points, strict=True):
        rows.append([int(x * scale) for x, scale in zip(coordinates, scales, strict=True)])
    return rows
