"""What is said of prices on a line of a world, by another search for the least losses."""

from fractions import Fraction

from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from proof_of_absence.models.data import Dataset
from tests.checker.independent.kinds.read import net_of, world_of


def world_price(fact):
    world = world_of(fact, [1, 1, 1], 0)
    data = world.line(*fact["case"])
    losses = [least(data, n) for n in range(len(fact["least"]))]
    if list(map(Fraction, fact["least"])) != losses:
        return False
    for entry in fact["minima"]:
        net = net_of(entry["net"])
        if net.widths[1] != entry["units"] or data.loss(net) != losses[net.widths[1]]:
            return False
    for price in fact["prices"]:
        n, size, hours = price["units"], price["size"], world.train_hours
        sides = sorted((sum(h < price["hour"] for h in hours), sum(h > price["hour"] for h in hours)))
        if price["hour"] in hours or size != min(sides[0], 2) + 1 or not size <= n < len(losses):
            return False
        if Fraction(price["price"]) != losses[n - size] - losses[n]:
            return False
    return True


def least(data: Dataset, units: int):
    return global_minimum(data, units).loss


SAYS = {
    "world-price": world_price,
}
