"""How prices are spread: rows of training at even distances, and a histogram whose classes are powers of ten."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, log10

__all__ = ["FREE", "LISTED", "ORDER", "UNKNOWN", "Spread", "bars", "listed_rows", "spread"]

# Training inputs of which the price is told, at even distances: enough for a histogram.
LISTED = 2048
# The parts in the order of their columns.
ORDER = ("training", "test", "deployment")
# Classes of prices that are shown one by one; smaller ones are put together.
MOST = 24
# The widest bar of a histogram in text.
BAR = 16
FREE, UNKNOWN = "free", "unknown"


def listed_rows(part: str, count: int) -> list[int]:
    """The rows whose price is told: all, but some at even distances of training."""
    if part != "training" or count <= LISTED:
        return list(range(count))
    return [i * count // LISTED for i in range(LISTED)]


@dataclass(frozen=True)
class Spread:
    """A histogram: the `ends` of its classes from the cheapest, and of each part how many inputs are in each.

    A class has the prices up to its end and above the end before; `FREE` and `UNKNOWN` have ends of their own.
    """

    ends: tuple[Fraction | str, ...]
    counts: dict[str, tuple[int, ...]]


def spread(prices: Mapping[str, Sequence[Fraction | None]]) -> Spread:
    """Prices of each part in classes of half a power of ten, or of a whole one if there are too many.

    A price is 0 where a move is free, and None where no upper bound is known.

    Examples
    --------
    >>> found = spread({"deployment": [Fraction(0), Fraction(1, 2), Fraction(1)]})
    >>> (found.ends, found.counts)
    (('free', Fraction(1, 1)), {'deployment': (1, 2)})
    """
    steps, held = 2, _held(prices, 2)
    places = _places(held)
    if places and max(places) - min(places) >= MOST:
        steps, held = 1, _held(prices, 1)
        places = _places(held)
    low = max(min(places), max(places) - MOST + 1) if places else 0
    counted = {
        part: Counter(key if isinstance(key, str) else max(key, low) for key in keys) for part, keys in held.items()
    }
    there = {key for counts in counted.values() for key in counts}
    keys: list[int | str] = [FREE] if FREE in there else []
    keys += [*(range(low, max(places) + 1) if places else ()), *([UNKNOWN] if UNKNOWN in there else [])]
    ends = tuple(key if isinstance(key, str) else _end(key, steps) for key in keys)
    return Spread(ends, {part: tuple(counts[key] for key in keys) for part, counts in counted.items()})


def _held(prices: Mapping[str, Sequence[Fraction | None]], steps: int) -> dict[str, list[int | str]]:
    """The class of each price."""
    return {
        part: [UNKNOWN if size is None else _class(size, steps) if size else FREE for size in sizes]
        for part, sizes in prices.items()
    }


def _places(held: Mapping[str, Sequence[int | str]]) -> set[int]:
    return {key for keys in held.values() for key in keys if isinstance(key, int)}


def bars(counts: Sequence[int]) -> list[str]:
    """A bar and the number for each class; nothing for an empty one."""
    top = max(counts, default=0) or 1
    return [("█" * max(1, round(BAR * n / top)) + f" {n}") if n else "" for n in counts]


def _class(size: Fraction, steps: int) -> int:
    """The class of a price: the least k with size <= 10^(k / steps), up to rounding."""
    return -floor(-steps * (log10(size.numerator) - log10(size.denominator)))


def _end(place: int, steps: int) -> Fraction:
    return Fraction(10.0 ** (place / steps)) if abs(place / steps) < 300 else Fraction(10) ** (place // steps)
