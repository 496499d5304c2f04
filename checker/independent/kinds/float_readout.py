"""C21 on features in floats: bounds of the leverage of many inputs, what a move of the answer costs, where it is free.

All features are known to within a bound; relations among them are exact. The theorems are those of `readout`.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import inf, lcm
from typing import Any, Protocol

import numpy as np

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.refusal import shown as text
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.arrays import hexadecimal
from proof_of_absence.checker.independent.values.floats import Bounded, Exact, Floats, Integers, blocks, integers
from proof_of_absence.checker.independent.values.leverage import ENTRIES, Determinants
from proof_of_absence.checker.independent.values.rounding import TINY, UP, U, gamma

BLOCK = 2048
PARTS = ("training", "deployment", "test")
# Covers what a sum of up to 2^32 squares loses in floats.
NORM = 1 + 2.0**-20
Direction = Mapping[int, Fraction]
Truths = np.typing.NDArray[np.bool_]
Places = np.typing.NDArray[np.int64]


class Features(Protocol):
    """Rows (1, phi_1 .. phi_n) of the inputs of each part that is there; `width` is n + 1, `counts` their numbers."""

    @property
    def width(self) -> int: ...

    @property
    def counts(self) -> Mapping[str, int]: ...

    def bounded(self, part: str, rows: Sequence[int]) -> Bounded:
        """The features at some rows of a part, shape (rows, width)."""
        ...

    def free(self, part: str, rows: Sequence[int], directions: Sequence[Direction]) -> Places:
        """The place of the first direction that is not exactly 0 at each row; -1 where all are."""
        ...

    def vanishes_in_training(self, direction: Direction) -> bool:
        """Whether it is exactly 0 at all training rows."""
        ...

    def exact(self, part: str, rows: Sequence[int]) -> Exact:
        """The features themselves without the constant, shape (rows, width - 1)."""
        ...

    def squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> tuple[Floats, Floats]:
        """Bounds of t^2: the squared length of the move, or of the least that changes the class where none is given."""
        ...

    def exact_squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> list[Fraction]:
        """The same t^2 itself."""
        ...


class Recorded:
    """Features that were recorded: floats that are themselves meant, without the constant, for each part (rows, n).

    Raises
    ------
    Refused
        If there is no training part, or the parts have other columns.
    """

    def __init__(self, tables: Mapping[str, Floats]):
        require("training" in tables and set(tables) <= set(PARTS), "there are no training features")
        require(len({table.shape[1] for table in tables.values()}) == 1, "parts of other features")
        self.tables = tables
        self.width = tables["training"].shape[1] + 1
        self.counts = {part: len(table) for part, table in tables.items()}

    def bounded(self, part: str, rows: Sequence[int]) -> Bounded:
        found = np.column_stack([np.ones(len(rows)), self.tables[part][rows]])
        return Bounded(found, np.zeros_like(found))

    def free(self, part: str, rows: Sequence[int], directions: Sequence[Direction]) -> Places:
        found = np.full(len(rows), -1)
        for k, direction in reversed(list(enumerate(directions))):
            found[self._moves(self.tables[part][rows], direction)] = k
        return found

    def vanishes_in_training(self, direction: Direction) -> bool:
        table = self.tables["training"]
        return not any(self._moves(table[block], direction).any() for block in blocks(len(table), BLOCK))

    def exact(self, part: str, rows: Sequence[int]) -> Exact:
        return Exact(*integers(self.tables[part][rows]))

    @staticmethod
    def _moves(table: Floats, direction: Direction) -> Truths:
        members = [j - 1 for j in direction if j]
        if not members:
            return np.full(len(table), bool(direction.get(0)))
        whole, exponent, divisor = integers(table[:, members])
        return combined(whole, exponent, divisor, direction).astype(bool)

    def squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> tuple[Floats, Floats]:
        if move is None:
            raise Refused("recorded features have no classes: a move is missing")
        return rounded(move**2, len(rows))

    def exact_squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> list[Fraction]:
        if move is None:
            raise Refused("recorded features have no classes: a move is missing")
        return [move**2] * len(rows)


def rounded(value: Fraction, count: int) -> tuple[Floats, Floats]:
    """So many times the floats on either side of a number."""
    near = float(value)
    return np.full(count, np.nextafter(near, 0)), np.full(count, np.nextafter(near, inf))


def lone(value: Floats, radius: Floats, weighs: Truths) -> tuple[Truths, Places]:
    """Where just one of the features that a direction weighs is surely above 0, and the others are surely 0.

    With the places of the other rows at which they are not all surely 0.
    """
    silent, sends = (value == 0) & (radius == 0), value > radius
    moved = ((sends & weighs).sum(axis=1) == 1) & (silent | sends).all(axis=1)
    return moved, np.flatnonzero(~moved & ~silent.all(axis=1))


def combined(whole: Integers, exponent: int, divisor: int, direction: Direction) -> Integers:
    """v_0 + sum_j v_j phi_j, times something positive; M 2^e / d are the features phi_j that it names, in its order."""
    scale = lcm(*(value.denominator for value in direction.values()))
    vector = np.array([int(value * scale) for j, value in direction.items() if j], dtype=object)
    one = int(direction.get(0, Fraction(0)) * scale) * divisor << max(-exponent, 0)
    found: Integers = (whole.dot(vector) << max(exponent, 0)) + one
    return found


def readout_prices(fact: Fact, features: Features, factor: Floats | None) -> "_Bounds | _Exactly":
    """Of every listed row, the leverage h and the price t^2 / (N h) lie within the bounds, or a move there is free.

    Without a factor both bounds are the number itself.

    `directions` are combinations of features that are 0 in training, one for each column not in `columns`, the rest of
    its terms within these. A row is free by the first that is not 0 there. Where all are 0, its leverage is that on
    `columns`. An upper bound that is null says nothing.

    Returns
    -------
    What shows it; it says whether the columns are `independent` in training, if there is no penalty.

    Notes
    -----
    Let Phi be the features of the columns, D the identity without the constant, M = Phi^T Phi + penalty D, T the
    factor, of as many rows as there are columns and no more columns, psi = T^T phi and G = T^T M T. All eigenvalues of
    G are within some d of 1. For every u, h >= (u . phi)^2 / (u^T M u); u = T psi gives h >= |psi|^2 / (1 + d). If T is
    square and d < 1, it is invertible, so h = psi^T G^-1 psi <= |psi|^2 / (1 - d).
    """
    penalty, move = hexadecimal(fact["penalty"]), None if fact["move"] is None else hexadecimal(fact["move"])
    require(penalty >= 0, "the penalty is negative")
    require(move is None or move > 0, "a move by nothing")
    columns, directions = _columns(fact, features, penalty)
    known = _Exactly(features, columns, penalty) if factor is None else _Bounds(features, columns, factor, penalty)
    require(set(fact["rows"]) <= set(PARTS), "rows of no known part")
    for part, listed in fact["rows"].items():
        require(part in features.counts and isinstance(listed, list), f"there are no {part} inputs, or no list of them")
        rows = [_row(entry["row"], features.counts[part]) for entry in listed]
        require(len(set(rows)) == len(rows), f"a {part} row is listed twice")
        for block in blocks(len(listed), BLOCK):
            _rows(part, listed[block], features, directions, known, move)
    return known


def _columns(fact: Fact, features: Features, penalty: Fraction) -> tuple[list[int], list[Direction]]:
    """The columns that the leverage is on, and the directions that the others come with."""
    columns = fact["columns"]
    known = all(type(j) is int and 0 <= j < features.width for j in columns)
    require(known and columns == sorted(set(columns)) and columns, "the columns are none of the features")
    directions: list[Direction] = []
    require(isinstance(fact["directions"], list), "directions are a list")
    for terms in fact["directions"]:
        direction: Direction = {j: hexadecimal(value) for j, value in terms}
        require(len(direction) == len(terms), "a direction names a column twice")
        require(all(type(j) is int and 0 <= j < features.width for j in direction), "a direction is of no features")
        directions.append(direction)
    others = [[j for j in found if j not in set(columns)] for found in directions]
    own = all(len(new) == 1 and found[new[0]] for new, found in zip(others, directions, strict=True))
    rest = sorted(set(range(features.width)) - set(columns))
    require(own and sorted(new for (new,) in others) == rest, "not one direction for each other column")
    require(not (penalty and directions), "with a penalty no move is free")
    require(all(map(features.vanishes_in_training, directions)), "a direction is not 0 in training")
    return columns, directions


def _off(features: Features, columns: list[int], factor: Floats, penalty: Fraction) -> float:
    """At least the norm of T^T M T - I; infinite where floats show nothing."""
    size = factor.shape[1]
    gram, lost, whole, steps, count = np.zeros((size, size)), 0.0, 0.0, 1, 0
    with np.errstate(all="ignore"):
        for table in _tables(features, columns, penalty):
            psi = _product(table, factor)
            gram = gram + psi.value.T @ psi.value
            lost += float((psi.radius**2).sum()) * UP
            whole += float((psi.value**2).sum()) * UP
            steps, count = max(steps, len(psi.value) + 1) + 1, count + len(psi.value)
        if steps * U >= 0.5:
            return inf
        error, length = (lost + TINY) ** 0.5 * UP, (whole + TINY) ** 0.5 * UP
        apart = float(np.linalg.norm(np.abs(gram - np.eye(size)) * UP)) * NORM + 2.0**-500
        found = apart + gamma(steps) * length**2 + (2 * length + error) * error + 4.0 * count * size**2 * TINY
    return found * UP**2 if np.isfinite(found) else inf


def _tables(features: Features, columns: list[int], penalty: Fraction) -> Iterable[Bounded]:
    """The features in training, and for a penalty rows whose products are those of its diagonal matrix."""
    for block in blocks(features.counts["training"], BLOCK):
        yield _of(features.bounded("training", range(block.start, block.stop)), columns)
    if penalty:
        require(Fraction(2) ** -1000 < penalty < Fraction(2) ** 1000, "the penalty is out of reach of floats")
        rows = (float(penalty) ** 0.5) * np.eye(len(columns))[[j for j, column in enumerate(columns) if column]]
        yield Bounded(rows, rows * 2 * U * UP)


def _of(table: Bounded, columns: list[int]) -> Bounded:
    return Bounded(table.value[:, columns], table.radius[:, columns])


def _product(table: Bounded, matrix: Floats) -> Bounded:
    """The table times the matrix, whose entries are themselves meant."""
    sizes = np.abs(matrix)
    rounding = gamma(len(matrix) + 1) * (np.abs(table.value) @ sizes) + 4 * (len(matrix) + 1) * TINY
    return Bounded(table.value @ matrix, (table.radius @ sizes + rounding) * UP)


Pair = tuple[Fraction, Fraction | None]


class Leverages:
    """Bounds of leverages without a penalty, and where a move is free, as `readout_prices` has them.

    The columns and directions are those of a fact. The factor is made here: any shows some bounds.
    """

    def __init__(self, fact: Fact, features: Features):
        self.features = features
        self.columns, self.directions = _columns(fact, features, Fraction(0))
        self.factor = _whitening(features, self.columns)
        self.off = _off(features, self.columns, self.factor, Fraction(0))

    def at(self, part: str, rows: Sequence[int]) -> tuple[Places, Floats, Floats]:
        """At each row the place of the first direction that is not 0, or -1; and bounds of what is on the columns."""
        table = _of(self.features.bounded(part, rows), self.columns)
        return (self.features.free(part, rows, self.directions), *_leverages(table, self.factor, self.off))


def _whitening(features: Features, columns: list[int]) -> Floats:
    """A matrix T that makes the features of these columns in training nearly orthonormal, as far as floats find it."""
    upper = np.zeros((0, len(columns)))
    for block in blocks(features.counts["training"], BLOCK):
        rows = _of(features.bounded("training", range(block.start, block.stop)), columns).value
        upper = np.asarray(np.linalg.qr(np.vstack([upper, rows]), mode="r"))
    lengths = np.linalg.norm(upper, axis=0)
    lengths = np.where(lengths > 0, lengths, 1)
    _, sizes, axes = np.linalg.svd(upper / lengths, full_matrices=False)
    kept = sizes > 1e-13 * sizes.max(initial=0)
    return np.asarray(axes[kept].T / sizes[kept] / lengths[:, None])


class _Bounds:
    """What a factor shows: bounds of leverages, and of squares of moves."""

    def __init__(self, features: Features, columns: list[int], factor: Floats, penalty: Fraction):
        fits = factor.ndim == 2 and 0 < factor.shape[1] <= factor.shape[0] == len(columns)
        require(fits, "the factor does not fit the columns")
        self.features, self.columns, self.factor = features, columns, factor
        self.off = _off(features, columns, factor, penalty)

    @property
    def independent(self) -> bool:
        """Whether M is shown to be invertible."""
        return self.factor.shape[0] == self.factor.shape[1] and self.off < 1

    def leverages(self, part: str, rows: Sequence[int]) -> list[Pair]:
        low, high = _leverages(_of(self.features.bounded(part, rows), self.columns), self.factor, self.off)
        return list(map(_pair, low, high))

    def squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> list[Pair]:
        return list(map(_pair, *self.features.squares(part, rows, move)))

    def check(self, what: str, own: Pair, stated: Pair) -> None:
        _within(what, own, stated)


class _Exactly:
    """Leverages and squares of moves themselves."""

    # A determinant that is 0 is refused.
    independent = True

    def __init__(self, features: Features, columns: list[int], penalty: Fraction):
        self.features = features
        # Before anything long is computed.
        require(len(columns) * features.counts["training"] <= ENTRIES, "too many features for exact leverages")
        self.known = Determinants(features.exact("training", range(features.counts["training"])), columns, penalty)

    def leverages(self, part: str, rows: Sequence[int]) -> list[Pair]:
        return [(value, value) for value in self.known.of(self.features.exact(part, rows))]

    def squares(self, part: str, rows: Sequence[int], move: Fraction | None) -> list[Pair]:
        return [(value, value) for value in self.features.exact_squares(part, rows, move)]

    def check(self, what: str, own: Pair, stated: Pair) -> None:
        require(own == stated, f"{what} is {text(own[0])}, and another number is stated")


def _pair(low: float, high: float) -> Pair:
    return Fraction(low), None if np.isinf(high) else Fraction(high)


def _rows(
    part: str,
    listed: Sequence[Any],
    features: Features,
    directions: Sequence[Direction],
    known: _Bounds | _Exactly,
    move: Fraction | None,
) -> None:
    rows = [entry["row"] for entry in listed]
    free = features.free(part, rows, directions)
    paid = np.flatnonzero(free < 0)
    places = {int(i): k for k, i in enumerate(paid)}
    there = [rows[i] for i in paid]
    leverages = known.leverages(part, there) if there else []
    squares = known.squares(part, there, move) if there else []
    count = features.counts["training"]
    for i, entry in enumerate(listed):
        name = f"{part} row {rows[i]}"
        if free[i] >= 0:
            require(set(entry) == {"row", "free"} and entry["free"] == free[i], f"{name}: a move there is free")
            require(type(entry["free"]) is int, f"{name}: no number of a direction")
            continue
        require(set(entry) == {"row", "leverage", "price"}, f"{name}: no leverage and price, and no move is free there")
        (below, above), (cheapest, dearest) = (_bounds(entry[key], name) for key in ("leverage", "price"))
        least, most = squares[places[i]]
        known.check(f"{name}: the leverage", leverages[places[i]], (below, above))
        # The prices follow from the bounds of the leverage as they are stated.
        up = None if not below or most is None else most / (count * below)
        down = Fraction(0) if above is None else least / (count * above) if above else Fraction(0)
        known.check(f"{name}: the price", (down, up), (cheapest, dearest))


def _leverages(table: Bounded, factor: Floats, off: float) -> tuple[Floats, Floats]:
    """Bounds of |T^T phi|^2 over the eigenvalues of G: the upper ones infinite where none are shown."""
    square = factor.shape[0] == factor.shape[1]
    with np.errstate(all="ignore"):
        psi = _product(table, factor)
        near, far = np.maximum(np.abs(psi.value) - psi.radius, 0) / UP, (np.abs(psi.value) + psi.radius) * UP
        low = np.maximum((near**2).sum(axis=1) / UP - factor.shape[1] * TINY, 0) / ((1 + off) * UP**2)
        high = (far**2).sum(axis=1) * UP + factor.shape[1] * TINY
        high = high * UP / ((1 - off) / UP) if square and off < 1 else np.full(len(high), inf)
    return np.where(np.isfinite(low), low, 0), np.where(np.isfinite(high), high, inf)


def _bounds(stated: Any, name: str) -> tuple[Fraction, Fraction | None]:
    low, high = stated
    found = hexadecimal(low), None if high is None else hexadecimal(high)
    require(found[0] >= 0 and (found[1] is None or found[0] <= found[1]), f"{name}: bounds that are crossed")
    return found


def _within(what: str, own: tuple[Fraction, Fraction | None], stated: tuple[Fraction, Fraction | None]) -> None:
    """Refuse unless the number, of which the own bounds are known, is known to lie within the stated ones."""
    (low, high), (below, above) = own, stated
    shown = below <= low and (above is None or (high is not None and high <= above))
    if not shown:
        told = [text(x) if x is not None else "unknown" for x in (below, above, low, high)]
        raise Refused(f"{what} is stated in {told[0]} to {told[1]}, and known to be in {told[2]} to {told[3]}")


def _row(value: object, count: int) -> int:
    if not (type(value) is int and 0 <= value < count):
        raise Refused("no such row")
    return value


KINDS = {
    "readout-prices": readout_prices,
}
