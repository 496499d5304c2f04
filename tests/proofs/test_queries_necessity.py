"""The queries of N2, N3, N5, N9 and N10 against direct evaluation,
and the searches of N4 and N7 against the definitions.
"""

from contextlib import nullcontext
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Script as Read
from proof_of_absence.checker.kernel.certificate import net_json, rows_json
from proof_of_absence.checker.numbers.linear_algebra import rank
from proof_of_absence.models.circuit import Unit, fires, idle_value, is_idle
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP, shallow
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import (
    n2_equal_inputs,
    n3_interpolation,
    n4_almost_idle,
    n5_attainment,
    n7_quantised,
    n8_finite_temperature,
    n9_zero_one_loss,
    n10_near_minima,
)
from proof_of_absence.proofs.c8_contradiction import candidates
from tests.conftest import nets
from tests.proofs.test_queries import parameters, rationals


@settings(max_examples=60, deadline=None)
@given(
    st.lists(rationals, min_size=4, max_size=4),
    st.lists(rationals, min_size=4, max_size=4),
    st.sampled_from(["silent", "as drawn"]),
    st.sampled_from(["as drawn", "means", "fitted"]),
    st.booleans(),
)
def test_n2_query_says_what_c4_units_do(numbers, targets, kind, answers, above_floor):
    w, b, a, c = numbers
    if kind == "silent":
        w, b = abs(w) or Fraction(1), -2 * (abs(w) or 1)
    net = shallow([([w], b, [a])], [c])
    inputs = n2_equal_inputs.INPUTS
    if answers != "as drawn":
        spread = targets[0] if answers == "means" else 0
        targets = [f + s for (f,), s in zip(net.outputs(inputs), (spread, -spread, 0, 0), strict=True)]
    data, circuit = Dataset(inputs, [[y] for y in targets]), {Unit(1, 0)}
    query = n2_equal_inputs.idle_and_stuck(above_floor=above_floor)
    script = Read(query.script.text())
    value = idle_value(net, circuit, inputs)
    values = parameters(net) | {f"y_{i}": y for i, y in enumerate(targets)}
    values["v"] = value[Unit(2, 0)] if value else Fraction(0)
    stuck = all(
        not sum(r * max(u[0] * z[0] + shift, 0) for (r,), z in zip(data.residuals(net), data.inputs, strict=True))
        for u, shift in candidates(sorted(set(inputs)))
    )
    fired = value is not None and fires(net, circuit, inputs, n2_equal_inputs.DEPLOY)
    assert script.holds(script.assertions[:-1], values) == (fired and stuck)
    positive = data.loss(net) > (data.noise_floor if above_floor else 0)
    assert script.holds(["claim_holds"], values) == positive
    if fired and stuck:
        assert data.loss(net) == data.noise_floor
        with nullcontext() if positive else pytest.raises(Refused):
            check_fact(query.replay(values))


@settings(max_examples=60, deadline=None)
@given(st.lists(rationals, min_size=4, max_size=4), st.sampled_from([1, -1]), st.booleans())
def test_n3_query_says_what_fits(numbers, sign, fitted):
    w, b, a, c = numbers
    w = abs(w) or Fraction(1)
    first, c = (([1], -1, [1]), Fraction(1)) if fitted else (([w], b, [sign]), c)
    net = shallow([first, ([w], -4 * w, [a])], [c])
    data = n3_interpolation.BEND
    query = n3_interpolation.interpolates(data)
    script = Read(query.script.text())
    values = parameters(net) | {"v": Fraction(0)}
    fired = fires(net, {Unit(1, 1)}, data.inputs, n3_interpolation.DEPLOY)
    assert fired == bool(a)
    assert script.holds(script.assertions[:-1], values) == fired
    assert script.holds(["claim_holds"], values) == (data.loss(net) == 0)
    if fired and fitted:
        check_fact(query.replay(values))


