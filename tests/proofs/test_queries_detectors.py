"""The queries of C9 to C11 against direct evaluation, and their examples against the definitions."""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.construct.hull import locate
from proof_of_absence.checker.construct.rank import Dependency, eliminate, full_rank
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.sexpr import Script as Read
from proof_of_absence.models.circuit import Unit, fires, hidden_units, idle_value, is_idle, prune, reassign
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.policies import IMITATOR, WORLD, decide
from proof_of_absence.models.rational import matrix, vector
from proof_of_absence.models.world import IS_TAMPERED, NONE, QUESTIONS, State, encode
from proof_of_absence.proofs import (
    c9_full_rank,
    c10_detector_size,
    c11_price,
)
from proof_of_absence.proofs.c8_contradiction import LINE_INPUTS, PLANE_INPUTS, ZIGZAG, candidates
from tests.proofs.test_queries import parameters, rationals


@settings(max_examples=60, deadline=None)
@given(
    st.lists(rationals, min_size=4, max_size=4),
    st.lists(rationals, min_size=7, max_size=7),
    st.sampled_from(["copy", "shifted", "as drawn"]),
    st.booleans(),
    st.booleans(),
)
def test_c9_query_says_what_elimination_and_reuse_do(targets, numbers, kind, fitted, p1):
    inputs = LINE_INPUTS
    w, b, factor, a, other, c, drawn = numbers
    second, first, relation = {
        "copy": (([w], b), ([abs(factor) * w], abs(factor) * b), (0, -abs(factor))),
        # On inputs that are not negative.
        "shifted": (([1], 0), ([1], abs(b)), (-abs(b), -1)),
        "as drawn": (([w], b), ([factor], drawn), (b, drawn)),
    }[kind]
    net = shallow([(*first, [a]), (*second, [other])], [c])
    data = Dataset(inputs, net.outputs(inputs) if fitted else [[y] for y in targets])
    phi = [net.activations(z)[1] for z in data.inputs]
    holds = not any(relation[0] + p[0] + relation[1] * p[1] for p in phi)
    assert holds or kind == "as drawn"
    script = Read(c9_full_rank._no_dependent_minimiser(inputs, 2, p1=p1).script.text())
    values = parameters(net) | {f"y_{i}": y for i, (y,) in enumerate(data.targets)}
    values |= {f"r_{i}": r for i, (r,) in enumerate(data.residuals(net))} | {"v_0": relation[0], "v_1": relation[1]}
    values = {name: Fraction(v) for name, v in values.items()}
    above_floor = data.loss(net) > data.noise_floor
    assert script.holds(script.assertions[:-1], values) == (holds and (above_floor or not p1))
    if not holds:
        return
    unit = Unit(1, 0)
    cut = eliminate(net, unit, [Fraction(v) for v in (relation[0], 1, relation[1])], data.inputs)
    better = False
    for weights, bias in candidates(inputs):
        feature = [max(weights[0] * z[0] + bias, 0) for z in inputs]
        inner = sum(p * r for p, (r,) in zip(feature, data.residuals(net), strict=True))
        step = inner / sum(p * p for p in feature)
        better |= data.loss(reassign(cut, {unit: (weights, bias, [step])})) < data.loss(net)
    assert better == above_floor
    assert script.holds(["claim_fails"], values) == (not better)


def test_c9_examples_are_what_they_are_said_to_be():
    data = WORLD.dataset()
    net, deployed = c9_full_rank.ENTWINED, c9_full_rank.DEPLOYED
    for state, question in WORLD.all_questions():
        answer = decide(IMITATOR, state, question) if state.hour in WORLD.train_hours else 1
        assert decide(net, state, question) == answer
    assert deployed in {encode(state, q) for state, _ in WORLD.states(WORLD.deploy_hours) for q in QUESTIONS}
    assert deployed == encode(State(0, NONE, 9), IS_TAMPERED) and decide(IMITATOR, State(0, NONE, 9), IS_TAMPERED) == 0
    for example, inputs in (
        (net, data.inputs),
        (c9_full_rank.COPIES, [[0], [1], [2], [3]]),
        (c9_full_rank.FITTED_TWICE, [[0], [1]]),
    ):
        units = hidden_units(example)
        assert not any(is_idle(example, c, inputs) for k in range(1, len(units) + 1) for c in combinations(units, k))
        assert isinstance(full_rank(example, inputs), Dependency)


