"""Arrays of numbers known to within a bound, and arithmetic on them that rounds outwards."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Interval", "gamma"]

U = 2.0**-53
UP = 1 + 2.0**-30
# More than a few operations lose that underflow, flushed to 0 or not.
TINY = 2.0**-1018


def gamma(steps: int) -> float:
    """Higham's n u / (1 - n u), at least."""
    return steps * U / (1 - steps * U) * UP


@dataclass(frozen=True, eq=False)
class Interval:
    """Numbers x with |x - value| <= error, entry by entry; a NaN or infinite entry says nothing."""

    value: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, value) -> "Interval":
        """Floats that are themselves meant."""
        value = np.asarray(value, dtype=np.float64)
        return cls(value, np.zeros_like(value))

    def __getitem__(self, key) -> "Interval":
        return Interval(self.value[key], self.error[key])

    def __add__(self, other: "Interval") -> "Interval":
        value = self.value + other.value
        return Interval(value, (self.error + other.error + U * np.abs(value) + TINY) * UP)

    def __sub__(self, other: "Interval") -> "Interval":
        return self + Interval(-other.value, other.error)

    def __mul__(self, other: "Interval") -> "Interval":
        value = self.value * other.value
        spread = np.abs(self.value) * other.error + (np.abs(other.value) + other.error) * self.error
        return Interval(value, (spread + U * np.abs(value) + TINY) * UP)

    def __truediv__(self, other: "Interval") -> "Interval":
        """Only by what is certainly positive: elsewhere the error is infinite or NaN."""
        value = self.value / other.value
        least = other.value - other.error
        least = np.where(least > 0, least * (1 - 2.0**-40), np.nan)
        spread = (self.error + (np.abs(value) + TINY) * other.error) / least
        return Interval(value, (spread + 2 * U * np.abs(value) + TINY) * UP)

    @property
    def low(self) -> np.ndarray:
        """The lower ends; minus infinity where nothing is known."""
        low = self.value - self.error
        return np.where(np.isfinite(low), low, -np.inf)

    def sum(self, axis: int) -> "Interval":
        """The sum along an axis, in whatever order."""
        steps = gamma(self.value.shape[axis] + 1)
        error = self.error.sum(axis=axis) + steps * np.abs(self.value).sum(axis=axis)
        return Interval(self.value.sum(axis=axis), (error + TINY) * UP)

    def where(self, condition: np.ndarray, other: "Interval") -> "Interval":
        """These where the condition holds, the others elsewhere."""
        return Interval(np.where(condition, self.value, other.value), np.where(condition, self.error, other.error))
