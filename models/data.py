"""Datasets, squared loss, residuals and the noise floor (docs/DESIGN.md, section 2), exactly.

Inputs that coincide form a group; no function fits two answers to one input, and the noise floor is what that costs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Matrix, Numbers, Vector, matrix

__all__ = ["Dataset", "Group"]


@dataclass(frozen=True)
class Group:
    """One distinct input u_g, the rows that hold it, and their mean target."""

    input: Vector
    rows: tuple[int, ...]
    mean_target: Vector

    @property
    def multiplicity(self) -> int:
        """nu_g, how many rows hold the input."""
        return len(self.rows)


@dataclass(frozen=True)
class Dataset:
    """N pairs of an input in Q^d and a target in Q^m.

    Raises
    ------
    ValueError
        If there is no pair, the two counts differ, or the rows are ragged.

    Examples
    --------
    >>> data = Dataset([[0], [0], [1]], [[0], [2], [5]])
    >>> data.noise_floor
    Fraction(2, 3)
    """

    inputs: Matrix
    targets: Matrix

    def __init__(self, inputs: Iterable[Numbers], targets: Iterable[Numbers]) -> None:
        object.__setattr__(self, "inputs", matrix(inputs))
        object.__setattr__(self, "targets", matrix(targets))
        if not self.inputs:
            raise ValueError("the dataset is empty")
        if len(self.inputs) != len(self.targets):
            raise ValueError(f"{len(self.inputs)} inputs but {len(self.targets)} targets")

    def __len__(self) -> int:
        return len(self.inputs)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The distinct inputs in lexicographic order."""
        rows: dict[Vector, list[int]] = {}
        for index, z in enumerate(self.inputs):
            rows.setdefault(z, []).append(index)
        return tuple(Group(z, tuple(rows[z]), self._mean_target(rows[z])) for z in sorted(rows))

    def _mean_target(self, rows: list[int]) -> Vector:
        columns = zip(*(self.targets[i] for i in rows), strict=True)
        return tuple(sum(column, start=Fraction(0)) / len(rows) for column in columns)

    @cached_property
    def noise_floor(self) -> Fraction:
        """E, the least squared loss that any function of the input can have."""
        means = {i: group.mean_target for group in self.groups for i in group.rows}
        return _mean_square(
            [y - mean for y, mean in zip(target, means[i], strict=True)] for i, target in enumerate(self.targets)
        )

    def residuals(self, net: MLP) -> Matrix:
        """y_i - f(z_i), shape (N, m)."""
        return tuple(
            tuple(y - f for y, f in zip(target, output, strict=True))
            for target, output in zip(self.targets, net.outputs(self.inputs), strict=True)
        )

    def group_residuals(self, net: MLP) -> Matrix:
        """Mean target less output at each distinct input, in the order of `groups`; shape (G, m)."""
        outputs = net.outputs([group.input for group in self.groups])
        return tuple(
            tuple(y - f for y, f in zip(group.mean_target, output, strict=True))
            for group, output in zip(self.groups, outputs, strict=True)
        )

    def loss(self, net: MLP) -> Fraction:
        """L(theta), the mean over the pairs of the squared distance |f(z_i) - y_i|^2."""
        return _mean_square(self.residuals(net))


def _mean_square(rows: Iterable[Iterable[Fraction]]) -> Fraction:
    squares = [sum((entry * entry for entry in row), start=Fraction(0)) for row in rows]
    return sum(squares, start=Fraction(0)) / len(squares)
