"""The queries of C22 against direct evaluation: at given values a script is true just when the statement is."""

from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.leverage import Leverage, leverage
from proof_of_absence.checker.independent.sexpr import Script as Read
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs import price_queries
from proof_of_absence.proofs.c22_price import TWICE
from proof_of_absence.proofs.price_queries import REPEATED, THREE

SMALL = st.fractions(-3, 3, max_denominator=2)
UNIT = st.tuples(SMALL, SMALL, SMALL, SMALL)
TARGETS = st.lists(SMALL, min_size=3, max_size=3)


def net_of(w, b, a, c):
    return shallow([([w], b, [a])], [c])


def named(name, w, b, a, c):
    return {f"{name}_w1_0_0": w, f"{name}_b1_0": b, f"{name}_w2_0_0": a, f"{name}_b2_0": c}


def data_of(inputs, targets):
    return Dataset([[z] for z in inputs], [[y] for y in targets])


def sent(net, x):
    return net.activations([x])[1][0]


def reads(query):
    script = Read(query.script.text())
    return script, script.assertions[:-1], script.assertions[-1:]


@settings(max_examples=80, deadline=None)
@given(UNIT, UNIT, UNIT, TARGETS, SMALL, SMALL, SMALL, SMALL, st.booleans())
def test_the_prices_are_ordered_as_the_losses_say(best, near, far, targets, x, base, t, more, least):
    data = data_of(THREE, targets)
    losses = [len(data) * data.loss(net_of(*p)) for p in (best, near, far)]
    values = {"x": x, "base": base, "t": t, "larger": t + more} | {f"y_{i}": y for i, y in enumerate(targets)}
    values |= named("best", *best) | named("near", *near) | named("far", *far)
    values |= {f"error_{k}": loss for k, loss in enumerate(losses)}
    script, premises, claim = reads(price_queries.ordered(THREE, least=least))
    there = [net_of(*p)([x])[0] - base for p in (near, far)]
    expected = more >= 0 and there[0] >= t and there[1] >= t + more and losses[0] <= min(losses[1:])
    expected = expected and (not least or there[1] < t or losses[1] <= losses[2])
    assert script.holds(premises, values) == expected
    assert script.holds(claim, values) == (losses[1] < losses[0] or losses[2] < losses[1])
    assert not script.holds(premises, values | {"error_0": losses[0] + 1})


@settings(max_examples=80, deadline=None)
@given(UNIT, TARGETS, st.sampled_from([-2, 3, Fraction(1, 2)]), SMALL, SMALL, st.booleans(), st.booleans())
def test_a_detector_puts_a_constant_anywhere(unit, targets, x, level, c, made, idle):
    w, b, *_ = unit
    v = max(b, Fraction(0)) if w <= 0 else max(b, w * 2 + b, Fraction(0))
    there = sent(net_of(w, b, 0, 0), x)
    assume(there != v)
    size = (level - c) / (there - v)
    net = net_of(w, b, size if made else size + 1, c - size * v)
    values = {"x": x, "level": level, "c": c, "v": v, "size": size} | {f"y_{i}": y for i, y in enumerate(targets)}
    values |= named("net", w, b, size if made else size + 1, c - size * v)
    script, premises, claim = reads(price_queries.detected(THREE, idle=idle))
    is_idle = all(sent(net, z) == v for z in THREE)
    assert script.holds(premises, values) == (made and (is_idle or not idle))
    data = data_of(THREE, targets)
    fails = data.loss(net) != data.loss(net_of(0, 0, 0, c)) or net([x])[0] != level
    assert script.holds(claim, values) == fails
    assert not (fails and made and is_idle)


