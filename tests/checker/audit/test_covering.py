"""Covered deployment inputs against the exact cells of C23, and the checker's refusals."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.audit.covering import covered, hidden_signs
from proof_of_absence.checker.audit.detectors import deployment_findings
from proof_of_absence.checker.construct.cover import cover
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.independent.results.audit import decide
from proof_of_absence.checker.independent.results.subject import Subject
from proof_of_absence.checker.independent.values.floats import FloatNet as Unshared
from proof_of_absence.models.floatnet import FloatNet
from proof_of_absence.models.layers import Affine
from proof_of_absence.models.net import MLP

GRID = st.sampled_from([0.0, 1.0, -1.0, 2.0, -0.5, 0.25])


@st.composite
def cases(draw):
    """A net, training inputs, and averages of some of them among the deployment inputs."""
    widths = draw(st.sampled_from([(1, 2, 1), (2, 2, 1), (2, 2, 2, 1)]))

    def array(*shape):
        size = int(np.prod(shape))
        return np.array(draw(st.lists(GRID, min_size=size, max_size=size))).reshape(shape)

    net = FloatNet([(array(m, n), array(m)) for n, m in pairwise(widths)])
    train = array(draw(st.integers(2, 6)), widths[0])
    return net, train, np.vstack([array(1, widths[0]), (train[:1] + train[1:2]) / 2, train[-1:]])


def fact(one):
    return {"kind": "covered", "row": one.row, "combination": [[i, hexadecimal(w)] for i, w in one.cover]}


def hexadecimal(value):
    return f"{value.numerator:x}/{value.denominator:x}"


@settings(deadline=None)
@given(cases())
def test_what_is_covered_is_so_by_the_definition_and_confirmed(case):
    net, train, deploy = case
    exact = MLP([Affine(w.tolist(), b.tolist()) for w, b in net.float_layers])
    found = covered(net, train, deploy, deployment_findings(train, deploy))
    for one, z in zip(found, deploy, strict=True):
        assert (one.cover is None) == (cover([exact], train.tolist(), z.tolist()) is None)
        if one.cover:
            assert sum(w for _, w in one.cover) == 1
            average = [sum(w * Fraction(train[i, k]) for i, w in one.cover) for k in range(train.shape[1])]
            assert average == list(map(Fraction, z.tolist()))
    decide(Subject(Unshared(net.float_layers), train, deploy=deploy), [fact(one) for one in found if one.cover])


@given(cases())
def test_signs_are_those_of_the_exact_pre_activations(case):
    net, train, _ = case
    signs = hidden_signs(net, train)
    for z, row in zip(train, signs, strict=True):
        below, told = list(map(Fraction, z.tolist())), []
        for weights, bias in net.float_layers[:-1]:
            before = [sum(Fraction(w) * v for w, v in zip(r, below, strict=True)) + Fraction(b)
                      for r, b in zip(weights.tolist(), bias.tolist(), strict=True)]  # fmt: skip
            told += [(v > 0) - (v < 0) for v in before]
            below = [max(v, Fraction(0)) for v in before]
        assert told == row.tolist()


NET = FloatNet([([[1.0]], [-2.0]), ([[1.0]], [0.0])])
TRAIN, DEPLOY = np.array([[0.0], [1.0], [3.0]]), np.array([[0.5], [1.5]])


@pytest.mark.parametrize(
    ("row", "combination", "reason"),
    [
        (0, [[0, "1/2"], [1, "1/2"]], None),
        (1, [[0, "1/2"], [2, "1/2"]], "changes sign"),
        (0, [[0, "1/3"], [1, "2/3"]], "is not that average"),
        (0, [[0, "1/2"], [1, "1/4"]], "no convex weights"),
        (0, [[0, "1/2"], [0, "1/2"]], "no convex weights"),
        (0, [], "no convex weights"),
        (2, [[0, "1"]], "no such deployment row"),
        (0, [[3, "1"]], "no such training row"),
    ],
)
def test_what_covers_nothing_is_refused(row, combination, reason):
    subject = Subject(Unshared(NET.float_layers), TRAIN, deploy=DEPLOY)
    told = {"kind": "covered", "row": row, "combination": combination}
    if reason is None:
        decide(subject, [told])
    else:
        with pytest.raises(Refused, match=reason):
            decide(subject, [told])


def test_a_net_without_a_hidden_layer_has_one_cell():
    net = FloatNet([([[1.0, 2.0]], [0.5])])
    inputs, deploy = np.array([[0.0, 0], [2, 0], [0, 2]]), np.array([[0.5, 0.5]])
    (found,) = covered(net, inputs, deploy, deployment_findings(inputs, deploy))
    assert found.cover is not None and sum(weight for _, weight in found.cover) == 1
