"""The price of a detector (C11) on one line of a world: one question about one kind of state, by the hour."""

from fractions import Fraction

from proof_of_absence.checker.independent.kinds.global_minimum import global_minimum
from proof_of_absence.checker.independent.refusal import require, require_equal
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import Data, Net, number, numbers
from proof_of_absence.checker.independent.values.world import World, human


def world_price(fact: Fact) -> None:
    """For hours without training data, L*(n - k) - L*(n) is `price`; k is the size of the hour's smallest detector.

    `least` are L*(0), L*(1), .., by `minima`. An hour beyond all hours of training has a detector of 1 unit, one with
    two of them on each side one of 3, any other one of 2 (C10).
    """
    world = World(fact)
    stated = numbers(fact["least"])
    least = least_losses(line_data(world, fact["case"]), fact["minima"], len(stated) - 1)
    require_equal("the least losses", stated, least)
    for price in fact["prices"]:
        hour, units, size = price["hour"], price["units"], price["size"]
        require(type(hour) is int and type(units) is int, "an hour, or a number of units, is missing")
        require_equal(f"the size of the detector of hour {hour}", size, size_on_line(world.train, hour))
        require(size <= units < len(least), "the net has too few units for the detector, or too many for the losses")
        require_equal(f"the price of hour {hour}", number(price["price"]), least[units - size] - least[units])


def line_data(world: World, case: list[int]) -> Fact:
    """Hours of training and each human's answer, as a certificate writes data."""
    diamond, tampering, question = case
    require(diamond in (0, 1) and tampering in (0, 1, 2) and question in (0, 1), "no such case")
    rows = [
        (str(hour), str(human((diamond, tampering, hour, question), lapses)))
        for hour in sorted(world.train)
        for lapses in world.humans
    ]
    return {"inputs": [[hour] for hour, _ in rows], "targets": [[answer] for _, answer in rows]}


def size_on_line(hours: list[int], hour: int) -> int:
    """How many units the smallest detector of an hour has on the line."""
    before, after = sum(h < hour for h in hours), sum(h > hour for h in hours)
    require(before + after == len(hours), "there is training data at the hour, so no detector of it")
    return 1 if min(before, after) == 0 else 2 if min(before, after) == 1 else 3


def least_losses(line: Fact, minima: list[Fact], units: int) -> list[Fraction]:
    """L*(0) .. L*(units) on data as a certificate writes them, with one output.

    L*(0) is the variance. `minima` are nets of 1, 2, .. units with certificates that none of their size does better;
    they go as far as `units`, or to one that reaches the noise floor, below which no net is.
    """
    data = Data(line)
    count, floor = len(data.inputs), data.floor()
    mean = sum((y for (y,) in data.targets), Fraction(0)) / count
    errors = [sum(((y - mean) ** 2 for (y,) in data.targets), Fraction(0))]
    for n, entry in enumerate(minima, 1):
        require(entry["units"] == n, "the minima are not in order of their units")
        global_minimum(entry | {"data": line})
        errors.append(data.error(Net(entry["net"])))
    require(len(errors) > units or errors[-1] == floor, "the minima stop above the noise floor")
    errors += [floor] * (units + 1 - len(errors))
    return [error / count for error in errors]


KINDS = {"world-price": world_price}
