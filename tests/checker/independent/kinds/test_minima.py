"""Minima by trying every net of a grid, and by the line closest to the targets: accepted exactly if they are so."""

import copy
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.family import Architecture
from proof_of_absence.models.net import MLP, Layer, shallow
from proof_of_absence.proofs.n6_blocked_depth import CROSSED, THREE_LAYERS, TRIANGLE, TWO_LAYERS, TWO_READERS
from proof_of_absence.proofs.n7_quantised import BINARY, TERNARY, coarse, least_in_class
from tests.checker.independent.kinds import beyond


def accepted(fact):
    try:
        check_fact(fact)
    except Refused:
        return False
    return True


def line(net, data):
    return {"kind": "best-line", "net": net_json(net), "data": data_json(data)}


signs = st.sampled_from(BINARY)


@settings(max_examples=60, deadline=None)
@given(st.lists(signs, min_size=4, max_size=4), st.lists(st.integers(-1, 2), min_size=3, max_size=3))
def test_least_on_a_grid_is_judged_as_the_definition_does(parameters, targets):
    net = Architecture((1, 1, 1)).net(parameters)
    fact = least_in_class(net, Dataset([[0], [1], [2]], [[y] for y in targets]), BINARY)
    assert accepted(fact) == beyond.least_in_class(fact)


@settings(max_examples=30, deadline=None)
@given(st.lists(signs, min_size=6, max_size=6), st.lists(st.integers(-1, 1), min_size=6, max_size=6))
def test_the_same_for_two_outputs(parameters, targets):
    net = Architecture((1, 1, 2)).net(parameters)
    data = Dataset([[0], [1], [2]], [targets[:2], targets[2:4], targets[4:]])
    assert accepted(fact := least_in_class(net, data, BINARY)) == beyond.least_in_class(fact)


LEAST = least_in_class(coarse(TERNARY, 1).net, coarse(TERNARY, 1).data, TERNARY)


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("a net of the class has a lower loss", {"data": data_json(Dataset([[0], [1]], [[0], [1]]))}),
        ("the grid lists a value twice", {"grid": ["-1", "0", "1", "0"]}),
        ("the grid lists a value twice, or none", {"grid": []}),
        ("is not on the grid", {"grid": ["0", "1"]}),
        ("too many nets", {"grid": [str(v) for v in range(-9, 10)]}),
        ("a net of the class has a lower loss", {"grid": ["-1", "-1/2", "0", "1/2", "1"]}),
        ("not a shallow net", {"net": net_json(MLP((Layer([[1]], [0]),)))}),
    ],
)
def test_a_least_net_that_is_not_so(match, changes):
    check_fact(LEAST)
    with pytest.raises(Refused, match=match):
        check_fact(LEAST | changes)


coordinates = st.integers(-2, 2)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(coordinates, min_size=2, max_size=2), min_size=3, max_size=3),
    st.sampled_from([[(-1, -1), (-1, -1), (2, 2)], [(-1, 1), (-1, -1), (2, 0)], None]),
    st.lists(st.fractions(-2, 2, max_denominator=2), min_size=4, max_size=4),
)
def test_a_best_line_is_judged_as_eigenvalues_do(targets, known, numbers):
    data = Dataset([[0], [1], [2]], known or targets)
    for net in (TWO_LAYERS, shallow([([1], -1, numbers[:2])], numbers[2:])):
        fact = line(net, data)
        assert accepted(fact) == beyond.best_line(fact)
        error = data.loss(net) * len(data)
        bound = {"kind": "line-bound", "data": data_json(data), "error": str(error)}
        assert accepted(bound) == beyond.SAYS["line-bound"](bound) == beyond.best_line(fact)


@pytest.mark.parametrize(("net", "data"), [(TWO_LAYERS, TRIANGLE), (THREE_LAYERS, CROSSED)])
def test_a_best_line_that_is_not_so(net, data):
    check_fact(line(net, data))
    # Along the line nothing may move either: the mean must lie on it, and the feet must be reached.
    for k in range(net.widths[-1]):
        for by in (Fraction(1, 10**6), Fraction(-1)):
            worse = copy.deepcopy(line(net, data))
            worse["net"][-1]["bias"][k] = str(net.layers[-1].bias[k] + by)
            with pytest.raises(Refused, match="a line is closer to the targets"):
                check_fact(worse)


def test_a_best_line_needs_one_unit_before_the_output():
    with pytest.raises(Refused, match="the last hidden layer has not one unit"):
        check_fact(line(TWO_READERS, TRIANGLE))
