"""The losses of a graph: squared ones as Fractions, row by row, and others by mpmath in a hundred digits."""

from fractions import Fraction

import mpmath


def ends(stated):
    return [Fraction(text) for text in stated]


def squared(net, train, targets):
    rows = [[(y - x) ** 2 for x, y in zip(net(row), map(Fraction, ys), strict=True)] for row, ys in zip(
        exactly(train), targets.tolist(), strict=True)]  # fmt: skip
    floor = Fraction(0)
    for group in groups(train, targets):
        means = [sum(column) / len(column) for column in zip(*group, strict=True)]
        floor += sum((y - m) ** 2 for row in group for y, m in zip(row, means, strict=True))
    return sum(map(sum, rows)) / len(train), floor / len(train)


def of_classes(net, train, targets):
    """The loss of logits 0 and f where there is one output f."""
    with mpmath.workdps(100):
        loss = floor = mpmath.mpf(0)
        for row, ys in zip(exactly(train), targets.tolist(), strict=True):
            outputs = [mpmath.mpf(x.numerator) / x.denominator for x in net(row)]
            wanted = list(map(mpmath.mpf, ys))
            if len(outputs) == 1:
                outputs, wanted = [mpmath.mpf(0), *outputs], [1 - wanted[0], *wanted]
            top = max(outputs)
            whole = top + mpmath.log(sum(mpmath.exp(f - top) for f in outputs))
            loss += whole - sum(t * f for t, f in zip(wanted, outputs, strict=True))
        for group in groups(train, targets):
            whole = [[1 - row[0], row[0]] if len(row) == 1 else row for row in group]
            sums = [sum(column) for column in zip(*whole, strict=True)]
            floor -= sum(float(s) and real(s) * mpmath.log(real(s) / len(group)) for s in sums)
        return loss / len(train), floor / len(train)


def real(x):
    return mpmath.mpf(x.numerator) / x.denominator


def exactly(train):
    return [list(map(Fraction, row)) for row in train.tolist()]


def groups(train, targets):
    """The targets of equal inputs."""
    found = {}
    for row, ys in zip(train.tolist(), targets.tolist(), strict=True):
        found.setdefault(tuple(row), []).append(list(map(Fraction, ys)))
    return list(found.values())


def graph_losses(net, train, targets, fact):
    if fact["of"] == "squared":
        pairs = zip(squared(net, train, targets), (fact["loss"], fact["noise_floor"]), strict=True)
        return all(ends(stated)[0] <= x <= ends(stated)[1] for x, stated in pairs)
    found = of_classes(net, train, targets)
    with mpmath.workdps(100):
        slack = mpmath.mpf(10) ** -40
        return all(
            real(ends(stated)[0]) - slack <= x <= real(ends(stated)[1]) + slack
            for x, stated in zip(found, (fact["loss"], fact["noise_floor"]), strict=True)
        )
