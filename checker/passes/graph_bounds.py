"""Linear bounds of entries of a graph over a box of inputs, from the output backwards: DeepPoly's, rounded outwards.

Each activation is held between two lines; coefficients are carried down to the box, and what is rounded on the way is
charged to the constant (Singh, Gehr, Pueschel, Vechev, POPL 2019; Zhang et al., NeurIPS 2018).
"""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple, assert_never

import numpy as np

from proof_of_absence.checker.numbers.deadline import look, looking
from proof_of_absence.checker.numbers.rounding import TINY, UP, gamma
from proof_of_absence.checker.passes.graph_affine import AffineLayer, back, shift_of, terms, times
from proof_of_absence.checker.passes.graph_constants import edge
from proof_of_absence.checker.passes.graph_intervals import Span, through
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

__all__ = ["bounded", "upper"]

# Entries that are bounded at a time: coefficients of that many rows are held for each node.
ROWS = 256
_CURVED = (Relu, LeakyRelu, Clip, MaxPool)


class _Lines(NamedTuple):
    """low_slope h + low_shift <= activation <= high_slope h + high_shift over a span, entry by entry."""

    low_slope: np.ndarray
    low_shift: np.ndarray
    high_slope: np.ndarray
    high_shift: np.ndarray


class _Below(NamedTuple):
    """Coefficients of each value that a layer reads, what the constant rises by, and what that is off by at most."""

    parts: list[np.ndarray]
    constant: np.ndarray
    error: np.ndarray


def bounded(graph: Graph, box: Span) -> list[Span]:
    """The box and the span of each node over it; what an activation or a pool reads is bounded by lines where it turns.

    Parameters
    ----------
    box
        Shape (d,) each, finite floats.

    Raises
    ------
    OutOfTime
        If the deadline in force passes.
    """
    found = [box]
    for number, node in enumerate(looking(graph.nodes), 1):
        below, shapes = [found[k] for k in node.reads], [graph.shapes[k] for k in node.reads]
        found.append(through(node.layer, below, shapes, graph.sizes[number]))
        if any(isinstance(graph.nodes[reader - 1].layer, _CURVED) for reader in graph.readers[number]):
            found[number] = _closer(graph, found, number)
    return found


def _closer(graph: Graph, spans: list[Span], number: int) -> Span:
    low, high = (end.copy() for end in spans[number])
    turning = np.flatnonzero((low < 0) & (high > 0))
    for start in range(0, len(turning), ROWS):
        look()
        some = turning[start : start + ROWS]
        high[some] = np.minimum(high[some], upper(graph, spans, number, some)[0])
        low[some] = np.maximum(low[some], -upper(graph, spans, number, some, sign=-1)[0])
    return Span(low, high)


