"""Irrelevance over a box against z3, against exact evaluation, and on cases made to sit exactly on the boundary."""

import itertools
import json
from fractions import Fraction
from math import inf, nextafter

import numpy as np
import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.sexpr import Script as ReadScript
from proof_of_absence.checker.kernel.solvers import ask
from proof_of_absence.checker.region import lp
from proof_of_absence.checker.region.decide import decide, irrelevant
from proof_of_absence.checker.region.question import question
from proof_of_absence.checker.region.script import script
from proof_of_absence.checker.region.search import Budget, open_leaves, root, solve
from proof_of_absence.models.circuit import Unit, idle_value
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import rational_layer

QUARTERS = st.integers(-6, 6).map(lambda k: k / 4)
ENDS = st.fractions(-2, 2, max_denominator=4)


@st.composite
def tiny_questions(draw, depth=2):
    """Tiny nets with weights on a grid, so that boundaries and cancellations are common; any circuit;
    boxes that may be flat.
    """
    widths = [draw(st.integers(1, 2)), *(draw(st.integers(1, 3)) for _ in range(draw(st.integers(1, depth)))),
              draw(st.integers(1, 2))]  # fmt: skip
    layers = [
        (draw(st.lists(st.lists(QUARTERS, min_size=a, max_size=a), min_size=b, max_size=b)),
         draw(st.lists(QUARTERS, min_size=b, max_size=b)))
        for a, b in itertools.pairwise(widths)
    ]  # fmt: skip
    units = [(layer, j) for layer, width in enumerate(widths[1:-1], 1) for j in range(width)]
    circuit = draw(st.lists(st.sampled_from(units), min_size=1, max_size=3))
    ends = [sorted(draw(st.tuples(ENDS, ENDS))) for _ in range(widths[0])]
    net = FloatNet(layers)
    net = FloatNet([draw(rational_layer(layer)) if draw(st.booleans()) else layer for layer in net.layers])
    return question(net, circuit, [e[0] for e in ends], [e[1] for e in ends])


def z3_answer(asked):
    solver = z3.Solver()
    solver.from_string(script(asked).text())
    return str(solver.check())


def confirm(asked, result):
    """The certificate holds; a witness is in the box and differs, by the definitions in `models`."""
    assert result.verdict in ("sat", "unsat"), result.reason
    check_fact(json.loads(json.dumps(result.fact)))
    if result.verdict == "sat":
        assert all(a <= x <= b for a, x, b in zip(asked.low, result.witness, asked.high, strict=True))
        assert idle_value(asked.net.exact(), asked.circuit, [result.witness]) != asked.value


@given(tiny_questions())
@settings(max_examples=150)
def test_against_z3(asked):
    result = decide(asked, Budget(seconds=30))
    confirm(asked, result)
    assert result.verdict == z3_answer(asked)


@given(tiny_questions(depth=3), st.data())
@settings(max_examples=60)
def test_unsat_means_the_constants_on_a_grid_of_exact_inputs(asked, data):
    result = decide(asked, Budget(seconds=30))
    confirm(asked, result)
    if result.verdict == "unsat":
        steps = [[a + (b - a) * Fraction(k, 6) for k in range(7)] for a, b in zip(asked.low, asked.high, strict=True)]
        net = asked.net.exact()
        assert idle_value(net, asked.circuit, itertools.product(*steps)) == asked.value


@given(tiny_questions(), st.data())
@settings(max_examples=60)
def test_another_value_is_differed_from_everywhere_or_decided_like_z3(asked, data):
    value = {unit: v + data.draw(st.sampled_from([0, 0, Fraction(1, 4)])) for unit, v in asked.value.items()}
    other = question(asked.net, asked.circuit, asked.low, asked.high, value)
    result = decide(other, Budget(seconds=30))
    confirm(other, result)
    assert result.verdict == z3_answer(other)


@given(tiny_questions(depth=3), st.data())
@settings(max_examples=60)
def test_what_is_sent_and_the_script_agree_with_models(asked, data):
    z = [data.draw(st.sampled_from([a, b, (a + b) / 2])) for a, b in zip(asked.low, asked.high, strict=True)]
    assert asked.sent(z) == idle_value(asked.net.exact(), asked.circuit, [z])
    read = ReadScript(script(asked).text())
    values = {f"z_{i}": x for i, x in enumerate(z)}
    assert read.holds(read.assertions, values) == asked.differs(z)


