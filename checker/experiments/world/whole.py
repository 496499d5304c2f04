"""The price of a detector in the whole world (d = 6), between bounds:
from typing import Any
from nets above, from its lines of hours and from C12 below.
"""

from fractions import Fraction
from itertools import product
from typing import Any

from proof_of_absence.checker.construct.gap import Gauge, best_unit, gauge
from proof_of_absence.checker.experiments.world.cells import setting
from proof_of_absence.checker.experiments.world.prices import least_losses, variance
from proof_of_absence.checker.kernel.certificate import net_json
from proof_of_absence.checker.numbers.linear_algebra import inner, solve_some
from proof_of_absence.models.circuit import Unit, add_unit, prune, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, relu, shallow
from proof_of_absence.models.policies import IMITATOR
from proof_of_absence.models.world import QUESTIONS, TAMPERINGS, World

__all__ = ["bounds", "refitted"]


def refitted(net: MLP, data: Dataset) -> MLP:
    """The shallow net (m = 1) with the same hidden units and the best output weights and bias for them."""
    hidden = net.layers[0]
    rows = [[Fraction(1), *map(relu, hidden(group.input))] for group in data.groups]
    weighted = [[group.multiplicity * x for x in row] for group, row in zip(data.groups, rows, strict=True)]
    gram = [[inner(a, b) for b in zip(*rows, strict=True)] for a in zip(*weighted, strict=True)]
    right = [inner(column, [group.mean_target[0] for group in data.groups]) for column in zip(*weighted, strict=True)]
    solution = solve_some(gram, right)
    if solution is None:
        raise ArithmeticError("normal equations always have a solution")
    shift, *outgoing = solution
    return MLP((hidden, Affine([outgoing], [shift])))


def _nets(data: Dataset, units: int, along: Gauge) -> list[MLP]:
    """A net of low loss for each number of units: two chains, from nothing and from the imitator,
    one unit of C12 after the other.
    """
    mean = sum(y for (y,) in data.targets) / len(data)
    idle = [0] * len(data.inputs[0])
    found = []
    for start, first in ((shallow([(idle, 0, [0])], [mean]), 1), (prune(IMITATOR, {Unit(1, j) for j in (2, 3, 4)}), 2)):
        net = start
        for n in range(first, units + 1):
            if n == 1:
                if best := best_unit(net, data, along):
                    net = reassign(net, {Unit(1, 0): (along.direction, best.bias, best.outgoing)})
            elif n > first and (best := best_unit(net, data, along)):
                net = add_unit(net, along.direction, best.bias, best.outgoing)
            net = refitted(net, data)
            found.append(net)
    return found


def bounds(world: World, case: tuple[int, int, int], units: int) -> dict[str, Any]:
    """Bounds of L*(n - k) - L*(n) for k = 1, 2, 3 and n up to `units`, in the world without mixing.

    A net of n units is one of n units on each line of hours, so the least loss is at least the mean of the lines' least
    losses; the line of `case` gives them for all lines with the same answers or their complements. See
    `checker.independent.kinds.world_bounds`.
    """
    data, line = world.dataset(), world.line(*case)
    along = gauge([group.input for group in data.groups])
    gap = along.gap(len(data))
    nets = _nets(data, units, along)
    above = [variance(data)]
    for n in range(1, units + 1):
        above.append(min([above[-1], *(data.loss(net) for net in nets if net.widths[1] == n)]))
    known, minima = least_losses(line, units)
    answers = line.targets
    below = above[:1]
    for n in range(1, units + 1):
        total = Fraction(0)
        for diamond, tampering, question in product((0, 1), TAMPERINGS, QUESTIONS):
            if weight := world.tampering[tampering]:
                other = world.line(diamond, tampering, question)
                alike = other.targets in (answers, tuple((1 - y,) for (y,) in answers))
                least = known[n] if alike else other.noise_floor
                total += Fraction(weight, 4 * sum(world.tampering)) * least
        below.append(max(total, data.noise_floor))
    rows = []
    for n in range(1, units + 1):
        for size in range(1, min(n, 3) + 1):
            low = max(below[n - size] - above[n], gap * (below[n - size] - data.noise_floor))
            rows.append({"units": n, "size": size, "low": str(low), "high": str(above[n - size] - below[n])})
    shown: dict[str, Any] = {"direction": [str(x) for x in along.direction], "separation": str(along.separation)}
    shown |= {"spread": str(along.spread), "gap": str(gap), "nets": [net_json(net) for net in nets]}
    return {"kind": "world-bounds", **setting(world), "case": list(case), "minima": minima, **shown, "prices": rows}
