"""How fast the mass of a set of nets falls in a census, beside the exponents of C14 and C26: fitted, in floats.

C14 bounds the mass by a constant times exp(-gap beta), where the gap is from the least loss of the set to that of all
nets; C26, on a box, by one times exp(-gap beta / 2). Masses are enclosed exactly; their logarithms and the line through
them are floats.
"""

from fractions import Fraction
from math import exp, log
from typing import NamedTuple

from rich.table import Table

from proof_of_absence.checker.experiments.census.result import CROSSED, DELTAS, SETS
from proof_of_absence.models.tally import Tally, beta

__all__ = ["Exponent", "exponents", "exponents_table"]

POINTS = 9
# The last stretch goes on to this many times the beta where it begins.
FARTHEST = 4


class Exponent(NamedTuple):
    """Of one set of nets between two inverse temperatures: mass ~ exp(-fitted beta); and the gap of C14."""

    name: str
    first: float
    last: float
    fitted: float
    gap: Fraction


def exponents(tally: Tally) -> list[Exponent]:
    """For each set that loses to the best nets: from where its mass is below 1/2 to below 1/100, and from there on.

    A stretch that does not begin above beta = 0 is left out.
    """
    found = []
    for name in CROSSED:
        if not tally.count(*SETS[name]):
            continue
        gap = tally.census(*SETS[name]).gap
        crossings = [tally.crossing(delta, *SETS[name]) for delta in DELTAS.values()]
        ends = [beta(crossing.below, tally.unit) for crossing in crossings if crossing and crossing.below < 1]
        if gap > 0 and ends:
            for first, last in zip(ends, [*ends[1:], FARTHEST * ends[-1]], strict=True):
                if last > first:
                    found.append(Exponent(name, first, last, _fitted(tally, SETS[name], first, last), gap))
    return found


def _fitted(tally: Tally, cells: tuple[str, ...], first: float, last: float) -> float:
    """Less the slope of the line through the logarithms of the masses, by least squares."""
    betas = [first + (last - first) * k / (POINTS - 1) for k in range(POINTS)]
    logs = []
    for at in betas:
        t = Fraction(exp(-at * float(tally.unit)))
        low, high = tally.enclosure(t, t, *cells)
        logs.append(log((low + high) / 2))
    middle, level = sum(betas) / POINTS, sum(logs) / POINTS
    rise = sum((b - middle) * (y - level) for b, y in zip(betas, logs, strict=True))
    return -rise / sum((b - middle) ** 2 for b in betas)


def exponents_table(found: list[Exponent]) -> Table:
    """A row for each set and stretch."""
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Mass ~ exp(-e beta)", no_wrap=True)
    for column in ("beta from", "to", "e, fitted", "of C14", "of C26"):
        table.add_column(column, justify="right", no_wrap=True)
    for e in found:
        values = (e.first, e.last, e.fitted, float(e.gap), float(e.gap) / 2)
        table.add_row(e.name, *(f"{value:.4g}" for value in values))
    return table
