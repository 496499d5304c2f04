"""What is said of the line closest to the targets, by roots of a characteristic polynomial."""

from fractions import Fraction

import sympy

from tests.checker.independent.kinds.read import dataset_of, net_of


def best_line(fact):
    """No eigenvalue of the scatter matrix, a root of a polynomial, exceeds what the net leaves of its trace."""
    net, data = net_of(fact["net"]), dataset_of(fact["data"])
    if len(net.layers) < 2 or net.widths[-2] != 1:
        return False
    return no_line_is_closer(data, len(data) * data.loss(net))


def line_bound(fact):
    return no_line_is_closer(dataset_of(fact["data"]), Fraction(fact["error"]))


def no_line_is_closer(data, error):
    y = sympy.Matrix([[sympy.Rational(v.numerator, v.denominator) for v in row] for row in data.targets])
    away = y - sympy.ones(len(data), len(data)) * y / len(data)
    scatter = away.T * away
    rest = scatter.trace() - sympy.Rational(error.numerator, error.denominator)
    return max(sympy.Poly(scatter.charpoly().as_expr()).real_roots()) <= rest


SAYS = {
    "best-line": best_line,
    "line-bound": line_bound,
}
