"""Where a point lies relative to the convex hull of the training inputs,
and the smallest detector that the proof of C10 builds for it.

`locate` is an exact phase-1 simplex over Q: its dual solution is the separating half-space, its primal
one the convex combination.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Any

from flint import fmpq, fmpq_mat, fmpz_mat

from proof_of_absence.checker.kernel.certificate import rows_json
from proof_of_absence.checker.numbers.deadline import look
from proof_of_absence.checker.numbers.linear_algebra import fraction
from proof_of_absence.models.rational import Numbers, Vector, matrix, vector

__all__ = ["Combination", "Inputs", "Separation", "TrainInput", "detector", "detector_at", "locate"]


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
    return Inputs(inputs).locate(point)


class Inputs:
    """Training inputs, prepared once for questions about many points.

    Parameters
    ----------
    inputs
        Shape (N, d).

    Raises
    ------
    ValueError
        If there is no input.
    """

    def __init__(self, inputs: Iterable[Numbers]):
        self.rows = matrix(inputs)
        if not self.rows:
            raise ValueError("a convex hull needs at least one input")
        self._first = {z: i for i, z in reversed(list(enumerate(self.rows)))}
        # The distinct inputs in order, and their columns (1, z), each scaled to integers: a positive factor is free.
        self.distinct = sorted(self._first)
        self._scales = [lcm(*(x.denominator for x in z)) for z in self.distinct]
        self._columns = [_scaled(z, scale) for z, scale in zip(self.distinct, self._scales, strict=True)]
        self._box = [(max(column), min(column)) for column in zip(*self.distinct, strict=True)]

    def vector(self, point: Numbers) -> Vector:
        """The point, if its dimension is that of the inputs; else ValueError."""
        result = vector(point)
        if len(self.rows[0]) != len(result):
            raise ValueError(f"inputs of dimension {len(self.rows[0])}, a point of dimension {len(result)}")
        return result

    def locate(self, point: Numbers) -> Separation | Combination | TrainInput:
        """As the function `locate`."""
        point = self.vector(point)
        if point in self._first:
            return TrainInput(self._first[point])
        for axis, (value, ends) in enumerate(zip(point, self._box, strict=True)):  # a box is tried first: it is cheap
            for side, end in zip((1, -1), ends, strict=True):
                if side * (value - end) > 0:
                    weights = tuple(Fraction(side if k == axis else 0) for k in range(len(point)))
                    return Separation(weights, Fraction(-side * end))
        found = _phase_one(self._columns, self._scales, point)
        if isinstance(found, Separation):
            return found
        return Combination(dict(sorted((self._first[self.distinct[j]], weight) for j, weight in found.items())))

    def without(self, left_out: Vector) -> "Inputs":
        """The distinct inputs but one."""
        return Inputs(z for z in self.distinct if z != left_out)

    def whole(self, point: Vector) -> tuple[list[tuple[int, ...]], tuple[int, ...], int]:
        """The distinct inputs and the point times the least common denominator, and that denominator."""
        scale = lcm(*self._scales, *(x.denominator for x in point))
        factors = [scale // own for own in self._scales]
        points = [tuple(f * x for x in column[1:]) for f, column in zip(factors, self._columns, strict=True)]
        return points, tuple(_scaled(point, scale)[1:]), scale


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
    prepared = Inputs(inputs)
    return detector_at(prepared.locate(point), prepared, prepared.vector(point))


def detector_at(
    place: Separation | Combination | TrainInput, inputs: Inputs, point: Vector
) -> list[tuple[Vector, Fraction, Fraction]]:
    """`detector`, once it is known where the point lies."""
    if isinstance(place, TrainInput):
        raise ValueError("the point is a training input: no train-idle circuit fires there")
    if isinstance(place, Separation):
        return [(place.weights, place.bias, Fraction(1))]
    points, x, scale = inputs.whole(point)
    weights = _apart(points, x)
    height = sum(map(mul, weights, x))
    radius = Fraction(min(abs(sum(map(mul, weights, z)) - height) for z in points), scale)
    direction, level = vector(weights), Fraction(height, scale)
    return [(direction, side * radius - level, Fraction(a)) for side, a in ((1, 1), (0, -2), (-1, 1))]


def _apart(points: Sequence[tuple[int, ...]], point: tuple[int, ...]) -> tuple[int, ...]:
    """A direction along which no point projects as `point` does: an axis, else (1, t, t^2, ..) as in C4.

    Each of the points spoils at most d - 1 values of t.
    """
    size = len(point)
    axes = (tuple(int(k == axis) for k in range(size)) for axis in range(size))
    curve = (tuple(t**k for k in range(size)) for t in range((size - 1) * len(points) + 1))
    for direction in (*axes, *curve):
        height = sum(map(mul, direction, point))
        if all(sum(map(mul, direction, z)) != height for z in points):
            return direction
    raise AssertionError("the moment curve left every candidate degenerate")


def _phase_one(
    columns: Sequence[Sequence[int]], scales: Sequence[int], point: Vector
) -> Separation | dict[int, Fraction]:
    """Weights l >= 0 with sum_j l_j (1, z_j) = (1, x), or prices y with y . (1, z_j) <= 0 for all j and y . (1, x) > 0.

    Revised simplex on the sum of one artificial variable a row. The entering column is the dearest (Dantzig) while the
    sum falls, and the first (Bland) while it stands still, so that no basis comes back.
    """
    tableau = _Tableau(columns, scales, point)
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

    def __init__(self, columns: Sequence[Sequence[int]], scales: Sequence[int], point: Vector):
        self.scales = scales
        self.columns = fmpq_mat(fmpz_mat([list(row) for row in zip(*columns, strict=True)]))
        self.count = len(columns)
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


def _scaled(z: Vector, scale: int) -> list[int]:
    """scale (1, z), which is in integers."""
    return [scale, *(x.numerator * (scale // x.denominator) for x in z)]
