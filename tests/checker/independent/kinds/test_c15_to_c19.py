"""The kinds of fact of C15, C17 and C19: what is so is accepted;
each thing that can be wrong is refused, with its reason.
"""

from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.kinds.logistic import _sigmoid, _softplus
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.values.series import ONE, logarithm
from proof_of_absence.checker.minima.convex import convex_optimum
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.policies import DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.models.world import Human, World
from proof_of_absence.proofs import c17_other_losses, c19_analytical
from proof_of_absence.proofs.c15_imitator import MIXED, TIED, acts_as, excess, losses
from proof_of_absence.proofs.examples import TWO_OUTPUTS
from tests.checker.changed import refused
from tests.checker.independent.kinds import c15_to_c19
from tests.conftest import SMALL, vectors

HOURS = st.lists(st.integers(0, 11), min_size=2, max_size=6, unique=True)


MIXED_LOSSES = losses(MIXED, ("imitator", "<", "deceptive"))
TIE = excess(TIED, "translator", "imitator", tie=True)


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (MIXED_LOSSES, "a loss is another", [(["mixing"], "1/50")]),
        (MIXED_LOSSES, "a loss is another", [(["losses", "imitator"], "0")]),
        (MIXED_LOSSES, "a loss is another", [(["losses"], {"imitator": MIXED_LOSSES["losses"]["imitator"]})]),
        (MIXED_LOSSES, "a relation fails", [(["relations", 0, 1], "=")]),
        (MIXED_LOSSES, "a relation fails", [(["relations", 0, 1], ">")]),
        (MIXED_LOSSES, "a relation fails", [(["relations", 0], ["deceptive", "<", "imitator"])]),
        (MIXED_LOSSES, "nothing is compared", [(["relations"], [])]),
        (MIXED_LOSSES, "not a mixing rate", [(["mixing"], "-1/50")]),
        (MIXED_LOSSES, "not weights", [(["tampering"], ["1", "-1", "1"])]),
        (MIXED_LOSSES, "not weights", [(["tampering"], ["0", "0", "0"])]),
        (MIXED_LOSSES, "listed twice", [(["train_hours", 0], 1)]),
        (MIXED_LOSSES, "whole numbers", [(["train_hours", 0], True)]),
        (MIXED_LOSSES, "of training and of deployment", [(["deploy_hours", 0], 1)]),
        (MIXED_LOSSES, "nobody", [(["humans"], [])]),
        (TIE, "the excess is another", [(["train", 1], "0")]),
        (TIE, "the excess is another", [(["left"], "deceptive")]),
        (TIE, "negative somewhere", [(["never_below"], True)]),
        (TIE, "differ without mixing", [(["only_mixed"], True)]),
        (TIE, "no such policy", [(["left"], "oracle")]),
        (TIE, "the losses differ there", [(["tie", "tampering", 2], "2")]),
        (TIE, "does not grow", [(["tie", "tampering"], ["1", "0", "0"])]),
        (acts_as(DECEPTIVE, "deceptive"), "answers otherwise", [(["policy"], "imitator")]),
        (acts_as(DECEPTIVE, "deceptive"), "answers otherwise", [(["last_hour"], 9)]),
    ],
)
def test_policies_that_are_otherwise(fact, match, changes):
    refused(fact, match, *changes)


@given(
    HOURS,
    st.lists(st.sets(st.integers(0, 11), max_size=4), min_size=1, max_size=3),
    st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any),
    st.fractions(0, 1, max_denominator=5),
)
def test_two_worlds_agree(hours, lapses, tampering, mixing):
    humans = tuple(Human(frozenset(hours)) for hours in lapses)
    world = World(tuple(hours[1:]), tuple(hours[:1]), humans, tuple(tampering), mixing)
    for fact in (losses(world, ("imitator", "=", "imitator")), excess(world, "deceptive", "translator")):
        check_fact(fact)
        assert c15_to_c19.SAYS[fact["kind"]](fact)


