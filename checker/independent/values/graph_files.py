"""A graph read without trust from JSON and arrays: no layer is made before all that it says of itself is seen to fit.

Sizes are bounded before anything of that size is made, so a short file does not unfold to a huge value.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import isqrt, prod
from typing import Any

import numpy as np

from proof_of_absence.checker.independent.pause import pausing
from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Floats
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
    Node,
    Numbers,
    Places,
    Rearrange,
    Scale,
    Shape,
    Sum,
    Window,
)

FORMAT = "absence-graph/1"
PARTS = {"format", "input_shape", "dtype", "nodes"}
MALFORMED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)
# Entries of one value, and of all together; nodes, and what one reads; axes; entries of a kernel; a number in a window.
WIDEST, ALL, NODES, READS, AXES, KERNEL, FARTHEST = 2**24, 2**28, 2**16, 2**10, 8, 2**16, 2**31
WINDOW = ("kernel", "counts", "strides", "dilations", "before")

Arrays = Mapping[str, np.ndarray[Any, Any]]


def read_graph(stated: object, arrays: Arrays) -> Graph:
    """The graph that the JSON and the arrays hold.

    Raises
    ------
    Refused
        With the node that is wrong.
    """
    if not (isinstance(stated, dict) and set(stated) == PARTS and stated["format"] == FORMAT):
        raise Refused(f"no graph in the format {FORMAT}")
    require(stated["dtype"] in ("float32", "float64"), "the graph holds no type of float")
    nodes, left = stated["nodes"], dict(arrays)
    require(isinstance(nodes, list) and 0 < len(nodes) <= NODES, f"a graph has from 1 to {NODES} nodes")
    shapes = [_shape(stated["input_shape"], "the input")]
    found: list[Node] = []
    for number, entry in enumerate(pausing(nodes), 1):
        try:
            own = {name: left.pop(f"node_{number}_{name}") for name in ARRAYS.get(entry["kind"], ())}
            node, shape = _node(entry, own, shapes)
        except MALFORMED as error:
            raise Refused(f"node {number} is malformed: {type(error).__name__}: {error}") from error
        except Refused as error:
            raise Refused(f"node {number}: {error}") from error
        found.append(node)
        shapes.append(shape)
        require(sum(map(prod, shapes)) <= ALL, f"the values of the graph have more than {ALL} entries")
    require(not left, f"{', '.join(sorted(left)[:3])}: no node has such an array")
    return Graph(tuple(shapes), tuple(found), stated["dtype"])


def _node(entry: Any, arrays: Arrays, shapes: list[Shape]) -> tuple[Node, Shape]:
    require(isinstance(entry, dict), "it is no object")
    kind, reads, name = entry["kind"], entry["reads"], entry["name"]
    require(kind in LAYERS, f"{str(kind)[:40]!r} is no kind of layer")
    require(isinstance(name, str), "its name is no text")
    require(isinstance(reads, list) and 0 < len(reads) <= READS, f"a node reads from 1 to {READS} values")
    before = all(type(below) is int and 0 <= below < len(shapes) for below in reads)
    require(before, "it reads what does not come before it")
    attributes = {key: value for key, value in entry.items() if key not in ("kind", "reads", "name")}
    require(set(attributes) == ATTRIBUTES.get(kind, set()), "its attributes are missing or unknown")
    below = [shapes[k] for k in reads]
    require(len(below) == 1 or kind in ("sum", "concat"), "it reads more than one value")
    layer, shape = LAYERS[kind](attributes, arrays, below)
    _bounded(shape, "its value")
    return Node(layer, tuple(reads), name, {"kind": kind} | attributes), shape


def _dense(_: Mapping[str, Any], arrays: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    weights, bias = _floats(arrays["weights"], 2), _floats(arrays["bias"], 1)
    (shape,) = below
    require(len(weights) == len(bias), "it has not one bias for each row of weights")
    require(bool(shape) and shape[-1] == weights.shape[1], "its weights do not fit what it reads")
    return Dense(weights, bias), (*shape[:-1], len(bias))


def _conv(stated: Mapping[str, Any], arrays: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    (shape,) = below
    window, groups = _window(stated["window"], shape), _whole(stated["groups"], 1)
    weights, bias = _floats(arrays["weights"], len(shape) + 1), _floats(arrays["bias"], 1)
    require(weights.shape[2:] == window.kernel, "its weights do not fit its kernel")
    require(len(weights) == len(bias) and len(bias) % groups == 0, "its channels do not fit its biases or groups")
    require(shape[0] == weights.shape[1] * groups, "its weights do not fit the channels that it reads")
    return Conv(weights, bias, window, groups), (len(bias), *window.counts)


def _average_pool(stated: Mapping[str, Any], arrays: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    (shape,) = below
    window, divisors = _window(stated["window"], shape), _places(arrays["divisors"])
    require(divisors.shape == window.counts, "it has not one divisor for each position")
    require(bool(divisors.min() >= 1 and divisors.max() < FARTHEST), "a divisor is out of bounds")
    return AveragePool(window, divisors), (shape[0], *window.counts)


def _max_pool(stated: Mapping[str, Any], _: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    (shape,) = below
    window = _window(stated["window"], shape)
    # Before a line of that length is made for each axis.
    _bounded((shape[0], *window.counts), "its value")
    require(window.meets(shape[1:]), "a position reads padding alone")
    return MaxPool(window), (shape[0], *window.counts)


def _scale(stated: Mapping[str, Any], _: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    (shape,) = below
    factor, shift = _numbers(stated["factor"]), _numbers(stated["shift"])
    require(np.broadcast_shapes(shape, factor.shape, shift.shape) == shape, "its numbers do not fit what it reads")
    common = np.broadcast_shapes(factor.shape, shift.shape)
    nothing, one = _filled(common, Fraction(0)), _filled(common, 1)
    return Scale(np.broadcast_to(factor, common), nothing, one, np.broadcast_to(shift, common)), shape


def _batch_norm(stated: Mapping[str, Any], _: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    (shape,) = below
    parts = {name: _numbers(stated[name]) for name in ("factor", "mean", "square", "shift")}
    require(bool(shape) and {array.shape for array in parts.values()} == {shape[:1]}, "it has not a number a channel")
    require(all(x > 0 for x in parts["square"].tolist()), "a square is not positive")
    rows = []
    for factor, mean, square, shift in zip(*(array.tolist() for array in parts.values()), strict=True):
        # 1 / sqrt(p / q) = sqrt(p q) / p.
        gain, radicand = factor / square.numerator, square.numerator * square.denominator
        if isqrt(radicand) ** 2 == radicand:
            gain, radicand = gain * isqrt(radicand), 1
        rows.append((gain, -mean * gain, radicand, shift))
    across = (shape[0], *(1 for _ in shape[1:]))
    arrays = [_objects(list(column), across) for column in zip(*rows, strict=True)]
    return Scale(*arrays), shape


def _relu(_: Mapping[str, Any], __: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    return Clip(Fraction(0), None), below[0]


def _leaky_relu(stated: Mapping[str, Any], _: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    return LeakyRelu(hexadecimal(stated["slope"])), below[0]


def _clip(stated: Mapping[str, Any], _: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    low, high = (None if stated[name] is None else hexadecimal(stated[name]) for name in ("low", "high"))
    require(low is None or high is None or low <= high, "its bounds are crossed")
    return Clip(low, high), below[0]


def _sum(stated: Mapping[str, Any], _: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    signs = stated["signs"]
    require(isinstance(signs, list) and len(signs) == len(below), "it has not one sign for each value")
    require(all(type(sign) is int and sign in (1, -1) for sign in signs), "a sign is not 1 or -1")
    require(len(set(below)) == 1, "it adds values of different shapes")
    return Sum(tuple(signs)), below[0]


def _concat(stated: Mapping[str, Any], _: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    axis, first = _whole(stated["axis"], 0), below[0]
    require(axis < len(first), "its axis is not there")
    require(len({(*shape[:axis], *shape[axis + 1 :]) for shape in below}) == 1, "it joins values that do not fit")
    require(all(len(shape) == len(first) for shape in below), "it joins values that do not fit")
    return Concat(axis), (*first[:axis], sum(shape[axis] for shape in below), *first[axis + 1 :])


def _rearrange(stated: Mapping[str, Any], arrays: Arrays, below: list[Shape]) -> tuple[Layer, Shape]:
    index = _places(arrays["index"])
    require(isinstance(stated["source"], str), "what it is called is no text")
    inside = index.size and index.min() >= -1 and index.max() < prod(below[0])
    require(inside and index.ndim <= AXES, "an index is out of bounds")
    return Rearrange(index, hexadecimal(stated["fill"])), index.shape


LAYERS: dict[str, Callable[[Mapping[str, Any], Arrays, list[Shape]], tuple[Layer, Shape]]] = {
    "dense": _dense,
    "conv": _conv,
    "average-pool": _average_pool,
    "max-pool": _max_pool,
    "scale": _scale,
    "batch-norm": _batch_norm,
    "relu": _relu,
    "leaky-relu": _leaky_relu,
    "clip": _clip,
    "sum": _sum,
    "concat": _concat,
    "rearrange": _rearrange,
}
ATTRIBUTES: dict[str, set[str]] = {
    "conv": {"window", "groups"},
    "average-pool": {"window"},
    "max-pool": {"window"},
    "scale": {"factor", "shift"},
    "batch-norm": {"factor", "mean", "square", "shift"},
    "leaky-relu": {"slope"},
    "clip": {"low", "high"},
    "sum": {"signs"},
    "concat": {"axis"},
    "rearrange": {"source", "fill"},
}
ARRAYS = {
    "dense": ("weights", "bias"),
    "conv": ("weights", "bias"),
    "average-pool": ("divisors",),
    "rearrange": ("index",),
}


def _whole(value: object, least: int, most: int = FARTHEST) -> int:
    if not (type(value) is int and least <= value < most):
        raise Refused(f"{str(value)[:40]} is no whole number from {least} on and below {most}")
    return value


def _shape(value: object, what: str) -> Shape:
    if not (isinstance(value, list) and len(value) <= AXES):
        raise Refused(f"the shape of {what} is no list of at most {AXES} numbers")
    return _bounded(tuple(_whole(size, 1) for size in value), what)


def _bounded(shape: Shape, what: str) -> Shape:
    require(prod(shape) <= WIDEST, f"{what} has more than {WIDEST} entries")
    return shape


def _window(stated: Any, shape: Shape) -> Window:
    require(isinstance(stated, dict) and set(stated) == set(WINDOW), "its window is not described")
    require(1 < len(shape) <= AXES, "it reads values without spatial axes")
    parts = {}
    for name in WINDOW:
        require(isinstance(stated[name], list) and len(stated[name]) == len(shape) - 1, f"its {name} do not fit")
        parts[name] = tuple(_whole(number, 0 if name == "before" else 1) for number in stated[name])
    require(prod(parts["kernel"]) <= KERNEL, f"its kernel has more than {KERNEL} entries")
    return Window(**parts)


def _floats(array: np.ndarray[Any, Any], axes: int) -> Floats:
    require(array.dtype == np.float64 and array.ndim == axes and array.size > 0, "an array is not float64 or fits not")
    require(bool(np.isfinite(array).all()), "an array holds NaN or infinity")
    return array


def _places(array: np.ndarray[Any, Any]) -> Places:
    require(array.dtype == np.int64 and array.size > 0, "an array is not int64, or empty")
    return array


def _numbers(stated: Any) -> Numbers:
    require(isinstance(stated, dict) and set(stated) == {"shape", "values"}, "its numbers are not stated")
    shape, values = _shape(stated["shape"], "an array of numbers"), stated["values"]
    require(isinstance(values, list) and len(values) == prod(shape), "its numbers are not as many as their shape says")
    return _objects([hexadecimal(text) for text in values], shape)


def _objects(values: list[Any], shape: Shape) -> Numbers:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found.reshape(shape)


def _filled(shape: Shape, value: Any) -> Numbers:
    return np.full(shape, value, dtype=object)
