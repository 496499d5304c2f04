"""Every value of a graph over a box of inputs, between two floats: interval bounds, rounded outwards.

They start the linear bounds of `graph_bounds`, which are closer; alone they decide what is constant for all inputs.
"""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple, assert_never

import numpy as np

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.numbers.rounding import TINY, UP, gamma
from proof_of_absence.checker.passes.graph_affine import AffineLayer, shift_of, terms, times
from proof_of_absence.checker.passes.graph_constants import edge
from proof_of_absence.models.graph import Graph
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

__all__ = ["Span", "intervals", "through"]


class Span(NamedTuple):
    """low <= exact <= high, entry by entry: float64, flattened; infinite where nothing is known."""

    low: np.ndarray
    high: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """No less than the absolute value of any number in the span."""
        return np.asarray(np.maximum(np.abs(self.low), np.abs(self.high)))


def intervals(graph: Graph, box: Span) -> list[Span]:
    """The box and the span of each node over it.

    Parameters
    ----------
    box
        Shape (d,) each, finite floats.

    Notes
    -----
    An affine map takes a span of middle m and half width r to within ``|W| r`` of ``W m + b``. What is rounded there,
    with k + 4 roundings of each of k products, is at most ``gamma (|W| (|m| + r) + |b|)``; weights that are no floats
    take part in one rounding more. Activations and pools are monotone, but for a leaky one of negative slope.
    """
    found = [box]
    for number, node in enumerate(looking(graph.nodes), 1):
        below, shapes = [found[k] for k in node.reads], [graph.shapes[k] for k in node.reads]
        found.append(through(node.layer, below, shapes, graph.sizes[number]))
    return found


def through(layer: GraphLayer, below: Sequence[Span], shapes: Sequence[Shape], size: int) -> Span:
    """The span of one node, of so many entries, from those of what it reads."""
    with np.errstate(all="ignore"):
        low, high = _through(layer, below, shapes, size)
        unknown = ~(np.isfinite(low) & np.isfinite(high))
        return Span(np.where(unknown, -inf, low), np.where(unknown, inf, high))


def _through(layer: GraphLayer, below: Sequence[Span], shapes: Sequence[Shape], size: int) -> Span:
    first, shape = below[0], shapes[0]
    match layer:
        case Dense() | Conv() | AveragePool() | Scale() | BatchNorm() | Sum() | Concat() | Rearrange():
            return _affine(layer, below, shapes, size)
        case MaxPool(window=window):
            index = window.index(shape[1:])
            padded = (np.pad(end.reshape(shape[0], -1), ((0, 0), (0, 1)), constant_values=-inf) for end in first)
            return Span(*(end[:, index].max(axis=2).reshape(-1) for end in padded))
        case Relu():
            return Span(np.maximum(first.low, 0), np.maximum(first.high, 0))
        case LeakyRelu(slope=slope):
            near, off = edge(slope)
            ends = [np.where(end >= 0, end, near * end) for end in first]
            wide = np.where(first.low < 0, (off + (abs(near) + off) * 2.0**-52) * first.size * UP + TINY, 0)
            low, high = np.minimum(*ends), np.maximum(*ends)
            # One of negative slope has its least value at 0.
            low = np.where((first.low < 0) & (first.high > 0), np.minimum(low, 0), low)
            return Span(np.where(wide > 0, np.nextafter(low - wide, -inf), low),
                        np.where(wide > 0, np.nextafter(high + wide, inf), high))  # fmt: skip
        case Clip(low=least, high=most):
            low, high = first
            for end, cut in ((least, np.maximum), (most, np.minimum)):
                if end is not None:
                    near, off = edge(end)
                    low = cut(low, np.nextafter(near - off, -inf) if off else near)
                    high = cut(high, np.nextafter(near + off, inf) if off else near)
            return Span(low, high)
        case _:
            assert_never(layer)


def _affine(layer: AffineLayer, below: Sequence[Span], shapes: Sequence[Shape], size: int) -> Span:
    if isinstance(layer, Concat | Rearrange):
        near, off = shift_of(layer, shapes[0], size)
        ends = [times(layer, [span[k] for span in below], shapes) + near for k in (0, 1)]
        return Span(*(np.where(off > 0, np.nextafter(end + sign * off, sign * inf), end)
                      for end, sign in zip(ends, (-1, 1), strict=True)))  # fmt: skip
    middles = [span.low / 2 + span.high / 2 for span in below]
    halves = [np.maximum(span.high - m, m - span.low) * UP + np.where(span.high > span.low, TINY, 0)
              for span, m in zip(below, middles, strict=True)]  # fmt: skip
    shift = shift_of(layer, shapes[0], size)
    value = times(layer, middles, shapes) + shift.near
    sizes = times(layer, [np.abs(m) + r for m, r in zip(middles, halves, strict=True)], shapes, sizes=True)
    count = terms(layer, shapes[0])
    width = times(layer, halves, shapes, sizes=True)
    rounded = gamma(count) * (sizes + np.abs(shift.near)) + shift.off
    # Where nothing but zeros is added up nothing underflows either.
    rounded += np.where((sizes > 0) | (shift.near != 0), 4 * count * TINY, 0)
    radius = (width * (1 + 2 * gamma(count)) + rounded) * UP
    return Span(np.where(radius > 0, np.nextafter(value - radius, -inf), value),
                np.where(radius > 0, np.nextafter(value + radius, inf), value))  # fmt: skip
