"""The question a search decides: does a circuit send every reader outside one constant, on a whole box of inputs?

Everything here is exact; the float copies of the weights are the same numbers, because a `FloatNet` holds float64.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import assert_never

import numpy as np

from proof_of_absence.models.circuit import Unit, readers
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, FloatLayer
from proof_of_absence.models.rational import Number, Numbers, Vector, rational, vector

__all__ = ["Form", "Question", "Target", "nearest", "question"]

# Coefficients by unit of a layer (layer 0: the input), and a constant.
Form = tuple[dict[int, Fraction], Fraction]


@dataclass(frozen=True)
class Target:
    """The circuit's units in one layer, and what each of them sends to each reader in the layer above.

    `weights` has shape (readers, units); `value` holds the constant that each reader is to receive.
    """

    layer: int
    units: tuple[int, ...]
    readers: tuple[int, ...]
    weights: tuple[Vector, ...]
    value: Vector

    @property
    def live(self) -> tuple[int, ...]:
        """The units that send something to some reader."""
        return tuple(j for at, j in enumerate(self.units) if any(row[at] for row in self.weights))


@dataclass(frozen=True, eq=False)
class Question:
    """A net, a circuit of it, a closed box, and the constants; made by `question`."""

    net: FloatNet
    circuit: frozenset[Unit]
    low: Vector
    high: Vector
    targets: tuple[Target, ...]

    @property
    def depth(self) -> int:
        """The last layer that has a unit of the circuit; layers above it play no part."""
        return self.targets[-1].layer

    @property
    def free(self) -> tuple[int, ...]:
        """The input coordinates that the box does not fix."""
        return tuple(i for i, (a, b) in enumerate(zip(self.low, self.high, strict=True)) if a < b)

    @cached_property
    def layers(self) -> tuple[FloatAffine, ...]:
        """The net up to the layer above `depth`, as everything here reads it: affine maps with ReLU between them."""
        return tuple(map(_affine, self.net.layers[: self.depth + 1]))

    @cached_property
    def exact(self) -> tuple[tuple[tuple[Vector, ...], Vector], ...]:
        """Weights and biases up to `depth` as Fractions."""
        return tuple(
            (tuple(vector(row) for row in w.tolist()), vector(b.tolist())) for w, b in self.layers[: self.depth]
        )

    @cached_property
    def settled(self) -> dict[tuple[int, bytes], list[Form] | None]:
        """A cache of `circuit_form`."""
        return {}

    @cached_property
    def parallel(self) -> bool:
        """Whether two units of the circuit, in one layer, have incoming weights that are multiples of each other."""
        rows = [
            (t.layer, tuple(w / next(filter(None, row), Fraction(1)) for w in row))
            for t in self.targets
            for row in (self.exact[t.layer - 1][0][j] for j in t.live)
        ]
        return len(set(rows)) < len(rows)

    def activations(self, z: Sequence[Fraction]) -> list[Vector]:
        """The hidden layers' values up to `depth` at z, by the plain forward pass."""
        values = []
        for weights, bias in self.exact:
            pre = [sum((w * v for w, v in zip(row, z, strict=True) if v), b)
                   for row, b in zip(weights, bias, strict=True)]  # fmt: skip
            z = tuple(max(x, Fraction(0)) for x in pre)
            values.append(z)
        return values

    def sent(self, z: Sequence[Fraction]) -> dict[Unit, Fraction]:
        """What every reader receives from the circuit at z."""
        values = self.activations(z)
        return {
            Unit(t.layer + 1, k): sum(
                (a * values[t.layer - 1][j] for a, j in zip(row, t.units, strict=True)), Fraction(0)
            )
            for t in self.targets
            for k, row in zip(t.readers, t.weights, strict=True)
        }

    @property
    def value(self) -> dict[Unit, Fraction]:
        """The constants, by reader."""
        return {Unit(t.layer + 1, k): v for t in self.targets for k, v in zip(t.readers, t.value, strict=True)}

    def differs(self, z: Sequence[Fraction]) -> bool:
        """Whether some reader receives at z something else than its constant."""
        return self.sent(z) != self.value

    def pre_activation(self, layer: int, j: int, z: np.ndarray) -> float:
        """A pre-activation at one input, in plain floating point: a hint."""
        with np.errstate(all="ignore"):
            for weights, bias in self.layers[: layer - 1]:
                z = np.maximum(weights @ z + bias, 0)
            return float(self.layers[layer - 1].weights[j] @ z + self.layers[layer - 1].bias[j])

    def gap(self, inputs: np.ndarray) -> np.ndarray:
        """The largest distance from the constants at each input (N, d), in plain floating point:
        a hint, never a verdict.
        """
        largest, values = np.zeros(len(inputs)), inputs
        with np.errstate(all="ignore"):
            for number, (weights, bias) in enumerate(self.layers[: self.depth], 1):
                values = np.maximum(values @ weights.T + bias, 0)
                for t in self.targets:
                    if t.layer == number:
                        columns = self.layers[number].weights[np.ix_(t.readers, t.units)]
                        sent = values[:, list(t.units)] @ columns.T
                        constants = np.array([nearest(v) for v in t.value])
                        largest = np.maximum(largest, np.abs(sent - constants).max(axis=1, initial=0))
        return np.nan_to_num(largest, nan=np.inf)


