"""Small random graphs over all layer types, with inputs: for properties of whatever passes over a graph."""

from fractions import Fraction
from math import prod

import numpy as np
from hypothesis import strategies as st

from proof_of_absence.models.graph import Graph, Node
from proof_of_absence.models.graph_layers import (
    AveragePool,
    BatchNorm,
    Clip,
    Concat,
    Conv,
    Dense,
    LeakyRelu,
    MaxPool,
    Rearrange,
    Relu,
    Scale,
    Sum,
)
from proof_of_absence.models.windows import Window

# What a layer of a graph can be; BatchNorm is for those that ask.
LAYERS = (
    "Dense", "Conv", "AveragePool", "MaxPool", "Scale", "Relu", "LeakyRelu", "Clip", "Sum", "Concat", "Rearrange"
)  # fmt: skip
# Halves, many of them 0, so that sums tie; floats; halves that are one ulp off at times; and of any magnitude.
KINDS = ("halves", "floats", "near", "wild")
SLOPES = (Fraction(1, 100), Fraction(1, 4), Fraction(-1, 2), Fraction(3))
ENDS = ((None, 1), (0, 6), (0, 1), (Fraction(-1, 3), Fraction(1, 3)), (-1, None))


def numbers(rng, kind, shape):
    """Floats of a kind."""
    found = rng.integers(-2, 3, shape) / 2.0
    if kind == "floats":
        return rng.standard_normal(shape) * (rng.random(shape) > 0.1)
    if kind == "near":
        moved = np.nextafter(found, rng.choice([-np.inf, np.inf], shape))
        return np.where((rng.random(shape) < 0.2) & (found != 0), moved, found)
    if kind == "wild":
        return np.where(rng.random(shape) < 0.3, np.ldexp(rng.standard_normal(shape), rng.integers(-1074, 900)), found)
    return found


def rationals(rng, count, *, positive=False):
    """Exact numbers that are no floats, most of them, and some 0 or 1."""
    low = 1 if positive else -3
    return [Fraction(int(rng.integers(low, 4)), int(rng.choice([1, 2, 3, 7]))) for _ in range(count)]


