"""How prices are spread: rows of training at even distances, and a histogram whose classes are powers of ten."""

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
    known = [size for sizes in prices.values() for size in sizes if size]
    steps = 2
    places = {_class(size, steps) for size in known}
    if places and max(places) - min(places) >= MOST:
        steps, places = 1, {_class(size, 1) for size in known}
    low = max(min(places), max(places) - MOST + 1) if places else 0
    keys: list[int | str] = [FREE] if _any(prices, 0) else []
    keys += [*(range(low, max(places) + 1) if places else ()), *([UNKNOWN] if _any(prices, None) else [])]
    ends = tuple(key if isinstance(key, str) else _end(key, steps) for key in keys)

    def key_of(size: Fraction | None) -> str | int:
        if size is None:
            return UNKNOWN
        return max(_class(size, steps), low) if size else FREE

    held = {part: [key_of(size) for size in sizes] for part, sizes in prices.items()}
    return Spread(ends, {part: tuple(map(found.count, keys)) for part, found in held.items()})


def bars(counts: Sequence[int]) -> list[str]:
    """A bar and the number for each class; nothing for an empty one."""
    top = max(counts, default=0) or 1
    return [("█" * max(1, round(BAR * n / top)) + f" {n}") if n else "" for n in counts]


def _any(prices: Mapping[str, Sequence[Fraction | None]], size: int | None) -> bool:
    return any(size in sizes for sizes in prices.values())


def _class(size: Fraction, steps: int) -> int:
    """The class of a price: the least k with size <= 10^(k / steps), up to rounding."""
    return -floor(-steps * (log10(size.numerator) - log10(size.denominator)))


def _end(place: int, steps: int) -> Fraction:
    return Fraction(10.0 ** (place / steps)) if abs(place / steps) < 300 else Fraction(10) ** (place // steps)
