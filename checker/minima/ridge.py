"""Linear regression on fixed features, the hidden units of a net:
ridge and minimum-norm solutions in closed form, exactly.

Both come from the normal equations, solved over Q; the features' net keeps its hidden layer and gets the
solution as output layer.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from proof_of_absence.checker.numbers.linear_algebra import inner, solve_some
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Matrix, Number, rational

__all__ = ["MinimumNorm", "minimum_norm", "ridge"]

Table = Sequence[Sequence[Fraction]]


class MinimumNorm(NamedTuple):
    """The net, and s of shape (m, n) with output weights F^T F s_k: they are in the row space of the features F."""

    net: MLP
    multipliers: Matrix


def ridge(net: MLP, data: Dataset, penalty: Number, *, intercept: bool) -> MLP:
    """Output weights of least sum_i |y_i - f(z_i)|^2 + penalty sum_j |a_j|^2; the intercept c is not penalised.

    Raises
    ------
    ValueError
        If the net is not shallow, or the penalty is not positive.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> ridge(shallow([([1], 0, [0])], [0]), Dataset([[1], [2]], [[1], [2]]), 5, intercept=False).layers[1].weights
    ((Fraction(1, 2),),)
    """
    penalty = rational(penalty)
    if penalty <= 0:
        raise ValueError(f"penalty {penalty} is not positive: use minimum_norm for penalty 0")
    features, means, columns, centres = _centred(net, data, intercept)
    gram = _gram(features)
    for j, row in enumerate(gram):
        row[j] += penalty
    return _with_output(net, [_solved(gram, _slopes(features, y)) for y in columns], means, centres)


def minimum_norm(net: MLP, data: Dataset, *, intercept: bool) -> MinimumNorm:
    """Of all output layers of least squared error, the one of least sum_j |a_j|^2.

    Raises
    ------
    ValueError
        If the net is not shallow.
    """
    features, means, columns, centres = _centred(net, data, intercept)
    gram = _gram(features)
    # F^T F F^T F s = F^T y has a solution always, and a = F^T F s is the same for every solution s.
    square = [[inner(row, column) for column in gram] for row in gram]
    multipliers = [_solved(square, _slopes(features, y)) for y in columns]
    weights = [[inner(row, s) for row in gram] for s in multipliers]
    return MinimumNorm(_with_output(net, weights, means, centres), tuple(map(tuple, multipliers)))


def _solved(rows: Table, right: Sequence[Fraction]) -> list[Fraction]:
    """A solution of normal equations, which always have one."""
    found = solve_some(rows, right)
    if found is None:
        raise ArithmeticError("normal equations without a solution")
    return found


def _centred(net: MLP, data: Dataset, intercept: bool) -> tuple[Table, list[Fraction], Table, list[Fraction]]:
    """Features and their means, targets by output and their means; with an intercept, the means are taken off."""
    if len(net.layers) != 2:
        raise ValueError("regression on the hidden units is for one hidden layer")
    features = [net.activations(z)[1] for z in data.inputs]
    columns = list(zip(*data.targets, strict=True))
    if not intercept:
        return features, [Fraction(0)] * net.widths[1], columns, [Fraction(0)] * len(columns)
    means = [sum(column, Fraction(0)) / len(data) for column in zip(*features, strict=True)]
    centres = [sum(y, Fraction(0)) / len(data) for y in columns]
    centred = [[x - mean for x, mean in zip(row, means, strict=True)] for row in features]
    return centred, means, [[t - at for t in y] for y, at in zip(columns, centres, strict=True)], centres


def _gram(features: Table) -> list[list[Fraction]]:
    columns = list(zip(*features, strict=True))
    return [[sum((a * b for a, b in zip(x, y, strict=True)), start=Fraction(0)) for y in columns] for x in columns]


def _slopes(features: Table, targets: Sequence[Fraction]) -> list[Fraction]:
    columns = zip(*features, strict=True)
    return [sum((x * t for x, t in zip(column, targets, strict=True)), start=Fraction(0)) for column in columns]


def _with_output(net: MLP, weights: Table, means: Sequence[Fraction], centres: Sequence[Fraction]) -> MLP:
    shift = [
        centre - sum((a * mean for a, mean in zip(row, means, strict=True)), start=Fraction(0))
        for row, centre in zip(weights, centres, strict=True)
    ]
    return MLP((net.layers[0], Affine(weights, shift)))