@st.composite
def windows(draw, spatial):
    """A window on values of these spatial sizes, with strides, dilations and padding, ceil mode among them."""
    axes = []
    for size in spatial:
        taps, stride = draw(st.integers(1, min(3, size))), draw(st.integers(1, 3))
        dilation = draw(st.integers(1, 2)) if 2 * (taps - 1) < size else 1
        padding = draw(st.integers(0, taps // 2))
        reach = (taps - 1) * dilation
        # The last position may hang over the end, as long as each reads something.
        most = (size + padding - 1) // stride + 1
        fits = max(1, (size + 2 * padding - reach - 1) // stride + 1)
        axes.append((taps, draw(st.integers(1, min(most, fits + 1))), stride, dilation, padding))
    kernel, counts, strides, dilations, before = zip(*axes, strict=True)
    window = Window(kernel, counts, strides=strides, dilations=dilations, before=before)
    if not (window.index(tuple(spatial)) >= 0).any(axis=1).all():
        window = Window(kernel, [1] * len(kernel), dilations=dilations)
    return window


@st.composite
def layers(draw, name, shapes, rng, kind):
    """A layer of this name that reads the last of the values of these shapes, or another one or two, and what it reads;
    None where there is none.
    """
    last = len(shapes) - 1
    shape = shapes[last]
    match name:
        case "Dense":
            out = draw(st.integers(1, 4))
            return Dense(numbers(rng, kind, (out, shape[-1])), numbers(rng, kind, out)), (last,)
        case "Conv" if len(shape) > 1:
            groups = draw(st.sampled_from([g for g in (1, 2, 3) if shape[0] % g == 0]))
            window, out = draw(windows(shape[1:])), groups * draw(st.integers(1, 2))
            weights = numbers(rng, kind, (out, shape[0] // groups, *window.kernel))
            return Conv(weights, numbers(rng, kind, out), window, groups), (last,)
        case "AveragePool" if len(shape) > 1:
            window = draw(windows(shape[1:]))
            counted = (window.index(shape[1:]) >= 0).sum(axis=1).reshape(window.counts)
            return AveragePool(window, draw(st.sampled_from([counted, np.full(window.counts, window.size)]))), (last,)
        case "MaxPool" if len(shape) > 1:
            return MaxPool(draw(windows(shape[1:]))), (last,)
        case "Scale":
            wide = draw(st.sampled_from([(1,), shape, (shape[0], *(1,) * (len(shape) - 1))]))
            factor, shift = (np.array(rationals(rng, prod(wide)), dtype=object).reshape(wide) for _ in range(2))
            return Scale(factor, shift), (last,)
        case "BatchNorm":
            factor, mean, shift = (rationals(rng, shape[0]) for _ in range(3))
            return BatchNorm(factor, mean, rationals(rng, shape[0], positive=True), shift), (last,)
        case "Relu":
            return Relu(), (last,)
        case "LeakyRelu":
            return LeakyRelu(draw(st.sampled_from(SLOPES))), (last,)
        case "Clip":
            return Clip(*(None if end is None else Fraction(end) for end in draw(st.sampled_from(ENDS)))), (last,)
        case "Sum":
            same = [k for k, other in enumerate(shapes) if other == shape]
            reads = (last, *draw(st.lists(st.sampled_from(same), min_size=1, max_size=2)))
            return Sum(tuple(draw(st.sampled_from([1, -1])) for _ in reads)), reads
        case "Concat":
            axis = draw(st.integers(0, len(shape) - 1))
            rest = [(*other[:axis], *other[axis + 1 :]) if len(other) == len(shape) else None for other in shapes]
            same = [k for k, other in enumerate(rest) if other == rest[last]]
            return Concat(axis), (last, draw(st.sampled_from(same)))
        case "Rearrange":
            size = prod(shape)
            index = draw(st.sampled_from(["flat", "turned", "padded", "any"]))
            whole = np.arange(size).reshape(shape)
            made = {"flat": whole.reshape(-1), "turned": whole.T, "padded": np.pad(whole, 1, constant_values=-1)}
            some = rng.integers(-1, size, (min(size, 3), 2))
            fill = draw(st.sampled_from([0, 1, Fraction(1, 3)]))
            return Rearrange(made.get(index, np.maximum(some, 0) if size == 1 else some), index, fill), (last,)
        case _:
            return None


@st.composite
def graphs(draw, names=LAYERS, kinds=KINDS, most=6, rows=4, dtype=np.float64):
    """A graph of these layers with inputs, shape (rows, size): the last node is dense on all of what is before it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(kinds))
    shapes = [draw(st.sampled_from([(2,), (3,), (2, 4), (1, 5), (2, 3, 3), (1, 4, 3)]))]
    nodes = []
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=most)):
        made = draw(layers(name, shapes, rng, kind))
        if made is not None and prod(Graph(shapes[0], [*nodes, Node(*made)]).shapes[-1]) <= 60:
            nodes.append(Node(*made, f"{name.lower()}{len(nodes)}"))
            shapes.append(Graph(shapes[0], nodes).shapes[-1])
    size = prod(shapes[-1])
    nodes.append(Node(Rearrange(np.arange(size)), (len(nodes),)))
    nodes.append(Node(Dense(numbers(rng, kind, (2, size)), numbers(rng, kind, 2)), (len(nodes),), "out"))
    # Not drawn, since one row would be drawn most often.
    inputs = numbers(rng, kind, (int(rng.integers(1, rows + 1)), prod(shapes[0])))
    if dtype == np.float32:
        inputs = np.clip(inputs, -3e38, 3e38).astype(np.float32).astype(np.float64)
    return Graph(shapes[0], nodes, dtype), inputs