def upper(
    graph: Graph, spans: Sequence[Span], number: int, entries: np.ndarray, *, sign: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """An upper bound of ``sign`` times some entries of a node over the box, and the corner where the lines attain it.

    Parameters
    ----------
    spans
        Of the input and all nodes up to this one, over the same box.
    entries
        Indices in the flattened value, shape (k,).

    Returns
    -------
    bounds, corners
        Shapes (k,) and (k, d), float64; a bound is infinite where nothing is known.

    Notes
    -----
    For coefficients A of a node's value, ``A (W h + b)`` has the coefficients ``A W``. Computed in floats each is off
    by at most ``gamma |A| |W|``, so the sum over h by at most ``gamma |A| (|W| |h| + |b|)``, which is charged to the
    constant; weights that are no floats take part in one rounding more. An activation is replaced by its upper line
    where the coefficient is positive, by its lower one elsewhere: any float slope has a valid shift.
    """
    nowhere = np.full(len(entries), inf), np.repeat(spans[0].high[None], len(entries), axis=0)
    if not all(np.isfinite(span.size).all() for span in spans[: number + 1]):
        return nowhere
    held = {number: np.zeros((len(entries), graph.sizes[number]))}
    held[number][np.arange(len(entries)), entries] = sign
    constant, charged = np.zeros(len(entries)), np.zeros(len(entries))
    with np.errstate(all="ignore"):
        for k in range(number, 0, -1):
            if k not in held:
                continue
            node = graph.nodes[k - 1]
            shapes = [graph.shapes[j] for j in node.reads]
            below = _step(node.layer, held.pop(k), [spans[j] for j in node.reads], spans[k], shapes)
            constant = constant + below.constant
            charged += below.error + np.abs(constant) * 2.0**-52
            for j, part in zip(node.reads, below.parts, strict=True):
                held[j] = held[j] + part if j in held else part
                # The sum rounds each coefficient once more.
                charged += (np.abs(held[j]) @ spans[j].size) * 2.0**-52
        inputs = held.get(0, np.zeros((len(entries), graph.sizes[0])))
        corners = np.where(inputs > 0, spans[0].high, spans[0].low)
        ends = (inputs * corners).sum(axis=1)
        charged += gamma(graph.sizes[0] + 4) * (np.abs(inputs) @ spans[0].size) + 4 * graph.sizes[0] * TINY
        bounds = (constant + ends) + (charged + (np.abs(constant) + np.abs(ends)) * 2.0**-51) * UP
    return np.where(np.isnan(bounds), inf, np.nextafter(bounds, inf)), corners


def _step(layer: GraphLayer, above: np.ndarray, below: Sequence[Span], here: Span, shapes: Sequence[Shape]) -> _Below:
    match layer:
        case Dense() | Conv() | AveragePool() | Scale() | BatchNorm() | Sum() | Concat() | Rearrange():
            return _affine(layer, above, below, shapes)
        case Relu():
            return _lined(_convex(below[0], (0.0, 0.0), (0.0, 0.0)), above, below[0])
        case LeakyRelu(slope=slope):
            lines = _convex(below[0], edge(slope), (0.0, 0.0)) if 0 <= slope <= 1 else _flat(here)
            return _lined(lines, above, below[0])
        case Clip():
            return _lined(_clipped(layer, below[0], here), above, below[0])
        case MaxPool():
            return _pooled(layer, above, below[0], here, shapes[0])
        case _:
            assert_never(layer)


def _affine(layer: AffineLayer, above: np.ndarray, below: Sequence[Span], shapes: Sequence[Shape]) -> _Below:
    size, count = above.shape[1], terms(layer, shapes[0])
    shift = shift_of(layer, shapes[0], size)
    reach = times(layer, [span.size for span in below], shapes, sizes=True) + np.abs(shift.near)
    error = np.abs(above) @ (2 * gamma(count + size) * reach * UP + shift.off)
    return _Below(back(layer, above, shapes), above @ shift.near, error + _lost(above, below, count))


def _lost(above: np.ndarray, below: Sequence[Span], count: int) -> np.ndarray:
    """More than what underflows in one step: each product by TINY at most, times what its partner is."""
    largest = 1 + max(float(span.size.max(initial=0)) for span in below)
    size = above.shape[1] + sum(len(span.low) for span in below)
    found: np.ndarray = 4 * count * size * TINY * largest * (1 + np.abs(above).max(axis=1, initial=0))
    return found


def _lined(lines: _Lines, above: np.ndarray, below: Span) -> _Below:
    """Replace an activation by its lines: the upper one where the coefficient is positive, else the lower one."""
    positive, negative = np.maximum(above, 0), np.minimum(above, 0)
    part = positive * lines.high_slope + negative * lines.low_slope
    shift = positive @ lines.high_shift + negative @ lines.low_shift
    sizes = positive @ np.abs(lines.high_shift) - negative @ np.abs(lines.low_shift)
    error = gamma(2 * above.shape[1] + 4) * sizes + (np.abs(part) @ below.size) * 2.0**-51
    return _Below([part], shift, (error + _lost(above, [below], 4)) * UP)


def _convex(span: Span, slope: tuple[float, float], corner: tuple[float, float]) -> _Lines:
    """Lines of ``corner + max(h - corner, slope (h - corner))``, the slope in [0, 1]; both with what a float is off by.

    Above lies every line that is above at both ends, below the one of slope 1 or the leaky one.
    """
    (a, a_off), (c, c_off) = slope, corner
    low, high = span
    off = (a_off * (span.size + abs(c)) + 2 * c_off + TINY) if a_off or c_off else 0.0
    # What the function is at the ends, and more than that.
    at_low = c + np.where(low < c, a * (low - c), low - c)
    at_high = c + np.where(high < c, a * (high - c), high - c)
    wide = (np.abs(at_low) + np.abs(at_high) + span.size + abs(c)) * 2.0**-50 + off + TINY
    chord = np.clip(np.where(high > low, (at_high - at_low) / (high - low), 0), 0, 1)
    shift = np.maximum(at_low - chord * low, at_high - chord * high) + wide
    left, right = high <= c - c_off, low >= c + c_off
    leaky = c - a * c
    steep = high - c > c - low
    exact = not (a_off or c_off) and (a == 0 or c == 0)
    apart = 0.0 if exact else np.asarray(wide)
    low_slope = np.where(right | (steep & ~left), 1.0, a)
    low_shift = np.where(right | (steep & ~left), 0.0, leaky - apart)
    high_slope = np.where(right, 1.0, np.where(left, a, chord))
    high_shift = np.where(right, 0.0, np.where(left, leaky + apart, shift))
    return _Lines(low_slope, low_shift, high_slope, high_shift)


def _flat(here: Span) -> _Lines:
    """Lines of slope 0."""
    none = np.zeros(len(here.low))
    return _Lines(none, here.low, none, here.high)


def _clipped(layer: Clip, below: Span, here: Span) -> _Lines:
    """Lines of slope 0 where the upper edge may be reached, and else those of one corner."""
    flat, one = _flat(here), np.ones(len(here.low))
    same = _Lines(one, 0 * one, one, 0 * one)
    lines = same if layer.low is None else _convex(below, (0.0, 0.0), edge(layer.low))
    if layer.high is None:
        return lines
    near, off = edge(layer.high)
    under = below.high <= near - off
    return _Lines(*(np.where(under, line, none) for line, none in zip(lines, flat, strict=True)))


def _pooled(layer: MaxPool, above: np.ndarray, below: Span, here: Span, shape: Shape) -> _Below:
    """The greatest entry is at least each of them; it is one of them where that is above all others."""
    index = layer.window.index(shape[1:])
    low, high = (np.pad(end.reshape(shape[0], -1), ((0, 0), (0, 1)), constant_values=-inf)[:, index] for end in below)
    best = low.argmax(axis=2)
    others = high.copy()
    np.put_along_axis(others, best[:, :, None], -inf, axis=2)
    sure = (np.take_along_axis(low, best[:, :, None], axis=2)[:, :, 0] >= others.max(axis=2)).reshape(-1)
    starts = np.arange(shape[0])[:, None] * (below.low.size // shape[0])
    spot = (starts + index[np.arange(len(index)), best]).reshape(-1)
    carried = np.where(sure, above, np.minimum(above, 0))
    part = np.zeros((below.low.size, len(above)))
    np.add.at(part, spot, carried.T)
    flat = np.where(sure, 0, np.maximum(above, 0))
    error = gamma(2 * above.shape[1] + 4) * (flat @ np.abs(here.high) + np.abs(carried) @ below.size[spot])
    return _Below([part.T], flat @ here.high, (error + _lost(above, [below], 4)) * UP)
