"""Values of a graph as terms of z3, by the plain definition of each layer: an oracle for what holds over a box."""

from fractions import Fraction
from functools import reduce
from math import prod

import numpy as np
import z3

from proof_of_absence.models.graph import value_of
from proof_of_absence.models.graph_layers import Clip, LeakyRelu, MaxPool, Relu


class Term:
    """A term of z3 that Fractions are added to and multiplied with."""

    def __init__(self, term):
        self.term = term

    def __add__(self, other):
        return Term(self.term + _term(other))

    def __mul__(self, other):
        return Term(self.term * _term(other))

    def __truediv__(self, other):
        return self * (1 / Fraction(other))

    __radd__, __rmul__ = __add__, __mul__


def _term(x):
    return x.term if isinstance(x, Term) else z3.RealVal(str(Fraction(x)))


def _greatest(*terms):
    return reduce(lambda a, b: Term(z3.If(_term(a) >= _term(b), _term(a), _term(b))), terms)


def _each(function, h):
    return np.frompyfunc(function, 1, 1)(h)


def _value(layer, below):
    h = below[0]
    match layer:
        case Relu():
            return _each(lambda x: _greatest(x, 0), h)
        case LeakyRelu(slope=slope):
            return _each(lambda x: Term(z3.If(_term(x) >= 0, _term(x), _term(Term(_term(x)) * slope))), h)
        case Clip(low=low, high=high):
            h = h if low is None else _each(lambda x: _greatest(x, low), h)
            return h if high is None else _each(lambda x: _greatest(Term(_term(x)) * -1, -high) * -1, h)
        case MaxPool(window=window):
            flat, index = h.reshape(len(h), -1), window.index(h.shape[1:]).tolist()
            best = [[_greatest(*(row[k] for k in places if k >= 0)) for places in index] for row in flat]
            return np.array(best, dtype=object).reshape(-1, *window.counts)
        case _:
            return value_of(layer, below)


def others(net, node, entry, value, low, high):
    """An input of the box at which the entry of the node is not this value, as Fractions; None where there is none."""
    inputs = [z3.Real(f"x{i}") for i in range(net.sizes[0])]
    solver = z3.Solver()
    for x, a, b in zip(inputs, low, high, strict=True):
        solver.add(_term(a) <= x, x <= _term(b))
    found = [np.array([Term(x) for x in inputs], dtype=object)]
    for one in net.nodes[:node]:
        below = [found[k].reshape(net.shapes[k]) for k in one.reads]
        found.append(_value(one.layer, below).reshape(-1))
        assert found[-1].size == prod(net.shapes[len(found) - 1])
    solver.add(_term(found[node][entry]) != _term(value))
    answer = solver.check()
    assert answer != z3.unknown
    if answer == z3.unsat:
        return None
    model = solver.model()
    return [Fraction(str(model.eval(x, model_completion=True))) for x in inputs]
