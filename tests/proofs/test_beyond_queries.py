"""The queries of C12 to C19 against direct evaluation: at given values a script is true just when the statement is."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.gap import gauge
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Script as Read
from proof_of_absence.checker.minima.ridge import ridge
from proof_of_absence.models.circuit import Unit, hardcode
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, relu, shallow
from proof_of_absence.models.training import gradient
from proof_of_absence.proofs import (
    c12_uniform_gap,
    c13_rent,
    c14_posterior,
    c15_imitator,
    c16_depth,
    c17_other_losses,
    c18_local_optimisation,
    c19_analytical,
    c26_box,
)
from proof_of_absence.proofs.examples import LINE
from tests.conftest import SMALL, vectors
from tests.proofs.test_queries import parameters


def premises(script):
    return script.assertions[:-1]


def added(net, w, b, data):
    """The loss with one more unit (w, b) at its best output weight,
    as a search along the parabola's vertex finds it.
    """
    hidden, output = net.layers

    def loss(a):
        units = [
            (u, v, [row[j] for row in output.weights])
            for j, (u, v) in enumerate(zip(hidden.weights, hidden.bias, strict=True))
        ]
        return data.loss(shallow([*units, (w, b, [a])], output.bias))

    left, middle, right = loss(-1), loss(0), loss(1)
    bend = left - 2 * middle + right
    return middle if bend == 0 else loss((left - right) / (2 * bend))


@pytest.mark.parametrize(
    "inputs",
    [c12_uniform_gap.THREE, c12_uniform_gap.REPEATED, c12_uniform_gap.PLANE_INPUTS],
    ids=["three", "repeated", "plane"],
)
@settings(max_examples=30, deadline=None)
@given(st.data(), st.booleans())
def test_c12_query_says_whether_a_unit_of_the_proof_gains_enough(inputs, data, whole):
    targets = data.draw(vectors(len(inputs)))
    along = gauge(sorted({tuple(map(Fraction, z)) for z in inputs}))
    line = [sum(a * b for a, b in zip(along.direction, z, strict=True)) for z in inputs]
    if data.draw(st.booleans()):
        # The residuals of one unit: it gains the whole distance from the floor and no more.
        bend = data.draw(st.sampled_from(line)) - along.separation
        targets = [targets[0] * relu(p - bend) for p in line]
    examples = Dataset(inputs, [[y] for y in targets])
    net = shallow([([0] * len(inputs[0]), 0, [0])], [0])  # outputs 0, so the residuals are the targets
    script = Read(c12_uniform_gap.candidate_gain(inputs, whole=whole).script.text())
    share = 1 if whole else along.gap(len(inputs))
    excess = examples.loss(net) - examples.noise_floor
    bends = {
        sum(a * b for a, b in zip(along.direction, group.input, strict=True)) + shift
        for group in examples.groups
        for shift in (-along.separation, 0, along.separation)
    }
    gains = [examples.loss(net) - added(net, along.direction, -bend, examples) for bend in bends]
    enough = any(gain >= share * excess for gain in gains)
    assert premises(script) == []
    assert script.holds(["claim_fails"], {f"r_{i}": y for i, y in enumerate(targets)}) == (not enough)
    assert enough or whole


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=2, max_size=2), SMALL, vectors(3), SMALL, st.booleans())
def test_c13_query_says_what_the_circuit_pays(units, c, targets, value, minimal):
    inputs = c13_rent.SYMBOLIC_INPUTS
    net = shallow([([w], b, [a]) for w, b, a in units], [c])
    data = Dataset(inputs, [[y] for y in targets])
    bare = hardcode(net, {Unit(1, 0)}, {Unit(2, 0): value})
    script = Read(c13_rent.pays_rent(minimal=minimal).script.text())
    values = parameters(net) | {f"y_{i}": y for i, y in enumerate(targets)} | {"v": value}
    values |= {f"e_{i}": r for i, (r,) in enumerate(data.residuals(net))}
    values |= {f"r_{i}": r for i, (r,) in enumerate(data.residuals(bare))}
    best = added(bare, [1], 0, data)  # features 0, 1, 3 at the inputs 0, 1, 3
    assert script.holds(premises(script), values) == (not minimal or data.loss(net) <= best)
    assert script.holds(["claim_fails"], values) == (data.loss(bare) - data.loss(net) < data.loss(bare) - best)


@pytest.mark.parametrize("units", [1, 2])
def test_c13_every_circuit_is_replaced_by_its_mean_and_by_0(units):
    facts = c13_rent._every_circuit(c13_rent.ZIGZAG, units).fact["facts"]
    paid = [part for fact in facts for part in fact.get("facts", [fact]) if part["kind"] == "rent"]
    circuits = {tuple(map(tuple, fact["circuit"])) for fact in paid}
    assert len(circuits) == 2**units - 1 and len(paid) == 2 * len(circuits)
    assert {tuple(map(tuple, fact["circuit"])) for fact in paid if fact["value"] == ["0"]} == circuits


@settings(max_examples=60, deadline=None)
@given(
    vectors(4, st.fractions(0, 3, max_denominator=2)),
    st.fractions("1/4", 3, max_denominator=4),
    st.integers(1, 4),
    st.booleans(),
)
def test_c14_query_says_what_the_posterior_is(losses, tau, ratio, gap):
    least, *others = losses
    others = [least + loss for loss in others]
    losses = [least, least, *others]

    def weight(loss):  # decreasing, rational, not exponential
        return 1 / (1 + ratio * loss)

    values = {f"loss_{i}": loss for i, loss in enumerate(losses)} | {
        f"weight_{i}": weight(x) for i, x in enumerate(losses)
    }
    values |= {"tau": tau, "weight_tau": weight(least + tau)}
    script = Read(c14_posterior.five_nets(gap=gap).script.text())
    apart = all(loss > least for loss in others)
    assert script.holds(premises(script), values) == (apart and (not gap or min(losses[2:4]) >= least + tau))
    mass = (weight(losses[2]) + weight(losses[3])) / sum(map(weight, losses))
    bound = Fraction(2, 2) * weight(least + tau) / weight(least)
    assert script.holds(["claim_fails"], values) == (mass > bound)
    assert not script.holds(premises(script), values | {"weight_4": weight(losses[4]) + 9})


WIDE = st.fractions(Fraction(1, 4), 3, max_denominator=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.fractions(0, 3, max_denominator=4), min_size=4, max_size=4), SMALL, WIDE, WIDE, st.booleans())
def test_c26_query_says_what_the_posterior_is(above, low, tau, ratio, near):
    losses = [low + loss for loss in above]

    def weight(loss):  # decreasing, rational, not exponential
        return 1 / (1 + ratio * (loss - low))

    values = {"low": low, "tau": tau, "weight_middle": weight(low + tau / 2), "weight_high": weight(low + tau)}
    for i, loss in enumerate(losses):
        values |= {f"loss_{i}": loss, f"weight_{i}": weight(loss)}
    script = Read(c26_box.four_nets(near=near).script.text())
    close = max(above[:2]) <= tau / 2
    assert script.holds(premises(script), values) == (min(above[2:]) >= tau and (close or not near))
    mass = (weight(losses[2]) + weight(losses[3])) / sum(map(weight, losses))
    assert script.holds(["claim_fails"], values) == (mass > weight(low + tau) / weight(low + tau / 2))
    assert not script.holds(premises(script), values | {"weight_3": weight(losses[3]) + 9})


@settings(max_examples=30, deadline=None)
@given(st.data(), st.booleans())
def test_c16_query_is_the_forward_pass_of_a_net_with_a_lane(data, nonnegative):
    h, layers, source = data.draw(vectors(2)), [], c16_depth.FOOT
    for unit in c16_depth.LANE:
        rows, bias = [list(data.draw(vectors(2))) for _ in range(2)], list(data.draw(vectors(2)))
        rows[unit], bias[unit] = [int(j == source) for j in range(2)], 0
        layers.append(Affine(rows, bias))
        source = unit
    net = MLP((*layers, Affine([[int(j == source) for j in range(2)]], [0])))
    script = Read(c16_depth.lane(nonnegative=nonnegative).script.text())
    values = {name: value for name, value in parameters(net).items() if name in script.declared}
    values |= {f"h_{i}": x for i, x in enumerate(h)}
    assert script.holds(premises(script), values) == (not nonnegative or h[c16_depth.FOOT] >= 0)
    assert script.holds(["claim_fails"], values) == (net(h)[0] != h[c16_depth.FOOT]) == (h[c16_depth.FOOT] < 0)


@settings(max_examples=60, deadline=None)
@given(SMALL, SMALL.map(abs), SMALL, st.booleans())
def test_c16_query_says_how_far_the_reader_moves(p, phi, eps, kink):
    script = Read(c16_depth.one_edge(kink=kink).script.text())
    values = {"p": p, "phi": phi, "eps": eps}
    moved = p + eps * phi
    same_sign = (p > 0 and moved > 0) or (p < 0 and moved < 0)
    touching = p == 0 or moved == 0
    assert script.holds(premises(script), values) == (same_sign or (kink and touching))
    expected = eps * phi if p > 0 else 0
    assert script.holds(["claim_fails"], values) == (relu(moved) - relu(p) != expected)


@settings(max_examples=30, deadline=None)
@given(SMALL, SMALL, SMALL, SMALL)
def test_c16_query_without_a_lane_is_the_loss_of_the_net(w, b, a, reader):
    net = MLP((Affine([[w]], [b]), Affine([[a]], [reader]), Affine([[0]], [0])))
    before = MLP((Affine([[1]], [-9]), Affine([[1]], [0]), Affine([[0]], [0])))
    script = Read(c16_depth.no_lane().script.text())
    assert LINE.loss(net) == LINE.loss(before)
    assert not script.holds(["claim_holds"], {"w": w, "b": b, "a": a, "reader": reader})


@settings(max_examples=60, deadline=None)
@given(vectors(2), vectors(2), SMALL, SMALL, st.booleans())
def test_c18_query_says_whether_the_unit_is_dead_after_decay(w, z, b, rho, alike):
    script = Read(c18_local_optimisation.decayed(alike=alike).script.text())
    values = {f"w_{i}": x for i, x in enumerate(w)} | {f"z_{i}": x for i, x in enumerate(z)} | {"b": b, "rho": rho}

    def pre(net):
        return net.layers[0](z)[0]

    net = shallow([(w, b, [1])], [0])
    after = shallow([([rho * x for x in w], rho * b if alike else b, [1])], [0])
    assert script.holds(premises(script), values) == (0 < rho <= 1 and pre(net) < 0)
    assert script.holds(["claim_fails"], values) == (pre(after) >= 0)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_c18_symbolic_gradient_is_the_gradient_of_the_code(data):
    import sympy

    d, n, m, count = (getattr(c18_local_optimisation, name) for name in ("D", "N_HIDDEN", "M", "N_INPUTS"))
    net = shallow(
        [(data.draw(vectors(d)), data.draw(SMALL), data.draw(vectors(m))) for _ in range(n)], data.draw(vectors(m))
    )
    examples = Dataset([data.draw(vectors(d)) for _ in range(count)], [data.draw(vectors(m)) for _ in range(count)])
    on = [[int(p > 0) for p in net.layers[0](z)] for z in examples.inputs]

    def exact(values):
        return [exact(v) if isinstance(v, tuple) else sympy.Rational(v.numerator, v.denominator) for v in values]

    pattern = c18_local_optimisation.Pattern(on, exact(examples.inputs), exact(examples.targets))
    hidden, output = net.layers
    theta = c18_local_optimisation.Parameters(
        *(exact(part) for part in (hidden.weights, hidden.bias, output.weights, output.bias))
    )
    (dw, db), (da, dc) = ((layer.weights, layer.bias) for layer in gradient(net, examples).layers)
    by_name = {"w": dw, "b": db, "a": da, "c": dc}
    assert pattern.loss(theta) == sympy.Rational(str(examples.loss(net)))
    for (name, *at), first, _ in pattern.slopes(theta):
        expected = by_name[name]
        for index in at:
            expected = expected[index]
        assert first == sympy.Rational(str(expected))


def test_c16_first_order_form_is_a_derivative():
    # Half the summed squared loss along the edge, by an exact central difference: it is quadratic near 0.
    net = MLP((Affine([[1], [1]], [-1, -9]), Affine([[1, 0], [-1, 1]], ["1/2", "3/2"]), Affine([[1, "-1/2"]], [0])))
    result = c16_depth.through_next_layer(net, Unit(1, 1), Unit(2, 1), LINE)
    first, second, last = result.net.layers

    def loss(eps):
        return len(LINE) * LINE.loss(MLP((first, Affine([[1, 0], [-1, eps]], second.bias), last))) / 2

    step = Fraction(1, 1000)
    assert (loss(step) - loss(-step)) / (2 * step) == result.slope != 0
    assert LINE.loss(result.net) < LINE.loss(net)


@given(st.fractions(-3, 1, max_denominator=16), SMALL, st.booleans(), st.booleans())
def test_c17_query_says_whether_the_quadratic_is_above(v, slack, near, tight):
    power = 1 / (1 - v) - (0 if tight else abs(slack)) if v < 1 else Fraction(slack)
    script = Read(c17_other_losses.quadratic(near=near).script.text())
    values = {"E": power, "v": v}
    assert script.holds(premises(script), values) == (v <= (Fraction(1, 2) if near else Fraction(3, 4)))
    assert script.holds(["claim_fails"], values) == (power > 1 + v + 2 * v * v)
    assert not (v <= Fraction(1, 2) and power > 1 + v + 2 * v * v)


@given(vectors(2), vectors(2), st.fractions("1/4", 3, max_denominator=4), vectors(2), st.booleans(), st.booleans())
def test_c17_query_says_whether_the_step_lowers_what_bounds_the_losses(g, phi, curve, slack, short, tight):
    s, q = (sum(a * b for a, b in zip(left, phi, strict=True)) for left in (g, phi))
    size = (Fraction(1, 2) if short else 2) / (curve * q) if q else Fraction(1)
    moves = [-size * p * s for p in phi]
    change = [a * m + curve * m * m - (0 if tight else abs(e)) for a, m, e in zip(g, moves, slack, strict=True)]
    values = {"C": curve, "e": size, "s": s, "q": q} | {f"g_{i}": x for i, x in enumerate(g)}
    values |= {f"phi_{i}": x for i, x in enumerate(phi)} | {f"change_{i}": x for i, x in enumerate(change)}
    script = Read(c17_other_losses.step(short=short).script.text())
    assert script.holds(premises(script), values) == (s != 0)
    assert script.holds(["claim_fails"], values) == (sum(change) >= 0)
    assert not (s and short and sum(change) >= 0)


POSITIVE = st.fractions(0, 3, max_denominator=4)


@given(vectors(3, POSITIVE), POSITIVE, vectors(3), st.sampled_from([Fraction(1, 2), Fraction(3)]), st.booleans(), SMALL)
def test_c19_query_says_what_solves_the_normal_equations(phi, t, targets, penalty, intercept, off):
    features = shallow([([1, 0], 0, [0]), ([0, 1], 0, [0])], [0])
    net = ridge(features, Dataset([(x, t) for x in phi], [[y] for y in targets]), penalty, intercept=intercept)
    (a,), (c,) = net.layers[1].weights, net.layers[1].bias
    script = Read(c19_analytical.normal_equations(intercept=intercept).script.text())
    values = {"t": t, "penalty": penalty, "a_0": a[0], "a_1": a[1]} | ({"c": c} if intercept else {})
    values |= {f"phi_{i}": x for i, x in enumerate(phi)} | {f"y_{i}": y for i, y in enumerate(targets)}
    assert script.holds(premises(script), values)
    assert script.holds(["claim_fails"], values) == (a[1] != 0)
    assert not (intercept and a[1])
    assert script.holds(premises(script), values | {"a_1": a[1] + off}) == (off == 0)


def test_c18_speaks_of_one_and_the_same_step():
    """The net that a step of gradient descent leads to is the one whose loss is said to be lower."""
    (turns,) = [o for o in c18_local_optimisation.CLAIM.obligations if o.id == "C18.interleaved"]
    parts = turns.build().fact["facts"]
    steps = [k for k, part in enumerate(parts) if part["kind"] == "gradient-steps"]
    assert steps
    for k in steps:
        assert parts[k + 1]["kind"] == "lower-loss"
        assert (parts[k]["net"], parts[k]["after"]) == (parts[k + 1]["before"], parts[k + 1]["after"])


def test_c14_shows_no_other_part_of_the_prior_and_no_other_powers_than_those_stated(monkeypatch):
    (half, hundredth) = c14_posterior.FIRING_POWERS
    check_fact(c14_posterior._crossing(c14_posterior.FIRING, (half, hundredth)).fact)
    with pytest.raises(Refused, match="it is not so"):
        check_fact(c14_posterior._crossing(c14_posterior.FIRING, (half, hundredth + 1)).fact)
    check_fact(c14_posterior._warm().fact)
    monkeypatch.setattr(c14_posterior, "PRIOR", c14_posterior.PRIOR + Fraction(1, 81))
    with pytest.raises(Refused, match="it is not so"):
        check_fact(c14_posterior._warm().fact)


def test_c15_refutes_that_nets_agree_in_training_which_do_not(monkeypatch):
    assert c15_imitator._nets().holds
    monkeypatch.setattr(c15_imitator, "IMITATOR", c15_imitator.TRANSLATOR)
    assert not c15_imitator._nets().holds
