"""Make a net smaller: delete units that send nothing or are off on a box, merge units that are active all over it.

On the box the outputs stay the same over the reals. What no float of the net's type holds is left, and named.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from flint import fmpz_mat

from proof_of_absence.checker.audit.stable import Stability, stability
from proof_of_absence.checker.region.bounds import OFF, ON
from proof_of_absence.checker.region.boxes import Region
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.dyadic import integers
from proof_of_absence.models.editing import Edits, edited
from proof_of_absence.models.files.chain import exact_array
from proof_of_absence.models.files.disk import refused
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import FloatAffine, nonzero
from proof_of_absence.models.shrinking import then, with_units

__all__ = ["Compressed", "Removal", "compress_net"]


How = Literal["off", "empty", "merged"]


@dataclass(frozen=True)
class Removal:
    """A unit that is gone, and why the outputs do not change.

    It is never active on the region (``off``), or sends nothing (``empty``), or is active all over the region, and its
    value there is `shift` plus the sum of factor times unit over `terms` (``merged``).
    """

    unit: Unit
    how: How
    terms: tuple[tuple[Unit, Fraction], ...] = ()
    shift: Fraction = Fraction(0)


@dataclass(frozen=True, eq=False)
class Compressed:
    """A smaller net with the same outputs: on the region if there is one, else at every input.

    `removed` are in the order in which they went. `left` are active all over the region and could be merged, but some
    new weight is no float of the net's type. `stability` is what is known of the units on the region, with its proofs.
    `edits` make the smaller net of the file of the one before, where that lists several operators for a layer.
    """

    before: FloatNet
    net: FloatNet
    region: Region | None
    removed: tuple[Removal, ...]
    left: tuple[Unit, ...]
    stability: Stability
    edits: Edits | None = None

    @property
    def stable(self) -> int:
        """How many units are known to be active all over the region, or never."""
        return sum(int(np.count_nonzero(of_layer)) for of_layer in self.stability.status)


def compress_net(net: FloatNet, region: Region | None = None, *, seconds: float = 0) -> Compressed:
    """Delete and merge units, from the last hidden layer down to the first; each layer keeps one unit at least.

    Where the file lists several operators for a layer, units are deleted and none is merged.

    Parameters
    ----------
    region
        A closed box of inputs. Without it only units that send nothing are deleted, and the outputs stay the same
        everywhere.
    seconds
        For the search of stable units that bounds leave open.

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
    if net.steps is not None:
        # Of rationals bounds alone are asked.
        return _in_file(net, region, stability(net, region, seconds=seconds if net.in_floats else 0))
    if not net.in_floats:
        raise refused("the net", "has rational entries, and no file says by which operators; no smaller net is written")
    stable = stability(net, region, seconds=seconds)
    work = _Work(net, stable.status)
    for layer in range(len(net.layers) - 1, 0, -1):
        work.shrink(layer)
    return Compressed(net, work.net(), region, tuple(work.removed), tuple(work.left), stable)


def _in_file(net: FloatNet, region: Region | None, stable: Stability) -> Compressed:
    """The same where the file lists several operators for a layer: units are deleted, and none is merged.

    What stands between a unit and the matrix that reads it may make something of 0: that goes into the biases behind,
    or the unit stays.
    """
    assert net.steps is not None
    whole, removed = net, list[Removal]()
    kept = [list(range(width)) for width in net.widths[1:-1]]
    for layer in range(len(kept), 0, -1):
        here, readers = kept[layer - 1], kept[layer] if layer < len(kept) else range(net.widths[-1])
        read: np.ndarray = np.asarray(nonzero(whole.layers[layer])[list(readers)].any(axis=0))
        gone: list[Removal] = []
        for j in here:
            off = stable.status[layer - 1][j] == OFF
            if (off or not read[j]) and len(gone) + 1 < len(here):
                gone.append(Removal(Unit(layer, j), "off" if read[j] else "empty"))
        whole, gone = _unread(whole, layer, gone)
        removed += gone
        kept[layer - 1] = [j for j in here if j not in {removal.unit.index for removal in gone}]
    assert whole.steps is not None
    try:
        smaller, cuts = with_units(whole.steps, kept)
        first = edited(net.steps, whole.steps)
        assert first is not None
        return Compressed(
            net, FloatNet.of_steps(smaller, net.reading), region, tuple(removed), (), stable, then(first, cuts)
        )
    except ValueError as error:
        raise refused("the net", f"cannot be made smaller in its file: {error}; write the maps as one layer") from error


