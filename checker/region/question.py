"""The question a search decides: does a circuit send every reader outside one constant, on a whole box of inputs?

Everything here is exact but the float copies of the weights: those are the same numbers where a layer holds float64,
and the nearest floats where it does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from proof_of_absence.checker.passes.integers import Integers, Values
from proof_of_absence.models.circuit import Unit, readers
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, RationalAffine, nearest_floats, sending, some_units
from proof_of_absence.models.layers import exact as exact_layer
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
    """A net, a circuit of it, a closed box, and the constants; made by `question`.

    `exact` holds the net's numbers: questions about one net share it. `of_corner`: the constants are what is sent at
    the low corner of the box. `carried`: units that hand on what a hidden unit below them sends, with that unit, or how
    far an input lies above its least value, with None; so their pre-activations are at least 0 on the box.
    """

    exact: Integers
    circuit: frozenset[Unit]
    low: Vector
    high: Vector
    targets: tuple[Target, ...]
    of_corner: bool = False
    carried: tuple[tuple[Unit, Unit | None], ...] = ()

    @property
    def net(self) -> FloatNet:
        """The network."""
        return self.exact.net

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
        return tuple(map(nearest_floats, self.net.layers[: self.depth + 1]))

    @cached_property
    def rounded(self) -> tuple[bool, ...]:
        """Of which of these layers the floats are not the exact entries, but within 2^-53 of each."""
        return tuple(isinstance(layer, RationalAffine) for layer in self.net.layers[: self.depth + 1])

    @cached_property
    def strangers(self) -> np.ndarray:
        """Which units of layer `depth` are not of the circuit, or send nothing to any reader."""
        outside = np.ones(self.net.widths[self.depth], dtype=bool)
        outside[list(self.targets[-1].live)] = False
        return outside

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
            for row in (self.exact.row(t.layer, j) for j in t.live)
        ]
        return len(set(rows)) < len(rows)

    def activations(self, z: Sequence[Fraction]) -> list[Vector]:
        """The hidden layers' values up to `depth` at z, by the plain forward pass."""
        return [values.vector(0) for values in self.exact.forward([vector(z)], self.depth)]

    def sent(self, z: Sequence[Fraction]) -> dict[Unit, Fraction]:
        """What every reader receives from the circuit at z."""
        return self.received(self.exact.forward([vector(z)], self.depth), 0)

    def received(self, layers: Sequence[Values], place: int) -> dict[Unit, Fraction]:
        """The same, where the hidden layers' values at some inputs are known, at the input of that place."""
        found = {}
        for t in self.targets:
            sent = [layers[t.layer - 1].at(j, place) for j in t.units]
            for k, row in zip(t.readers, t.weights, strict=True):
                found[Unit(t.layer + 1, k)] = sum((a * v for a, v in zip(row, sent, strict=True) if v), Fraction(0))
        return found

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
        values, layers = inputs, []
        with np.errstate(all="ignore"):
            for weights, bias in self.layers[: self.depth]:
                values = np.maximum(values @ weights.T + bias, 0)
                layers.append(values)
        return self.gap_of(layers)

    def gap_of(self, layers: Sequence[np.ndarray]) -> np.ndarray:
        """The same, where the hidden layers' values (N, units) are known in floating point."""
        largest = np.zeros(len(layers[0]))
        with np.errstate(all="ignore"):
            for t in self.targets:
                columns = self.layers[t.layer].weights[np.ix_(t.readers, t.units)]
                sent = layers[t.layer - 1][:, list(t.units)] @ columns.T
                constants = np.array([nearest(v) for v in t.value])
                largest = np.maximum(largest, np.abs(sent - constants).max(axis=1, initial=0))
        return np.nan_to_num(largest, nan=np.inf)


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
    *,
    exact: Integers | None = None,
) -> Question:
    """Check the arguments and put the question; without `value` the constants are what is sent at the low corner.

    `exact`: the net's numbers, where an earlier question about it has them.

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
        weights = exact_layer(some_units(sending(net.layers[layer], inside), reading)).weights if reading else ()
        targets.append(Target(layer, inside, reading, weights, (Fraction(0),) * len(reading)))
    if exact is None or exact.net is not net:
        exact = Integers(net)
    made = Question(exact, units, low, high, tuple(targets))
    constants = made.sent(low) if value is None else {Unit(*u): rational(v) for u, v in value.items()}
    if set(constants) != set(made.value):
        raise ValueError(f"a value is needed for each of the readers {sorted(made.value)}")
    fixed = tuple(
        Target(t.layer, t.units, t.readers, t.weights, tuple(constants[Unit(t.layer + 1, k)] for k in t.readers))
        for t in targets
    )
    return Question(exact, units, low, high, fixed, value is None)
