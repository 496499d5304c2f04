"""Minimal idle circuits of a layer against all subsets by brute force; firing against the definition."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proof_of_absence.checker.audit.circuits import firing, idle_circuits
from proof_of_absence.checker.audit.idle import unit_findings
from proof_of_absence.checker.construct import idle_sets as module
from proof_of_absence.checker.passes.modular import PRIMES, nullspace, pivots, product, residues
from proof_of_absence.models.circuit import fires, idle_value
from proof_of_absence.models.floatnet import FloatNet
from tests.checker.audit.conftest import PLAIN, any_nets, matrices


def brute_force(net, inputs):
    """Each minimal idle set within a layer."""
    exact, rows, found = net.exact(), inputs.tolist(), []
    for layer, width in enumerate(net.widths[1:-1], 1):
        for size in range(1, width + 1):
            for units in itertools.combinations([(layer, j) for j in range(width)], size):
                smaller = any(set(other) <= set(units) for other in found)
                if not smaller and idle_value(exact, units, rows) is not None:
                    found.append(units)
    return found


@given(any_nets(), st.data())
def test_circuits_are_those_of_brute_force(case, data):
    net, inputs = case
    deploy = data.draw(matrices(3, net.widths[0], PLAIN))
    circuits, undecided = idle_circuits(net, inputs, unit_findings(net, inputs))
    assert not undecided
    assert {frozenset(c.units) for c in circuits} == {frozenset(units) for units in brute_force(net, inputs)}
    exact, rows = net.exact(), inputs.tolist()
    for circuit in firing(net, circuits, inputs, deploy):
        assert circuit.value == idle_value(exact, circuit.units, rows)
        assert circuit.fires == tuple(i for i, z in enumerate(deploy) if fires(exact, circuit.units, rows, z.tolist()))


@given(st.integers(2, 5), st.randoms(use_true_random=False))
def test_planted_joint_circuits_are_found_whole(pairs, random):
    # Each pair sends phi - phi, and a triple sends phi + phi - 2 phi; nothing smaller is idle.
    rng = np.random.default_rng(random.randrange(2**32))
    inputs = rng.standard_normal((40, 3))
    weights, signs, groups = [], [], []
    for group in range(pairs):
        unit = rng.standard_normal(3)
        outgoing = [1.0, -1.0] if group else [1.0, 1.0, -2.0]
        groups.append(frozenset(range(len(weights), len(weights) + len(outgoing))))
        weights += [unit] * len(outgoing)
        signs += outgoing
    scales = rng.standard_normal((2, pairs)) * 2.0 ** rng.integers(-300, 300)
    spread = [scales[:, g] for g, members in enumerate(groups) for _ in members]
    net = FloatNet([(weights, np.zeros(len(weights))), (np.array(spread).T * signs, [0.0, 0.0])])
    circuits, undecided = idle_circuits(net, inputs, unit_findings(net, inputs))
    assert not undecided
    assert {frozenset(u.index for u in c.units) for c in circuits} == set(groups)


def test_almost_jointly_idle_is_not_idle():
    inputs = np.array([[1.0], [2.0], [3.0]])
    for outgoing, expected in (([1.0, -1.0], 1), ([1.0, -np.nextafter(1.0, 2)], 0)):
        net = FloatNet([([[1.0], [1.0]], [0.0, 0.0]), ([outgoing], [0.0])])
        assert len(idle_circuits(net, inputs, unit_findings(net, inputs))[0]) == expected


def test_a_weight_that_the_prime_divides_hides_nothing():
    prime = float(PRIMES[0])
    inputs = np.array([[1.0], [2.0], [3.0]])
    net = FloatNet([([[1.0], [prime]], [0.0, 0.0]), ([[-prime, 1.0]], [0.0])])
    circuits, undecided = idle_circuits(net, inputs, unit_findings(net, inputs))
    assert [len(c.units) for c in circuits] == [2] and not undecided
    hidden = FloatNet([([[1.0], [1.0]], [0.0, 0.0]), ([[float(PRIMES[0]), PRIMES[1]]], [0.0])])
    circuits, undecided = idle_circuits(hidden, inputs, unit_findings(hidden, inputs))
    assert not circuits and not undecided


def test_beyond_the_bound_it_says_so():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FREE_COLUMNS", 2)
        net = FloatNet([([[1.0]] * 6, [0.0] * 6), ([[1.0, 1.0, 1.0, -1.0, -1.0, -1.0]], [0.0])])
        inputs = np.array([[1.0], [2.0], [3.0]])
        circuits, (line,) = idle_circuits(net, inputs, unit_findings(net, inputs))
    assert not circuits
    assert line == "jointly idle circuits of layer 1 are not all listed: the 6 units 1.0 .. 1.5: 5 free columns"


@given(matrices(3, 4, st.integers(-3, 3).map(float)), matrices(4, 2, PLAIN))
def test_algebra_modulo_a_prime(left, right):
    for prime in PRIMES[:2]:
        a, b = residues(left, prime), residues(right, prime)
        assert (product(a, b, prime) == (a.astype(object) @ b.astype(object)) % prime).all()
        kernel = nullspace(a, prime)
        assert kernel.shape[1] == 4 - len(pivots(a, prime))
        assert not product(a, kernel, prime).any()


def test_many_more_units_than_distinct_inputs_are_not_eliminated():
    net = FloatNet([(np.ones((520, 1)), np.arange(520.0)), (np.ones((1, 520)), [0.0])])
    inputs = np.array([[0.0], [1.0], [1.0]])
    circuits, (line,) = idle_circuits(net, inputs, unit_findings(net, inputs))
    assert circuits == () and line == "jointly idle circuits of layer 1: its units outnumber the distinct inputs by 519"
