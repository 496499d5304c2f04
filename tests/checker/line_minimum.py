"""Exact global minima of shallow nets on the line (d = m = 1), by enumeration of activation patterns.

On a pattern the loss is a convex quadratic under linear constraints; its dual solution is the certificate of a lower bound.
"""

from fractions import Fraction
from itertools import combinations_with_replacement, product
from typing import NamedTuple

from absence.checker.exact import solve_some
from absence.models.data import Dataset
from absence.models.net import MLP, shallow

__all__ = ["Minimum", "global_minimum"]

# (first, end, sign): the run of sorted distinct inputs on which the unit is nonnegative, and the sign of its output weight.
Pattern = tuple[tuple[int, int, int], ...]


class Bound(NamedTuple):
    """Weak duality on one pattern: a stationary point, multipliers (unit, input, value), N times the loss it bounds."""

    point: tuple[Fraction, ...]
    multipliers: tuple[tuple[int, int, Fraction], ...]
    error: Fraction


class Minimum(NamedTuple):
    """A net of least loss and the dual bound of every pattern."""

    net: MLP
    loss: Fraction
    bounds: dict[Pattern, Bound]

    def fact(self, net_json: list, data_json: dict) -> dict:
        """The fact for the independent checker."""
        patterns = [
            {
                "units": [list(unit) for unit in pattern],
                "point": [str(x) for x in bound.point],
                "multipliers": [[unit, at, str(value)] for unit, at, value in bound.multipliers],
            }
            for pattern, bound in self.bounds.items()
        ]
        return {"kind": "global-minimum", "net": net_json, "data": data_json, "patterns": patterns}


def patterns(count: int, units: int) -> list[Pattern]:
    """The activation patterns of `units` hidden units on `count` points of a line, up to order of the units."""
    runs = [(k, count) for k in range(count)] + [(0, k) for k in range(1, count)]
    single = [(0, 0, 1), *((first, end, sign) for first, end in runs for sign in (1, -1))]
    return list(combinations_with_replacement(single, units))


def global_minimum(data: Dataset, units: int) -> Minimum:
    """A net of S_n with the least loss on data of one input and one output, with its certificate.

    Raises
    ------
    ValueError
        If d or m is not 1, or no pattern attains its bound (then the infimum may not be attained).
    """
    if len(data.inputs[0]) != 1 or len(data.targets[0]) != 1:
        raise ValueError("exact minima are computed for one input and one output")
    line = sorted({z[0] for z in data.inputs})
    bounds, attained = {}, []
    for pattern in patterns(len(line), units):
        bounds[pattern], feasible = _best(pattern, line, data)
        if feasible:
            attained.append((bounds[pattern].error, pattern))
    least = min(bound.error for bound in bounds.values())
    winners = sorted(pattern for error, pattern in attained if error == least)
    if not winners:
        raise ValueError("no pattern attains the least bound")
    net = _net(winners[0], bounds[winners[0]].point)
    return Minimum(net, least / len(data), bounds)


def _net(pattern: Pattern, point: tuple[Fraction, ...]) -> MLP:
    units = [([point[1 + 2 * j]], point[2 + 2 * j], [sign]) for j, (_, _, sign) in enumerate(pattern)]
    return shallow(units, [point[0]])


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


def _best(pattern: Pattern, line: list[Fraction], data: Dataset) -> tuple[Bound, bool]:
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
        if best is None or (error, fits) > (best.error, feasible):
            multipliers = tuple(
                (j, at, value) for (j, at, _), value in zip(chosen, solution[size:], strict=True) if value
            )
            best, feasible = Bound(point, multipliers, error), fits
    return best, feasible
