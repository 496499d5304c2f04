"""C23: where two nets differ as they do in training, and how many places are left out of that."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any, Literal, TypedDict

from proof_of_absence.checker.construct.hull import Combination
from proof_of_absence.checker.kernel.certificate import net_json, rows_json
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Numbers, Vector, matrix, vector
from proof_of_absence.proofs.facts.written import Fact, Net, Row, Table, row

__all__ = ["alternation", "covered", "crossed_boxes", "grid_cost", "line_gaps"]


class Point(TypedDict):
    """A point as an average of inputs, pairs of a row and its weight, and by how much the nets differ there."""

    point: Row
    combination: list[list[Any]]
    difference: Row


class Covered(TypedDict):
    """Each point is an average of inputs between which no unit of either net changes sign."""

    kind: Literal["covered"]
    left: Net
    right: Net
    inputs: Table
    points: list[Point]


class LineGaps(TypedDict):
    """Two nets with so many `units` in all agree at inputs along a line, and differ in so many `gaps`.

    Of each gap its number, and the share of it at which they differ.
    """

    kind: Literal["line-gaps"]
    left: Net
    right: Net
    inputs: Table
    differ: list[list[Any]]
    gaps: int
    units: int


class Alternation(TypedDict):
    """The difference of two nets in one output alternates in sign at so many `points` along a line."""

    kind: Literal["alternation"]
    left: Net
    right: Net
    inputs: Table
    output: int
    points: int
    units: int


class CrossedBoxes(TypedDict):
    """A unit changes sign on the corners of so many boxes of the grid; `most` is s^d - (s-1)^d."""

    kind: Literal["crossed-boxes"]
    weights: Row
    bias: str
    axes: Table
    crossed: int
    most: int


class GridCost(TypedDict):
    """Two nets differ by `square` or more, squared, somewhere in each of the boxes.

    `cost` is the summed squared difference over the points of the grid, `bound` what C23 says it is at least.
    """

    kind: Literal["grid-cost"]
    left: Net
    right: Net
    axes: Table
    moved: list[list[Any]]
    square: str
    cost: str
    bound: str


def covered(left: MLP, right: MLP, inputs: Iterable[Vector], points: Mapping[Vector, Combination]) -> Fact:
    """That the points are covered by the inputs, and how the nets differ there."""
    fact: Covered = {
        "kind": "covered",
        "left": net_json(left),
        "right": net_json(right),
        "inputs": rows_json(inputs),
        "points": [
            {
                "point": row(x),
                "combination": [[i, str(weight)] for i, weight in sorted(found.weights.items())],
                "difference": row(_difference(left, right, x)),
            }
            for x, found in points.items()
        ],
    }
    return dict(fact)


def line_gaps(left: MLP, right: MLP, inputs: Sequence[Numbers], differ: Mapping[int, Fraction]) -> Fact:
    """That two shallow nets agree at inputs along a line, and in which gaps they differ, at which share of each."""
    fact: LineGaps = {
        "kind": "line-gaps",
        "left": net_json(left),
        "right": net_json(right),
        "inputs": rows_json(matrix(inputs)),
        "differ": [[gap, str(share)] for gap, share in sorted(differ.items())],
        "gaps": len(differ),
        "units": left.widths[1] + right.widths[1],
    }
    return dict(fact)


def alternation(left: MLP, right: MLP, inputs: Sequence[Numbers], output: int = 0) -> Fact:
    """That the difference of two shallow nets alternates in sign at these inputs."""
    fact: Alternation = {
        "kind": "alternation",
        "left": net_json(left),
        "right": net_json(right),
        "inputs": rows_json(matrix(inputs)),
        "output": output,
        "points": len(inputs),
        "units": left.widths[1] + right.widths[1],
    }
    return dict(fact)


def crossed_boxes(weights: Numbers, bias: Fraction, axes: Sequence[Numbers]) -> Fact:
    """How many boxes of the grid, which has one list of coordinates an axis, the unit crosses."""
    w, grid = vector(weights), matrix(axes)
    crossed = 0
    for box in product(*(range(len(axis) - 1) for axis in grid)):
        at = [bias + sum(a * x for a, x in zip(w, corner, strict=True)) for corner in product(*_sides(grid, box))]
        crossed += min(at) < 0 < max(at)
    fact: CrossedBoxes = {
        "kind": "crossed-boxes",
        "weights": row(w),
        "bias": str(bias),
        "axes": rows_json(grid),
        "crossed": crossed,
        "most": _most(grid),
    }
    return dict(fact)


def grid_cost(left: MLP, right: MLP, axes: Sequence[Numbers], square: Fraction) -> Fact:
    """What the boxes in whose middle or corners two shallow nets differ by `square` or more cost over the grid."""
    grid = matrix(axes)
    moved = []
    for box in product(*(range(len(axis) - 1) for axis in grid)):
        sides = _sides(grid, box)
        tried = [tuple((a + b) / 2 for a, b in sides), *product(*sides)]
        if far := [x for x in tried if _squared(left, right, x) >= square]:
            moved.append([list(box), row(far[0])])
    cost = sum((_squared(left, right, x) for x in product(*grid)), Fraction(0))
    units = left.widths[1] + right.widths[1]
    fact: GridCost = {
        "kind": "grid-cost",
        "left": net_json(left),
        "right": net_json(right),
        "axes": rows_json(grid),
        "moved": moved,
        "square": str(square),
        "cost": str(cost),
        "bound": str(square * (len(moved) - units * _most(grid)) / 2 ** len(grid)),
    }
    return dict(fact)


def _difference(left: MLP, right: MLP, x: Numbers) -> Vector:
    return tuple(a - b for a, b in zip(left(x), right(x), strict=True))


def _squared(left: MLP, right: MLP, x: Numbers) -> Fraction:
    return sum((e * e for e in _difference(left, right, x)), Fraction(0))


def _sides(grid: Sequence[Vector], box: Sequence[int]) -> list[tuple[Fraction, Fraction]]:
    """The two ends of the box along each axis."""
    return [(axis[i], axis[i + 1]) for axis, i in zip(grid, box, strict=True)]


def _most(grid: Sequence[Vector]) -> int:
    """How many boxes a unit crosses at most; the axes have equally many."""
    boxes = len(grid[0]) - 1
    return int(boxes ** len(grid) - (boxes - 1) ** len(grid))
