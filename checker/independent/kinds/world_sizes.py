"""How large a detector of each deployment input must be in a world without mixing (C10).

A detector is a circuit that is idle in training and fires at the input.
"""

from fractions import Fraction
from itertools import pairwise
from math import lcm
from operator import mul
from typing import Any

from proof_of_absence.checker.independent.refusal import Refused, require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import dot, number, numbers
from proof_of_absence.checker.independent.values.world import Case, Mixture, encode

Vector = list[Fraction]
# Weights, bias and output weight.
Unit = tuple[Vector, Fraction, Fraction]


def world_sizes(fact: Fact) -> None:
    """For each case of deployment the size of the smallest detector is as stated.

    The units given are as many, idle in training and fire. One is not enough where the case is a convex combination of
    training inputs, and two are not where it lies on a line with two of them on each side (C10). `shares` are the
    probabilities of the sizes at deployment, `mean` their mean.
    """
    world = Mixture(fact, Fraction(0))
    inputs = {case: encode(case) for case in world.training}
    whole = [[int(x) for x in z] for z in inputs.values()]
    found: dict[Case, int] = {}
    for entry in fact["cases"]:
        case = tuple(entry["case"])
        require(case in world.deployment and case not in found, "no case of deployment, or one listed twice")
        found[case] = _size(entry, case, inputs, whole)
    require(set(found) == set(world.deployment), "a case of deployment is missing")
    shares: dict[str, Fraction] = {}
    for case, size in found.items():
        shares[str(size)] = shares.get(str(size), Fraction(0)) + world.deployment[case]
    require_equal("the shares of the sizes", {size: number(p) for size, p in fact["shares"].items()}, shares)
    mean = sum((int(size) * p for size, p in shares.items()), Fraction(0))
    require_equal("the mean size", number(fact["mean"]), mean)


def _size(entry: Fact, case: Case, inputs: dict[Case, Vector], whole: list[list[int]]) -> int:
    """The size of a detector, once it is seen to be one, and none to be smaller. `whole` are the same inputs."""
    size: int = entry["size"]
    point, units = encode(case), [(numbers(w), number(b), number(a)) for w, b, a in entry["units"]]
    require(len(units) == size, "not a detector of that size")
    require(all(len(w) == len(point) for w, _, _ in units), "a unit has as many weights as an input has entries")
    cleared = [_cleared(*unit) for unit in units]
    require(not any(_sends(cleared, z) for z in whole), f"the detector of {case} is not idle")
    require(_sends(cleared, [int(x) for x in point]), f"the detector of {case} does not fire")
    if size == 2:
        _inside(inputs, point, entry["combination"])
    elif size != 1:
        require(size == 3, "a detector has one to three units")
        _two_sided([inputs[tuple(row)] for row in entry["line"]], point)
    return size


def _cleared(w: Vector, b: Fraction, a: Fraction) -> tuple[list[int], int, Fraction]:
    """The same unit with integer weights and bias; what it sends at any input is the same."""
    scale = lcm(b.denominator, *(x.denominator for x in w))
    return [int(x * scale) for x in w], int(b * scale), a / scale


def _sends(units: list[tuple[list[int], int, Fraction]], z: list[int]) -> bool:
    """Whether the units together send anything but 0."""
    active = [max(sum(map(mul, w, z), b), 0) for w, b, _ in units]
    return any(active) and dot([a for _, _, a in units], active) != 0


def _inside(inputs: dict[Case, Vector], point: Vector, combination: Any) -> None:
    weights = [(inputs[tuple(case)], number(weight)) for case, weight in combination]
    require(all(w >= 0 for _, w in weights) and sum(w for _, w in weights) == 1, "not a convex combination")
    combined = [sum((w * z[k] for z, w in weights), Fraction(0)) for k in range(len(point))]
    require_equal("the point that is combined", point, combined)


def _two_sided(four: list[Vector], point: Vector) -> None:
    """Inputs in order along a line, the point between the second and the third."""
    require(len(four) == 4, "four inputs are needed")
    direction = [b - a for a, b in zip(four[0], four[-1], strict=True)]
    axis = next((k for k, step in enumerate(direction) if step), None)
    if axis is None:
        raise Refused("the inputs are no line")
    places = []
    for z in (*four[:2], point, *four[2:]):
        t = (z[axis] - four[0][axis]) / direction[axis]
        require(all(a + t * step == x for a, step, x in zip(four[0], direction, z, strict=True)), "not on one line")
        places.append(t)
    require(all(a < b for a, b in pairwise(places)), "not two inputs on each side")


KINDS = {"world-sizes": world_sizes}
