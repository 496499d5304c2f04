"""Lower bounds on the loss over every shallow net on the line (d = m = 1), one dual certificate for each activation pattern.

relu(w z + b) is positive on a run of inputs that begins or ends the sorted line. On a fixed pattern the outputs are linear in
(c, alpha, beta), with a_j = +-1 after rescaling, so least squares under the pattern's constraints is convex and weak duality bounds it.
"""

from fractions import Fraction
from itertools import combinations_with_replacement

from absence.checker.independent.nets import Data, Net, dot, number, numbers
from absence.checker.independent.refusal import require


def global_minimum(fact: dict) -> None:
    """No net with as many hidden units as `net` has a lower loss on `data`."""
    net, data = Net(fact["net"]), Data(fact["data"])
    require(len(net.layers) == 2 and net.widths[0] == net.widths[2] == 1, "only shallow nets with d = m = 1")
    target = data.error(net)
    xs = [z[0] for z in data.inputs]
    ys = [y[0] for y in data.targets]
    bounds = {_key(entry["units"]): entry for entry in fact["patterns"]}
    for pattern in combinations_with_replacement(unit_patterns(len(set(xs))), net.widths[1]):
        require(pattern in bounds, f"no bound for the pattern {pattern}")
        bound = _dual_bound(pattern, bounds[pattern], xs, ys)
        require(bound >= target, f"the bound of the pattern {pattern} is too low")


def unit_patterns(count: int) -> list[tuple[int, int, int]]:
    """(first, end, sign): the unit is nonnegative on the sorted distinct inputs first..end-1, nonpositive elsewhere.

    The silent unit is (0, 0, 1) alone: it sends 0 whatever its sign.
    """
    runs = [(k, count) for k in range(count)] + [(0, k) for k in range(1, count)]
    return [(0, 0, 1), *((first, end, sign) for first, end in runs for sign in (1, -1))]


def _key(units) -> tuple:
    return tuple((first, end, sign) for first, end, sign in units)


def _dual_bound(pattern, entry, xs: list[Fraction], ys: list[Fraction]) -> Fraction:
    """|y - Phi t|^2 - lambda . G t, once 2 Phi'(Phi t - y) = G' lambda and lambda >= 0."""
    line = sorted(set(xs))
    point = numbers(entry["point"])
    require(len(point) == 1 + 2 * len(pattern), "the point has the wrong dimension")

    def features(x: Fraction) -> list[Fraction]:
        row = [Fraction(1)]
        for first, end, sign in pattern:
            on = first < end and line[first] <= x <= line[end - 1]
            row += [sign * x, Fraction(sign)] if on else [Fraction(0)] * 2
        return row

    phi = [features(x) for x in xs]
    fitted = [dot(row, point) for row in phi]
    gradient = [2 * sum((f - y) * row[k] for f, y, row in zip(fitted, ys, phi, strict=True)) for k in range(len(point))]
    price = Fraction(0)
    for unit, at, multiplier in entry["multipliers"]:
        require(isinstance(unit, int) and 0 <= unit < len(pattern), "a multiplier of no unit")
        require(isinstance(at, int) and 0 <= at < len(line), "a multiplier at no input")
        first, end, _ = pattern[unit]
        value = number(multiplier)
        require(value >= 0, "a negative multiplier")
        side = 1 if first <= at < end else -1
        constraint = {1 + 2 * unit: side * line[at], 2 + 2 * unit: Fraction(side)}
        for k, coefficient in constraint.items():
            gradient[k] -= value * coefficient
            price += value * coefficient * point[k]
    require(not any(gradient), "the point is not stationary")
    return sum(((y - f) ** 2 for f, y in zip(fitted, ys, strict=True)), Fraction(0)) - price
