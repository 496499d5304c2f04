"""What is said of least losses, by another search for them."""

import json
from functools import cache

from proof_of_absence.checker.minima.branch_and_bound import global_minimum
from tests.checker.independent.kinds.read import dataset_of, net_of


@cache
def least(text, units):
    return global_minimum(dataset_of(json.loads(text)), units).loss


def global_minimum_is(fact):
    net, data, units = net_of(fact["net"]), dataset_of(fact["data"]), fact["units"]
    if not 0 <= units <= net.widths[1] or any(net.layers[1].weights[0][units:]):
        return False
    return data.loss(net) == least(json.dumps(fact["data"]), units)


SAYS = {
    "global-minimum": global_minimum_is,
}
