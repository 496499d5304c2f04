"""Nets with one unit before the output: their outputs lie on a line, and the targets' spread says how close."""

from fractions import Fraction

from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, number


def best_line(fact: Fact) -> None:
    """No net whose last hidden layer has one unit has a lower loss than `net`, which is such a net.

    Whatever its other layers are, the outputs c + a h_i of such a net lie on a line.
    """
    net, data = Net(fact["net"]), Data(fact["data"])
    require(len(net.layers) >= 2 and net.widths[-2] == 1, "the last hidden layer has not one unit")
    require(_no_closer_line(data, data.error(net)), "a line is closer to the targets")


def line_bound(fact: Fact) -> None:
    """No net whose last hidden layer has one unit, or none, has a summed squared error below `error`."""
    require(_no_closer_line(Data(fact["data"]), number(fact["error"])), "a line is closer to the targets")


def _no_closer_line(data: Data, error: Fraction) -> bool:
    """Whether the squared distances of the targets to any line sum to `error` at least.

    The least sum is tr S - lambda, S the scatter about the mean and lambda its largest eigenvalue; lambda <= t exactly
    if t I - S is positive semidefinite.
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


KINDS = {
    "best-line": best_line,
    "line-bound": line_bound,
}
