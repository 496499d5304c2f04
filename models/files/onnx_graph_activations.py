"""ONNX operators that act on each number by itself: activations, and those that change none over the reals."""

from dataclasses import replace
from fractions import Fraction
from math import inf

import numpy as np
import onnx

from proof_of_absence.models.files.constants import FLOATS, label
from proof_of_absence.models.files.onnx_graph_walk import Value, Walk
from proof_of_absence.models.files.operators import DIGITS
from proof_of_absence.models.graph_layers import Clip, LeakyRelu, Relu

__all__ = ["absolute", "bounded", "cast", "clip", "dropout", "leaky_relu", "prelu", "relu"]

# The bounds of Clip that stand for none, where they are attributes.
UNBOUNDED = float(np.finfo(np.float32).max)


def relu(walk: Walk, node: onnx.NodeProto) -> Value:
    return walk.put(node, Relu(), [walk.running(node, 1)])


def leaky_relu(walk: Walk, node: onnx.NodeProto) -> Value:
    # The file's number, or 0.01 as the float32 that it is there.
    return walk.put(node, LeakyRelu(walk.number(node, "alpha", float(np.float32(0.01)))), [walk.running(node, 1)])


def prelu(walk: Walk, node: onnx.NodeProto) -> Value:
    value = walk.running(node, 2)
    slopes = walk.floats(node, node.input[1], value.kind)
    if np.unique(slopes).size != 1:
        raise walk.refused(f"{label(node)} has several slopes; one for all is supported")
    walk.together(node, [value.shape, slopes.shape])
    return walk.put(node, LeakyRelu(Fraction(slopes.flat[0])), [value])


def clip(walk: Walk, node: onnx.NodeProto) -> Value:
    value = walk.running(node, 1, 2, 3)
    low, high = (_bound(walk, node, place, name, value) for place, name in ((1, "min"), (2, "max")))
    if low == 0 and high is None:
        return walk.put(node, Relu(), [value])
    try:
        return walk.put(node, Clip(low, high), [value])
    except ValueError as error:
        raise walk.refused(f"{label(node)}: {error}") from error


def absolute(walk: Walk, node: onnx.NodeProto) -> Value:
    """|h| is h where it is not negative, and else -1 times it."""
    return walk.put(node, LeakyRelu(Fraction(-1)), [walk.running(node, 1)])


def bounded(walk: Walk, node: onnx.NodeProto) -> Value:
    """Min and Max of a value and a constant: a bound on one side."""
    walk.counted(node, 2)
    reads = walk.reads(node)
    if len(reads) != 1:
        raise walk.refused(f"{label(node)} compares {len(reads)} values; one with a constant is supported")
    value = walk.values[reads[0]]
    (name,) = (name for name in node.input if name not in walk.values)
    bounds = walk.floats(node, name, value.kind)
    if np.unique(bounds).size != 1:
        raise walk.refused(f"{label(node)} has several bounds; one for all is supported")
    value = walk.broadcast(node, value, walk.together(node, [value.shape, bounds.shape]))
    bound = Fraction(bounds.flat[0])
    low, high = (bound, None) if node.op_type == "Max" else (None, bound)
    return walk.put(node, Relu() if low == 0 else Clip(low, high), [value])


def _bound(walk: Walk, node: onnx.NodeProto, place: int, attribute: str, value: Value) -> Fraction | None:
    if name := walk.operand(node, place):
        array = walk.constants.array(node, name, {FLOATS[value.kind]})
        if array.size != 1 or np.isnan(array).any():
            raise walk.refused(f"{label(node)} has a bound {name} that is not one number")
        found = float(array.item())
        return None if found == (-inf if place == 1 else inf) else _finite(walk, node, found)
    told = walk.number(node, attribute, UNBOUNDED if place == 2 else -UNBOUNDED)
    return None if abs(told) >= Fraction(UNBOUNDED) else told


def _finite(walk: Walk, node: onnx.NodeProto, number: float) -> Fraction:
    if not np.isfinite(number):
        raise walk.refused(f"{label(node)} has a bound that leaves nothing")
    return Fraction(number)


def cast(walk: Walk, node: onnx.NodeProto) -> Value:
    value = walk.running(node, 1)
    kind = walk.integer(node, "to", 0)
    if kind not in FLOATS:
        raise walk.refused(f"{label(node)} casts to what is no float type")
    if DIGITS[value.kind] > DIGITS[kind]:
        walk.multiplied = True
        walk.note(f"{label(node)} changes no value over the reals; the running model rounds there.")
    return replace(value, kind=kind)


def dropout(walk: Walk, node: onnx.NodeProto) -> Value:
    value = walk.running(node, 1, 2, 3)
    flag = walk.operand(node, 2)
    if flag and walk.integers(node, flag).any():
        raise walk.refused(f"{label(node)} is in training mode; export the model in evaluation mode")
    walk.note("Dropout is the identity that it is when a net is used.")
    return value
