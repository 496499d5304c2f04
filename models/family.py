"""S_M, the class a training run chooses from: one architecture and a domain for its parameters."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP
from proof_of_absence.models.rational import Numbers, Vector, rational, vector

__all__ = ["Architecture", "Family", "Grid", "Reals"]


@dataclass(frozen=True)
class Architecture:
    """Input dimension, hidden widths, output dimension.

    Examples
    --------
    >>> Architecture((3, 5, 1)).parameter_count  # K(n) = n(d + 1 + m) + m
    26
    """

    widths: tuple[int, ...]

    def __init__(self, widths: Iterable[int]) -> None:
        object.__setattr__(self, "widths", tuple(widths))
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ValueError(f"widths {self.widths}: need an input and an output dimension, all at least 1")

    @property
    def parameter_count(self) -> int:
        """K, weights and biases together."""
        return sum((fan_in + 1) * fan_out for fan_in, fan_out in zip(self.widths, self.widths[1:], strict=False))

    def net(self, parameters: Numbers) -> MLP:
        """The net with these K parameters: layer by layer, unit by unit, weights then bias.

        Raises
        ------
        ValueError
            If there are not K of them.
        """
        values = vector(parameters)
        if len(values) != self.parameter_count:
            raise ValueError(f"{len(values)} parameters for an architecture of {self.parameter_count}")
        stream = iter(values)
        layers = []
        for fan_in, fan_out in zip(self.widths, self.widths[1:], strict=False):
            rows = [[next(stream) for _ in range(fan_in + 1)] for _ in range(fan_out)]
            layers.append(Affine([row[:-1] for row in rows], [row[-1] for row in rows]))
        return MLP(tuple(layers))

    @staticmethod
    def parameters(net: MLP) -> Vector:
        """The inverse of `net`."""
        return tuple(
            value
            for layer in net.layers
            for row, bias in zip(layer.weights, layer.bias, strict=True)
            for value in (*row, bias)
        )


@dataclass(frozen=True)
class Reals:
    """Every real number: the domain of the theorem."""

    def __contains__(self, value: Fraction) -> bool:
        return True


@dataclass(frozen=True)
class Grid:
    """Finitely many values, for a quantised class."""

    values: frozenset[Fraction]

    def __init__(self, values: Numbers) -> None:
        object.__setattr__(self, "values", frozenset(map(rational, values)))
        if not self.values:
            raise ValueError("the grid is empty")

    def __contains__(self, value: Fraction) -> bool:
        return value in self.values


@dataclass(frozen=True)
class Family:
    """S_M: the nets of `architecture` whose parameters all lie in `domain`."""

    architecture: Architecture
    domain: Reals | Grid = Reals()

    def __contains__(self, net: MLP) -> bool:
        return net.widths == self.architecture.widths and all(
            value in self.domain for value in Architecture.parameters(net)
        )

    @property
    def size(self) -> int:
        """How many parameter vectors a quantised class has.

        Raises
        ------
        TypeError
            If the domain is infinite.
        """
        if isinstance(self.domain, Reals):
            raise TypeError("a class over the reals is infinite")
        return int(len(self.domain.values) ** self.architecture.parameter_count)