@settings(max_examples=80, deadline=None)
@given(UNIT, TARGETS, SMALL, SMALL, st.booleans(), st.booleans())
def test_moved_output_weights_cost_what_the_leverage_says(unit, residuals, x, t, fitted, least):
    net = net_of(*unit)
    found = leverage(net, [[z] for z in THREE], [x])
    assume(isinstance(found, Leverage))
    if fitted:
        # Take out what the features explain, one after the other.
        units = [sent(net, z) for z in THREE]
        mean = sum(units) / 3
        around = [u - mean for u in units]
        residuals = [r - sum(residuals) / 3 for r in residuals]
        if norm := sum(u * u for u in around):
            slope = sum(u * r for u, r in zip(around, residuals, strict=True)) / norm
            residuals = [r - slope * u for u, r in zip(around, residuals, strict=True)]
    data = data_of(THREE, [net([z])[0] + r for z, r in zip(THREE, residuals, strict=True)])
    moved = found.moved(net, [t])
    constant, weight = found.solution
    values = named("net", *unit) | {f"r_{i}": r for i, r in enumerate(residuals)}
    values |= {"x": x, "t": t, "c": constant, "u": weight, "step": t / found.value}
    script, premises, claim = reads(price_queries.moved_readout(THREE, least=least))
    flat = sum(residuals) == 0 and sum(sent(net, z) * r for z, r in zip(THREE, residuals, strict=True)) == 0
    assert flat or not fitted
    assert script.holds(premises, values) == (flat or not least)
    dearer = 3 * (data.loss(moved) - data.loss(net))
    assert script.holds(claim, values) == (found.value * dearer != t * t)
    assert not script.holds(premises, values | {"step": t / found.value + 1})


@settings(max_examples=80, deadline=None)
@given(UNIT, UNIT, TARGETS, st.sampled_from([TWICE, TWICE + 1]))
def test_mixing_counts_the_multiplicity(unit, other, residuals, counted):
    net = net_of(*unit)
    data = data_of(REPEATED, [net([z])[0] + r for z, r in zip(REPEATED, residuals, strict=True)])
    values = named("net", *unit) | named("other", *other) | {f"r_{i}": r for i, r in enumerate(residuals)}
    script, premises, claim = reads(price_queries.mixed(REPEATED, counted))
    assert script.holds(premises, values) == (data.loss(net) <= data.loss(net_of(*other)))
    (group,) = [group for group in data.groups if group.input == (REPEATED[0],)]
    assert group.multiplicity == TWICE
    paid = counted * (net([REPEATED[0]])[0] - group.mean_target[0]) ** 2
    assert script.holds(claim, values) == (len(data) * (data.loss(net_of(*other)) - data.noise_floor) < paid)


@settings(max_examples=80, deadline=None)
@given(UNIT, UNIT, TARGETS, TARGETS, SMALL, SMALL, SMALL, st.booleans())
def test_residuals_bound_the_loss_as_is_said(one, other, near, beside, x, mu, above, multiplier):
    units = [net_of(*one[:3], 0), net_of(*other[:3], 0)]
    c = one[3]
    residuals = [near[0], near[1], -mu - near[0] - near[1]]
    points = [*THREE, x]
    adds = [[unit([z])[0] for z in points] for unit in units]
    *outputs, there = [c + sum(column) for column in zip(*adds, strict=True)]
    left = [r + e for r, e in zip(residuals, beside, strict=True)]
    targets = [f + r for f, r in zip(outputs, left, strict=True)]
    values = {"c": c, "mu": mu, "above": above, "r_0": residuals[0], "r_1": residuals[1]}
    values |= {f"sent{j}_{i}": v for j, row in enumerate(adds) for i, v in enumerate(row)}
    values |= {f"beside_{i}": e for i, e in enumerate(beside)}
    script, premises, claim = reads(price_queries.bounded_by_residuals(3, 2, multiplier=multiplier))
    slopes = [sum(r * s for r, s in zip([*residuals, mu], row, strict=True)) for row in adds]
    assert script.holds(premises, values) == (above >= 0 and (mu >= 0 or not multiplier) and max(slopes) <= 0)
    bound = sum(2 * r * y - r * r for r, y in zip(residuals, targets, strict=True)) + 2 * mu * (there - above)
    assert script.holds(claim, values) == (sum(r * r for r in left) < bound)
