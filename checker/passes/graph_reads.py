"""Which entries of a graph's values depend on which: masks carried down to what is read, and up to what moves.

A weight or a factor of 0 carries nothing. An entry that is not reached is independent of where the masks began; one
that is reached may still be.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import assert_never

import numpy as np

from proof_of_absence.checker.numbers.deadline import looking
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
from proof_of_absence.models.windows import Window

__all__ = ["cone", "met", "moves", "reads"]


def cone(graph: Graph, wanted: Mapping[int, np.ndarray]) -> list[np.ndarray]:
    """For the input and each node, the entries that some wanted entries depend on, themselves included: masks.

    Parameters
    ----------
    wanted
        Entries (indices) of the flattened values of some nodes.
    """
    masks = [np.zeros(size, dtype=bool) for size in graph.sizes]
    for node, entries in wanted.items():
        masks[node][entries] = True
    for number in looking(range(len(graph.nodes), 0, -1)):
        if masks[number].any():
            _carry(graph, number, masks[number], masks)
    return masks


def met(graph: Graph) -> list[np.ndarray]:
    """For the input and each node, the entries that something reads with a weight other than 0, or are outputs: masks.

    Pools, sums, concatenations and rearrangements have no weights: what they make of an entry must be read in turn.
    Every activation reads its entry.
    """
    masks = [np.zeros(size, dtype=bool) for size in graph.sizes]
    masks[-1][:] = True
    for number in range(len(graph.nodes), 0, -1):
        passes_on = isinstance(graph.nodes[number - 1].layer, AveragePool | MaxPool | Sum | Concat | Rearrange)
        _carry(graph, number, masks[number] if passes_on else np.ones(graph.sizes[number], dtype=bool), masks)
    return masks


def _carry(graph: Graph, number: int, mask: np.ndarray, masks: list[np.ndarray]) -> None:
    node = graph.nodes[number - 1]
    below = [graph.shapes[k] for k in node.reads]
    for k, found in zip(node.reads, reads(node.layer, below, graph.shapes[number], mask), strict=True):
        masks[k] |= found


def reads(layer: GraphLayer, below: Sequence[Shape], shape: Shape, mask: np.ndarray) -> list[np.ndarray]:
    """Of each value that a layer reads, the entries that some of its own entries read; flattened masks.

    Parameters
    ----------
    below, shape
        The shapes of the values that it reads, and of its own.
    """
    first = below[0]
    match layer:
        case Dense(weights=weights):
            return [_any_product(mask.reshape(-1, len(weights)), weights != 0).reshape(-1)]
        case Conv(window=window):
            groups, out, _ = layer.matrices.shape
            asked = mask.reshape(groups, out, -1)
            used = _any_product(asked.transpose(0, 2, 1), layer.matrices != 0).transpose(0, 2, 1)
            return [_spread(used.reshape(first[0], window.size, -1), window, first)]
        case AveragePool(window=window) | MaxPool(window=window):
            asked = mask.reshape(first[0], 1, -1)
            return [_spread(np.broadcast_to(asked, (first[0], window.size, window.positions)), window, first)]
        case Scale(factor=factor):
            return [mask & np.broadcast_to(factor != 0, first).reshape(-1).astype(bool)]
        case BatchNorm(factor=factor):
            return [(mask.reshape(len(factor), -1) & (factor != 0).astype(bool)[:, None]).reshape(-1)]
        case Relu() | LeakyRelu() | Clip():
            return [mask]
        case Sum(signs=signs):
            return [mask] * len(signs)
        case Concat(axis=axis):
            ends = np.cumsum([one[axis] for one in below])[:-1]
            return [part.reshape(-1) for part in np.split(mask.reshape(shape), ends, axis=axis)]
        case Rearrange(index=index):
            found = np.zeros(prod(first), dtype=bool)
            chosen = index.reshape(-1)[mask]
            found[chosen[chosen >= 0]] = True
            return [found]
        case _:
            assert_never(layer)


def _any_product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Where the product of two masks has a term: sums of up to 2^24 ones are exact in float32."""
    # BLAS may set flags of the processor by what lies beside its operands, which numpy warns of.
    with np.errstate(all="ignore"):
        return np.asarray(left.astype(np.float32) @ right.astype(np.float32)) > 0


def _spread(used: np.ndarray, window: Window, shape: Shape) -> np.ndarray:
    """The entries of a value that are used, of those that each position reads: (channels, size, positions)."""
    index = window.index(shape[1:])
    found = np.zeros((shape[0], prod(shape[1:]) + 1), dtype=bool)
    for tap in range(window.size):
        # At one tap no two positions read the same entry, padding apart.
        found[:, index[:, tap]] |= used[:, tap]
    return found[:, :-1].reshape(-1)


def moves(
    graph: Graph,
    moving: np.ndarray,
    still: Mapping[int, np.ndarray],
    starts: Mapping[int, np.ndarray] | None = None,
) -> list[np.ndarray]:
    """For the input and each node, the entries that may change where some entries of the input do: masks.

    Parameters
    ----------
    moving
        Mask over the input.
    still
        For some nodes a mask of the entries known not to change.
    starts
        For some nodes a mask of entries that may change of themselves.
    """
    masks, starts = [np.asarray(moving, dtype=bool)], starts or {}
    for number, node in enumerate(looking(graph.nodes), 1):
        found = _moved(node.layer, [masks[k].reshape(graph.shapes[k]) for k in node.reads]).reshape(-1)
        found = found & ~still[number] if number in still else found
        masks.append(found | starts[number] if number in starts else found)
    return masks


def _moved(layer: GraphLayer, below: Sequence[np.ndarray]) -> np.ndarray:
    """The entries of a layer that read one of the marked entries."""
    first = below[0]
    match layer:
        case Dense(weights=weights):
            return _any_product(first, weights.T != 0)
        case Conv(window=window):
            groups, _, fan_in = layer.matrices.shape
            patches = _gathered(first, window).reshape(groups, fan_in, -1)
            return _any_product(layer.matrices != 0, patches)
        case AveragePool(window=window) | MaxPool(window=window):
            return np.asarray(_gathered(first, window).any(axis=1))
        case Scale(factor=factor):
            return np.asarray(first & (factor != 0).astype(bool))
        case BatchNorm(factor=factor):
            return np.asarray(first & (factor != 0).astype(bool).reshape(-1, *(1,) * (first.ndim - 1)))
        case Relu() | LeakyRelu() | Clip():
            return first
        case Sum():
            return np.asarray(np.logical_or.reduce(below))
        case Concat(axis=axis):
            return np.concatenate(below, axis=axis)
        case Rearrange(index=index):
            return np.where(index < 0, False, first.reshape(-1)[index])
        case _:
            assert_never(layer)


def _gathered(mask: np.ndarray, window: Window) -> np.ndarray:
    """What each position reads of a mask (channels, spatial...): (channels, size, positions); padding is not marked."""
    flat = np.concatenate([mask.reshape(len(mask), -1), np.zeros((len(mask), 1), dtype=bool)], axis=1)
    return flat[:, window.index(mask.shape[1:]).T]
