"""What is said of readout prices: the exact leverage from normal equations over the rationals, and no factor."""

from fractions import Fraction

import numpy as np
import sympy


def _fraction(text):
    top, _, bottom = text.partition("/")
    return Fraction(int(top, 16), int(bottom or "1", 16))


def _table(rows):
    return [[Fraction(1), *map(Fraction, row)] for row in np.asarray(rows).tolist()]


def leverage(training, there, penalty):
    """h of one input's features, or None where a move is free."""
    phi = sympy.Matrix([[sympy.Rational(v.numerator, v.denominator) for v in row] for row in training])
    at = sympy.Matrix([sympy.Rational(v.numerator, v.denominator) for v in there])
    gram = phi.T * phi + sympy.Rational(penalty.numerator, penalty.denominator) * sympy.diag(0, *[1] * (len(there) - 1))
    joined = gram.row_join(at)
    if joined.rank() > gram.rank():
        return None
    solution, parameters = gram.gauss_jordan_solve(at)
    value = (solution.subs(dict.fromkeys(parameters, 0)).T * at)[0]
    return Fraction(int(value.p), int(value.q))


def _holds(bounds, value):
    low, high = (None if text is None else _fraction(text) for text in bounds)
    return low <= value and (high is None or value <= high)


def readout_prices(fact, tables):
    """`tables` are the recorded features of each part, without the constant."""
    training = _table(tables["training"])
    penalty, move = _fraction(fact["penalty"]), _fraction(fact["move"])
    for part, listed in fact["rows"].items():
        there = _table(tables[part])
        for entry in listed:
            phi = there[entry["row"]]
            height = leverage(training, phi, penalty)
            if (height is None) != ("free" in entry):
                return False
            if height is None:
                direction = {j: _fraction(text) for j, text in fact["directions"][entry["free"]]}
                if not sum(value * phi[j] for j, value in direction.items()):
                    return False
            else:
                price = move**2 / (len(training) * height)
                if not _holds(entry["leverage"], height) or not _holds(entry["price"], price):
                    return False
    return True


SAYS = {"readout-prices": readout_prices}
