"""How far float32 evaluations of a graph are from the exact one, whatever the order of their sums.

Inputs and constants are rounded to float32, and each operation rounds once more; subnormal numbers may be flushed to 0
or kept, products and sums fused or not. A `scale` is one product or quotient and one sum. A batch normalisation is up
to twelve operations, or is folded into the weights that it reads, of which each may be rounded sixteen times more.
Convolutions by Winograd's or a Fourier transform are no sums of products, and are not covered.

With |exact - v| <= r and |float32 - exact| <= d below a sum of k products, all are within reach = |v| + r + d, and the
sum is off by at most |w|.(d + gamma reach) + gamma |b|. What is flushed costs 2^-126 each: an entry counts as at least
2^-90 there and a weight as at least 2^-25, which holds more than two thousand of them for each product.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import prod
from typing import Any, assert_never

import numpy as np

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import require
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Bounded, Floats
from proof_of_absence.checker.independent.values.graph_bounded import (
    TERMS,
    convolved,
    known,
    of_layer,
    one_rounded,
    pooled,
    rounded,
)
from proof_of_absence.checker.independent.values.graphs import (
    AveragePool,
    Clip,
    Concat,
    Conv,
    Dense,
    Graph,
    LeakyRelu,
    MaxPool,
    Node,
    Rearrange,
    Scale,
    Shape,
    Sum,
)
from proof_of_absence.checker.independent.values.rounding import LARGEST_SINGLE, LEAST_SINGLE, U_SINGLE, UP, gamma

LEAST, LEAST_WEIGHT = 2.0**-90, 2.0**-25
# Roundings of a weight into which a batch normalisation is folded, and of a batch normalisation.
FOLDED, NORMALISED = 16, 13
# What the constants of a batch normalisation, and its factor over the root, must lie between, or be 0.
SMALL, LARGE = 2.0**-100, 2.0**60


def deviation(graph: Graph, inputs: Floats) -> Floats:
    """How far float32 outputs are from the exact ones at most, shape (rows, size); refused where they may overflow."""
    last = inputs
    for _, delta in singles(graph, inputs):
        last = delta
    return last.reshape(len(inputs), -1)


def singles(graph: Graph, inputs: Floats) -> Iterator[tuple[Bounded, Floats]]:
    """The input and each node's value, and how far float32 is from the exact one; refused where it may overflow."""
    rows = graph.inputs(inputs)
    with np.errstate(all="ignore"):
        held = (rows.astype(np.float32) == rows) & ((np.abs(rows) >= LEAST_SINGLE) | (rows == 0))
        delta = np.where(held, 0, (U_SINGLE * np.abs(rows) + LEAST_SINGLE) * UP)
        require(bool((np.abs(rows) < LARGEST_SINGLE).all()), "float32 might overflow")
    values: list[Bounded | None] = [Bounded(rows, np.zeros_like(rows))]
    deltas: list[Floats | None] = [delta]
    yield Bounded(rows, np.zeros_like(rows)), delta
    for number, node in enumerate(pausing(graph.nodes), 1):
        below = [(v, d) for k in node.reads if (v := values[k]) is not None and (d := deltas[k]) is not None]
        with np.errstate(all="ignore"):
            found = known(*of_layer(node.layer, [v for v, _ in below], graph.shapes[number]))
            moved = _moved(node, [v for v, _ in below], [d for _, d in below], found, graph.shapes[number])
            reach = np.abs(found.value) + found.radius + moved
            require(bool((reach < LARGEST_SINGLE / 2).all()), "float32 might overflow")
        values.append(found)
        deltas.append(moved)
        yield found, moved
        for k in set(node.reads):
            if max(graph.readers[k]) == number:
                values[k] = deltas[k] = None


