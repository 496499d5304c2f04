"""The layers of a graph: a closed union, so that a pass that forgets one is a type error.

A layer says what shape comes out; what it computes is `graph.value_of` over the rationals, and one row in each pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import TypeAlias, assert_never

import numpy as np
from numpy.typing import ArrayLike

from proof_of_absence.models.rational import root
from proof_of_absence.models.windows import Window

__all__ = [
    "ACTIVATIONS",
    "AveragePool",
    "BatchNorm",
    "Clip",
    "Concat",
    "Conv",
    "Dense",
    "GraphLayer",
    "LeakyRelu",
    "MaxPool",
    "Rearrange",
    "Relu",
    "Scale",
    "Shape",
    "Sum",
    "shape_after",
]

# Of one value, without the batch axis; channels come first where there are several axes.
Shape: TypeAlias = tuple[int, ...]


def _floats(name: str, array: ArrayLike) -> np.ndarray:
    found = np.array(array, dtype=np.float64)
    if not found.size:
        raise ValueError(f"{name} are empty")
    if not np.isfinite(found).all():
        raise ValueError(f"{name} hold NaN or infinity")
    found.flags.writeable = False
    return found


def _fractions(array: object) -> np.ndarray:
    """Exact numbers, dtype object, each a Fraction."""
    raw = np.asarray(array, dtype=object)
    found = np.empty(raw.shape, dtype=object)
    found.reshape(-1)[:] = [Fraction(x) for x in raw.reshape(-1).tolist()]
    found.flags.writeable = False
    return found


@dataclass(frozen=True, eq=False)
class Dense:
    """``weights h + bias`` on the last axis: weights (fan-out, fan-in), bias (fan-out), float64.

    With several axes the same map acts at each position of the others.

    Raises
    ------
    ValueError
        If the shapes do not fit, or an entry is NaN or infinite; so do the others here.
    """

    weights: np.ndarray
    bias: np.ndarray

    def __init__(self, weights: ArrayLike, bias: ArrayLike) -> None:
        object.__setattr__(self, "weights", _floats("weights", weights))
        object.__setattr__(self, "bias", _floats("biases", bias))
        if self.weights.ndim != 2 or self.bias.shape != self.weights.shape[:1]:
            raise ValueError(f"weights {self.weights.shape} do not fit biases {self.bias.shape}")


@dataclass(frozen=True, eq=False)
class Conv:
    """A convolution: weights (channels out, channels in / groups, kernel...), bias (channels out), float64.

    It reads values of shape (channels in, spatial...); padding is 0.
    """

    weights: np.ndarray
    bias: np.ndarray
    window: Window
    groups: int = 1

    def __init__(self, weights: ArrayLike, bias: ArrayLike, window: Window, groups: int = 1) -> None:
        object.__setattr__(self, "weights", _floats("weights", weights))
        object.__setattr__(self, "bias", _floats("biases", bias))
        object.__setattr__(self, "window", window)
        object.__setattr__(self, "groups", groups)
        if self.weights.shape[2:] != window.kernel or self.bias.shape != self.weights.shape[:1]:
            raise ValueError(f"weights {self.weights.shape} do not fit {self.bias.shape} biases and {window.kernel}")
        if groups < 1 or len(self.weights) % groups:
            raise ValueError(f"{len(self.weights)} channels in {groups} groups")

    @property
    def channels_in(self) -> int:
        """How many channels it reads."""
        return int(self.weights.shape[1]) * self.groups

    @property
    def matrices(self) -> np.ndarray:
        """The weights by group, shape (groups, channels out of the group, fan-in): what a position's entries meet."""
        return self.weights.reshape(self.groups, len(self.weights) // self.groups, -1)

    def index(self, shape: Shape) -> np.ndarray:
        """What each position of each group reads of the flattened value: int64, (groups, positions, fan-in).

        Padding is -1; the fan-in is in the order of `matrices`.
        """
        one = self.window.index(shape[1:])
        each = self.channels_in // self.groups
        starts = np.arange(self.channels_in).reshape(self.groups, each) * prod(shape[1:])
        flat = np.where(one[None, :, None, :] < 0, -1, starts[:, None, :, None] + one[None, :, None, :])
        return np.asarray(flat).reshape(self.groups, len(one), each * self.window.size)


@dataclass(frozen=True, eq=False)
class AveragePool:
    """Of each channel the sum of what a position reads, divided by a number of the position's own.

    `divisors` has the shape of `window.counts`, int64, at least 1: it tells how padding is counted.
    """

    window: Window
    divisors: np.ndarray

    def __init__(self, window: Window, divisors: ArrayLike) -> None:
        object.__setattr__(self, "window", window)
        object.__setattr__(self, "divisors", np.array(divisors, dtype=np.int64))
        if self.divisors.shape != window.counts or self.divisors.min() < 1:
            raise ValueError(f"divisors {self.divisors.shape} for positions {window.counts}")


@dataclass(frozen=True)
class MaxPool:
    """Of each channel the greatest entry that a position reads; padding is never it."""

    window: Window


@dataclass(frozen=True, eq=False)
class Scale:
    """``factor h + shift`` entry by entry: exact numbers (dtype object, Fractions) that broadcast to the value."""

    factor: np.ndarray
    shift: np.ndarray

    def __init__(self, factor: object, shift: object) -> None:
        object.__setattr__(self, "factor", _fractions(factor))
        object.__setattr__(self, "shift", _fractions(shift))


@dataclass(frozen=True, eq=False)
class BatchNorm:
    """``factor (h - mean) / sqrt(square) + shift`` for each channel, the first axis: exact numbers, shape (channels,).

    `square` is the variance with its epsilon, positive.
    """

    factor: np.ndarray
    mean: np.ndarray
    square: np.ndarray
    shift: np.ndarray

    def __init__(self, factor: object, mean: object, square: object, shift: object) -> None:
        given = {"factor": factor, "mean": mean, "square": square, "shift": shift}
        for name, array in given.items():
            object.__setattr__(self, name, _fractions(array))
        if len({getattr(self, name).shape for name in given}) != 1 or self.factor.ndim != 1:
            raise ValueError("the numbers of a batch normalisation are one for each channel")
        if not all(x > 0 for x in self.square):
            raise ValueError("a variance with its epsilon is not positive")

    @cached_property
    def roots(self) -> tuple[Fraction | None, ...]:
        """The roots of `square`; None for those that are not rational."""
        return tuple(map(root, self.square.tolist()))


@dataclass(frozen=True)
class Relu:
    """``max(h, 0)``."""


@dataclass(frozen=True)
class LeakyRelu:
    """``h`` where it is not negative, else ``slope h``."""

    slope: Fraction


@dataclass(frozen=True)
class Clip:
    """``min(max(h, low), high)``; None is no bound. ReLU6 is that of 0 and 6."""

    low: Fraction | None
    high: Fraction | None

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"clipped between {self.low} and {self.high}")


