"""The affine layers of a graph as linear maps in floats, forwards and backwards, with what their numbers are off by.

The rows of the tables that both interval bounds and linear bounds over a box read.
"""

from collections.abc import Sequence
from math import inf, prod
from typing import NamedTuple, TypeAlias, assert_never

import numpy as np

from proof_of_absence.checker.passes.graph_constants import edge, nearest, normalised
from proof_of_absence.models.graph_layers import (
    AveragePool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Rearrange,
    Scale,
    Shape,
    Sum,
)

__all__ = ["AFFINE", "AffineLayer", "Shift", "back", "shift_of", "terms", "times"]

AffineLayer: TypeAlias = Dense | Conv | AveragePool | Scale | BatchNorm | Sum | Concat | Rearrange
AFFINE = (Dense, Conv, AveragePool, Scale, BatchNorm, Sum, Concat, Rearrange)


class Shift(NamedTuple):
    """What an affine layer adds, float64 of the flattened value, and how far each is from the exact number at most."""

    near: np.ndarray
    off: np.ndarray


def terms(layer: AffineLayer, shape: Shape) -> int:
    """How many products an entry of the result, or of `back`, sums up at most, with a margin for their constants."""
    match layer:
        case Dense(weights=weights):
            return int(max(weights.shape)) + 4
        case Conv():
            return int(max(layer.matrices.shape[2], layer.window.size * len(layer.weights))) + 4
        case AveragePool(window=window):
            return window.size + 8
        case Scale() | BatchNorm():
            return 8
        case Sum(signs=signs):
            return len(signs) + 4
        case Concat() | Rearrange():
            return 4 + (layer.index.size if isinstance(layer, Rearrange) else 0)
        case _:
            assert_never(layer)


def times(
    layer: AffineLayer, below: Sequence[np.ndarray], shapes: Sequence[Shape], *, sizes: bool = False
) -> np.ndarray:
    """The layer without what it adds, at flattened float64 values; with `sizes` by the absolute values of its weights.

    Each weight is within 2^-52 of the exact one, relatively.
    """
    h, shape = below[0], shapes[0]
    match layer:
        case Dense(weights=weights):
            weights = np.abs(weights) if sizes else weights
            return np.asarray(h.reshape(-1, shape[-1]) @ weights.T).reshape(-1)
        case Conv():
            matrices = np.abs(layer.matrices) if sizes else layer.matrices
            read = np.append(h, 0.0)[layer.index(shape)]
            return np.asarray(matrices @ read.transpose(0, 2, 1)).reshape(-1)
        case AveragePool(window=window, divisors=divisors):
            padded = np.concatenate([h.reshape(shape[0], -1), np.zeros((shape[0], 1))], axis=1)
            return np.asarray(padded[:, window.index(shape[1:])].sum(axis=2) / divisors.reshape(-1)).reshape(-1)
        case Scale() | BatchNorm():
            factor = _factor(layer, shape)
            return np.asarray((np.abs(factor) if sizes else factor) * h)
        case Sum(signs=signs):
            return np.asarray(sum((1 if sizes else sign) * part for sign, part in zip(signs, below, strict=True)))
        case Concat(axis=axis):
            parts = [part.reshape(one) for part, one in zip(below, shapes, strict=True)]
            return np.concatenate(parts, axis).reshape(-1)
        case Rearrange(index=index):
            return np.asarray(np.append(h, 0.0)[index.reshape(-1)])
        case _:
            assert_never(layer)


def back(layer: AffineLayer, above: np.ndarray, shapes: Sequence[Shape]) -> list[np.ndarray]:
    """What rows of coefficients (rows, entries above) are as coefficients of each value that the layer reads."""
    rows, shape = len(above), shapes[0]
    match layer:
        case Dense(weights=weights):
            return [(above.reshape(-1, len(weights)) @ weights).reshape(rows, -1)]
        case Conv():
            groups, out, _ = layer.matrices.shape
            each = above.reshape(rows, groups, out, -1).transpose(0, 1, 3, 2) @ layer.matrices
            return [_scattered(each, layer.index(shape), prod(shape))]
        case AveragePool(window=window, divisors=divisors):
            each = above.reshape(rows * shape[0], 1, -1, 1) / divisors.reshape(-1, 1)
            index = window.index(shape[1:])[None]
            wide = np.broadcast_to(each, (*each.shape[:3], index.shape[2]))
            return [_scattered(wide, index, prod(shape[1:])).reshape(rows, -1)]
        case Scale() | BatchNorm():
            return [above * _factor(layer, shape)]
        case Sum(signs=signs):
            return [sign * above for sign in signs]
        case Concat(axis=axis):
            whole = (*shape[:axis], sum(one[axis] for one in shapes), *shape[axis + 1 :])
            ends = np.cumsum([one[axis] for one in shapes])[:-1]
            parts = np.split(above.reshape(rows, *whole), ends, axis=axis + 1)
            return [part.reshape(rows, -1) for part in parts]
        case Rearrange(index=index):
            found = np.zeros((prod(shape) + 1, rows))
            # It may read an entry many times.
            np.add.at(found, index.reshape(-1), above.T)
            return [found[:-1].T]
        case _:
            assert_never(layer)


def shift_of(layer: AffineLayer, shape: Shape, size: int) -> Shift:
    """What the layer adds to each of `size` entries; infinitely far off where no float is near."""
    none = np.zeros(size)
    match layer:
        case Dense(bias=bias):
            return Shift(np.tile(bias, size // len(bias)), none)
        case Conv(bias=bias):
            return Shift(np.repeat(bias, size // len(bias)), none)
        case Scale(shift=shift):
            return _shift(np.broadcast_to(nearest(shift), shape).reshape(-1))
        case BatchNorm():
            return _shift(_each(normalised(layer)[1], shape))
        case Rearrange(index=index, fill=fill):
            near, off = edge(fill)
            padded = index.reshape(-1) < 0
            return Shift(np.where(padded, near, 0.0), np.where(padded, off, 0.0))
        case AveragePool() | Sum() | Concat():
            return Shift(none, none)
        case _:
            assert_never(layer)


def _factor(layer: Scale | BatchNorm, shape: Shape) -> np.ndarray:
    if isinstance(layer, Scale):
        return np.broadcast_to(nearest(layer.factor), shape).reshape(-1)
    return _each(normalised(layer)[0], shape)


def _each(numbers: np.ndarray, shape: Shape) -> np.ndarray:
    return np.repeat(numbers, prod(shape) // len(numbers))


def _shift(near: np.ndarray) -> Shift:
    return Shift(near, np.where(np.isnan(near), inf, np.abs(near) * 2.0**-52))


def _scattered(each: np.ndarray, index: np.ndarray, size: int) -> np.ndarray:
    """Coefficients (rows, groups, positions, fan-in) added up at the entries that an index of those names; -1 is none.

    At one place of the kernel different positions read different entries, but for padding, which is left out.
    """
    found = np.zeros((len(each), size + 1))
    for place in range(index.shape[2]):
        for group in range(index.shape[0]):
            found[:, index[group, :, place]] += each[:, group, :, place]
    return found[:, :size]
