"""From a tally to what is told of it: counts, masses as a function of beta, crossings; as JSON for a sealed file.

beta is given by t = exp(-beta unit), a rational number, so that the masses are rational; what is
written are 12 digits of them.
"""

from fractions import Fraction
from math import exp, log
from typing import Any

from proof_of_absence.checker.experiments.census.problem import CELLS, Problem
from proof_of_absence.checker.kernel.certificate import seal
from proof_of_absence.checker.kernel.kept import versions
from proof_of_absence.models.tally import Crossing, Tally, beta

__all__ = ["DELTAS", "FORMAT", "SETS", "facts", "result", "share", "temperatures"]

FORMAT = "absence-census/1"
SCOPE = (
    "instance: every net of this class on these data, in exact integers; classes are by answers on the listed inputs "
    "alone. A crossing says from which beta on a mass stays below delta; without `above` it may do so from a smaller "
    "beta on. Nothing is said of real parameters, of other inputs, or of what a training procedure returns"
)
SETS = {
    "idle": tuple(cell for cell in CELLS if cell.endswith("-idle")),
    "deceptive": tuple(cell for cell in CELLS if cell.startswith("deceptive")),
    "deceptive-idle": ("deceptive-idle",),
    "imitator": tuple(cell for cell in CELLS if cell.startswith("imitator")),
    "translator": tuple(cell for cell in CELLS if cell.startswith("translator")),
}
# Crossings are stated of the sets that the claims speak of.
CROSSED = ("idle", "deceptive")
DELTAS = {"half": Fraction(1, 2), "hundredth": Fraction(1, 100)}
POINTS = 61
DIGITS = 12
# Temperatures are multiples of 2^-48; beyond t = 2^-30 the mass is that of the minimisers to 9 digits.
FINE, COLDEST = 48, 30


def temperatures(tally: Tally) -> list[Fraction]:
    """t = exp(-beta unit) at beta = 0 and then evenly on a logarithmic scale,
    from where no loss counts to the minimisers.
    """
    spread = max(1, tally.levels[-1][0] - tally.levels[0][0])
    low, high = log(1 / (10 * spread)), log(COLDEST * log(2))
    steps = (exp(low + (high - low) * k / (POINTS - 1)) for k in range(POINTS))
    found = (Fraction(round(exp(-step) * 2**FINE), 2**FINE) for step in steps)
    return [Fraction(1), *dict.fromkeys(t for t in found if 0 < t < 1)]


def _curve(tally: Tally, ts: list[Fraction]) -> list[dict[str, Any]]:
    """The mass of each cell at each temperature, to DIGITS digits."""
    points = []
    for t in ts:
        masses = (_decimal((low + high) / 2) for low, high in tally.masses(t))
        points.append({"t": str(t), "beta": beta(t, tally.unit), "cells": dict(zip(CELLS, masses, strict=True))})
    return points


def share(point: dict[str, Any], cells: tuple[str, ...]) -> Fraction:
    """The mass of a set of cells at a point of the curve."""
    return sum((Fraction(point["cells"][cell]) for cell in cells), start=Fraction(0))


def facts(chosen: Problem, tally: Tally, ts: list[Fraction]) -> dict[str, Any]:
    """Everything that is claimed but the histogram itself; masses and peaks are those at the temperatures `ts`."""
    points = _curve(tally, ts)
    return {
        "problem": chosen.json(),
        "unit": str(tally.unit),
        "cells": {cell: _counted(tally, (cell,)) for cell in CELLS},
        "sets": {name: _set(tally, points, cells, name in CROSSED) for name, cells in SETS.items()},
        "masses": points,
    }


def result(chosen: Problem, tally: Tally) -> dict[str, Any]:
    """The sealed result."""
    told = facts(chosen, tally, temperatures(tally))
    levels = [[loss, list(counts)] for loss, counts in tally.levels]
    return seal({"format": FORMAT, "scope": SCOPE, **told, "levels": levels, "versions": versions("numpy")})


def _counted(tally: Tally, cells: tuple[str, ...]) -> dict[str, Any]:
    loss, nets = tally.least(*cells) or (None, 0)
    return {
        "nets": tally.count(*cells),
        "least_loss": None if loss is None else str(loss),
        "nets_of_least_loss": nets,
    }


def _set(tally: Tally, points: list[dict[str, Any]], cells: tuple[str, ...], crossed: bool) -> dict[str, Any]:
    peak = max(points, key=lambda point: share(point, cells))
    t = Fraction(peak["t"])
    low, high = tally.enclosure(t, t, *cells)
    return {
        "cells": list(cells),
        **_counted(tally, cells),
        # Of the temperatures of the curve.
        "peak": {"t": peak["t"], "beta": peak["beta"], "mass": _decimal((low + high) / 2)},
        "crossings": {
            name: _crossing(tally, tally.crossing(delta, *cells), delta, cells)
            for name, delta in DELTAS.items()
            if crossed
        },
    }


def _crossing(tally: Tally, found: Crossing | None, delta: Fraction, cells: tuple[str, ...]) -> dict[str, Any]:
    ends: dict[str, Fraction | None] = {
        "above": found.above if found else None,
        "below": found.below if found else None,
        "certain": tally.certain(delta, *cells),
    }
    return {
        "delta": str(delta),
        **{name: None if t is None else str(t) for name, t in ends.items()},
        **{f"beta_{name}": None if t is None else beta(t, tally.unit) for name, t in ends.items()},
    }


def _decimal(mass: Fraction) -> str:
    """To DIGITS digits, as a fraction that a power of ten divides."""
    return str(Fraction(round(mass * 10**DIGITS), 10**DIGITS))
