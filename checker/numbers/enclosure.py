"""A real number between two rationals."""

from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Enclosure"]


@dataclass(frozen=True)
class Enclosure:
    """A real number known to lie in [low, high]; exact where the two are equal."""

    low: Fraction
    high: Fraction

    @property
    def is_exact(self) -> bool:
        """Whether the number itself is known."""
        return self.low == self.high
