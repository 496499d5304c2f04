"""C21 at many inputs, on features of whatever source: leverages and readout prices, and where a move is free.

Exact rationals, or floats with rigorous bounds; what is exactly 0, and what is not, the source of the features decides
exactly.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Protocol

import numpy as np

from proof_of_absence.checker.construct.leverage_bounds import SLACK, Whitened, whitened
from proof_of_absence.checker.construct.leverage_exact import LONGEST, Scaled, inverse, kernel, moderate
from proof_of_absence.checker.construct.priced import PARTS, PricedInput, Readout
from proof_of_absence.checker.numbers.costs import INVERSE, QR, SVD, cost
from proof_of_absence.checker.numbers.deadline import afford, looking
from proof_of_absence.checker.numbers.intervals import Interval

__all__ = [
    "BLOCK",
    "Direction",
    "ExactFeatures",
    "Features",
    "Kernel",
    "Priced",
    "class_squares",
    "exactly_priced",
    "first_moved",
    "move_squares",
    "priced",
    "whitening",
]

# Seconds for an entry of the factor: to make it, to look at it, and to write it as an array.
ENTRY = 1e-7

BLOCK, SAMPLE = 2048, 32
# What the rounding of a bound may lose, with room to spare.
ROOM = 2.0**-40
Direction = Mapping[int, Fraction]


class Features(Protocol):
    """Rows (1, phi_1 .. phi_n) of the inputs of each part that is there; `width` is n + 1, `counts` their numbers."""

    @property
    def width(self) -> int: ...

    @property
    def counts(self) -> Mapping[str, int]: ...

    def rows(self, part: str, rows: Sequence[int]) -> Interval:
        """The features at some rows, shape (rows, width)."""
        ...

    def free(self, part: str, rows: Sequence[int], directions: Sequence[Direction]) -> np.ndarray:
        """The place of the first direction that is not exactly 0 at each row; -1 where all are."""
        ...

    def squares(self, part: str, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of the squared length t^2 of the move, (rows,) each."""
        ...


class ExactFeatures(Features, Protocol):
    """Features whose very numbers can be had."""

    def exactly(self, part: str, rows: Sequence[int]) -> Scaled:
        """The features at some rows, shape (rows, width)."""
        ...

    def exact_squares(self, part: str, rows: Sequence[int]) -> list[Fraction]:
        """The squared length t^2 of the move at each of them."""
        ...


@dataclass(frozen=True)
class Kernel:
    """What is known of relations: `directions`, each 0 in training, with one column that is not among `columns`."""

    columns: tuple[int, ...]
    directions: tuple[Direction, ...] = ()


@dataclass(frozen=True, eq=False)
class Priced:
    """The prices, and the `factor` that shows them: see `Whitened`. There is none where they are exact."""

    readout: Readout
    factor: np.ndarray | None


def priced(
    features: Features,
    kernel: Kernel,
    listed: Mapping[str, Sequence[int]],
    *,
    layer: int = 1,
    penalty: Fraction = Fraction(0),
    move: Fraction | None = None,
    known: Whitened | None = None,
) -> Priced | None:
    """The leverage and the price at the listed rows of each part; None where floats find no factor.

    Parameters
    ----------
    kernel
        Exact relations of the features in training, all that there are for upper bounds. With a penalty there are none.
    move
        What `features.squares` tells the square of; None for the least move that changes the class.
    known
        What `whitening` found for the kernel's columns and this penalty, if that is at hand.

    Raises
    ------
    ValueError
        If the penalty is negative.
    OutOfTime
        If the deadline in force is over.

    Notes
    -----
    If phi is orthogonal to all directions, which are 0 in training too, then h on all columns is h on `columns`: what
    the other columns ask of a combination of training rows follows.
    """
    found = known or whitening(features, kernel.columns, penalty)
    if found is None:
        return None
    deployment, training, test = (tuple(_inputs(features, kernel, found, part, listed.get(part, ()))) for part in PARTS)
    directions = tuple(tuple(sorted(direction.items())) for direction in kernel.directions)
    count = features.counts["training"]
    readout = Readout(layer, count, penalty, move, kernel.columns, directions, deployment, training, test)
    return Priced(readout, found.factor)


def exactly_priced(
    features: ExactFeatures,
    listed: Mapping[str, Sequence[int]],
    *,
    layer: int = 1,
    penalty: Fraction = Fraction(0),
    move: Fraction | None = None,
) -> Priced | None:
    """What `priced` tells, as exact rationals; None where they would be long (`construct.leverage_exact`)."""
    count, told = features.counts["training"], sum(map(len, listed.values()))
    if not moderate(count, features.width):
        return None
    # A few rows most often tell whether it is worth while to look at all.
    if features.exactly("training", range(min(count, SAMPLE))).length > LONGEST:
        return None
    table = features.exactly("training", range(count))
    columns, directions = kernel(table) if not penalty else (list(range(features.width)), [])
    known = inverse(table, columns, penalty, told)
    if known is None:
        return None

    def inputs(part: str) -> Iterator[PricedInput]:
        rows = list(listed.get(part, ()))
        free = features.free(part, rows, directions) if rows else np.zeros(0, int)
        paid = [row for row, k in zip(rows, free, strict=True) if k < 0]
        values = iter(known.leverages(features.exactly(part, paid)) if paid else ())
        squares = iter(features.exact_squares(part, paid) if paid else ())
        for row, k in zip(rows, free, strict=True):
            if k >= 0:
                yield PricedInput(row, None, None, int(k))
            else:
                leverage, price = next(values), next(squares) / count
                yield PricedInput(row, (leverage, leverage), (price / leverage, price / leverage))

    deployment, training, test = (tuple(inputs(part)) for part in PARTS)
    terms = tuple(tuple(sorted(direction.items())) for direction in directions)
    return Priced(Readout(layer, count, penalty, move, tuple(columns), terms, deployment, training, test), None)


