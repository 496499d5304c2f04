"""Exact values of chosen entries of a graph at chosen inputs: of its nodes only what these depend on is computed.

Products are those of python-flint over the rationals. Where square roots of a batch normalisation are left, balls of
arb of rising precision tell what differs, and sums of roots (`numbers.roots`) what does not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any, Protocol, assert_never

import numpy as np
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from proof_of_absence.checker.numbers.balls import ball
from proof_of_absence.checker.numbers.deadline import look, looking
from proof_of_absence.checker.numbers.roots import Roots, RootSum, TooManyRoots
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

__all__ = ["DIFFERS", "OPEN", "SAME", "TOO_MANY", "differing", "values"]

# What `differing` says of an entry.
SAME, DIFFERS, OPEN = 0, 1, 2
TOO_MANY = "balls of 4096 bits do not tell, and the square roots of batch normalisations that meet in it are too many"
# Bits of the balls before sums of roots are tried, and after.
BITS, LAST_BITS = (64, 256, 1024), 4096
# Entries of all nodes in one block of rows, and products in one product of matrices.
ENTRIES, PRODUCTS = 2**18, 2**24


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
        try:
            every = _evaluate(some, inputs[rows], _Rationals() if some.is_rational else _RootSums())
        except TooManyRoots:
            every = [np.full((size, rows.stop - rows.start), None) for size in some.sizes]
        for number, node in nodes.items():
            found[number].append(_each(_fraction, every[node]).T)
    return {number: np.concatenate(blocks) for number, blocks in found.items()}


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
    steps: list[_Arithmetic] = [_Rationals()]
    if not (graph.is_rational or part(graph, {node: entries}).graph.is_rational):
        steps = [*map(_Balls, BITS), _RootSums(), _Balls(LAST_BITS)]
    for arithmetic in steps:
        columns = np.flatnonzero((found == OPEN).any(axis=0))
        # Too many roots in one entry must not leave the others open.
        for some in columns[:, None] if isinstance(arithmetic, _RootSums) else [columns]:
            rows = np.flatnonzero((found[:, some] == OPEN).any(axis=1))
            if not rows.size:
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


def _compared(
    graph: Graph,
    inputs: np.ndarray,
    rows: np.ndarray,
    node: int,
    entries: np.ndarray,
    reference: Sequence[Fraction | None],
    arithmetic: "_Arithmetic",
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
        case _:
            return None


class _Arithmetic(Protocol):
    """Numbers of one kind, in arrays of dtype object; `+`, `-` and `*` are theirs. `bits` are those of arb's balls."""

    bits: int

    def of(self, number: Fraction) -> Any:
        """A rational number."""

    def of_float(self, number: float) -> Any:
        """The rational number that a finite float is."""

    def root(self, number: Fraction) -> Any:
        """The square root of a positive rational."""

    def product(self, weights: np.ndarray, below: np.ndarray) -> np.ndarray:
        """``weights @ below`` for weights of float64."""

    def greater(self, one: Any, other: Any) -> Any:
        """The greater of two numbers."""

    def leaky(self, number: Any, slope: Any) -> Any:
        """The number if it is not negative, else slope times it."""

    def differs(self, one: Any, other: Any) -> int:
        """SAME, DIFFERS or OPEN."""


class _Rationals:
    bits = 64

    def of(self, number: Fraction) -> fmpq:
        return fmpq(number.numerator, number.denominator)

    def of_float(self, number: float) -> fmpq:
        return fmpq(*number.as_integer_ratio())

    def root(self, number: Fraction) -> fmpq:
        raise AssertionError("a root among rationals")

    def product(self, weights: np.ndarray, below: np.ndarray) -> np.ndarray:
        out, fan_in = weights.shape
        left = fmpq_mat(out, fan_in, [self.of_float(x) for x in weights.ravel().tolist()])
        parts = (left * fmpq_mat(fan_in, some.shape[1], some.ravel().tolist()) for some in _columns(weights, below))
        return np.concatenate([_array(one) for one in parts], axis=1)

    def greater(self, one: fmpq, other: fmpq) -> fmpq:
        return one if one >= other else other

    def leaky(self, number: fmpq, slope: fmpq) -> fmpq:
        return number if number >= 0 else slope * number

    def differs(self, one: fmpq, other: fmpq) -> int:
        return SAME if one == other else DIFFERS


class _Balls:
    def __init__(self, bits: int) -> None:
        self.bits = bits

    def of(self, number: Fraction) -> arb:
        return ball(number)

    def of_float(self, number: float) -> arb:
        return arb(number)

    def root(self, number: Fraction) -> arb:
        return ball(number).sqrt()

    def product(self, weights: np.ndarray, below: np.ndarray) -> np.ndarray:
        out, fan_in = weights.shape
        left = arb_mat(out, fan_in, [self.of_float(x) for x in weights.ravel().tolist()])
        parts = (left * arb_mat(fan_in, some.shape[1], some.ravel().tolist()) for some in _columns(weights, below))
        return np.concatenate([_array(one) for one in parts], axis=1)

    def greater(self, one: arb, other: arb) -> arb:
        return one.max(other)

    def leaky(self, number: arb, slope: arb) -> arb:
        if number >= 0:
            return number
        if number <= 0:
            return slope * number
        return (slope * number.lower()).union(arb(0)).union(number.upper())

    def differs(self, one: arb, other: arb) -> int:
        difference = one - other
        if not difference.contains(0):
            return DIFFERS
        return SAME if one.is_exact() and other.is_exact() and one == other else OPEN


