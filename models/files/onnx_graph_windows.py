"""ONNX operators with a kernel: convolutions and pools, and sums, means and greatest entries along axes.

Where a kernel looks is computed here: strides, dilations, padding by itself, and how a last position is rounded.
"""

from functools import reduce
from math import prod

import numpy as np
import onnx

from proof_of_absence.models.files.constants import label
from proof_of_absence.models.files.graph_sources import Held
from proof_of_absence.models.files.onnx_graph_walk import MOST_ENTRIES, Value, Walk
from proof_of_absence.models.graph_layers import AveragePool, Conv, MaxPool, Shape
from proof_of_absence.models.windows import Window

__all__ = ["average_pool", "conv", "global_pool", "max_pool", "reduced"]


def conv(walk: Walk, node: onnx.NodeProto) -> Value:
    value = walk.running(node, 2, 3)
    spatial = _spatial(walk, node, value)
    weights = walk.floats(node, node.input[1], value.kind)
    groups = walk.integer(node, "group", 1)
    channels = value.shape[1]
    if weights.ndim != len(value.shape) or groups < 1 or weights.shape[1] * groups != channels:
        raise walk.refused(
            f"{label(node)} has weights of shape {weights.shape} in {groups} groups for a value of shape "
            f"{value.written}"
        )
    kernel = list(weights.shape[2:])
    if (walk.sizes(node, len(node.input), "kernel_shape") or kernel) != kernel:
        raise walk.refused(f"{label(node)} has weights of shape {weights.shape} and another kernel_shape")
    window, _ = _window(walk, node, spatial, kernel)
    bias, third = np.zeros(len(weights)), walk.operand(node, 2)
    if third:
        bias = walk.floats(node, third, value.kind)
    try:
        layer = Conv(weights, bias, window, groups)
    except ValueError as error:
        raise walk.refused(f"{label(node)}: {error}") from error
    found = walk.put(node, layer, [value], (1, len(weights), *window.counts), value.rows)
    if held := walk.held(node.input[1], weights.shape):
        walk.weights[found.node] = Held(*held)
    if third and (held := walk.held(third, bias.shape)):
        walk.bias[found.node] = Held(*held)
    return found


def average_pool(walk: Walk, node: onnx.NodeProto) -> Value:
    value = walk.running(node, 1)
    spatial = _spatial(walk, node, value)
    window, after = _window(walk, node, spatial, _kernel(walk, node, spatial))
    padding = walk.flag(node, "count_include_pad", 0)
    divisors = reduce(np.multiply.outer, _divisors(window, spatial, after, padding=padding))
    if not divisors.all():
        raise walk.refused(f"{label(node)} has a position that reads padding alone")
    return walk.put(node, AveragePool(window, divisors), [value], (1, value.shape[1], *window.counts), value.rows)


def max_pool(walk: Walk, node: onnx.NodeProto) -> Value:
    value = walk.running(node, 1)
    spatial = _spatial(walk, node, value)
    if walk.flag(node, "storage_order", 0):
        raise walk.refused(f"{label(node)} has storage_order 1, which is not supported")
    window, _ = _window(walk, node, spatial, _kernel(walk, node, spatial))
    return walk.put(node, MaxPool(window), [value], (1, value.shape[1], *window.counts), value.rows)


def global_pool(walk: Walk, node: onnx.NodeProto) -> Value:
    value = walk.running(node, 1)
    spatial = _spatial(walk, node, value)
    ones = (1,) * len(spatial)
    window = _readable(walk, node, Window(spatial, ones))
    average = node.op_type == "GlobalAveragePool"
    layer = AveragePool(window, np.full(ones, prod(spatial))) if average else MaxPool(window)
    return walk.put(node, layer, [value], (1, value.shape[1], *ones), value.rows)


def reduced(walk: Walk, node: onnx.NodeProto) -> Value:
    """ReduceMean, ReduceSum and ReduceMax along any axes but that of the rows."""
    value = walk.running(node, 1, 2)
    rank = len(value.shape)
    axes = walk.axes(node, rank)
    if not axes:
        if walk.flag(node, "noop_with_empty_axes", 0):
            return value
        axes = list(range(rank))
    if value.rows in axes:
        raise walk.refused(f"{label(node)} mixes the rows of a batch: it names no axes, or the first one")
    left = [axis for axis in range(rank) if axis not in axes]
    size = prod(value.shape[axis] for axis in axes)
    # One channel for each entry that is left, then the entries that come together.
    table = walk.index(value).transpose(*left, *axes).reshape(1, -1, size)
    row = None if value.rows is None else 0
    value_there = walk.rearrange(node, value, table, row, name="Transpose")
    window = _readable(walk, node, Window((size,), (1,)))
    mean = node.op_type == "ReduceMean"
    layer = MaxPool(window) if node.op_type == "ReduceMax" else AveragePool(window, [size if mean else 1])
    found = walk.put(node, layer, [value_there], (1, table.shape[1], 1), row)
    kept = walk.flag(node, "keepdims", 1)
    shape = [1 if axis in axes else size for axis, size in enumerate(value.shape) if kept or axis not in axes]
    rows = value.rows if value.rows is None or kept else left.index(value.rows)
    return walk.rearrange(node, found, walk.index(found).reshape(shape), rows, name="Reshape")


