"""C23: points where two nets differ as they do in training, and counts of gaps, changes of sign and boxes."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

from proof_of_absence.checker.independent.kinds.hull import averaged
from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Net, Vector, dot, number, numbers, rows

LARGEST = 100_000  # corners of boxes


def covered(fact: Fact) -> None:
    """Each point is an average of inputs between which no hidden unit of either net changes sign.

    The nets differ there by `difference`, and that is the average of their differences at those inputs.
    """
    left, right = _nets(fact)
    inputs = rows(fact["inputs"])
    require(bool(fact["points"]), "no point at all")
    for place in fact["points"]:
        point = numbers(place["point"])
        weights = averaged(inputs, point, place["combination"])
        for net in (left, right):
            before = zip(*(_before(net, inputs[i]) for i in weights), strict=True)
            require(all(min(p) >= 0 or max(p) <= 0 for p in before), "a unit changes sign between the inputs")
        stated = numbers(place["difference"])
        require_equal("the difference", stated, _difference(left, right, point))
        columns = zip(*(_difference(left, right, inputs[i]) for i in weights), strict=True)
        require_equal("the average difference", stated, [dot(weights.values(), column) for column in columns])


def line_gaps(fact: Fact) -> None:
    """Two shallow nets agree at inputs along a line, and differ in each of the gaps that are listed."""
    left, right = _shallow(fact)
    inputs = rows(fact["inputs"])
    _along_a_line(inputs)
    for z in inputs:
        require(left.output(z) == right.output(z), f"the nets differ at {[str(v) for v in z]}")
    found = set()
    for gap, text in fact["differ"]:
        require(_is_whole(gap) and 0 <= gap < len(inputs) - 1, "no such gap")
        share = number(text)
        require(0 < share < 1, "not a share of a gap")
        point = [a + share * (b - a) for a, b in zip(inputs[gap], inputs[gap + 1], strict=True)]
        require(left.output(point) != right.output(point), f"the nets agree there in gap {gap}")
        found.add(gap)
    require(len(found) == len(fact["differ"]), "a gap is listed twice")
    _require_whole("the gaps", fact["gaps"], len(found))
    _require_whole("the units", fact["units"], left.widths[1] + right.widths[1])


def alternation(fact: Fact) -> None:
    """The difference of two shallow nets, in one output, has one sign and the other in turn along a line."""
    left, right = _shallow(fact)
    inputs, k = rows(fact["inputs"]), fact["output"]
    require(_is_whole(k) and 0 <= k < left.widths[-1], "no such output")
    _along_a_line(inputs)
    gaps = [_difference(left, right, z)[k] for z in inputs]
    require(all(a * b < 0 for a, b in pairwise(gaps)), "the difference keeps its sign from one input to the next")
    _require_whole("the points", fact["points"], len(inputs))
    _require_whole("the units", fact["units"], left.widths[1] + right.widths[1])


def crossed_boxes(fact: Fact) -> None:
    """A unit is below 0 at some corner and above 0 at another of exactly so many boxes of the grid."""
    weights, bias, grid = numbers(fact["weights"]), number(fact["bias"]), _grid(fact)
    require(len(weights) == len(grid), "the unit has another dimension than the grid")
    crossed = 0
    for box in _boxes(grid):
        # The extreme corners: along each axis by the sign of the weight.
        ends = [(w * axis[i], w * axis[i + 1]) for w, axis, i in zip(weights, grid, box, strict=True)]
        low, high = (bias + sum(pick(pair) for pair in ends) for pick in (min, max))
        crossed += low < 0 < high
    _require_whole("the crossed boxes", fact["crossed"], crossed)
    _require_whole("the bound", fact["most"], _most(grid))


def grid_cost(fact: Fact) -> None:
    """Two shallow nets differ by `square` or more at a point of each listed box; `cost` and `bound` are C23's."""
    left, right = _shallow(fact)
    grid, square = _grid(fact), number(fact["square"])
    require(left.widths[0] == len(grid), "the nets have another dimension than the grid")
    require(square >= 0, "a square is negative")
    found = set()
    for box, text in fact["moved"]:
        point = numbers(text)
        require(len(box) == len(grid) == len(point), "a box or a point has the wrong dimension")
        for axis, i, x in zip(grid, box, point, strict=True):
            require(_is_whole(i) and 0 <= i < len(axis) - 1, "no such box")
            require(axis[i] <= x <= axis[i + 1], "a point is not in its box")
        require(_squared(left, right, point) >= square, f"the nets are closer in the box {box}")
        found.add(tuple(box))
    require(len(found) == len(fact["moved"]), "a box is listed twice")
    cost = sum((_squared(left, right, list(x)) for x in product(*grid)), Fraction(0))
    require_equal("the cost", number(fact["cost"]), cost)
    lost = (left.widths[1] + right.widths[1]) * _most(grid)
    require_equal("the bound", number(fact["bound"]), square * (len(found) - lost) / 2 ** len(grid))


