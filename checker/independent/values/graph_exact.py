"""Chosen entries of a graph's values at chosen rows, exactly: Python integers times one scale for each node.

Only what the chosen entries rest on is computed. Where a root is left, integers are enclosed or exact sums of roots
(`roots.py`): `equal` and `differ` try enclosures of more and more digits, then the sums.
"""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import reduce
from math import gcd, lcm, prod
from typing import Any, NamedTuple, assert_never

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.floats import Floats, integers
from proof_of_absence.checker.independent.values.graphs import (
    AveragePool,
    Clip,
    Concat,
    Conv,
    Dense,
    Graph,
    LeakyRelu,
    MaxPool,
    Numbers,
    Places,
    Rearrange,
    Scale,
    Shape,
    Sum,
    Window,
)
from proof_of_absence.checker.independent.values.roots import BITS, Between, Enclosing, Number, Summing, each

Roots = Enclosing | Summing


class Part(NamedTuple):
    """Some entries of a value, sorted, at some rows: numbers (rows, entries) times the scale."""

    entries: Places
    whole: Numbers
    scale: Fraction

    def of(self, entries: Places) -> Numbers:
        """The numbers of these entries."""
        found: Numbers = self.whole[:, np.searchsorted(self.entries, entries)]
        return found

    def over(self, scale: Fraction) -> "Part":
        """The same over a scale that divides its own."""
        factor = self.scale / scale
        return Part(self.entries, self.whole * factor.numerator, scale)


def exact(graph: Graph, inputs: Floats, node: int, entries: Places, roots: Roots | None = None) -> Part:
    """These entries of a node's value at these rows (rows, size); without `roots` the graph has none."""
    require(roots is not None or graph.is_rational, "a root is left")
    return evaluated(graph, inputs, node, rests_on(graph, node, entries), roots or Enclosing(BITS))


def rests_on(graph: Graph, node: int, entries: Places) -> dict[int, Places]:
    """The entries of all values that these entries of a node's value rest on, themselves included, sorted."""
    wanted: dict[int, Places] = {node: np.unique(entries)}
    for number in pausing(range(node, 0, -1)):
        if number in wanted:
            found = needs(graph, number, wanted[number])
            for below, places in zip(graph.nodes[number - 1].reads, found, strict=True):
                if places.size:
                    wanted[below] = np.union1d(wanted[below], places) if below in wanted else places
    return wanted


def evaluated(graph: Graph, inputs: Floats | Numbers, node: int, wanted: Mapping[int, Places], roots: Roots) -> Part:
    """The wanted entries of a node's value at rows of floats or of Fractions, by those of all that they rest on."""
    rows = inputs.reshape(len(inputs), -1)
    require(rows.shape[1] == graph.sizes[0], "inputs do not fit the graph")
    nothing = Part(np.zeros(0, np.int64), _zeros(len(inputs), 0), Fraction(1))
    parts: dict[int, Part] = {}
    if 0 in wanted:
        parts[0] = _inputs(rows[:, wanted[0]], wanted[0])
    for number in pausing(sorted(set(wanted) - {0})):
        below = [parts.get(k, nothing) for k in graph.nodes[number - 1].reads]
        whole, scale = layer_of(graph, number, wanted[number], below, roots)
        parts[number] = Part(wanted[number], whole, scale)
    return parts[node]


def _inputs(columns: Floats | Numbers, entries: Places) -> Part:
    if columns.dtype != object:
        whole, exponent, _ = integers(np.asarray(columns, dtype=np.float64))
        return Part(entries, whole, Fraction(2) ** exponent)
    scale = Fraction(1)
    numbers: list[Any] = columns.reshape(-1).tolist()
    for x in {x for x in numbers if x}:
        scale = common_scale(scale, x)
    return Part(entries, each(lambda x: int(x / scale), columns), scale)


def needs(graph: Graph, number: int, entries: Places) -> list[Places]:
    """For each value that a node reads the entries of it that these entries of its own rest on, sorted.

    What has a weight of 0 is not among them.
    """
    node = graph.nodes[number - 1]
    below = [graph.shapes[k] for k in node.reads]
    layer, shape = node.layer, graph.shapes[number]
    match layer:
        case Dense(weights=weights):
            lead, out = np.divmod(entries, len(weights))
            read = np.flatnonzero((weights[np.unique(out)] != 0).any(axis=0))
            return [np.unique(np.unique(lead)[:, None] * weights.shape[1] + read)]
        case Conv():
            return [_union((flat for flat, *_ in _met(layer, entries, below[0], shape)), prod(below[0]))]
        case AveragePool(window=window) | MaxPool(window=window):
            return [_union((flat for flat, *_ in _seen(window, entries, below[0])), prod(below[0]))]
        case Scale(gain=gain):
            carried = np.broadcast_to(gain, shape)[np.unravel_index(entries, shape)] != 0
            return [entries[carried.astype(bool)]]
        case LeakyRelu() | Clip() | Sum():
            return [entries for _ in below]
        case Concat(axis=axis):
            return [np.sort(place) for place, _ in _joined(axis, entries, below, shape)]
        case Rearrange(index=index):
            flat = index.reshape(-1)[entries]
            return [np.unique(flat[flat >= 0])]
        case _:
            assert_never(layer)


