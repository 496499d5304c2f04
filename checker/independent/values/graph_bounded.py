"""A graph in float64 with an error bound for each entry: |exact - value| <= radius, whatever the order of the sums.

A convolution is a sum over the entries of its kernel, each times a slice of what it reads. A computed sum of n products
and a bias is off by at most gamma_(n+1) times the sum of their sizes, and by n underflows. No product of the bounds
underflows, since each factor that is not 0 counts as at least FLOOR; so a radius is 0 just where every term is 0.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import isqrt, prod
from typing import TypeVar, assert_never

import numpy as np

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values.floats import Bounded, Floats
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
    Numbers,
    Rearrange,
    Scale,
    Shape,
    Sum,
    Window,
)
from proof_of_absence.checker.independent.values.rounding import UP, U, gamma

Value = TypeVar("Value")
# 2^-500 squared is a normal number, and more than any underflow of a product.
FLOOR = 2.0**-500
# Numbers that a block of rows may hold for one value, and terms of a sum for which UP covers the bounds' own rounding.
BLOCK, TERMS = 2**23, 2**20
# Bits of a root before it is rounded to a float.
ROOT = 80


def rows_at_once(graph: Graph) -> int:
    """How many rows fit a block."""
    return max(1, BLOCK // graph.widest)


def bounded(
    graph: Graph, inputs: Floats, wanted: Iterable[int], radius: Floats | None = None
) -> Iterator[tuple[int, Bounded]]:
    """The values of the wanted nodes at these rows (rows, size), one after the other, in the order of the nodes.

    With `radius`, shape (rows, size), they hold for every input no farther than that from its row.
    """
    rows = graph.inputs(inputs)
    first = Bounded(rows, np.zeros_like(rows) if radius is None else graph.inputs(radius))

    def step(layer: Layer, below: list[Bounded], shape: Shape) -> Bounded:
        return known(*of_layer(layer, below, shape))

    with np.errstate(all="ignore"):
        for number, found in walked(graph, first, wanted, step):
            flat = (len(inputs), -1)
            yield number, Bounded(found.value.reshape(flat), found.radius.reshape(flat))


def walked(
    graph: Graph, first: Value, wanted: Iterable[int], step: Callable[[Layer, list[Value], Shape], Value]
) -> Iterator[tuple[int, Value]]:
    """What `step` makes of the values below each node, for the wanted nodes in order; none is held longer than read."""
    wanted = set(wanted)
    last = max(wanted, default=0)
    held = {0: first}
    uses = {k: max((r for r in readers if r <= last), default=0) for k, readers in enumerate(graph.readers)}
    for number in pausing(range(1, last + 1)):
        node = graph.nodes[number - 1]
        found = step(node.layer, [held[k] for k in node.reads], graph.shapes[number])
        if uses[number]:
            held[number] = found
        if number in wanted:
            yield number, found
        for below in set(node.reads):
            if uses[below] == number:
                del held[below]


def known(value: Floats, radius: Floats) -> Bounded:
    """The same, with 0 and an infinite radius where floats overflowed."""
    fine = np.isfinite(value) & np.isfinite(radius)
    return Bounded(value, radius) if fine.all() else Bounded(np.where(fine, value, 0), np.where(fine, radius, np.inf))


def of_layer(layer: Layer, below: list[Bounded], shape: Shape) -> tuple[Floats, Floats]:
    """What a layer makes of bounded values, each with the rows in front."""
    value, radius = below[0]
    rows = (len(value), *shape)
    match layer:
        case Dense(weights=weights, bias=bias):
            steps = _steps(weights.shape[1])
            sizes = spread(value, radius, steps) @ clamped(weights).T
            return value @ weights.T + bias, (sizes + _own(bias, steps)) * UP
        case Conv(weights=weights, bias=bias):
            steps = _steps(prod(weights.shape[1:]))
            own = _own(bias, steps).reshape(-1, *(1 for _ in layer.window.counts))
            sizes = convolved(layer, clamped(weights), spread(value, radius, steps), rows)
            moved = bias.reshape(own.shape)
            return convolved(layer, weights, value, rows) + moved, (sizes + own) * UP
        case AveragePool(window=window, divisors=divisors):
            steps = _steps(prod(window.kernel))
            sizes = pooled(window, spread(value, radius, steps), np.zeros(rows), np.add)
            return pooled(window, value, np.zeros(rows), np.add) / divisors, sizes / divisors * UP
        case MaxPool(window=window):
            # Two maxima differ by no more than the entries do.
            greatest = pooled(window, value, np.full(rows, -np.inf), np.maximum)
            return greatest, pooled(window, radius, np.zeros(rows), np.maximum)
        case Scale(gain=gain, moved=moved, radicand=radicand, shift=shift):
            factor, off = rounded(gain, radicand)
            (left, left_off), (right, right_off) = rounded(moved, radicand), rounded(shift)
            own = (left_off + right_off + (np.abs(left) + np.abs(right)) * gamma(4) + _floor(left) + _floor(right)) * UP
            return value * factor + (left + right), _scaled(value, radius, factor, off) + own
        case LeakyRelu(slope=slope):
            factor, off = map(np.array, one_rounded(slope))
            steep = _scaled(value, radius, factor, off)
            either = np.where(value > radius, radius, np.where(value < -radius, steep, (radius + steep) * UP))
            return np.where(value >= 0, value, value * factor), either
        case Clip():
            return _clipped(layer, value, radius)
        case Sum(signs=signs):
            total, sizes = np.zeros_like(value), np.zeros_like(radius)
            for sign, (one, off) in zip(signs, below, strict=True):
                total = total + one if sign > 0 else total - one
                sizes += spread(one, off, _steps(len(signs))) if len(signs) > 1 else off
            return total, sizes * UP
        case Concat(axis=axis):
            return (
                np.concatenate([one.value for one in below], axis=axis + 1),
                np.concatenate([one.radius for one in below], axis=axis + 1),
            )
        case Rearrange(index=index, fill=fill):
            there, (near, apart) = index >= 0, one_rounded(fill)
            flat = value.reshape(len(value), -1)[:, index], radius.reshape(len(value), -1)[:, index]
            return np.where(there, flat[0], near), np.where(there, flat[1], apart)
        case _:
            assert_never(layer)


def spread(value: Floats, radius: Floats, relative: float) -> Floats:
    """What an entry adds to the bound of a sum, for each unit of its weight."""
    there = (value != 0) | (radius != 0)
    return np.where(there, radius + relative * np.abs(value) + FLOOR, 0)


def clamped(weights: Floats) -> Floats:
    """Sizes of weights, each at least FLOOR if it is not 0."""
    return np.where(weights != 0, np.maximum(np.abs(weights), FLOOR), 0)


def one_rounded(x: Fraction) -> tuple[float, float]:
    """The nearest float, and how far it may be off."""
    try:
        near = float(x)
    except OverflowError as error:
        raise Refused("a number of the graph is beyond the floats") from error
    return near, 0.0 if Fraction(near) == x else U * abs(near) * UP + FLOOR


def rounded(numbers: Numbers, radicand: Numbers | None = None) -> tuple[Floats, Floats]:
    """Numbers, times the roots of integers, as floats; and how far each may be off."""
    roots = [1] * numbers.size if radicand is None else radicand.reshape(-1).tolist()
    pairs = zip(numbers.reshape(-1).tolist(), roots, strict=True)
    found = np.array([one_rounded(x) if m == 1 else _root(x, m) for x, m in pausing(pairs)]).reshape(-1, 2)
    value, off = found[:, 0].reshape(numbers.shape), found[:, 1].reshape(numbers.shape)
    return value, off


def _root(x: Fraction, m: int) -> tuple[float, float]:
    """x sqrt(m) as a float: with r = isqrt(x^2 m 4^k) it lies from r / 2^k to (r + 1) / 2^k."""
    square = x * x * m
    if not square:
        return 0.0, 0.0
    size = square.numerator.bit_length() - square.denominator.bit_length()
    k = ROOT - size // 2
    low = isqrt((square.numerator << 2 * max(k, 0)) // (square.denominator << 2 * max(-k, 0)))
    near, off = one_rounded(Fraction(low) / Fraction(2) ** k)
    return near if x > 0 else -near, (off + abs(near) * 2.0 ** (8 - ROOT) + FLOOR) * UP


def _steps(terms: int) -> float:
    require(terms < TERMS, f"a sum has more than {TERMS} terms")
    return gamma(terms + 2)


def _own(bias: Floats, relative: float) -> Floats:
    return relative * np.abs(bias) + _floor(bias)


def _floor(numbers: Floats) -> Floats:
    return np.where(numbers != 0, FLOOR, 0)


def _scaled(value: Floats, radius: Floats, factor: Floats, off: Floats) -> Floats:
    """The bound of value times a factor that is itself off, with one rounding, and one more where something is added.

    A factor whose float is 0 may be another number.
    """
    sizes = np.where((factor != 0) | (off != 0), np.maximum(np.abs(factor) + off, FLOOR), 0)
    return (spread(value, radius, gamma(4)) * sizes + np.abs(value) * off) * UP


def _clipped(layer: Clip, value: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """Clipping moves no two numbers apart, and is off by no more than a bound's own rounding; at a bound it is that."""
    found, off = value, radius
    for bound, sign in ((layer.low, 1), (layer.high, -1)):
        if bound is None:
            continue
        near, own = one_rounded(bound)
        # The rounding of a difference is a part of it, which UP covers; an entry of radius 0 on the bound is there.
        beyond = sign * (near - found) >= (off + own) * UP
        found = np.maximum(found, near) if sign > 0 else np.minimum(found, near)
        off = np.where(beyond, own, np.maximum(off, own))
    return found, off


