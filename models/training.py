"""Local optimisation, exactly: the gradient of a shallow net's squared loss, a step of gradient descent, weight decay.

The derivative of ReLU at 0 is taken to be 0; elsewhere the gradient is the true one. Each step triples numbers' length.
"""

from collections.abc import Callable
from fractions import Fraction

from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Number, Vector, rational

__all__ = ["gradient", "gradient_step", "is_dead", "weight_decay"]


def is_dead(net: MLP, unit: Unit, data: Dataset) -> bool:
    """Whether the unit of the first hidden layer has a negative pre-activation on every training input."""
    row, bias = net.layers[0].weights[unit.index], net.layers[0].bias[unit.index]
    return all(sum((w * x for w, x in zip(row, z, strict=True)), start=bias) < 0 for z in data.inputs)


def gradient(net: MLP, data: Dataset) -> MLP:
    """The partial derivatives of L, laid out as the net whose parameters they belong to.

    Raises
    ------
    ValueError
        If the net has not one hidden layer.

    Examples
    --------
    >>> from proof_of_absence.models.net import shallow
    >>> gradient(shallow([([1], 0, [1])], [0]), Dataset([[2]], [[1]])).layers[0].weights  # 2 (f - y) a z
    ((Fraction(4, 1),),)
    """
    if len(net.layers) != 2:
        raise ValueError("the gradient is implemented for one hidden layer")
    output = net.layers[1]
    d, n, m = net.widths
    weights = [[Fraction(0)] * d for _ in range(n)]
    bias = [Fraction(0)] * n
    outgoing = [[Fraction(0)] * n for _ in range(m)]
    shift = [Fraction(0)] * m
    for z, y in zip(data.inputs, data.targets, strict=True):
        _, values, outputs = net.activations(z)
        delta = [Fraction(2, len(data)) * (f - t) for f, t in zip(outputs, y, strict=True)]
        for k in range(m):
            shift[k] += delta[k]
            for j in range(n):
                outgoing[k][j] += delta[k] * values[j]
        for j in range(n):
            if values[j] > 0:  # hence so is the pre-activation
                back = sum((output.weights[k][j] * delta[k] for k in range(m)), start=Fraction(0))
                bias[j] += back
                weights[j] = [g + back * x for g, x in zip(weights[j], z, strict=True)]
    return MLP((Affine(weights, bias), Affine(outgoing, shift)))


def gradient_step(net: MLP, data: Dataset, eta: Number) -> MLP:
    """theta - eta * gradient of L."""
    rate = rational(eta)
    return _combined(net, gradient(net, data), lambda value, slope: value - rate * slope)


def weight_decay(net: MLP, rho: Number) -> MLP:
    """Every parameter, biases included, times rho."""
    kept = rational(rho)
    return _combined(net, net, lambda value, _: kept * value)


def _combined(left: MLP, right: MLP, function: Callable[[Fraction, Fraction], Fraction]) -> MLP:
    def row(a: Vector, b: Vector) -> list[Fraction]:
        return [function(x, y) for x, y in zip(a, b, strict=True)]

    return MLP(
        tuple(
            Affine([row(x, y) for x, y in zip(a.weights, b.weights, strict=True)], row(a.bias, b.bias))
            for a, b in zip(left.layers, right.layers, strict=True)
        )
    )