def _nets(fact: Fact) -> tuple[Net, Net]:
    left, right = Net(fact["left"]), Net(fact["right"])
    same = left.widths[0] == right.widths[0] and left.widths[-1] == right.widths[-1]
    require(same, "the nets have other inputs or outputs")
    return left, right


def _shallow(fact: Fact) -> tuple[Net, Net]:
    left, right = _nets(fact)
    require(len(left.layers) == len(right.layers) == 2, "not a shallow net")
    return left, right


def _difference(left: Net, right: Net, z: Vector) -> Vector:
    return [a - b for a, b in zip(left.output(z), right.output(z), strict=True)]


def _squared(left: Net, right: Net, z: Vector) -> Fraction:
    gaps = _difference(left, right, z)
    return dot(gaps, gaps)


def _before(net: Net, z: Vector) -> Vector:
    """The pre-activations of all hidden units."""
    return [
        dot(row, below) + b
        for (weights, bias), below in zip(net.layers[:-1], net.values(z), strict=False)
        for row, b in zip(weights, bias, strict=True)
    ]


def _along_a_line(inputs: Sequence[Vector]) -> None:
    """Refuse unless the inputs lie on a line, in this order."""
    require(len(inputs) > 1, "one input is no line")
    first, way = inputs[0], [b - a for a, b in zip(inputs[0], inputs[-1], strict=True)]
    length = dot(way, way)
    require(length > 0, "the line has no direction")
    shares = [dot(way, [b - a for a, b in zip(first, z, strict=True)]) / length for z in inputs]
    for z, t in zip(inputs, shares, strict=True):
        require(z == [a + t * w for a, w in zip(first, way, strict=True)], "the inputs lie on no line")
    require(all(s < t for s, t in pairwise(shares)), "the inputs are not in order")


def _grid(fact: Fact) -> list[Vector]:
    """The coordinates along each axis: increasing, and equally many."""
    axes = rows(fact["axes"])
    require(len(axes[0]) > 1, "the grid has no box")
    require(all(a < b for axis in axes for a, b in pairwise(axis)), "the coordinates do not increase")
    require((2 * len(axes[0])) ** len(axes) <= LARGEST, "too many boxes")
    return axes


def _boxes(grid: Sequence[Vector]) -> Iterator[tuple[int, ...]]:
    return product(*(range(len(axis) - 1) for axis in grid))


def _most(grid: Sequence[Vector]) -> int:
    """How many boxes a unit crosses at most."""
    boxes = len(grid[0]) - 1
    return int(boxes ** len(grid) - (boxes - 1) ** len(grid))


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _require_whole(what: str, stated: Any, recomputed: int) -> None:
    require(_is_whole(stated), f"{what}: not a whole number")
    require_equal(what, stated, recomputed)


KINDS = {
    "alternation": alternation,
    "covered": covered,
    "crossed-boxes": crossed_boxes,
    "grid-cost": grid_cost,
    "line-gaps": line_gaps,
}
