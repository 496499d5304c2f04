"""Arrays of numbers known to within a bound, and arithmetic on them that rounds outwards."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from proof_of_absence.checker.numbers.rounding import TINY, U64, UP, gamma

__all__ = ["Interval"]

# More than the few operations of one step here lose if they underflow.
LOST = 16 * TINY


@dataclass(frozen=True, eq=False)
class Interval:
    """Numbers x with |x - value| <= error, entry by entry; a NaN or infinite entry says nothing."""

    value: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, values: ArrayLike) -> "Interval":
        """Floats that are themselves meant."""
        exact = np.asarray(values, dtype=np.float64)
        return cls(exact, np.zeros_like(exact))

    def __getitem__(self, key: Any) -> "Interval":
        return Interval(self.value[key], self.error[key])

    def __add__(self, other: "Interval") -> "Interval":
        value = self.value + other.value
        return Interval(value, (self.error + other.error + U64 * np.abs(value) + LOST) * UP)

    def __sub__(self, other: "Interval") -> "Interval":
        return self + Interval(-other.value, other.error)

    def __mul__(self, other: "Interval") -> "Interval":
        value = self.value * other.value
        spread = np.abs(self.value) * other.error + (np.abs(other.value) + other.error) * self.error
        return Interval(value, (spread + U64 * np.abs(value) + LOST) * UP)

    def __truediv__(self, other: "Interval") -> "Interval":
        """Only by what is certainly positive: elsewhere the error is infinite or NaN."""
        value = self.value / other.value
        least = other.value - other.error
        least = np.where(least > 0, least * (1 - 2.0**-40), np.nan)
        spread = (self.error + (np.abs(value) + LOST) * other.error) / least
        return Interval(value, (spread + 2 * U64 * np.abs(value) + LOST) * UP)

    def __matmul__(self, matrix: np.ndarray) -> "Interval":
        """The product with a matrix of floats that are themselves meant, summed in whatever order, fused or not."""
        with np.errstate(over="ignore", invalid="ignore"):
            value, sizes, fan_in = self.value @ matrix, np.abs(matrix), len(matrix)
            spread = self.error @ sizes + gamma(fan_in + 1) * (np.abs(self.value) @ sizes)
            return Interval(value, (spread + 4 * (fan_in + 1) * TINY) * UP)

    @property
    def low(self) -> np.ndarray:
        """The lower ends; minus infinity where nothing is known."""
        low = self.value - self.error
        return np.where(np.isfinite(low), low, -np.inf)

    def sum(self, axis: int) -> "Interval":
        """The sum along an axis, in whatever order."""
        steps = gamma(self.value.shape[axis] + 1)
        error = self.error.sum(axis=axis) + steps * np.abs(self.value).sum(axis=axis)
        return Interval(self.value.sum(axis=axis), (error + LOST) * UP)

    def where(self, condition: np.ndarray, other: "Interval") -> "Interval":
        """These where the condition holds, the others elsewhere."""
        return Interval(np.where(condition, self.value, other.value), np.where(condition, self.error, other.error))
