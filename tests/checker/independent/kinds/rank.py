"""What is said of the rank of features, by matrices of sympy."""

from fractions import Fraction

import sympy

from tests.checker.independent.kinds.read import net_of


def feature_rows(fact):
    net = net_of(fact["net"])
    if not 1 <= fact["layer"] < len(net.layers):
        raise ValueError("no hidden layer")
    return [[Fraction(1), *net.activations(z)[fact["layer"]]] for z in fact["inputs"]]


def full_rank(fact):
    prime = fact["prime"]
    minor = sympy.Matrix([feature_rows(fact)[i] for i in fact["rows"]])
    if minor.rows != minor.cols or not sympy.isprime(prime) or any(x.q % prime == 0 for x in minor):
        return False
    return minor.det().p % prime != 0


def dependency(fact):
    coefficients = sympy.Matrix(list(map(Fraction, fact["coefficients"])))
    return any(coefficients) and not any(sympy.Matrix(feature_rows(fact)) * coefficients)


SAYS = {
    "dependency": dependency,
    "full-rank": full_rank,
}
