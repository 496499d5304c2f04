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
    line = sorted({z[0] for z in data.inputs})
    bounds = [_best(pattern, line, data) for pattern in patterns(len(line), units)]
    least = min(error for error, _ in bounds)
    assert any(attained for error, attained in bounds if error == least)
    return least / len(data)


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


def _best(pattern: Pattern, line: list[Fraction], data: Dataset) -> tuple[Fraction, bool]:
    """The highest dual bound over sets of tight constraints, and whether its point is feasible."""
    phi = []
    for (x,) in data.inputs:
        row = [Fraction(1)]
        for first, end, sign in pattern:
            on = first < end and line[first] <= x <= line[end - 1]
            row += [sign * x, Fraction(sign)] if on else [Fraction(0)] * 2
        phi.append(row)
    ys = [y[0] for y in data.targets]
    size = len(phi[0])
    gram = [[2 * sum(row[i] * row[j] for row in phi) for j in range(size)] for i in range(size)]
    right = [2 * sum(row[i] * y for row, y in zip(phi, ys, strict=True)) for i in range(size)]
    constraints = _constraints(pattern, line)
    best, feasible = None, False
    for tight in product((False, True), repeat=len(constraints)):
        chosen = [c for c, is_tight in zip(constraints, tight, strict=True) if is_tight]
        system = [gram[i] + [-row[i] for _, _, row in chosen] for i in range(size)]
        system += [row + [Fraction(0)] * len(chosen) for _, _, row in chosen]
        solution = solve_some(system, right + [Fraction(0)] * len(chosen))
        if solution is None or any(value < 0 for value in solution[size:]):
            continue
        point = tuple(solution[:size])
        error = sum(
            (sum(a * b for a, b in zip(row, point, strict=True)) - y) ** 2 for row, y in zip(phi, ys, strict=True)
        )
        fits = all(sum(a * b for a, b in zip(row, point, strict=True)) >= 0 for _, _, row in constraints)
        if best is None or (error, fits) > (best, feasible):
            best, feasible = error, fits
    return best, feasible
