"""A quantised class sorted by loss into disjoint cells; the posterior mass of any set of cells as a function of beta.

At one beta masses are exact (`Census`); on an interval they are enclosed in integers, rounded outwards: no sampling.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from math import gcd, log
from typing import NamedTuple

from flint import fmpz

from proof_of_absence.models.posterior import Census, Level

__all__ = ["Crossing", "Tally", "beta"]

# Fixed point: counts of nets are far below 2^64, so that what is rounded away is far below any mass that matters.
BITS = 256
ONE = 1 << BITS
# Ends of intervals of t are multiples of 1 / FINEST.
FINEST = 1 << 64


def beta(ratio: Fraction, unit: Fraction) -> float:
    """The inverse temperature with exp(-beta unit) = ratio, to float accuracy, for people to read."""
    return (0.0 - log(ratio)) / float(unit)


@dataclass(frozen=True)
class Crossing:
    """The last time that a mass falls below delta: t = exp(-beta unit) falls from 1 to 0 as beta grows from 0.

    At t = `above` the mass is at least delta (None: no such t was found); at every t in (0, `below`] it is less.
    """

    delta: Fraction
    above: Fraction | None
    below: Fraction


@dataclass(frozen=True)
class Tally:
    """How many parameter vectors of each cell have each loss.

    Parameters
    ----------
    unit
        The largest 1/k of which all losses are integer multiples.
    cells
        Names of the cells; every net is in exactly one.
    levels
        Pairs of a loss in units, ascending, and the counts in the order of the cells.

    Examples
    --------
    >>> found = Tally.of([(2, (1, 0)), (6, (3, 5))], Fraction(1, 4), ("honest", "other"))
    >>> found.unit, found.levels
    (Fraction(1, 2), ((1, (1, 0)), (3, (3, 5))))
    >>> found.census("other").mass(Fraction(1, 2), 1)
    Fraction(5, 12)
    """

    unit: Fraction
    cells: tuple[str, ...]
    levels: tuple[tuple[int, tuple[int, ...]], ...]

    @classmethod
    def of(cls, levels: Iterable[tuple[int, tuple[int, ...]]], unit: Fraction, cells: tuple[str, ...]) -> "Tally":
        """The tally of these levels, losses in any unit 1/k and in any order.

        Raises
        ------
        ValueError
            If there is no level, or a loss is listed twice.
        """
        levels = sorted(levels)
        if not levels or len({loss for loss, _ in levels}) < len(levels):
            raise ValueError("a tally needs at least one loss, and each of them once")
        common = gcd(unit.denominator, *(loss for loss, _ in levels))
        return cls(unit * common, cells, tuple((loss // common, tuple(counts)) for loss, counts in levels))

    @property
    def nets(self) -> int:
        """|S_M|."""
        return sum(sum(counts) for _, counts in self.levels)

    def count(self, *cells: str) -> int:
        """How many nets are in these cells."""
        places = self._places(cells)
        return sum(counts[place] for _, counts in self.levels for place in places)

    def least(self, *cells: str) -> tuple[Fraction, int] | None:
        """The least loss in these cells and how many nets of them have it; None if they are empty."""
        places = self._places(cells)
        for loss, counts in self.levels:
            if found := sum(counts[place] for place in places):
                return loss * self.unit, found
        return None

    def census(self, *cells: str) -> Census:
        """The census with D the union of these cells."""
        places = self._places(cells)
        return Census(
            tuple(
                Level(loss * self.unit, sum(counts), sum(counts[place] for place in places))
                for loss, counts in self.levels
            )
        )

    def enclosure(self, low: Fraction, high: Fraction, *cells: str) -> tuple[Fraction, Fraction]:
        """Bounds on the mass of these cells at every t = exp(-beta unit) with low <= t <= high.

        The mass is M / (M + R), M the weights of the cells and R those of the rest, both ascending in t once the power
        of t that the least loss has is divided out; so the bounds take M and R at opposite ends.

        Raises
        ------
        ValueError
            Unless 0 <= low <= high <= 1.
        """
        if not 0 <= low <= high <= 1:
            raise ValueError(f"not an interval within [0, 1]: from {low} to {high}")
        return _enclosure(self._parts(cells), low, high)

    @cached_property
    def _with_rest(self) -> "_Parts":
        return _with_rest(self.levels)

    def masses(self, t: Fraction) -> tuple[tuple[Fraction, Fraction], ...]:
        """Bounds on the mass of each cell at t = exp(-beta unit), 0 < t <= 1; the exact numbers have many digits."""
        low, high = _weights(self._with_rest, t, up=False), _weights(self._with_rest, t, up=True)
        return tuple(
            (Fraction(mine, mine + sum(high) - most), Fraction(most, most + sum(low) - mine))
            for mine, most in zip(low, high, strict=True)
        )

    def crossing(self, delta: Fraction, *cells: str, bits: int = 20) -> Crossing | None:
        """From which beta on the mass of these cells stays below delta, to 2^-bits beta unit; None if it does not.

        Raises
        ------
        ValueError
            If delta is not between 0 and 1.
        """
        if not 0 < delta < 1:
            raise ValueError(f"a crossing needs 0 < delta < 1, not {delta}")
        parts = self._parts(cells)

        # An end that two intervals share is weighed once.
        @cache
        def below_at(end: int) -> list[int]:
            return _weights(parts, Fraction(end, FINEST), up=False)

        @cache
        def above_at(end: int) -> list[int]:
            return _weights(parts, Fraction(end, FINEST), up=True)

        def most(low: int, high: int) -> Fraction:
            (_, rest), (mine, _) = below_at(low), above_at(high)
            return Fraction(mine, mine + rest)

        def certified(low: int, high: int) -> int:
            """The mass is below delta from t = low up to the returned end, both in units of 1 / FINEST."""
            if most(low, high) < delta:
                return high
            if high - low <= 1 or (high - low) << bits <= low:
                return low
            middle = (low + high) // 2
            reached = certified(low, middle)
            return reached if reached < middle else certified(middle, high)

        below = certified(0, FINEST)
        if not below:
            return None
        step, at = max(1, below >> bits), below
        while at < FINEST:
            at = min(below + step, FINEST)
            (mine, _), (_, rest) = below_at(at), above_at(at)
            if mine >= delta * (mine + rest):
                return Crossing(delta, Fraction(at, FINEST), Fraction(below, FINEST))
            step *= 2
        return Crossing(delta, None, Fraction(below, FINEST))

    def certain(self, delta: Fraction, *cells: str) -> Fraction | None:
        """A t at which the bound of C14, (|D| / |argmin L|) t^gap, is below delta, within 2^-20 of the greatest.

        None if the gap is 0.

        Raises
        ------
        ValueError
            If delta is not between 0 and 1.
        """
        if not 0 < delta < 1:
            raise ValueError(f"a bound needs 0 < delta < 1, not {delta}")
        found = self.least(*cells)
        if found is None:
            return Fraction(1)
        gap = int(found[0] / self.unit) - self.levels[0][0]
        if not gap:
            return None
        members, best = self.count(*cells), sum(self.levels[0][1])

        def under(t: int) -> bool:
            power = _power(fmpz(-(-(t << BITS) // FINEST)), gap, lambda value: -(-value >> BITS))
            return members * int(power) < best * delta * ONE

        low, high = 0, FINEST
        if under(high):
            return Fraction(1)
        while high - low > 1 and (high - low) << 20 > low:
            middle = (low + high) // 2
            low, high = (middle, high) if under(middle) else (low, middle)
        return Fraction(low, FINEST) if low else None

    def _places(self, cells: tuple[str, ...]) -> list[int]:
        return [self.cells.index(cell) for cell in dict.fromkeys(cells)]

    def _parts(self, cells: tuple[str, ...]) -> "_Parts":
        """Each loss with how many nets have it in these cells, and in the others."""
        if cells not in self._known:
            places = self._places(cells)
            mine = [sum(counts[place] for place in places) for _, counts in self.levels]
            self._known[cells] = _with_rest(
                (loss, (part, sum(counts) - part)) for (loss, counts), part in zip(self.levels, mine, strict=True)
            )
        return self._known[cells]

    @cached_property
    def _known(self) -> "dict[tuple[str, ...], _Parts]":
        return {}


class _Part(NamedTuple):
    """A loss, how many nets of each column have it, and how many have it or a higher one.

    The numbers of all columns are one integer, each in bits of its own: one product then weighs them all.
    """

    loss: int
    counts: fmpz
    rest: fmpz


class _Parts(NamedTuple):
    """Levels, lowest loss first; how many columns they have, and in how many bits each."""

    levels: list[_Part]
    columns: int
    width: int


def _with_rest(levels: Iterable[tuple[int, tuple[int, ...]]]) -> _Parts:
    """The levels, lowest loss first, each with the counts from it on."""
    levels = list(levels)
    # No weight is above 1, so no column is more than all nets in units of 2^-BITS, and none runs into the next.
    width = BITS + sum(sum(counts) for _, counts in levels).bit_length()
    found: list[_Part] = []
    rest = 0
    for loss, counts in reversed(levels):
        packed = 0
        for count in reversed(counts):
            packed = packed << width | count
        rest += packed
        found.append(_Part(loss, fmpz(packed), fmpz(rest)))
    return _Parts(found[::-1], len(levels[0][1]), width)


def _enclosure(parts: _Parts, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    mine_low, rest_low = _weights(parts, low, up=False)
    mine_high, rest_high = _weights(parts, high, up=True)
    # Never 0 / 0: the nets of least loss have weight 1.
    return Fraction(mine_low, mine_low + rest_high), Fraction(mine_high, mine_high + rest_low)


def _weights(parts: _Parts, t: Fraction, *, up: bool) -> list[int]:
    """For each column of counts the sum of count t^(loss - least) in units of 2^-BITS, rounded up or down."""

    def rounded(value: fmpz) -> fmpz:
        return -(-value >> BITS) if up else value >> BITS

    base = -(-(t.numerator << BITS) // t.denominator) if up else (t.numerator << BITS) // t.denominator
    steps: dict[int, fmpz] = {}
    power, previous, total = fmpz(ONE), parts.levels[0].loss, fmpz(0)
    for loss, counts, rest in parts.levels:
        gap = loss - previous
        if (step := steps.get(gap)) is None:
            step = steps[gap] = _power(fmpz(base), gap, rounded)
        power, previous = -(-(power * step) >> BITS) if up else power * step >> BITS, loss
        if power <= 1:
            # It stays what it is: 0 rounded down, 1 rounded up.
            total += power * rest
            break
        total += counts * power
    columns = int(total)
    return [columns >> parts.width * k & (1 << parts.width) - 1 for k in range(parts.columns)]


def _power(base: fmpz, exponent: int, rounded: Callable[[fmpz], fmpz]) -> fmpz:
    """base^exponent in fixed point by squaring, every product rounded the same way."""
    result = fmpz(ONE)
    while exponent:
        if exponent & 1:
            result = rounded(result * base)
        base, exponent = rounded(base * base), exponent >> 1
    return result
