"""How numbers that several facts state compare."""

from fractions import Fraction
from functools import reduce
from operator import getitem


def compares(left, sign, right, parts):
    """Whether two sums of numbers compare so; not if one of them is nowhere."""

    def value(side):
        terms = ((coefficient, reduce(getitem, path, parts) if path else 1) for coefficient, *path in side)
        return sum(Fraction(coefficient) * Fraction(stated) for coefficient, stated in terms)

    try:
        apart = value(right) - value(left)
    except (IndexError, KeyError):
        return False
    return {"<": apart > 0, "<=": apart >= 0, "=": apart == 0}[sign]
