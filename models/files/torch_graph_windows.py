"""Operators of torch with a kernel: convolutions and pools, and sums, means and greatest entries along axes."""

from collections.abc import Callable
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from proof_of_absence.models.files.torch_graph_maps import running
from proof_of_absence.models.files.torch_graph_walk import MOST_ENTRIES, Constant, Placed, Told, Value, Walk
from proof_of_absence.models.graph_layers import AveragePool, Conv, MaxPool
from proof_of_absence.models.windows import Window

__all__ = ["WINDOWS"]


def _conv(walk: Walk, told: Told) -> Value:
    weight, bias = told["weight"], told["bias"]
    if not isinstance(weight, Constant) or isinstance(bias, Value):
        raise walk.refused("has a kernel that depends on the input")
    weights = walk.floats(weight)
    if told.get("transposed") or any(told.get("output_padding") or ()):
        raise walk.refused("is transposed, which is not supported")
    place = walk.own_place(running(walk, told, "input"), weights.ndim)
    axes = weights.ndim - 2
    strides, dilations = _each(told["stride"], axes), _each(told["dilation"], axes)
    spans = [(size - 1) * step for size, step in zip(weights.shape[2:], dilations, strict=True)]
    if isinstance(told["padding"], str):
        # Of an odd number the greater half stands behind, as torch has it.
        missing = spans if told["padding"] == "same" else [0] * axes
        before, after = [span // 2 for span in missing], [span - span // 2 for span in missing]
    else:
        before = after = _each(told["padding"], axes)
    counts = [
        (size + first + behind - span - 1) // stride + 1
        for size, first, behind, span, stride in zip(place.shape[2:], before, after, spans, strides, strict=True)
    ]
    window = _readable(walk, Window(weights.shape[2:], counts, strides, dilations, before))
    added = np.zeros(len(weights)) if bias is None else walk.floats(bias)
    layer = Conv(weights, added, window, told["groups"])
    found = walk.put(layer, [place], (place.shape[0], len(weights), *window.counts))
    if held := walk.held(weight):
        walk.weights[found.node] = held
    if held := walk.held(bias):
        walk.bias[found.node] = held
    return found


def _each(given: Any, axes: int) -> list[int]:
    """A number for each axis; one may stand for all."""
    numbers = [given] if isinstance(given, int) else list(given)
    return numbers * axes if len(numbers) == 1 else numbers


def _readable(walk: Walk, window: Window) -> Window:
    """The window, if the table of what it reads is no larger than a value may be."""
    if window.positions * window.size > MOST_ENTRIES:
        raise walk.refused(f"reads {window.size} entries at {window.positions} positions, too many")
    return window


def _pool_window(walk: Walk, told: Told, axes: int) -> tuple[Placed, Window, list[int]]:
    """What a pool reads, and how much padding stands behind each axis."""
    place = walk.own_place(running(walk, told), axes + 2)
    kernel = _each(told["kernel_size"], axes)
    strides = _each(told["stride"] or kernel, axes)
    dilations, pads = _each(told.get("dilation", 1), axes), _each(told["padding"], axes)
    counts = []
    for size, wide, stride, step, pad in zip(place.shape[2:], kernel, strides, dilations, pads, strict=True):
        room = size + 2 * pad - (wide - 1) * step - 1
        count = (-(-room // stride) if told["ceil_mode"] else room // stride) + 1
        # A position that would begin behind the value and its padding in front is none.
        counts.append(count - (told["ceil_mode"] and (count - 1) * stride >= size + pad))
    return place, _readable(walk, Window(kernel, counts, strides, dilations, pads)), pads


def _max_pool(axes: int) -> Callable[[Walk, Told], Value]:
    def pool(walk: Walk, told: Told) -> Value:
        place, window, _ = _pool_window(walk, told, axes)
        return walk.put(MaxPool(window), [place], (*place.shape[:2], *window.counts))

    return pool


def _average_pool(axes: int) -> Callable[[Walk, Told], Value]:
    def pool(walk: Walk, told: Told) -> Value:
        place, window, after = _pool_window(walk, told, axes)
        divisors = _divisors(window, place.shape[2:], after, padding=told["count_include_pad"])
        if (by := told.get("divisor_override")) is not None:
            divisors = np.full(window.counts, by)
        return walk.put(AveragePool(window, divisors), [place], (*place.shape[:2], *window.counts))

    return pool


def _divisors(window: Window, spatial: tuple[int, ...], after: list[int], *, padding: bool) -> np.ndarray:
    """By how much each position's sum is divided: the entries that exist, or padding too."""
    found = []
    for axis, size in enumerate(spatial):
        first = np.arange(window.counts[axis]) * window.strides[axis] - window.before[axis]
        here = first[:, None] + np.arange(window.kernel[axis])
        low, high = (-window.before[axis], size + after[axis]) if padding else (0, size)
        found.append(((here >= low) & (here < high)).sum(axis=1))
    return np.asarray(reduce(np.multiply.outer, found))


def _adaptive(axes: int, *, average: bool) -> Callable[[Walk, Told], Value]:
    def pool(walk: Walk, told: Told) -> Value:
        place = walk.own_place(running(walk, told), axes + 2)
        counts = _each(told["output_size"], axes)
        spatial = place.shape[2:]
        if any(size % count for size, count in zip(spatial, counts, strict=True)):
            raise walk.refused(f"pools {spatial} to {tuple(counts)}, which does not divide it; that is not supported")
        kernel = [size // count for size, count in zip(spatial, counts, strict=True)]
        window = _readable(walk, Window(kernel, counts, kernel))
        layer = AveragePool(window, np.full(window.counts, window.size)) if average else MaxPool(window)
        return walk.put(layer, [place], (*place.shape[:2], *window.counts))

    return pool


def _reduced(kind: str) -> Callable[[Walk, Told], Value]:
    def reduce_axes(walk: Walk, told: Told) -> Value:
        value = running(walk, told)
        place = walk.place(value)
        rank = len(place.shape)
        given = told.get("dim")
        axes = sorted({axis % rank for axis in ([given] if isinstance(given, int) else given or range(rank))})
        if place.rows in axes:
            raise walk.refused("mixes the rows of a batch")
        left = [axis for axis in range(rank) if axis not in axes]
        kept = [place.shape[axis] for axis in left]
        size = prod(place.shape[axis] for axis in axes)
        # Whole channels as they lie need no rearrangement.
        if place.rows == 0 and place.each == 1 and len(left) == 2 and left == [0, 1] and rank > 2:
            table, window = place, Window(place.shape[2:], (1,) * (rank - 2))
        else:
            codes = value.codes.permute(*left, *axes).reshape(*kept, size)
            if place.rows is not None:
                codes = codes.movedim(left.index(place.rows), 0)
                codes = codes.reshape(walk.batch, -1, size)
            else:
                codes = codes.reshape(1, -1, size)
            table = walk.place(Value(value.node, codes, value.fill, (*value.moved, "permute")))
            window = Window((size,), (1,))
        _readable(walk, window)
        ones = (1,) * len(window.kernel)
        layer = MaxPool(window) if kind == "max" else AveragePool(window, np.full(ones, size if kind == "mean" else 1))
        found = walk.put(layer, [table], (*table.shape[:2], *ones))
        codes = found.codes
        if place.rows is None or left[0] == place.rows:
            codes = codes.reshape(kept)
        else:
            at = left.index(place.rows)
            others = [length for axis, length in enumerate(kept) if axis != at]
            codes = codes.reshape(kept[at], *others).movedim(0, at)
        if told.get("keepdim"):
            codes = codes.reshape([1 if axis in axes else length for axis, length in enumerate(place.shape)])
        return Value(found.node, codes, moved=("view",))

    return reduce_axes


WINDOWS: dict[str, Callable[[Walk, Told], Value]] = {
    "conv1d": _conv, "conv2d": _conv, "conv3d": _conv, "convolution": _conv,
    **{f"max_pool{axes}d{ending}": _max_pool(axes) for axes in (1, 2, 3) for ending in ("", "_with_indices")},
    **{f"avg_pool{axes}d": _average_pool(axes) for axes in (1, 2, 3)},
    **{f"{under}adaptive_avg_pool{axes}d": _adaptive(axes, average=True) for axes in (1, 2, 3) for under in ("", "_")},
    **{f"adaptive_max_pool{axes}d": _adaptive(axes, average=False) for axes in (1, 2, 3)},
    "mean": _reduced("mean"), "sum": _reduced("sum"), "amax": _reduced("max"),
}  # fmt: skip