def both(layers, circuit, low, high, **options):
    asked = question(FloatNet(layers), circuit, low, high, options.pop("value", None))
    result = decide(asked, Budget(seconds=30), **options)
    confirm(asked, result)
    return result.verdict


@pytest.mark.parametrize("end", [1.0, 0.1, 1e-300, 1e150])
def test_one_ulp_from_idle_in_the_first_layer(end):
    layers = [([[1.0, 1.0]], [-(end + end)]), ([[1.0]], [0.0])]
    assert both(layers, [(1, 0)], [0, 0], [end, end]) == "unsat"
    assert both(layers, [(1, 0)], [0, 0], [end, nextafter(end, inf)]) == "sat"
    assert both(layers, [(1, 0)], [0, 0], [end, Fraction(end) + Fraction(1, 10**400)]) == "sat"


@pytest.mark.parametrize("peak", [1.0, 0.3])
def test_one_ulp_from_idle_in_the_second_layer(peak):
    # The tent relu(z) - 2 relu(z - peak) has its largest value `peak`, at a kink.
    tent = [([[1.0], [1.0]], [0.0, -peak]), ([[1.0, -2.0]], [-peak]), ([[1.0]], [0.0])]
    assert both(tent, [(2, 0)], [-1], [3]) == "unsat"
    tent[1] = ([[1.0, -2.0]], [-nextafter(peak, 0)])
    assert both(tent, [(2, 0)], [-1], [3]) == "sat"


def test_one_ulp_from_idle_in_the_third_layer():
    for bias, verdict in ((-1.0, "unsat"), (nextafter(-1.0, 0), "sat")):
        layers = [
            ([[1.0], [1.0]], [0.0, -1.0]),
            ([[1.0, -2.0], [1.0, 0.0]], [0.0, 0.0]),
            ([[1.0, 0.0]], [bias]),
            ([[1.0]], [0.0]),
        ]
        assert both(layers, [(3, 0)], [-1], [3]) == verdict


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-200, 1e300])
def test_huge_and_subnormal_weights(scale):
    layers = [([[scale], [-scale]], [-scale, 0.0]), ([[1.0, 1.0]], [0.0])]
    assert both(layers, [(1, 0)], [-1], [1]) == "unsat"
    assert both(layers, [(1, 0)], [-1], [1 + Fraction(1, 10**50)]) == "sat"
    assert both(layers, [(1, 0), (1, 1)], [0], [1]) == "unsat"
    assert both(layers, [(1, 0), (1, 1)], [-1], [1]) == "sat"


def test_a_net_that_overflows_floats():
    layers = [([[1e300]], [0.0]), ([[1e300]], [-1e300]), ([[1.0]], [0.0])]
    assert both(layers, [(2, 0)], [-1], [Fraction(1, 10**300)]) == "sat"
    assert both(layers, [(2, 0)], [-1], [Fraction(1, 2 * 10**300)]) == "unsat"


BUMP = [([[1.0], [1.0], [1.0]], [1.0, 0.0, -1.0]), ([[1.0, -2.0, 1.0]], [0.0])]


def test_three_units_idle_together_outside_their_support():
    three = [(1, 0), (1, 1), (1, 2)]
    assert both(BUMP, three, [1], [9]) == both(BUMP, three, [-9], [-1]) == "unsat"
    assert both(BUMP, three, [-9], [-1 + Fraction(1, 10**30)]) == "sat"
    assert both(BUMP, three, [-9], [9]) == "sat"
    assert both(BUMP, three[:2], [1], [9]) == "sat"


def test_three_units_idle_together_in_the_second_layer():
    deep = [([[1.0, 0.5], [-1.0, 1.0]], [3.0, 0.25]), ([[1.0, 1.0]] * 3, [1.0, 0.0, -1.0]), BUMP[1]]
    three = [(2, 0), (2, 1), (2, 2)]
    assert both(deep, three, [0, 0], [1, 1]) == "unsat"
    assert both(deep, three, [-9, -9], [9, 9]) == "sat"


