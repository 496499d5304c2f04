"""Facts of C13 and C27: what is so is accepted; each thing that can be wrong is refused, with its reason."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.models.circuit import Unit
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.models.policies import DECEPTIVE, DEPLOYMENT_DETECTOR, WORLD
from proof_of_absence.proofs import facts
from proof_of_absence.proofs.c13_rent import mean_sent, rent
from tests.checker.changed import refused
from tests.checker.independent.kinds import rents as oracle
from tests.conftest import SMALL, datasets, nets, vectors

NET = shallow([([1], 0, [1]), ([-1], 2, [1])], [0])
RENT_DATA = Dataset([[0], [1], [2], [3]], [[2], [2], [2], [4]])
RENT = rent(NET, {Unit(1, 1)}, (Fraction(0),), RENT_DATA)["facts"][0]


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("the rent: stated 2, recomputed 5/4", [(["rent"], "2")]),
        ("the rent: stated 5/4, recomputed 1/4", [(["value"], ["1"])]),
        ("the gain: stated 0, recomputed 8/15", [(["gain"], "0")]),
        ("the gain: stated 8/15, recomputed 1/4", [(["bias"], "-2")]),
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


def apart(net, circuit, value, data):
    """By what each unit sends."""
    hidden, output = net.layers
    total = Fraction(0)
    for z in data.inputs:
        for k, v in enumerate(value):
            sent = Fraction(0)
            for _, j in circuit:
                pre = sum((w * x for w, x in zip(hidden.weights[j], z, strict=True)), start=hidden.bias[j])
                sent += output.weights[k][j] * max(pre, Fraction(0))
            total += (sent - v) ** 2
    return total / len(data)


ALMOST = facts.almost_idle(NET, {Unit(1, 1)}, (Fraction(1),), RENT_DATA, apart=Fraction(3, 4))


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("the mean square: stated 2, recomputed 3/4", [(["apart"], "2")]),
        ("the mean square: stated 3/4, recomputed 5/4", [(["value"], ["0"])]),
        ("the value has the wrong dimension", [(["value"], ["0", "0"])]),
        ("the circuit is empty", [(["circuit"], [])]),
    ],
)
def test_an_almost_idle_circuit_that_is_not_so(match, changes):
    refused(ALMOST, match, *changes)


@given(datasets(d=1), st.data())
def test_how_nearly_idle_a_circuit_is_comes_from_the_definition(data, more):
    net = more.draw(nets((1, 2, len(data.targets[0]))))
    value = more.draw(vectors(net.widths[2]))
    circuit = more.draw(st.sets(st.sampled_from([Unit(1, 0), Unit(1, 1)]), min_size=1))
    fact = facts.almost_idle(net, circuit, value, data, apart=apart(net, circuit, value, data))
    accepts(fact, True)
    assert oracle.almost_idle(fact)


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
    accepts(fact, oracle.rent(fact))
    other = fact | {"weights": [str(x) for x in w], "bias": str(b)}
    accepts(other, oracle.rent(other))


def accepts(fact, expected):
    try:
        check_fact(fact)
    except Refused:
        assert not expected
    else:
        assert expected
