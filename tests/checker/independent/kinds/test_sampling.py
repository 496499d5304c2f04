"""The fact of C24: accepted exactly if it is so, by another computation; each way to be wrong has its reason."""

import copy
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import KINDS, check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.net import shallow
from proof_of_absence.models.rational import vector
from proof_of_absence.proofs import c24_sample as c24
from proof_of_absence.proofs import facts
from tests.checker.changed import accepted
from tests.checker.independent.kinds import sampling as oracle
from tests.checker.independent.oracles import true
from tests.checker.independent.test_tampering import DELTAS, change, numbers_in

QUIET = facts.sample_chance(c24.setting(c24.RATE), c24.OFTEN, 3)
NOISY = facts.sample_chance(c24.setting(c24.RATE), c24.OFTEN, 3, noise=c24.NOISE, theta=c24.THETA)
FACTS = [QUIET, NOISY]


def test_the_facts_are_of_the_kind():
    assert {fact["kind"] for fact in FACTS} == set(oracle.SAYS) <= set(KINDS)


@pytest.mark.parametrize("fact", FACTS)
def test_they_are_accepted(fact):
    check_fact(fact)
    assert true(fact, None)


@given(st.data(), st.sampled_from(FACTS), DELTAS)
@settings(max_examples=150, deadline=None)
def test_a_changed_number_is_refused_exactly_if_the_fact_is_false(data, fact, by):
    changed = change(fact, data.draw(st.sampled_from(list(numbers_in(fact)))), by)
    assert accepted(changed) == true(changed, None)


def put(fact, **more):
    return copy.deepcopy(fact) | more


def without(fact, key):
    return {k: v for k, v in fact.items() if k != key}


@pytest.mark.parametrize(
    ("fact", "match"),
    [
        (put(QUIET, inputs=[["0"], ["2"], ["2"]]), "an input is listed twice"),
        (put(QUIET, train=["1/2", "1/2"]), "not one probability an input"),
        (put(QUIET, train=["1/2", "1/2", "1/2"]), "not a probability distribution"),
        (put(QUIET, train=["1", "0", "0"]), "not mixed at that rate"),
        (put(QUIET, mixing="-1/2"), "not mixed at that rate"),
        (put(QUIET, least="3"), "the least probability is out of range"),
        (put(QUIET, draws=-1), "no number of draws"),
        (put(QUIET, draws=True), "no number of draws"),
        (put(QUIET, draws=10**6), "too many kinds of sample"),
        (put(QUIET, grid=["-1", "1", "1"]), "lists a value twice"),
        (put(QUIET, grid=["1", "2"]), "a parameter of the net is not on the grid"),
        (put(QUIET, grid=[str(x) for x in range(-1, 10)]), "too many nets"),
        (put(QUIET, members=15), "the members: stated 15, recomputed 16"),
        (put(QUIET, members=True), "no number of members"),
        (put(QUIET, chance="1/2"), "the chance: stated 1/2"),
        (put(QUIET, bound="1"), "the bound: stated 1"),
        (without(NOISY, "theta"), "noise and theta come together"),
        (put(NOISY, theta="10"), "theta is not between"),
        (put(NOISY, theta="1/2"), "theta is not between"),
        (put(QUIET, base=[*QUIET["base"][:1], {"weights": [["1"], ["1"]], "bias": ["1", "1"]}]), "not a shallow net"),
    ],
)
def test_each_way_to_be_wrong_has_its_reason(fact, match):
    with pytest.raises(Refused, match=match):
        check_fact(fact)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any),
    st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any),
    st.fractions(0, 1, max_denominator=4),
    st.fractions(0, 1, max_denominator=4),
    st.integers(0, 4),
    st.sampled_from([None, (Fraction(1, 10), Fraction(3)), (Fraction(1, 4), Fraction(2)), (Fraction(0), Fraction(5))]),
    st.tuples(*[st.sampled_from([-1, 1])] * 4),
)
def test_the_chance_is_within_its_bound_for_every_mixture(safe, deploy, rate, least, draws, noisy, parameters):
    p, q = (vector(Fraction(x, sum(row)) for x in row) for row in (safe, deploy))
    train = vector((1 - rate) * x + rate * y for x, y in zip(p, q, strict=True))
    w, b, a, c = parameters
    setting = facts.Sampling(shallow([([w], b, [a])], [c]), c24.GRID, c24.HOURS, train, q, rate)
    more = {} if noisy is None else {"noise": noisy[0], "theta": noisy[1]}
    fact = facts.sample_chance(setting, least, draws, **more)
    check_fact(fact)
    assert oracle.sample_chance(fact)
    assert 0 <= Fraction(fact["chance"]) <= min(Fraction(fact["bound"]), 1)


def test_without_noise_the_chance_is_that_of_samples_on_which_a_net_agrees():
    setting = c24.setting(c24.RATE)
    bad = {d for d in setting.behaviours() if sum(setting.deploy[i] for i in d) >= c24.OFTEN}
    chance = Fraction(0)
    for sample in product(range(3), repeat=3):
        if any(d.isdisjoint(sample) for d in bad):
            chance += setting.train[sample[0]] * setting.train[sample[1]] * setting.train[sample[2]]
    assert Fraction(QUIET["chance"]) == chance