def _moved(node: Node, below: list[Bounded], deltas: list[Floats], found: Bounded, shape: Shape) -> Floats:
    """What the layer makes of how far float32 is off below, and what it adds."""
    layer, delta = node.layer, deltas[0]
    value, radius = below[0]
    reach = (np.abs(value) + radius + delta) * UP
    rows = (len(value), *shape)
    match layer:
        case Dense(weights=weights, bias=bias):
            steps = weights.shape[1] + 3 + FOLDED
            total = _terms(delta, reach, steps) @ _sizes(weights).T + _constants(bias, steps)
            return _sum(total, steps)
        case Conv(weights=weights, bias=bias):
            steps = prod(weights.shape[1:]) + 3 + FOLDED
            own = _constants(bias, steps).reshape(-1, *(1 for _ in layer.window.counts))
            return _sum(convolved(layer, _sizes(weights), _terms(delta, reach, steps), rows) + own, steps)
        case AveragePool(window=window, divisors=divisors):
            steps = prod(window.kernel) + 3
            return _sum(pooled(window, _terms(delta, reach, steps), np.zeros(rows), np.add), steps) / divisors * UP
        case MaxPool(window=window):
            return pooled(window, delta, np.zeros(rows), np.maximum)
        case Scale():
            return _scaled(node.attributes, layer, delta, reach)
        case LeakyRelu(slope=slope):
            steep = max(abs(one_rounded(slope)[0]), LEAST_WEIGHT)
            rounding = steep * _terms(np.zeros_like(delta), reach, 3)
            off = (radius + delta) * UP
            bent = np.where(value < -off, steep, max(steep, 1.0)) * delta + rounding
            return np.where(value > off, delta, bent * UP)
        case Clip():
            return _clipped(layer, value, radius, delta)
        case Sum(signs=signs):
            if len(signs) == 1:
                return delta
            sizes = [(np.abs(v) + r + d) * UP for (v, r), d in zip(below, deltas, strict=True)]
            terms = [_terms(d, size, len(signs)) for d, size in zip(deltas, sizes, strict=True)]
            return _sum(np.add.reduce(terms), len(signs))
        case Concat(axis=axis):
            return np.concatenate(deltas, axis=axis + 1)
        case Rearrange(index=index, fill=fill):
            flat = delta.reshape(len(value), -1)[:, index]
            return np.where(index >= 0, flat, _single(fill)[1])
        case _:
            assert_never(layer)


def _terms(delta: Floats, reach: Floats, steps: int) -> Floats:
    """What an entry adds to a sum's bound, for each unit of its weight."""
    require(steps < TERMS, f"a sum has more than {TERMS} terms")
    return np.where(reach != 0, np.maximum(delta + gamma(steps, U_SINGLE) * reach, LEAST) * UP, 0)


def _sizes(weights: Floats) -> Floats:
    require(bool((np.abs(weights) < LARGEST_SINGLE).all()), "a weight is beyond float32")
    return np.where(weights != 0, np.maximum(np.abs(weights), LEAST_WEIGHT), 0)


def _constants(bias: Floats, steps: int) -> Floats:
    return np.where(bias != 0, np.maximum(gamma(steps, U_SINGLE) * np.abs(bias), LEAST), 0)


def _sum(total: Floats, steps: int) -> Floats:
    """The bound of a sum; it holds at least gamma times the sum of the sizes, which is far from overflowing."""
    fits = total <= gamma(steps, U_SINGLE) * LARGEST_SINGLE / 4
    require(bool(fits.all()), "float32 might overflow")
    return total * UP


def _scaled(stated: dict[str, Any], layer: Scale, delta: Floats, reach: Floats) -> Floats:
    factor, (left, _), (right, _) = (
        rounded(layer.gain, layer.radicand)[0],
        rounded(layer.moved, layer.radicand),
        rounded(layer.shift),
    )
    require(bool((np.abs(factor) < LARGE).all() and (np.abs(right) < LARGE).all()), "a number is large for float32")
    steps, flushed = 5, np.zeros_like(factor)
    if stated["kind"] == "batch-norm":
        steps, flushed = NORMALISED, np.where(factor != 0, LEAST, 0)
        for name in ("factor", "mean", "shift", "square"):
            sizes = np.array([abs(one_rounded(hexadecimal(text))[0]) for text in stated[name]["values"]])
            require(bool(((sizes == 0) | ((sizes > SMALL) & (sizes < LARGE))).all()), f"its {name} is beyond float32")
            require(name != "square" or bool((sizes > 1 / LARGE).all()), "its square is beyond float32")
        require(bool(((factor == 0) | (np.abs(factor) > SMALL)).all()), "its factors are beyond float32")
    own = _constants(np.abs(left) + np.abs(right), steps) + flushed
    return _sum(_terms(delta, reach, steps) * _sizes(factor) + own, steps)


def _clipped(layer: Clip, value: Floats, radius: Floats, delta: Floats) -> Floats:
    """Clipping moves no two numbers apart; at a bound float32 is that bound, rounded."""
    found, off = value, delta
    for bound, sign in ((layer.low, 1), (layer.high, -1)):
        if bound is None:
            continue
        near, own = _single(bound)
        beyond = sign * (near - found) >= (radius + off + own) * UP
        found = np.maximum(found, near) if sign > 0 else np.minimum(found, near)
        off, radius = np.where(beyond, own, np.maximum(off, own)), np.maximum(radius, own)
    return off


def _single(x: Fraction) -> tuple[float, float]:
    """The nearest float, and how far float32 is from the number."""
    near, off = one_rounded(x)
    require(abs(near) < LARGEST_SINGLE, "a number is beyond float32")
    held = not off and float(np.float32(near)) == near and (abs(near) >= LEAST_SINGLE or not near)
    return near, 0.0 if held else (off + U_SINGLE * abs(near) + LEAST_SINGLE) * UP
