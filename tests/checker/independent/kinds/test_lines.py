"""The line closest to the targets: accepted exactly if there is no closer one."""

import copy
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proof_of_absence.checker.independent.facts import check_fact
from proof_of_absence.checker.independent.refusal import Refused
from proof_of_absence.checker.kernel.certificate import data_json, net_json
from proof_of_absence.models.data import Dataset
from proof_of_absence.models.net import shallow
from proof_of_absence.proofs.n6_blocked_depth import CROSSED, THREE_LAYERS, TRIANGLE, TWO_LAYERS, TWO_READERS
from tests.checker.changed import accepted
from tests.checker.independent.kinds import lines as oracle


def line(net, data):
    return {"kind": "best-line", "net": net_json(net), "data": data_json(data)}


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
        assert accepted(fact) == oracle.best_line(fact)
        error = data.loss(net) * len(data)
        bound = {"kind": "line-bound", "data": data_json(data), "error": str(error)}
        assert accepted(bound) == oracle.line_bound(bound) == oracle.best_line(fact)


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
