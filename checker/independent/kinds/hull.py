"""Where a point lies relative to the convex hull of the inputs, by a half-space or a convex combination."""

from fractions import Fraction
from typing import Any

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Vector, dot, number, numbers, rows


def outside_hull(fact: Fact) -> None:
    """w . z + b <= 0 at every input and > 0 at the point: the point is outside the inputs' convex hull."""
    weights, bias = numbers(fact["weights"]), number(fact["bias"])
    point = numbers(fact["point"])
    require(dot(weights, point) + bias > 0, "the point is not beyond the half-space")
    for z in rows(fact["inputs"]):
        require(dot(weights, z) + bias <= 0, f"the input {[str(v) for v in z]} is beyond the half-space too")


def inside_hull(fact: Fact) -> None:
    """The point is a convex combination of inputs: pairs of a row and its weight."""
    averaged(rows(fact["inputs"]), numbers(fact["point"]), fact["combination"])


def averaged(inputs: list[Vector], point: Vector, combination: list[Any]) -> dict[int, Fraction]:
    """The weight of each row of which the point is the average; refused if it is another or the weights are none."""
    weights = {}
    for row, weight in combination:
        require(type(row) is int and 0 <= row < len(inputs), "a weight of no input")
        require(row not in weights, "an input has two weights")
        weights[row] = number(weight)
    require(all(weight >= 0 for weight in weights.values()), "a negative weight")
    require(sum(weights.values()) == 1, "the weights do not sum to 1")
    require(len(point) == len(inputs[0]), "the point has the wrong dimension")
    combined = [dot(weights.values(), column) for column in zip(*(inputs[row] for row in weights), strict=True)]
    require_equal("the point", point, combined)
    return weights


KINDS = {
    "inside-hull": inside_hull,
    "outside-hull": outside_hull,
}