def pooled(window: Window, value: Floats, into: Floats, combine: Callable[..., Floats]) -> Floats:
    """What each position reads of a channel, combined into an array of the result's shape, rows in front."""
    spatial = value.shape[2:]
    for _, positions, entries in pausing(window.offsets(spatial)):
        there = (slice(None), slice(None), *positions)
        into[there] = combine(into[there], value[(slice(None), slice(None), *entries)])
    return into


def convolved(layer: Conv, weights: Floats, value: Floats, rows: Shape) -> Floats:
    """The sum over the kernel, without the bias."""
    count, groups = rows[0], layer.groups
    each = len(weights) // groups
    total = np.zeros((count, groups, each, *rows[2:]))
    parts = value.reshape(count, groups, -1, *value.shape[2:])
    # Groups, channels out and channels in, last the kernel's entry.
    matrices = weights.reshape(groups, each, weights.shape[1], *weights.shape[2:])
    every: tuple[slice, ...] = (slice(None),) * 3
    for k, positions, entries in pausing(layer.window.offsets(value.shape[2:])):
        seen = parts[(*every, *entries)]
        flat = np.ascontiguousarray(seen).reshape(count, groups, weights.shape[1], -1)
        own: tuple[slice | int, ...] = (*every, *k)
        part = np.ascontiguousarray(matrices[own]) @ flat
        total[(*every, *positions)] += part.reshape(count, groups, each, *seen.shape[3:])
    return total.reshape(rows)
