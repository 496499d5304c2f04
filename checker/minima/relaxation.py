"""Lower bounds for global minima: units that may combine the rays of a whole set of cells,
by nonnegative least squares.

A node of the search gives each unit a sign and a set of cells; for a set of one cell the relaxation is a net.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import lcm
from operator import mul

import numpy as np
from flint import fmpz_mat

from proof_of_absence.checker.minima import nonnegative
from proof_of_absence.checker.minima.dichotomies import Dichotomies
from proof_of_absence.checker.numbers.fixed_order import dot
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.rational import Vector

__all__ = ["Node", "Relaxation", "Share", "Values"]

# (sign of the output weight, cells as a bit mask, how many units): units with the same entry are interchangeable.
Node = tuple[tuple[int, int, int], ...]
# Of one entry: (position of a ray, coefficient).
Share = Sequence[tuple[int, Fraction | float]]
# The coefficients of columns.
Values = Mapping[int, Fraction | float]
_NOTHING = Fraction(0)


class Relaxation:
    """Errors are sums over the data above the noise floor.

    Column 2 k is what ray k sends to the output with weight 1, column 2 k + 1 with weight -1. The constant is
    eliminated: columns and targets are taken less their means, and cleared of denominators.

    `found` may have more points than the data, after theirs: they tell cells apart and weigh nothing.
    """

    def __init__(self, data: Dataset, found: Dichotomies):
        self.found = found
        further = len(found.heights[0]) - len(data.groups)
        self.nu = [group.multiplicity for group in data.groups] + [0] * further
        self.targets = [group.mean_target[0] for group in data.groups] + [Fraction(0)] * further
        self.features = [[max(x, 0) for x in row] for row in found.heights]
        self.columns = [[sign * x for x in row] for row in self.features for sign in (1, -1)]
        self.all_cells = (1 << len(found.cells)) - 1
        self.rays_of = [sum(1 << ray for ray in cell.rays) for cell in found.cells]
        self.positive = [
            sum(1 << c for c, cell in enumerate(found.cells) if cell.signs[g] > 0) for g in range(len(self.nu))
        ]
        self._rays: dict[int, int] = {}
        self._table = [self._centred(row) for row in self.columns]
        self.gram = self._inner_products(self._table)
        self.lengths = np.sqrt(np.array([max(row[k], 1) for k, row in enumerate(self.gram)], dtype=float))
        self.float_gram = np.array(self.gram, dtype=float) / np.outer(self.lengths, self.lengths)
        self._aim()

    def _aim(self) -> None:
        """What depends on the targets."""
        self.denominator, self.scale, target = self._cleared_target()
        self.right = [self._inner(a, target) for a in self._table]
        self.square = self._inner(target, target)
        self.float_right = np.array(self.right, dtype=float) / self.lengths / max(self.square, 1) ** 0.5
        self._guesses: dict[tuple[int, ...], tuple[float, dict[int, float]]] = {}

    def _cleared_target(self) -> tuple[int, int, list[int]]:
        """A denominator, the further factor of columns and target, and the target times both, about its mean."""
        denominator = lcm(*(y.denominator for y in self.targets))
        return denominator, sum(self.nu), self._centred([int(y * denominator) for y in self.targets])

    def _centred(self, row: list[int]) -> list[int]:
        return [sum(self.nu) * x - self._inner(row, [1] * len(row)) for x in row]

    def _inner(self, a: Sequence, b: Sequence):
        """Over the data, of functions of the input."""
        return sum(map(mul, map(mul, self.nu, a), b))

    def _inner_products(self, table: list[list[int]]) -> list[list[int]]:
        weighted = fmpz_mat([[n * x for n, x in zip(self.nu, row, strict=True)] for row in table])
        return [[int(x) for x in row] for row in (weighted * fmpz_mat(table).transpose()).tolist()]

    def _rays_in(self, cells: int) -> int:
        if cells not in self._rays:
            rays, rest = 0, cells
            while rest:
                low = rest & -rest
                rays, rest = rays | self.rays_of[low.bit_length() - 1], rest ^ low
            self._rays[cells] = rays
        return self._rays[cells]

    def _may_use(self, node: Node) -> tuple[int, ...]:
        rays = {1: 0, -1: 0}
        for sign, cells, _ in node:
            rays[sign] |= self._rays_in(cells)
        return tuple(k for k in range(len(self.columns)) if rays[-1 if k % 2 else 1] >> k // 2 & 1)

    def _guessed(self, node: Node) -> tuple[float, dict[int, float]]:
        columns = self._may_use(node)
        if columns not in self._guesses:
            values = nonnegative.guess(self.float_gram, self.float_right, np.array(columns, dtype=int))
            self._guesses[columns] = dot(values.values(), self.float_right[list(values)]), values
        return self._guesses[columns]

    def bound(self, node: Node) -> float:
        """In floats, the least error of the relaxation as a share of the square of the centred targets."""
        return 1 - self._guessed(node)[0]

    def guess(self, node: Node) -> dict[int, float]:
        """In floats, the coefficients of the columns, up to one factor."""
        return {k: v / float(self.lengths[k]) for k, v in self._guessed(node)[1].items()}

    def exact(self, node: Node) -> tuple[Fraction, dict[int, Fraction]]:
        """The least error of the relaxation, and the coefficients of the columns."""
        start = sorted(self._guessed(node)[1])
        values = nonnegative.solve(self.gram, self.right, self._may_use(node), start)
        explained = sum((v * self.right[k] for k, v in values.items()), Fraction(0))
        error = (self.square - explained) / (self.scale * self.denominator) ** 2
        return error, {k: v / self.denominator for k, v in values.items()}

    def shares(self, node: Node, values: Values) -> list[Share]:
        """Each coefficient given to the first entry of the node that has its ray and sign."""
        rest, shares = dict(values), []
        for sign, cells, _ in node:
            rays = self._rays_in(cells)
            mine = [k for k in rest if (k % 2 == 0) == (sign > 0) and rays >> k // 2 & 1]
            shares.append([(k // 2, rest.pop(k)) for k in mine])
        return shares

    def worst(self, shares: Sequence[Share]) -> tuple[int, int] | None:
        """(entry, input) where rays of one share are on different sides and matter most.

        None if each share is in a cell.
        """
        found, most = None, 0
        for at, share in enumerate(shares):
            for g, nu in enumerate(self.nu):
                terms = [value * self.found.heights[ray][g] for ray, value in share]
                mixed = max(nu, 1) * min(sum(t for t in terms if t > 0), -sum(t for t in terms if t < 0))
                if mixed > most:
                    found, most = (at, g), mixed
        return found

    def rounded(self, node: Node) -> Node:
        """One cell for each unit, which holds as much of the entry's share as it can."""
        cells = []
        for (sign, among, units), share in zip(node, self.shares(node, self.guess(node)), strict=True):
            rest = [(ray, value * float(self.lengths[2 * ray])) for ray, value in share]
            for _ in range(units):
                options = [c for c in range(len(self.rays_of)) if among >> c & 1]
                best = max(options, key=lambda c: sum(v for ray, v in rest if self.rays_of[c] >> ray & 1))
                rest = [(ray, v) for ray, v in rest if not self.rays_of[best] >> ray & 1]
                cells.append((sign, 1 << best, 1))
        return tuple(cells)

    def holding(self, share: Share) -> list[int]:
        """The cells that have all rays of the share, each as a bit mask."""
        rays = sum(1 << ray for ray, _ in share)
        return [1 << c for c, has in enumerate(self.rays_of) if not rays & ~has]

    def weights(self, share: Share) -> Vector:
        """The weights (w, b) of a unit that sends what the share does."""
        size = len(self.found.rays[0])
        return tuple(sum((value * self.found.rays[ray][k] for ray, value in share), Fraction(0)) for k in range(size))

    def sent(self, values: Values, g: int) -> Fraction:
        """What the columns send together at a point."""
        return sum((v * self.columns[k][g] for k, v in values.items()), Fraction(0))

    def _left(self, values: Values) -> list[Fraction]:
        """Mean target less what the columns send, at each distinct input."""
        return [y - self.sent(values, g) for g, y in enumerate(self.targets)]

    def constant(self, values: Values) -> Fraction:
        """The best c."""
        return self._inner([1] * len(self.nu), self._left(values)) / Fraction(sum(self.nu))

    def residual(self, values: Values) -> Vector:
        """Mean target less output at each distinct input, shape (G,)."""
        c = self.constant(values)
        return tuple(y - c for y in self._left(values))

    def uncorrelated(self, residual: Vector, at: int = 0, weight: Fraction = _NOTHING) -> dict[int, int]:
        """By sign of the output weight, the cells with no ray that correlates positively with the residual.

        With a weight, the correlation has that multiple of the ray at one more point.
        """
        scale = lcm(*(x.denominator for x in (*residual, weight)))
        cleared, there = [int(x * scale) for x in residual], int(weight * scale)
        slopes = [self._inner(cleared, feature) + there * feature[at] for feature in self.features]
        found = {}
        for sign in (1, -1):
            rays = sum(1 << k for k, slope in enumerate(slopes) if sign * slope > 0)
            found[sign] = sum(1 << c for c, has in enumerate(self.rays_of) if not has & rays)
        return found
