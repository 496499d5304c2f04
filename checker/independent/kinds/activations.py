"""C27: how far softplus, SiLU and GELU are from ReLU, in ball arithmetic (Johansson 2017).

For all three, sigma(t) - sigma(-t) = t, so that |sigma - relu| is the same at t and at -t.
"""

from collections.abc import Callable
from fractions import Fraction

from flint import arb, fmpq

from proof_of_absence.checker.independent.refusal import Refused, require
from proof_of_absence.checker.independent.values import Fact
from proof_of_absence.checker.independent.values.nets import number

# |sigma(t) - relu(t)| at t >= 0: softplus ln(1 + exp t), SiLU t / (1 + exp -t), GELU t times the normal distribution.
DISTANCE: dict[str, Callable[[arb], arb]] = {
    "gelu": lambda t: t * (t / arb(2).sqrt()).erfc() / 2,
    "silu": lambda t: t / (1 + t.exp()),
    "softplus": lambda t: (-t).exp().log1p(),
}
# From FAR on, all three are at most t exp(-t), which falls there: ln(1 + u) <= u; 1 + exp t >= exp t; and the tail of
# the normal distribution is at most its density at t over t, and exp(-t^2 / 2) <= exp(-t).
FAR, PARTS = 16, 64


def relu_like(fact: Fact) -> None:
    """At every real number the activation is within `within` of ReLU."""
    distance, within = _distance(fact["activation"]), _ball(number(fact["within"]))
    require(bool(FAR * (-arb(FAR)).exp() <= within), "not shown far from 0")
    for k in range(FAR * PARTS):
        near = arb(fmpq(2 * k + 1, 2 * PARTS), fmpq(1, 2 * PARTS))
        require(bool(distance(near) <= within), f"not shown between {Fraction(k, PARTS)} and {Fraction(k + 1, PARTS)}")


def relu_apart(fact: Fact) -> None:
    """At the number `at` the activation is more than `over` from ReLU."""
    distance, at = _distance(fact["activation"]), _ball(abs(number(fact["at"])))
    require(
        bool(distance(at) > _ball(number(fact["over"]))), "the activation is not shown to be farther from ReLU there"
    )


def _distance(name: object) -> Callable[[arb], arb]:
    if not (isinstance(name, str) and name in DISTANCE):
        raise Refused("no such activation")
    return DISTANCE[name]


def _ball(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


KINDS = {
    "relu-apart": relu_apart,
    "relu-like": relu_like,
}
