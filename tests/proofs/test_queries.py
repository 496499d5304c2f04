"""The claims' own queries against direct evaluation:
at given parameters a script is true just when the statement is.
"""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.sexpr import Script as Read
from proof_of_absence.models.circuit import Unit, hardcode, idle_value, is_idle, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs import c4_separating_unit, c5_strict_descent, c7_reassignment, c8_contradiction
from proof_of_absence.proofs.examples import LINE, LINE_CIRCUIT, LINE_NET

rationals = st.fractions(-4, 4, max_denominator=4)


def parameters(net) -> dict:
    """Values for the names of `unknown_parameters`."""
    return {
        name: value
        for number, layer in enumerate(net.layers, 1)
        for i, row in enumerate(layer.weights)
        for name, value in [
            *((f"pw{number}_{i}_{j}", w) for j, w in enumerate(row)),
            (f"pb{number}_{i}", layer.bias[i]),
        ]
    }


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(rationals, rationals, rationals), min_size=2, max_size=2),
    st.lists(rationals, min_size=4, max_size=4),
    rationals,
    st.sampled_from(["silent", "constant", "as drawn"]),
    st.booleans(),
)
def test_c8_query_says_what_reassignment_does(units, targets, c, kind, p1):
    inputs = c8_contradiction.LINE_INPUTS
    (w, b, a), other = units
    first = {"silent": (-abs(w), Fraction(0), a), "constant": (Fraction(0), b, a), "as drawn": (w, b, a)}[kind]
    net = shallow([([u[0]], u[1], [u[2]]) for u in (first, other)], [c])
    data = Dataset(inputs, [[y] for y in targets])
    circuit = {Unit(1, 0)}
    script = Read(c8_contradiction._no_idle_minimiser(inputs, 2, (0,), p1=p1).script.text())
    value = idle_value(net, circuit, data.inputs)
    constant = value[Unit(2, 0)] if value else Fraction(0)
    values = parameters(net) | {f"y_{i}": y for i, y in enumerate(targets)} | {"v": constant}
    values |= {f"r_{i}": r for i, (r,) in enumerate(data.residuals(net))}
    above_floor = data.loss(net) > data.noise_floor
    assert script.holds(script.assertions[:-1], values) == (value is not None and (above_floor or not p1))
    if value is None:
        return
    better = False
    for w, b in c8_contradiction.candidates(inputs):
        cut = hardcode(net, circuit, value)
        phi = [max(w[0] * z[0] + b, 0) for z in inputs]
        step = sum(p * r for p, (r,) in zip(phi, data.residuals(net), strict=True)) / sum(p * p for p in phi)
        better |= data.loss(reassign(cut, {Unit(1, 0): (w, b, [step])})) < data.loss(net)
    assert script.holds(["claim_fails"], values) == (not better)


@settings(max_examples=40, deadline=None)
@given(rationals, rationals, rationals, rationals)
def test_c7_query_says_whether_the_loss_is_lower(w, b, a, c):
    script = Read(c7_reassignment.search(LINE_NET, LINE_CIRCUIT, LINE).script.text())
    candidate = shallow([([1], -2, ["1/2"]), ([w], b, [a])], [c])
    values = {"w1_0": w, "b1": b, "a1_0": a, "c_0": c}
    assert script.holds(["claim_holds"], values) == (LINE.loss(candidate) < LINE.loss(LINE_NET))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(rationals, min_size=3, max_size=3), st.lists(rationals, min_size=3, max_size=3), st.sampled_from([1, 2])
)
def test_c5_query_says_whether_the_step_descends(r, phi, step):
    s, norm = (sum(x * y for x, y in zip(left, phi, strict=True)) for left in (r, phi))
    if s == 0:
        return
    a = step * s / norm
    script = Read(c5_strict_descent._descent(step).script.text())
    values = {f"r_{i}": x for i, x in enumerate(r)} | {f"phi_{i}": x for i, x in enumerate(phi)} | {"a": a}
    lower = sum((x - a * p) ** 2 for x, p in zip(r, phi, strict=True)) < sum(x * x for x in r)
    assert script.holds(script.assertions[:-1], values)
    assert script.holds(["claim_fails"], values) == (not lower) == (step == 2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(rationals, min_size=4, max_size=4, unique=True).map(sorted), st.lists(rationals, min_size=4, max_size=4)
)
def test_c4_query_says_whether_a_threshold_separates(u, r):
    script = Read(c4_separating_unit._line().script.text())
    values = {f"u_{i}": x for i, x in enumerate(u)} | {f"r_{i}": x for i, x in enumerate(r)}
    assert script.holds(script.assertions[:-1], values) == any(r)
    thresholds = [u[0] - 1, *((x + y) / 2 for x, y in itertools.pairwise(u))]
    separates = any(sum(ri * max(x - t, 0) for ri, x in zip(r, u, strict=True)) for t in thresholds)
    assert script.holds(["claim_fails"], values) == (not separates) == (not any(r))


@pytest.mark.parametrize("units", [1, 2])
def test_n1_is_what_it_says(units):
    from proof_of_absence.proofs.n1_separability import entangled

    data, minimum, g, f, deploy = entangled(units, 5)
    assert f.widths == g.widths == (1, units, 1)
    assert [f(z) for z in data.inputs] == [g(z) for z in data.inputs]
    assert f(deploy) != g(deploy) and deploy not in data.inputs
    assert data.loss(f) == data.loss(g) == minimum.loss > data.noise_floor
    from itertools import combinations

    circuits = [c for k in range(1, units + 1) for c in combinations([Unit(1, j) for j in range(units)], k)]
    assert not any(is_idle(f, circuit, data.inputs) for circuit in circuits)


def test_c1_says_of_the_planted_net_that_it_agrees_in_training():
    from proof_of_absence.proofs.c1_detector import CLAIM

    (planted,) = [obligation for obligation in CLAIM.obligations if obligation.id == "C1.planted"]
    fact = planted.build().fact
    assert [part["agrees"] for part in fact.get("facts", [fact]) if part["kind"] == "detector"] == [True]