def layer_of(graph: Graph, number: int, entries: Places, below: list[Part], roots: Roots) -> tuple[Numbers, Fraction]:
    """What a node makes, in these entries, of the values below: numbers (rows, entries) and their scale."""
    node = graph.nodes[number - 1]
    layer, shape, first = node.layer, graph.shapes[number], below[0]
    shapes = [graph.shapes[k] for k in node.reads]
    rows = len(first.whole)
    match layer:
        case Dense(weights=weights, bias=bias):
            return _dense(weights, bias, entries, first)
        case Conv(weights=weights, bias=bias):
            matrix, exponent, _ = integers(weights.reshape(len(weights), -1))
            total = _zeros(rows, len(entries))
            for flat, at, channels, column in pausing(_met(layer, entries, shapes[0], shape)):
                total[:, at] += first.of(flat) * matrix[channels, column]
            channel = entries // prod(shape[1:])
            return _plus(total, first.scale * Fraction(2) ** exponent, _fractions(bias)[channel])
        case AveragePool(window=window, divisors=divisors):
            total = _zeros(rows, len(entries))
            for flat, at in pausing(_seen(window, entries, shapes[0])):
                total[:, at] += first.of(flat)
            own = divisors.reshape(-1)[entries % divisors.size].astype(object)
            common = lcm(*own.tolist())
            return total * (common // own), first.scale / common
        case MaxPool(window=window):
            best = np.full((rows, len(entries)), None, dtype=object)
            for flat, at in pausing(_seen(window, entries, shapes[0])):
                best[:, at] = each(_greatest, best[:, at], first.of(flat))
            return best, first.scale
        case Scale():
            return _scaled(layer, entries, shapes[0], first, roots)
        case LeakyRelu(slope=slope):
            return each(lambda x: _bent(x, slope), first.of(entries)), first.scale / slope.denominator
        case Clip(low=low, high=high):
            scale = reduce(common_scale, [x for x in (low, high) if x], first.scale)
            found = first.over(scale).of(entries)
            if low is not None:
                found = each(_greatest, found, int(low / scale))
            return (found if high is None else each(_least, found, int(high / scale))), scale
        case Sum(signs=signs):
            scale = reduce(common_scale, [part.scale for part in below])
            values = [part.over(scale).of(entries) * sign for sign, part in zip(signs, below, strict=True)]
            return reduce(np.add, values), scale
        case Concat(axis=axis):
            scale = reduce(common_scale, [part.scale for part in below])
            found = _zeros(rows, len(entries))
            for part, (flat, at) in zip(below, _joined(axis, entries, shapes, shape), strict=True):
                found[:, at] = part.over(scale).of(flat)
            return found, scale
        case Rearrange(index=index, fill=fill):
            scale = common_scale(first.scale, fill) if fill else first.scale
            flat = index.reshape(-1)[entries]
            found = _zeros(rows, len(entries)) + int(fill / scale)
            found[:, flat >= 0] = first.over(scale).of(flat[flat >= 0])
            return found, scale
        case _:
            assert_never(layer)


def common_scale(one: Fraction, other: Fraction) -> Fraction:
    """The greatest number of which both are whole multiples; neither is 0.

    Examples
    --------
    >>> common_scale(Fraction(1, 4), Fraction(-5, 6))
    Fraction(1, 12)
    """
    bottom = lcm(one.denominator, other.denominator)
    return Fraction(gcd(int(one * bottom), int(other * bottom)), bottom)


def _dense(weights: Floats, bias: Floats, entries: Places, first: Part) -> tuple[Numbers, Fraction]:
    lead, out = np.divmod(entries, len(weights))
    outs = np.unique(out)
    read = np.flatnonzero((weights[outs] != 0).any(axis=0))
    matrix, exponent, _ = integers(weights[np.ix_(outs, read)]) if read.size else (_zeros(len(outs), 0), 0, 1)
    total = _zeros(len(first.whole), len(entries))
    for place in pausing(np.unique(lead)):
        at = np.flatnonzero(lead == place)
        if read.size:
            columns = first.of(place * weights.shape[1] + read)
            total[:, at] = columns.dot(matrix.T)[:, np.searchsorted(outs, out[at])]
    return _plus(total, first.scale * Fraction(2) ** exponent, _fractions(bias)[out])


def _scaled(layer: Scale, entries: Places, shape: Shape, first: Part, roots: Roots) -> tuple[Numbers, Fraction]:
    """(gain h + moved) sqrt(radicand) + shift, over one scale for all."""
    own = (layer.gain, layer.moved, layer.radicand, layer.shift)
    gain, moved, radicand, shift = (np.broadcast_to(x, shape)[np.unravel_index(entries, shape)].tolist() for x in own)
    factors = [x * first.scale for x in gain]
    scale = reduce(common_scale, [x for x in (*factors, *moved, *shift) if x], first.scale)
    columns = list(zip(factors, moved, radicand, shift, strict=True))
    carried = np.array([bool(x) for x in gain])
    found, read = _zeros(len(first.whole), len(entries)), _zeros(len(first.whole), len(entries))
    read[:, carried] = first.of(entries[carried])
    for k, (values, (factor, left, m, right)) in enumerate(pausing(zip(read.T, columns, strict=True))):
        a, b, c = (int(x / scale) for x in (factor, left, right))
        found[:, k] = [roots.times(x * a + b, m) + c for x in values] if m != 1 else values * a + (b + c)
    return found, scale


def _plus(total: Numbers, scale: Fraction, offsets: Numbers) -> tuple[Numbers, Fraction]:
    """Numbers times a scale, plus a Fraction for each column."""
    finer = reduce(common_scale, [x for x in offsets.tolist() if x], scale)
    moved = np.array([int(x / finer) for x in offsets.tolist()], dtype=object)
    factor = int(scale / finer)
    return (total * factor if factor != 1 else total) + moved, finer


def _bent(x: Number, slope: Fraction) -> Number:
    """A leaky ReLU, times the slope's denominator."""
    above, below = x * slope.denominator, x * slope.numerator
    sign = (x > 0) - (x < 0) if isinstance(x, int) else x.sign()
    if isinstance(above, Between) and isinstance(below, Between) and sign is None:
        return Between(min(above.low, below.low, 0), max(above.high, below.high, 0), above.bits)
    return above if sign is not None and sign >= 0 else below


def _greatest(one: Number | None, other: Number) -> Number:
    if one is None:
        return other
    if isinstance(one, int):
        return max(one, other) if isinstance(other, int) else other.greatest(one)
    return one.greatest(other)


def _least(one: Number, other: Number) -> Number:
    return _greatest(one * -1, other * -1) * -1


def _met(layer: Conv, entries: Places, below: Shape, shape: Shape) -> Iterator[tuple[Places, Places, Places, int]]:
    """What each weight of a convolution meets: for each entry of the kernel and channel of a group the places below,
    which of the entries they are for, and rows and column of the weights as a matrix. Weights of 0 meet nothing.
    """
    positions, spatial = prod(shape[1:]), prod(below[1:])
    channel, position = np.divmod(entries, positions)
    each = layer.weights.shape[1]
    group = channel // (len(layer.weights) // layer.groups)
    matrix = layer.weights.reshape(len(layer.weights), -1)
    size = prod(layer.window.kernel)
    for k, (flat, inside) in enumerate(windows(layer.window, position, below[1:])):
        for c in range(each):
            column = c * size + k
            at = np.flatnonzero(inside & (matrix[channel, column] != 0))
            if at.size:
                yield (group[at] * each + c) * spatial + flat[at], at, channel[at], column


def _seen(window: Window, entries: Places, below: Shape) -> Iterator[tuple[Places, Places]]:
    """What each entry of a pool's kernel meets: places below, and which of the entries they are for."""
    channel, position = np.divmod(entries, prod(window.counts))
    for flat, inside in windows(window, position, below[1:]):
        at = np.flatnonzero(inside)
        yield channel[at] * prod(below[1:]) + flat[at], at


def windows(window: Window, position: Places, spatial: Shape) -> Iterator[tuple[Places, NDArray[np.bool_]]]:
    """For each entry of the kernel the place in a channel that each position reads, and whether it is there."""
    along = np.unravel_index(position, window.counts)
    for ks in np.ndindex(window.kernel):
        flat, inside = np.zeros(len(position), np.int64), np.ones(len(position), bool)
        for axis, k in enumerate(ks):
            here = along[axis] * window.strides[axis] - window.before[axis] + k * window.dilations[axis]
            inside &= (here >= 0) & (here < spatial[axis])
            flat = flat * spatial[axis] + here
        yield flat, inside


def _joined(axis: int, entries: Places, below: list[Shape], shape: Shape) -> list[tuple[Places, Places]]:
    """For each value that is joined the places that entries come from, and which of the entries they are."""
    along = np.unravel_index(entries, shape)
    found, start = [], 0
    for one in below:
        at = np.flatnonzero((along[axis] >= start) & (along[axis] < start + one[axis]))
        index = [axes[at] - (start if k == axis else 0) for k, axes in enumerate(along)]
        found.append((np.ravel_multi_index(index, one), at))
        start += one[axis]
    return found


def _union(found: Iterable[Places], size: int) -> Places:
    mask = np.zeros(size, dtype=bool)
    for places in pausing(found):
        mask[places] = True
    return np.flatnonzero(mask)


def _zeros(rows: int, columns: int) -> Numbers:
    return np.zeros((rows, columns), dtype=np.int64).astype(object)


def _fractions(bias: Floats) -> Numbers:
    found = np.empty(len(bias), dtype=object)
    found[:] = list(map(Fraction, bias.tolist()))
    return found
