"""Lower bounds for global minima: units that may combine the rays of a whole set of cells, by nonnegative least squares.

A node of the search gives each unit a sign and a set of cells; for a set of one cell the relaxation is a net.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import lcm

import numpy as np
from absence.checker import nonnegative
from absence.checker.constructive import dot
from absence.checker.dichotomies import Dichotomies
from absence.models.data import Dataset
from absence.models.rational import Vector

__all__ = ["Node", "Relaxation", "Values"]

# (signs of the output weights, cells as a bit mask, how many units): units with the same entry are interchangeable.
Node = tuple[tuple[tuple[int, ...], int, int], ...]
# Of one entry, for each output: (position of a ray, coefficient).
Share = Sequence[Sequence[tuple[int, Fraction | float]]]
# For each output, the coefficients of columns.
Values = Sequence[Mapping[int, Fraction | float]]


class Relaxation:
    """Errors are sums over the data above the noise floor.

    Column 2 k is what ray k sends to an output with weight 1, column 2 k + 1 with weight -1. The constants are eliminated:
    columns and targets are taken less their means, and cleared of denominators. A node's outputs are independent of each
    other: that their coefficients belong to one unit is given up. With one output nothing is.
    """

    def __init__(self, data: Dataset, found: Dichotomies):
        self.found = found
        self.inputs = [group.input for group in data.groups]
        self.nu = [group.multiplicity for group in data.groups]
        self.targets = list(zip(*(group.mean_target for group in data.groups), strict=True))
        self.features = [[max(x, 0) for x in row] for row in found.heights]
        self.columns = [[sign * x for x in row] for row in self.features for sign in (1, -1)]
        self.all_cells = (1 << len(found.cells)) - 1
        self.rays_of = [sum(1 << ray for ray in cell.rays) for cell in found.cells]
        self.positive = [
            sum(1 << c for c, cell in enumerate(found.cells) if cell.signs[g] > 0) for g in range(len(self.nu))
        ]
        self.denominator = lcm(*(y.denominator for row in self.targets for y in row))
        table = [self._centred(row) for row in self.columns]
        targets = [self._centred([int(y * self.denominator) for y in row]) for row in self.targets]
        self.gram = [[self.inner(a, b) for b in table] for a in table]
        self.right = [[self.inner(a, target) for a in table] for target in targets]
        self.square = sum(self.inner(target, target) for target in targets)
        self.lengths = np.sqrt(np.array([max(row[k], 1) for k, row in enumerate(self.gram)], dtype=float))
        self.float_gram = np.array(self.gram, dtype=float) / np.outer(self.lengths, self.lengths)
        self.float_right = np.array(self.right, dtype=float) / self.lengths / max(self.square, 1) ** 0.5
        self._rays: dict[int, int] = {}
        self._guesses: dict[tuple[int, tuple[int, ...]], tuple[float, dict[int, float]]] = {}

    def _centred(self, row: list[int]) -> list[int]:
        return [sum(self.nu) * x - self.inner(row, [1] * len(row)) for x in row]

    def inner(self, a: Sequence, b: Sequence):
        """Over the data, of functions of the input."""
        return sum(n * x * y for n, x, y in zip(self.nu, a, b, strict=True))

    def _rays_in(self, cells: int) -> int:
        if cells not in self._rays:
            rays, rest = 0, cells
            while rest:
                low = rest & -rest
                rays, rest = rays | self.rays_of[low.bit_length() - 1], rest ^ low
            self._rays[cells] = rays
        return self._rays[cells]

    def _may_use(self, node: Node, output: int) -> tuple[int, ...]:
        rays = {1: 0, -1: 0}
        for signs, cells, _ in node:
            rays[signs[output]] |= self._rays_in(cells)
        return tuple(k for k in range(len(self.columns)) if rays[-1 if k % 2 else 1] >> k // 2 & 1)

    def _guessed(self, node: Node, output: int) -> tuple[float, dict[int, float]]:
        columns = self._may_use(node, output)
        if (output, columns) not in self._guesses:
            right = self.float_right[output]
            values = nonnegative.guess(self.float_gram, right, np.array(columns, dtype=int))
            self._guesses[output, columns] = sum(v * float(right[k]) for k, v in values.items()), values
        return self._guesses[output, columns]

    @property
    def outputs(self) -> range:
        """0 to m - 1."""
        return range(len(self.targets))

    def bound(self, node: Node) -> float:
        """In floats, the least error of the relaxation as a share of the targets' square about their mean."""
        return 1 - sum(self._guessed(node, output)[0] for output in self.outputs)

    def share_of_square(self, error: Fraction) -> float:
        """An error as `bound` measures it."""
        return float(error * (sum(self.nu) * self.denominator) ** 2 / self.square) if self.square else 1.0

    def guess(self, node: Node) -> list[dict[int, float]]:
        """In floats, the coefficients of the columns for each output, up to one factor."""
        return [
            {k: v / float(self.lengths[k]) for k, v in self._guessed(node, output)[1].items()}
            for output in self.outputs
        ]

    def exact(self, node: Node) -> tuple[Fraction, list[dict[int, Fraction]]]:
        """The least error of the relaxation, and the coefficients of the columns for each output."""
        explained, found = Fraction(0), []
        for output, right in enumerate(self.right):
            start = sorted(self._guessed(node, output)[1])
            values = nonnegative.solve(self.gram, right, self._may_use(node, output), start)
            explained += sum((v * right[k] for k, v in values.items()), Fraction(0))
            found.append({k: v / self.denominator for k, v in values.items()})
        return (self.square - explained) / (sum(self.nu) * self.denominator) ** 2, found

    def shares(self, node: Node, values: Values) -> list[Share]:
        """Each coefficient given to the first entry of the node that has its ray and sign."""
        rest, shares = [dict(row) for row in values], []
        for signs, cells, _ in node:
            rays, share = self._rays_in(cells), []
            for sign, row in zip(signs, rest, strict=True):
                mine = [k for k in row if (k % 2 == 0) == (sign > 0) and rays >> k // 2 & 1]
                share.append([(k // 2, row.pop(k)) for k in mine])
            shares.append(share)
        return shares

    def worst(self, shares: Sequence[Share]) -> tuple[int, int] | None:
        """(entry, input) where rays of one share are on different sides and matter most; None if each share is in a cell."""
        found, most = None, 0
        for at, share in enumerate(shares):
            for g, nu in enumerate(self.nu):
                terms = [value * self.found.heights[ray][g] for row in share for ray, value in row]
                mixed = nu * min(sum(t for t in terms if t > 0), -sum(t for t in terms if t < 0))
                if mixed > most:
                    found, most = (at, g), mixed
        return found

    def rounded(self, node: Node) -> Node:
        """One cell for each unit, which holds as much of the entry's share as it can."""
        cells = []
        for (signs, among, units), share in zip(node, self.shares(node, self.guess(node)), strict=True):
            rest = [(ray, value * float(self.lengths[2 * ray])) for row in share for ray, value in row]
            for _ in range(units):
                options = [c for c in range(len(self.rays_of)) if among >> c & 1]
                best = max(options, key=lambda c: sum(v for ray, v in rest if self.rays_of[c] >> ray & 1))
                rest = [(ray, v) for ray, v in rest if not self.rays_of[best] >> ray & 1]
                cells.append((signs, 1 << best, 1))
        return tuple(cells)

    def holding(self, share: Share) -> list[int]:
        """The cells that have all rays of the share, each as a bit mask."""
        rays = sum(1 << ray for ray in {ray for row in share for ray, _ in row})
        return [1 << c for c, has in enumerate(self.rays_of) if not rays & ~has]

    def rays(self, cells: int) -> list[int]:
        """The rays of a set of cells."""
        rays = self._rays_in(cells)
        return [k for k in range(len(self.found.rays)) if rays >> k & 1]

    def active(self, v: Vector) -> list[Fraction]:
        """What the unit with weights v sends, at each distinct input."""
        return [max(dot(v, (*u, Fraction(1))), Fraction(0)) for u in self.inputs]

    def weights(self, share: Share) -> list[Vector]:
        """For each output, the weights (w, b) of a unit that sends what the share does."""
        size = len(self.found.rays[0])
        return [
            tuple(sum((value * self.found.rays[ray][k] for ray, value in row), Fraction(0)) for k in range(size))
            for row in share
        ]

    def constants(self, values: Values) -> list[Fraction]:
        """The best c."""
        return [
            self.inner([1] * len(self.nu), [y - f for y, f in zip(targets, self._sent(row), strict=True)])
            / Fraction(sum(self.nu))
            for targets, row in zip(self.targets, values, strict=True)
        ]

    def _sent(self, values: Mapping) -> list[Fraction]:
        return [sum((v * self.columns[k][g] for k, v in values.items()), Fraction(0)) for g in range(len(self.nu))]

    def residual(self, values: Values) -> tuple[Vector, ...]:
        """Mean target less output at each distinct input, for each output; shape (m, G)."""
        return tuple(
            tuple(y - c - f for y, f in zip(targets, self._sent(row), strict=True))
            for targets, c, row in zip(self.targets, self.constants(values), values, strict=True)
        )

    def uncorrelated(self, residual: Sequence[Vector]) -> dict[tuple[int, ...], int]:
        """By signs of the output weights, the cells with no ray that correlates positively with the residual."""
        bad = []
        for row in residual:
            scale = lcm(*(x.denominator for x in row))
            cleared = [int(x * scale) for x in row]
            slopes = [self.inner(cleared, feature) for feature in self.features]
            bad.append({sign: sum(1 << k for k, slope in enumerate(slopes) if sign * slope > 0) for sign in (1, -1)})
        found = {}
        for signs in product((1, -1), repeat=len(residual)):
            rays = 0
            for sign, row in zip(signs, bad, strict=True):
                rays |= row[sign]
            found[signs] = sum(1 << c for c, has in enumerate(self.rays_of) if not has & rays)
        return found
