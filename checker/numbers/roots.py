"""Sums of rational multiples of square roots of rationals: exact numbers whose signs can be decided.

Square roots of positive integers are linearly independent over the rationals if no product of two is a square (A. S.
Besicovitch, J. London Math. Soc. 15, 1940). So with one root of each class a sum is 0 only if all its terms are, and
the sign of another one is found by balls of rising precision.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import isqrt

from flint import arb, ctx, fmpq

from proof_of_absence.checker.numbers.deadline import look

__all__ = ["MOST", "RootSum", "Roots", "TooManyRoots"]

# Roots in one number, bits of the balls that tell its sign, and products of roots in all: some seconds.
MOST, BITS, PRODUCTS = 64, 2**16, 10**6


class TooManyRoots(ArithmeticError):
    """A number is a sum of more roots than are looked at, took too many products, or is too near to 0 for its sign."""


class Roots:
    """The classes of square roots met so far: integers of which no two have a square as their product."""

    def __init__(self) -> None:
        self._found = [1]
        self._products = 0

    def count(self, products: int) -> None:
        """So many products of two roots are made.

        Raises
        ------
        TooManyRoots
            If there are more than a million in all.
        """
        self._products += products
        if self._products > PRODUCTS:
            raise TooManyRoots(f"more than {PRODUCTS} products of square roots")

    def rational(self, number: Fraction) -> "RootSum":
        """A rational number."""
        return RootSum(self, {1: fmpq(number.numerator, number.denominator)})

    def root(self, number: Fraction) -> "RootSum":
        """The square root of a positive rational."""
        of, times = self.reduced(number.numerator * number.denominator)
        return RootSum(self, {of: times / number.denominator})

    def reduced(self, number: int) -> tuple[int, fmpq]:
        """The root of a positive integer as a multiple of the root of one that was met before, or of its own."""
        for known in self._found:
            root = isqrt(number * known)
            if root * root == number * known:
                return known, fmpq(root, known)
        self._found.append(number)
        return number, fmpq(1)


class RootSum:
    """A sum of rational multiples of roots; numbers that meet must come from the same `Roots`.

    Examples
    --------
    >>> roots = Roots()
    >>> a, b = roots.root(Fraction(8)), roots.root(Fraction(1, 2))
    >>> (a - b * roots.rational(Fraction(4))).sign(), (a - b).sign(), (a * b).rational()
    (0, 1, Fraction(2, 1))
    """

    def __init__(self, roots: Roots, terms: Mapping[int, fmpq]) -> None:
        self._roots = roots
        self._terms = {of: times for of, times in terms.items() if times != 0}
        if len(self._terms) > MOST:
            raise TooManyRoots(f"a number has more than {MOST} square roots as terms")

    def __add__(self, other: "RootSum") -> "RootSum":
        found = dict(self._terms)
        for of, times in other._terms.items():
            found[of] = found.get(of, fmpq(0)) + times
        return RootSum(self._roots, found)

    def __neg__(self) -> "RootSum":
        return RootSum(self._roots, {of: -times for of, times in self._terms.items()})

    def __sub__(self, other: "RootSum") -> "RootSum":
        return self + -other

    def __mul__(self, other: "RootSum") -> "RootSum":
        self._roots.count(max(1, len(self._terms) * len(other._terms)))
        found: dict[int, fmpq] = {}
        for one, times in self._terms.items():
            for another, more in other._terms.items():
                of, factor = self._roots.reduced(one * another)
                found[of] = found.get(of, fmpq(0)) + times * more * factor
        return RootSum(self._roots, found)

    def rational(self) -> Fraction | None:
        """The number, if it is rational."""
        if not self._terms.keys() <= {1}:
            return None
        one = self._terms.get(1, fmpq(0))
        return Fraction(int(one.p), int(one.q))

    def sign(self) -> int:
        """-1, 0 or 1.

        Raises
        ------
        TooManyRoots
            If the number is not 0 and balls of 65536 bits do not tell its sign.
        """
        if not self._terms:
            return 0
        bits = 64
        while bits <= BITS:
            look()
            ball = self._ball(bits)
            if not ball.contains(0):
                return 1 if ball > 0 else -1
            bits *= 4
        raise TooManyRoots(f"balls of {BITS} bits do not tell the sign of a sum of {len(self._terms)} roots")

    def _ball(self, bits: int) -> arb:
        with ctx.workprec(bits):
            return sum((arb(times) * arb(of).sqrt() for of, times in self._terms.items()), arb(0))
