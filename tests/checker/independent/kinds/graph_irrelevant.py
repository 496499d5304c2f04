"""What units send in a box: at its corners and at points between them, as Fractions."""

from fractions import Fraction
from itertools import islice, product

from tests.checker.independent.kinds.graph_idle import number

MOST = 64


def points(low, high):
    """Corners of the box, and its middle."""
    yield [(a + b) / 2 for a, b in zip(low, high, strict=True)]
    yield from islice(product(*({a, b} for a, b in zip(low, high, strict=True))), MOST)


def graph_irrelevant(net, train, fact):
    node, (low, high) = fact["node"], ([number(x) for x in fact[end]] for end in ("low", "high"))
    sent = net.values(list(map(Fraction, train[0].tolist())))[node]
    still = all(
        (net.values(list(z))[node][fact["still"]] == sent[fact["still"]]).all() for z in points(low, high)
    ) if fact["still"] else True  # fmt: skip
    acts = all(
        net.values([number(x) for x in z])[node][entry] != sent[entry]
        and all(a <= number(x) <= b for a, x, b in zip(low, z, high, strict=True))
        for entry, z in fact["acts"]
    )
    return still and acts
