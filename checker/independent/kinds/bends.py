"""C20: the mean targets bend along two lines of inputs, at more places than a net has units."""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Vector, dot, rows


def bends(fact: Fact) -> None:
    """In each list triples of inputs follow one another on a line, and the means bend at the middle of each.

    They bend up in one list and down in the other: below and above the chord. There are `units` triples.
    """
    data, k = Data(fact["data"]), fact["output"]
    means = {z: mean for z, (_, mean) in data.means().items()}
    require(type(k) is int and 0 <= k < len(next(iter(means.values()))), "no such output")
    for name, sign in (("up", 1), ("down", -1)):
        triples = [rows(triple) for triple in fact[name]]
        require(all(len(triple) == 3 for triple in triples), "not three inputs")
        shares = _shares([z for triple in triples for z in triple])
        for at, triple in zip(range(0, len(shares), 3), triples, strict=True):
            for z in triple:
                require(tuple(z) in means, f"{[str(v) for v in z]} is no training input")
            first, middle, last = shares[at : at + 3]
            require(first < middle < last, "the middle is not between the ends")
            require(at == 0 or shares[at - 1] <= first, "the triples do not follow one another")
            left, at_middle, right = (means[tuple(z)][k] for z in triple)
            chord = ((last - middle) * left + (middle - first) * right) / (last - first)
            require(sign * (chord - at_middle) > 0, f"the means do not bend {name} there")
    require(type(fact["units"]) is int, "the units: not a whole number")
    require_equal("the units", fact["units"], len(fact["up"]) + len(fact["down"]))


def _shares(points: list[Vector]) -> list[Fraction]:
    """Where they lie on the line through the first and the last; refused if one does not."""
    if not points:
        return []
    first, way = points[0], [b - a for a, b in zip(points[0], points[-1], strict=True)]
    length = dot(way, way)
    require(length > 0, "the line has no direction")
    shares = [dot(way, [b - a for a, b in zip(first, z, strict=True)]) / length for z in points]
    for z, t in zip(points, shares, strict=True):
        require(z == [a + t * w for a, w in zip(first, way, strict=True)], "the inputs lie on no line")
    return shares


KINDS = {"bends": bends}
