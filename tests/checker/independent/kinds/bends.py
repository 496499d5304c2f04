"""What is said of bends, by sympy's points on a line and their order along it."""

from itertools import pairwise

import sympy

from tests.checker.independent.kinds.read import dataset_of


def bends(fact):
    data = dataset_of(fact["data"])
    k = fact["output"]
    if type(k) is not int or not 0 <= k < len(data.targets[0]):
        return False
    known = {tuple(map(sympy.Rational, group.input)) for group in data.groups}
    for name, sign in (("up", 1), ("down", -1)):
        triples = [[tuple(map(sympy.Rational, z)) for z in triple] for triple in fact[name]]
        if any(len(triple) != 3 or not set(triple) <= known for triple in triples):
            return False
        points = [sympy.Matrix([z]) for triple in triples for z in triple]
        if points and not in_order(points):
            return False
        for p, q, r in triples:
            # The height of the chord at q, from the line through the points (place, mean).
            places = [sum((a - b) ** 2 for a, b in zip(z, p, strict=True)) for z in (p, q, r)]
            s = sympy.sqrt(places[1] / places[2])
            left, middle, right = (mean(data, z, k) for z in (p, q, r))
            if not sign * (left + s * (right - left) - middle) > 0:
                return False
    return fact["units"] == len(fact["up"]) + len(fact["down"])


def mean(data, z, k):
    """The mean of the targets at an input."""
    found = [y[k] for x, y in zip(data.inputs, data.targets, strict=True) if tuple(map(sympy.Rational, x)) == z]
    return sympy.Rational(sum(found)) / len(found)


def in_order(points):
    """Whether p < q < r <= p' < q' < r' .. along one line."""
    way = points[-1] - points[0]
    if way.is_zero_matrix or sympy.Matrix.vstack(*(p - points[0] for p in points)).rank() > 1:
        return False
    along = [(p - points[0]).dot(way) for p in points]
    return all(a < b if at % 3 != 2 else a <= b for at, (a, b) in enumerate(pairwise(along)))


SAYS = {"bends": bends}
