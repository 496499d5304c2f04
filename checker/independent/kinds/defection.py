"""The price of a defection: the least loss of nets whose output at a point is off a base policy's by so much."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from proof_of_absence.checker.independent.kinds.global_minimum import Signs, global_minimum
from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, Vector, number, numbers, rows

Point = tuple[Fraction, ...]


def defection_price(fact: Fact) -> None:
    """Each of `prices`: the least loss over the nets f of S_units with side (f(point) - base(point)) >= by, less L*.

    `minimum` shows L*(units), as in a fact of a global minimum. A price has its own net and residuals, each over the
    distinct inputs in order.

    Notes
    -----
    Let u_g, nu_g, y_g be the distinct inputs, multiplicities, mean targets, and t the output at the point x that a
    defection has to reach: s f(x) >= s t. For a vector r let M = - sum_g nu_g r_g. As for a global minimum,

        sum_g nu_g (y_g - f(u_g))^2  >=  sum_g nu_g (2 r_g y_g - r_g^2)  -  2 sum_g nu_g r_g f(u_g).

    Suppose s M >= 0, and that sum_g nu_g r_g f(u_g) + M f(x) <= 0; it is 0 for a constant f, so this has to be seen of
    units. Then the last term is at least 2 M f(x), and this is at least 2 M t. (C22_certificate and C22_rays in Coq.)
    """
    data, units = Data(fact["data"]), fact["units"]
    minimum, base = fact["minimum"], Net(fact["base"])
    global_minimum({**minimum, "data": fact["data"], "units": units})
    least = data.error(Net(minimum["net"]))
    require(base.widths[-1] == 1, "not a base policy with one output")
    require(bool(fact["prices"]), "there is no price")
    signs: dict[Point, Signs] = {}
    points = sorted(data.means())
    for entry in fact["prices"]:
        point = tuple(numbers(entry["point"]))
        require(len(point) == len(points[0]), "the point has another dimension than the inputs")
        if point not in signs:
            signs[point] = Signs(points if point in points else [*points, point])
        net = Net(entry["net"])
        _defects(net, entry, base, units)
        level = base.output(list(point))[0] + entry["side"] * number(entry["by"])
        _least(data, net, entry, level, signs[point], units)
        price = (data.error(net) - least) / len(data.inputs)
        require_equal("the price", number(entry["price"]), price)


def _defects(net: Net, entry: Any, base: Net, units: int) -> None:
    """The net is one of S_units and defects by as much as is said."""
    point, side = numbers(entry["point"]), entry["side"]
    require(len(net.layers) == 2 and net.widths[2] == 1, "not a shallow net with one output")
    require(units <= net.widths[1], "the net has not as many units")
    require(not any(net.layers[1][0][0][units:]), "a further unit sends something")
    require(type(side) is int and side in (1, -1), "a defection goes up or down")
    moved = side * (net.output(point)[0] - base.output(point)[0])
    require(moved >= number(entry["by"]), "the net does not defect by so much")


def _least(data: Data, net: Net, entry: Any, level: Fraction, signs: Signs, units: int) -> None:
    """No net of S_units that is beyond the level at the point has a lower loss."""
    groups = data.means()
    points = sorted(groups)
    above = data.error(net) - data.floor()
    at = tuple(numbers(entry["point"]))
    weighted = []
    for r in rows(entry["residuals"]):
        require(len(r) == len(points), "a residual is not over the distinct inputs")
        weights = [groups[u][0] * x for u, x in zip(points, r, strict=True)]
        multiplier = -sum(weights, Fraction(0))
        require(entry["side"] * multiplier >= 0, "a multiplier is negative")
        bound = sum(_terms(groups, points, r), Fraction(0)) + 2 * multiplier * level
        require(bound >= above, "a residual gives too low a bound")
        if at in groups:
            weights[points.index(at)] += multiplier
        else:
            weights.append(multiplier)
        weighted.append(weights)
    signs.every_net(units, weighted)


def _terms(groups: dict[Point, tuple[int, Vector]], points: list[Point], r: Vector) -> Iterator[Fraction]:
    for u, x in zip(points, r, strict=True):
        count, (mean,) = groups[u]
        yield count * (2 * x * mean - x * x)


KINDS = {
    "defection-price": defection_price,
}
