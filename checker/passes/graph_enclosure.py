"""Rigorous forward passes over a graph: each value in float64, and for every entry how far the exact one can be.

A filter: signs and differences that the radius decides need no exact arithmetic; the rest goes to `passes.graph_exact`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, prod
from typing import NamedTuple, assert_never

import numpy as np

from proof_of_absence.checker.numbers.deadline import looking
from proof_of_absence.checker.numbers.rounding import UP, gamma
from proof_of_absence.checker.passes.graph_constants import LEAST, U32, UP32, WITHIN, edge, nearest, normalised
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
    Sum,
)

__all__ = ["GraphBall", "GraphPass", "balls", "blocks"]

# What a weight other than 0 counts as at least in a radius: times LEAST it is no subnormal float32.
LEAST_WEIGHT = 2.0**-25
# Entries of all nodes in one block of rows, 12 bytes each, and entries of patches that are gathered at a time.
ENTRIES, PATCHES = 2**20, 2**17


class GraphBall(NamedTuple):
    """Values at some rows: |exact - values| <= radius, entry by entry; shapes (rows, entries), float64 and float32.

    A radius is infinite where the pass concludes nothing, and the value is then any float, infinite or NaN.
    """

    values: np.ndarray
    radius: np.ndarray

    @property
    def lower(self) -> np.ndarray:
        """A lower bound of each entry, float64."""
        return _outward(self.values, -self.radius, -inf)

    @property
    def upper(self) -> np.ndarray:
        """An upper bound of each entry, float64."""
        return _outward(self.values, self.radius, inf)


def _outward(values: np.ndarray, radius: np.ndarray, to: float) -> np.ndarray:
    """values + radius rounded towards `to`; where the radius is 0 nothing is rounded."""
    with np.errstate(invalid="ignore", over="ignore"):
        found = np.where(np.isinf(radius), to, values + radius)
        return np.where(radius == 0, found, np.nextafter(found, to))


def blocks(graph: Graph, rows: int) -> Iterator[slice]:
    """The rows in slices fit for the graph, with a look at the deadline before each."""
    size = max(1, min(1024, ENTRIES // sum(graph.sizes)))
    return (slice(start, min(start + size, rows)) for start in looking(range(0, rows, size)))


def balls(graph: Graph, inputs: np.ndarray, upto: int | None = None, *, roundoff: float = 0.0) -> list[GraphBall]:
    """The input and the value of each node at the inputs, up to node `upto`. Give the rows in `blocks`.

    Parameters
    ----------
    inputs
        Shape (rows, size), float64, finite.
    upto
        The last node that is evaluated; the output if None.
    roundoff
        Unit roundoff of other evaluations that shall lie within the radius too, such as 2^-24; see Notes.

    Raises
    ------
    ValueError
        If the inputs have another width than the graph.

    Notes
    -----
    Write h* for the exact values below a node, h for the computed ones, r for their radius, u for the unit roundoff.

    - Of a dot product with k weights, each product takes part in at most k + 3 roundings in any order of summation,
      fused or not, so |fl(h.w + b) - (h*.w + b)| <= |w|.(r + gamma_(k+3) |h|) + gamma_(k+3) |b| + underflow (Higham,
      Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1). This holds for the classical product, which is
      what BLAS computes. The sum is one more product, in float32, of nonnegative numbers: its own k + 3 roundings
      make it too small by a factor 1 - gamma at most, and it is multiplied by more than 1 / (1 - gamma).
    - In that product a number other than 0 counts as 2^-90 at least and a weight as 2^-25. So nothing is flushed to 0,
      the radius is 0 only where all products are, and 2^-115 for each product holds what underflows in the values.
    - A finite radius is below 2^128, and then the partial sums are below 2^128 / gamma, within the range of float64:
      where a value overflows its radius is infinite (or NaN, which is made infinite).
    - Relu, Clip and MaxPool move no two points further apart; LeakyRelu by its slope at most. Where value and radius
      show that a Relu or a Clip cuts, the result is the bound itself, so zeros stay exact through all layers.
    - A number of a `Scale` or a `BatchNorm` is exact and of its nearest float, which is one rounding more. Where
      that float is no normal number or infinite, nothing is concluded. Roots are enclosed by balls of arb.

    With `roundoff` v the radius holds any evaluation whose operations round with v, of inputs and weights that are
    rounded so too, subnormal numbers flushed to 0 or not: the above holds with gamma(u) + gamma(v) and |h| + r in
    place of |h|, as the other evaluation's values below lie within r of h. A `Scale` may be one multiplication or
    division and one addition, of rounded constants. A batch normalisation may take twelve roundings in any of the usual
    forms, or be folded into the weights that it reads, for which sixteen more are counted there. Convolutions by
    Winograd's or a Fourier transform are no classical products, and are not covered.
    """
    return GraphPass(graph, roundoff)(inputs, upto)


class GraphPass:
    """`balls` of one graph for many blocks of rows: what the passes need of its layers is made once."""

    def __init__(self, graph: Graph, roundoff: float = 0.0) -> None:
        self.graph = graph
        self._rounding = _Rounding(roundoff)
        self._layers: dict[int, _Layer] = {}

    def __call__(self, inputs: np.ndarray, upto: int | None = None) -> list[GraphBall]:
        """As `balls`, whose parameters and errors these are."""
        inputs = np.asarray(inputs, dtype=np.float64)
        if inputs.ndim != 2 or inputs.shape[1] != self.graph.sizes[0]:
            raise ValueError(f"inputs of shape {inputs.shape}: the graph reads rows of {self.graph.sizes[0]} numbers")
        with np.errstate(all="ignore"):
            found = [self._rounding.inputs(np.ascontiguousarray(inputs.T))]
            for number, node in enumerate(self.graph.nodes[:upto], 1):
                if number not in self._layers:
                    self._layers[number] = _Layer(node.layer, self.graph.shapes[node.reads[0]], self._rounding)
                below = [found[k] for k in node.reads]
                shapes = [self.graph.shapes[k] for k in node.reads]
                found.append(self._layers[number](below, shapes))
        return [GraphBall(one.values.T, one.radius.T) for one in found]


# Inside, entries come first and rows last: a convolution is then one gathering of whole rows and one product.


@dataclass(frozen=True)
class _Rounding:
    """The roundings that the radius holds: those of float64, and those of another evaluation."""

    roundoff: float

    def gamma(self, steps: int) -> float:
        return (gamma(steps) + (gamma(steps, self.roundoff) if self.roundoff else 0.0)) * UP

    def inputs(self, values: np.ndarray) -> GraphBall:
        """Inputs are exact, but where another evaluation rounds them."""
        if not self.roundoff:
            return GraphBall(values, np.zeros(values.shape, dtype=np.float32))
        radius = np.maximum(np.abs(values) * (self.roundoff * UP), 2.0**-126)
        held = (values.astype(np.float32) == values) & ((np.abs(values) >= 2.0**-126) | (values == 0))
        return GraphBall(values, np.where(held, 0, radius * UP32).astype(np.float32))

    def magnitudes(self, ball: GraphBall, steps: int) -> np.ndarray:
        """r + gamma (|h| + r) for so many roundings, float32: at least 2^-90 where h or r is not 0."""
        rounding = self.gamma(steps)
        found = np.abs(ball.values.astype(np.float32))
        found *= rounding * UP32
        found += ball.radius * np.float32((1 + rounding) * UP32)
        moves = ball.values != 0
        moves |= ball.radius != 0
        return np.asarray(np.maximum(found, moves * np.float32(LEAST), out=found))

    def finish(self, radius: np.ndarray, steps: int) -> np.ndarray:
        """The radius of a sum of so many terms of float32, rounded up; infinite where something may overflow."""
        radius *= np.float32((1 + 2 * gamma(steps + 4, U32)) * UP32)
        most = self.gamma(steps) * 2.0**125 if self.roundoff else np.finfo(np.float32).max
        np.copyto(radius, np.inf, where=~(radius <= most))
        return radius


def _upward(array: np.ndarray, least: float) -> np.ndarray:
    """Nonnegative numbers as float32, rounded up; those that are not 0 are `least` at least."""
    found = (np.asarray(array, dtype=np.float64) * UP32).astype(np.float32)
    return np.where(array == 0, np.float32(0), np.maximum(found, np.float32(least)))


class _Layer:
    """One layer with what its passes need, made once where it is first needed."""

    def __init__(self, layer: GraphLayer, shape: tuple[int, ...], rounding: _Rounding) -> None:
        self.layer, self.shape, self.rounding = layer, shape, rounding

    def __call__(self, below: Sequence[GraphBall], shapes: Sequence[tuple[int, ...]]) -> GraphBall:
        first, rows = below[0], below[0].values.shape[1]
        match self.layer:
            case Dense():
                return self._dense(first, rows)
            case Conv():
                return self._conv(first, rows)
            case AveragePool():
                return self._average(first, rows, self.layer)
            case MaxPool():
                values, radius = (self._pooled(array, pad) for array, pad in ((first.values, -inf), (first.radius, 0)))
                return GraphBall(values, radius)
            case Scale() | BatchNorm():
                return self._scaled(first)
            case Relu():
                return _clipped(first, (0.0, 0.0), None)
            case Clip(low=low, high=high):
                ends = (None if end is None else edge(end, self.rounding.roundoff) for end in (low, high))
                return _clipped(first, *ends)
            case LeakyRelu():
                return self._leaky(first, self.layer.slope)
            case Sum(signs=signs):
                values = np.sum([sign * ball.values for sign, ball in zip(signs, below, strict=True)], axis=0)
                terms = [self.rounding.magnitudes(ball, len(signs)) for ball in below]
                radius = self.rounding.finish(np.asarray(sum(terms)), len(signs))
                return GraphBall(values, radius)
            case Concat(axis=axis):
                pairs = list(zip(below, shapes, strict=True))
                values = np.concatenate([ball.values.reshape(*shape, rows) for ball, shape in pairs], axis)
                radius = np.concatenate([ball.radius.reshape(*shape, rows) for ball, shape in pairs], axis)
                return GraphBall(values.reshape(-1, rows), radius.reshape(-1, rows))
            case Rearrange():
                return self._rearranged(first, self.layer)
            case _:
                assert_never(self.layer)

    @cached_property
    def _weights(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
        """Weights by group, biases, both as what the radius counts, and the roundings of an entry."""
        assert isinstance(self.layer, Dense | Conv)
        weights = self.layer.weights if isinstance(self.layer, Dense) else self.layer.matrices
        steps = weights.shape[-1] + (19 if self.rounding.roundoff else 3)
        bias = self.layer.bias[:, None]
        sizes = _upward(np.abs(weights), LEAST_WEIGHT)
        return weights, bias, sizes, _upward(np.abs(bias) * self.rounding.gamma(steps), LEAST), steps

    def _dense(self, ball: GraphBall, rows: int) -> GraphBall:
        weights, bias, sizes, bias_size, steps = self._weights
        terms = self.rounding.magnitudes(ball, steps)
        values = weights @ ball.values.reshape(-1, weights.shape[1], rows)
        radius = sizes @ terms.reshape(-1, weights.shape[1], rows)
        values += bias
        radius += bias_size
        return GraphBall(values.reshape(-1, rows), self.rounding.finish(radius, steps).reshape(-1, rows))

    @cached_property
    def _reads(self) -> np.ndarray:
        """What each entry of the kernel reads of a channel at each position, (size, positions): padding comes last."""
        assert isinstance(self.layer, Conv | AveragePool | MaxPool)
        index = self.layer.window.index(self.shape[1:]).T
        return np.ascontiguousarray(np.where(index < 0, prod(self.shape[1:]), index))

    def _padded(self, array: np.ndarray, pad: float) -> np.ndarray:
        """The channels of a value with an entry of padding behind each, (channels, entries, rows)."""
        array = array.reshape(self.shape[0], -1, array.shape[1])
        if self._reads.max() < array.shape[1]:
            return array
        return np.concatenate([array, np.full((len(array), 1, array.shape[2]), pad, dtype=array.dtype)], axis=1)

    def _conv(self, ball: GraphBall, rows: int) -> GraphBall:
        weights, bias, sizes, bias_size, steps = self._weights
        values = self._patched(weights, ball.values)
        radius = self._patched(sizes, self.rounding.magnitudes(ball, steps))
        values += bias[:, :, None]
        radius += bias_size[:, :, None]
        return GraphBall(values.reshape(-1, rows), self.rounding.finish(radius, steps).reshape(-1, rows))

    def _patched(self, weights: np.ndarray, array: np.ndarray) -> np.ndarray:
        """A convolution by weights (groups, out, fan-in): (channels out, positions, rows), some positions at a time."""
        rows, positions = array.shape[1], self._reads.shape[1]
        groups, out, fan_in = weights.shape
        padded = self._padded(array, 0)
        found = np.empty((groups * out, positions, rows), dtype=array.dtype)
        some = max(1, min(positions, PATCHES // (groups * fan_in * rows)))
        for start in range(0, positions, some):
            index = self._reads[:, start : start + some]
            patches = np.take(padded, index.reshape(-1), axis=1, mode="clip").reshape(groups, fan_in, -1)
            found[:, start : start + some] = (weights @ patches).reshape(groups * out, index.shape[1], rows)
        return found

    def _pooled(self, array: np.ndarray, pad: float) -> np.ndarray:
        """The greatest of what each position reads."""
        padded, rows = self._padded(array, pad), array.shape[1]
        found = np.take(padded, self._reads[0], axis=1, mode="clip")
        for index in self._reads[1:]:
            np.maximum(found, np.take(padded, index, axis=1, mode="clip"), out=found)
        return np.asarray(found.reshape(-1, rows))

    def _average(self, ball: GraphBall, rows: int, layer: AveragePool) -> GraphBall:
        steps = layer.window.size + 3
        values, radius = (
            self._summed(array) / layer.divisors.reshape(-1, 1).astype(array.dtype)
            for array in (ball.values, self.rounding.magnitudes(ball, steps))
        )
        return GraphBall(values.reshape(-1, rows), self.rounding.finish(radius, steps).reshape(-1, rows))

    def _summed(self, array: np.ndarray) -> np.ndarray:
        """The sum of what each position reads, (channels, positions, rows)."""
        padded = self._padded(array, 0)
        found = np.take(padded, self._reads[0], axis=1, mode="clip")
        for index in self._reads[1:]:
            found += np.take(padded, index, axis=1, mode="clip")
        return np.asarray(found)

    @cached_property
    def _factors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
        """Factor and shift of each entry, both as what the radius counts, and the roundings of an entry."""
        match self.layer:
            case Scale(factor=factor, shift=shift):
                steps, scales, shifts = 5, nearest(factor), nearest(shift)
                offsets = np.abs(shifts)
            case BatchNorm():
                steps = 13
                ends = (len(self.layer.factor), *(1,) * (len(self.shape) - 1))
                scales, shifts, offsets = (array.reshape(ends) for array in normalised(self.layer))
                if not self.rounding.roundoff:
                    offsets = np.abs(shifts)
            case _:
                raise AssertionError(self.layer)
        wide = [np.broadcast_to(array, self.shape).reshape(-1, 1) for array in (scales, shifts, offsets)]
        size, offset = _upward(np.abs(wide[0]), LEAST_WEIGHT), _upward(wide[2] * self.rounding.gamma(steps), LEAST)
        return wide[0], wide[1], size, offset, steps

    def _scaled(self, ball: GraphBall) -> GraphBall:
        factor, shift, size, offset, steps = self._factors
        radius = size * self.rounding.magnitudes(ball, steps) + offset
        if self.rounding.roundoff:
            radius[~(np.abs(ball.values) + ball.radius <= WITHIN)] = np.inf
        return GraphBall(factor * ball.values + shift, self.rounding.finish(radius, steps))

    def _leaky(self, ball: GraphBall, slope: Fraction) -> GraphBall:
        near = nearest(np.array(slope, dtype=object))
        bound = _upward(np.maximum(1, np.abs(near)), LEAST_WEIGHT)
        radius = self.rounding.finish(bound * self.rounding.magnitudes(ball, 4), 4)
        values = np.where(ball.values >= 0, ball.values, near * ball.values)
        return GraphBall(values, np.where(ball.values >= ball.radius, ball.radius, radius))

    def _rearranged(self, ball: GraphBall, layer: Rearrange) -> GraphBall:
        if layer.keeps_order and layer.index.size == len(ball.values):
            return ball
        index = layer.index.reshape(-1)
        values, radius = ball.values[index], ball.radius[index]
        if (index < 0).any():
            values[index < 0], radius[index < 0] = edge(layer.fill, self.rounding.roundoff)
        return GraphBall(values, radius)


def _clipped(ball: GraphBall, low: tuple[float, float] | None, high: tuple[float, float] | None) -> GraphBall:
    """min(max(h, low), high); each edge is a float and its radius."""
    values, radius = ball
    for end, side, cut in ((low, 1, np.maximum), (high, -1, np.minimum)):
        if end is None:
            continue
        near, off = end
        if near != near:
            return GraphBall(values, np.full(radius.shape, np.inf, dtype=np.float32))
        # Beyond the edge for sure: a difference of floats has the right sign, and UP32 holds its rounding.
        beyond = (near - values if near else -values) * side >= (radius + np.float32(off)) * np.float32(UP32)
        beyond &= np.isfinite(radius)
        values = cut(values, near)
        radius = np.where(beyond, np.float32(off), np.maximum(radius, np.float32(off)) if off else radius)
    return GraphBall(values, radius)
