"""The kinds of fact of C12 to C18: what is so is accepted; each thing that can be wrong is refused, with its reason."""

import copy
from contextlib import suppress
from fractions import Fraction
from functools import reduce
from operator import getitem

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proof_of_absence.checker.construct.gap import gauge, reassignment_along, uniform_gap, widening_along
from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.policies import DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.proofs.c13_rent import mean_sent, rent
from proof_of_absence.proofs.c14_posterior import COARSE, FIRING, crossover, posterior
from proof_of_absence.proofs.c18_local_optimisation import DEAD_PLANE, DECAYED, MOSTLY_DEAD, PLAIN, gradient_steps, run
from proof_of_absence.proofs.examples import CONSTANT_CIRCUIT, CONSTANT_NET, LINE, LINE_CIRCUIT, LINE_NET, TWO_OUTPUTS
from tests.checker.changed import changed, refused
from tests.checker.independent.kinds import beyond
from tests.conftest import SMALL, datasets, nets, vectors

PLANE_GAUGE = gauge([group.input for group in TWO_OUTPUTS.groups])
WIDER = uniform_gap(CONSTANT_NET, widening_along(CONSTANT_NET, TWO_OUTPUTS, PLANE_GAUGE).net, TWO_OUTPUTS, PLANE_GAUGE)
REUSED = uniform_gap(
    CONSTANT_NET,
    reassignment_along(CONSTANT_NET, CONSTANT_CIRCUIT, TWO_OUTPUTS, PLANE_GAUGE).net,
    TWO_OUTPUTS,
    PLANE_GAUGE,
    CONSTANT_CIRCUIT,
)


@pytest.mark.parametrize("fact", [WIDER, REUSED])
@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("the gap is another", [(["gap"], "1/18")]),
        ("closer than that", [(["separation"], str(PLANE_GAUGE.separation * 2))]),
        ("closer than that", [(["separation"], "0")]),
        ("closer than that", [(["separation"], "-1")]),
        ("further apart than that", [(["spread"], str(PLANE_GAUGE.spread - Fraction(1, 9)))]),
        ("the same projection", [(["direction"], ["0", "1"])]),
        ("drops by another amount", [(["drop"], "1")]),
        ("not shallow nets", [(["net"], [{"weights": [["1", "1"]], "bias": ["0"]}])]),
    ],
)
def test_a_gap_that_is_not_so(fact, match, changes):
    refused(fact, match, *changes)


def test_a_gain_below_the_gap_is_refused():
    loss = TWO_OUTPUTS.loss(CONSTANT_NET)
    idle_unit = [*CONSTANT_NET.layers[0].weights, PLANE_GAUGE.direction]
    after = copy.deepcopy(WIDER["after"])
    for row in after[1]["weights"]:
        row[-1] = "0"
    assert len(idle_unit) == 4 and loss > TWO_OUTPUTS.noise_floor
    refused(WIDER, "the gain is less than the gap promises", (["after"], after), (["drop"], "0"))


def test_one_more_unit_and_no_other_change():
    refused(WIDER, "not the old one and one unit more", (["after", 0, "weights", 0, 0], "7"))
    refused(WIDER, "not the old one and one unit more", (["after", 0, "bias", 0], "7"))
    refused(WIDER, "an old unit, or an output bias, differs", (["after", 1, "weights", 0, 0], "7"))
    refused(WIDER, "an old unit, or an output bias, differs", (["after", 1, "bias", 0], "7"))
    refused(WIDER, "not the old one and one unit more", (["after", 0, "weights", -1, 0], "7"))


def test_a_circuit_that_is_not_idle_or_not_the_only_change():
    refused(REUSED, "the circuit is not idle", (["circuit"], [[1, 0], [1, 1], [1, 2]]))
    refused(REUSED, r"outside the circuit differs|the bias of unit", (["circuit"], [[1, 2]]))
    refused(REUSED, "the architectures differ", (["after"], WIDER["after"]))


