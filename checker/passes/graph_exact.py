"""Exact values of chosen entries of a graph at chosen inputs: of its nodes only what these depend on is computed.

Products are those of python-flint over the rationals. Where square roots of a batch normalisation are left, balls of
arb of rising precision tell what differs, and sums of roots (`numbers.roots`) what does not.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from math import inf, isfinite, prod
from typing import Any, assert_never

import numpy as np
from flint import arb, ctx, fmpq

from proof_of_absence.checker.numbers.deadline import look, looking
from proof_of_absence.checker.numbers.roots import MOST, RootSum, TooManyRoots
from proof_of_absence.checker.passes.graph_arithmetic import (
    DIFFERS,
    OPEN,
    SAME,
    Arithmetic,
    Balls,
    Rationals,
    RootSums,
    each,
)
from proof_of_absence.checker.passes.graph_constants import LEAST, UP32
from proof_of_absence.checker.passes.graph_enclosure import GraphBall
from proof_of_absence.checker.passes.graph_part import part
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

__all__ = ["DIFFERS", "OPEN", "SAME", "SHARP", "TOO_MANY", "differing", "sharp_blocks", "sharp_pass", "values"]

TOO_MANY = "balls of 4096 bits do not tell, and the square roots of batch normalisations that meet in it are too many"
# Bits of the balls before sums of roots are tried, and after: float64 did not tell, so a few more bits rarely do.
BITS, LAST_BITS = (256, 1024), 4096
# Bits of balls for whole passes: 128 hold some thirty layers in a row, and are twice as fast as 256.
SHARP = (128, 512)
# Entries of all nodes in one block of rows.
ENTRIES = 2**18
# Rows that sharp balls look at first: two are enough for most of what varies.
FIRST_ROWS = 2


def values(graph: Graph, inputs: np.ndarray, wanted: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
    """The exact values of some entries of some nodes at each input.

    Parameters
    ----------
    inputs
        Shape (rows, size), float64, finite.
    wanted
        For each node the entries (indices) of its flattened value.

    Returns
    -------
    For each node an array (rows, entries) of Fractions, dtype object; None where a number is not rational, or is a sum
    of too many square roots to tell.

    Raises
    ------
    OutOfTime
        If the deadline in force passes.
    """
    some, nodes = part(graph, wanted)
    found: dict[int, list[np.ndarray]] = {number: [] for number in wanted}
    for rows in _blocks(some, len(inputs)):
        here = _fractions(some, inputs[rows], nodes.values())
        for number, node in nodes.items():
            found[number].append(here[node].T)
    return {number: np.concatenate(blocks) for number, blocks in found.items()}


def _fractions(graph: Graph, inputs: np.ndarray, wanted: Collection[int]) -> dict[int, np.ndarray]:
    """The values of some nodes, (entries, rows), as Fractions, or None."""
    if graph.is_rational:
        every = _evaluate(graph, inputs, Rationals())
        return {node: each(_fraction, every[node]) for node in wanted}
    # What a ReLU cuts is 0 in a ball too, however many roots it is made of.
    every = _evaluate(graph, inputs, Balls(BITS[0]))
    found = {node: each(_fraction, every[node]) for node in wanted}
    if not _has_few_roots(graph) or not any(x is None for told in found.values() for x in told.reshape(-1)):
        return found
    try:
        every = _evaluate(graph, inputs, RootSums())
    except TooManyRoots:
        return found
    return {node: each(_fraction, every[node]) for node in wanted}


def _has_few_roots(graph: Graph) -> bool:
    """Whether sums of roots are worth their time: those of more roots than a sum may have would be given up."""
    layers = [node.layer for node in graph.nodes]
    return len({m for layer in layers if isinstance(layer, BatchNorm) for m in layer.square}) <= MOST


def sharp_blocks(graph: Graph, rows: int) -> Iterator[slice]:
    """The rows in slices fit for `sharp_pass`, a few at first, with a look at the deadline before each."""
    if rows:
        yield slice(0, min(FIRST_ROWS, rows))
    yield from (slice(one.start + FIRST_ROWS, one.stop + FIRST_ROWS) for one in _blocks(graph, rows - FIRST_ROWS))


def sharp_pass(
    graph: Graph, inputs: np.ndarray, wanted: Collection[int], bits: int = SHARP[0]
) -> dict[int, GraphBall]:
    """Some nodes in balls of so many bits, rounded to float64: where that of itself lost all digits in many layers.

    Parameters
    ----------
    inputs
        Shape (rows, size), float64, finite. Give the rows in `sharp_blocks`.

    Returns
    -------
    For each wanted node a ball that holds its value, shapes (rows, entries).

    Raises
    ------
    OutOfTime
        If the deadline in force passes.
    """
    every = _evaluate(graph, inputs, Balls(bits))
    found = {}
    for node in wanted:
        ends = each(_rounded, every[node].T).tolist()
        both = np.array(ends, dtype=np.float64).reshape(*every[node].T.shape, 2)
        found[node] = GraphBall(both[..., 0].copy(), both[..., 1].astype(np.float32))
    return found


def _rounded(number: arb) -> tuple[float, float]:
    """A float and a radius, of float32, around what a ball holds; infinite where there is none."""
    near = float(number.mid())
    if not isfinite(near):
        return 0.0, inf
    if number == arb(near):
        return near, 0.0
    off = float(abs(number - arb(near)).upper()) * UP32
    return near, max(off, LEAST) if off < 2.0**127 else inf


def differing(
    graph: Graph, inputs: np.ndarray, node: int, entries: np.ndarray, reference: Sequence[Fraction | None]
) -> np.ndarray:
    """Whether entries of a node have their reference value at each input: SAME, DIFFERS or OPEN, int8, (rows, entries).

    OPEN is left only where square roots meet: `TOO_MANY` is the reason.

    Parameters
    ----------
    inputs
        Shape (rows, size), float64, finite.
    entries
        Indices of the flattened value.
    reference
        For each entry the value that it is compared with; None for its value at the first input.

    Raises
    ------
    OutOfTime
        If the deadline in force passes.
    """
    entries = np.asarray(entries, dtype=np.int64)
    found = np.full((len(inputs), len(entries)), OPEN, dtype=np.int8)
    if not found.size:
        return found
    # Nothing differs from itself, however many roots it is made of.
    found[0, [one is None for one in reference]] = SAME
    steps: list[Arithmetic] = [Rationals()]
    if not (graph.is_rational or part(graph, {node: entries}).graph.is_rational):
        steps = [*map(Balls, BITS), RootSums(), Balls(LAST_BITS)]
    for arithmetic in steps:
        columns = np.flatnonzero((found == OPEN).any(axis=0))
        # Too many roots in one entry must not leave the others open.
        for some in columns[:, None] if isinstance(arithmetic, RootSums) else [columns]:
            rows = np.flatnonzero((found[:, some] == OPEN).any(axis=1))
            if not rows.size or (isinstance(arithmetic, RootSums) and not _roots_are_few(graph, node, entries[some])):
                continue
            try:
                told = _compared(
                    graph, inputs, rows, node, entries[some], [reference[int(k)] for k in some], arithmetic
                )
            except TooManyRoots:
                continue
            here = np.ix_(rows, some)
            found[here] = np.where(found[here] == OPEN, told, found[here])
    return found


def _roots_are_few(graph: Graph, node: int, entries: np.ndarray) -> bool:
    return _has_few_roots(part(graph, {node: entries}).graph)


def _compared(
    graph: Graph,
    inputs: np.ndarray,
    rows: np.ndarray,
    node: int,
    entries: np.ndarray,
    reference: Sequence[Fraction | None],
    arithmetic: Arithmetic,
) -> np.ndarray:
    """`differing` at some rows, in one arithmetic; the first of all inputs is the first one that is looked at."""
    some, nodes = part(graph, {node: entries})
    first = None in reference and rows[0] != 0
    asked = np.concatenate([[0], rows]) if first else rows
    found = []
    with ctx.workprec(arithmetic.bits):
        against = [None if one is None else arithmetic.of(one) for one in reference]
        for block in _blocks(some, len(asked)):
            here = _evaluate(some, inputs[asked[block]], arithmetic)[nodes[node]]
            against = [row[0] if one is None else one for one, row in zip(against, here, strict=True)]
            found.append([[arithmetic.differs(x, one) for x in row] for one, row in zip(against, here, strict=True)])
    return np.concatenate(found, axis=1).T.astype(np.int8)[int(first) :]


def _blocks(graph: Graph, rows: int) -> Iterator[slice]:
    size = max(1, ENTRIES // sum(graph.sizes))
    return (slice(start, min(start + size, rows)) for start in looking(range(0, rows, size)))


def _fraction(number: Any) -> Fraction | None:
    match number:
        case fmpq():
            return Fraction(int(number.p), int(number.q))
        case RootSum():
            return number.rational()
        case arb():
            return _dyadic(number) if number.is_exact() and number.is_finite() else None
        case _:
            return None


def _dyadic(number: arb) -> Fraction:
    """The number that an exact ball is."""
    mantissa, exponent = number.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _evaluate(graph: Graph, inputs: np.ndarray, arithmetic: Arithmetic) -> list[np.ndarray]:
    """The input and the value of each node, (entries, rows), numbers of the arithmetic."""
    with ctx.workprec(arithmetic.bits):
        found = [each(arithmetic.of_float, inputs.T.astype(object))]
        for node, shape in zip(graph.nodes, graph.shapes[1:], strict=True):
            look()
            below = [found[k].reshape(*graph.shapes[k], -1) for k in node.reads]
            found.append(_through(node.layer, below, arithmetic).reshape(prod(shape), -1))
        return found


def _through(layer: GraphLayer, below: Sequence[np.ndarray], arithmetic: Arithmetic) -> np.ndarray:
    """What a layer makes of values, whose last axis are the rows."""
    h, rows = below[0], below[0].shape[-1]
    ends = (1,) * (h.ndim - 2)
    match layer:
        case Dense(weights=weights, bias=bias):
            # The fan-in first, then all positions and rows.
            flat = np.moveaxis(h, -2, 0)
            found = arithmetic.product(weights, flat.reshape(len(flat), -1)) + each(
                arithmetic.of_float, bias[:, None].astype(object)
            )
            return np.moveaxis(found.reshape(-1, *flat.shape[1:]), 0, -2)
        case Conv(bias=bias, groups=groups):
            patches = _patches(layer, h, arithmetic).reshape(groups, -1, layer.window.positions * rows)
            found = np.concatenate([arithmetic.product(*one) for one in zip(layer.matrices, patches, strict=True)])
            return np.asarray(found + _biases(bias, arithmetic))
        case AveragePool(divisors=divisors):
            shares = _constants(1 / _rationals(divisors.reshape(-1)), arithmetic)
            return np.asarray(_patches(layer, h, arithmetic).sum(axis=1) * shares[:, None])
        case MaxPool(window=window):
            # Padding is never the greatest; another entry of the same position instead makes no difference.
            index = window.index(h.shape[1:-1])
            index = np.where(index < 0, index.max(axis=1, keepdims=True), index)
            return _reduced(arithmetic.greater, h.reshape(len(h), -1, rows)[:, index.T])
        case Scale(factor=factor, shift=shift):
            return np.asarray(h * _constants(factor, arithmetic)[..., None] + _constants(shift, arithmetic)[..., None])
        case BatchNorm(factor=factor, mean=mean, square=square, shift=shift):
            # One root is another's inverse times a rational.
            roots = each(arithmetic.root, square) * _constants(factor / square, arithmetic)
            moved = h - _constants(mean, arithmetic).reshape(-1, *ends, 1)
            return np.asarray(moved * roots.reshape(-1, *ends, 1) + _constants(shift, arithmetic).reshape(-1, *ends, 1))
        case Relu():
            return each(arithmetic.greater, h, np.array(arithmetic.of(Fraction(0)), dtype=object))
        case LeakyRelu(slope=slope):
            return each(arithmetic.leaky, h, np.array(arithmetic.of(slope), dtype=object))
        case Clip(low=low, high=high):
            if low is not None:
                h = each(arithmetic.greater, h, np.array(arithmetic.of(low), dtype=object))
            return h if high is None else -each(arithmetic.greater, -h, np.array(arithmetic.of(-high), dtype=object))
        case Sum(signs=signs):
            return _reduced(np.add, np.stack([h if sign > 0 else -h for sign, h in zip(signs, below, strict=True)], 1))
        case Concat(axis=axis):
            return np.concatenate(list(below), axis=axis)
        case Rearrange(index=index, fill=fill):
            flat = h.reshape(-1, rows)
            filled = np.full((1, rows), arithmetic.of(fill), dtype=object)
            return np.asarray(np.concatenate([flat, filled])[index])
        case _:
            assert_never(layer)


def _reduced(action: Callable[..., Any], array: np.ndarray) -> np.ndarray:
    """An action of two numbers along the second axis."""
    found = array[:, 0]
    for k in range(1, array.shape[1]):
        found = each(action, found, array[:, k])
    return found


def _patches(layer: Conv | AveragePool, h: np.ndarray, arithmetic: Arithmetic) -> np.ndarray:
    """What each position reads of each channel, (channels, size, positions, rows); padding is 0."""
    channels, rows = h.shape[0], h.shape[-1]
    zero = np.full((channels, 1, rows), arithmetic.of(Fraction(0)), dtype=object)
    padded = np.concatenate([h.reshape(channels, -1, rows), zero], axis=1)
    return np.asarray(padded[:, layer.window.index(h.shape[1:-1]).T])


def _biases(bias: np.ndarray, arithmetic: Arithmetic) -> np.ndarray:
    return each(arithmetic.of_float, bias[:, None].astype(object))


def _constants(numbers: np.ndarray, arithmetic: Arithmetic) -> np.ndarray:
    return each(arithmetic.of, numbers)


def _rationals(array: np.ndarray) -> np.ndarray:
    return each(Fraction, array.astype(object))
