"""C22 for one unit on the line as queries: all numbers of the nets, all targets and the input are unknown.

A minimiser is known by what it implies: the loss of the nets that are named is no lower.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from proof_of_absence.checker.encode.nets import Entry, forward, unknown_parameters
from proof_of_absence.checker.kernel.obligation import Query
from proof_of_absence.checker.kernel.smt import (
    Script,
    Term,
    add,
    any_of,
    distinct,
    dot,
    eq,
    le,
    lt,
    mul,
    neg,
    square,
    sub,
)
from proof_of_absence.models.circuit import Unit

__all__ = ["ONE", "REPEATED", "THREE", "bounded_by_residuals", "detected", "mixed", "moved_readout", "ordered"]

# Training inputs: three places, and one input twice.
ONE = (0,)
THREE = (0, 1, 2)
REPEATED = (0, 0, 1)
OUTPUT, HIDDEN = Unit(2, 0), Unit(1, 0)


class Sent(NamedTuple):
    """A net of one unit: what the unit sends at training inputs and at x, and the outputs there."""

    units: Sequence[Term]
    outputs: Sequence[Term]
    unit_at: Term
    output_at: Term

    def error(self, targets: Sequence[Term]) -> Term:
        """N L."""
        return add(*(square(sub(f, y)) for f, y in zip(self.outputs, targets, strict=True)))


def _net(script: Script, name: str, inputs: Sequence[int], x: Entry) -> Sent:
    parameters = unknown_parameters(script, (1, 1, 1), f"{name}_")
    *rows, at = (forward(script, parameters, [z], f"{name}{i}") for i, z in enumerate([*inputs, x]))
    return Sent([row[HIDDEN] for row in rows], [row[OUTPUT] for row in rows], at[HIDDEN], at[OUTPUT])


def ordered(inputs: Sequence[int], *, least: bool = True) -> Query:
    """Three nets: of least loss, of least loss among those that defect by t, and one that defects by more.

    The prices are 0 or more, and the larger defection is no cheaper. Not `least`: the second need not be the best.
    """
    script = Script("QF_NRA", f"Nets of one unit on the inputs {inputs}: the best, the best that defects, another")
    ys, x, base = script.reals("y", len(inputs)), script.real("x"), script.real("base")
    best, near, far = (_net(script, name, inputs, x) for name in ("best", "near", "far"))
    errors = script.reals("error", 3)
    for error, net in zip(errors, (best, near, far), strict=True):
        script.premise(eq(error, net.error(ys)))
    small, large = script.real("t"), script.real("larger")
    script.premise(le(small, large))
    for net, size in ((near, small), (far, large)):
        script.premise(le(size, sub(net.output_at, base)))
    for error in errors[1:]:
        script.premise(le(errors[0], error))
    if least:
        script.premise(any_of([lt(sub(far.output_at, base), small), le(errors[1], errors[2])]))
    prices = [sub(error, errors[0]) for error in errors[1:]]
    script.decide("claim_fails", any_of([lt(prices[0], 0), lt(prices[1], prices[0])]))
    return Query(script)


def detected(inputs: Sequence[int], *, idle: bool = True) -> Query:
    """A unit that sends v in training and something else at x puts a constant to any level there, at no loss.

    So the price is at most L*(0) - L*(1). Not `idle`: the unit sends what it likes in training.
    """
    script = Script("QF_NRA", f"A constant on the inputs {inputs}, and a unit that is idle there and fires at x")
    ys, x, level, c = script.reals("y", len(inputs)), script.real("x"), script.real("level"), script.real("c")
    net = _net(script, "net", inputs, x)
    v, size = script.real("v"), script.real("size")
    if idle:
        for sent in net.units:
            script.premise(eq(sent, v))
    script.premise(distinct(net.unit_at, v))
    # The size brings the output at x to the level.
    script.premise(eq(mul(size, sub(net.unit_at, v)), sub(level, c)))
    script.premise(eq("net_w2_0_0", size))
    script.premise(eq("net_b2_0", sub(c, mul(size, v))))
    constant = script.define("constant_error", add(*(square(sub(c, y)) for y in ys)))
    script.decide("claim_fails", any_of([distinct(net.error(ys), constant), distinct(net.output_at, level)]))
    return Query(script)


def moved_readout(inputs: Sequence[int], *, least: bool = True) -> Query:
    """The output weights of a net, of least loss for its unit, move its answer at x by t at t^2 / (N h).

    Of the direction g it is known that the sum of g k over the data is k(x), for the unit and the constant. Not
    `least`: the output weights are any.
    """
    script = Script("QF_NRA", f"A net of one unit on the inputs {inputs}, and its output weights moved at x")
    x, t, residuals = script.real("x"), script.real("t"), script.reals("r", len(inputs))
    net = _net(script, "net", inputs, x)
    ys = _targets(script, net.outputs, residuals)
    if least:
        for sent in ([1] * len(inputs), net.units):
            script.premise(eq(dot(sent, residuals), 0))
    u, c = script.real("u"), script.real("c")
    g = [script.define(f"g_{i}", add(c, mul(u, sent))) for i, sent in enumerate(net.units)]
    script.premise(eq(add(*g), 1))
    script.premise(eq(dot(g, net.units), net.unit_at))
    h = script.define("h", add(c, mul(u, net.unit_at)))
    # The step is t / h.
    step = script.real("step")
    script.premise(eq(mul(step, h), t))
    moved = [add(f, mul(step, d)) for f, d in zip(net.outputs, g, strict=True)]
    error = script.define("moved_error", add(*(square(sub(f, y)) for f, y in zip(moved, ys, strict=True))))
    script.decide("claim_fails", distinct(mul(h, sub(error, add(*map(square, residuals)))), square(t)))
    return Query(script)


def mixed(inputs: Sequence[int], counted: int) -> Query:
    """A net that is no worse than another is near the mean target of the first input: its multiplicity is `counted`."""
    script = Script("QF_NRA", f"Two nets of one unit on the inputs {inputs}, the first no worse than the second")
    residuals, x = script.reals("r", len(inputs)), inputs[0]
    net, other = (_net(script, name, inputs, x) for name in ("net", "other"))
    ys = _targets(script, net.outputs, residuals)
    error = script.define("other_error", other.error(ys))
    script.premise(le(add(*map(square, residuals)), error))
    floor = []
    for place in sorted(set(inputs)):
        among = [y for z, y in zip(inputs, ys, strict=True) if z == place]
        mean = script.define(f"mean_{place}", mul(Fraction(1, len(among)), add(*among)))
        floor += [square(sub(y, mean)) for y in among]
    paid = mul(counted, square(sub(net.output_at, f"mean_{x}")))
    script.decide("claim_fails", lt(sub(error, add(*floor)), paid))
    return Query(script)


def bounded_by_residuals(examples: int, units: int, *, multiplier: bool = True) -> Query:
    """Residuals r and a multiplier of 0 or more that no unit of a net correlates with: if it defects, its loss is at
    least their bound.

    What each unit adds to the output on the data and at x is unknown, so that inputs and activation may be any. Not
    `multiplier`: it may be negative.
    """
    script = Script("QF_NRA", f"A net of {units} units that is at the level or above at x; {examples} examples")
    sent = [script.reals(f"sent{j}", examples + 1) for j in range(units)]
    c, mu = script.real("c"), script.real("mu")
    # They sum to -mu, so the last is known.
    r, beside, above = script.reals("r", examples - 1), script.reals("beside", examples), script.real("above")
    r.append(script.define(f"r_{examples - 1}", neg(add(mu, *r))))
    *outputs, there = [script.define(f"f_{i}", add(c, *of)) for i, of in enumerate(zip(*sent, strict=True))]
    # The targets are given by how far the net's residuals are from r, the level by how far the net is above it.
    residuals = [add(a, b) for a, b in zip(r, beside, strict=True)]
    ys, level = _targets(script, outputs, residuals), script.define("level", sub(there, above))
    script.premise(le(0, above))
    if multiplier:
        script.premise(le(0, mu))
    for *of, at in sent:
        script.premise(le(add(dot(r, of), mul(mu, at)), 0))
    terms = [sub(mul(2, a, y), square(a)) for a, y in zip(r, ys, strict=True)]
    script.decide("claim_fails", lt(add(*map(square, residuals)), add(*terms, mul(2, mu, level))))
    return Query(script)


def _targets(script: Script, outputs: Sequence[Term], residuals: Sequence[Term]) -> list[Term]:
    """All targets, written as outputs and what they leave."""
    return [script.define(f"y_{i}", add(f, r)) for i, (f, r) in enumerate(zip(outputs, residuals, strict=True))]
