"""C23: a point that is an average of training inputs on whose way no unit of two nets changes sign.

The difference of the nets there is the average of their differences in training.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from proof_of_absence.checker.construct.hull import Combination, Separation, TrainInput, locate
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Numbers, Vector, matrix, vector

__all__ = ["cell", "cover"]


def cell(nets: Iterable[MLP], inputs: Iterable[Numbers], point: Numbers) -> list[int]:
    """The inputs, by their places, at which every hidden unit of every net is on its side at the point.

    Where a unit is 0 at the point it must be 0 at the input too: an average of values of one sign is 0 only then.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> cell([shallow([([1], -2, [1])], [0])], [[0], [2], [3]], [1])
    [0, 1]
    """
    nets, x = list(nets), vector(point)
    here = [_before(net, x) for net in nets]
    chosen = []
    for row, z in enumerate(matrix(inputs)):
        pairs = [(p, q) for net, at in zip(nets, here, strict=True) for p, q in zip(at, _before(net, z), strict=True)]
        if all(p * q >= 0 and (p or not q) for p, q in pairs):
            chosen.append(row)
    return chosen


def cover(nets: Sequence[MLP], inputs: Iterable[Numbers], point: Numbers) -> Combination | None:
    """Weights of training inputs of the point's cell whose average it is, by their places; None if there are none.

    Nets may have any depth.

    Raises
    ------
    ValueError
        If the point or an input has another dimension than the nets.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> net = shallow([([1], -2, [1])], [0])
    >>> cover([net], [[0], [1], [3]], ["1/2"])
    Combination(weights={0: Fraction(1, 2), 1: Fraction(1, 2)})
    >>> cover([net], [[0], [1], [3]], [2]) is None
    True
    """
    inputs = matrix(inputs)
    rows = cell(nets, inputs, point)
    if not rows:
        return None
    match locate([inputs[row] for row in rows], point):
        case Combination(weights):
            return Combination({rows[j]: weight for j, weight in weights.items()})
        case TrainInput(j):
            return Combination({rows[j]: Fraction(1)})
        case Separation():
            return None


def _before(net: MLP, z: Vector) -> list[Fraction]:
    """The pre-activations of all hidden units."""
    values = net.activations(z)
    return [p for layer, below in zip(net.layers[:-1], values, strict=False) for p in layer(below)]
