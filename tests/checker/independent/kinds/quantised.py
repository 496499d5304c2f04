"""What is said of the least loss in a quantised class, by trying every net of it."""

from fractions import Fraction
from functools import cache

from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture, Family, Grid
from proof_of_absence.models.posterior import members_of
from tests.checker.independent.kinds.read import dataset_of, net_of


@cache
def _least_on(widths, grid, inputs, targets):
    data = Dataset(inputs, targets)
    return min(data.loss(net) for net in members_of(Family(Architecture(widths), Grid(grid))))


def least_in_class(fact):
    net, data, grid = net_of(fact["net"]), dataset_of(fact["data"]), tuple(map(Fraction, fact["grid"]))
    if len(net.layers) != 2 or len(set(grid)) < len(grid) or net not in Family(Architecture(net.widths), Grid(grid)):
        return False
    if len(grid) ** Architecture(net.widths).parameter_count > 10_000:
        return False
    return data.loss(net) == _least_on(net.widths, grid, data.inputs, data.targets)


SAYS = {
    "least-in-class": least_in_class,
}
