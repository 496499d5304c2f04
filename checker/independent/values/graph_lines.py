"""What a graph's values can be over a box of inputs: by intervals, and by linear bounds from a value backwards.

Each activation lies between two lines over what it reads (Singh, Gehr, Pueschel, Vechev, POPL 2019). Coefficients are
floats, whatever they are rounded to: what a product with the weights is off by, times what the entries can be, is
charged to the bound.
"""

from collections.abc import Mapping, Sequence
from math import inf, prod
from typing import NamedTuple

import numpy as np

from proof_of_absence.checker.independent.pause import pause, pausing
from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.floats import Bounded, Floats
from proof_of_absence.checker.independent.values.graph_bounded import known, of_layer, one_rounded, pooled, rounded
from proof_of_absence.checker.independent.values.graph_exact import rests_on
from proof_of_absence.checker.independent.values.graph_masks import Truths
from proof_of_absence.checker.independent.values.graphs import (
    AveragePool,
    Clip,
    Concat,
    Conv,
    Dense,
    Graph,
    Layer,
    LeakyRelu,
    MaxPool,
    Node,
    Places,
    Rearrange,
    Scale,
    Shape,
    Sum,
)
from proof_of_absence.checker.independent.values.rounding import UP, gamma

# Entries that are bounded together.
TOGETHER = 128
# More than what underflows in one product, times an entry.
LOST = 2.0**-900
CURVED = (Clip, LeakyRelu, MaxPool)