@dataclass(frozen=True)
class Sum:
    """The sum of several values of one shape, each times 1 or -1."""

    signs: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.signs or not set(self.signs) <= {1, -1}:
            raise ValueError(f"signs {self.signs}")


@dataclass(frozen=True)
class Concat:
    """Several values side by side along an axis, counted from 0 without the batch axis."""

    axis: int


@dataclass(frozen=True, eq=False)
class Rearrange:
    """Each entry of the result is an entry of the flattened value, or `fill` where the index is -1.

    Reshape, Flatten, Transpose, Squeeze, Unsqueeze, Slice, Pad and Gather by a constant are such. `index` is int64 and
    has the shape of the result. `name` is what the source calls it.
    """

    index: np.ndarray
    name: str = "Reshape"
    fill: Fraction = Fraction(0)

    def __init__(self, index: ArrayLike, name: str = "Reshape", fill: Fraction | int = 0) -> None:
        object.__setattr__(self, "index", np.array(index, dtype=np.int64))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "fill", Fraction(fill))
        if not self.index.size or self.index.min() < -1:
            raise ValueError("an index of a rearrangement is empty or negative")

    @property
    def keeps_order(self) -> bool:
        """Whether it changes the shape alone."""
        return np.array_equal(self.index.reshape(-1), np.arange(self.index.size))


Activation: TypeAlias = Relu | LeakyRelu | Clip
GraphLayer: TypeAlias = (
    Dense | Conv | AveragePool | MaxPool | Scale | BatchNorm | Relu | LeakyRelu | Clip | Sum | Concat | Rearrange
)
# What comes out of these are the hidden units of a graph.
ACTIVATIONS = (Relu, LeakyRelu, Clip)


def shape_after(layer: GraphLayer, shapes: Sequence[Shape]) -> Shape:
    """The shape of what comes out where values of these shapes go in.

    Raises
    ------
    ValueError
        If they do not fit the layer.
    """
    first = shapes[0]
    if len(shapes) != 1 and not isinstance(layer, Sum | Concat):
        raise ValueError(f"reads {len(shapes)} values")
    match layer:
        case Dense(weights=weights):
            _require(bool(first) and first[-1] == weights.shape[1], f"reads {weights.shape[1]} values of {first}")
            return (*first[:-1], len(weights))
        case Conv(window=window):
            _require(len(first) > 1 and first[0] == layer.channels_in, f"reads {layer.channels_in} channels of {first}")
            window.index(first[1:])
            return (len(layer.weights), *window.counts)
        case AveragePool(window=window) | MaxPool(window=window):
            _require(len(first) > 1, f"pools {first}")
            reads = window.index(first[1:])
            _require(isinstance(layer, AveragePool) or bool((reads >= 0).any(axis=1).all()), "reads padding alone")
            return (first[0], *window.counts)
        case Scale(factor=factor, shift=shift):
            _require(np.broadcast_shapes(first, factor.shape, shift.shape) == first, f"scales {first}")
            return first
        case BatchNorm(factor=factor):
            _require(bool(first) and first[0] == len(factor), f"normalises {len(factor)} channels of {first}")
            return first
        case Relu() | LeakyRelu() | Clip():
            return first
        case Sum(signs=signs):
            _require(len(shapes) == len(signs) and len(set(shapes)) == 1, f"adds {list(shapes)}")
            return first
        case Concat(axis=axis):
            rest = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
            _require(0 <= axis < len(first) and len(rest) == 1, f"joins {list(shapes)} along axis {axis}")
            return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])
        case Rearrange(index=index):
            _require(int(index.max()) < prod(first), f"reads entry {index.max()} of {prod(first)}")
            return index.shape
        case _:
            assert_never(layer)


def _require(fits: bool, message: str) -> None:
    if not fits:
        raise ValueError(message)
