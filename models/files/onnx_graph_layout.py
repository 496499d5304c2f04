"""ONNX operators that move numbers about and change none: each says which entry of the operand an entry is.

The same rules hold for values, whose rows stay apart, and for constants.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from math import prod
from typing import NamedTuple, TypeAlias

import numpy as np
import onnx

from proof_of_absence.models.files.constants import BATCH, label
from proof_of_absence.models.files.onnx_graph_walk import Walk

__all__ = ["LAYOUT", "Moved", "moved"]

# Beyond any size: how a slice says that it ends with its axis.
FAR = 2**31 - 1


class Moved(NamedTuple):
    """For each entry of a result its place in the flattened operand, -1 for `fill`; and the axis of the rows."""

    entries: np.ndarray
    rows: int | None
    fill: Fraction = Fraction(0)


# The operator's node, the numbers 0, 1, ... in the operand's shape (1 where its rows are counted), the axis of these.
Rule: TypeAlias = Callable[[Walk, onnx.NodeProto, np.ndarray, "int | None"], Moved]


def moved(walk: Walk, node: onnx.NodeProto, shape: tuple[int, ...], rows: int | None) -> list[Moved]:
    """What an operator of `LAYOUT` does to an operand of a shape, an item for each of its outputs.

    Raises
    ------
    InputError
        If it mixes rows, or does not fit the shape.
    """
    index = np.arange(prod(shape), dtype=np.int64).reshape(shape)
    if node.op_type == "Split":
        return _split(walk, node, index, rows)
    return [LAYOUT[node.op_type](walk, node, index, rows)]


def _mixes(walk: Walk, node: onnx.NodeProto) -> Exception:
    return walk.refused(f"{label(node)} mixes the rows of a batch; export the model with a batch of 1")


def _same(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 1)
    return Moved(index, rows)


def _flatten(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 1)
    axis = walk.integer(node, "axis", 1)
    if axis != index.ndim:
        axis = walk.axis(node, axis, index.ndim)
    first = prod(index.shape[:axis])
    if rows is not None and (rows >= axis or first != 1):
        raise _mixes(walk, node)
    return Moved(index.reshape(first, prod(index.shape[axis:])), None if rows is None else 0)


def _reshape(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 2)
    told = walk.sizes(node, 1) or []
    if 0 in told and walk.flag(node, "allowzero", 0):
        raise walk.refused(f"{label(node)} makes a value without entries")
    if told.count(-1) > 1 or any(size < -1 and size != BATCH for size in told):
        raise walk.refused(f"{label(node)} to {told} is no shape")
    if any(size == 0 and axis >= index.ndim for axis, size in enumerate(told)):
        raise walk.refused(f"{label(node)} to {told} keeps an axis that is not there")
    # 0 keeps the size.
    target = [size or (BATCH if axis == rows else index.shape[axis]) for axis, size in enumerate(told)]
    where = None if rows is None else _rows_of(walk, node, target, index, rows)
    shape = [1 if axis == where else size for axis, size in enumerate(target)]
    try:
        return Moved(index.reshape(shape), where)
    except ValueError as error:
        raise walk.refused(f"{label(node)} to {_written(target)} of a value of shape {index.shape}") from error


def _rows_of(walk: Walk, node: onnx.NodeProto, target: list[int], index: np.ndarray, rows: int) -> int:
    """The axis of the target along which the rows lie; all before it are of size 1, here as there."""
    rest = [size for size in target if size not in (BATCH, -1)]
    if prod(index.shape[:rows]) != 1 or target.count(BATCH) > 1:
        raise _mixes(walk, node)
    if BATCH in target:
        where = target.index(BATCH)
    elif walk.batch is not None:
        whole = [size if size != -1 else walk.batch * index.size // max(prod(rest), 1) for size in target]
        where = next((axis for axis, size in enumerate(whole) if size != 1), 0)
        if not whole or whole[where] != walk.batch or prod(whole) != walk.batch * index.size:
            raise _mixes(walk, node)
        return where
    elif -1 in target and prod(rest) == index.size:
        where = target.index(-1)
    else:
        raise _mixes(walk, node)
    if any(size != 1 for size in target[:where]):
        raise _mixes(walk, node)
    return where


def _written(target: list[int]) -> str:
    return f"({', '.join('batch' if size == BATCH else str(size) for size in target)})"


def _transpose(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 1)
    order = walk.sizes(node, 1, "perm") or list(range(index.ndim))[::-1]
    if sorted(order) != list(range(index.ndim)):
        raise walk.refused(f"{label(node)} with perm {order} of a value of {index.ndim} axes")
    return Moved(index.transpose(order), None if rows is None else order.index(rows))


def _squeeze(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 1, 2)
    axes = walk.axes(node, index.ndim)
    if axes is None and rows is not None:
        raise walk.refused(f"{label(node)} names no axes, so that a batch of one row would lose its axis")
    axes = [axis for axis, size in enumerate(index.shape) if size == 1] if axes is None else axes
    if rows in axes:
        raise _mixes(walk, node)
    if any(index.shape[axis] != 1 for axis in axes):
        raise walk.refused(f"{label(node)} squeezes {axes} of a value of shape {index.shape}")
    left = [axis for axis in range(index.ndim) if axis not in axes]
    return Moved(index.squeeze(tuple(axes)), None if rows is None else left.index(rows))


def _unsqueeze(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 1, 2)
    told = walk.sizes(node, 1, "axes")
    if told is None:
        raise walk.refused(f"{label(node)} names no axes")
    rank = index.ndim + len(told)
    if rank > 32:
        raise walk.refused(f"{label(node)} makes a value of {rank} axes")
    axes = walk.axes(node, rank) or []
    left = [axis for axis in range(rank) if axis not in axes]
    return Moved(np.expand_dims(index, tuple(axes)), None if rows is None else left[rows])


def _slice(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 1, 3, 4, 5)
    starts, ends = walk.sizes(node, 1, "starts"), walk.sizes(node, 2, "ends")
    if starts is None or ends is None:
        raise walk.refused(f"{label(node)} names no starts or no ends")
    axes = walk.axes(node, index.ndim, 3)
    axes = list(range(len(starts))) if axes is None else axes
    steps = walk.sizes(node, 4) or [1] * len(starts)
    if len({len(starts), len(ends), len(axes), len(steps)}) != 1 or len(axes) > index.ndim:
        raise walk.refused(f"{label(node)} has starts {starts}, ends {ends}, axes {axes} and steps {steps}")
    if 0 in steps or BATCH in (*starts, *ends, *steps):
        raise walk.refused(f"{label(node)} has a step of 0, or computes with the number of rows")
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if axis == rows:
            if start != 0 or step != 1 or end < (walk.batch or FAR):
                raise _mixes(walk, node)
            continue
        if step < 0 and end >= FAR:
            raise walk.refused(f"{label(node)} goes backwards to the far end, which may be either one")
        size = index.shape[axis]
        low, high = (0, size) if step > 0 else (-1, size - 1)
        first = min(max(start + size if start < 0 else start, max(low, 0)), high)
        last = min(max(end + size if end < 0 else end, low), high)
        index = np.take(index, np.arange(first, last, max(min(step, FAR), -FAR)), axis)
    return Moved(index, rows)


def _gather(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 2)
    axis = walk.axis(node, walk.integer(node, "axis", 0), index.ndim)
    places = walk.integers(node, node.input[1])
    size = index.shape[axis]
    if axis == rows:
        raise _mixes(walk, node)
    if places.size and not (-size <= places.min() and places.max() < size):
        raise walk.refused(f"{label(node)} gathers what is not there: axis {axis} has {size} entries")
    walk.afford(node, (*index.shape[:axis], *places.shape, *index.shape[axis + 1 :]))
    where = rows if rows is None or rows < axis else rows + places.ndim - 1
    return Moved(np.take(index, places % size, axis), where)


def _expand(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 2)
    told = walk.sizes(node, 1) or []
    where = None if rows is None else rows + max(len(told) - index.ndim, 0)
    # Counted from the last axis, the rows stay where they are.
    at = None if rows is None else rows - index.ndim
    if at is not None and -at <= len(told):
        if told[at] not in (1, BATCH) and told[at] != walk.batch:
            raise _mixes(walk, node)
        told = [1 if axis == len(told) + at else size for axis, size in enumerate(told)]
    if min(told, default=1) < 1:
        raise walk.refused(f"{label(node)} to {_written(told)} is no shape")
    return Moved(np.broadcast_to(index, walk.together(node, [index.shape, tuple(told)])), where)


def _pad(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> Moved:
    walk.counted(node, 1, 2, 3, 4)
    pads, rank = walk.sizes(node, 1, "pads"), index.ndim
    axes = walk.axes(node, rank, 3)
    axes = list(range(rank)) if axes is None else axes
    mode = walk.text(node, "mode", "constant")
    if pads is None or len(pads) != 2 * len(axes) or mode not in ("constant", "edge", "reflect"):
        raise walk.refused(f"{label(node)} has pads {pads} in mode {mode} for {len(axes)} axes")
    ends = [(0, 0)] * rank
    for place, axis in enumerate(axes):
        ends[axis] = pads[place], pads[place + len(axes)]
    if rows is not None and any(ends[rows]):
        raise _mixes(walk, node)
    smallest = [size - 1 if mode == "reflect" else FAR for size in index.shape]
    if min(pads, default=0) < 0 or any(max(ends[axis]) > smallest[axis] for axis in range(rank)):
        raise walk.refused(f"{label(node)} has pads {pads}, which cut off entries or are wider than what they mirror")
    walk.afford(node, [size + sum(ends[axis]) for axis, size in enumerate(index.shape)])
    if mode != "constant":
        return Moved(np.pad(index, ends, "edge" if mode == "edge" else "reflect"), rows)
    return Moved(np.pad(index, ends, constant_values=-1), rows, _fill(walk, node))


def _fill(walk: Walk, node: onnx.NodeProto) -> Fraction:
    """What a Pad puts there."""
    if name := walk.operand(node, 2):
        first = walk.values.get(node.input[0])
        kind = first.kind if first else onnx.TensorProto.FLOAT
        values = walk.floats(node, name, kind)
        if values.size != 1:
            raise walk.refused(f"{label(node)} pads with {values.size} numbers")
        return Fraction(values.item())
    return walk.number(node, "value", 0.0)


def _split(walk: Walk, node: onnx.NodeProto, index: np.ndarray, rows: int | None) -> list[Moved]:
    walk.counted(node, 1, 2)
    axis = walk.axis(node, walk.integer(node, "axis", 0), index.ndim)
    size, parts = index.shape[axis], len(node.output)
    if axis == rows:
        raise _mixes(walk, node)
    sizes = walk.sizes(node, 1, "split")
    if sizes is None:
        if walk.integer(node, "num_outputs", parts) != parts:
            raise walk.refused(f"{label(node)} has {parts} outputs and says another number")
        # The last part may be smaller.
        each = -(-size // parts)
        sizes = [each] * (parts - 1) + [size - each * (parts - 1)]
    if len(sizes) != parts or sum(sizes) != size or min(sizes) < 1:
        raise walk.refused(f"{label(node)} splits {size} entries into {sizes} for {parts} outputs")
    return [Moved(part, rows) for part in np.split(index, list(accumulate(sizes))[:-1], axis)]


LAYOUT: dict[str, Rule] = {
    "Identity": _same,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Slice": _slice,
    "Gather": _gather,
    "Expand": _expand,
    "Pad": _pad,
    "Split": lambda walk, node, index, rows: _split(walk, node, index, rows)[0],
}