DROP = c17_other_losses.descent(
    c17_other_losses.LABELS_NET, c17_other_losses.LABELS_CIRCUIT, c17_other_losses.LABELS
).fact
FLOOR = c17_other_losses.descent(
    c17_other_losses.UNDECIDED_NET, c17_other_losses.UNDECIDED_CIRCUIT, c17_other_losses.UNDECIDED
).fact["facts"][0]
CLASSES = c17_other_losses.class_descent(
    c17_other_losses.CLASSES_NET, c17_other_losses.CLASSES_CIRCUIT, c17_other_losses.CLASSES
).fact
EVERY = c17_other_losses.class_descent(
    c17_other_losses.EVERY_CLASS_NET, c17_other_losses.EVERY_CLASS_CIRCUIT, c17_other_losses.EVERY_CLASS
).fact
GROUP = {"kind": "logistic-group", "net": DROP["before"], "data": DROP["data"]}


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (DROP, "not lower by that much", [(["over"], str(Fraction(DROP["over"]) + Fraction(1, 2**20)))]),
        (DROP, "not lower by that much", [(["after"], DROP["before"])]),
        (DROP, "not positive", [(["over"], "0")]),
        (DROP, "neither 0 nor 1", [(["data", "targets", 0], ["1/2"])]),
        (DROP, r"the bias of unit \(1, 0\) differs", [(["after", 0, "bias", 0], "7")]),
        (DROP, "not idle", [(["before", 1, "weights", 0, 1], "2")]),
        (DROP, "circuit is empty", [(["circuit"], [])]),
        (FLOOR, "do not sum to 0", [(["net", 1, "bias", 0], "1/1000000000000000000000000000000000000")]),
        (FLOOR, "do not sum to 0", [(["data", "targets", 0], ["1"])]),
        (CLASSES, "not lower by that much", [(["over"], str(Fraction(CLASSES["over"]) * 2))]),
        (CLASSES, "not lower by that much", [(["after"], CLASSES["before"])]),
        (CLASSES, "not positive", [(["over"], "-1")]),
        (CLASSES, "not probabilities", [(["data", "targets", 0, 0], "1/2")]),
        (CLASSES, "not probabilities", [(["data", "targets", 0], ["2", "-1", "0"])]),
        (CLASSES, "not a shallow net for these classes", [(["data", "targets"], [["1"]] * 6)]),
        (CLASSES, r"the bias of unit \(1, 0\) differs", [(["after", 0, "bias", 0], "7")]),
        (CLASSES, "not idle", [(["before", 1, "weights", 0, 2], "2")]),
        (EVERY, "do not sum to 0", [(["net", 1, "bias", 0], "1/1000000000000000000000000000000000000")]),
        (EVERY, "do not sum to 0", [(["data", "targets", 0], ["0", "1", "0"])]),
        (EVERY, "not idle", [(["circuit"], [[1, 0]])]),
        (EVERY, "circuit is empty", [(["circuit"], [])]),
        (GROUP, "no such group", [(["net"], FLOOR["net"]), (["data"], FLOOR["data"])]),
    ],
)
def test_a_descent_that_is_not_so(fact, match, changes):
    refused(fact, match, *changes)


@given(st.one_of(SMALL, st.fractions(-110, 110), st.sampled_from([Fraction(1, 10**30), Fraction(-(10**9))])))
def test_bounds_hold_the_logistic_functions(f):
    with mpmath.workdps(120):
        x = mpmath.mpf(f.numerator) / f.denominator
        low, high = _softplus(f)
        assert low <= (max(x, 0) + mpmath.log1p(mpmath.exp(-abs(x)))) * ONE <= high
        below, above = (mpmath.mpf(b.numerator) / b.denominator for b in _sigmoid(f))
        assert below <= 1 / (1 + mpmath.exp(-x)) <= above
        assert high - low < ONE >> 90 and above - below < mpmath.mpf(2) ** -90