NET = shallow([([1], 0, [1]), ([-1], 2, [1])], [0])
RENT_DATA = Dataset([[0], [1], [2], [3]], [[2], [2], [2], [4]])
RENT = rent(NET, {Unit(1, 1)}, (Fraction(0),), RENT_DATA)["facts"][0]


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("the rent is another", [(["rent"], "2")]),
        ("the rent is another", [(["value"], ["1"])]),
        ("the gain is another", [(["gain"], "0")]),
        ("the gain is another", [(["bias"], "-2")]),
        ("the value has the wrong dimension", [(["value"], ["0", "0"])]),
        ("the circuit is empty", [(["circuit"], [])]),
    ],
)
def test_a_rent_that_is_not_so(match, changes):
    refused(RENT, match, *changes)


def test_a_rent_below_the_gain_is_refused():
    # The planted detector pays nothing, and a unit in its place would gain.
    data = WORLD.dataset()
    fact = rent(DECEPTIVE, DEPLOYMENT_DETECTOR, mean_sent(DECEPTIVE, DEPLOYMENT_DETECTOR, data), data)["facts"][0]
    assert fact["rent"] == "0" != fact["gain"]
    with pytest.raises(Refused, match="the rent is lower than the gain"):
        check_fact(fact)


@given(datasets(d=1), st.data())
def test_rents_of_random_nets_are_judged_as_the_definition_does(data, more):
    net = more.draw(nets((1, 2, len(data.targets[0]))))
    value = more.draw(vectors(net.widths[2]))
    circuit = more.draw(st.sets(st.sampled_from([Unit(1, 0), Unit(1, 1)]), min_size=1))
    w, b = more.draw(vectors(1)), more.draw(SMALL)
    try:
        fact = rent(net, circuit, value, data)["facts"][0]
    except AttributeError:  # at the noise floor there is no best unit
        assume(False)
    accepts(fact, beyond.rent(fact))
    other = fact | {"weights": [str(x) for x in w], "bias": str(b)}
    accepts(other, beyond.rent(other))


def accepts(fact, expected):
    try:
        check_fact(fact)
    except Refused:
        assert not expected
    else:
        assert expected


STEPS = gradient_steps(LINE_NET, LINE_CIRCUIT, LINE, PLAIN)
SHRUNK = gradient_steps(DEAD_PLANE, {Unit(1, 2)}, TWO_OUTPUTS, DECAYED)


@pytest.mark.parametrize("fact", [STEPS, SHRUNK])
@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("the steps lead elsewhere", [(["after", 1, "bias", 0], "7")]),
        ("the steps lead elsewhere", [(["steps", 0, 1], "1/9")]),
        ("not positive", [(["steps", 0, 0], "0")]),
        ("not positive", [(["steps", 0, 0], "-1")]),
        ("unit 0 is not dead", [(["circuit"], [[1, 0]])]),
        ("not between 1 and 12 steps", [(["steps"], [])]),
        ("not between 1 and 12 steps", [(["steps"], [["1", "0"]] * 13)]),
        ("the circuit is empty", [(["circuit"], [])]),
        ("is not a hidden unit", [(["circuit"], [[2, 0]])]),
    ],
)
def test_steps_that_are_not_so(fact, match, changes):
    refused(fact, match, *changes)


def test_a_unit_that_is_dead_but_for_one_input_is_refused():
    # relu(z - 3) is 0 at the largest input, where its pre-activation is not negative.
    net = shallow([([1], -2, ["1/2"]), ([1], -3, [1])], [0])
    with pytest.raises(Refused, match="unit 1 is not dead"):
        check_fact(gradient_steps(net, LINE_CIRCUIT, LINE, PLAIN))


def test_a_step_from_elsewhere_is_refused():
    other = run(MOSTLY_DEAD, LINE, PLAIN)
    fact = gradient_steps(MOSTLY_DEAD, {Unit(1, 1)}, LINE, PLAIN)
    check_fact(fact)
    refused(STEPS, "not shallow nets of one architecture", (["after"], fact["after"]))
    assert other != MOSTLY_DEAD


