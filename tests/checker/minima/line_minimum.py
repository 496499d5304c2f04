"""An oracle for minima on the line that shares no idea with the search:
every activation pattern, every set of tight constraints.

The dual bound of a pattern is the highest over sets of tight constraints; the least of the bounds is
the minimum if a net has it.
"""

from fractions import Fraction
from itertools import combinations_with_replacement, product

from proof_of_absence.checker.numbers.linear_algebra import solve_some
from proof_of_absence.models.data import Dataset

__all__ = ["least_loss", "patterns"]

# (first, end, sign): the run of sorted distinct inputs on which the unit is nonnegative, and the
# sign of its output weight.
Pattern = tuple[tuple[int, int, int], ...]


def patterns(count: int, units: int) -> list[Pattern]:
    """The activation patterns of `units` hidden units on `count` points of a line, up to order of the units."""
    runs = [(k, count) for k in range(count)] + [(0, k) for k in range(1, count)]
    single = [(0, 0, 1), *((first, end, sign) for first, end in runs for sign in (1, -1))]
    return list(combinations_with_replacement(single, units))


def least_loss(data: Dataset, units: int) -> Fraction:
    """L*(units) on data of one input and one output."""
    return _least(data, units, sorted({z[0] for z in data.inputs}), lambda pattern, line: [])


def least_beyond(data: Dataset, units: int, point: Fraction, side: int, level: Fraction) -> Fraction:
    """The least loss of nets f with side f(point) >= side level, on data of one input and one output."""

    def beyond(pattern: Pattern, line: list[Fraction]) -> list[tuple[list[Fraction], Fraction]]:
        return [([side * x for x in _features(pattern, line, point)], side * level)]

    return _least(data, units, sorted({point, *(z[0] for z in data.inputs)}), beyond)


def _least(data: Dataset, units: int, line: list[Fraction], further) -> Fraction:
    bounds = [_best(pattern, line, data, further(pattern, line)) for pattern in patterns(len(line), units)]
    bounds = [found for found in bounds if found[0] is not None]
    least = min(error for error, _ in bounds)
    assert any(attained for error, attained in bounds if error == least)
    return least / len(data)


def _features(pattern: Pattern, line: list[Fraction], x: Fraction) -> list[Fraction]:
    row = [Fraction(1)]
    for first, end, sign in pattern:
        on = first < end and line[first] <= x <= line[end - 1]
        row += [sign * x, Fraction(sign)] if on else [Fraction(0)] * 2
    return row


def _constraints(pattern: Pattern, line: list[Fraction]) -> list[tuple[int, int, list[Fraction]]]:
    """(unit, input, row): row . point >= 0, at the two inputs where each unit's run ends; the rest follow."""
    found = []
    for j, (first, end, _) in enumerate(pattern):
        ends = {first, end - 1} if (first, end) == (0, len(line)) else {first - 1, first} if first else {end - 1, end}
        for at in sorted(ends) if first < end else ():
            side = 1 if first <= at < end else -1
            row = [Fraction(0)] * (1 + 2 * len(pattern))
            row[1 + 2 * j], row[2 + 2 * j] = side * line[at], Fraction(side)
            found.append((j, at, row))
    return found


def _best(
    pattern: Pattern, line: list[Fraction], data: Dataset, further: list[tuple[list[Fraction], Fraction]]
) -> tuple[Fraction | None, bool]:
    """The highest dual bound over sets of tight constraints, and whether its point is feasible.

    A further constraint (row, least) is row . point >= least.
    """
    phi = [_features(pattern, line, x) for (x,) in data.inputs]
    ys = [y[0] for y in data.targets]
    size = len(phi[0])
    gram = [[2 * sum(row[i] * row[j] for row in phi) for j in range(size)] for i in range(size)]
    right = [2 * sum(row[i] * y for row, y in zip(phi, ys, strict=True)) for i in range(size)]
    constraints = [(row, Fraction(0)) for _, _, row in _constraints(pattern, line)] + further
    best, feasible = None, False
    for tight in product((False, True), repeat=len(constraints)):
        chosen = [c for c, is_tight in zip(constraints, tight, strict=True) if is_tight]
        system = [gram[i] + [-row[i] for row, _ in chosen] for i in range(size)]
        system += [row + [Fraction(0)] * len(chosen) for row, _ in chosen]
        solution = solve_some(system, right + [least for _, least in chosen])
        if solution is None or any(value < 0 for value in solution[size:]):
            continue
        point = tuple(solution[:size])
        error = sum(
            (sum(a * b for a, b in zip(row, point, strict=True)) - y) ** 2 for row, y in zip(phi, ys, strict=True)
        )
        fits = all(sum(a * b for a, b in zip(row, point, strict=True)) >= least for row, least in constraints)
        if best is None or (error, fits) > (best, feasible):
            best, feasible = error, fits
    return best, feasible
