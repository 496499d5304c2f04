"""The queries of C20 to C24 against direct evaluation, and their examples against the definitions."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Matrix, Rational

from proof_of_absence.checker.construct.leverage import leverage
from proof_of_absence.checker.construct.rank import FullRank, features, full_rank
from proof_of_absence.checker.independent.sexpr import Script as Read
from proof_of_absence.checker.independent.sexpr import parse
from proof_of_absence.checker.kernel import solvers
from proof_of_absence.checker.kernel.smt import num
from proof_of_absence.checker.minima.ridge import minimum_norm
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.policies import WORLD
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import (
    c9_full_rank,
    c20_counted,
    c21_readout_price,
    c23_confinement,
    c24_sample,
    readout_moves,
)
from proof_of_absence.proofs.c8_contradiction import LINE_INPUTS
from tests.proofs.test_queries import parameters, rationals


@settings(max_examples=60, deadline=None)
@given(st.lists(rationals, min_size=4, max_size=4), st.lists(rationals, min_size=4, max_size=4), st.booleans())
def test_c20_query_says_of_a_net_and_targets_what_is_so(targets, numbers, fitted):
    w, b, a, c = numbers
    net = shallow([([w], b, [a])], [c])
    ys = [y for (y,) in net.outputs(LINE_INPUTS)] if fitted else [Fraction(y) for y in targets]
    off = all(
        any(v) and sum(x * y for x, y in zip(v, ys, strict=True))
        for active in c20_counted.subsets(len(LINE_INPUTS))
        if (v := c20_counted.normal(LINE_INPUTS, (active,)))
    )
    script = Read(c20_counted.no_fit(LINE_INPUTS, 1).script.text())
    values = {name: Fraction(v) for name, v in (parameters(net) | {f"y_{i}": y for i, y in enumerate(ys)}).items()}
    assert script.holds(script.assertions[:-1], values) == off
    fits = net.outputs(LINE_INPUTS) == tuple((y,) for y in ys)
    assert script.holds(script.assertions[-1:], values) == fits
    assert not (off and fits)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=1, max_size=5, unique_by=tuple), st.data()
)
def test_c20_normals_are_orthogonal_to_what_nets_of_the_pattern_put_out(inputs, more):
    active = more.draw(st.sampled_from(c20_counted.subsets(len(inputs))))
    rows = c20_counted.table(inputs, (active,))
    assert all(
        row == ([1, 1, *z] if i in active else [1, 0, 0, 0])
        for i, (row, z) in enumerate(zip(rows, inputs, strict=True))
    )
    v = c20_counted.normal(inputs, (active,))
    assert (v is None) == (Matrix(rows).rank() == len(inputs))
    if v:
        assert any(v) and all(
            sum(x * y for x, y in zip(v, column, strict=True)) == 0 for column in zip(*rows, strict=True)
        )


@settings(max_examples=30, deadline=None)
@given(st.lists(rationals, min_size=4, max_size=4))
def test_c20_general_position_is_that_no_table_has_the_targets_in_its_column_space(targets):
    data = Dataset(LINE_INPUTS, [[y] for y in targets])
    inside = any(
        Matrix(rows).rank() == Matrix([[*row, y] for row, y in zip(rows, targets, strict=True)]).rank()
        for active in c20_counted.subsets(len(LINE_INPUTS))
        for rows in [c20_counted.table(LINE_INPUTS, (active,))]
    )
    answer = solvers.ask("z3", c20_counted.in_general_position(data).script.text())
    assert answer.answer == ("sat" if inside else "unsat")


def output_layer(hidden, weights):
    """The net of these hidden units with one output, its bias first."""
    constant, *rest = weights
    return MLP((hidden.layers[0], Affine([rest], [constant])))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([c21_readout_price.ON_A_LINE, c21_readout_price.IN_A_PLANE]),
    st.lists(rationals, min_size=11, max_size=11),
    st.sampled_from([1, Fraction(1, 2)]),
    st.sampled_from(["least", "as drawn"]),
    st.sampled_from(["priced", "as drawn"]),
)
def test_c21_query_says_of_two_output_layers_what_is_so(case, numbers, share, first, second):
    inputs, hidden, point = case
    size, targets = hidden.widths[1] + 1, numbers[: len(inputs)]
    a, b = numbers[5 : 5 + size], numbers[8 : 8 + size]
    data = Dataset(inputs, [[y] for y in targets])
    found = leverage(hidden, inputs, point)
    net = minimum_norm(hidden, data, intercept=True).net if first == "least" else output_layer(hidden, a)
    other = found.moved(net, [b[0]]) if second == "priced" else output_layer(hidden, b)
    residuals = [r for (r,) in data.residuals(net)]
    one, two = ([*layer.bias, *layer.weights[0]] for layer in (net.layers[1], other.layers[1]))
    values = {f"r_{i}": r for i, r in enumerate(residuals)} | {f"a_{j}": w for j, w in enumerate(one)}
    values |= {f"step_{j}": after - before for j, (before, after) in enumerate(zip(one, two, strict=True))}
    values = {name: Fraction(value) for name, value in values.items()}
    scripts = {
        minimal: Read(c21_readout_price.bound(inputs, hidden, point, share, minimal=minimal).script.text())
        for minimal in (True, False)
    }
    slopes = [
        sum(f * r for f, r in zip(column, residuals, strict=True))
        for column in zip(*features(hidden, inputs), strict=True)
    ]
    assert scripts[True].holds(scripts[True].assertions[:-1], values) == (not any(slopes))
    assert scripts[False].holds(scripts[False].assertions[:-1], values)
    for script in scripts.values():
        defined = {f"y_{i}": y for i, y in enumerate(targets)} | {f"b_{j}": w for j, w in enumerate(two)}
        assert script.holds(parse("".join(f"(= {name} {num(Fraction(v))})" for name, v in defined.items())), values)
    rise = (data.loss(other) - data.loss(net)) * len(data)
    beyond = (other(point)[0] - net(point)[0]) ** 2 > share * found.value * rise
    assert all(script.holds(script.assertions[-1:], values) == beyond for script in scripts.values())
    if first == "least":
        assert beyond == (share < 1 and rise > 0 and 2 * (other(point)[0] - net(point)[0]) ** 2 > found.value * rise)


@settings(max_examples=40, deadline=None)
@given(st.lists(rationals, min_size=15, max_size=15))
def test_c21_identities_are_of_the_costs_of_nets(numbers):
    """The sides of both identities, at features of two units and no constant, against sums written out."""
    phi, y, penalties, a, b = c21_readout_price._unknowns()
    unknowns = [*phi, *y, *penalties, *a, *b]
    at = dict(zip(unknowns, map(Rational, map(str, numbers)), strict=True))
    rows = [[at[entry] for entry in phi.row(i)] for i in range(c21_readout_price.EXAMPLES)]

    def cost(weights):
        errors = (sum(f * w for f, w in zip(row, weights, strict=True)) - at[t] for row, t in zip(rows, y, strict=True))
        return sum(e * e for e in errors) + sum(at[k] * w * w for k, w in zip(penalties, weights, strict=True))

    def form(left, right):
        gram = c21_readout_price._gram(phi, penalties)
        return sum(left[i] * right[j] * gram[i, j] for i in range(2) for j in range(2)).subs(at)

    one, two = [at[w] for w in a], [at[w] for w in b]
    assert c21_readout_price._cost(phi, y, penalties, a).subs(at) == cost(one)
    step = [w - v for v, w in zip(one, two, strict=True)]
    slope = (cost([v + s for v, s in zip(one, step, strict=True)])
             - cost([v - s for v, s in zip(one, step, strict=True)])) / 2  # fmt: skip
    assert cost(two) == cost(one) + slope + form(step, step)
    assert form(one, one) * form(two, two) >= form(one, two) ** 2 or min(at[k] for k in penalties) < 0


def test_c21_examples_are_what_they_are_said_to_be():
    data = WORLD.dataset()
    net = readout_moves.WITH_CLOCK
    assert isinstance(full_rank(net, data.inputs), FullRank)
    hours = [z[4] for z in readout_moves.AT_HOURS]
    assert hours == [*sorted(WORLD.train_hours)[-1:], *sorted(WORLD.deploy_hours)]
    assert vector(readout_moves.AT_HOURS[0]) in data.inputs
    with pytest.raises(LookupError, match="the leverage at"):
        readout_moves.free(net, data.inputs, readout_moves.AT_HOURS[1])
    with pytest.raises(LookupError, match="a move is free at"):
        readout_moves.priced(c9_full_rank.ENTWINED, data.inputs, vector(c9_full_rank.DEPLOYED))


units_of_a_line = st.lists(st.tuples(rationals, rationals, st.booleans()), min_size=2, max_size=2)


def values_of(units, shift, name):
    """The values of the unknowns of `c23_confinement.unknown_net` for this net."""
    found = {f"{name}c": Fraction(shift)}
    for j, (w, b, positive) in enumerate(units):
        found |= {f"{name}w_{j}": Fraction(w), f"{name}b_{j}": Fraction(b), f"{name}s{j}": positive}
    return found


@settings(max_examples=60, deadline=None)
@given(units_of_a_line, units_of_a_line, rationals, st.booleans())
def test_c23_queries_of_the_line_say_of_two_nets_what_is_so(one, other, shift, same):
    values = values_of(one, shift, "f") | values_of(one if same else other, 0, "g")
    f, g = (c23_confinement.known_net(values, 2, name) for name in "fg")
    signed = [([w], b, [1 if positive else -1]) for w, b, positive in one]
    assert f == shallow(signed, [shift])
    script = Read(c23_confinement.differ_in_all_gaps(2, 2).script.text())
    at = [[x] for x in c23_confinement.AGREE]
    assert script.holds(script.assertions[:-1], values) == (f.outputs(at) == g.outputs(at))
    differ = all(f([x]) != g([x]) for x in c23_confinement.BETWEEN)
    assert script.holds(script.assertions[-1:], values) == differ
    script = Read(c23_confinement.alternates(2, 2).script.text())
    gaps = [f([x])[0] - g([x])[0] for x in c23_confinement.ALTERNATE]
    turns = all(gap < 0 if i % 2 == 0 else gap > 0 for i, gap in enumerate(gaps))
    assert script.holds(script.assertions, values) == turns


@settings(max_examples=60, deadline=None)
@given(st.lists(rationals, min_size=3, max_size=3), st.integers(0, 5))
def test_c23_query_of_boxes_counts_them(numbers, most):
    *w, b = map(Fraction, numbers)
    crossed = 0
    for i in range(c23_confinement.SIDES):
        for j in range(c23_confinement.SIDES):
            at = [b + w[0] * x + w[1] * y for x in (i, i + 1) for y in (j, j + 1)]
            crossed += min(at) < 0 < max(at)
    script = Read(c23_confinement.crosses_more(most).script.text())
    assert script.holds(script.assertions, {"w_0": w[0], "w_1": w[1], "b": b}) == (crossed > most)


@settings(max_examples=60, deadline=None)
@given(st.lists(rationals, min_size=5, max_size=5), st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any))
def test_c23_query_of_the_average_says_what_is_so(numbers, weights):
    w0, w1, b, a, c = map(Fraction, numbers)
    share = [Fraction(x, sum(weights)) for x in weights]
    net, corners = shallow([([w0, w1], b, [a])], [c]), c23_confinement.TRIANGLE
    x = [sum(s * z[k] for s, z in zip(share, corners, strict=True)) for k in (0, 1)]
    average = sum(s * net(z)[0] for s, z in zip(share, corners, strict=True))
    before = [w0 * z[0] + w1 * z[1] + b for z in corners]
    values = {"w_0": w0, "w_1": w1, "b": b, "a": a, "c": c} | {f"l_{i}": s for i, s in enumerate(share)}
    script = Read(c23_confinement.not_the_average(corners).script.text())
    assert script.holds(script.assertions[:-1], values) == (min(before) >= 0 or max(before) <= 0)
    assert script.holds(script.assertions[-1:], values) == (net(x)[0] != average)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=4, max_size=4), rationals, rationals)
def test_c24_query_counts_the_samples_on_which_a_model_agrees(weights, eps, a):
    (x, y), (u, v) = weights[:2], weights[2:]
    train = [Fraction(x, x + y or 1), Fraction(y, x + y or 1)]
    deploy = [Fraction(u, u + v or 1), Fraction(v, u + v or 1)]
    eps, a = Fraction(eps), Fraction(a)
    values = {"eps": eps, "a": a} | {f"train_{i}": p for i, p in enumerate(train)}
    values |= {f"dep_{i}": q for i, q in enumerate(deploy)}
    script = Read(c24_sample.agrees_and_defects(2, 3).script.text())
    premises = sum(train) == sum(deploy) == 1 and eps >= 0 and a >= 0 and eps * a <= 1
    mixed = all(eps * q <= p for p, q in zip(train, deploy, strict=True))
    assert script.holds(script.assertions[:-1], values) == (premises and mixed)
    # Model i defects at input i alone: it agrees on the samples that are three times the other input.
    chance = sum(train[1 - i] ** 3 for i in (0, 1) if deploy[i] >= a)
    assert script.holds(script.assertions[-1:], values) == (2 * (1 - eps * a) ** 3 < chance)
