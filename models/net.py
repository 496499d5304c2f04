"""Exact multilayer perceptrons: rational weights, ReLU between the layers, affine output.

The definition is `MLP.__call__`; `MLP.outputs` is the batched integer fast path that must agree with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from operator import mul
from typing import Any, assert_never

import numpy as np

from proof_of_absence.models.layers import Affine, Layer, check_chain
from proof_of_absence.models.rational import Matrix, Number, Numbers, Vector, matrix, vector

__all__ = ["MLP", "Layer", "relu", "shallow"]

# Every integer of at most this size is a float64, and so is every partial sum bounded by it.
FLOAT64_EXACT = 2**53
# Products in a batch up to which lists are faster than arrays.
FEW = 2000


def relu(value: Fraction) -> Fraction:
    """max(value, 0)."""
    return value if value > 0 else Fraction(0)


@dataclass(frozen=True)
class MLP:
    """A ReLU network over the rationals, of any depth (the nets of docs/DESIGN.md, section 2, have two layers).

    Parameters
    ----------
    layers
        From the input to the output; ReLU stands between two of them.

    Raises
    ------
    ValueError
        If there is no layer, or a layer's fan-in is not the fan-out of the one before.

    Examples
    --------
    >>> net = MLP([Affine([[1], [-1]], [0, 0]), Affine([[1, 1]], [0])])  # |z|
    >>> net([-3])
    (Fraction(3, 1),)
    """

    layers: tuple[Layer, ...]

    def __init__(self, layers: Iterable[Layer]) -> None:
        object.__setattr__(self, "layers", tuple(layers))
        check_chain(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Input dimension, hidden widths, output dimension."""
        return (self.layers[0].fan_in, *(layer.fan_out for layer in self.layers))

    def activations(self, z: Numbers) -> tuple[Vector, ...]:
        """Input, then the post-activation values of each hidden layer, then the output."""
        values = [vector(z)]
        for layer in self.layers[:-1]:
            values.append(tuple(map(relu, layer(values[-1]))))
        values.append(self.layers[-1](values[-1]))
        return tuple(values)

    def __call__(self, z: Numbers) -> Vector:
        """f(z), exactly."""
        return self.activations(z)[-1]

    def outputs(self, inputs: Iterable[Numbers]) -> Matrix:
        """f at every input, shape (N, m): the same values as ``[net(z) for z in inputs]``, faster.

        Weights and activations are cleared of denominators. Where a bound shows that no partial sum
        can leave the integers that float64 represents, BLAS computes the exact product; elsewhere
        Python integers do.

        Raises
        ------
        ValueError
            If an input has another dimension than the net reads.
        """
        points = matrix(inputs)
        if not points:
            return ()
        if len(points[0]) != self.layers[0].fan_in:
            raise ValueError(f"inputs of dimension {len(points[0])}, a net that reads {self.layers[0].fan_in} values")
        cleared, scale = _cleared(points)
        # Few numbers are faster without arrays.
        few = len(points) * sum(layer.fan_in * layer.fan_out for layer in self.layers) <= FEW
        values: Any = cleared if few else _array(cleared)
        for number, layer in enumerate(self.layers):
            match layer:
                case Affine(weights, bias):
                    rows, denominator = _cleared([(*row, b) for row, b in zip(weights, bias, strict=True)])
                    last = number == len(self.layers) - 1
                    values = (_in_lists if few else _in_arrays)(values, rows, scale, last=last)
                    scale *= denominator
                case _:
                    assert_never(layer)
        return tuple(tuple(Fraction(int(v), scale) for v in row) for row in values)


def shallow(hidden: Iterable[tuple[Numbers, Number, Sequence[Number]]], bias: Sequence[Number]) -> MLP:
    """The net ``c + sum_j a_j relu(w_j . z + b_j)`` of docs/DESIGN.md, section 2, from triples (w_j, b_j, a_j) and c.

    Examples
    --------
    >>> shallow([([1], 0, [2])], [1])([3])
    (Fraction(7, 1),)
    """
    units = list(hidden)
    outgoing = [[unit[2][k] for unit in units] for k in range(len(bias))]
    return MLP((Affine([w for w, _, _ in units], [b for _, b, _ in units]), Affine(outgoing, bias)))


def _cleared(rows: Iterable[Vector]) -> tuple[list[list[int]], int]:
    """An integer matrix M and D > 0 with rows = M / D."""
    rows = list(rows)
    denominator = lcm(*{entry.denominator for row in rows for entry in row})
    return [[entry.numerator * (denominator // entry.denominator) for entry in row] for row in rows], denominator


def _array(rows: list[list[int]]) -> np.ndarray:
    return np.array(rows, dtype=object).reshape(len(rows), len(rows[0]))


def _in_lists(values: list[list[int]], rows: list[list[int]], scale: int, *, last: bool) -> list[list[int]]:
    """A layer's values; each row of weights has its bias at the end, which `scale` belongs to."""
    sums = [[sum(map(mul, row, z), row[-1] * scale) for row in rows] for z in values]
    return sums if last else [[max(value, 0) for value in row] for row in sums]


def _in_arrays(values: np.ndarray, rows: list[list[int]], scale: int, *, last: bool) -> np.ndarray:
    """The same on arrays."""
    table = _array(rows)
    sums = _affine(values, table[:, :-1], table[:, -1] * scale)
    return sums if last else np.maximum(sums, 0)


def _affine(values: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """values @ weights.T + bias over the integers, through float64 where that is exact."""
    bound = abs(values).max() * abs(weights).sum(axis=1).max() + abs(bias).max()
    largest = max(bound, abs(values).max(), abs(weights).max())
    if largest >= FLOAT64_EXACT:
        return np.asarray(values.dot(weights.T) + bias)
    product: np.ndarray = values.astype(np.float64) @ weights.T.astype(np.float64) + bias.astype(np.float64)
    return product.astype(np.int64).astype(object)