def _unread(net: FloatNet, layer: int, gone: list[Removal]) -> tuple[FloatNet, list[Removal]]:
    """The net in which the next layer reads nothing of the units, and those of them for which there is such a net."""
    assert net.steps is not None
    found = net.steps[layer].without(_indices(gone), [Fraction(0)] * len(gone), nearest=False) if gone else None
    if found is not None:
        return net.with_steps(layer, found[0]), gone
    done: list[Removal] = []
    for removal in gone:
        assert net.steps is not None
        found = net.steps[layer].without(_indices([removal]), [Fraction(0)], nearest=False)
        if found is not None:
            net = net.with_steps(layer, found[0])
            done.append(removal)
    return net, done


def _indices(removals: list[Removal]) -> list[int]:
    return [removal.unit.index for removal in removals]


class _Work:
    """The net while units leave it: weights and biases at their full shapes, and which units are still there."""

    def __init__(self, net: FloatNet, status: list[np.ndarray]):
        self.dtype, self.status = net.dtype, status
        self.layers = [FloatAffine(layer.weights.copy(), layer.bias.copy()) for layer in net.float_layers]
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
        for j, terms in self._dependent(layer):
            self._merge(layer, j, terms)
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

    def _dependent(self, layer: int) -> list[tuple[int, dict[int, Fraction]]]:
        """Active units whose weights are a combination of those of active units before them, with the factors."""
        active = [j for j in self.kept[layer - 1] if self.status[layer - 1][j] == ON]
        if not active:
            return []
        columns = self.kept[layer - 2] if layer > 1 else list(range(self.layers[0].fan_in))
        # A column a unit, so that the reduced echelon form holds the factors.
        numbers, _ = integers(self.layers[layer - 1].weights[np.ix_(active, columns)].T)
        reduced, denominator, rank = fmpz_mat(numbers.tolist()).rref()
        rows = [[int(reduced[i, at]) for at in range(len(active))] for i in range(rank)]
        leading = [next(at for at, entry in enumerate(row) if entry) for row in rows]
        return [
            (
                active[at],
                {active[lead]: Fraction(row[at], int(denominator)) for lead, row in zip(leading, rows, strict=True)
                 if row[at]},
            )
            for at in range(len(active)) if at not in leading
        ]  # fmt: skip

    def _merge(self, layer: int, j: int, terms: dict[int, Fraction]) -> None:
        """Hand what the unit sends over to the others and to the biases, if floats of the type hold it."""
        if len(self.kept[layer - 1]) == 1:
            return
        own, above = self.layers[layer - 1].bias, self.layers[layer]
        shift = Fraction(own[j]) - sum(factor * Fraction(own[i]) for i, factor in terms.items())
        weights, bias = above.weights.copy(), above.bias.copy()
        for k in self._readers(layer):
            weight = Fraction(weights[k, j])
            wanted = [Fraction(bias[k]) + weight * shift]
            wanted += [Fraction(weights[k, i]) + weight * factor for i, factor in terms.items()]
            found = exact_array(wanted, (len(wanted),), self.dtype)
            if found is None:
                self.left.append(Unit(layer, j))
                return
            bias[k], weights[k, list(terms)] = found[0], found[1:]
        self.layers[layer] = FloatAffine(weights, bias)
        told = tuple((Unit(layer, i), factor) for i, factor in terms.items())
        self._remove(Removal(Unit(layer, j), "merged", told, shift))

    def net(self) -> FloatNet:
        """The net of the units that are still there."""
        layers = []
        for number, layer in enumerate(self.layers, 1):
            rows = self.kept[number - 1] if number <= len(self.kept) else list(range(layer.fan_out))
            columns = self.kept[number - 2] if number > 1 else list(range(layer.fan_in))
            layers.append(FloatAffine(layer.weights[np.ix_(rows, columns)], layer.bias[rows]))
        return FloatNet(layers, self.dtype)
