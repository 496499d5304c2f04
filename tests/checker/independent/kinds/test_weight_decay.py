"""Training with weight decay (C19): what is so is accepted, each thing that can be wrong refused, with its reason."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.minima.convex import convex_optimum
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.policies import DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.proofs import c19_analytical, facts
from tests.checker.changed import refused
from tests.checker.independent.kinds import weight_decay as oracle
from tests.conftest import SMALL, vectors

CONVEX = facts.convex_training(
    c19_analytical.DECAYED_NET, c19_analytical.DECAYED, c19_analytical.DECAY, c19_analytical.DUAL
)
XOR = c19_analytical.optimum(c19_analytical.XOR, Fraction(1, 10))["facts"][0]
PATTERN = next(iter(XOR["multipliers"]))
CUT = c19_analytical.decay_drop(DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD.dataset(), Fraction(1, 100))
(_, AT), *_ = CUT["circuit"]


@pytest.mark.parametrize(
    ("fact", "match", "changes"),
    [
        (CONVEX, "the value of the net: stated 130, recomputed 1041/8", [(["value"], "130")]),
        (CONVEX, "the value of the net: stated 1041/8, recomputed 261/2", [(["data", "targets", 0, 0], "1")]),
        (CONVEX, "the value of the dual point: stated 1041/8, recomputed 130", [(["dual", 0], "0")]),
        (CONVEX, "the value of the dual point: stated 0, recomputed 1041/8", [(["bound"], "0")]),
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
        (CUT, "the drop: stated 1, recomputed 561/50", [(["drop"], "1")]),
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
        fact = facts.convex_training(net, c19_analytical.DECAYED, c19_analytical.DECAY, c19_analytical.DUAL)
        assert Fraction(fact["value"]) >= Fraction(CONVEX["value"])


@given(st.data(), st.integers(1, 2), st.sampled_from([Fraction(1, 20), Fraction(1, 2), 3]))
@settings(max_examples=25, deadline=None)
def test_the_convex_program_is_certified_whatever_the_data(data, dimension, decay):
    inputs = data.draw(st.lists(vectors(dimension), min_size=1, max_size=4))
    examples = Dataset(inputs, [data.draw(vectors(1)) for _ in inputs])
    found = convex_optimum(examples, decay)
    assert 0 <= found.value - found.bound <= (1 + found.value) / 2**20
    fact = facts.convex_training(found.net, examples, decay, found.dual, found.multipliers, found.value - found.bound)
    check_fact(fact)
    assert oracle.convex_training(fact)


@given(st.data(), vectors(2), SMALL, SMALL, SMALL)
def test_cutting_an_idle_unit_saves_its_squared_size(data, w, a, b, c):
    inputs = data.draw(st.lists(vectors(2), min_size=1, max_size=4))
    examples = Dataset(inputs, [data.draw(vectors(1)) for _ in inputs])
    net = shallow([([1, 1], 0, [a]), ([0, 0], b, [c])], [1])
    fact = c19_analytical.decay_drop(net, {Unit(1, 1)}, examples, Fraction(2))
    assert Fraction(fact["drop"]) == Fraction(b) ** 2 + Fraction(c) ** 2
    assert oracle.decay_drop(fact) == bool(b or c)
    if b or c:
        check_fact(fact)
