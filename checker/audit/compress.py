"""Make a net smaller: delete units that send nothing or are off on a box, merge units that are active all over it.

On the box the outputs stay the same over the reals. What no float of the net's type holds is left, and named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from proof_of_absence.checker.audit.engine import Region
from proof_of_absence.checker.region.bounds import OFF, ON
from proof_of_absence.checker.region.part import Part
from proof_of_absence.checker.region.question import question
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine

__all__ = ["Compressed", "Removal", "compress_net"]


How = Literal["off", "empty", "merged"]


@dataclass(frozen=True)
class Removal:
    """A unit that is gone, and why the outputs do not change.

    It is never active on the region (``off``), or sends nothing (``empty``), or is active all over the region, and its
    value there is `factor` times that of unit `into`, plus `shift` (``merged``; without `into` it is the constant
    `shift`).
    """

    unit: Unit
    how: How
    into: Unit | None = None
    factor: Fraction = Fraction(0)
    shift: Fraction = Fraction(0)


@dataclass(frozen=True, eq=False)
class Compressed:
    """A smaller net with the same outputs: on the region if there is one, else at every input.

    `removed` are in the order in which they went. `left` are active all over the region and could be merged, but some
    new weight is no float of the net's type. `stable` counts the units that are active all over the region or never, as
    far as the bounds show it; `bounds` are the lines that prove it, for the checker.
    """

    before: FloatNet
    net: FloatNet
    region: Region | None
    removed: tuple[Removal, ...]
    left: tuple[Unit, ...]
    stable: int
    bounds: tuple[list[int | str | None], ...]


def compress_net(net: FloatNet, region: Region | None = None) -> Compressed:
    """Delete and merge units, from the last hidden layer down to the first; each layer keeps one unit at least.

    Parameters
    ----------
    region
        A closed box of inputs. Without it only units that send nothing are deleted, and the outputs stay the same
        everywhere.

    Raises
    ------
    InputError
        If the region does not fit the net.

    Examples
    --------
    >>> net = FloatNet([([[1.0], [-1.0], [2.0], [1.0]], [1.0, -1.0, 2.0, 0.0]), ([[1.0, 5.0, 3.0, 0.0]], [0.0])])
    >>> found = compress_net(net, Region("unit interval", ((Fraction(0), Fraction(1)),)))
    >>> [(removal.unit.index, removal.how) for removal in found.removed], found.net.layers[1].weights.tolist()
    ([(3, 'empty'), (1, 'off'), (2, 'merged')], [[7.0]])
    """
    if region is not None and len(region.bounds) != net.widths[0]:
        raise refused(region.name, f"is a box of {len(region.bounds)} inputs, the net reads {net.widths[0]}")
    status, lines = _statuses(net, region)
    work = _Work(net, status)
    for layer in range(len(net.layers) - 1, 0, -1):
        work.shrink(layer)
    stable = sum(int(np.count_nonzero(of_layer)) for of_layer in status)
    return Compressed(net, work.net(), region, tuple(work.removed), tuple(work.left), stable, tuple(lines))


def _statuses(net: FloatNet, region: Region | None) -> tuple[list[np.ndarray], list[list[int | str | None]]]:
    """ON, OFF or unknown for each unit of each hidden layer, and the lines that prove it."""
    hidden = net.widths[1:-1]
    if region is None or not hidden:
        return [np.zeros(width, dtype=np.int8) for width in hidden], []
    low, high = zip(*region.bounds, strict=True)
    # Bounds are about the layers up to that of a circuit; which one it is plays no part.
    last = {(len(hidden), j) for j in range(hidden[-1])}
    part = Part.root(question(net, last, low, high, {Unit(len(net.layers), k): 0 for k in range(net.widths[-1])}))
    part.bounds.tighten()
    part.state()
    return [part.bounds.status(m) for m in range(len(hidden))], part.tree.get("bounds", [])


class _Work:
    """The net while units leave it: weights and biases at their full shapes, and which units are still there."""

    def __init__(self, net: FloatNet, status: list[np.ndarray]):
        self.dtype, self.status = net.dtype, status
        self.layers = [FloatAffine(layer.weights.copy(), layer.bias.copy()) for layer in net.layers]
        self.kept = [list(range(width)) for width in net.widths[1:-1]]
        self.removed: list[Removal] = []
        self.left: list[Unit] = []

    def shrink(self, layer: int) -> None:
        """Take units out of one hidden layer; what reads from them is settled already."""
        here, status = self.kept[layer - 1], self.status[layer - 1]
        for j in [j for j in here if not self._is_read(layer, j)]:
            self._remove(Removal(Unit(layer, j), "empty"))
        for j in [j for j in here if status[j] == OFF]:
            self._remove(Removal(Unit(layer, j), "off"))
        for j, into, factor in list(self._alike(layer)):
            self._merge(layer, j, into, factor)
        # A merge may have made a weight 0.
        for j in [j for j in here if not self._is_read(layer, j)]:
            self._remove(Removal(Unit(layer, j), "empty"))

    def _readers(self, layer: int) -> list[int]:
        return self.kept[layer] if layer < len(self.kept) else list(range(self.layers[-1].fan_out))

    def _is_read(self, layer: int, j: int) -> bool:
        """Whether a unit that is still there weighs this one."""
        return bool(self.layers[layer].weights[self._readers(layer), j].any())

    def _remove(self, removal: Removal) -> None:
        """Take the unit out, if it is not the last of its layer."""
        layer, j = removal.unit
        if len(self.kept[layer - 1]) > 1:
            self.kept[layer - 1].remove(j)
            self.removed.append(removal)

    def _alike(self, layer: int) -> Iterator[tuple[int, int | None, Fraction]]:
        """Active units that are constant, or a multiple of one before them but for a constant, with the factor."""
        below = self.layers[layer - 1].weights
        columns = self.kept[layer - 2] if layer > 1 else list(range(below.shape[1]))
        first: dict[tuple[Fraction, ...], tuple[int, Fraction]] = {}
        for j in [j for j in self.kept[layer - 1] if self.status[layer - 1][j] == ON]:
            row = [Fraction(w) for w in below[j, columns].tolist()]
            leading = next(filter(None, row), None)
            if leading is None:
                yield j, None, Fraction(0)
                continue
            other, its = first.setdefault(tuple(w / leading for w in row), (j, leading))
            if other != j:
                yield j, other, leading / its

    def _merge(self, layer: int, j: int, into: int | None, factor: Fraction) -> None:
        """Hand what the unit sends over to the other one and to the biases, if floats of the type hold it."""
        own = self.layers[layer - 1].bias
        shift = Fraction(own[j]) - (factor * Fraction(own[into]) if into is not None else 0)
        above = self.layers[layer]
        new: list[tuple[int, float, float]] = []
        for k in self._readers(layer):
            weight = Fraction(above.weights[k, j])
            taken = Fraction(above.weights[k, into]) + factor * weight if into is not None else Fraction(0)
            pair = (self._float(taken), self._float(Fraction(above.bias[k]) + weight * shift))
            if pair[0] is None or pair[1] is None:
                self.left.append(Unit(layer, j))
                return
            new.append((k, pair[0], pair[1]))
        for k, weight_, bias in new if len(self.kept[layer - 1]) > 1 else []:
            if into is not None:
                above.weights[k, into] = weight_
            above.bias[k] = bias
        target = Unit(layer, into) if into is not None else None
        self._remove(Removal(Unit(layer, j), "merged", target, factor, shift))

    def _float(self, value: Fraction) -> float | None:
        """The value as a float of the net's type, if it is one."""
        try:
            with np.errstate(over="ignore"):
                near = float(self.dtype.type(float(value)))
        except OverflowError:
            return None
        return near if np.isfinite(near) and Fraction(near) == value else None

    def net(self) -> FloatNet:
        """The net of the units that are still there."""
        layers = []
        for number, layer in enumerate(self.layers, 1):
            rows = self.kept[number - 1] if number <= len(self.kept) else list(range(layer.fan_out))
            columns = self.kept[number - 2] if number > 1 else list(range(layer.fan_in))
            layers.append(FloatAffine(layer.weights[np.ix_(rows, columns)], layer.bias[rows]))
        return FloatNet(layers, self.dtype)