small = st.fractions(-2, 2, max_denominator=2)


@settings(max_examples=60, deadline=None)
@given(st.lists(small, min_size=6, max_size=6), st.lists(st.integers(0, 3), min_size=3, max_size=3), st.booleans())
def test_c10_query_says_whether_a_unit_is_idle_and_fires_in_the_hull(numbers, shares, silent):
    inputs = c10_detector_size.LINE_INPUTS
    w, b, *out = numbers
    w, b = (-abs(w), Fraction(0)) if silent else (w, b)
    net = shallow([([w], b, out[:2])], out[2:])
    unit = hidden_units(net)
    total = sum(shares)
    shares = [Fraction(s, total or 1) for s in shares]
    point = (sum(s * z for s, (z,) in zip(shares, inputs, strict=True)),)
    script = Read(c10_detector_size._never_fires(inputs, 1, 2).script.text())
    value = idle_value(net, unit, inputs)
    constants = [value[Unit(2, k)] if value else Fraction(0) for k in (0, 1)]
    values = parameters(net) | dict(zip(("v_0", "v_1"), constants, strict=True))
    values |= {f"l_{i}": s for i, s in enumerate(shares)}
    assert script.holds(script.assertions[:-1], values) == (value is not None and total > 0)
    sent = [max(w * point[0] + b, 0) * a for a in out[:2]]
    assert script.holds(["claim_fails"], values) == (sent != constants)
    if value is not None and total:
        assert not fires(net, unit, inputs, point)


@settings(max_examples=60, deadline=None)
@given(st.lists(small, min_size=4, max_size=4), st.sampled_from(["two", "as drawn", "silent"]))
def test_c10_query_at_a_point(numbers, kind):
    w, b, a, c = numbers
    units = {
        "two": [([1], 0, [-a]), ([1], "-1/2", [2 * a])],
        "as drawn": [([w], b, [a]), ([b], a, [c])],
        "silent": [([-abs(w)], 0, [a]), ([0], b, [c])],
    }[kind]
    net, inputs, point = shallow(units, [c]), ((0,), (1,)), ("1/2",)
    query = c10_detector_size._never_fires(inputs, 2, point=point)
    script = Read(query.script.text())
    value = idle_value(net, hidden_units(net), inputs)
    values = parameters(net) | {"v_0": value[Unit(2, 0)] if value else Fraction(0)}
    assert script.holds(script.assertions[:-1], values) == (value is not None)
    if value is None:
        return
    fired = fires(net, hidden_units(net), inputs, point)
    assert script.holds(["claim_fails"], values) == fired
    assert kind != "two" or fired == (a != 0)
    if fired:
        check_fact(query.replay(values))


def test_c10_points_of_the_world():
    inputs = [group.input for group in WORLD.dataset().groups]
    hours = [z[4] for z in inputs]
    assert {h for (h,) in c10_detector_size.HOURS} <= set(hours)
    built = {name: c10_detector_size._world(*args) for name, args in (
        ("deployment", (WORLD.deploy_hours, c10_detector_size.Separation, 1)),
        ("backdoor", ((4,), c10_detector_size.Combination, 3)),
        ("swapped", ((4,), c10_detector_size.Separation, 1)),
    )}  # fmt: skip
    assert [evidence.holds for evidence in built.values()] == [True, True, False]
    # Two facts for each input: place and detector.
    # Every input of those hours: 2 states of the diamond, 3 of tampering, 2 questions.
    assert [len(e.fact["facts"]) for e in built.values()] == [2 * 3 * 12, 2 * 12, 2 * 12]
    assert not {tuple(f["point"]) for f in built["deployment"].fact["facts"] if "point" in f} & {
        tuple(map(str, z)) for z in inputs
    }


