"""ONNX operators that are affine: products with constants, sums, batch normalisation, what is joined.

What stands here is exact over the reals: a weight that its type does not hold becomes a `Scale` beside it.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import onnx

from proof_of_absence.models.files.chain import exact_array
from proof_of_absence.models.files.constants import FLOATS, label
from proof_of_absence.models.files.graph_sources import Held
from proof_of_absence.models.files.onnx_graph_walk import Value, Walk
from proof_of_absence.models.files.operators import EPSILON
from proof_of_absence.models.graph import Node
from proof_of_absence.models.graph_layers import (
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Scale,
    Sum,
)

__all__ = ["batch_normalization", "concat", "divide", "gemm", "matmul", "multiply", "negate", "subtract", "total"]


def matmul(walk: Walk, node: onnx.NodeProto) -> Value:
    walk.counted(node, 2)
    one, other = node.input
    if one in walk.values and other in walk.values:
        raise walk.refused(
            f"{label(node)} multiplies two values that depend on the input; record activations and audit those "
            "(absence audit --activations)"
        )
    left = other in walk.values
    value = walk.values[other if left else one]
    place = 0 if left else 1
    matrix = walk.floats(node, node.input[place], value.kind)
    held = walk.held(node.input[place], matrix.shape)
    if matrix.ndim > 2 and not left and matrix.ndim <= len(value.shape) and set(matrix.shape[:-2]) == {1}:
        matrix = matrix.reshape(matrix.shape[-2:])
    if matrix.ndim != 2:
        raise walk.refused(f"{label(node)} has weights of shape {matrix.shape}; a matrix is needed")
    return _product(walk, node, value, matrix if left else matrix.T, held, left=left, turned=not left)


def _product(
    walk: Walk,
    node: onnx.NodeProto,
    value: Value,
    matrix: np.ndarray,
    held: tuple[str, np.ndarray] | None,
    *,
    left: bool,
    turned: bool,
    factor: Fraction = Fraction(1),
) -> Value:
    """The map of a matrix (fan-out, fan-in) along the last axis of a value, along the last but one with `left`."""
    swap = left and len(value.shape) > 1
    value = _swapped(walk, node, value) if swap else value
    last = len(value.shape) - 1
    if last < 0 or value.dropped == last or value.shape[last] != matrix.shape[1]:
        raise walk.refused(
            f"{label(node)} multiplies weights that read {matrix.shape[1]} values with a value of shape {value.written}"
        )
    found = walk.put(
        node, Dense(matrix, np.zeros(len(matrix))), [value], (*value.shape[:last], len(matrix)), value.rows
    )
    if held is not None:
        name, index = held
        index = index.reshape(index.shape[-2:])
        walk.weights[found.node] = Held(name, index.T if turned else index, factor)
    return _swapped(walk, node, found) if swap else found


def _swapped(walk: Walk, node: onnx.NodeProto, value: Value) -> Value:
    """The value with its last two axes swapped."""
    rank = len(value.shape)
    others = {rank - 1: rank - 2, rank - 2: rank - 1}
    rows = None if value.rows is None else others.get(value.rows, value.rows)
    return walk.rearrange(node, value, np.swapaxes(walk.index(value), -1, -2), rows, name="Transpose")


def gemm(walk: Walk, node: onnx.NodeProto) -> Value:
    walk.counted(node, 2, 3)
    one, other = node.input[:2]
    if (one in walk.values) == (other in walk.values):
        raise walk.refused(f"{label(node)} needs one value and one constant matrix")
    left = other in walk.values
    value = walk.values[other if left else one]
    if len(value.shape) != 2:
        raise walk.refused(f"{label(node)} reads a value of shape {value.written}")
    alpha, beta = walk.number(node, "alpha", 1.0), walk.number(node, "beta", 1.0)
    turn = [walk.flag(node, name, 0) for name in ("transA", "transB")]
    name = node.input[0 if left else 1]
    matrix = walk.floats(node, name, value.kind)
    if matrix.ndim != 2:
        raise walk.refused(f"{label(node)} has weights of shape {matrix.shape}; a matrix is needed")
    if turn[1 if left else 0]:
        value = _swapped(walk, node, value)
    turned = turn[0] if left else not turn[1]
    matrix = matrix.T if turned else matrix
    scaled = _scaled(alpha, matrix, value.kind)
    held = walk.held(name, matrix.T.shape if turned else matrix.shape) if alpha else None
    exact, matrix = scaled is not None, matrix if scaled is None else scaled
    walk.multiplied = walk.multiplied or not (_plain(alpha) and _plain(beta))
    found = _product(
        walk, node, value, matrix, held, left=left, turned=turned,
        factor=alpha if exact else Fraction(1),
    )  # fmt: skip
    if not exact:
        found = walk.put(node, Scale(alpha, 0), [found])
    third = walk.operand(node, 2)
    if not third or not beta:
        return found
    if third in walk.values:
        term = walk.values[third]
        if walk.together(node, [found.shape, term.shape]) != found.shape:
            raise walk.refused(f"{label(node)} adds a value of shape {term.written} to one of shape {found.written}")
        term = term if beta == 1 else walk.put(node, Scale(beta, 0), [term])
        return _summed(walk, node, [found, term], (1, 1))
    array = walk.floats(node, third, value.kind)
    if walk.together(node, [found.shape, array.shape]) != found.shape:
        raise walk.refused(f"{label(node)} adds {third} of shape {array.shape} to a value of shape {found.written}")
    return _shifted(walk, node, found, array, third, beta, folds=exact)


def _plain(factor: Fraction) -> bool:
    """Whether floats multiply by it without rounding."""
    above, below = abs(factor.numerator), factor.denominator
    return above & (above - 1) == 0 and below & (below - 1) == 0


def _scaled(factor: Fraction, array: np.ndarray, kind: int) -> np.ndarray | None:
    """The array times a number; None if that is no array of the type."""
    if factor == 1:
        return array
    found = exact_array((factor * Fraction(x) for x in array.reshape(-1).tolist()), array.shape, FLOATS[kind])
    # Fractions know of no negative 0.
    return None if found is None else np.copysign(found, array if factor > 0 else -array)


def _shifted(
    walk: Walk,
    node: onnx.NodeProto,
    value: Value,
    array: np.ndarray,
    name: str,
    factor: Fraction = Fraction(1),
    *,
    folds: bool,
) -> Value:
    """The value plus factor times a constant that broadcasts to it: into the bias of a map that has none, or a shift.

    `folds` says whether the value is read here alone.
    """
    own = walk.own_constant(node, array, value)
    if folds and (found := _with_bias(walk, node, value, own, array.shape, name, factor)):
        return found
    exact = walk.exact(node, own)
    found = walk.put(node, Scale(1, exact if factor == 1 else factor * exact), [value])
    if held := walk.held(name, array.shape):
        walk.shift[found.node] = Held(held[0], walk.own_constant(node, held[1], value), factor)
    return found


def _with_bias(
    walk: Walk,
    node: onnx.NodeProto,
    value: Value,
    own: np.ndarray,
    shape: tuple[int, ...],
    name: str,
    factor: Fraction,
) -> Value | None:
    """The last node of the walk with a bias, if it is a map without one, and the constant is one for each output."""
    layer = walk.nodes[-1].layer
    if value.node != len(walk.nodes) or not isinstance(layer, Dense | Conv) or layer.bias.any():
        return None
    full = walk.shapes[value.node]
    axis = len(full) - 1 if isinstance(layer, Dense) else 0
    wide = own.reshape((1,) * (len(full) - own.ndim) + own.shape)
    bias = _scaled(factor, wide.reshape(-1), value.kind)
    if wide.size not in (1, wide.shape[axis]) or bias is None or value.node in walk.bias:
        return None
    bias = np.broadcast_to(bias, layer.bias.shape)
    last = walk.nodes[-1]
    if isinstance(layer, Dense):
        changed: Dense | Conv = Dense(layer.weights, bias)
    else:
        changed = Conv(layer.weights, bias, layer.window, layer.groups)
    walk.nodes[-1] = Node(changed, last.reads, node.output[0])
    if label(node) != walk.labels[-1]:
        walk.labels[-1] += f" and {label(node)}"
    held = walk.held(name, shape)
    if held is not None and wide.size == bias.size:
        walk.bias[value.node] = Held(held[0], held[1].reshape(-1), factor)
    return value


def _folds(walk: Walk, node: onnx.NodeProto, name: str) -> bool:
    """Whether the value under a name is that of the last node, and read by this node alone."""
    return walk.uses[name] == 1 and bool(walk.nodes) and walk.nodes[-1].name == name


def add_constant(walk: Walk, node: onnx.NodeProto, value: Value, name: str, factor: Fraction, source: str) -> Value:
    """The value plus factor times the constant of a name, each repeated as far as they must be."""
    array = walk.floats(node, name, value.kind)
    shape = walk.together(node, [value.shape, array.shape])
    folds = _folds(walk, node, source) and shape == value.shape
    return _shifted(walk, node, walk.broadcast(node, value, shape), array, name, factor, folds=folds)


def total(walk: Walk, node: onnx.NodeProto) -> Value:
    """Add and Sum."""
    if node.op_type == "Add":
        walk.counted(node, 2)
    return _signed(walk, node, [1] * len(node.input))


def subtract(walk: Walk, node: onnx.NodeProto) -> Value:
    walk.counted(node, 2)
    return _signed(walk, node, [1, -1])


def _signed(walk: Walk, node: onnx.NodeProto, signs: Sequence[int]) -> Value:
    terms = [(walk.values[name], sign) for name, sign in zip(node.input, signs, strict=True) if name in walk.values]
    if len(terms) > 1:
        value, source = _summed(walk, node, [value for value, _ in terms], [sign for _, sign in terms]), ""
    else:
        (value, sign) = terms[0]
        source = next(name for name in node.input if name in walk.values)
        if sign < 0:
            value, source = walk.put(node, Scale(-1, 0), [value]), ""
    for name, sign in zip(node.input, signs, strict=True):
        if name not in walk.values:
            value, source = add_constant(walk, node, value, name, Fraction(sign), source), ""
    return value


def _summed(walk: Walk, node: onnx.NodeProto, values: Sequence[Value], signs: Sequence[int]) -> Value:
    shape = walk.together(node, [value.shape for value in values])
    if len({None if value.rows is None else value.rows - len(value.shape) for value in values}) != 1:
        raise walk.refused(f"{label(node)} mixes the rows of a batch: {', '.join(value.written for value in values)}")
    wide = [walk.broadcast(node, value, shape) for value in values]
    return walk.put(node, Sum(tuple(signs)), wide, shape, wide[0].rows)


def negate(walk: Walk, node: onnx.NodeProto) -> Value:
    return walk.put(node, Scale(-1, 0), [walk.running(node, 1)])


def multiply(walk: Walk, node: onnx.NodeProto) -> Value:
    walk.counted(node, 2)
    reads = walk.reads(node)
    if len(reads) == 2:
        raise walk.refused(
            f"{label(node)} multiplies two values that depend on the input; record activations and audit those "
            "(absence audit --activations)"
        )
    (name,) = (name for name in node.input if name not in walk.values)
    return _by(walk, node, walk.values[reads[0]], name, divided=False)


def divide(walk: Walk, node: onnx.NodeProto) -> Value:
    walk.counted(node, 2)
    if node.input[1] in walk.values:
        raise walk.refused(f"{label(node)} divides by a value that depends on the input, which is not supported")
    return _by(walk, node, walk.values[node.input[0]], node.input[1], divided=True)


def _by(walk: Walk, node: onnx.NodeProto, value: Value, name: str, *, divided: bool) -> Value:
    array = walk.floats(node, name, value.kind)
    if divided and not array.all():
        raise walk.refused(f"{label(node)} divides by 0")
    wide = walk.broadcast(node, value, walk.together(node, [value.shape, array.shape]))
    factor = walk.exact(node, walk.own_constant(node, array, wide))
    return walk.put(node, Scale(1 / factor if divided else factor, 0), [wide])


def batch_normalization(walk: Walk, node: onnx.NodeProto) -> Value:
    value = walk.running(node, 5)
    if walk.flag(node, "training_mode", 0) or not walk.flag(node, "spatial", 1):
        raise walk.refused(f"{label(node)} is in training mode, or not spatial; export the model in evaluation mode")
    if len(value.shape) < 2 or value.dropped != 0:
        raise walk.refused(f"{label(node)} must have a value of shape (batch, channels, ...), not {value.written}")
    scale, shift, mean, variance = (walk.floats(node, name, value.kind) for name in node.input[1:])
    if {array.shape for array in (scale, shift, mean, variance)} != {value.shape[1:2]}:
        raise walk.refused(f"{label(node)} has not one number for each of {value.shape[1]} channels")
    epsilon = walk.number(node, "epsilon", EPSILON)
    exact = [walk.exact(node, array) for array in (scale, mean, variance, shift)]
    square = exact[2] + epsilon
    if not all(one > 0 for one in square):
        raise walk.refused(f"{label(node)} has a variance + epsilon that is not positive")
    found = walk.put(node, BatchNorm(exact[0], exact[1], square, exact[3]), [value])
    if held := walk.held(node.input[2], shift.shape):
        walk.shift[found.node] = Held(*held)
    return found


def concat(walk: Walk, node: onnx.NodeProto) -> Value:
    if walk.reads(node) != list(node.input):
        raise walk.refused(f"{label(node)} joins values with constants, which is not supported")
    values = [walk.values[name] for name in node.input]
    first = values[0]
    axis = walk.axis(node, walk.integer(node, "axis", 1), len(first.shape))
    ranks = {len(value.shape) for value in values}
    rest = {(*value.shape[:axis], *value.shape[axis + 1 :]) for value in values}
    if len(ranks) != 1 or len(rest) != 1 or len({value.rows for value in values}) != 1 or axis == first.rows:
        raise walk.refused(f"{label(node)} joins {', '.join(value.written for value in values)} along axis {axis}")
    shape = (*first.shape[:axis], sum(value.shape[axis] for value in values), *first.shape[axis + 1 :])
    walk.afford(node, shape)
    dropped = {replace(first, shape=one).dropped for one in (shape, *(value.shape for value in values))}
    if len(dropped) == 1 and axis not in dropped:
        (left,) = dropped
        return walk.put(node, Concat(axis - (left is not None and axis > left)), values, shape, first.rows)
    # Without rows a first axis of size 1 is dropped, but here it may be the one that grows.
    whole = [walk.as_own(node, value, value.shape) for value in values]
    joined = walk.put(node, Concat(axis), whole, (1, *shape))
    own = replace(joined, shape=shape).own
    return replace(walk.as_own(node, joined, own), shape=shape)
