"""Numbers that a graph can be evaluated in exactly: rationals, balls of arb that hold them, and sums of square roots.

Products of matrices are those of python-flint.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

from proof_of_absence.checker.numbers.balls import ball
from proof_of_absence.checker.numbers.deadline import look, looking
from proof_of_absence.checker.numbers.roots import Roots, RootSum
from proof_of_absence.models.rational import root

__all__ = ["DIFFERS", "OPEN", "SAME", "Arithmetic", "Balls", "Rationals", "RootSums", "each"]

# What is said of two numbers.
SAME, DIFFERS, OPEN = 0, 1, 2
# Products in one product of matrices.
PRODUCTS = 2**24


class Arithmetic(Protocol):
    """Numbers of one kind, in arrays of dtype object; `+`, `-` and `*` are theirs. `bits` are those of arb's balls."""

    bits: int

    def of(self, number: Fraction) -> Any:
        """A rational number."""

    def of_float(self, number: float) -> Any:
        """The rational number that a finite float is."""

    def root(self, number: Fraction) -> Any:
        """The square root of a positive rational."""

    def product(self, weights: np.ndarray, below: np.ndarray) -> np.ndarray:
        """``weights @ below`` for weights of float64."""

    def greater(self, one: Any, other: Any) -> Any:
        """The greater of two numbers."""

    def leaky(self, number: Any, slope: Any) -> Any:
        """The number if it is not negative, else slope times it."""

    def differs(self, one: Any, other: Any) -> int:
        """SAME, DIFFERS or OPEN."""


class Rationals:
    bits = 64

    def of(self, number: Fraction) -> fmpq:
        return fmpq(number.numerator, number.denominator)

    def of_float(self, number: float) -> fmpq:
        return fmpq(*number.as_integer_ratio())

    def root(self, number: Fraction) -> fmpq:
        found = root(number)
        if found is None:
            raise AssertionError("a root among rationals")
        return self.of(found)

    def product(self, weights: np.ndarray, below: np.ndarray) -> np.ndarray:
        out, fan_in = weights.shape
        left = fmpq_mat(out, fan_in, [self.of_float(x) for x in weights.ravel().tolist()])
        parts = (left * fmpq_mat(fan_in, some.shape[1], some.ravel().tolist()) for some in _columns(weights, below))
        return np.concatenate([_array(one) for one in parts], axis=1)

    def greater(self, one: fmpq, other: fmpq) -> fmpq:
        return one if one >= other else other

    def leaky(self, number: fmpq, slope: fmpq) -> fmpq:
        return number if number >= 0 else slope * number

    def differs(self, one: fmpq, other: fmpq) -> int:
        return SAME if one == other else DIFFERS


class Balls:
    def __init__(self, bits: int) -> None:
        self.bits = bits

    def of(self, number: Fraction) -> arb:
        return ball(number)

    def of_float(self, number: float) -> arb:
        return arb(number)

    def root(self, number: Fraction) -> arb:
        return ball(number).sqrt()

    def product(self, weights: np.ndarray, below: np.ndarray) -> np.ndarray:
        out, fan_in = weights.shape
        left = arb_mat(out, fan_in, [self.of_float(x) for x in weights.ravel().tolist()])
        parts = (left * arb_mat(fan_in, some.shape[1], some.ravel().tolist()) for some in _columns(weights, below))
        return np.concatenate([_array(one) for one in parts], axis=1)

    def greater(self, one: arb, other: arb) -> arb:
        return one.max(other)

    def leaky(self, number: arb, slope: arb) -> arb:
        if number >= 0:
            return number
        if number <= 0:
            return slope * number
        return (slope * number.lower()).union(arb(0)).union(number.upper())

    def differs(self, one: arb, other: arb) -> int:
        difference = one - other
        if not difference.contains(0):
            return DIFFERS
        return SAME if one.is_exact() and other.is_exact() and one == other else OPEN


class RootSums:
    bits = 64

    def __init__(self) -> None:
        self.roots = Roots()

    def of(self, number: Fraction) -> RootSum:
        return self.roots.rational(number)

    def of_float(self, number: float) -> RootSum:
        return self.of(Fraction(number))

    def root(self, number: Fraction) -> RootSum:
        return self.roots.root(number)

    def product(self, weights: np.ndarray, below: np.ndarray) -> np.ndarray:
        exact = each(self.of_float, weights.astype(object))
        found = np.full((len(weights), below.shape[1]), self.of(Fraction(0)), dtype=object)
        for unit, entry in np.argwhere(weights != 0):
            look()
            found[unit] += below[entry] * exact[unit, entry]
        return found

    def greater(self, one: RootSum, other: RootSum) -> RootSum:
        return one if (one - other).sign() >= 0 else other

    def leaky(self, number: RootSum, slope: RootSum) -> RootSum:
        return number if number.sign() >= 0 else slope * number

    def differs(self, one: RootSum, other: RootSum) -> int:
        return DIFFERS if (one - other).sign() else SAME


def _columns(weights: np.ndarray, below: np.ndarray) -> Iterator[np.ndarray]:
    """Columns of a right factor, so many that their product takes little time: it cannot be interrupted."""
    size = max(1, PRODUCTS // weights.size)
    return (below[:, start : start + size] for start in looking(range(0, below.shape[1], size)))


def _array(matrix: fmpq_mat | arb_mat) -> np.ndarray:
    found = np.empty(matrix.nrows() * matrix.ncols(), dtype=object)
    found[:] = matrix.entries()
    return found.reshape(matrix.nrows(), matrix.ncols())


def each(action: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """What an action makes of the entries of arrays of dtype object that broadcast."""
    return np.asarray(np.frompyfunc(action, len(arrays), 1)(*arrays), dtype=object)