class Span(NamedTuple):
    """low <= exact <= high, entry by entry, in the value's shape after an axis of one row; infinite if unknown."""

    low: Floats
    high: Floats

    @property
    def size(self) -> Floats:
        """No less than what any entry can be, without its sign."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


class Lines(NamedTuple):
    """under h + below <= activation <= over h + above."""

    under: Floats
    below: Floats
    over: Floats
    above: Floats


def spans(graph: Graph, low: Floats, high: Floats, wanted: Mapping[int, Places]) -> list[Span]:
    """The box (size,) and the values of all nodes up to the last that is wanted.

    Of the entries that wanted ones rest on, those on which an activation turns are bounded by lines too.
    """
    upto, needed = max(wanted), dict[int, Truths]()
    for number, entries in wanted.items():
        for below, places in rests_on(graph, number, entries).items():
            needed.setdefault(below, np.zeros(graph.sizes[below], dtype=bool))[places] = True
    shape = (1, *graph.shapes[0])
    found = [Span(low.reshape(shape), high.reshape(shape))]
    with np.errstate(all="ignore"):
        for number, node in enumerate(pausing(graph.nodes[:upto]), 1):
            here = through(node.layer, [found[k] for k in node.reads], graph.shapes[number])
            found.append(here)
            read = [reader for reader in graph.readers[number] if reader <= upto]
            if any(isinstance(graph.nodes[reader - 1].layer, CURVED) for reader in read):
                found[number] = _closer(graph, found, number, needed.get(number))
    return found


def through(layer: Layer, below: Sequence[Span], shape: Shape) -> Span:
    """What a layer makes of intervals."""
    low, high = below[0]
    match layer:
        case Clip():
            ends = low, high
            for bound, cut in ((layer.low, np.maximum), (layer.high, np.minimum)):
                if bound is not None:
                    near, off = one_rounded(bound)
                    around = (
                        (near, near) if not off else (np.nextafter(near - off, -inf), np.nextafter(near + off, inf))
                    )
                    ends = cut(ends[0], around[0]), cut(ends[1], around[1])
            return Span(*ends)
        case LeakyRelu(slope=slope):
            near, off = one_rounded(slope)
            sides = [np.where(end >= 0, end, near * end) for end in (low, high)]
            wide = np.where(low < 0, ((off + abs(near) * 2.0**-52) * below[0].size + LOST) * UP, 0)
            # Where it turns it may be 0, which is least for a negative slope.
            turns = (low < 0) & (high > 0)
            least = np.minimum(np.minimum(*sides), np.where(turns, 0, inf))
            return _outward(least, np.maximum(*sides), wide)
        case MaxPool(window=window):
            rows = (1, *shape)
            return Span(*(pooled(window, end, np.full(rows, -inf), np.maximum) for end in (low, high)))
        case _:
            middles = [one.low / 2 + one.high / 2 for one in below]
            halves = [
                np.where(one.low == one.high, 0, (np.maximum(one.high - m, m - one.low) + LOST) * UP)
                for one, m in zip(below, middles, strict=True)
            ]
            pairs = [known(*pair) for pair in zip(middles, halves, strict=True)]
            value, radius = known(*of_layer(layer, pairs, shape))
            return _outward(value, value, radius)


def _outward(low: Floats, high: Floats, off: Floats) -> Span:
    down, up = np.nextafter(low - off, -inf), np.nextafter(high + off, inf)
    return Span(np.where(off == 0, low, down), np.where(off == 0, high, up))


def _closer(graph: Graph, found: list[Span], number: int, needed: Truths | None) -> Span:
    low, high = (end.reshape(-1).copy() for end in found[number])
    turning = np.flatnonzero((low < 0) & (high > 0) & needed) if needed is not None else np.zeros(0, np.int64)
    for start in range(0, len(turning), TOGETHER):
        some = turning[start : start + TOGETHER]
        high[some] = np.minimum(high[some], upper(graph, found, number, some, 1))
        low[some] = np.maximum(low[some], -upper(graph, found, number, some, -1))
    require(bool((low <= high).all()), "a box is empty")
    shape = found[number].low.shape
    return Span(low.reshape(shape), high.reshape(shape))


def upper(graph: Graph, found: Sequence[Span], number: int, entries: Places, sign: int) -> Floats:
    """Upper bounds over the box of ``sign`` times some entries of a value, by those of all that comes before it."""
    count = len(entries)
    if not all(np.isfinite(span.size).all() for span in found[: number + 1]):
        return np.full(count, inf)
    first = np.zeros((count, graph.sizes[number]))
    first[np.arange(count), entries] = sign
    held = {number: first.reshape(count, *graph.shapes[number])}
    constant, charged = np.zeros(count), np.zeros(count)
    for k in range(number, 0, -1):
        if k not in held:
            continue
        pause()
        node, above = graph.nodes[k - 1], held.pop(k)
        below = [found[j] for j in node.reads]
        parts, added, error = _step(node, above, below, found[k], graph.shapes[k])
        constant = constant + added
        size = sum(span.low.size for span in below) + above[0].size
        largest = 1 + max(float(span.size.max(initial=0)) for span in below)
        lost = size * LOST * largest * (1 + np.abs(above).reshape(count, -1).max(axis=1, initial=0))
        charged = charged + error + lost + np.abs(constant) * 2.0**-52
        for j, part in zip(node.reads, parts, strict=True):
            if j in held:
                held[j] = held[j] + part
                charged = charged + _dot(np.abs(held[j]), found[j].size) * 2.0**-52
            else:
                held[j] = part
    own = held.get(0, np.zeros((count, *graph.shapes[0])))
    ends = (own * np.where(own > 0, found[0].high, found[0].low)).reshape(count, -1).sum(axis=1)
    charged = charged + gamma(graph.sizes[0] + 4) * _dot(np.abs(own), found[0].size) + LOST
    bounds = constant + ends + (charged + (np.abs(constant) + np.abs(ends)) * 2.0**-50) * UP
    return np.where(np.isnan(bounds), inf, np.nextafter(bounds, inf))


def _step(
    node: Node, above: Floats, below: list[Span], here: Span, shape: Shape
) -> tuple[list[Floats], Floats, Floats]:
    """Coefficients of what a node reads, what is added, and what both are off by at most."""
    layer = node.layer
    if isinstance(layer, MaxPool):
        return _greatest(layer, above, below[0], here)
    if isinstance(layer, Clip | LeakyRelu):
        lines = _lines(layer, below[0], here)
        positive, negative = np.maximum(above, 0), np.minimum(above, 0)
        part = positive * lines.over + negative * lines.under
        added = _dot(positive, lines.above) + _dot(negative, lines.below)
        sizes = _dot(positive, np.abs(lines.above)) - _dot(negative, np.abs(lines.below))
        # One of the two products is 0.
        error = gamma(2 * above[0].size + 4) * sizes + _dot(np.abs(part), below[0].size) * 2.0**-51
        return [part], added, error * UP
    # By the sizes of the weights, at the largest sizes of the entries.
    most = [Bounded(span.size, np.zeros_like(span.size)) for span in below]
    sizes, off = of_layer(_absolute(layer), most, shape)
    terms = gamma(above[0].size + max(span.low.size for span in below) + 8)
    shift = of_layer(layer, [Bounded(0 * span.low, 0 * span.low) for span in below], shape)[0]
    error = _dot(np.abs(above), (2 * terms * sizes + off) * UP)
    return _back(layer, above, [span.low.shape[1:] for span in below]), _dot(above, shift), error


def _dot(rows: Floats, entries: Floats) -> Floats:
    """The sum of the products of each row with the entries."""
    found: Floats = rows.reshape(len(rows), -1) @ entries.reshape(-1)
    return found


def _absolute(layer: Layer) -> Layer:
    match layer:
        case Dense(weights=weights, bias=bias):
            return Dense(np.abs(weights), np.abs(bias))
        case Conv(weights=weights, bias=bias):
            return Conv(np.abs(weights), np.abs(bias), layer.window, layer.groups)
        case Scale():
            return Scale(abs(layer.gain), abs(layer.moved), layer.radicand, abs(layer.shift))
        case Sum(signs=signs):
            return Sum((1,) * len(signs))
        case Rearrange(index=index, fill=fill):
            return Rearrange(index, abs(fill))
        case _:
            return layer


def _back(layer: Layer, above: Floats, shapes: list[Shape]) -> list[Floats]:
    """The coefficients times the weights: of each value that is read."""
    rows, shape = len(above), shapes[0]
    match layer:
        case Dense(weights=weights):
            return [above @ weights]
        case Conv():
            return [_transposed(layer, above, shape)]
        case AveragePool(window=window, divisors=divisors):
            part, each = np.zeros((rows, *shape)), above / divisors
            for _, positions, entries in window.offsets(shape[1:]):
                part[(slice(None), slice(None), *entries)] += each[(slice(None), slice(None), *positions)]
            return [part]
        case Scale(gain=gain, radicand=radicand):
            return [above * rounded(gain, radicand)[0]]
        case Sum(signs=signs):
            return [sign * above for sign in signs]
        case Concat(axis=axis):
            ends = np.cumsum([one[axis] for one in shapes])[:-1]
            return list(np.split(above, ends, axis=axis + 1))
        case Rearrange(index=index):
            flat, there = np.zeros((prod(shape), rows)), index.reshape(-1) >= 0
            np.add.at(flat, index.reshape(-1)[there], above.reshape(rows, -1).T[there])
            return [flat.T.reshape(rows, *shape)]
        case _:
            raise TypeError(f"{type(layer).__name__} is not linear")


def _transposed(layer: Conv, above: Floats, shape: Shape) -> Floats:
    rows, groups = len(above), layer.groups
    out, into = len(layer.weights) // groups, layer.weights.shape[1]
    matrices = layer.weights.reshape(groups, out, *layer.weights.shape[1:])
    parts = above.reshape(rows, groups, out, *above.shape[2:])
    found = np.zeros((rows, groups, into, *shape[1:]))
    every: tuple[slice, ...] = (slice(None),) * 3
    for k, positions, entries in layer.window.offsets(shape[1:]):
        seen = parts[(*every, *positions)]
        own: tuple[slice | int, ...] = (*every, *k)
        turned = np.ascontiguousarray(matrices[own].transpose(0, 2, 1))
        part = turned @ np.ascontiguousarray(seen).reshape(rows, groups, out, -1)
        found[(*every, *entries)] += part.reshape(rows, groups, into, *seen.shape[3:])
    return found.reshape(rows, *shape)


def _lines(layer: Clip | LeakyRelu, span: Span, here: Span) -> Lines:
    """Lines of an activation over what it reads."""
    none, one = np.zeros_like(span.low), np.ones_like(span.low)
    flat, same = Lines(none, here.low, none, here.high), Lines(one, none, one, none)
    if isinstance(layer, LeakyRelu):
        convex = 0 <= layer.slope <= 1
        return _bent(span, one_rounded(layer.slope), (0.0, 0.0)) if convex else flat
    lines = same if layer.low is None else _bent(span, (0.0, 0.0), one_rounded(layer.low))
    if layer.high is None:
        return lines
    near, off = one_rounded(layer.high)
    under = span.high <= near - off
    return Lines(*(np.where(under, line, other) for line, other in zip(lines, flat, strict=True)))


def _bent(span: Span, slope: tuple[float, float], corner: tuple[float, float]) -> Lines:
    """Lines of corner + max(h - corner, slope (h - corner)), which is convex: above is what is above at both ends."""
    (a, a_off), (c, c_off) = slope, corner
    low, high = span
    ends = [c + np.where(end < c, a * (end - c), end - c) for end in span]
    # What the ends and the lines below are off by, generously.
    exact = not (a_off or c_off) and (a == 0 or c == 0)
    apart = a_off * (span.size + abs(c)) + 2 * c_off + (0 if exact else (span.size + abs(c)) * 2.0**-50)
    wide = (np.abs(ends[0]) + np.abs(ends[1]) + span.size + abs(c)) * 2.0**-49 + apart + LOST
    chord = np.clip(np.where(high > low, (ends[1] - ends[0]) / (high - low), 0), 0, 1)
    shift = np.maximum(ends[0] - chord * low, ends[1] - chord * high) + wide
    left, right = high <= c - c_off, low >= c + c_off
    steep = right | ((high - c > c - low) & ~left)
    leaky = c - a * c
    return Lines(
        np.where(steep, 1.0, a),
        np.where(steep, 0.0, leaky - apart),
        np.where(right, 1.0, np.where(left, a, chord)),
        np.where(right, 0.0, np.where(left, leaky + apart, shift)),
    )


def _greatest(layer: MaxPool, above: Floats, below: Span, here: Span) -> tuple[list[Floats], Floats, Floats]:
    """The greatest is no less than the entry of the greatest lower bound, and is it where that is above all others."""
    rows, spatial = len(above), below.low.shape[2:]
    best = np.full(here.low.shape, -inf)
    for _, positions, entries in layer.window.offsets(spatial):
        there = (slice(None), slice(None), *positions)
        best[there] = np.maximum(best[there], below.low[(slice(None), slice(None), *entries)])
    part, taken = np.zeros((rows, *below.low.shape[1:])), np.zeros(here.low.shape, dtype=bool)
    sure = np.ones(here.low.shape, dtype=bool)
    chosen = []
    for _, positions, entries in layer.window.offsets(spatial):
        there, from_ = (slice(None), slice(None), *positions), (slice(None), slice(None), *entries)
        mine = (below.low[from_] == best[there]) & ~taken[there]
        taken[there] |= mine
        sure[there] &= mine | (below.high[from_] <= best[there])
        chosen.append((there, from_, mine))
    for there, from_, mine in chosen:
        own = np.where(sure[there], above[there], np.minimum(above[there], 0))
        part[from_] += np.where(mine, own, 0)
    flat = np.where(sure, 0, np.maximum(above, 0))
    # An entry may be the greatest of several positions; it lies within the span of each.
    error = gamma(2 * above[0].size + 4) * (_dot(flat, np.abs(here.high)) + _dot(np.abs(above), here.size))
    return [part], _dot(flat, here.high), error * UP
