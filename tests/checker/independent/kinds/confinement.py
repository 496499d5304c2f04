"""What is said of places where two nets differ as in training, by models, sympy and numbers tried one by one."""

from fractions import Fraction
from itertools import pairwise, product

import sympy

from tests.checker.independent.kinds.hull import inside_hull
from tests.checker.independent.kinds.read import net_of


def nets(fact):
    left, right = net_of(fact["left"]), net_of(fact["right"])
    if (left.widths[0], left.widths[-1]) != (right.widths[0], right.widths[-1]):
        raise ValueError("nets of different shapes")
    return left, right


def away(left, right, z):
    return sympy.Matrix([left(z)]) - sympy.Matrix([right(z)])


def signs(net, z):
    """The sign of every hidden pre-activation."""
    values = net.activations(z)
    return [sympy.sign(p) for layer, below in zip(net.layers[:-1], values, strict=False) for p in layer(below)]


def covered(fact):
    left, right = nets(fact)
    if not fact["points"]:
        return False
    for place in fact["points"]:
        rows = [row for row, _ in place["combination"]]
        if any(type(row) is not int or row < 0 for row in rows) or not inside_hull(fact | place):
            return False
        if len(place["point"]) != left.widths[0]:
            return False
        for net in (left, right):
            seen = zip(*(signs(net, fact["inputs"][i]) for i in rows), strict=True)
            if any({1, -1} <= set(column) for column in seen):
                return False
        if away(left, right, place["point"]) != sympy.Matrix([list(map(sympy.Rational, place["difference"]))]):
            return False
    return True


def on_a_line(inputs):
    """Whether the points lie on a line in this order: each step is a positive multiple of the first."""
    points = [sympy.Matrix([list(map(sympy.Rational, z))]) for z in inputs]
    steps = [b - a for a, b in pairwise(points)]
    first = steps[0]
    at = next((k for k, x in enumerate(first) if x), None)
    return at is not None and all(s[at] / first[at] > 0 and s == first * (s[at] / first[at]) for s in steps)


def shallow_units(fact):
    left, right = nets(fact)
    return left.widths[1] + right.widths[1] if len(left.widths) == len(right.widths) == 3 else None


def line_gaps(fact):
    left, right = nets(fact)
    inputs = [list(map(Fraction, z)) for z in fact["inputs"]]
    if not on_a_line(inputs) or left.outputs(inputs) != right.outputs(inputs):
        return False
    gaps = [gap for gap, _ in fact["differ"]]
    if len(set(gaps)) < len(gaps) or not all(0 <= gap < len(inputs) - 1 for gap in gaps):
        return False
    for gap, share in fact["differ"]:
        s = Fraction(share)
        z = [(1 - s) * a + s * b for a, b in zip(inputs[gap], inputs[gap + 1], strict=True)]
        if not 0 < s < 1 or left(z) == right(z):
            return False
    return (fact["gaps"], fact["units"]) == (len(gaps), shallow_units(fact))


def alternation(fact):
    left, right = nets(fact)
    if not on_a_line(fact["inputs"]) or not 0 <= fact["output"] < left.widths[-1]:
        return False
    found = [sympy.sign(away(left, right, z)[fact["output"]]) for z in fact["inputs"]]
    turns = found in ([(-1) ** i for i in range(len(found))], [-((-1) ** i) for i in range(len(found))])
    return turns and (fact["points"], fact["units"]) == (len(found), shallow_units(fact))


def axes_of(fact):
    axes = [list(map(Fraction, axis)) for axis in fact["axes"]]
    if any(axis != sorted(set(axis)) or len(axis) != len(axes[0]) for axis in axes) or len(axes[0]) < 2:
        raise ValueError("not a grid")
    return axes


def most(axes):
    """Boxes that have a coordinate 0."""
    return sum(0 in box for box in product(range(len(axes[0]) - 1), repeat=len(axes)))


def crossed_boxes(fact):
    axes, w = axes_of(fact), list(map(Fraction, fact["weights"]))
    if len(w) != len(axes):
        return False
    count = 0
    for sides in product(*map(pairwise, axes)):
        at = [Fraction(fact["bias"]) + sum(a * x for a, x in zip(w, z, strict=True)) for z in product(*sides)]
        count += any(p < 0 for p in at) and any(p > 0 for p in at)
    return (fact["crossed"], fact["most"]) == (count, most(axes))


def grid_cost(fact):
    left, right = nets(fact)
    axes, square = axes_of(fact), Fraction(fact["square"])
    boxes = list(product(range(len(axes[0]) - 1), repeat=len(axes)))
    listed = [tuple(box) for box, _ in fact["moved"]]
    if square < 0 or len(axes) != left.widths[0] or len(set(listed)) < len(listed) or not set(listed) <= set(boxes):
        return False
    for box, z in fact["moved"]:
        sides = [axis[i : i + 2] for axis, i in zip(axes, box, strict=True)]
        if not all(a <= Fraction(x) <= b for (a, b), x in zip(sides, z, strict=True)):
            return False
        if away(left, right, z).dot(away(left, right, z)) < square:
            return False
    cost = sum(away(left, right, z).dot(away(left, right, z)) for z in product(*axes))
    bound = square * (len(listed) - shallow_units(fact) * most(axes)) / 2 ** len(axes)
    return (Fraction(fact["cost"]), Fraction(fact["bound"])) == (Fraction(str(cost)), bound)


SAYS = {
    "alternation": alternation,
    "covered": covered,
    "crossed-boxes": crossed_boxes,
    "grid-cost": grid_cost,
    "line-gaps": line_gaps,
}