@given(st.integers(0, 2**70), st.integers(0, 2**20))
def test_bounds_hold_the_logarithm(above, wide):
    low, high = logarithm(ONE + (above << 130), ONE + (above << 130) + wide)
    with mpmath.workdps(120):
        x = mpmath.mpf(above << 130) / ONE
        assert low <= mpmath.log1p(x) * ONE <= high
        assert high - low < ONE >> 150
    with pytest.raises(Refused, match="below 1"):
        logarithm(ONE - 1, ONE)


def solution(unit, penalty, *, intercept, fires=None):
    return c19_analytical.solved(
        c19_analytical.CONSTANT, TWO_OUTPUTS, unit, penalty=penalty, intercept=intercept, fires=fires
    ).fact


CONSTANT = solution(c19_analytical.CONSTANT_UNIT, 1, intercept=True)
SILENT = solution(c19_analytical.SILENT_UNIT, 0, intercept=False, fires=c19_analytical.SILENT_NO_MORE)


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (CONSTANT, "normal equations fail", [(["penalty"], "2")]),
        (CONSTANT, "penalty is negative", [(["penalty"], "-1")]),
        (CONSTANT, "do not sum to 0", [(["net", 1, "bias", 0], "0")]),
        (CONSTANT, "output bias", [(["intercept"], False)]),
        (CONSTANT, "truth value", [(["intercept"], "yes")]),
        (CONSTANT, "weights are otherwise", [(["weightless"], False)]),
        (CONSTANT, "not constant in training", [(["circuit"], [[1, 0]])]),
        (CONSTANT, "circuit is empty", [(["circuit"], [])]),
        (CONSTANT, "does not fire", [(["fires"], ["5", "5"])]),
        (CONSTANT, "penalty is not 0", [(["row_space"], [["0"] * 4] * 2)]),
        (SILENT, "not in the row space", [(["row_space", 0, 0], "1000")]),
        (SILENT, "do not fit", [(["row_space"], [["0"] * 4])]),
        (SILENT, "does not fire", [(["fires"], ["0", "0"])]),
    ],
)
def test_a_regression_that_is_not_so(fact, match, changes):
    refused(fact, match, *changes)


CONVEX = c19_analytical.convex_training(
    c19_analytical.DECAYED_NET, c19_analytical.DECAYED, c19_analytical.DECAY, c19_analytical.DUAL
)
XOR = c19_analytical.optimum(c19_analytical.XOR, Fraction(1, 10))["facts"][0]
PATTERN = next(iter(XOR["multipliers"]))
CUT = c19_analytical.decay_drop(DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD.dataset(), Fraction(1, 100))
(_, AT), *_ = CUT["circuit"]


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (CONVEX, "the net has another value", [(["value"], "130")]),
        (CONVEX, "the net has another value", [(["data", "targets", 0, 0], "1")]),
        (CONVEX, "the dual point has another value", [(["dual", 0], "0")]),
        (CONVEX, "the dual point has another value", [(["bound"], "0")]),
        (CONVEX, "farther apart", [(["within"], "-1")]),
        (XOR, "farther apart", [(["within"], "0")]),
        (
            CONVEX,
            "not feasible",
            [(["dual", 0], "1"), (["data", "targets", 0, 0], "1"), (["value"], "261/2"), (["bound"], "261/2")],
        ),
        (XOR, "not feasible", [(["multipliers"], {})]),
        (XOR, "not feasible", [(["multipliers", PATTERN, 0], "5")]),
        (XOR, "one is negative", [(["multipliers", PATTERN, 0], "-1")]),
        (XOR, "multipliers do not fit", [(["multipliers", PATTERN], ["0"])]),
        (CONVEX, "multipliers for no pattern", [(["multipliers"], {"+0101": ["0", "0", "0"]})]),
        (CONVEX, "the dual point does not fit", [(["dual"], ["1"])]),
        (CONVEX, "penalty is not positive", [(["penalty"], "-5")]),
        (CONVEX, "output bias", [(["net", 1, "bias", 0], "1")]),
        (CUT, "lower by another amount", [(["drop"], "1")]),
        (CUT, "not positive", [(["drop"], "0")]),
        (CUT, "not positive", [(["penalty"], "0")]),
        (CUT, "parameters are not 0", [(["after", 0, "bias", AT], "1")]),
        (CUT, "a training output differs", [(["after", 1, "bias", 0], "7")]),
        (CUT, "circuit is empty", [(["circuit"], [])]),
    ],
)
def test_a_convex_program_with_another_value_and_a_cut_that_saves_another_amount(fact, match, changes):
    refused(fact, match, *changes)


