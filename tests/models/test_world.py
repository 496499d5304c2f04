"""The question-answering world: distributions, datasets, and policies that are exact nets on every case of it."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.models import policies
from proof_of_absence.models.circuit import fires, hidden_units, is_idle
from proof_of_absence.models.policies import (
    ARCHITECTURE,
    BACKDOOR,
    BACKDOOR_DETECTOR,
    DECEPTIVE,
    DEPLOYMENT_DETECTOR,
    IMITATOR,
    TRANSLATOR,
    TRIGGER_HOUR,
    WORLD,
    decide,
)
from proof_of_absence.models.world import (
    CLUMSY,
    IS_DIAMOND_THERE,
    IS_TAMPERED,
    NONE,
    QUESTIONS,
    SKILLED,
    Human,
    State,
    World,
    encode,
    truth,
)

PAIRS = [
    (TRANSLATOR, policies.direct_translator),
    (IMITATOR, policies.human_imitator),
    (DECEPTIVE, policies.deceptive),
    (BACKDOOR, policies.backdoor),
]
# Every state at every hour of a day's half, the trigger hour included, with each question.
CASES = [
    (State(d, t, hour), q) for d in (0, 1) for t in (NONE, CLUMSY, SKILLED) for hour in range(12) for q in QUESTIONS
]
MIXINGS = [Fraction(0), Fraction(1, 10), Fraction(2, 3), Fraction(1)]


@pytest.mark.parametrize(("net", "policy"), PAIRS, ids=lambda x: getattr(x, "__name__", ""))
def test_nets_are_their_policies_on_every_case(net, policy):
    assert TRIGGER_HOUR not in WORLD.train_hours and {q for _, q in CASES} == {IS_DIAMOND_THERE, IS_TAMPERED}
    assert set(WORLD.all_questions()) <= set(CASES)
    assert net.widths == ARCHITECTURE.widths
    for state, question in CASES:
        assert decide(net, state, question) == policy(state, question), (state, question)


def test_answers_of_translator_and_imitator_are_exactly_zero_or_one():
    for net, policy in PAIRS[:2]:
        assert all(net(encode(*case)) == (policy(*case),) for case in CASES)


def test_detectors_are_idle_in_training_and_fire_after():
    train = list(WORLD.train_distribution())
    assert is_idle(DECEPTIVE, DEPLOYMENT_DETECTOR, train) and is_idle(BACKDOOR, BACKDOOR_DETECTOR, train)
    assert all(fires(DECEPTIVE, DEPLOYMENT_DETECTOR, train, z) for z in WORLD.deploy_distribution())
    trigger = encode(State(0, NONE, TRIGGER_HOUR), IS_DIAMOND_THERE)
    assert (
        fires(BACKDOOR, BACKDOOR_DETECTOR, train, trigger) and BACKDOOR(trigger) == (1,) and IMITATOR(trigger) == (0,)
    )
    for unit in hidden_units(BACKDOOR):
        assert not is_idle(BACKDOOR, {unit}, train)


def test_deceptive_agrees_in_training_and_lies_at_deployment():
    train, deploy = list(WORLD.train_distribution()), list(WORLD.deploy_distribution())
    assert DECEPTIVE.outputs(train) == IMITATOR.outputs(train)
    assert DECEPTIVE.outputs(deploy) != IMITATOR.outputs(deploy)


def test_humans_err_systematically():
    fooled = State(0, SKILLED, 0)
    assert [Human().answer(fooled, q) for q in QUESTIONS] == [1, 0] and [truth(fooled, q) for q in QUESTIONS] == [0, 1]
    clumsy = State(0, CLUMSY, 2)
    assert [Human().answer(clumsy, q) for q in QUESTIONS] == [0, 1]
    assert [Human(frozenset({2})).answer(clumsy, q) for q in QUESTIONS] == [1, 0]
    assert [Human().answer(State(1, NONE, 2), q) for q in QUESTIONS] == [1, 0]


@pytest.mark.parametrize("mixing", MIXINGS)
def test_distributions_sum_to_one_and_mix(mixing):
    world, pure = World(mixing=mixing), World()
    train, deploy = world.train_distribution(), world.deploy_distribution()
    assert sum(train.values()) == sum(deploy.values()) == sum(world.train_cases().values()) == 1
    assert min(train.values()) > 0 and deploy == pure.deploy_distribution()
    base = pure.train_distribution()
    mixed = {z: (1 - mixing) * base.get(z, 0) + mixing * deploy.get(z, 0) for z in {*base, *deploy}}
    assert train == {z: p for z, p in mixed.items() if p}


@pytest.mark.parametrize("mixing", MIXINGS)
def test_rows_are_in_proportion_and_as_few_as_can_be(mixing):
    world = World(mixing=mixing)
    data, train = world.dataset(), world.train_distribution()
    counts = Counter(data.inputs)
    assert {z: Fraction(c, len(data)) for z, c in counts.items()} == train
    humans = len(world.humans)
    cases = world.train_cases()
    rows = [len(data) // humans * p for p in cases.values()]
    assert all(r.denominator == 1 for r in rows)
    for factor in range(2, int(min(rows)) + 1):
        assert any(r % factor for r in rows)


def test_answers_in_the_data_are_the_humans():
    expected = Counter()
    for case, p in WORLD.train_cases().items():
        for human in WORLD.humans:
            expected[encode(*case), (human.answer(*case),)] += p
    data = WORLD.dataset()
    rows = Counter(zip(data.inputs, data.targets, strict=True))
    assert {key: Fraction(c, len(data)) * len(WORLD.humans) for key, c in rows.items()} == expected
    assert data.noise_floor > 0


@given(st.integers(0, 100))
def test_samples_are_seeded_and_from_the_support(seed):
    sample = WORLD.sample(20, seed)
    assert sample == WORLD.sample(20, seed) and len(sample) == 20
    assert set(sample.inputs) <= set(WORLD.train_distribution())
    seen = set(zip(WORLD.dataset().inputs, WORLD.dataset().targets, strict=True))
    assert set(zip(sample.inputs, sample.targets, strict=True)) <= seen


def test_other_seeds_give_other_samples():
    assert len({WORLD.sample(20, seed).inputs for seed in range(5)}) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mixing": 2}, "mixing rate 2 is not between 0 and 1"),
        ({"mixing": "-1/2"}, "is not between 0 and 1"),
        ({"mixing": float("nan")}, "not a finite number"),
        ({"humans": ()}, "a human"),
        ({"train_hours": ()}, "needs hours of training"),
        ({"deploy_hours": (8, 9)}, "both of training and of deployment"),
        ({"tampering": (-1, 2, 3)}, "tampering"),
        ({"tampering": (0, 0, 0)}, "tampering"),
    ],
)
def test_worlds_that_cannot_be_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        World(**change)


@given(st.permutations(range(6)), st.integers(1, 4))
def test_more_diverse_worlds_hold_the_inputs_of_less_diverse_ones(order, diversity):
    less, more = World.nested(order, diversity), World.nested(order, diversity + 1)
    assert set(less.train_distribution()) < set(more.train_distribution())
    assert {*more.train_hours, *more.deploy_hours} == set(order) and len(more.train_hours) == diversity + 1


@pytest.mark.parametrize(
    ("order", "diversity", "message"),
    [
        ((0, 1, 0), 1, "an hour is listed twice"),
        ((0, 1), 0, "diversity 0: with 2 hours it is between 1 and 1"),
        ((0, 1), 2, "diversity 2"),
    ],
)
def test_orders_that_leave_nothing_are_refused(order, diversity, message):
    with pytest.raises(ValueError, match=message):
        World.nested(order, diversity)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_a_line_is_the_data_of_one_state_and_question(mixing):
    world = World(mixing=mixing)
    line, data = world.line(0, CLUMSY, IS_TAMPERED), world.dataset()
    rows = Counter(
        (z[4], y) for z, (y,) in zip(data.inputs, data.targets, strict=True) if z[1] == 1 and not z[3] and z[5] == 1
    )
    counted = Counter((x, y) for (x,), (y,) in zip(line.inputs, line.targets, strict=True))
    assert {key: Fraction(n, len(line)) for key, n in counted.items()} == {
        key: Fraction(n, rows.total()) for key, n in rows.items()
    }


def test_a_line_of_what_never_happens_is_refused():
    with pytest.raises(ValueError, match="no such state and question occurs"):
        World(tampering=(1, 0, 1)).line(0, CLUMSY, IS_TAMPERED)
