"""What is said of recorded activations: tables of exact numbers, one entry after the other, and no block."""

from fractions import Fraction


def table(array):
    return [[Fraction(float(x)) for x in row] for row in array]


def recorded_columns(train, deploy, fact):
    rows = table(train)
    constant = [j for j in range(len(rows[0])) if len({row[j] for row in rows}) == 1]
    values = [Fraction(float.fromhex(text)) for text in fact["values"]]
    stated = (fact["rows"], fact["columns"], fact["constant"], values)
    return stated == (len(rows), len(rows[0]), constant, [rows[0][j] for j in constant])


def recorded_moves(train, deploy, fact):
    first, *rest = table(train)
    constant = [j for j, x in enumerate(first) if all(row[j] == x for row in rest)]
    apart = [[row[j] != first[j] for j in constant] for row in table(deploy)]
    by_column = [sum(row[k] for row in apart) for k in range(len(constant))]
    return (fact["rows"], fact["columns"], fact["inputs"]) == (len(deploy), by_column, list(map(sum, apart)))


SAYS = {"recorded-columns": recorded_columns, "recorded-moves": recorded_moves}
