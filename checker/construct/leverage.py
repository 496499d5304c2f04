"""Leverage (C21): what it costs in training to move a shallow net's answer at one input by its output layer alone.

Either the input has a leverage h, and moving by w costs |w|^2 / h of the summed loss, or any move is free.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proof_of_absence.checker.construct.rank import features
from proof_of_absence.checker.numbers.linear_algebra import inner, solve_some
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Number, Numbers, Vector, matrix, rational, vector

__all__ = ["FreeMove", "Leverage", "leverage"]


@dataclass(frozen=True)
class Leverage:
    """`value` h = u . phi, where u, the `solution` of shape (n + 1,), solves M u = phi, the features of the input."""

    solution: Vector
    value: Fraction

    def moved(self, net: MLP, by: Numbers) -> MLP:
        """The net of least cost among those of the same features whose answer at the input is moved by that much.

        `by` has shape (m,). The net's output layer is to have least cost itself.
        """
        return _moved(net, [u / self.value for u in self.solution], by)


@dataclass(frozen=True)
class FreeMove:
    """`direction` b of shape (n + 1,): b . phi is 0 at all training inputs, and 1 at the input."""

    direction: Vector

    def moved(self, net: MLP, by: Numbers) -> MLP:
        """A net of the same training outputs whose answer at the input is moved by that much; `by` has shape (m,)."""
        return _moved(net, self.direction, by)


def leverage(net: MLP, inputs: Sequence[Numbers], point: Numbers, penalty: Number = 0) -> Leverage | FreeMove:
    """The leverage of an input on the features of a shallow net, or a direction in which a move is free.

    M = Phi^T Phi + penalty I, but that the constant feature is not penalised. With a positive penalty every input has
    a leverage.

    Raises
    ------
    ValueError
        If the net is not shallow, an input is of another dimension, there is none, or the penalty is negative.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> net = shallow([([1], -2, [1])], [0])
    >>> leverage(net, [[0], [1], [3]], [4]).value
    Fraction(9, 2)
    >>> leverage(net, [[0], [1], [2]], [4]).direction
    (Fraction(0, 1), Fraction(1, 2))
    """
    penalty = rational(penalty)
    if penalty < 0:
        raise ValueError(f"penalty {penalty} is negative")
    if len(net.layers) != 2:
        raise ValueError("the leverage is for one hidden layer")
    inputs = matrix(inputs)
    if not inputs:
        raise ValueError("the leverage needs at least one input")
    table, (there,) = features(net, inputs), features(net, [vector(point)])
    columns = list(zip(*table, strict=True))
    gram = [[inner(left, right) for right in columns] for left in columns]
    for j, row in enumerate(gram[1:], 1):
        row[j] += penalty
    solution = solve_some(gram, there)
    if solution is not None:
        return Leverage(tuple(solution), inner(solution, there))
    direction = solve_some([*table, there], [Fraction(0)] * len(table) + [Fraction(1)])
    if direction is None:
        raise ArithmeticError("neither a leverage nor a free move")
    return FreeMove(tuple(direction))


def _moved(net: MLP, direction: Iterable[Fraction], by: Numbers) -> MLP:
    """The net with output weights a + b w^T: b is the direction, w the move."""
    constant, *rest = direction
    hidden, output = net.layers
    moves = vector(by)
    rows = [[a + b * w for a, b in zip(row, rest, strict=True)] for row, w in zip(output.weights, moves, strict=True)]
    return MLP((hidden, Affine(rows, [c + constant * w for c, w in zip(output.bias, moves, strict=True)])))
