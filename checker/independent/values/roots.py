"""Numbers with square roots, as a batch normalisation leaves them: enclosed in integers, or exactly as sums of roots.

Roots of positive integers of which no two have a square as product are linearly independent over the rationals
(Besicovitch 1940): such a sum is 0 just if every coefficient is. Of any other its enclosures show the sign in the end.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, isqrt
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from proof_of_absence.checker.independent.refusal import Refused

# Bits of the first enclosure, and of the last; and how many roots that are independent a sum may have.
BITS, MOST, ROOTS = 64, 2**14, 512

Number = Union[int, "Rooted"]


class Rooted(ABC):
    """A number with roots; those that meet are enclosed all, or sums all."""

    @abstractmethod
    def __add__(self, other: Number) -> "Rooted": ...

    @abstractmethod
    def __mul__(self, factor: int) -> "Rooted": ...

    def __radd__(self, other: int) -> "Rooted":
        return self + other

    def __rmul__(self, factor: int) -> "Rooted":
        return self * factor

    @abstractmethod
    def greatest(self, other: Number) -> Number:
        """The greater one."""

    @abstractmethod
    def sign(self) -> int | None:
        """Its sign; None if bounds leave it open."""


@dataclass(frozen=True)
class Between(Rooted):
    """A number from low / 2^bits to high / 2^bits."""

    low: int
    high: int
    bits: int

    def __add__(self, other: Number) -> "Between":
        other = self.of(other)
        return Between(self.low + other.low, self.high + other.high, self.bits)

    def __mul__(self, factor: int) -> "Between":
        ends = self.low * factor, self.high * factor
        return Between(min(ends), max(ends), self.bits)

    def of(self, other: Number) -> "Between":
        """A whole number so too."""
        if isinstance(other, int):
            return Between(other << self.bits, other << self.bits, self.bits)
        if not isinstance(other, Between):
            raise TypeError("a sum of roots meets an enclosure")
        return other

    def greatest(self, other: Number) -> "Between":
        """The greater one, within bounds."""
        other = self.of(other)
        return Between(max(self.low, other.low), max(self.high, other.high), self.bits)

    def sign(self) -> int | None:
        """Its sign; None if the bounds leave it open."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0 if self.low == self.high == 0 else None


@dataclass(frozen=True)
class Sum(Rooted):
    """A sum of rational multiples of roots of independent integers; no coefficient is 0."""

    terms: Mapping[int, Fraction]

    def __add__(self, other: Number) -> "Sum":
        terms = dict(self.terms)
        for m, c in _terms(other).items():
            terms[m] = terms.get(m, Fraction(0)) + c
        return Sum({m: c for m, c in terms.items() if c})

    def __mul__(self, factor: int) -> "Sum":
        return Sum({m: c * factor for m, c in self.terms.items() if factor})

    def greatest(self, other: Number) -> Number:
        """The greater one."""
        return self if (self + other * -1).sign() >= 0 else other

    def sign(self) -> int:
        """Its sign."""
        if not self.terms:
            return 0
        bits = BITS
        while bits <= MOST:
            low, high = self.bounds(bits)
            if low > 0 or high < 0:
                return 1 if low > 0 else -1
            bits *= 2
        raise Refused("the sign of a sum of roots needs too many digits")

    def bounds(self, bits: int) -> tuple[Fraction, Fraction]:
        """Bounds whose distance is as many times 2^-bits as there are roots; the number itself where it is rational."""
        low = high = self.terms.get(1, Fraction(0))
        for m, c in self.terms.items():
            if m != 1:
                below = isqrt((c * c * m * 4**bits).__floor__())
                ends = (below, below + 1) if c > 0 else (-below - 1, -below)
                low, high = low + Fraction(ends[0], 2**bits), high + Fraction(ends[1], 2**bits)
        return low, high


class Enclosing:
    """Roots in integers over 2^bits, rounded outwards."""

    def __init__(self, bits: int):
        self.bits = bits

    def times(self, number: Number, m: int) -> Number:
        """A number times the root of a positive integer."""
        if m == 1 or number == 0:
            return number
        low = isqrt(m << 2 * self.bits)
        root = Between(low, low + 1, self.bits)
        if isinstance(number, int):
            return root * number
        number = root.of(number)
        ends = number.low * low, number.low * (low + 1), number.high * low, number.high * (low + 1)
        return Between(min(ends) >> self.bits, -(-max(ends) >> self.bits), self.bits)


@dataclass
class Summing:
    """Roots as they are; the integers under them, one of each class of those whose products are squares."""

    classes: list[int] = field(default_factory=lambda: [1])
    _found: dict[int, tuple[int, Fraction]] = field(default_factory=dict)

    def times(self, number: Number, m: int) -> Number:
        """A number times the root of a positive integer."""
        if m == 1 or number == 0:
            return number
        terms: dict[int, Fraction] = {}
        for other, c in _terms(number).items():
            # sqrt(a) sqrt(b) = g sqrt(a b / g^2).
            g = gcd(m, other)
            root, ratio = self._of((m // g) * (other // g))
            terms[root] = terms.get(root, Fraction(0)) + c * g * ratio
        return Sum({root: c for root, c in terms.items() if c})

    def _of(self, m: int) -> tuple[int, Fraction]:
        """An integer r of the list and a rational q with sqrt(m) = q sqrt(r)."""
        if m not in self._found:
            for other in self.classes:
                root = isqrt(m * other)
                if root * root == m * other:
                    self._found[m] = other, Fraction(root, other)
                    break
            else:
                if len(self.classes) > ROOTS:
                    raise Refused(f"a value rests on more than {ROOTS} roots: undecided")
                self.classes.append(m)
                self._found[m] = m, Fraction(1)
        return self._found[m]


def each(function: Callable[..., Any], *arrays: Any) -> NDArray[np.object_]:
    """The function at each entry of arrays that broadcast."""
    return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)


def _terms(number: Number) -> Mapping[int, Fraction]:
    if isinstance(number, int):
        return {1: Fraction(number)} if number else {}
    if not isinstance(number, Sum):
        raise TypeError("an enclosure meets a sum of roots")
    return number.terms