def _affine(layer: FloatLayer) -> FloatAffine:
    """The layer as an affine map: the one place of a search that is asked about a type of layer."""
    match layer:
        case FloatAffine():
            return layer
        case _:
            assert_never(layer)


def nearest(value: Fraction) -> float:
    """A float near the value; infinite where it is beyond the floats."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def question(
    net: FloatNet,
    circuit: Iterable[tuple[int, int]],
    low: Numbers,
    high: Numbers,
    value: Mapping[Unit, Number] | None = None,
) -> Question:
    """Check the arguments and put the question; without `value` the constants are what is sent at the low corner.

    Raises
    ------
    ValueError
        If the circuit is empty or not made of hidden units, the box does not fit the net or is empty, or `value` does
        not give one finite number for each reader.
    """
    units = frozenset(Unit(*unit) for unit in circuit)
    if not units:
        raise ValueError("a circuit has at least one unit")
    strangers = sorted(u for u in units if not (1 <= u.layer < len(net.layers) and 0 <= u.index < net.widths[u.layer]))
    if strangers:
        raise ValueError(f"not hidden units of the net: {strangers}")
    low, high = vector(low), vector(high)
    if not len(low) == len(high) == net.widths[0]:
        raise ValueError(f"a box of {len(low)} lows and {len(high)} highs for a net of {net.widths[0]} inputs")
    for i, (a, b) in enumerate(zip(low, high, strict=True)):
        if a > b:
            raise ValueError(f"the box is empty: coordinate {i} goes from {a} to {b}")
    targets = []
    for layer in sorted({u.layer for u in units}):
        inside = tuple(sorted(u.index for u in units if u.layer == layer))
        outside = {reader for j in inside for reader in readers(net, Unit(layer, j))} - units
        reading = tuple(sorted(reader.index for reader in outside))
        weights = tuple(vector(_affine(net.layers[layer]).weights[k, list(inside)].tolist()) for k in reading)
        targets.append(Target(layer, inside, reading, weights, (Fraction(0),) * len(reading)))
    made = Question(net, units, low, high, tuple(targets))
    constants = made.sent(low) if value is None else {Unit(*u): rational(v) for u, v in value.items()}
    if set(constants) != set(made.value):
        raise ValueError(f"a value is needed for each of the readers {sorted(made.value)}")
    fixed = tuple(
        Target(t.layer, t.units, t.readers, t.weights, tuple(constants[Unit(t.layer + 1, k)] for k in t.readers))
        for t in targets
    )
    return Question(net, units, low, high, fixed)
