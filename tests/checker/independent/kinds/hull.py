"""What is said of points and convex hulls, by matrices of sympy."""

from fractions import Fraction

import sympy


def outside_hull(fact):
    (*w, b), *points = ([Fraction(x) for x in row] for row in (
        [*fact["weights"], fact["bias"]], [*fact["point"], 1], *([*z, 1] for z in fact["inputs"])
    ))  # fmt: skip
    beyond = [sympy.Matrix([[*w, b]]).dot(sympy.Matrix([p])) > 0 for p in points]
    return beyond[0] and not any(beyond[1:])


def inside_hull(fact):
    chosen, weights = ([row[k] for row in fact["combination"]] for k in (0, 1))
    weights = list(map(Fraction, weights))
    if len(set(chosen)) < len(chosen) or min(weights) < 0 or sum(weights) != 1:
        return False
    points = sympy.Matrix([list(map(Fraction, fact["inputs"][i])) for i in chosen])
    return sympy.Matrix([weights]) * points == sympy.Matrix([list(map(Fraction, fact["point"]))])


SAYS = {
    "inside-hull": inside_hull,
    "outside-hull": outside_hull,
}