def _spatial(walk: Walk, node: onnx.NodeProto, value: Value) -> Shape:
    """The sizes of the axes behind the channels."""
    if len(value.shape) < 3 or value.dropped != 0:
        raise walk.refused(f"{label(node)} reads a value of shape {value.written}; (batch, channels, ...) is needed")
    return value.shape[2:]


def _kernel(walk: Walk, node: onnx.NodeProto, spatial: Shape) -> list[int]:
    kernel = walk.sizes(node, 1, "kernel_shape") or []
    if len(kernel) != len(spatial):
        raise walk.refused(f"{label(node)} has a kernel_shape {kernel} for {len(spatial)} axes")
    return kernel


def _window(walk: Walk, node: onnx.NodeProto, spatial: Shape, kernel: list[int]) -> tuple[Window, list[int]]:
    """Where the kernel looks, and how much padding stands behind each axis."""
    axes, last = len(spatial), len(node.input)
    strides = walk.sizes(node, last, "strides") or [1] * axes
    dilations = walk.sizes(node, last, "dilations") or [1] * axes
    pads = walk.sizes(node, last, "pads") or [0] * (2 * axes)
    if len(strides) != axes or len(dilations) != axes or len(pads) != 2 * axes:
        raise walk.refused(f"{label(node)} has strides {strides}, dilations {dilations}, pads {pads} for {axes} axes")
    if min(*kernel, *strides, *dilations) < 1 or min(pads) < 0 or max(*kernel, *strides, *dilations, *pads) > 2**31:
        raise walk.refused(f"{label(node)} has kernel {kernel}, strides {strides}, dilations {dilations}, pads {pads}")
    spans = [(size - 1) * step + 1 for size, step in zip(kernel, dilations, strict=True)]
    by_itself = walk.text(node, "auto_pad", "NOTSET")
    before, after = pads[:axes], pads[axes:]
    ceil = walk.flag(node, "ceil_mode", 0)
    if by_itself != "NOTSET":
        if by_itself not in ("VALID", "SAME_UPPER", "SAME_LOWER") or any(pads) or ceil:
            raise walk.refused(f"{label(node)} has auto_pad {by_itself} together with pads or ceil_mode")
        missing = [
            max((-(-size // stride) - 1) * stride + span - size, 0) if by_itself != "VALID" else 0
            for size, stride, span in zip(spatial, strides, spans, strict=True)
        ]
        if by_itself != "VALID" and max(dilations) > 1 and node.op_type != "Conv":
            # onnx counts the holes of the kernel in, onnxruntime does not.
            raise walk.refused(f"{label(node)} has auto_pad {by_itself} and dilations; write the pads out")
        lower = by_itself == "SAME_LOWER"
        before = [pad - pad // 2 if lower else pad // 2 for pad in missing]
        after = [pad - first for pad, first in zip(missing, before, strict=True)]
    counts = []
    for size, first, behind, stride, span in zip(spatial, before, after, strides, spans, strict=True):
        room = size + first + behind - span
        if room < 0:
            raise walk.refused(f"{label(node)} has a kernel wider than the value of shape {spatial}")
        count = (-(-room // stride) if ceil else room // stride) + 1
        # A position that would begin behind the value and its padding in front is none.
        counts.append(count - (ceil and (count - 1) * stride >= size + first))
    return _readable(walk, node, Window(kernel, counts, strides, dilations, before)), after


def _readable(walk: Walk, node: onnx.NodeProto, window: Window) -> Window:
    """The window, if the table of what it reads is no larger than a value may be."""
    if window.positions * window.size > MOST_ENTRIES:
        raise walk.refused(f"{label(node)} reads {window.size} entries at {window.positions} positions, too many")
    return window


def _divisors(window: Window, spatial: Shape, after: list[int], *, padding: bool) -> list[np.ndarray]:
    """By how much each position's sum is divided, as factors along each axis: entries that exist, or padding too."""
    found = []
    for axis, size in enumerate(spatial):
        first = np.arange(window.counts[axis]) * window.strides[axis] - window.before[axis]
        here = first[:, None] + np.arange(window.kernel[axis]) * window.dilations[axis]
        low, high = (-window.before[axis], size + after[axis]) if padding else (0, size)
        found.append(((here >= low) & (here < high)).sum(axis=1))
    return found