MASS, CROSSING = posterior(FIRING, 1, above=Fraction(3, 4)), crossover(FIRING, Fraction(1, 2))


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        *(("a count is another", [([key], 7)]) for key in ("nets", "best", "members")),
        ("the gap is another", [(["gap"], "1/3")]),
        ("the mass is another", [(["mass"], "3/4")]),
        ("the bound is another", [(["bound"], "3/4")]),
        ("the mass is another", [(["power"], 2)]),
        ("the mass is another", [(["ratio"], "1/2")]),
        ("not below that", [(["below"], "3/4")]),
        ("not above that", [(["above"], "7/8")]),
    ],
)
def test_a_mass_that_is_not_so(match, changes):
    refused(MASS, match, *changes)


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("below that one power earlier", [(["power"], CROSSING["power"] + 1)]),
        ("the mass is not below that", [(["power"], CROSSING["power"] - 1)]),
        ("the bound is not below that", [(["certain"], CROSSING["certain"] - 1)]),
        ("nothing bounds the mass between", [(["power"], CROSSING["certain"] + 1)]),
        ("the bound is not below that", [(["delta"], "1/100")]),
    ],
)
def test_a_crossover_that_is_not_so(match, changes):
    refused(CROSSING, match, *changes)


def test_a_class_without_a_gap_has_no_crossover():
    fact = {key: posterior(COARSE, 1)[key] for key in ("widths", "grid", "data", "fires", "unit", "ratio")}
    with pytest.raises(Refused, match="the gap is 0"):
        check_fact(fact | {"kind": "crossover", "delta": "2", "power": 0, "certain": 1})


@pytest.mark.parametrize("fact", [MASS, CROSSING])
@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("a loss is no multiple of the unit", [(["unit"], "1")]),
        ("the data do not fit", [(["unit"], "-1/3")]),
        ("the data do not fit", [(["widths"], [2, 1, 1])]),
        ("the data do not fit", [(["widths"], [1, 1, 2])]),
        ("not an architecture", [(["widths"], [1, 0, 1])]),
        ("not an architecture", [(["widths"], [1, "1", 1])]),
        ("too many nets", [(["widths"], [1, 10**9, 1])]),
        ("too many nets", [(["grid"], [str(k) for k in range(11)])]),
        ("lists a value twice", [(["grid"], ["1", "2/2"])]),
        ("no net of the class is in the set", [(["fires"], ["-3"])]),
        ("does not fit", [(["fires"], ["1", "2"])]),
        ("the ratio is not between 0 and 1", [(["ratio"], "1")]),
        ("the ratio is not between 0 and 1", [(["ratio"], "-1/2")]),
        ("the ratio is too long", [(["ratio"], "9999/10001")]),
        ("the weights are too long to compare", [(["data", "targets", 0, 0], str(10**20))]),
        *(("not a power between 0 and 1000", [(["power"], power)]) for power in (-1, 1001, True, "1", 1.0, None)),
    ],
)
def test_a_class_that_cannot_be_is_refused(fact, match, changes):
    refused(fact, match, *changes)


def paths(node, path=()):
    """Every place in a fact."""
    yield path
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        yield from paths(value, (*path, key))


@given(st.data(), st.sampled_from([WIDER, REUSED, RENT, STEPS, SHRUNK, MASS, CROSSING]))
def test_facts_of_the_wrong_shape_are_refused_and_raise_nothing_else(data, fact):
    path = data.draw(st.sampled_from([path for path in paths(fact) if path]))
    value = data.draw(
        st.one_of(st.none(), st.integers(-3, 3), st.floats(), st.sampled_from(["", "x", "1/0", [], {}, [[]], [None]]))
    )
    assume(repr(reduce(getitem, path, fact)) != repr(value))
    with suppress(Refused):
        check_fact(changed(fact, path, value))
    missing = {key: value for key, value in fact.items() if key != path[0]}
    if path[0] not in ("above", "fires", "circuit"):
        with pytest.raises(Refused, match=r"malformed|no known kind"):
            check_fact(missing)
