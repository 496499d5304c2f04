"""The price of a detector of each held-out hour (C11) on one line of a world: exact, from certified least losses."""

from collections.abc import Collection
from fractions import Fraction
from typing import Any

from proof_of_absence.checker.experiments.world.cells import setting
from proof_of_absence.checker.kernel.certificate import net_json
from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.world import World

__all__ = ["least_losses", "prices", "size_on_line", "variance"]


def size_on_line(hours: Collection[int], hour: int) -> int:
    """The size of the smallest detector of an hour without data, on the line:
    1 beyond all others, 3 between two and two, else 2 (C10).
    """
    fewer: int = min(sum(h < hour for h in hours), sum(h > hour for h in hours))
    return min(fewer, 2) + 1


def variance(data: Dataset) -> Fraction:
    """L*(0): the loss of the best constant, for one output."""
    mean = sum((y for (y,) in data.targets), Fraction(0)) / len(data)
    return sum(((y - mean) ** 2 for (y,) in data.targets), Fraction(0)) / len(data)


def least_losses(data: Dataset, units: int) -> tuple[list[Fraction], list[dict[str, Any]]]:
    """L*(0) .. L*(units) on the line (d = m = 1), and the certificates of each until one is the noise floor,
    below which none is.

    L*(0) is the variance. The cost is exponential in the units: with answers at 23 hours, 4 take seconds.
    """
    least, minima = [variance(data)], []
    for n in range(1, units + 1):
        if least[-1] == data.noise_floor:
            least.append(least[-1])
            continue
        found = global_minimum(data, n)
        fact = found.fact(net_json(found.net), {})
        minima.append({part: fact[part] for part in ("net", "units", "residuals")})
        least.append(found.loss)
    return least, minima


def prices(world: World, case: tuple[int, int, int], units: int) -> dict[str, Any]:
    """The prices of all held-out hours in nets of 1 .. `units` units,
    on the answers to `case` (diamond, tampering, question) by the hour.

    A detector of k units leaves n - k for the answers, so its price is L*(n - k) - L*(n) (C11).
    """
    least, minima = least_losses(world.line(*case), units)
    rows = []
    for hour in sorted(world.deploy_hours):
        size = size_on_line(world.train_hours, hour)
        for n in range(size, units + 1):
            rows.append({"hour": hour, "units": n, "size": size, "price": str(least[n - size] - least[n])})
    known = {"minima": minima, "least": [str(loss) for loss in least]}
    return {"kind": "world-price", **setting(world), "case": list(case), **known, "prices": rows}