def whitening(features: Features, columns: Sequence[int], penalty: Fraction = Fraction(0)) -> Whitened | None:
    """T for these columns of the features in training; None where floats find none."""
    count, chosen = features.counts["training"], list(columns)
    # The factorizations at the end and what is made of them, before all that leads to them.
    size = len(chosen)
    afford(ENTRY * size**2 + cost(QR + (SVD if count < size else INVERSE), min(count, size), size))

    def blocks() -> Iterator[Interval]:
        for start in looking(range(0, count, BLOCK)):
            yield features.rows("training", range(start, min(start + BLOCK, count)))[:, chosen]

    return whitened(blocks, penalty)


def class_squares(outputs: Interval) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the squared length of the least move that makes another output as large, (rows,) each.

    To equal the largest output, the second is raised by half of the margin and the largest lowered by it.
    """
    lows, highs = (np.sort(outputs.value + sign * outputs.error, axis=1) for sign in (-1, 1))
    with np.errstate(invalid="ignore", over="ignore"):
        least = np.maximum(lows[:, -1] - highs[:, -2], 0) * (1 - ROOM)
        most = (highs[:, -1] - lows[:, -2]) * (1 + ROOM)
        low, high = least**2 / 2 * (1 - ROOM), most**2 / 2 * (1 + ROOM) + 2.0**-1000
    return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, np.inf)


def move_squares(move: Fraction, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the square of one move at so many rows."""
    near = np.full(count, float(move**2))
    return near * (1 - ROOM), near * (1 + ROOM)


def first_moved(
    features: Interval, directions: Sequence[Direction], moves: Callable[[np.ndarray, Direction], np.ndarray]
) -> np.ndarray:
    """As `Features.free`, of these rows; where bounds leave it open `moves` decides, of some of their places."""
    found = np.full(len(features.value), -1)
    for k, direction in enumerate(looking(directions)):
        left = np.flatnonzero(found < 0)
        members = sorted(direction)
        sums = (features[left][:, members] * _near([direction[j] for j in members])).sum(axis=1)
        with np.errstate(invalid="ignore"):
            moved = np.abs(sums.value) > sums.error
        # All terms are 0, and known to be.
        zero = ~(features.value[left][:, members] != 0).any(axis=1) & ~features.error[left][:, members].any(axis=1)
        open_ = np.flatnonzero(~moved & ~zero)
        moved[open_] = moves(left[open_], direction)
        found[left[moved]] = k
    return found


def _near(values: Sequence[Fraction]) -> Interval:
    """The numbers, not all 0, times a power of two that brings the largest near 1: of any size, floats hold them."""
    largest = max(map(abs, values))
    unit = Fraction(2) ** (largest.denominator.bit_length() - largest.numerator.bit_length())
    near = [float(value * unit) for value in values]
    same = [Fraction(x) == value * unit for x, value in zip(near, values, strict=True)]
    return Interval(np.array(near), np.where(same, 0, np.abs(near) * 2.0**-52 + 2.0**-1000))


def _inputs(
    features: Features, kernel: Kernel, found: Whitened, part: str, listed: Sequence[int]
) -> Iterator[PricedInput]:
    count = features.counts["training"]
    for start in looking(range(0, len(listed), BLOCK)):
        rows = list(listed[start : start + BLOCK])
        free = features.free(part, rows, kernel.directions)
        lows, highs = found.bounds(features.rows(part, rows)[:, list(kernel.columns)])
        squares = features.squares(part, rows)
        for row, k, low, high, least, most in zip(rows, free, lows, highs, *squares, strict=True):
            if k >= 0:
                yield PricedInput(row, None, None, int(k))
            else:
                leverage = _wider(low, high)
                yield PricedInput(row, leverage, _price(leverage, least, most, count))


def _wider(low: float, high: float) -> tuple[Fraction, Fraction | None]:
    up = float(high) * (1 + SLACK)
    return Fraction(float(low) * (1 - SLACK)), Fraction(up) if isfinite(up) else None


def _price(
    leverage: tuple[Fraction, Fraction | None], least: float, most: float, count: int
) -> tuple[Fraction, Fraction | None]:
    """Bounds of t^2 / (N h), rounded outwards to floats."""
    low, high = leverage
    cheapest = Fraction(float(least)) / (count * high) if high else Fraction(0)
    down = float(cheapest) * (1 - SLACK)
    if not low or not isfinite(most):
        return Fraction(down), None
    try:
        up = float(Fraction(float(most)) / (count * low)) * (1 + SLACK) + 2.0**-1000
    except OverflowError:
        return Fraction(down), None
    return Fraction(down), Fraction(up) if isfinite(up) else None