def test_kinks_that_cancel_leave_no_need_of_a_sign():
    # relu(t) - relu(-t) = t, and relu(t + 10) = t + 10 on the box: they send the constant -10.
    layers = [([[1.0], [-1.0], [1.0]], [0.0, 0.0, 10.0]), ([[1.0, -1.0, -1.0]], [0.0])]
    result = irrelevant(FloatNet(layers), [(1, 0), (1, 1), (1, 2)], [-1], [1])
    assert (result.verdict, result.nodes) == ("unsat", 1)
    assert result.fact["value"] == [[2, 0, "-10"]]
    check_fact(result.fact)
    assert both(layers, [(1, 0), (1, 1), (1, 2)], [-11], [1]) == "sat"


def test_units_with_scaled_weights_cancel():
    layers = [([[1.0, 2.0], [2.0, 4.0]], [0.5, 1.0]), ([[2.0, -1.0], [4.0, -2.0]], [0.0, 1.0])]
    assert both(layers, [(1, 0), (1, 1)], [-5, -5], [5, 5]) == "unsat"
    layers[1] = ([[2.0, -1.0], [4.0, -nextafter(2.0, 3)]], [0.0, 1.0])
    assert both(layers, [(1, 0), (1, 1)], [-5, -5], [5, 5]) == "sat"


def test_a_constant_that_is_not_zero():
    layers = [([[0.0], [1.0]], [2.0, 0.0]), ([[1.0, 0.0], [0.0, 1.0]], [1.0, 0.0]), ([[1.5, 1.0]], [0.0])]
    assert both(layers, [(1, 0), (2, 0)], [-1], [1]) == "unsat"
    assert both(layers, [(2, 0)], [-1], [1], value={Unit(3, 0): "9/2"}) == "unsat"
    assert both(layers, [(2, 0)], [-1], [1], value={Unit(3, 0): 4.5 + 1e-15}) == "sat"


@pytest.mark.parametrize("at", [0, Fraction(1, 3), 5])
def test_a_box_that_is_a_point_and_one_flat_side(at):
    layers = [([[1.0, 1.0]], [0.0]), ([[1.0, ]], [-1.0]), ([[1.0]], [0.0])]  # fmt: skip
    assert both(layers, [(2, 0)], [at, at], [at, at]) == "unsat"
    assert both(layers, [(2, 0)], [at, at], [at, at], value={Unit(3, 0): -1}) == "sat"
    assert both(layers, [(2, 0)], [-1 - at, at], [1 - Fraction(at), at]) == "unsat"
    assert both(layers, [(2, 0)], [-1 - at, at], [1 - Fraction(at) + Fraction(1, 9**40), at]) == "sat"


def planted(seed, widths, margin):
    """A random net whose first unit in the last hidden layer is a little below 0 at every one of many samples."""
    rng = np.random.default_rng(seed)
    layers = [
        [rng.normal(size=(b, a)) * np.sqrt(2 / a), rng.normal(size=b) * 0.3] for a, b in itertools.pairwise(widths)
    ]
    values = rng.uniform(-1, 1, size=(2000, widths[0]))
    for weights, bias in layers[:-2]:
        values = np.maximum(values @ weights.T + bias, 0)
    pre = values @ layers[-2][0][0] + layers[-2][1][0]
    layers[-2][1][0] -= pre.max() + margin * pre.std()
    return FloatNet(layers)


HARD = (planted(0, (3, 8, 8, 8, 1), 0.8), [(3, 0)], [-1] * 3, [1] * 3)


def test_a_deep_net_and_its_order_is_determined():
    asked = question(*HARD)
    first, second = (decide(asked, Budget(seconds=60)) for _ in range(2))
    confirm(asked, first)
    assert first.verdict == "unsat" and first.nodes > 5
    assert first.tree == second.tree


def test_no_time_is_a_timeout_and_few_nodes_are_unknown():
    asked = question(*HARD)
    late = decide(asked, Budget(seconds=0))
    assert (late.verdict, late.reason, late.fact, late.witness) == ("timeout", "timeout", None, None)
    few = decide(asked, Budget(nodes=3))
    assert (few.verdict, few.reason, few.fact) == ("unknown", "node limit", None)


