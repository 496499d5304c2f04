"""The price of a detector of each held-out hour (C11) on one line of a world, exact where least losses can be certified, else between bounds."""

from fractions import Fraction
from itertools import combinations

import numpy as np
from absence.checker.certificate import net_json
from absence.checker.constructive import dot
from absence.checker.exact import solve_some
from absence.checker.minimum import global_minimum
from absence.checker.world.cells import setting
from absence.models.data import Dataset
from absence.models.net import MLP, relu, shallow
from absence.models.world import World

__all__ = ["bent_at_inputs", "least_losses", "prices"]

# The most hours of training for which L*(n) is computed exactly: the cost is exponential in n.
EXACT_HOURS = {1: 24, 2: 16, 3: 12}

Range = tuple[Fraction, Fraction]


def size_on_line(hours, hour: int) -> int:
    """The size of the smallest detector of an hour without data, on the line: 1 beyond all others, 3 between two and two, else 2 (C10)."""
    fewer = min(sum(h < hour for h in hours), sum(h > hour for h in hours))
    return min(fewer, 2) + 1


def bent_at_inputs(data: Dataset, units: int) -> MLP:
    """A net on the line (d = m = 1) with a low loss: every unit bends at an input, the best such by float64, output weights exact.

    An upper bound of L*(n), nothing more: minimisers may bend elsewhere. With one unit fewer than distinct inputs it fits the means.
    """
    line = sorted({z[0] for z in data.inputs})
    candidates = [(side, x) for x in line for side in (1, -1)]
    xs = np.array([float(z[0]) for z in data.inputs])
    ys = np.array([float(y[0]) for y in data.targets])
    columns = [np.maximum(side * (xs - float(x)), 0) for side, x in candidates]

    def error(chosen) -> float:
        features = np.column_stack([np.ones_like(xs), *(columns[j] for j in chosen)])
        fitted = features @ np.linalg.lstsq(features, ys, rcond=None)[0]
        return round(float(((ys - fitted) ** 2).sum()), 9)

    best = [candidates[j] for j in min(combinations(range(len(candidates)), units), key=error)]
    rows = [[Fraction(1), *(relu(side * (z[0] - x)) for side, x in best)] for z in data.inputs]
    gram = [[dot(a, b) for b in zip(*rows, strict=True)] for a in zip(*rows, strict=True)]
    right = [sum(row[k] * y[0] for row, y in zip(rows, data.targets, strict=True)) for k in range(units + 1)]
    shift, *outgoing = solve_some(gram, right)
    return shallow([([side], -side * x, [a]) for (side, x), a in zip(best, outgoing, strict=True)], [shift])


def least_losses(data: Dataset, units: int) -> tuple[list[Range], list[dict], list[MLP]]:
    """Bounds of L*(0) .. L*(units), the certificates of those that are exact, and the nets behind the others' upper bounds.

    L*(0) is the variance; L*(n) is at least the noise floor, and at most the loss of a net of n units or fewer.
    """
    mean = sum(y[0] for y in data.targets) / len(data)
    floor = data.noise_floor
    constant = sum((y[0] - mean) ** 2 for y in data.targets) / len(data)
    bounds, minima, nets = [(constant, constant)], [], []
    hours = len({z[0] for z in data.inputs})
    for n in range(1, units + 1):
        if bounds[-1][1] == floor:
            bounds.append((floor, floor))
            continue
        net = bent_at_inputs(data, n) if 2 * hours >= n else None
        if net is not None and data.loss(net) > floor and hours <= EXACT_HOURS.get(n, 0):
            least = global_minimum(data, n)
            fact = least.fact(net_json(least.net), {})
            minima.append({part: fact[part] for part in ("net", "units", "residuals")})
            bounds.append((least.loss, least.loss))
            continue
        reached = bounds[-1][1]
        if net is not None and data.loss(net) < reached:
            nets.append(net)
            reached = data.loss(net)
        bounds.append((floor, reached))
    if units > len(minima) + len(nets):
        # The facts' bounds go as far as some net has units.
        nets.append(shallow([([0], 0, [0])] * units, [mean]))
    return bounds, minima, nets


def prices(world: World, case: tuple[int, int, int], units: int) -> dict:
    """The prices of all held-out hours in nets of 1 .. `units` units, on the answers to `case` (diamond, tampering, question) by the hour.

    A detector of k units leaves n - k for the answers, so its price is L*(n - k) - L*(n) (C11).
    """
    data = world.line(*case)
    bounds, minima, nets = least_losses(data, units)
    rows = []
    for hour in sorted(world.deploy_hours):
        size = size_on_line(world.train_hours, hour)
        for n in range(size, units + 1):
            (fewer_low, fewer_high), (low, high) = bounds[n - size], bounds[n]
            span = {"low": str(max(fewer_low - high, Fraction(0))), "high": str(fewer_high - low)}
            rows.append({"hour": hour, "units": n, "size": size, **span})
    shown = {"minima": minima, "nets": [net_json(net) for net in nets]}
    least = [[str(low), str(high)] for low, high in bounds]
    return {"kind": "world-price", **setting(world), "case": list(case), **shown, "least": least, "prices": rows}
