"""The price of a detector (C11) on one line of a world: the answers to one question about one kind of state, by the hour alone.

Where both least losses are certified the price is exact; elsewhere it is between bounds, from the noise floor and from nets.
"""

from fractions import Fraction

from absence.checker.independent.minimum import global_minimum
from absence.checker.independent.nets import Data, Net, number
from absence.checker.independent.refusal import require
from absence.checker.independent.world import _human, _World

Range = tuple[Fraction, Fraction]


def world_price(fact: dict) -> None:
    """For hours without training data, L*(n - k) - L*(n) is between `low` and `high`, k being the size of the smallest detector of the hour.

    `least` are bounds of L*(0), L*(1), .. L*(0) is the variance of the answers. `minima` are nets with certificates that none of their size does better. `nets` bound L*
    from above at their size; the noise floor bounds it from below, and L* does not grow with the size. An hour beyond all hours of
    training has a detector of 1 unit, one with two of them on each side one of 3, any other one of 2 (C10).
    """
    world = _World(fact | {"last_hour": max(fact["train_hours"])})
    data = Data(line_data(world, fact["case"]))
    bounds = least_losses(data, fact)
    stated = [(number(low), number(high)) for low, high in fact["least"]]
    require(stated == bounds, "the bounds of the least losses are others")
    for price in fact["prices"]:
        hour, units, size = price["hour"], price["units"], price["size"]
        require(type(hour) is int and type(units) is int, "an hour, or a number of units, is missing")
        require(size == size_on_line(world.train, hour), f"the detector of hour {hour} has another size")
        require(size <= units < len(bounds), "the net has too few units for the detector, or too many for the bounds")
        (fewer_low, fewer_high), (low, high) = bounds[units - size], bounds[units]
        stated = [number(price["low"]), number(price["high"])]
        require(
            stated == [max(fewer_low - high, Fraction(0)), fewer_high - low], f"the price of hour {hour} is another"
        )


def line_data(world: _World, case) -> dict:
    """Hours of training and each human's answer, as a certificate writes data."""
    diamond, tampering, question = case
    require(diamond in (0, 1) and tampering in (0, 1, 2) and question in (0, 1), "no such case")
    rows = [
        (str(hour), str(_human((diamond, tampering, hour, question), lapses)))
        for hour in sorted(world.train)
        for lapses in world.humans
    ]
    return {"inputs": [[hour] for hour, _ in rows], "targets": [[answer] for _, answer in rows]}


def size_on_line(hours, hour: int) -> int:
    """How many units the smallest detector of an hour has on the line."""
    before, after = sum(h < hour for h in hours), sum(h > hour for h in hours)
    require(before + after == len(hours), "there is training data at the hour, so no detector of it")
    return 1 if min(before, after) == 0 else 2 if min(before, after) == 1 else 3


def least_losses(data: Data, fact: dict) -> list[Range]:
    """Bounds of L*(0), L*(1), .. up to the largest number of units of a net."""
    count = len(data.inputs)
    mean = sum((y for (y,) in data.targets), Fraction(0)) / count
    constant = sum(((y - mean) ** 2 for (y,) in data.targets), Fraction(0)) / count
    floor = data.floor() / count
    high, low = {0: constant}, {0: constant}
    for entry in fact["minima"]:
        net = Net(entry["net"])
        global_minimum(entry | {"data": _written(data)})
        units = entry["units"]
        high[units] = low[units] = data.error(net) / count
    for entry in fact["nets"]:
        net = Net(entry)
        require(
            len(net.layers) == 2 and net.widths[0] == net.widths[2] == 1, "a net is not shallow, or not on the line"
        )
        loss = data.error(net) / count
        high[net.widths[1]] = min(loss, high.get(net.widths[1], loss))
    bounds = []
    for units in range(max(high) + 1):
        reached = min(loss for size, loss in high.items() if size <= units)
        bounds.append((max([floor, *(loss for size, loss in low.items() if size >= units)]), reached))
    return bounds


def _written(data: Data) -> dict:
    return {
        "inputs": [[str(x) for x in z] for z in data.inputs],
        "targets": [[str(x) for x in y] for y in data.targets],
    }
