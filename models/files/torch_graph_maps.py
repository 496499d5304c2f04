"""Operators of torch that are affine or act on each number by itself: products with parameters, sums, activations.

What stands here is exact over the reals: numbers are those that torch computes with.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from proof_of_absence.models.files.graph_sources import Held
from proof_of_absence.models.files.torch_graph_walk import Constant, Placed, Told, Value, Walk, exact
from proof_of_absence.models.graph_layers import BatchNorm, Clip, Concat, Dense, LeakyRelu, Relu, Scale, Sum

__all__ = ["MAPS"]


def running(walk: Walk, told: Told, name: str = "self") -> Value:
    """An operand that depends on the input."""
    value = told[name]
    if not isinstance(value, Value):
        raise walk.refused("has a constant where a value that depends on the input is read")
    return value


def _linear(walk: Walk, told: Told) -> Value:
    return _dense(walk, running(walk, told, "input"), told["weight"], told["bias"])


def _dense(walk: Walk, value: Value, weight: Any, bias: Any = None) -> Value:
    """The map of a matrix (fan-out, fan-in) along the last axis."""
    if not isinstance(weight, Constant) or isinstance(bias, Value):
        raise walk.refused("multiplies or adds what depends on the input, where a parameter is read")
    matrix = walk.floats(weight)
    place = walk.place(value)
    last = len(place.shape) - 1
    if matrix.ndim != 2 or last < 0 or place.rows == last:
        raise walk.refused(f"has weights {matrix.shape} for a value of shape {place.shape}, whose rows are mixed")
    added = np.zeros(len(matrix)) if bias is None else walk.floats(bias)
    found = walk.put(Dense(matrix, np.broadcast_to(added, len(matrix))), [place], (*place.shape[:-1], len(matrix)))
    if held := walk.held(weight):
        walk.weights[found.node] = held
    if (held := walk.held(bias)) and held.index.size == len(matrix):
        walk.bias[found.node] = held
    return found


def _matmul(walk: Walk, told: Told) -> Value:
    one, other = (told["self"], told.get("other", told.get("mat2", told.get("vec"))))
    if isinstance(one, Value) and isinstance(other, Value):
        raise walk.refused(
            "multiplies two values that depend on the input; record what enters the linear layers and audit that: "
            "audit(model, loader, layers=[...])"
        )
    if isinstance(one, Value):
        if other.tensor.ndim == 1:
            return _moved(_dense(walk, one, _arranged(other, lambda t: t[None])), lambda codes: codes.squeeze(-1))
        return _dense(walk, one, _arranged(other, lambda t: t.transpose(-1, -2)))
    if other.codes.ndim < 2:
        raise walk.refused("multiplies a matrix with a value of one axis, the batch's")
    swapped = _moved(other, lambda codes: codes.transpose(-1, -2))
    return _moved(_dense(walk, swapped, one), lambda codes: codes.transpose(-1, -2))


def _moved(value: Value, move: Callable[[torch.Tensor], torch.Tensor], name: str = "transpose") -> Value:
    return Value(value.node, move(value.codes), value.fill, (*value.moved, name))


def _arranged(given: Constant, move: Callable[[torch.Tensor], torch.Tensor]) -> Constant:
    return Constant(move(given.tensor), given.name, None if given.index is None else move(given.index))


def _addmm(walk: Walk, told: Told) -> Value:
    if (told["beta"], told["alpha"]) != (1, 1) or not isinstance(told["mat1"], Value):
        raise walk.refused("has factors, or a constant for its first matrix")
    if not isinstance(told["mat2"], Constant):
        return _matmul(walk, {"self": told["mat1"], "other": told["mat2"]})
    weight = _arranged(told["mat2"], lambda t: t.T)
    if isinstance(told["self"], Constant) and told["self"].tensor.ndim == 1:
        return _dense(walk, told["mat1"], weight, told["self"])
    product = _dense(walk, told["mat1"], weight)
    return _total(walk, product, told["self"], Fraction(1), Fraction(1))


def _add(walk: Walk, told: Told) -> Value:
    return _total(walk, told["self"], told["other"], Fraction(1), walk.number(told.get("alpha", 1)))


def _subtract(walk: Walk, told: Told) -> Value:
    return _total(walk, told["self"], told["other"], Fraction(1), -walk.number(told.get("alpha", 1)))


def _subtracted(walk: Walk, told: Told) -> Value:
    return _total(walk, told["self"], told["other"], -walk.number(told.get("alpha", 1)), Fraction(1))


def _total(walk: Walk, one: Any, other: Any, first: Fraction, second: Fraction) -> Value:
    """first times one plus second times the other."""
    if not isinstance(one, Value):
        one, other, first, second = other, one, second, first
    if isinstance(other, Value):
        walk.multiplied |= {abs(first), abs(second)} != {1}
        wide = np.broadcast_shapes(tuple(one.codes.shape), tuple(other.codes.shape))
        terms = [_times(walk, _broadcast(value, wide), abs(by)) for value, by in ((one, first), (other, second)) if by]
        signs = [1 if by > 0 else -1 for by in (first, second) if by]
        return walk.put(Sum(tuple(signs)), _alike(walk, terms))
    value = _broadcast(one, _together(one, other))
    place = walk.place(value)
    shift, index = walk.beside(other, place)
    if value not in walk.shared and first == second == 1 and _biased(walk, place.node, shift, other):
        return walk.fresh(place)
    # A factor beside a constant is a step of its own.
    walk.multiplied |= {abs(first), abs(second)} != {1}
    found = walk.put(Scale(first, second * shift), [place])
    if index is not None and first == 1 and second:
        walk.shift[found.node] = Held(other.name, index, second)
    return found


def _biased(walk: Walk, node: int, shift: np.ndarray, other: Any) -> bool:
    """Give a product that has no bias yet, and that nothing else reads, what is added to it."""
    layer = walk.nodes[node - 1].layer if node else None
    if not isinstance(layer, Dense) or layer.bias.any() or node in walk.bias:
        return False
    if not isinstance(other, Constant) or other.tensor.shape != layer.bias.shape:
        return False
    walk.rebuilt(node, Dense(layer.weights, [float(x) for x in shift.reshape(-1).tolist()]))
    if held := walk.held(other):
        walk.bias[node] = held
    return True


def _together(value: Value, other: Any) -> tuple[int, ...]:
    """The shape to which a value and a constant broadcast."""
    given = tuple(other.tensor.shape) if isinstance(other, Constant) else ()
    return np.broadcast_shapes(tuple(value.codes.shape), given)


def _broadcast(value: Value, shape: tuple[int, ...]) -> Value:
    return value if tuple(value.codes.shape) == shape else _moved(value, lambda codes: codes.expand(shape), "expand")


def _times(walk: Walk, value: Value, by: Fraction) -> Value:
    return value if by == 1 else walk.put(Scale(by, 0), [walk.place(value)])


def _alike(walk: Walk, values: Sequence[Value]) -> list[Placed]:
    """Values whose rows lie along one axis."""
    places = [walk.place(value) for value in values]
    if len({(place.rows, place.each) for place in places}) != 1:
        raise walk.refused(f"mixes the rows of a batch: {', '.join(str(place.shape) for place in places)}")
    return places


def _multiply(walk: Walk, told: Told) -> Value:
    one, other = told["self"], told["other"]
    if not isinstance(one, Value):
        one, other = other, one
    if isinstance(other, Value):
        raise walk.refused(
            "multiplies two values that depend on the input; record what enters the linear layers and audit that: "
            "audit(model, loader, layers=[...])"
        )
    place = walk.place(_broadcast(one, _together(one, other)))
    return walk.put(Scale(walk.beside(other, place)[0], 0), [place])


def _divide(walk: Walk, told: Told) -> Value:
    if isinstance(told["other"], Value) or told.get("rounding_mode") is not None:
        raise walk.refused("divides by a value that depends on the input, or rounds")
    value = running(walk, told)
    place = walk.place(_broadcast(value, _together(value, told["other"])))
    by, _ = walk.beside(told["other"], place)
    if not by.all():
        raise walk.refused("divides by 0")
    return walk.put(Scale(1 / by, 0), [place])


def _negate(walk: Walk, told: Told) -> Value:
    return walk.put(Scale(-1, 0), [walk.place(running(walk, told))])


def _batch_norm(walk: Walk, told: Told) -> Value:
    value = running(walk, told, "input")
    if told.get("training") or told["running_mean"] is None:
        raise walk.refused("normalises by the batch itself (training mode, or it tracks nothing); call module.eval()")
    place = walk.place(value)
    if len(place.shape) < 2 or place.rows == 1:
        raise walk.refused(f"normalises a value of shape {place.shape}")
    channels = place.shape[1]
    mean, variance = (exact(walk.floats(told[name])) for name in ("running_mean", "running_var"))
    factor, shift = (
        exact(np.full(channels, by) if told[name] is None else walk.floats(told[name]))
        for name, by in (("weight", 1.0), ("bias", 0.0))
    )
    square = variance + Fraction(told["eps"])
    if not all(one > 0 for one in square):
        raise walk.refused("has a variance + epsilon that is not positive")
    # Channels come first in our graph.
    first = place.axis(1) == 0
    turned = place if first else walk.place(_moved(value, lambda codes: codes.movedim(1, 0)))
    found = walk.put(BatchNorm(factor, mean, square, shift), [turned])
    if held := walk.held(told["bias"]):
        walk.shift[found.node] = held
    return found if first else _moved(found, lambda codes: codes.movedim(0, 1))


def _concat(walk: Walk, told: Told) -> Value:
    values = told["tensors"]
    if not all(isinstance(value, Value) for value in values):
        raise walk.refused("joins values with constants, which is not supported")
    # torch leaves out what is empty and has one axis.
    places = _alike(walk, values)
    axis = told["dim"] % len(places[0].shape)
    if axis == places[0].rows:
        raise walk.refused("joins the rows of a batch")
    shape = list(places[0].shape)
    shape[axis] = sum(place.shape[axis] for place in places)
    return walk.put(Concat(places[0].axis(axis)), places, shape)


def _stack(walk: Walk, told: Told) -> Value:
    if not all(isinstance(value, Value) for value in told["tensors"]):
        raise walk.refused("joins values with constants, which is not supported")
    wide = [_moved(value, lambda codes: codes.unsqueeze(told["dim"]), "unsqueeze") for value in told["tensors"]]
    return _concat(walk, {"tensors": wide, "dim": told["dim"] % wide[0].codes.ndim})


def _relu(walk: Walk, told: Told) -> Value:
    return walk.put(Relu(), [walk.place(running(walk, told))])


def _leaky_relu(walk: Walk, told: Told) -> Value:
    return walk.put(LeakyRelu(walk.number(told["negative_slope"])), [walk.place(running(walk, told))])


def _prelu(walk: Walk, told: Told) -> Value:
    slopes = told["weight"]
    if not isinstance(slopes, Constant) or slopes.tensor.numel() != 1:
        raise walk.refused("has several slopes; one for all is supported")
    return walk.put(LeakyRelu(walk.number(slopes)), [walk.place(running(walk, told))])


def _clip(walk: Walk, told: Told) -> Value:
    """clamp, hardtanh, relu6 and the like, whatever they call their bounds; those of relu6 are its own."""
    low, high = (_bound(walk, told, names) for names in (("min", "min_val"), ("max", "max_val")))
    place = walk.place(running(walk, told))
    if low is not None and high is not None and low > high:
        raise walk.refused(f"clips between {low} and {high}")
    return walk.put(Relu() if low == 0 and high is None else Clip(low, high), [place])


def _bound(walk: Walk, told: Told, names: tuple[str, ...]) -> Fraction | None:
    given = next((told[name] for name in names if told.get(name) is not None), None)
    if isinstance(given, Value):
        raise walk.refused("has a bound that depends on the input")
    if given in (-np.inf, np.inf) and (given > 0) == ("max" in names):
        return None
    return None if given is None else walk.number(given)


def _relu6(walk: Walk, told: Told) -> Value:
    return _clip(walk, {**told, "min": 0, "max": 6})


def _greater(walk: Walk, told: Told) -> Value:
    return _one_sided(walk, told, "min")


def _lesser(walk: Walk, told: Told) -> Value:
    return _one_sided(walk, told, "max")


def _one_sided(walk: Walk, told: Told, name: str) -> Value:
    one, other = told["self"], told["other"]
    one, other = (one, other) if isinstance(one, Value) else (other, one)
    if not isinstance(other, Constant) or other.tensor.numel() != 1 or _together(one, other) != tuple(one.codes.shape):
        raise walk.refused("compares with what is not one number")
    return _clip(walk, {"self": one, name: other})


def _dropout(walk: Walk, told: Told) -> Value:
    if told["train"] and told["p"]:
        raise walk.refused("is in training mode; call module.eval() first")
    return running(walk, told, "input")


def _cast(walk: Walk, told: Told) -> Value:
    value = running(walk, told)
    if not walk.dtype.is_floating_point:
        raise walk.refused(f"casts to {walk.dtype}, no type of floats")
    if torch.finfo(walk.dtype).eps > torch.finfo(walk.before).eps:
        walk.multiplied = True
        walk.note(f"{walk.called} changes no value over the reals; the running module rounds there.")
    return value


MAPS: dict[str, Callable[[Walk, Told], Value]] = {
    "linear": _linear, "mm": _matmul, "matmul": _matmul, "mv": _matmul, "addmm": _addmm,
    "add": _add, "sub": _subtract, "rsub": _subtracted, "mul": _multiply, "div": _divide, "neg": _negate,
    "batch_norm": _batch_norm, "_native_batch_norm_legit_no_training": _batch_norm,
    "cat": _concat, "concat": _concat, "stack": _stack,
    "relu": _relu, "relu6": _relu6, "leaky_relu": _leaky_relu, "prelu": _prelu, "_prelu_kernel": _prelu,
    "clamp": _clip, "clip": _clip, "clamp_min": _clip, "clamp_max": _clip, "hardtanh": _clip,
    "maximum": _greater, "minimum": _lesser,
    "dropout": _dropout, "feature_dropout": _dropout, "alpha_dropout": _dropout,
    "to": _cast, "_to_copy": _cast, "type_as": _cast,
}  # fmt: skip
