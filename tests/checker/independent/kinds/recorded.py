"""What is said of recorded activations: tables of exact numbers, one entry after the other, and no block."""

from fractions import Fraction

import sympy


def table(array):
    return [[Fraction(float(x)) for x in row] for row in array]


def recorded_columns(train, deploy, fact):
    rows = table(train)
    constant = [j for j in range(len(rows[0])) if len({row[j] for row in rows}) == 1]
    values = [Fraction(float.fromhex(text)) for text in fact["values"]]
    stated = (fact["rows"], fact["columns"], fact["constant"], values)
    return stated == (len(rows), len(rows[0]), constant, [rows[0][j] for j in constant])


def _rank(rows):
    return sympy.Matrix([[1, *(sympy.Rational(x.numerator, x.denominator) for x in row)] for row in rows]).rank()


def _value(relation, row):
    """v_0 + sum_j v_j x_j."""
    total = Fraction(0)
    for j, text in relation:
        top, _, bottom = text.partition("/")
        total += Fraction(int(top, 16), int(bottom or "1", 16)) * (row[j - 1] if j else 1)
    return total


def recorded_rank(train, deploy, fact):
    rows, relations = table(train), fact["relations"]
    minor = [[([1, *rows[i]])[j] for j in fact["columns"]] for i in fact["rows"]]
    square = sympy.Matrix([[sympy.Rational(*Fraction(x).as_integer_ratio()) for x in row] for row in minor])
    shown = square.det() != 0 and all(_value(relation, row) == 0 for relation in relations for row in rows)
    return shown and len(minor) == fact["low"] <= _rank(rows) <= fact["high"]


def recorded_moves(train, deploy, fact):
    first, *rest = table(train)
    constant = [j for j, x in enumerate(first) if all(row[j] == x for row in rest)]
    apart = [[row[j] != first[j] for j in constant] for row in table(deploy)]
    by_column = [sum(row[k] for row in apart) for k in range(len(constant))]
    return (fact["rows"], fact["columns"], fact["inputs"]) == (len(deploy), by_column, list(map(sum, apart)))


SAYS = {"recorded-columns": recorded_columns, "recorded-moves": recorded_moves, "recorded-rank": recorded_rank}