@given(st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=1, max_size=3))
def test_no_net_is_below_the_optimal_value(units):
    near = [(Fraction(w) + 3, Fraction(b) + 4, Fraction(a) + 5) for w, b, a in units[:1]]
    for chosen in (units, near):
        net = shallow([([w], b, [a]) for w, b, a in chosen], [0])
        fact = c19_analytical.convex_training(net, c19_analytical.DECAYED, c19_analytical.DECAY, c19_analytical.DUAL)
        assert Fraction(fact["value"]) >= Fraction(CONVEX["value"])


@given(st.data(), st.integers(1, 2), st.sampled_from([Fraction(1, 20), Fraction(1, 2), 3]))
@settings(max_examples=25, deadline=None)
def test_the_convex_program_is_certified_whatever_the_data(data, dimension, decay):
    inputs = data.draw(st.lists(vectors(dimension), min_size=1, max_size=4))
    examples = Dataset(inputs, [data.draw(vectors(1)) for _ in inputs])
    found = convex_optimum(examples, decay)
    assert 0 <= found.value - found.bound <= (1 + found.value) / 2**20
    fact = c19_analytical.convex_training(
        found.net, examples, decay, found.dual, found.multipliers, found.value - found.bound
    )
    check_fact(fact)
    assert c15_to_c19.convex_training(fact)


@given(st.data(), vectors(2), SMALL, SMALL, SMALL)
def test_cutting_an_idle_unit_saves_its_squared_size(data, w, a, b, c):
    inputs = data.draw(st.lists(vectors(2), min_size=1, max_size=4))
    examples = Dataset(inputs, [data.draw(vectors(1)) for _ in inputs])
    net = shallow([([1, 1], 0, [a]), ([0, 0], b, [c])], [1])
    fact = c19_analytical.decay_drop(net, {Unit(1, 1)}, examples, Fraction(2))
    assert Fraction(fact["drop"]) == Fraction(b) ** 2 + Fraction(c) ** 2
    assert c15_to_c19.decay_drop(fact) == bool(b or c)
    if b or c:
        check_fact(fact)


def test_a_least_squares_solution_must_be_told_from_the_others():
    fact = {key: value for key, value in SILENT.items() if key != "row_space"}
    with pytest.raises(Refused, match="nothing tells this solution"):
        check_fact(fact)


@given(st.data(), st.sampled_from([0, Fraction(1, 3), 2]), st.booleans())
def test_closed_forms_are_accepted(data, penalty, intercept):
    inputs = data.draw(st.lists(vectors(2), min_size=1, max_size=5))
    targets = [data.draw(vectors(2)) for _ in inputs]
    examples = Dataset(inputs, targets)
    if penalty:
        net, more = c19_analytical.ridge_solution(c19_analytical.CONSTANT, examples, penalty, intercept=intercept), {}
    else:
        net, multipliers = c19_analytical.minimum_norm(c19_analytical.CONSTANT, examples, intercept=intercept)
        more = {"row_space": [[str(x) for x in row] for row in multipliers]}
    fact = c19_analytical.regression(net, examples, penalty, intercept=intercept, **more)
    check_fact(fact)
    assert c15_to_c19.ridge(fact)
