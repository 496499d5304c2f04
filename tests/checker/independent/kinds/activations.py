"""How far activations are from ReLU, by their definitions in mpmath and a search for where they are farthest."""

from fractions import Fraction

import mpmath

from tests.checker.independent.kinds.read import real

ACTIVATIONS = {
    "gelu": lambda t: t * mpmath.ncdf(t),
    "silu": lambda t: t / (1 + mpmath.exp(-t)),
    "softplus": lambda t: mpmath.log(1 + mpmath.exp(t)),
}


def apart(name, t):
    return abs(ACTIVATIONS[name](t) - max(t, mpmath.mpf(0)))


def farthest(name):
    """The greatest distance on a fine grid of both sides; each has one maximum on a side."""
    return max(apart(name, mpmath.mpf(k) / 128) for k in range(-1024, 1025))


def relu_like(fact):
    return farthest(fact["activation"]) <= real(Fraction(fact["within"]))


def relu_apart(fact):
    """At the ends of the range tried the distance is as small as 10^-200, beside numbers of size 1."""
    with mpmath.workdps(300):
        return apart(fact["activation"], real(Fraction(fact["at"]))) > real(Fraction(fact["over"]))


SAYS = {
    "relu-apart": relu_apart,
    "relu-like": relu_like,
}