@settings(max_examples=60, deadline=None)
@given(st.lists(rationals, min_size=6, max_size=6), st.sampled_from(["first output", "as drawn", "constant"]))
def test_n5_query_says_what_one_unit_is(numbers, kind):
    w1, w2, b, a1, a2, gamma = numbers
    if kind == "first output":
        w1, w2, b, a1, a2, gamma = a1 * a1, Fraction(0), Fraction(0), a1 * a1, Fraction(0), Fraction(0)
    if kind == "constant":
        w1, w2, a1, a2, gamma = *[Fraction(0)] * 4, max(b, Fraction(0))
    unit = MLP((Affine([[w1, w2]], [b]), Affine([[1]], [0])))
    data = n5_attainment.DATA
    values = {"w_0": w1, "w_1": w2, "b": b, "alpha_0": a1, "alpha_1": a2, "gamma": gamma}
    script = Read(n5_attainment.one_unit(data).script.text())
    fits = all(
        h == a1 * y + a2 * z + gamma for (h,), (y, z) in zip(unit.outputs(data.inputs), data.targets, strict=True)
    )
    assert fits or kind == "as drawn"
    assert script.holds(script.assertions[:-1], values) == fits
    assert script.holds(["claim_fails"], values) == (a2 != 0)


@given(st.fractions(n5_attainment.START, 10**6))
def test_n5_family_is_the_family_of_nets(t):
    data = n5_attainment.DATA
    assert data.loss(n5_attainment.steep(t)) * len(data) == n5_attainment.ERROR / t**2
    script = Read(n5_attainment.family().script.text())
    values = {"t": t, "s": 1 / t}
    assert script.holds(script.assertions[:-1], values) and not script.holds(["claim_fails"], values)
    other = Read(n5_attainment.family(constant=Fraction(5)).script.text())
    assert other.holds(["claim_fails"], values)


@given(nets((2, 1, 2)))
def test_n5_one_unit_is_never_closer_than_the_bound(net):
    data = n5_attainment.DATA
    assert data.loss(net) * len(data) >= n5_attainment.ONE_UNIT


@given(nets((1, 1, 1)), st.lists(st.booleans(), min_size=3, max_size=3))
def test_n9_query_says_on_which_side_the_outputs_are(net, sides):
    inputs = n9_zero_one_loss.INPUTS
    right = [(f > 0) == side for (f,), side in zip(net.outputs(inputs), sides, strict=True)]
    script = Read(n9_zero_one_loss.some_row_is_wrong(sides).script.text())
    assert script.holds(["claim_fails"], parameters(net)) == all(right)
    fact = {"kind": "zero-one-loss", "net": net_json(net), "inputs": rows_json(inputs), "sides": sides}
    check_fact(fact | {"wrong": right.count(False)})
    for wrong in (right.count(False) + 1, right.count(False) - 1, "1", None):
        with pytest.raises(Refused, match=r"the number of wrong rows(: stated .*, recomputed| is missing)"):
            check_fact(fact | {"wrong": wrong})
    with pytest.raises(Refused, match="not a side for each input"):
        check_fact(fact | {"wrong": 0, "sides": sides[:2]})


STEEP = [(Fraction(1), Fraction(-1, 4), Fraction(1, 4)), (Fraction(1), Fraction(-1, 2), Fraction(0))]
TRIPLES = st.one_of(st.sampled_from(STEEP), st.tuples(rationals, rationals, rationals))


