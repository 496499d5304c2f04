"""The least loss in a quantised class of shallow nets, by trying every net."""

from fractions import Fraction
from itertools import product
from math import lcm

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, Vector, dot, numbers

LARGEST = 10_000  # nets


def least_in_class(fact: Fact) -> None:
    """No shallow net of its architecture with parameters from `grid` has a lower loss than `net`, which is such a net.

    The outputs have separate biases, so the best of them on the grid is found for each choice of the hidden units.
    """
    net, data, grid = Net(fact["net"]), Data(fact["data"]), numbers(fact["grid"])
    require(len(net.layers) == 2, "not a shallow net")
    d, n, m = net.widths
    parameters = [x for weights, bias in net.layers for row in [*weights, bias] for x in row]
    require(bool(grid) and len(set(grid)) == len(grid), "the grid lists a value twice, or none")
    require(all(x in grid for x in parameters), "a parameter of the net is not on the grid")
    require(n * (d + 1 + m) + m <= 20 and len(grid) ** (n * (d + 1 + m) + m) <= LARGEST, "too many nets")
    sent = [_sent(unit, data.inputs, d) for unit in product(grid, repeat=d + 1 + m)]
    # All in integers: outputs, targets and biases times `scale`, errors times its square.
    numbers_in_it = [*grid, *(x for unit in sent for row in unit for x in row), *(x for y in data.targets for x in y)]
    scale = lcm(*(x.denominator for x in numbers_in_it))
    units = [[[int(x * scale) for x in row] for row in unit] for unit in sent]
    targets, biases = [[int(x * scale) for x in y] for y in data.targets], [int(c * scale) for c in grid]
    least = data.error(net) * scale**2
    for chosen in product(units, repeat=n):
        error = 0
        for k in range(m):
            left = [y[k] - sum(unit[i][k] for unit in chosen) for i, y in enumerate(targets)]
            error += min(sum((r - c) ** 2 for r in left) for c in biases)
        require(error >= least, "a net of the class has a lower loss")


def _sent(unit: tuple[Fraction, ...], inputs: list[Vector], d: int) -> list[Vector]:
    """What the unit (w, b, a) sends to each output at each input."""
    weights, bias, outgoing = unit[:d], unit[d], unit[d + 1 :]
    active = [max(dot(weights, z, bias), Fraction(0)) for z in inputs]
    return [[a * h for a in outgoing] for h in active]


KINDS = {
    "least-in-class": least_in_class,
}