def test_an_interrupted_search_goes_on_and_ends_alike():
    asked = question(*HARD)
    result, visits = decide(asked, Budget(nodes=4)), 0
    while result.verdict == "unknown" and visits < 200:
        result = decide(asked, Budget(nodes=4), json.loads(json.dumps(result.tree)))
        visits += 1
    assert visits > 1
    confirm(asked, result)
    assert result.verdict == "unsat"


def test_a_tree_of_another_question_proves_nothing():
    net, circuit, low, _ = HARD
    tree = decide(question(*HARD), Budget()).tree
    wider = decide(question(net, circuit, low, [2] * 3), Budget(seconds=30), tree)
    assert (wider.verdict, wider.fact) == ("unknown", None)
    assert wider.reason.startswith("the tree to go on from is not a proof: ")


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
@pytest.mark.parametrize("end", [1, 1 + Fraction(1, 10**9)])
def test_both_solvers_answer_the_script_alike(solver, end):
    deep = [([[1.0, 0.5], [-1.0, 1.0]], [3.0, 0.25]), ([[1.0, 1.0], [1.0, -1.0]], [1.0, -5.5]), ([[1.0, 2.0]], [0.0])]
    asked = question(FloatNet(deep), [(2, 1)], [0, 0], [1, 1 * end])
    result = decide(asked, Budget(seconds=30))
    confirm(asked, result)
    assert ask(solver, script(asked).text()).answer == result.verdict
    assert script(asked).decided == "claim_fails"  # so sat is a countermodel


def test_running_out_of_exact_steps_is_unknown_and_may_be_gone_on_from(monkeypatch):
    # relu(z_0 + z_1) - 2 is at most 0 on the box, and 0 at a corner: one sign condition there has no interior.
    layers = [([[1.0, 1.0], [-1.0, 2.0]], [0.0, 0.0]), ([[1.0, 0.0]], [-2.0]), ([[1.0]], [0.0])]
    asked = question(FloatNet(layers), [(2, 0)], [-1, -1], [1, 1])
    with monkeypatch.context() as patch:
        patch.setattr(lp, "STEPS", 0)
        patch.setattr(lp, "_proposed", lambda *_: None)
        stuck = decide(asked, Budget())
    assert (stuck.verdict, stuck.reason, stuck.fact) == ("unknown", "exact simplex: step limit", None)
    result = decide(asked, Budget(), stuck.tree)
    confirm(asked, result)
    assert result.verdict == "unsat"


def test_sub_problems_may_be_solved_apart_and_in_any_order():
    asked = question(*HARD)
    tree = {"open": root(asked)}
    for _ in range(200):
        leaves = open_leaves(tree)
        if not leaves:
            break
        leaf = leaves[-1]
        sub = json.loads(json.dumps(leaf["open"]))
        done = solve(asked, sub, Budget(nodes=7))
        assert done.witness is None
        leaf.clear()
        leaf.update(done.tree)
    result = decide(asked, Budget(), tree)
    confirm(asked, result)
    assert result.verdict == "unsat"


@pytest.mark.parametrize(
    ("circuit", "low", "high", "value", "said"),
    [
        ([], [0], [1], None, "at least one unit"),
        ([(2, 0)], [0], [1], None, r"not hidden units of the net: \[Unit\(layer=2, index=0\)\]"),
        ([(1, 7)], [0], [1], None, "not hidden units"),
        ([(1, 0)], [0, 0], [1], None, "a box of 2 lows and 1 highs for a net of 1 inputs"),
        ([(1, 0)], [1], [0], None, "the box is empty: coordinate 0 goes from 1 to 0"),
        ([(1, 0)], [float("nan")], [0], None, "not a finite number"),
        ([(1, 0)], [0], [inf], None, "not a finite number"),
        ([(1, 0)], [0], [1], {}, "a value is needed for each of the readers"),
    ],
)
def test_questions_that_do_not_fit_are_refused(circuit, low, high, value, said):
    net = FloatNet([([[1.0], [2.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0])])
    with pytest.raises(ValueError, match=said):
        irrelevant(net, circuit, low, high, value=value)
