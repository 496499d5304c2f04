"""Minima that need no dual certificate: over a quantised class, by trying every net; over nets with one unit before the output, by the spread of the targets."""

from fractions import Fraction
from itertools import product

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.nets import Data, Net, number, numbers

LARGEST = 10_000  # nets


def least_in_class(fact: dict) -> None:
    """No shallow net of the same architecture with parameters from `grid` has a lower loss than `net`, which is such a net.

    The outputs have separate biases, so the best of them on the grid is found for each choice of the hidden units.
    """
    net, data, grid = Net(fact["net"]), Data(fact["data"]), numbers(fact["grid"])
    require(len(net.layers) == 2, "not a shallow net")
    d, n, m = net.widths
    parameters = [x for weights, bias in net.layers for row in [*weights, bias] for x in row]
    require(bool(grid) and len(set(grid)) == len(grid), "the grid lists a value twice, or none")
    require(all(x in grid for x in parameters), "a parameter of the net is not on the grid")
    require(n * (d + 1 + m) + m <= 20 and len(grid) ** (n * (d + 1 + m) + m) <= LARGEST, "too many nets")
    target = data.error(net)
    units = [_sent(unit, data.inputs, d) for unit in product(grid, repeat=d + 1 + m)]
    for chosen in product(units, repeat=n):
        error = Fraction(0)
        for k in range(m):
            left = [y[k] - sum(unit[i][k] for unit in chosen) for i, y in enumerate(data.targets)]
            error += min(sum(((r - c) ** 2 for r in left), Fraction(0)) for c in grid)
        require(error >= target, "a net of the class has a lower loss")


def _sent(unit, inputs, d: int) -> list[list[Fraction]]:
    """What the unit (w, b, a) sends to each output at each input."""
    weights, bias, outgoing = unit[:d], unit[d], unit[d + 1 :]
    active = [max(sum((w * x for w, x in zip(weights, z, strict=True)), bias), Fraction(0)) for z in inputs]
    return [[a * h for a in outgoing] for h in active]


def best_line(fact: dict) -> None:
    """No net whose last hidden layer has one unit has a lower loss than `net`, which is such a net, whatever its other layers are.

    The outputs c + a h_i of such a net lie on a line.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    require(len(net.layers) >= 2 and net.widths[-2] == 1, "the last hidden layer has not one unit")
    require(_no_closer_line(data, data.error(net)), "a line is closer to the targets")


def line_bound(fact: dict) -> None:
    """No net whose last hidden layer has one unit, or none, has a summed squared error below `error`, whatever its other layers are."""
    require(_no_closer_line(Data(fact["data"]), number(fact["error"])), "a line is closer to the targets")


def _no_closer_line(data: Data, error: Fraction) -> bool:
    """Whether the squared distances of the targets to any line sum to `error` at least.

    The least sum is tr S - lambda, S the scatter about the mean and lambda its largest eigenvalue; lambda <= t exactly if
    t I - S is positive semidefinite.
    """
    count, m = len(data.targets), len(data.targets[0])
    mean = [sum(column) / count for column in zip(*data.targets, strict=True)]
    away = [[y - c for y, c in zip(row, mean, strict=True)] for row in data.targets]
    scatter = [[sum(row[i] * row[j] for row in away) for j in range(m)] for i in range(m)]
    rest = sum(scatter[k][k] for k in range(m)) - error
    return _positive_semidefinite([[rest * (i == j) - scatter[i][j] for j in range(m)] for i in range(m)])


def _positive_semidefinite(matrix: list[list[Fraction]]) -> bool:
    """By symmetric elimination: a pivot must not be negative, and where it is 0 so is the rest of its row."""
    if not matrix:
        return True
    (pivot, *row), *others = matrix
    if pivot < 0 or (pivot == 0 and any(row)):
        return False
    rest = [line[1:] for line in others]
    if pivot:
        rest = [[x - a * b / pivot for x, b in zip(line, row, strict=True)] for line, a in zip(rest, row, strict=True)]
    return _positive_semidefinite(rest)
