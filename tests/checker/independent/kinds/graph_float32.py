"""How far torch in float32 is from the exact outputs: not farther than a bound says."""

from fractions import Fraction

import numpy as np

from tests.checker.graph.test_deviation import in_float32
from tests.checker.independent.kinds.graph_idle import number


def measured(net, train):
    """The largest difference at the rows; None where torch overflows."""
    found = [in_float32(net, row).tolist() for row in train]
    if not np.isfinite(found).all():
        return None
    exact = [net(list(map(Fraction, row))) for row in train.tolist()]
    pairs = zip(np.ravel(found).tolist(), np.ravel(exact).tolist(), strict=True)
    return max(abs(Fraction(single) - real) for single, real in pairs)


def graph_float32(net, train, fact):
    most = measured(net, train)
    return most is not None and most <= number(fact["bound"])