@settings(max_examples=25)
@example(*STEEP, -1, (Fraction(0), Fraction(4), Fraction(0)))
@given(
    TRIPLES, TRIPLES, st.sampled_from([1, -1]), st.tuples(rationals, st.sampled_from([0, 4]).map(Fraction), rationals)
)
def test_n10_queries_say_what_units_do(u, v, sign, coefficients):
    # relu(u) - relu(v) is y_2 / 4 for the steep pair; other draws mostly fit nothing.
    steep = (u, v, sign) == (*STEEP, -1)
    *beta, gamma = (Fraction(0), Fraction(1, 4), Fraction(0)) if steep else coefficients
    block, answers = n10_near_minima.BLOCK, n10_near_minima.ANSWERS

    def sent(unit, z):
        return unit[0] * z[0] + unit[1] * z[1] + unit[2]

    def wanted(y):
        return beta[0] * y[0] + beta[1] * y[1] + gamma

    rows = list(zip(block, answers, strict=True))
    fits = all(max(sent(u, z), 0) + sign * max(sent(v, z), 0) == wanted(y) for z, y in rows)
    alone = all(max(sent(u, z), 0) == v[0] * z[0] + v[1] * z[1] + wanted(y) for z, y in rows)
    assert fits or not steep
    values = {f"w{name}_{i}": unit[i] for name, unit in (("u", u), ("v", v)) for i in (0, 1)}
    values |= {"bu": u[2], "bv": v[2], "beta_0": beta[0], "beta_1": beta[1], "gamma": gamma}
    for inputs in (block, n10_near_minima.IMAGE):
        script = Read(n10_near_minima.two_units(sign, inputs).script.text())
        assert script.holds(script.assertions[:-1], values) == (fits and beta[1] != 0)
        signs = {(sent(v, z) > 0) - (sent(v, z) < 0) for z in inputs}
        assert script.holds(["claim_fails"], values) == ({1, -1} <= signs)
    values = {name: value for name, value in values.items() if name not in ("wv_0", "wv_1", "bv")}
    values |= {"l_0": v[0], "l_1": v[1]}
    script = Read(n10_near_minima.one_unit(block).script.text())
    assert script.holds(script.assertions[:-1], values) == alone
    assert script.holds(["claim_fails"], values) == (beta[1] != 0)


@settings(max_examples=20)
@given(st.fractions(n10_near_minima.START, 10**6))
def test_n10_family_is_the_family_of_nets(t):
    data = n10_near_minima.DATA
    net = n10_near_minima.near(t)
    assert data.loss(net) * len(data) == n10_near_minima.ERROR / t**2
    assert fires(net, {Unit(1, 4)}, data.inputs, n10_near_minima.DEPLOY)
    script = Read(n10_near_minima.family().script.text())
    values = {"t": t, "s": 1 / t}
    assert script.holds(script.assertions[:-1], values) and not script.holds(["claim_fails"], values)


def test_n10_targets_affinely_span_the_outputs():
    assert rank([[1, *y] for y in n10_near_minima.DATA.targets]) == 5


def test_n4_search_finds_what_it_says():
    found = n4_almost_idle.almost_idle(4, 3)
    assert len(found.data) == 10 and len(found.quiet) == 9
    net = found.minimum.net
    assert not any(idle_value(net, found.circuit, found.quiet).values())
    assert not is_idle(net, found.circuit, found.data.inputs)
    assert fires(net, found.circuit, found.quiet, found.deploy) and found.minimum.loss > found.data.noise_floor
    assert n4_almost_idle.find(Dataset([[0], [1], [2]], [[0], [1], [2]]), 1) is None


def test_n7_search_finds_what_it_says():
    found = n7_quantised.coarse(n7_quantised.TERNARY, 1)
    assert fires(found.net, found.circuit, found.data.inputs, vector([-2]))
    assert found.data.loss(found.wider) < found.data.loss(found.net) and found.net.widths == (1, 1, 1)
    with pytest.raises(LookupError, match="has an idle circuit that fires"):
        n7_quantised.coarse((0,), 1)


def test_n8_bounds_the_prior_by_what_its_words_say():
    (warm,) = [
        obligation for obligation in n8_finite_temperature.CLAIM.obligations if obligation.id == "N8.four-inputs"
    ]
    prior = warm.build().fact["facts"][-1]
    assert f"under {prior['below']} of the prior" in warm.statement