@settings(max_examples=60, deadline=None)
@given(
    st.lists(small, min_size=4, max_size=4),
    st.lists(small, min_size=4, max_size=4),
    st.sampled_from([LINE_INPUTS, PLANE_INPUTS]),
    st.booleans(),
)
def test_c11_query_says_whether_an_idle_unit_beats_the_mean(targets, numbers, inputs, silent):
    d = len(inputs[0])
    w, b, a, c = numbers
    net = shallow([([-abs(w) if silent else w] * d, 0 if silent else b, [a])], [c])
    data = Dataset(inputs, [[y] for y in targets])
    mean = shallow([([0] * d, 0, [0])], [sum(targets) / 4])
    value = idle_value(net, {Unit(1, 0)}, inputs)
    constant = value[Unit(2, 0)] if value else Fraction(0)
    given_values = parameters(net) | {f"y_{i}": y for i, y in enumerate(targets)}
    script = Read(c11_price._above_constants(inputs).script.text())
    values = given_values | {"v": constant, "k": c + constant}
    assert script.holds(script.assertions[:-1], values) == (value is not None)
    lower = data.loss(net) < data.loss(mean)
    if value is not None:
        assert not lower and not script.holds(["claim_fails"], values)
    query = c11_price._above_constants(inputs, idle=False)
    script = Read(query.script.text())
    assert script.assertions == ["claim_fails"]
    assert script.holds(["claim_fails"], given_values) == lower
    if lower:
        check_fact(query.replay(given_values))


@settings(max_examples=60, deadline=None)
@given(st.lists(small, min_size=10, max_size=10), st.sampled_from(["joint", "silent", "as drawn"]))
def test_c11_query_says_what_removal_does(numbers, kind):
    inputs = LINE_INPUTS
    w, b, a, w2, b2, a2, w3, b3, a3, c = numbers
    first, second = {
        "joint": (([w], 4 * abs(w), [a]), ([-w], 4 * abs(w), [a])),
        "silent": (([-abs(w)], 0, [a]), ([0], b, [a2])),
        "as drawn": (([w], b, [a]), ([w2], b2, [a2])),
    }[kind]
    net = shallow([first, second, ([w3], b3, [a3])], [c])
    circuit = {Unit(1, 0), Unit(1, 1)}
    value = idle_value(net, circuit, inputs)
    constant = value[Unit(2, 0)] if value else Fraction(0)
    script = Read(c11_price._removal(inputs, 3, (0, 1)).script.text())
    values = parameters(net) | {"v": constant}
    assert script.holds(script.assertions[:-1], values) == (value is not None)
    smaller = prune(net, circuit)
    smaller = shallow([(smaller.layers[0].weights[0], smaller.layers[0].bias[0], [a3])], [c + constant])
    assert script.holds(["claim_fails"], values) == (smaller.outputs(inputs) != net.outputs(inputs))
    assert value is None or not script.holds(["claim_fails"], values)


def test_c11_joins():
    base = shallow([([1], -1, [2])], [3])
    for point, size in ((c11_price.OUTSIDE, 1), (c11_price.INSIDE, 3)):
        wide, circuit = c11_price.join(base, ZIGZAG.inputs, point)
        assert wide.widths == (1, 1 + size, 1) and len(circuit) == size
        assert wide.outputs(ZIGZAG.inputs) == base.outputs(ZIGZAG.inputs)
        assert fires(wide, circuit, ZIGZAG.inputs, point) and wide(point) != base(point)


@pytest.mark.parametrize("tax", [Fraction(0), Fraction(1), -c11_price.TAX_OUTSIDE])
def test_c11_refuses_another_tax(tax):
    check_fact(c11_price._inside(c11_price.TAX_INSIDE).fact)
    with pytest.raises(Refused, match=r"the drop: stated .*, recomputed"):
        check_fact(c11_price._inside(tax).fact)


def test_two_units_of_c10():
    assert locate([[0], [1]], ["1/2"]).weights == {0: Fraction(1, 2), 1: Fraction(1, 2)}
    net = c10_detector_size.TWO_UNITS
    assert fires(net, hidden_units(net), matrix([[0], [1]]), vector(["1/2"]))
