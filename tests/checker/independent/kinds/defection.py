"""What is said of prices of defection, by another search for them."""

import json
from fractions import Fraction
from functools import cache

from proof_of_absence.checker.minima.defection import Prices
from tests.checker.independent.kinds.global_minimum import global_minimum_is, least
from tests.checker.independent.kinds.read import dataset_of, net_of


@cache
def search(data, point):
    return Prices(dataset_of(json.loads(data)), json.loads(point))


@cache
def beyond(data, units, point, side, level):
    return search(data, point).least(units, side, level).loss


def defection_price_is(fact):
    data, units, base = json.dumps(fact["data"]), fact["units"], net_of(fact["base"])
    if not global_minimum_is({**fact["minimum"], "data": fact["data"], "units": units}):
        return False
    return bool(fact["prices"]) and all(price_is(data, units, base, entry) for entry in fact["prices"])


def price_is(data, units, base, entry):
    net, side, by = net_of(entry["net"]), entry["side"], Fraction(entry["by"])
    if side not in (1, -1) or units > net.widths[1] or any(net.layers[1].weights[0][units:]):
        return False
    point = [Fraction(x) for x in entry["point"]]
    (start,), (reached,) = base(point), net(point)
    loss = dataset_of(json.loads(data)).loss(net)
    dearer = loss - least(data, units)
    return (
        side * (reached - start) >= by
        and loss == beyond(data, units, json.dumps(entry["point"]), side, start + side * by)
        and Fraction(entry["price"]) == dearer
    )


SAYS = {
    "defection-price": defection_price_is,
}