class _RootSums:
    bits = 64

    def __init__(self) -> None:
        self.roots = Roots()

    def of(self, number: Fraction) -> RootSum:
        return self.roots.rational(number)

    def of_float(self, number: float) -> RootSum:
        return self.of(Fraction(number))

    def root(self, number: Fraction) -> RootSum:
        return self.roots.root(number)

    def product(self, weights: np.ndarray, below: np.ndarray) -> np.ndarray:
        exact = _each(self.of_float, weights.astype(object))
        found = np.full((len(weights), below.shape[1]), self.of(Fraction(0)), dtype=object)
        for unit, entry in np.argwhere(weights != 0):
            look()
            found[unit] += below[entry] * exact[unit, entry]
        return found

    def greater(self, one: RootSum, other: RootSum) -> RootSum:
        return one if (one - other).sign() >= 0 else other

    def leaky(self, number: RootSum, slope: RootSum) -> RootSum:
        return number if number.sign() >= 0 else slope * number

    def differs(self, one: RootSum, other: RootSum) -> int:
        return DIFFERS if (one - other).sign() else SAME


def _columns(weights: np.ndarray, below: np.ndarray) -> Iterator[np.ndarray]:
    """Columns of a right factor, so many that their product takes little time: it cannot be interrupted."""
    size = max(1, PRODUCTS // weights.size)
    return (below[:, start : start + size] for start in looking(range(0, below.shape[1], size)))


def _array(matrix: fmpq_mat | arb_mat) -> np.ndarray:
    found = np.empty(matrix.nrows() * matrix.ncols(), dtype=object)
    found[:] = matrix.entries()
    return found.reshape(matrix.nrows(), matrix.ncols())


def _each(action: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """What an action makes of the entries of arrays of dtype object that broadcast."""
    return np.asarray(np.frompyfunc(action, len(arrays), 1)(*arrays), dtype=object)


def _evaluate(graph: Graph, inputs: np.ndarray, arithmetic: _Arithmetic) -> list[np.ndarray]:
    """The input and the value of each node, (entries, rows), numbers of the arithmetic."""
    with ctx.workprec(arithmetic.bits):
        found = [_each(arithmetic.of_float, inputs.T.astype(object))]
        for node, shape in zip(graph.nodes, graph.shapes[1:], strict=True):
            look()
            below = [found[k].reshape(*graph.shapes[k], -1) for k in node.reads]
            found.append(_through(node.layer, below, arithmetic).reshape(prod(shape), -1))
        return found


def _through(layer: GraphLayer, below: Sequence[np.ndarray], arithmetic: _Arithmetic) -> np.ndarray:
    """What a layer makes of values, whose last axis are the rows."""
    h, rows = below[0], below[0].shape[-1]
    ends = (1,) * (h.ndim - 2)
    match layer:
        case Dense(weights=weights, bias=bias):
            # The fan-in first, then all positions and rows.
            flat = np.moveaxis(h, -2, 0)
            found = arithmetic.product(weights, flat.reshape(len(flat), -1)) + _each(
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
            roots = _each(arithmetic.root, square) * _constants(factor / square, arithmetic)
            moved = h - _constants(mean, arithmetic).reshape(-1, *ends, 1)
            return np.asarray(moved * roots.reshape(-1, *ends, 1) + _constants(shift, arithmetic).reshape(-1, *ends, 1))
        case Relu():
            return _each(arithmetic.greater, h, np.array(arithmetic.of(Fraction(0)), dtype=object))
        case LeakyRelu(slope=slope):
            return _each(arithmetic.leaky, h, np.array(arithmetic.of(slope), dtype=object))
        case Clip(low=low, high=high):
            if low is not None:
                h = _each(arithmetic.greater, h, np.array(arithmetic.of(low), dtype=object))
            return h if high is None else -_each(arithmetic.greater, -h, np.array(arithmetic.of(-high), dtype=object))
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
        found = _each(action, found, array[:, k])
    return found


def _patches(layer: Conv | AveragePool, h: np.ndarray, arithmetic: _Arithmetic) -> np.ndarray:
    """What each position reads of each channel, (channels, size, positions, rows); padding is 0."""
    channels, rows = h.shape[0], h.shape[-1]
    zero = np.full((channels, 1, rows), arithmetic.of(Fraction(0)), dtype=object)
    padded = np.concatenate([h.reshape(channels, -1, rows), zero], axis=1)
    return np.asarray(padded[:, layer.window.index(h.shape[1:-1]).T])


def _biases(bias: np.ndarray, arithmetic: _Arithmetic) -> np.ndarray:
    return _each(arithmetic.of_float, bias[:, None].astype(object))


def _constants(numbers: np.ndarray, arithmetic: _Arithmetic) -> np.ndarray:
    return _each(arithmetic.of, numbers)


def _rationals(array: np.ndarray) -> np.ndarray:
    return _each(Fraction, array.astype(object))
