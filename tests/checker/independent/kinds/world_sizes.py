"""What is said of the sizes of detectors in a world, by matrices of sympy."""

from fractions import Fraction

import sympy

from proof_of_absence.models.net import shallow
from proof_of_absence.models.world import encode
from tests.checker.independent.kinds.read import world_of
from tests.checker.independent.kinds.world_read import case_of, exact_table, unmixed


def world_sizes(fact):
    world = world_of(fact, fact["tampering"], 0)
    inputs = {case: encode(*case) for case in world.train_cases()}
    deployment = unmixed(world, 1).train_cases()
    mean = shares = 0
    left = dict(deployment)
    counted = {}
    for entry in fact["cases"]:
        case, size = case_of(entry["case"]), entry["size"]
        p, z = left.pop(case, None), encode(*case)
        if p is None or len(entry["units"]) != size or not 1 <= size <= 3:
            return False
        net = shallow([(w, b, [a]) for w, b, a in entry["units"]], [0])
        if any(net(u) != (0,) for u in inputs.values()) or net(z) == (0,):
            return False
        if size == 2 and not combines(entry["combination"], inputs, z):
            return False
        if size == 3 and not two_sided([inputs.get(case_of(row)) for row in entry["line"]], z):
            return False
        counted[str(size)] = counted.get(str(size), 0) + p
        mean += size * p
        shares += p
    return not left and exact_table(fact["shares"]) == counted and Fraction(fact["mean"]) == mean and shares == 1


def combines(combination, inputs, point):
    weights = [Fraction(weight) for _, weight in combination]
    points = [inputs.get(case_of(row)) for row, _ in combination]
    if None in points or min(weights) < 0 or sum(weights) != 1:
        return False
    return sympy.Matrix([weights]) * sympy.Matrix(points) == sympy.Matrix([point])


def two_sided(four, point):
    if None in four or len(four) != 4:
        return False
    steps = sympy.Matrix([[a - b for a, b in zip(z, point, strict=True)] for z in four])
    along = [steps.row(i).dot(steps.row(3)) for i in range(4)]
    return steps.rank() == 1 and along[0] < along[1] < 0 < along[2] < along[3]


SAYS = {
    "world-sizes": world_sizes,
}
