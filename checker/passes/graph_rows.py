"""What each entry of an affine layer reads, with which numbers, and what is added: exactly, entry by entry."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import prod
from typing import TypeAlias, assert_never

import numpy as np

from proof_of_absence.checker.passes.graph_affine import back
from proof_of_absence.models.graph_layers import (
    AveragePool,
    BatchNorm,
    Clip,
    Concat,
    Conv,
    Dense,
    GraphLayer,
    LeakyRelu,
    MaxPool,
    Rearrange,
    Relu,
    Scale,
    Shape,
    Sum,
)

__all__ = ["Rows", "rows_of", "shift_of"]

# Of each value that is read, entries with their numbers, none of which is 0.
Rows: TypeAlias = list[list[tuple[int, Fraction]]]
# Entries whose coefficients are made at a time.
TOGETHER = 256


def shift_of(layer: GraphLayer, shape: Shape) -> Callable[[int], Fraction]:
    """What an affine layer adds to an entry."""
    size = prod(shape)
    match layer:
        case Dense(bias=bias):
            return lambda entry: Fraction(bias[entry % len(bias)].item())
        case Conv(bias=bias):
            return lambda entry: Fraction(bias[entry * len(bias) // size].item())
        case Scale(shift=shift):
            each = np.broadcast_to(shift, shape).reshape(-1)
            return lambda entry: Fraction(each[entry])
        case Rearrange(index=index, fill=fill):
            return lambda entry: fill if index.reshape(-1)[entry] < 0 else Fraction(0)
        case _:
            return lambda entry: Fraction(0)


def rows_of(layer: GraphLayer, entries: np.ndarray, below: Sequence[Shape], shape: Shape) -> Iterator[tuple[int, Rows]]:
    """For each entry of an affine layer what it reads with which numbers."""
    match layer:
        case Dense() | Conv() | Concat() | AveragePool():
            for start in range(0, len(entries), TOGETHER):
                some = entries[start : start + TOGETHER]
                first = np.zeros((len(some), prod(shape)))
                first[np.arange(len(some)), some] = 1
                # One entry at a time: each product is by 1 and each sum of one number, so that nothing is rounded.
                found = back(layer, first, below)
                for row, entry in enumerate(some.tolist()):
                    yield entry, [_weighted(layer, part[row], entry) for part in found]
        case Scale(factor=factor):
            each = np.broadcast_to(factor, shape).reshape(-1)
            yield from ((e, [[(e, Fraction(each[e]))] if each[e] else []]) for e in entries.tolist())
        case Sum(signs=signs):
            yield from ((e, [[(e, Fraction(sign))] for sign in signs]) for e in entries.tolist())
        case Rearrange(index=index):
            flat = index.reshape(-1)
            yield from ((e, [[(int(flat[e]), Fraction(1))] if flat[e] >= 0 else []]) for e in entries.tolist())
        case BatchNorm() | Relu() | LeakyRelu() | Clip() | MaxPool():
            raise TypeError(f"{type(layer).__name__} is not rational and affine")
        case _:
            assert_never(layer)


def _weighted(layer: Dense | Conv | Concat | AveragePool, row: np.ndarray, entry: int) -> list[tuple[int, Fraction]]:
    places = np.flatnonzero(row).tolist()
    if isinstance(layer, AveragePool):
        divisors = layer.divisors.reshape(-1)
        share = Fraction(1, int(divisors[entry % len(divisors)]))
        return [(k, share) for k in places]
    return [(k, Fraction(row[k].item())) for k in places]
